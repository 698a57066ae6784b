//! The command line as a stranger meets it: exit codes, and what goes to which stream.

#[path = "support/command.rs"]
mod command;

use command::dawnwatch;

#[test]
fn a_command_line_that_makes_no_sense_exits_2_and_leaves_the_result_empty() {
    let cases: [&[&str]; 21] = [
        &[],
        &["watch"],
        &["run", "--fast"],
        &["once", "--format", "xml"],
        &["check", "--log-format", "yaml"],
        &["check", "--config"],
        &["demo", "--speed", "0"],
        &["demo", "--night", "monday"],
        &["check", "extra"],
        &["ack", "12", "--for", "2h"],
        &["ack", "12", "--reason", "on it"],
        &["ack", "12", "--reason", "on it", "--for", "2h", "--until", "07:30"],
        &["snooze", "twelve", "--reason", "on it", "--for", "2h"],
        &["snooze", "12", "--reason", "on it", "--for", "2 hours"],
        &["mute", "chat", "team", "--reason", "loud", "--for", "2h"],
        &["mute", "check", "orders", "--reason", "loud", "--until", "tomorrow"],
        &["retire", "orders", "--reason", "gone", "--for", "2h"],
        &["backtest", "--feeds", "feeds"],
        &["backtest", "--deadlines", "d.csv", "--predictions", "p.csv", "--eta", "e.csv"],
        &[
            "backtest",
            "--feeds",
            "feeds",
            "--deadlines",
            "d.csv",
            "--predictions",
            "p.csv",
            "--eta",
            "e.csv",
            "--from",
            "2026-09-01",
        ],
        &["backtest", "--history", "nights.csv", "--from-source", "airflow"],
    ];
    for args in cases {
        let (code, out, err) = dawnwatch(args, |command| command);
        assert_eq!(code, Some(2), "{args:?}: {}", err);
        assert_eq!(out, "", "{args:?}");
        assert!(!err.is_empty(), "{args:?}");
    }
}

#[test]
fn a_log_filter_that_makes_no_sense_exits_2() {
    let (code, _, err) = dawnwatch(&["check"], |command| command.env("RUST_LOG", "dawnwatch=loud"));
    assert_eq!(code, Some(2), "{}", err);
    assert!(err.starts_with("dawnwatch: RUST_LOG is no filter"), "{}", err);
}

#[test]
fn help_names_every_command_and_every_exit_code() {
    let (code, out, _) = dawnwatch(&["--help"], |command| command);
    assert_eq!(code, Some(0));
    let commands = [
        "run",
        "demo",
        "once",
        "check",
        "drill",
        "explain",
        "replay",
        "backtest",
        "report",
        "calendar",
        "schema",
        "test",
        "completions",
        "ack",
        "snooze",
        "mute",
        "retire",
        "healthcheck",
    ];
    for word in commands.into_iter().chain(["--config", "--profile", "--format", "  0 ", "  1 ", "  2 ", "  3 ", "  78 "]) {
        assert!(out.contains(word), "{word:?} is missing in\n{}", out);
    }
}

#[test]
fn the_version_is_the_packages() {
    let (code, out, _) = dawnwatch(&["--version"], |command| command);
    assert_eq!((code, out), (Some(0), format!("dawnwatch {}\n", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn the_help_of_backtest_tells_its_two_ways_apart() {
    let (code, out, _) = dawnwatch(&["backtest", "--help"], |command| command);
    assert_eq!(code, Some(0));
    let (nights, feeds) = out.split_once("Over feeds:").expect("a heading of its own");
    for word in ["--from <DATE>", "default: 90 nights", "--to <DATE>", "--history <PATH>", "--from-source <SOURCE>"] {
        assert!(nights.contains(word), "{word:?} is missing in\n{nights}");
    }
    for word in ["--feeds <DIR>", "--deadlines <FILE>", "--predictions <FILE>", "--eta <FILE>", "Exit codes: 0 told, 2 ", " 3 "] {
        assert!(feeds.contains(word), "{word:?} is missing in\n{feeds}");
    }
}

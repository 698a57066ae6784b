//! What stands in deploy/ fits the program: its commands are known, its paths exist, its promises are kept.

use clap::Parser;
use dawnwatch::cli::{Cli, Command};
use std::fs;
use std::path::Path;

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

fn parsed(words: &[&str]) -> Command {
    assert_eq!(words[0], "/usr/local/bin/dawnwatch");
    let cli = Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{words:?}: {error}"));
    let reads_no_config = matches!(&cli.command, Command::Healthcheck(args) if args.address.is_some());
    assert!(reads_no_config || cli.common.config == Path::new("/etc/dawnwatch"), "{words:?}");
    cli.command
}

/// The value of the only such line.
fn value<'a>(text: &'a str, key: &str) -> &'a str {
    let found: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix(key)).collect();
    assert_eq!(found.len(), 1, "{key} in {text}");
    found[0].trim()
}

#[test]
fn the_units_commands_are_known_and_it_is_supervised() {
    let unit = read("deploy/dawnwatch.service");
    let words = |key: &str| value(&unit, key).split_whitespace().collect::<Vec<_>>();
    assert!(matches!(parsed(&words("ExecStart=")), Command::Run));
    // `run` itself refuses a bad configuration with 78. A check before it would be tried again without end: what keeps systemd from
    // that holds for the main process only.
    assert!(!unit.contains("ExecStartPre="));
    assert_eq!(value(&unit, "ExecReload="), "/bin/kill -HUP $MAINPID");
    // The loop turns at least once a minute, and a third of the span must be enough for one turn.
    assert_eq!((value(&unit, "Type="), value(&unit, "WatchdogSec=")), ("notify", "3min"));
    assert_eq!(value(&unit, "RestartPreventExitStatus="), "2 78");
    // It is never given up for good, however often it fails.
    assert_eq!((value(&unit, "Restart="), value(&unit, "StartLimitIntervalSec=")), ("on-failure", "0"));
    assert_eq!(value(&unit, "RestartSec="), "30s");
}

#[test]
fn the_images_commands_are_known_and_what_it_copies_exists() {
    let file = read("deploy/Containerfile");
    let list = |text: &str| serde_json::from_str::<Vec<String>>(text).unwrap();
    let (entry, arguments) = (list(value(&file, "ENTRYPOINT")), list(value(&file, "CMD")));
    let all: Vec<&str> = entry.iter().chain(&arguments).map(String::as_str).collect();
    assert!(matches!(parsed(&all), Command::Run));
    let probe = list(value(&file, "HEALTHCHECK").split_once(" CMD ").unwrap().1);
    let Command::Healthcheck(probe) = parsed(&probe.iter().map(String::as_str).collect::<Vec<_>>()) else { panic!("{probe:?}") };
    assert_eq!(probe.address.unwrap().port().to_string(), value(&file, "EXPOSE"));
    assert_ne!(value(&file, "USER"), "0");
    assert!(file.contains("ca-certificates"));

    // Out of the context the sources, out of the other stage what it has put there.
    let made = file.lines().find(|line| line.contains("install -D")).unwrap();
    for line in file.lines().filter_map(|line| line.strip_prefix("COPY ")) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["--from=build", from, _] => assert!(made.ends_with(from), "{from} is not made by {made}"),
            [from, _] => assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(from).exists(), "{from}"),
            other => panic!("what is this copy? {other:?}"),
        }
    }
    for needed in ["Cargo.toml", "Cargo.lock", "src/main.rs", "config"] {
        assert!(!read(".dockerignore").lines().any(|line| needed.starts_with(line) && !line.is_empty()), "{needed}");
    }
    let toolchain = read("rust-toolchain.toml");
    let version = value(&toolchain, "channel = ").trim_matches('"');
    assert!(value(&file, "FROM rust:").starts_with(&format!("{version}-")), "the image builds with another Rust than {version}");
}

#[test]
fn what_was_not_tried_is_said() {
    assert_eq!(read("deploy/README.md").matches("**Not verified**").count(), 2);
}

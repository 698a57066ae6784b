//! The binary as an operator meets it: its first line, its end, its exit codes, its JSON.

use crate::house::{chat, job, source};
use crate::peer::{PATIENCE, Peer, Then};
use chrono::{TimeDelta, Timelike};
use dawnwatch::agent::clock::Clock;
use dawnwatch::core::command::Muted;
use dawnwatch::core::state::{Commit, Pause, Row};
use dawnwatch::store::Store;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// A zone in which it is noon now: no test runs into midnight, nor into the deadline.
fn zone() -> String {
    let ahead = 12 - i64::from(Clock::real().now().hour());
    // POSIX counts west of Greenwich.
    format!("Etc/GMT{:+}", -ahead).replace("+0", "")
}

pub fn config(port: u16) -> (TempDir, String) {
    let text = format!(
        "timezone = \"{}\"\ntell = [\"terminal\"]\n[web]\nlisten = \"off\"\n[chats.terminal]\nkind = \"console\"\n\
         [checks.orders]\nsource = \"jobs\"\n[dashboards.exec]\nneeds = [\"orders\"]\nready_by = \"23:00\"\n{}",
        zone(),
        source("jobs", port, "timeout = \"60s\"")
    );
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("dawnwatch.toml"), &text).unwrap();
    (folder, text)
}

pub fn dawnwatch(folder: &TempDir, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dawnwatch"));
    command.args(args).arg("--config").arg(folder.path()).env_clear().stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub async fn ended(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Kills what a failed test leaves behind.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
    }
}

#[tokio::test]
async fn a_source_that_hangs_does_not_keep_the_agent_from_ending_well() {
    let mut hangs = Peer::start(|_, _| Then::Hang);
    let (folder, _) = config(hangs.port);
    let mut child = Running(dawnwatch(&folder, &["run"]).spawn().unwrap());
    let mut out = BufReader::new(child.0.stdout.take().unwrap());
    let (told, lines) = mpsc::channel();
    thread::spawn(move || {
        let mut first = String::new();
        out.read_line(&mut first).unwrap();
        told.send(first).unwrap();
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        // The pipe ends with the process.
        told.send(rest).unwrap();
    });
    let ready = lines.recv_timeout(PATIENCE).unwrap();
    assert!(ready.starts_with("dawnwatch is watching: 1 source, 1 check and 0 groups for 1 dashboard; store "), "{ready}");
    hangs.next().await;

    let second = ended(dawnwatch(&folder, &["run"])).await;
    let said = text(&second.stderr);
    assert_eq!(second.status.code(), Some(3), "{said}");
    assert!(said.contains("dawnwatch.db is in use") && said.contains(&child.0.id().to_string()), "{said}");

    let kill = Command::new("sh").arg("-c").arg(format!("kill -TERM {}", child.0.id())).status().unwrap();
    assert!(kill.success());
    assert_eq!(lines.recv_timeout(Duration::from_secs(10)).as_deref(), Ok(""));
    assert_eq!(child.0.wait().unwrap().code(), Some(0));
}

#[tokio::test]
async fn once_says_how_it_stands_in_json_and_in_its_exit_code() {
    let jobs = Peer::jobs();
    let (folder, _) = config(jobs.port);
    let now = Clock::real().now();
    let mut reports = Vec::new();
    for (state, code, verdict) in [("success", 0, "ready"), ("failed", 1, "failed")] {
        jobs.say(&json!({"jobs": [job("orders", state, now)]}).to_string());
        let output = ended(dawnwatch(&folder, &["once", "--format", "json"])).await;
        assert_eq!(output.status.code(), Some(code), "{state}: {}", text(&output.stderr));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&report["verdicts"][0]["verdict"], &report["dashboards"][0]["verdict"]), (&json!(verdict), &json!(verdict)));
        reports.push(report);
    }
    let documented: [(&str, &[&str]); 3] = [
        ("verdicts", &["check", "dashboard", "cycle", "verdict", "reason", "arrived_at", "deadline"]),
        ("dashboards", &["id", "cycle", "verdict", "deadline", "act_by", "cause"]),
        ("incidents", &["id", "cause", "checks", "dashboards"]),
    ];
    let failed = &reports[1];
    assert!(failed["at"].is_string(), "{failed}");
    for (list, keys) in documented {
        assert_eq!(failed[list].as_array().unwrap().len(), 1, "{list} of {failed}");
        for key in keys {
            assert!(failed[list][0].get(key).is_some(), "{key} in {list} of {failed}");
        }
    }
    assert_eq!(reports[0]["incidents"], json!([]));
    assert!(!folder.path().join("dawnwatch.db").exists(), "once writes nothing");
}

#[tokio::test]
async fn once_shows_what_no_dashboard_needs() {
    let jobs = Peer::jobs();
    let (folder, config) = config(jobs.port);
    let now = Clock::real().now();
    // It failed before anything knew of it, and there is no store.
    let told = |name: &str, state: &str, hours: i64| job(name, state, now - TimeDelta::hours(hours));
    let cases = [
        (Some(told("clicks", "failed", 2)), "", 1, "failed", "failed"),
        (Some(told("clicks", "success", 2)), "", 0, "ready", "succeeded"),
        (Some(told("clicks", "success", 2)), "max_age = \"1h\"", 1, "late", "older than its max_age"),
        (Some(told("clicks", "dancing", 2)), "", 1, "unknown", "dancing"),
        (None, "", 1, "unknown", "source jobs does not know it"),
    ];
    for (clicks, more, code, verdict, reason) in cases {
        std::fs::write(folder.path().join("dawnwatch.toml"), format!("{config}\n[checks.clicks]\nsource = \"jobs\"\n{more}\n"))
            .unwrap();
        jobs.say(&json!({"jobs": clicks.into_iter().chain([job("orders", "success", now)]).collect::<Vec<_>>()}).to_string());
        let output = ended(dawnwatch(&folder, &["once", "--format", "json"])).await;
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let outside = report["outside"].as_array().unwrap();
        assert_eq!((output.status.code(), outside.len(), &outside[0]["verdict"]), (Some(code), 1, &json!(verdict)), "{report}");
        assert!(outside[0]["reason"].as_str().unwrap().contains(reason), "{report}");
        let output = ended(dawnwatch(&folder, &["once"])).await;
        let shown = text(&output.stdout);
        let (_, section) = shown.split_once("\nNo dashboard needs these:\n").unwrap_or_else(|| panic!("{shown}"));
        assert!(output.status.code() == Some(code) && section.starts_with("  clicks: ") && section.contains(reason), "{shown}");
    }
    // Whoever has muted it wants no word of it.
    let mute = Pause { by: "kim".into(), reason: "known".into(), at: now, until: now + TimeDelta::hours(1), nonce: "n".into() };
    let mut store = Store::open(&folder.path().join("dawnwatch.db")).await.unwrap();
    store
        .commit(&Commit { put: vec![Row::Mute(Muted::Check("clicks".into()), Box::new(mute))], ..Commit::default() })
        .await
        .unwrap();
    store.close().await.unwrap();
    let output = ended(dawnwatch(&folder, &["once"])).await;
    let shown = text(&output.stdout);
    let muted = "  clicks: source jobs does not know it (muted, or in maintenance)\n";
    assert!(output.status.code() == Some(0) && shown.ends_with(muted), "{shown}{}", text(&output.stderr));
}

#[tokio::test]
async fn once_takes_a_family_with_a_failed_task_for_failed_and_a_forgotten_one_for_nothing() {
    let row = |status: &str, ago_s: i64| {
        let at = Clock::real().now().timestamp() - ago_s;
        json!({"name": "Load", "status": status, "start_time": at, "time_running": at, "last_updated": at})
    };
    let (failed, done) = (row("FAILED", 600), row("DONE", 60));
    let both = json!({"response": {"Load_1": failed, "Load_2": done}}).to_string();
    // One of the day before yesterday is of another night.
    let old = json!({"response": {"Load_1": row("FAILED", 172_800), "Load_2": row("DONE", 60)}}).to_string();
    for (answer, code, verdict) in [(both, 1, "failed"), (old, 0, "ready"), (r#"{"response": {}}"#.to_owned(), 0, "not_due")] {
        let luigi = Peer::start(move |_, _| Then::Answer(200, answer.clone()));
        let folder = TempDir::new().unwrap();
        let config = format!(
            "timezone = \"UTC\"\ntell = [\"terminal\"]\n[chats.terminal]\nkind = \"console\"\n[sources.luigi]\nkind = \"luigi\"\n\
             url = \"http://127.0.0.1:{}\"\n[checks.loads]\nsource = \"luigi\"\nid = \"Load\"\n",
            luigi.port
        );
        std::fs::write(folder.path().join("dawnwatch.toml"), config).unwrap();
        let output = ended(dawnwatch(&folder, &["once", "--format", "json"])).await;
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((output.status.code(), &report["outside"][0]["verdict"]), (Some(code), &json!(verdict)), "{report}");
    }
}

#[tokio::test]
async fn once_exits_3_where_it_could_not_look() {
    let (folder, _) = config(Peer::start(|_, _| Then::Close).port);
    let output = ended(dawnwatch(&folder, &["once", "--format", "json"])).await;
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["verdicts"][0]["verdict"], &report["unseen"][0]["source"]), (&json!("unknown"), &json!("jobs")));
}

#[tokio::test]
async fn a_configuration_is_fine_or_refused_by_every_command() {
    let (folder, good) = config(1);
    let fine = ended(dawnwatch(&folder, &["check"])).await;
    assert_eq!(fine.status.code(), Some(0), "{}", text(&fine.stdout));
    let secret = chat("team", "slack", 1, "").replace("value = \"http://127.0.0.1:1/hook/verysecret\"", "env = \"NOWHERE\"");
    for (config, commands) in [
        (good.replace("ready_by", "redy_by"), ["check", "run", "once"].as_slice()),
        // Checking needs no secret, running does.
        (good.clone() + &secret, &["run"]),
    ] {
        std::fs::write(folder.path().join("dawnwatch.toml"), config).unwrap();
        for command in commands {
            let refused = ended(dawnwatch(&folder, &[command])).await;
            let said = text(&refused.stdout) + &text(&refused.stderr);
            assert_eq!(refused.status.code(), Some(78), "{command}: {said}");
            assert!(said.contains("redy_by") || said.contains("chat team: environment variable NOWHERE is not set"), "{said}");
        }
    }
}

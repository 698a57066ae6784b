//! The commands that only show: `calendar`, `schema`, `completions`, and what `check` sees beside the configuration.

#[path = "support/command.rs"]
mod command;

use dawnwatch::core::forecast::{Mixture, Tonight};
use dawnwatch::core::state::{CheckState, Commit, Row};
use dawnwatch::core::time::Instant;
use dawnwatch::store::Store;
use serde_json::Value;
use std::fs;
use std::path::Path;

fn dawnwatch(args: &[&str]) -> (Option<i32>, String, String) {
    command::dawnwatch(args, |command| command)
}

const CONFIG: &str = r#"
timezone = "Asia/Seoul"
tell = ["terminal"]
[calendars.kr]
holidays = ["builtin:KR"]
off = ["2026-12-31"]
[calendars.week]
[sources.airflow]
kind = "airflow"
url = "http://127.0.0.1:8080"
token = { env = "T" }
[checks.a]
source = "airflow"
[dashboards.exec]
needs = ["a"]
ready_by = "09:00"
audience = "kr:workdays"
audience_also = ["2026-12-27"]
[dashboards.ops]
needs = ["a"]
ready_by = "09:00"
on = "kr:workdays"
[chats.terminal]
kind = "console"
"#;

fn calendar(args: &[&str]) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("dawnwatch.toml"), CONFIG).unwrap();
    let folder = folder.path().display().to_string();
    dawnwatch(&[&["calendar", "--config", folder.as_str()], args].concat())
}

#[test]
fn a_calendar_shows_its_days_and_who_looks() {
    let (code, out, err) = calendar(&["kr", "--from", "2026-12-25", "--to", "2026-12-31"]);
    assert_eq!(code, Some(0), "{err}");
    let expected = "\
kr: knows the holidays from 2024-01-01 to 2027-12-31
Fri 2026-12-25  kr: off      exec: due, no audience  ops: not due        성탄절 (Christmas)
Sat 2026-12-26  kr: off      exec: due, no audience  ops: not due
Sun 2026-12-27  kr: off      exec: due, audience     ops: not due
Mon 2026-12-28  kr: workday  exec: due, audience     ops: due, audience
Tue 2026-12-29  kr: workday  exec: due, audience     ops: due, audience
Wed 2026-12-30  kr: workday  exec: due, audience     ops: due, audience
Thu 2026-12-31  kr: off      exec: due, no audience  ops: not due        day off
";
    assert_eq!(out, expected);
}

#[test]
fn past_the_end_of_the_data_a_day_is_unknown_and_judged_all_the_same() {
    let (_, out, _) = calendar(&["--from", "2027-12-31", "--days", "4", "--format", "json"]);
    let out: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(out["calendars"]["kr"]["covered"]["last"], "2027-12-31");
    assert_eq!(out["calendars"]["week"]["covered"], Value::Null);
    let days = out["days"].as_array().unwrap();
    assert_eq!(days.len(), 4);
    let kinds: Vec<&str> = days.iter().map(|day| day["calendars"]["kr"]["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["workday", "off", "off", "unknown"]);
    let dashboard = |day: usize, id: &str| days[day]["dashboards"][id].clone();
    assert_eq!(dashboard(3, "ops"), serde_json::json!({"due": true, "audience": true, "covered": false}));
    assert_eq!(dashboard(2, "ops"), serde_json::json!({"due": false, "audience": false, "covered": true}));
    assert_eq!((&days[3]["date"], &days[3]["weekday"]), (&Value::from("2028-01-03"), &Value::from("mon")));
    let (_, text, _) = calendar(&["--from", "2028-01-03", "--days", "1"]);
    assert!(text.contains("kr: unknown") && text.contains("ops: due, audience (its calendar has no data)"), "{text}");
    assert!(text.contains("week: knows no holidays"), "{text}");
}

#[test]
fn without_a_span_it_shows_two_weeks_from_today() {
    let (code, out, err) = calendar(&["week"]);
    assert_eq!((code, out.lines().count()), (Some(0), 1 + 14), "{out}{err}");
}

#[test]
fn a_span_or_a_name_that_makes_no_sense_exits_2() {
    let cases: [(&[&str], &str); 5] = [
        (&["jp"], "there is no calendar \"jp\"; expected one of kr, week"),
        (&["--from", "2026-12-25", "--to", "2026-12-24"], "is no span of days"),
        (&["--from", "2026-12-25", "--days", "4000000000"], "4000000000 is not in 1..=3660"),
        (&["--from", "tomorrow"], "invalid value 'tomorrow'"),
        (&["--to", "2026-12-25", "--days", "3"], "cannot be used with"),
    ];
    for (args, expected) in cases {
        let (code, out, err) = calendar(args);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{args:?}: {err}");
        assert!(err.contains(expected), "{args:?}: {err}");
    }
}

#[test]
fn the_schema_is_the_committed_one() {
    let (code, out, _) = dawnwatch(&["schema"]);
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/dawnwatch.schema.json");
    assert_eq!(code, Some(0));
    assert!(out == fs::read_to_string(committed).unwrap(), "write `dawnwatch schema` to config/dawnwatch.schema.json");
}

#[test]
fn every_shell_gets_a_script_that_knows_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, out, err) = dawnwatch(&["completions", shell]);
        assert_eq!(code, Some(0), "{err}");
        assert!(
            ["once", "calendar", "--profile", "completions"].iter().all(|word| out.contains(word.trim_start_matches('-'))),
            "{shell}"
        );
    }
    assert_eq!(dawnwatch(&["completions", "tcsh"]).0, Some(2));
}

/// `check` with a store beside its configuration.
async fn check_beside(store: Option<&[u8]>, nights: Option<usize>) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("dawnwatch.toml"), CONFIG).unwrap();
    let path = folder.path().join("dawnwatch.db");
    if let Some(bytes) = store {
        fs::write(&path, bytes).unwrap();
    }
    if let Some(nights) = nights {
        let mut store = Store::open(&path).await.unwrap();
        store.commit(&Commit { put: vec![late_nights(nights)], ..Commit::default() }).await.unwrap();
        store.close().await.unwrap();
    }
    let args = ["check", "--config", &folder.path().display().to_string()];
    let (code, out, _) = dawnwatch(&args);
    (code, out.replace(&format!("{}/", folder.path().display()), ""))
}

fn late_nights(count: usize) -> Row {
    let mut habits = Mixture::default();
    for day in 1..=count {
        let date = format!("2026-11-{day:02}").parse().unwrap();
        habits.learn(Tonight::of(date, 0, 86_400, |_| None), Some(36_000), None);
    }
    let state = CheckState {
        fingerprint: ("airflow".into(), "a".into()),
        known_since: Instant::UNIX_EPOCH,
        newest: None,
        groups: Default::default(),
        silent_until_success: false,
        seen: None,
        arrivals: vec![],
        habits: habits.into(),
        moved: None,
        resumed: None,
        failures: vec![],
    };
    Row::Check("a".into(), Box::new(state))
}

#[tokio::test]
async fn check_compares_deadlines_with_the_nights_that_were_and_warns_only() {
    let (code, out) = check_beside(None, Some(9)).await;
    let expected = "dawnwatch.toml:16:12: warning: the deadline 09:00 of dashboard exec is before a usually arrives (10:00, by its last 9 nights)";
    assert!(code == Some(0) && out.contains(expected), "{out}");
    assert_eq!(check_beside(None, None).await.1.matches("warning").count(), 0);
    let (code, out) = check_beside(Some(b"not a store at all, but something else"), None).await;
    assert!(code == Some(0) && out.contains("warning: deadlines are not compared with what was usual: "), "{out}");
}

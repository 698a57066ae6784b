//! `replay` as a person or a script calls it: what its lines say, that a poll sees no future, what a span is, and what it comes to.
//! 2026-11-23 is a Monday.

#[path = "support/command.rs"]
mod command;

use serde_json::Value;
use std::fs;
use tempfile::TempDir;

const CONFIG: &str = r#"
timezone = "Asia/Seoul"
tell = ["team"]
[chats.team]
kind = "console"
quiet = "22:00-07:00"
[sources.airflow]
kind = "airflow"
url = "http://127.0.0.1:8080"
token = { env = "T" }
every = "5m"
[checks.raw]
source = "airflow"
duration = "20m"
[checks.mart]
source = "airflow"
needs = ["raw"]
duration = "30m"
[dashboards.exec]
needs = ["mart"]
ready_by = "09:00"
audience = "mon-fri"
"#;

const HEADER: &str = "check,started_at,arrived_at,state,error\n";

/// Local times as RFC 3339.
fn at(text: &str) -> String {
    format!("{}:00+09:00", text.replace(' ', "T"))
}

/// `raw 2026-11-23 03:00 03:10 failed no space left`, a row; `-` for a time: it never ended.
fn rows(rows: &[&str]) -> String {
    let row = |row: &&str| {
        let parts: Vec<&str> = row.splitn(6, ' ').collect();
        let end = if parts[3] == "-" { String::new() } else { at(&format!("{} {}", parts[1], parts[3])) };
        let (state, error) = (parts.get(4).unwrap_or(&""), parts.get(5).unwrap_or(&""));
        format!("{},{},{end},{state},{error}\n", parts[0], at(&format!("{} {}", parts[1], parts[2])))
    };
    HEADER.to_owned() + &rows.iter().map(row).collect::<String>()
}

struct Replay {
    folder: TempDir,
}

impl Replay {
    fn of(config: &str, history: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.toml"), config).unwrap();
        fs::write(folder.path().join("history.csv"), history).unwrap();
        Self { folder }
    }

    /// (exit code, standard output, standard error)
    fn run(&self, args: &[&str]) -> (Option<i32>, String, String) {
        self.dawnwatch(&[&["replay", "--config", "a.toml", "--history", "history.csv"], args].concat())
    }

    fn dawnwatch(&self, args: &[&str]) -> (Option<i32>, String, String) {
        command::dawnwatch(args, |command| command.current_dir(self.folder.path()))
    }

    fn lines(&self, from: &str, to: &str) -> Vec<Value> {
        let (code, out, err) = self.run(&["--from", from, "--to", to, "--format", "jsonl"]);
        assert_eq!(code, Some(0), "{err}");
        out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
    }

    /// Messages as `03:10 alert post failed raw [mart raw] [exec]`, and the summary.
    fn told(&self, from: &str, to: &str) -> (Vec<String>, Value) {
        let mut lines = self.lines(from, to);
        let summary = lines.pop().unwrap();
        let list = |value: &Value| value.as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect::<Vec<_>>().join(" ");
        let word = |line: &Value, key: &str| line[key].as_str().unwrap_or("-").to_owned();
        let told = lines.iter().filter(|line| line["kind"] != "silent").map(|line| {
            let words = ["kind", "attention", "verdict", "cause"].map(|key| word(line, key)).join(" ");
            format!("{} {words} [{}] [{}]", &word(line, "at")[11..16], list(&line["checks"]), list(&line["dashboards"]))
        });
        (told.collect(), summary)
    }
}

/// Fails in the night, is repaired in the morning.
const FAILURE: [&str; 3] =
    ["raw 2026-11-23 03:00 03:10 failed no space left", "raw 2026-11-23 08:00 08:20", "mart 2026-11-23 08:20 08:50"];

#[test]
fn each_message_is_a_line_and_the_last_line_counts() {
    let replay = Replay::of(CONFIG, &rows(&FAILURE));
    let (told, summary) = replay.told("2026-11-23", "2026-11-23");
    assert_eq!(
        told,
        [
            "03:10 alert post failed raw [mart raw] [exec]",
            "07:00 update notify failed raw [mart raw] [exec]",
            "08:50 resolved post ready raw [] [exec]",
        ]
    );
    let expected = r#"{"kind":"summary","nights":1,"messages":3,"wakeups":0,"misses":0,"misses_told_before":0,"misses_told_late":0,"false_alarms":0,"median_lead_minutes":null}"#;
    assert_eq!(summary, serde_json::from_str::<Value>(expected).unwrap());
    let lines = replay.lines("2026-11-23", "2026-11-23");
    let keys =
        ["at", "kind", "verdict", "attention", "chat", "incident", "cause", "checks", "dashboards", "p_miss", "act_by", "text"];
    for line in &lines[..lines.len() - 1] {
        let mut had: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
        let mut wanted = keys.to_vec();
        had.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(had, wanted);
    }
    let alert = lines.iter().find(|line| line["kind"] == "alert").unwrap();
    assert!(alert["text"].as_str().unwrap().contains("no space left"), "{alert}");
    assert_eq!((&alert["chat"], &alert["at"]), (&Value::from("team"), &Value::from("2026-11-23T03:10:00+09:00")));
    // 09:00, less 20 minutes to react, and 20 and 30 to run.
    assert_eq!(alert["act_by"], "2026-11-23T07:50:00+09:00");
}

#[test]
fn a_poll_sees_of_the_world_what_had_happened_by_then() {
    let all = Replay::of(CONFIG, &rows(&FAILURE)).told("2026-11-23", "2026-11-23").0;
    for (cut, history) in [
        ("03:09", vec!["raw 2026-11-23 03:00 -"]),
        ("08:04", vec![FAILURE[0], "raw 2026-11-23 08:00 -"]),
        ("08:49", vec![FAILURE[0], FAILURE[1], "mart 2026-11-23 08:20 -"]),
    ] {
        let told = Replay::of(CONFIG, &rows(&history)).told("2026-11-23", "2026-11-23").0;
        let until = |told: &[String]| told.iter().filter(|line| line.as_str() < cut).cloned().collect::<Vec<_>>();
        assert_eq!(until(&told), until(&all), "{cut}");
        assert_ne!(told, all, "{cut}");
    }
    // What is asked every seven minutes is seen at the next of them.
    let slow = CONFIG.replace("\"5m\"", "\"7m\"");
    let told = Replay::of(&slow, &rows(&FAILURE)).told("2026-11-23", "2026-11-23").0;
    assert_eq!(told[0], "03:16 alert post failed raw [mart raw] [exec]");
}

#[test]
fn a_miss_is_told_before_and_what_comes_in_time_after_all_was_a_false_alarm() {
    let never = Replay::of(CONFIG, &rows(&["raw 2026-11-22 07:30 -", "raw 2026-11-23 07:30 -"]));
    let (told, summary) = never.told("2026-11-23", "2026-11-23");
    assert!(told[0].contains(" alert notify at_risk raw [mart raw] [exec]"), "{told:?}");
    let count = |summary: &Value, key: &str| summary[key].as_u64().unwrap();
    let misses = ["misses", "misses_told_before", "misses_told_late", "false_alarms"].map(|key| count(&summary, key));
    assert_eq!(misses, [1, 1, 0, 0]);
    // By 08:30 it should be there, and it takes twenty minutes: from 07:50 on it runs too long.
    let lead = summary["median_lead_minutes"].as_f64().unwrap();
    assert!((30.0..=80.0).contains(&lead), "{lead}");
    let late = Replay::of(CONFIG, &rows(&["raw 2026-11-23 07:30 08:28", "mart 2026-11-23 08:28 08:55"]));
    let (_, summary) = late.told("2026-11-23", "2026-11-23");
    let misses = ["misses", "misses_told_before", "misses_told_late", "false_alarms"].map(|key| count(&summary, key));
    assert_eq!(misses, [0, 0, 0, 1]);
    // Ready soon after the deadline: a miss that was told is no false alarm.
    let soon = Replay::of(CONFIG, &rows(&["raw 2026-11-23 07:30 08:40", "mart 2026-11-23 08:40 09:10"]));
    let (_, summary) = soon.told("2026-11-23", "2026-11-23");
    let misses = ["misses", "misses_told_before", "misses_told_late", "false_alarms"].map(|key| count(&summary, key));
    assert_eq!(misses, [1, 1, 0, 0]);
    // Also on a night of which the history says nothing: what it does not name did not run.
    let (_, summary) = never.told("2026-11-25", "2026-11-25");
    assert_eq!(count(&summary, "misses"), 1);
    // On a Sunday nobody looks: neither a miss nor anybody to ask.
    let (told, summary) = never.told("2026-11-22", "2026-11-22");
    assert_eq!((told, count(&summary, "misses")), (vec![], 0));
}

#[test]
fn what_a_dark_source_hid_over_the_deadline_was_in_time_once_that_shows_and_a_miss_where_it_never_does() {
    let night = |until: &str| {
        let history = rows(&["raw 2026-11-23 03:00 03:20", "mart 2026-11-23 03:20 04:50"])
            + &format!("source:airflow,{},{},unreachable,\n", at("2026-11-23 04:00"), at(until));
        let (_, summary) = Replay::of(CONFIG, &history).told("2026-11-23", "2026-11-24");
        ["misses", "misses_told_before", "false_alarms"].map(|key| summary[key].as_u64().unwrap())
    };
    // The 24th is missed, and told: nothing runs then.
    assert_eq!(night("2026-11-23 11:00"), [1, 1, 1], "a person was asked about what was there");
    assert_eq!(night("2026-11-24 06:00"), [2, 2, 0], "nobody ever saw that it was there");
}

#[test]
fn a_deadline_just_before_the_end_counts_with_what_shows_a_moment_after() {
    // Nobody can be asked from 22:00 on: that the deadline of 23:59 is missed is known two minutes after it, tomorrow.
    let config = CONFIG.replace("ready_by = \"09:00\"", "ready_by = \"23:59\"");
    let history = |until: &str| {
        rows(&["raw 2026-11-23 03:00 03:20"]) + &format!("source:airflow,{},{},unreachable,\n", at("2026-11-23 22:00"), at(until))
    };
    for until in ["2026-11-24 00:30", "2026-11-24 00:00"] {
        let (told, summary) = Replay::of(&config, &history(until)).told("2026-11-23", "2026-11-23");
        let counted = ["misses", "misses_told_before", "misses_told_late"].map(|key| summary[key].as_u64().unwrap());
        assert_eq!(counted, [1, 1, 0], "{told:?}");
        assert!(told.iter().all(|line| line.as_str() > "20:"), "of this day alone: {told:?}");
    }
}

#[test]
fn a_decision_to_say_nothing_is_a_line_of_its_own_time_and_a_word_leaves_no_echo() {
    // The failure is repaired at 08:20; what waited for it comes at 08:50. What runs at 08:30 changes nothing that was before.
    let silent = |history: &[&str]| {
        let lines = Replay::of(CONFIG, &rows(history)).lines("2026-11-23", "2026-11-23");
        lines.into_iter().filter(|line| line["kind"] == "silent").map(|line| line.to_string()).collect::<Vec<_>>()
    };
    let all = silent(&FAILURE);
    // At 08:45 the backstop comes, and what waits is told of already; that is a decision. Behind a word of the same instant it is none.
    let echoes = all.iter().filter(|line| line.contains("already_told") && !line.contains("T08:45"));
    assert_eq!(echoes.count(), 0, "{all:?}");
    assert!(all.iter().any(|line| line.contains("\"better\"") && line.contains("T08:20")), "{all:?}");
    let until = |lines: &[String]| lines.iter().filter(|line| !line.contains("T08:5")).cloned().collect::<Vec<_>>();
    assert_eq!(until(&silent(&[FAILURE[0], FAILURE[1], "mart 2026-11-23 08:20 -"]))[..1], until(&all)[..1]);
}

#[test]
fn a_message_at_the_deadline_says_that_it_is_late() {
    let config = CONFIG.replace("quiet = \"22:00-07:00\"", "quiet = \"22:00-10:00\"");
    let (told, _) = Replay::of(&config, &rows(&["raw 2026-11-23 07:30 -"])).told("2026-11-23", "2026-11-23");
    assert_eq!(told.last().unwrap(), "09:00 update notify late raw [mart raw] [exec]", "{told:?}");
}

#[test]
fn days_before_the_first_are_known_and_were_told_to_nobody() {
    let mut history = Vec::new();
    for day in 9..=20 {
        history.push(format!("raw 2026-11-{day:02} 03:00 03:20"));
        history.push(format!("mart 2026-11-{day:02} 03:20 04:50"));
    }
    // Yesterday it failed and stayed so, and today it has not begun.
    history.push("raw 2026-11-22 03:00 03:10 failed".to_owned());
    history.push("raw 2026-11-23 03:00 03:20".to_owned());
    let history: Vec<&str> = history.iter().map(String::as_str).collect();
    let replay = Replay::of(CONFIG, &rows(&history));
    let lines = replay.lines("2026-11-23", "2026-11-23");
    let first = lines.iter().find(|line| line["kind"] != "silent").unwrap();
    assert_eq!((first["kind"].as_str(), first["cause"].as_str()), (Some("alert"), Some("mart")), "{first}");
    // It takes 90 minutes, whatever its `duration` says: 09:00 less 20 minutes and 90.
    assert_eq!(first["act_by"], "2026-11-23T07:10:00+09:00");
    assert!(lines.iter().all(|line| line["cause"] != "raw"), "{lines:?}");
    // The whole of both days: yesterday's failure is told in a replay of yesterday.
    let (told, summary) = replay.told("2026-11-20", "2026-11-23");
    assert_eq!(summary["nights"], 4);
    assert!(told.iter().any(|line| line.contains("mart")), "{told:?}");
}

/// A dashboard that needs all marts, by the names of a group.
const GROUP: &str = "[groups.marts]\nsource = \"airflow\"\nmatch = { ids = [\"mart_*\"] }\nduration = \"30m\"\n";

#[test]
fn a_new_member_is_there_from_its_first_row_on_and_silent_until_its_first_success() {
    let config = CONFIG.replace("needs = [\"mart\"]\nready_by", "needs = [\"group:marts\"]\nready_by") + GROUP;
    let mut history: Vec<String> = (16..=27).map(|day| format!("mart_a 2026-11-{day} 03:00 03:30")).collect();
    for row in ["24 03:00 03:10 failed", "25 03:00 03:30", "26 03:00 03:10 failed", "26 08:00 08:30"] {
        history.push(format!("mart_new 2026-11-{row}"));
    }
    let history: Vec<&str> = history.iter().map(String::as_str).collect();
    let replay = Replay::of(&config, &rows(&history));
    // Tuesday's failure is that of a new one; on Friday it does not run at all.
    let told = |from, to| replay.told(from, to).0;
    let from_the_failure = [
        "03:10 alert post failed mart_new [mart_new] [exec]",
        "07:00 update notify failed mart_new [mart_new] [exec]",
        "08:30 resolved post ready mart_new [] [exec]",
    ];
    assert_eq!(told("2026-11-16", "2026-11-26"), from_the_failure);
    // Whether it joined within the days that are played or before them.
    assert_eq!(told("2026-11-25", "2026-11-26"), from_the_failure);
    let friday = told("2026-11-27", "2026-11-27");
    assert!(friday[0].contains("at_risk mart_new [mart_new] [exec]"), "{friday:?}");
    // It joined before, and had not succeeded yet.
    let rows_until_tuesday: Vec<&str> =
        history.iter().filter(|row| !row.starts_with("mart_new") || row.contains("-24 ")).copied().collect();
    let still_new = Replay::of(&config, &rows(&rows_until_tuesday));
    assert_eq!(still_new.told("2026-11-25", "2026-11-26").0, Vec::<String>::new());
}

#[test]
fn who_is_a_member_only_by_a_tag_that_no_row_tells_is_said() {
    let config = CONFIG.replace("needs = [\"mart\"]\nready_by", "needs = [\"group:marts\"]\nready_by") + GROUP;
    let history = rows(&["mart 2026-11-23 03:00 03:30", "mart_a 2026-11-23 03:00 03:30", "mart_b 2026-11-23 04:00 04:10 failed"]);
    let by_tag = config.replace("ids = [\"mart_*\"]", "tags = [\"mart\"]");
    let words =
        "2 names in the history are no check and fit no group's ids, the first of them mart_a: they are taken for members of marts";
    for (config, said) in [(config, 0), (by_tag, 1)] {
        let (code, out, err) = Replay::of(&config, &history).run(&["--from", "2026-11-23", "--to", "2026-11-23"]);
        assert_eq!((code, err.matches(words).count()), (Some(0), said), "{err}");
        assert!(out.contains("mart_b"), "{out}");
    }
}

#[test]
fn what_comes_with_the_first_row_of_a_new_member_is_seen() {
    let config = CONFIG.replace("needs = [\"mart\"]\nready_by", "needs = [\"group:marts\"]\nready_by") + GROUP;
    let mut history: Vec<String> = (22..=25).map(|day| format!("mart_a 2026-11-{day} 03:00 03:30")).collect();
    history.push("mart_once 2026-11-24 04:03 04:03".to_owned());
    let history: Vec<&str> = history.iter().map(String::as_str).collect();
    // It has succeeded once, and is waited for the day after.
    let (told, _) = Replay::of(&config, &rows(&history)).told("2026-11-23", "2026-11-25");
    assert!(told[0].contains("at_risk mart_once [mart_once] [exec]"), "{told:?}");
}

#[test]
fn a_member_whose_history_begins_with_the_others_is_not_new() {
    let config = CONFIG.replace("needs = [\"mart\"]\nready_by", "needs = [\"group:marts\"]\nready_by") + GROUP;
    let history = ["mart_a 2026-11-23 03:00 03:30", "mart_b 2026-11-23 04:00 04:10 failed"];
    let (told, _) = Replay::of(&config, &rows(&history)).told("2026-11-23", "2026-11-23");
    assert_eq!(told[0], "04:10 alert post failed mart_b [mart_b] [exec]");
}

#[test]
fn another_configuration_is_held_against_this_one() {
    let replay = Replay::of(CONFIG, &rows(&FAILURE));
    fs::write(replay.folder.path().join("b.toml"), CONFIG.replace("22:00-07:00", "22:00-08:00")).unwrap();
    let (code, out, err) = replay.run(&["--from", "2026-11-23", "--to", "2026-11-23", "--diff", "b.toml"]);
    assert_eq!(code, Some(0), "{err}");
    let changed: Vec<&str> = out.lines().filter(|line| line.starts_with(['-', '+'])).collect();
    assert_eq!(changed.len(), 2, "{out}");
    assert!(changed[0].starts_with("-  07:00  team") && changed[1].starts_with("+  08:00  team"), "{out}");
    assert!(out.contains("2 messages are the same, 1 would no longer be sent (-), 1 would be new (+)"), "{out}");
    let (_, out, _) = replay.run(&["--from", "2026-11-23", "--to", "2026-11-23", "--diff", "b.toml", "--format", "json"]);
    let json: Value = serde_json::from_str(&out).unwrap();
    let only: Vec<&str> = json["only"].as_array().unwrap().iter().map(|line| line["only"].as_str().unwrap()).collect();
    assert_eq!((only, &json["summary"]["same"]), (vec!["config", "diff"], &Value::from(2)));
    let (_, out, _) = replay.run(&["--from", "2026-11-23", "--to", "2026-11-23", "--diff", "a.toml", "--format", "json"]);
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((json["only"].as_array().unwrap().len(), &json["summary"]["same"]), (0, &Value::from(3)));
}

#[test]
fn a_person_reads_the_messages_under_their_days_and_what_they_come_to() {
    let replay = Replay::of(CONFIG, &rows(&FAILURE));
    let (code, out, err) = replay.run(&["--from", "2026-11-22", "--to", "2026-11-24"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.starts_with("Mon 2026-11-23\n  03:10  team "), "{out}");
    assert!(out.contains("In 3 nights: "), "{out}");
    let json: Value =
        serde_json::from_str(&replay.run(&["--from", "2026-11-23", "--to", "2026-11-23", "--format", "json"]).1).unwrap();
    assert_eq!(json["summary"]["nights"], 1);
    assert_eq!(json["messages"][0]["kind"], "alert");
}

#[test]
fn what_makes_no_sense_exits_2() {
    let replay = Replay::of(CONFIG, "check,started\nraw,now\n");
    let (code, _, err) = replay.run(&["--from", "2026-11-23", "--to", "2026-11-23"]);
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("history.csv:1"), "{err}");
    let (code, _, err) = replay.run(&["--from", "2026-11-24", "--to", "2026-11-23"]);
    assert_eq!(code, Some(2), "{err}");
    assert_eq!(replay.dawnwatch(&["calendar", "--config", "a.toml", "--format", "jsonl"]).0, Some(2));
}

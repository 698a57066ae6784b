//! `backtest` over the nights of a configuration's own checks: the score card. 2026-09-01 is a Tuesday.

#[path = "support/command.rs"]
mod command;

use chrono::{Datelike, NaiveDate, TimeDelta};
use dawnwatch::core::state::{Commit, Row, SourceState};
use dawnwatch::replay::History;
use dawnwatch::store::Store;
use serde_json::Value;
use std::fs;
use std::sync::Arc;
use tempfile::TempDir;

const CONFIG: &str = r#"
timezone = "Asia/Seoul"
tell = ["team"]
[chats.team]
kind = "console"
[sources.airflow]
kind = "airflow"
url = "http://127.0.0.1:8080"
token = { env = "T" }
every = "5m"
[checks.raw]
source = "airflow"
duration = "10m"
[checks.mart]
source = "airflow"
needs = ["raw"]
duration = "10m"
[checks.side]
source = "airflow"
duration = "20m"
[dashboards.exec]
needs = ["mart"]
ready_by = "09:00"
audience = "mon-fri"
[dashboards.aside]
needs = ["side"]
ready_by = "07:00"
"#;

fn date(night: i64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 9, 1).unwrap() + TimeDelta::days(night)
}

/// A row of a run on a night, in minutes after midnight.
fn row(check: &str, night: i64, from: i64, to: i64, state: &str) -> String {
    let at = |minutes: i64| {
        let at = date(night).and_time(chrono::NaiveTime::MIN) + TimeDelta::minutes(minutes);
        format!("{}:00+09:00", at.format("%FT%H:%M"))
    };
    format!("{check},{},{},{state},\n", at(from), at(to))
}

/// How late the chain comes on a night, in minutes.
type Late = fn(i64) -> i64;

/// `raw` runs for ten minutes from about 05:00 on, `mart` behind it, as many minutes later as `late` says; `side` from 05:00 to 05:20.
fn history(nights: i64, late: Late) -> String {
    let night = |night: i64| {
        // A few minutes more or less, as anywhere.
        let from = 300 + (night * 7) % 11 + late(night);
        let ready = from + 20 + (night * 5) % 3;
        row("raw", night, from, from + 10, "") + &row("mart", night, from + 10, ready, "") + &row("side", night, 300, 320, "")
    };
    "check,started_at,arrived_at,state,error\n".to_owned() + &(0..nights).map(night).collect::<String>()
}

/// On every ninth night too late by far; on every 16th it comes at seven, and in time.
fn at_times(night: i64) -> i64 {
    match night {
        _ if night % 9 == 8 => 250,
        _ if night % 16 == 12 => 120,
        _ => 0,
    }
}

fn never(_: i64) -> i64 {
    0
}

struct Nights {
    folder: TempDir,
}

impl Nights {
    fn of(history: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.toml"), CONFIG).unwrap();
        fs::write(folder.path().join("history.csv"), history).unwrap();
        Self { folder }
    }

    /// (exit code, standard output, standard error)
    fn run(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let args = [&["backtest", "--config", "a.toml", "--history", "history.csv"], args].concat();
        command::dawnwatch(&args, |command| command.current_dir(self.folder.path()))
    }

    fn text(&self, args: &[&str]) -> String {
        let (code, out, err) = self.run(args);
        assert_eq!(code, Some(0), "{err}");
        out
    }

    fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.text(&[&["--format", "json"], args].concat())).unwrap()
    }
}

/// `18  6 of 6  6 …`: the cells of the first row that begins so.
fn cells(text: &str, first: &str) -> Vec<String> {
    let row = text.lines().find_map(|line| line.strip_prefix(&format!("  {first} "))).unwrap_or_else(|| panic!("{first}:\n{text}"));
    row.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect()
}

#[test]
fn misses_are_foreseen_and_the_text_says_what_the_json_says() {
    let nights = Nights::of(&history(80, at_times));
    let (text, json) = (nights.text(&[]), nights.json(&[]));
    // Of the nine late nights three are of a weekend, on which nobody looks.
    let count = |key: &str| json[key].as_u64().unwrap();
    assert_eq!(["nights", "deadlines", "misses", "without_audience", "unseen"].map(count), [80, 138, 6, 22, 0]);
    assert!(
        text.starts_with("In 80 nights, Tue 2026-09-01 to Thu 2026-11-19: 138 deadlines with an audience, 6 of them missed.\n")
    );
    let thresholds = json["thresholds"].as_array().unwrap();
    assert_eq!(thresholds.len(), 11);
    for tried in thresholds.iter().chain([&json["anyway"]]) {
        let first = tried["warn_at"].as_f64().map_or("none".to_owned(), |warn_at| format!("{warn_at:.2}"));
        let lead = tried["median_lead_minutes"].as_f64().unwrap();
        let a_month = tried["false_alarms_a_month"].as_f64().unwrap();
        let expected = [
            format!("{} of 6", tried["foreseen"]),
            tried["ahead_30"].to_string(),
            tried["ahead_60"].to_string(),
            format!("{lead:.0} min"),
            tried["false_alarms"].to_string(),
            format!("{a_month:.1}"),
        ];
        assert_eq!(cells(&text, &first), expected);
    }
    let at = |warn_at: f64| thresholds.iter().find(|tried| tried["warn_at"] == warn_at).unwrap();
    let early = at(0.8);
    assert_eq!((&early["foreseen"], &early["ahead_60"]), (&Value::from(6), &Value::from(6)), "{early}");
    assert!(early["median_lead_minutes"].as_f64() > json["anyway"]["median_lead_minutes"].as_f64(), "chances tell earlier");
    assert!(at(0.5)["false_alarms"].as_u64() > at(0.99)["false_alarms"].as_u64(), "and cost something");

    let suggested = &json["suggestions"][0];
    let warn_at = suggested["tried"]["warn_at"].as_f64().unwrap();
    assert!((0.8..0.9).contains(&warn_at), "{warn_at}");
    assert_eq!((&suggested["budget"], &suggested["tried"]["false_alarms"]), (&Value::from(0.25), &Value::from(0)));
    let sentence = "of 6 misses you would have been told of 6, 30 minutes ahead.";
    assert!(text.contains(&format!("At most 0.25 false alarms a month: warn_at = {warn_at};\n  {sentence}\n")), "{text}");

    let usual = cells(&text, "exec 09:00 ");
    assert!(usual.contains(&"0.80".to_owned()), "{usual:?}");
    assert!(text.contains("  exec 09:00   52 of 58 nights       09:35         09:40\n"), "{text}");
    assert_eq!(json["worst_checks"][0]["check"], "raw", "mart only waits for it");
    assert_eq!(cells(&text, "raw"), ["6", "1"]);
    // An hour before, nothing is left but what will be late.
    assert_eq!((&json["calibration"]["deadlines"], &json["calibration"]["bins"][5]["missed"]), (&6.into(), &100.0.into()));
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");

    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let shown =
        readme.split("```text\n").find_map(|block| block.split("```").next().filter(|block| block.starts_with("In 80 nights, ")));
    assert!(text.starts_with(shown.expect("an example in the README")), "the README shows another beginning than\n{text}");
}

/// The card says what the agent would have said, whatever the configuration has.
#[test]
fn the_card_counts_what_a_replay_of_the_same_nights_says() {
    let nights = Nights::of(&history(80, at_times));
    for warn_at in ["0.5", "0.99"] {
        let config = CONFIG.replace("ready_by = \"09:00\"", &format!("ready_by = \"09:00\"\nwarn_at = {warn_at}"));
        fs::write(nights.folder.path().join("a.toml"), config).unwrap();
        let args = ["replay", "--config", "a.toml", "--history", "history.csv", "--from", "2026-09-01", "--to", "2026-11-19"];
        let args = [args.as_slice(), &["--format", "jsonl"]].concat();
        let (code, out, err) = command::dawnwatch(&args, |command| command.current_dir(nights.folder.path()));
        assert_eq!(code, Some(0), "{err}");
        let replayed: Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
        let card = nights.json(&[]);
        let exec = &card["dashboards"][1];
        assert_eq!(exec["dashboard"], "exec");
        assert_eq!(
            (&card["misses"], &exec["now"]["foreseen"]),
            (&replayed["misses"], &replayed["misses_told_before"]),
            "{warn_at}"
        );
        assert_eq!(exec["now"]["false_alarms"], replayed["false_alarms"], "{warn_at}");
        // It looks every quarter of an hour.
        let lead = |value: &Value, key: &str| value[key].as_f64().unwrap();
        let (card, replay) = (lead(&exec["now"], "median_lead_minutes"), lead(&replayed, "median_lead_minutes"));
        assert!((0.0..=15.0).contains(&(replay - card)), "{warn_at}: {card} and {replay}");
    }
}

/// What an agent has recorded says the same as a file of the same nights.
#[tokio::test]
async fn the_store_tells_the_same_as_a_file() {
    let nights = Nights::of(&history(80, at_times));
    let file = nights.text(&[]);
    let path = |name: &str| nights.folder.path().join(name);
    let plan = Arc::new(dawnwatch::config::load(&path("a.toml"), None, &[]).unwrap().plan);
    let mut history = History::csv(&path("history.csv"), &plan).unwrap();
    let mut store = Store::open(&path("dawnwatch.db")).await.unwrap();
    let mut last = None;
    while let Some(mut observed) = history.next_page().await.unwrap() {
        // What a file takes to be there from the beginning of time.
        observed.retain(|observed| observed.at.year() == 2026);
        last = observed.last().map(|observed| observed.at).max(last);
        store.commit(&Commit { observed, ..Commit::default() }).await.unwrap();
    }
    // It was asked until the end of the last day.
    let swept_at = last.map(|last| last + TimeDelta::hours(18));
    let source = Row::Source("airflow".into(), Box::new(SourceState { swept_at, ..SourceState::default() }));
    store.commit(&Commit { put: vec![source], ..Commit::default() }).await.unwrap();
    store.close().await.unwrap();
    let args = ["backtest", "--config", "a.toml"];
    let (code, stored, err) = command::dawnwatch(&args, |command| command.current_dir(nights.folder.path()));
    assert_eq!((code, stored), (Some(0), file), "{err}");
}

#[test]
fn what_comes_as_ever_is_never_a_false_alarm() {
    let nights = Nights::of(&history(60, never));
    let (text, json) = (nights.text(&[]), nights.json(&[]));
    assert_eq!((&json["misses"], &json["enough_misses"], &json["suggestions"]), (&0.into(), &false.into(), &Value::Array(vec![])));
    for tried in json["thresholds"].as_array().unwrap() {
        assert_eq!(tried["false_alarms"], 0, "{tried}");
    }
    assert!(text.contains("\n\nNothing was missed: there is nothing to choose a warn_at by.\n\n"), "{text}");
    assert!(!text.contains("At most"), "{text}");
}

#[test]
fn nothing_rests_on_what_comes_later() {
    let span = ["--from", "2026-09-15", "--to", "2026-10-14"];
    let whole = Nights::of(&history(80, at_times)).text(&span);
    // Behind the last night all comes as late as never before.
    let nights = |late: Late| history(80, late).lines().map(|row| format!("{row}\n")).collect::<Vec<_>>();
    let known = 1 + 44 * 3;
    let other: String = nights(at_times)[..known].iter().chain(&nights(|_| 250)[known..]).map(String::as_str).collect();
    for cut in [&nights(at_times)[..known].concat(), &other] {
        assert_eq!(whole, Nights::of(cut).text(&span));
    }
    let first = "In 30 nights, Tue 2026-09-15 to Wed 2026-10-14: 52 deadlines with an audience, 2 of them missed.\n";
    assert!(whole.starts_with(first), "{whole}");
    assert!(whole.contains("\n\n2 misses are too few to choose a warn_at by.\n\n"), "{whole}");
}

#[test]
fn nights_before_anything_was_seen_are_left_out() {
    let json = Nights::of(&history(20, never)).json(&["--from", "2026-08-20"]);
    assert_eq!((&json["from"], &json["to"], &json["nights"]), (&"2026-09-01".into(), &"2026-09-20".into(), &20.into()));
    let counted = ["deadlines", "misses", "unseen", "without_audience"].map(|key| json[key].as_u64().unwrap());
    // Of twelve days twelve deadlines of the one dashboard, and eight of the other; it has no audience on ten days of all.
    assert_eq!(counted, [34, 0, 20, 10]);
}

#[test]
fn a_span_that_makes_no_sense_and_a_history_that_is_not_there_are_said() {
    let nights = Nights::of(&history(1, never));
    let cases: [(&[&str], i32, &str); 4] = [
        (&["--from", "2026-09-02", "--to", "2026-09-01"], 2, "--to lies before --from"),
        (&["--from", "2001-01-01", "--to", "2026-09-01"], 2, "is too long"),
        (&["--format", "jsonl"], 2, "jsonl is for replay alone"),
        (&["--format", "markdown"], 2, "markdown is for report alone"),
    ];
    for (args, exit, says) in cases {
        let (code, out, err) = nights.run(args);
        assert_eq!((code, out.as_str()), (Some(exit), ""), "{args:?}: {err}");
        assert!(err.contains(says), "{args:?}: {err}");
    }
    let strangers = Nights::of(&history(3, never).replace("raw", "rav").replace("mart", "mort").replace("side", "sid"));
    let (code, out, err) = strangers.run(&[]);
    assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
    assert!(err.contains("tells of no check of this configuration and of no member of its groups; it has mort, rav, sid"), "{err}");
    let (code, _, err) =
        command::dawnwatch(&["backtest", "--config", "a.toml"], |command| command.current_dir(nights.folder.path()));
    assert_eq!(code, Some(3), "{err}");
    assert!(err.contains("there is no store"), "{err}");
    // One night: nothing to tell by when it usually is ready.
    let text = nights.text(&[]);
    assert!(text.contains("\n-: fewer than 20 nights are too few to say by when."), "{text}");
}

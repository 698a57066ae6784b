//! `backtest` over the nights of a configuration's own checks: the score card. 2026-09-01 is a Tuesday.

#[path = "support/command.rs"]
mod command;

use chrono::{NaiveDate, TimeDelta};
use serde_json::Value;
use std::fs;
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
duration = "20m"
[checks.mart]
source = "airflow"
needs = ["raw"]
duration = "90m"
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

/// `raw` runs from 05:00, `mart` behind it until about 07:00, `side` from 05:00 to 05:20; as many minutes later as `late` says.
fn history(nights: i64, late: Late) -> String {
    let night = |night: i64| {
        // A few minutes more or less, as anywhere.
        let wobble = (night * 7) % 11;
        let fed = 320 + wobble;
        row("raw", night, 300, fed, "") + &row("mart", night, fed, fed + 95 + (night * 5) % 13 + late(night), "") + &row("side", night, 300, 320, "")
    };
    "check,started_at,arrived_at,state,error\n".to_owned() + &(0..nights).map(night).collect::<String>()
}

/// On every tenth night two hours and a half, on every 15th beside it a hundred minutes: that is still in time.
fn at_times(night: i64) -> i64 {
    match night {
        _ if night % 10 == 9 => 150,
        _ if night % 15 == 7 => 100,
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

#[test]
fn look() {
    let nights = Nights::of(&history(80, at_times));
    println!("{}", nights.text(&[]));
    println!("{}", nights.json(&[]));
    println!("{}", Nights::of(&history(80, never)).text(&[]));
}

//! `backtest` over a small folder of feeds: what it answers, and that it knows nothing of what comes later.

use dawnwatch::backtest::{self, BacktestError, Files};
use std::fs;
use std::path::Path;

const FEEDS: &str = "feed,cadence,timezone,expected_iso_weekdays,window_opens_hour,first_local_date,last_local_date,publisher,\
                     source_repo,arrival_count,scored,reason_not_scored\n\
                     clock,daily,Asia/Seoul,1234567,0,2026-01-01,2026-03-01,p,r,60,yes,\n\
                     aside,subdaily,UTC,,,,,p,r,0,no,no deadline\n";

fn date(day: i64) -> chrono::NaiveDate {
    chrono::NaiveDate::from_ymd_opt(2026, 1, 1).unwrap() + chrono::TimeDelta::days(day)
}

/// A feed that comes at 05:00 in Seoul every night, but on `absent` days; known up to `known` days. Its deadline is 05:15.
fn folder(known: i64, absent: &[i64]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("arrivals")).unwrap();
    let (mut arrivals, mut cycles) = ("feed,arrived_at_utc\n".to_owned(), String::new());
    cycles += "feed,cycle,local_date,opens_at,ends_at,deadline_slack_0,deadline_slack_60,deadline_slack_180,scored\n";
    for day in 0..60 {
        if day < known && !absent.contains(&day) {
            arrivals += &format!("clock,{}T20:00:00Z\n", date(day - 1));
        }
        let at = |clock: &str| format!("{}T{clock}:00+09:00", date(day));
        let deadlines = if day < 30 { ",,,no".to_owned() } else { format!("{},{},{},yes", at("05:15"), at("06:15"), at("08:15")) };
        cycles += &format!("clock,{day},{},{},{}T00:00:00+09:00,{deadlines}\n", date(day), at("00:00"), date(day + 1));
    }
    fs::write(folder.path().join("feeds.csv"), FEEDS).unwrap();
    fs::write(folder.path().join("arrivals/clock.csv"), arrivals).unwrap();
    fs::write(folder.path().join("deadlines.csv"), cycles).unwrap();
    folder
}

/// The rows of both answers.
fn answers(folder: &Path) -> Result<[Vec<String>; 2], BacktestError> {
    let [deadlines, predictions, eta] = ["deadlines.csv", "predictions.csv", "eta.csv"].map(|file| folder.join(file));
    backtest::run(Files { feeds: folder, deadlines: &deadlines, predictions: &predictions, eta: &eta })?;
    Ok([predictions, eta].map(|file| fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect()))
}

/// `p_miss` of a cycle, so many minutes before its deadline without slack.
fn p_miss(predictions: &[String], cycle: i64, minutes: i64) -> Option<f64> {
    let row = predictions.iter().find_map(|row| row.strip_prefix(&format!("clock,{cycle},0,{minutes},")).map(str::to_owned));
    row.map(|p_miss| p_miss.parse().unwrap())
}

#[test]
fn what_comes_as_by_the_clock_is_missed_once_it_has_not_come() {
    let folder = folder(60, &[50]);
    let [predictions, eta] = answers(folder.path()).unwrap();
    assert_eq!(predictions[0], "feed,cycle,slack,minutes_before,p_miss");
    assert!(p_miss(&predictions, 40, 60).unwrap() < 0.1, "an hour before, all is as ever");
    assert_eq!(p_miss(&predictions, 40, 15), None, "it has come");
    assert!(p_miss(&predictions, 50, 5).unwrap() > 0.8, "ten minutes after it always came");
    assert_eq!(eta[0], "feed,cycle,p10,p25,p50,p75,p90,p95");
    let usual: Vec<&str> = eta.iter().find(|row| row.starts_with("clock,40,")).unwrap().split(',').collect();
    assert!(
        usual[4].starts_with(&format!("{}T19:5", date(39))) || usual[4].starts_with(&format!("{}T20:0", date(39))),
        "{usual:?}"
    );
    assert_eq!(eta.len(), 31, "one row for each scored cycle");
}

#[test]
fn nothing_rests_on_what_comes_later() {
    let [whole, cut] = [folder(60, &[50]), folder(45, &[])].map(|folder| answers(folder.path()).unwrap());
    let of =
        |rows: &[String]| rows.iter().filter(|row| row.starts_with("clock,44,") || row.starts_with("clock,31,")).cloned().collect();
    for (whole, cut) in whole.iter().zip(&cut) {
        let rows: [Vec<String>; 2] = [of(whole), of(cut)];
        assert!(!rows[0].is_empty());
        assert_eq!(rows[0], rows[1]);
    }
}

#[test]
fn what_is_wrong_is_said_with_file_and_line() {
    let folder = folder(60, &[]);
    let file = folder.path().join("arrivals/clock.csv");
    fs::write(&file, "feed,arrived_at_utc\nclock,2026-01-01T20:00:00Z\nclock,yesterday\n").unwrap();
    let refused = answers(folder.path()).unwrap_err().to_string();
    let expected = "arrivals/clock.csv:3: arrived_at_utc is \"yesterday\"; expected a time with offset (RFC 3339)";
    assert!(refused.ends_with(expected), "{refused}");
    fs::write(&file, "feed,at\n").unwrap();
    let refused = answers(folder.path()).unwrap_err().to_string();
    assert!(refused.ends_with("clock.csv:1: the columns are feed,at; expected feed,arrived_at_utc"), "{refused}");
    fs::write(&file, "feed,arrived_at_utc\nclock\n").unwrap();
    let refused = answers(folder.path()).unwrap_err().to_string();
    assert!(refused.contains("clock.csv:2: ") && refused.contains("1 field"), "{refused}");
}

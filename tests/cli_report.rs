//! `report` over a store that was written through the two doors, two weeks of small nights.

#[path = "support/command.rs"]
mod command;
#[path = "support/world.rs"]
mod world;

use chrono::{Datelike, NaiveDate, TimeDelta};
use dawnwatch::core::state::{Commit, Row};
use dawnwatch::store::Store;
use serde_json::Value;
use std::path::Path;
use world::*;

const CONFIG: &str = r#"
timezone = "Asia/Seoul"
tell = ["team"]
[sources.airflow]
kind = "airflow"
url = "http://127.0.0.1:8080"
token = { env = "T" }
[checks.orders]
source = "airflow"
[dashboards.exec]
needs = ["orders"]
ready_by = "09:00"
[chats.team]
kind = "console"
"#;

fn dawnwatch(folder: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    command::dawnwatch(args, |command| command.arg("--config").arg(folder))
}

/// From Sunday 4 January 2026, 22:00: on Tuesday the 6th a failure is never repaired, on Wednesday the 14th it is, on Thursday the
/// 15th the source is dark for half an hour.
fn two_weeks() -> World {
    let mut world = World::new(plan(), "2026-01-04 22:00");
    world.tick = TimeDelta::minutes(5);
    let day = |day: u32| NaiveDate::from_ymd_opt(2026, 1, day).unwrap();
    for date in (5..=18).map(day) {
        let at = |clock: &str| format!("{date} {clock}");
        match date.day() {
            6 => drop(world.fail("orders", &at("03:00"), &at("03:10"))),
            14 => {
                world.fail("orders", &at("03:00"), &at("03:10"));
                world.run("orders", &at("07:30"), &at("07:50")).run("sales", &at("07:50"), &at("08:31"));
            }
            _ => drop(world.run("orders", &at("03:00"), &at("03:40")).run("sales", &at("04:00"), &at("04:35"))),
        }
    }
    world.dark("airflow", "2026-01-15 02:00", "2026-01-15 02:30");
    world.until("2026-01-19 00:30");
    world
}

async fn stored(world: &World) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("dawnwatch.toml"), CONFIG).unwrap();
    let mut store = Store::open(&folder.path().join("dawnwatch.db")).await.unwrap();
    let put: Vec<Row> = world.rows.values().cloned().collect();
    store.commit(&Commit { put, ledger: world.ledger.clone(), ..Commit::default() }).await.unwrap();
    store.close().await.unwrap();
    folder
}

#[tokio::test]
async fn a_week_is_told_with_its_denominators_and_the_week_before() {
    let folder = stored(&two_weeks()).await;
    let week = ["report", "--from", "2026-01-12", "--to", "2026-01-18"];
    let (code, out, err) = dawnwatch(folder.path(), &week);
    assert_eq!(code, Some(0), "{err}");
    let expected = "\
Nobody was woken (the 7 days before: 0) · deadlines met 5/5
Mon 2026-01-12 to Sun 2026-01-18, Asia/Seoul

On time       5 / 5 (the 7 days before: 4 / 5)
Wake-ups      0 (as before), times that a person was asked in quiet hours
Asked         1 (as before), times that a person was asked at any hour
False alarms  0 (as before), deadlines that a person was asked about and that were met with no failed run
Self-healed   1 of 2 incidents, before anybody was told
Grouped       4 checks in trouble → 3 messages
Digests       5 posted, 2 silent and on record
Quiet         160 of 168 hours without any message
Blind         airflow 30 min

By dashboard
  dashboard  on time  missed  told before  late  never  not known  false alarms
  exec           5/5       0            0     0      0          0             0

By cause
  cause           incidents  self-healed  checks  messages  asked  woken
  orders                  1            0       2         3      1      0
  source:airflow          1            1       2         0      0      0

The ledger goes back to Sun 2026-01-04 22:00.
";
    assert_eq!(out, expected);

    let (code, out, _) = dawnwatch(folder.path(), &[&week[..], &["--format", "json"]].concat());
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &json["complete"], &json["before"]["deadlines"]["missed"]), (Some(0), &true.into(), &1.into()));
    assert_eq!(json["before"]["deadlines"]["median_lead_minutes"], 350.0);
    assert_eq!(json["counts"]["dashboards"]["exec"]["due"], 5);
    assert_eq!(json["counts"]["causes"]["source:airflow"]["healed"], 1);
    assert_eq!(json["counts"]["blind_minutes"]["airflow"], 30);

    let (code, out, _) = dawnwatch(folder.path(), &[&week[..], &["--format", "markdown"]].concat());
    assert_eq!(code, Some(0));
    assert!(out.contains("\n- **On time:** 5 / 5 (the 7 days before: 4 / 5)\n"), "{out}");
    assert!(out.contains("\n| orders | 1 | 0 | 2 | 3 | 1 | 0 |\n"), "{out}");
}

#[tokio::test]
async fn what_the_ledger_does_not_reach_is_said_and_not_called_quiet() {
    let folder = stored(&two_weeks()).await;
    let (_, out, _) = dawnwatch(folder.path(), &["report", "--from", "2026-01-01", "--to", "2026-01-07"]);
    assert!(out.contains("The ledger begins Sun 2026-01-04 22:00: what was before is not counted."), "{out}");
    // 74 hours from then; loud are 06 of Monday, 03, 06 and 07 of Tuesday, 00 and 06 of Wednesday.
    assert!(out.contains("Quiet         68 of 74 hours without any message"), "{out}");
    assert!(
        out.contains("Missed        1: told before the deadline 1 (median 350 min ahead), only at it or after 0, never 0"),
        "{out}"
    );
    let (_, out, _) = dawnwatch(folder.path(), &["report", "--from", "2026-01-05", "--to", "2026-01-11"]);
    assert!(out.contains("The ledger goes back to Sun 2026-01-04 22:00, not far enough to compare."), "{out}");
}

#[tokio::test]
async fn without_days_it_is_the_last_whole_week_and_without_a_store_nothing() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("dawnwatch.toml"), CONFIG).unwrap();
    let (code, out, err) = dawnwatch(folder.path(), &["report"]);
    assert_eq!((code, out.as_str()), (Some(3), ""));
    assert!(err.contains("there is no store at") && err.contains("`dawnwatch run` makes it"), "{err}");

    // An agent has it.
    let store = Store::open(&folder.path().join("dawnwatch.db")).await.unwrap();
    let (code, out, err) = dawnwatch(folder.path(), &["report", "--format", "json"]);
    assert_eq!(code, Some(0), "{err}");
    let json: Value = serde_json::from_str(&out).unwrap();
    let date = |name: &str| json[name].as_str().unwrap().parse::<NaiveDate>().unwrap();
    assert_eq!((date("to") - date("from")).num_days(), 6);
    assert_eq!((&json["complete"], &json["ledger_begins"]), (&false.into(), &Value::Null));
    drop(store);

    std::fs::write(folder.path().join("dawnwatch.db"), "something else that is long enough to be looked at").unwrap();
    assert_eq!(dawnwatch(folder.path(), &["report"]).0, Some(3));
}

#[test]
fn a_span_that_makes_no_sense_exits_2() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("dawnwatch.toml"), CONFIG).unwrap();
    let cases: [(&[&str], &str); 4] = [
        (&["--from", "2026-01-12", "--to", "2026-01-11"], "is no span of days"),
        (&["--from", "9000-01-12", "--to", "9000-01-13"], "has not come yet"),
        (&["--from", "tomorrow"], "invalid value 'tomorrow'"),
        (&["--format", "jsonl"], "jsonl is for replay alone"),
    ];
    for (args, expected) in cases {
        let (code, out, err) = dawnwatch(folder.path(), &[&["report"], args].concat());
        assert_eq!((code, out.as_str()), (Some(2), ""), "{args:?}: {err}");
        assert!(err.contains(expected), "{args:?}: {err}");
    }
}

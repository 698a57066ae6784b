//! The parsers on what a real Airflow 3.3.2 answered, and on what none ever would.

use super::parse::*;
use super::rows::*;
use crate::core::observation::{Fact, Item, Member, RUNS_PER_SUBJECT, RunKind, RunState, Scheduler, Why};
use crate::core::plan::Id;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const RUNS: &str = include_str!("../../../tests/fixtures/airflow3/runs.json");
const TASKS: &str = include_str!("../../../tests/fixtures/airflow3/tasks.json");
const DAGS: &str = include_str!("../../../tests/fixtures/airflow3/dags.json");
const LOG: &str = include_str!("../../../tests/fixtures/airflow3/log.json");
const HEALTH: &str = include_str!("../../../tests/fixtures/airflow3/health.json");
const SCHEDULER_DEAD: &str = include_str!("../../../tests/fixtures/airflow3/health_scheduler_dead.json");

fn rows<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_json::from_str(text).unwrap()
}

fn ids(names: &[&str]) -> Vec<Id> {
    names.iter().copied().map(Id::from).collect()
}

/// `subject: kind scheduled state` of every run, as the recorded night gives them.
fn told(items: &[Item]) -> Vec<String> {
    let run = |r: &crate::core::observation::Run| format!("{:?} {} {:?}", r.kind, r.scheduled_at.format("%d %H:%M"), r.state);
    let fact = |fact: &Fact| match fact {
        Fact::Runs(runs) => runs.iter().map(run).collect::<Vec<_>>().join(", "),
        other => format!("{other:?}"),
    };
    items.iter().map(|item| format!("{}: {}", item.subject, fact(&item.fact))).collect()
}

fn sweep(runs: RunPage, tasks: TaskPage, subjects: &[&str]) -> Vec<String> {
    let running = running(&runs.rows);
    let complete = tasks.rows.len() >= tasks.total_entries;
    told(&items(&ids(subjects), None, runs.rows, &refined(&running, &tasks.rows, complete)))
}

#[test]
fn the_recorded_night_is_told_as_it_was() {
    let subjects = [
        "sales_daily",
        "dashboard_on_asset",
        "orders_failing",
        "half_failed",
        "clicks_long_running",
        "logs_up_for_retry",
        "queued_behind",
        "waits_for_file",
        "skipped_today",
        "never_run",
    ];
    let expected = [
        // A manual run counts for the date that it was given, not for when it was started.
        "sales_daily: Scheduled 21 20:00 Success, Manual 01 15:00 Success",
        "dashboard_on_asset: Triggered 22 11:46 Success, Triggered 22 11:45 Success",
        "orders_failing: Scheduled 21 15:00 Failed",
        "half_failed: Scheduled 21 15:00 Failed",
        "clicks_long_running: Scheduled 21 15:00 Running",
        "logs_up_for_retry: Scheduled 21 15:00 Retrying { task: \"flaky\" }",
        "queued_behind: Manual 22 11:46 Queued, Manual 22 11:46 Running",
        "waits_for_file: Scheduled 21 15:00 Waiting { task: \"wait\" }",
        "skipped_today: Scheduled 21 15:00 Success",
        "never_run: ",
    ];
    assert_eq!(sweep(rows(RUNS), rows(TASKS), &subjects), expected);
}

#[test]
fn a_failed_task_dooms_its_run_only_while_that_runs() {
    let mut runs: RunPage = rows(RUNS);
    for row in runs.rows.iter_mut().filter(|row| row.dag_id == "half_failed") {
        row.state = "running".to_owned();
    }
    let told = sweep(runs, rows(TASKS), &["half_failed", "orders_failing"]);
    assert_eq!(told, ["half_failed: Scheduled 21 15:00 Doomed { task: \"bad\" }", "orders_failing: Scheduled 21 15:00 Failed"]);
}

/// `task state end` lines of one running run, and what they make of it.
fn state_of(tasks: &[(&str, i64, &str, Option<&str>)], complete: bool) -> RunState {
    let row = |(task, map_index, state, end): &(&str, i64, &str, Option<&str>)| json!({"dag_id": "d", "dag_run_id": "r", "task_id": task, "map_index": map_index, "state": state, "try_number": 1, "end_date": end});
    let tasks: Vec<TaskRow> = tasks.iter().map(|t| serde_json::from_value(row(t)).unwrap()).collect();
    let key = ("d".to_owned(), "r".to_owned());
    refined(&BTreeSet::from([key.clone()]), &tasks, complete).remove(&key).unwrap()
}

#[test]
fn what_the_tasks_say_of_their_run() {
    let task = |name: &str| name.to_owned();
    let (early, late) = (Some("2026-11-22T01:00:00Z"), Some("2026-11-22T02:00:00Z"));
    let cases = [
        (vec![("a", -1, "running", None)], RunState::Running),
        (vec![("a", -1, "failed", late), ("b", 3, "failed", early)], RunState::Doomed { task: task("b[3]") }),
        (vec![("a", -1, "failed", None), ("b", -1, "failed", late)], RunState::Doomed { task: task("b") }),
        (vec![("a", -1, "up_for_retry", late), ("b", -1, "failed", late)], RunState::Doomed { task: task("b") }),
        (vec![("a", -1, "up_for_retry", late), ("b", -1, "running", None)], RunState::Retrying { task: task("a") }),
        (vec![("a", -1, "deferred", None)], RunState::Waiting { task: task("a") }),
        // Something else still works, or is about to.
        (vec![("a", -1, "up_for_reschedule", None), ("b", -1, "running", None)], RunState::Running),
        (vec![("a", -1, "deferred", None), ("b", -1, "scheduled", None)], RunState::Running),
    ];
    for (tasks, expected) in cases {
        assert_eq!(state_of(&tasks, true), expected, "{tasks:?}");
    }
    // Where rows were cut off, nobody knows what else works.
    assert_eq!(state_of(&[("a", -1, "deferred", None)], false), RunState::Running);
}

fn run_row(change: Value) -> RunRow {
    let mut row =
        json!({"dag_id": "d", "dag_run_id": "r", "run_type": "scheduled", "state": "success", "run_after": "2026-11-22T00:00:00Z"});
    row.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    serde_json::from_value(row).unwrap()
}

#[test]
fn an_unknown_state_is_suspicious_and_named() {
    let rows = vec![run_row(json!({})), run_row(json!({"dag_run_id": "x", "state": "hi\u{7}bernating"}))];
    let items = items(&ids(&["d"]), None, rows, &BTreeMap::new());
    assert_eq!(items[0].fact, Fact::Suspicious("a run has the state \"hi bernating\", which is not known".to_owned()));
}

#[test]
fn kinds_and_their_instants() {
    let given = json!({"run_type": "manual", "logical_date": "2026-11-20T00:00:00Z", "data_interval_end": "2026-11-21T00:00:00Z"});
    let cases = [
        (json!({}), RunKind::Scheduled, "22"),
        (given, RunKind::Manual, "21"),
        (json!({"run_type": "manual", "logical_date": "2026-11-20T00:00:00Z"}), RunKind::Manual, "20"),
        (json!({"run_type": "manual", "logical_date": null}), RunKind::Manual, "22"),
        (json!({"run_type": "backfill", "logical_date": "2026-11-01T00:00:00Z"}), RunKind::Backfill, "22"),
        (json!({"run_type": "asset_materialization"}), RunKind::Triggered, "22"),
    ];
    for (change, kind, day) in cases {
        let items = items(&ids(&["d"]), None, vec![run_row(change.clone())], &BTreeMap::new());
        let Fact::Runs(runs) = &items[0].fact else { panic!("{items:?}") };
        assert_eq!((runs[0].kind, runs[0].scheduled_at.format("%d").to_string().as_str()), (kind, day), "{change}");
    }
}

#[test]
fn only_the_newest_runs_are_kept_and_each_once() {
    let rows = (0..100)
        .map(|i| run_row(json!({"dag_run_id": format!("r{}", i % 50), "run_after": format!("2026-11-22T00:{:02}:00Z", i % 50)})));
    let items = items(&ids(&["d"]), None, rows.collect(), &BTreeMap::new());
    let Fact::Runs(runs) = &items[0].fact else { panic!("{items:?}") };
    assert_eq!((runs.len(), runs[0].id.as_str(), runs[31].id.as_str()), (RUNS_PER_SUBJECT, "r49", "r18"));
}

#[test]
fn a_subject_that_the_listing_lacks_is_absent_unless_it_ran() {
    let known: BTreeSet<Id> = ids(&["d", "idle"]).into_iter().collect();
    let asked = ids(&["d", "idle", "gone", "new"]);
    let rows = || vec![run_row(json!({})), run_row(json!({"dag_id": "new"}))];
    let named = |items: Vec<Item>| items.iter().map(|i| i.subject.to_string()).collect::<Vec<_>>();
    assert_eq!(named(items(&asked, Some(&known), rows(), &BTreeMap::new())), ["d", "idle", "new"]);
    // Before any listing nobody can tell.
    assert_eq!(named(items(&asked, None, rows(), &BTreeMap::new())).len(), 4);
}

#[test]
fn health_says_whether_anything_will_start() {
    let heartbeat = "2026-11-22T11:49:39.889134Z".parse().ok();
    assert_eq!(scheduler(&rows(HEALTH)), Ok(Scheduler::Healthy));
    assert_eq!(scheduler(&rows(SCHEDULER_DEAD)), Ok(Scheduler::Dead { heartbeat }));
    let never = r#"{"metadatabase":{"status":"healthy"},"scheduler":{"status":null,"latest_scheduler_heartbeat":null}}"#;
    assert_eq!(scheduler(&rows(never)), Ok(Scheduler::Dead { heartbeat: None }));
    let no_database = r#"{"metadatabase":{"status":"unhealthy"},"scheduler":{"status":"healthy"}}"#;
    assert_eq!(scheduler(&rows(no_database)).unwrap_err().why, Why::Status);
}

#[test]
fn the_listing_has_what_groups_match_on() {
    let page: DagPage = rows(DAGS);
    let members: BTreeMap<String, Member> =
        page.rows.into_iter().filter_map(member).map(|member| (member.subject.to_string(), member)).collect();
    assert_eq!(members.len(), 13);
    let dashboard = &members["kst_dashboard"];
    assert_eq!(dashboard.tags, ["09:00 KST", "c-level", "dashboard"]);
    assert_eq!((dashboard.owners.as_slice(), dashboard.paused), (["data-mart".to_owned()].as_slice(), false));
    assert_eq!(dashboard.next_run_at, "2026-11-23T00:00:00Z".parse().ok());
    assert!(members["paused_weekly"].paused);
    assert_eq!(members["dashboard_on_asset"].next_run_at, None);
    let odd = |id: &str| {
        member(serde_json::from_value(json!({"dag_id": id, "is_paused": false, "next_dagrun_run_after": null})).unwrap())
    };
    assert!(odd("회원_일배치").is_some());
    assert!(odd("").is_none() && odd("a\nb").is_none() && odd(&"x".repeat(251)).is_none());
}

#[test]
fn a_stale_dag_is_gone_unless_its_file_is_broken() {
    let stale = |broken: bool| {
        let row = json!({
            "dag_id": "d", "is_paused": false, "next_dagrun_run_after": null, "is_stale": true, "has_import_errors": broken
        });
        member(serde_json::from_value(row).unwrap())
    };
    assert_eq!(stale(false), None);
    assert!(stale(true).unwrap().import_error);
}

#[test]
fn the_last_error_line_of_a_log() {
    let cases = [
        (LOG.to_owned(), Some("RuntimeError: boom")),
        (
            json!({"content": [{"event": "gone wrong", "level": "error"}, {"event": "bye", "level": "info"}]}).to_string(),
            Some("gone wrong"),
        ),
        (
            json!({"content": [{"event": "Traceback\n  x\nValueError: no rows\n", "level": "ERROR"}]}).to_string(),
            Some("ValueError: no rows"),
        ),
        (
            json!({"content": ["start", "[2026] {x.py} ERROR - broken pipe", "end"]}).to_string(),
            Some("[2026] {x.py} ERROR - broken pipe"),
        ),
        (
            json!({"content": ["psycopg.OperationalError: server closed", "end"]}).to_string(),
            Some("psycopg.OperationalError: server closed"),
        ),
        (
            json!({"content": [{"event": "x", "level": "error", "error_detail": [{"exc_type": "KeyError", "exc_value": ""}]}]})
                .to_string(),
            Some("KeyError"),
        ),
        (json!({"content": [{"event": "all fine", "level": "info"}, {}, 5, null]}).to_string(), None),
        (json!({"content": []}).to_string(), None),
    ];
    for (log, expected) in cases {
        assert_eq!(last_error(&rows(&log)).as_deref(), expected, "{log}");
    }
    let long = json!({"content": [{"event": "e".repeat(100_000), "level": "error"}]}).to_string();
    assert_eq!(last_error(&rows(&long)).unwrap().len(), 300);
}

proptest! {
    #[test]
    fn no_answer_makes_the_parsers_panic(cut in 0..8_000_usize, at in 0..8_000_usize, byte: u8, which in 0..5_usize) {
        let text = [RUNS, TASKS, DAGS, LOG, HEALTH][which];
        let mut bytes = text.as_bytes()[..cut.min(text.len())].to_vec();
        if cut % 2 == 0 {
            bytes = text.as_bytes().to_vec();
        }
        if let Some(b) = bytes.get_mut(at) {
            *b = byte;
        }
        if let Ok(page) = serde_json::from_slice::<RunPage>(&bytes) {
            let running = running(&page.rows);
            let tasks: TaskPage = rows(TASKS);
            items(&ids(&["sales_daily"]), None, page.rows, &refined(&running, &tasks.rows, true));
        }
        if let Ok(page) = serde_json::from_slice::<TaskPage>(&bytes) {
            let running = page.rows.iter().map(|row| (row.dag_id.clone(), row.dag_run_id.clone())).collect();
            refined(&running, &page.rows, true);
        }
        if let Ok(page) = serde_json::from_slice::<DagPage>(&bytes) {
            page.rows.into_iter().filter_map(member).for_each(drop);
        }
        if let Ok(log) = serde_json::from_slice::<Log>(&bytes) {
            prop_assert!(last_error(&log).is_none_or(|line| line.chars().count() <= 300));
        }
        if let Ok(health) = serde_json::from_slice::<Health>(&bytes) {
            let _ = scheduler(&health);
        }
    }
}

//! The parsers on what a real Luigi 3.8.1 answered, and on what none ever would.

use super::parse::*;
use super::rows::*;
use crate::core::observation::{ERROR_CHARS, Fact, Failure, Item, RUNS_PER_SUBJECT, Run, RunKind, RunState};
use crate::core::plan::Id;
use crate::core::time::Instant;
use proptest::prelude::*;
use serde_json::{Value, json};

const GRAPH: &str = include_str!("../../../tests/fixtures/luigi381/graph.json");
const TASK_LIST: &str = include_str!("../../../tests/fixtures/luigi381/task_list.json");
const CAPPED: &str = include_str!("../../../tests/fixtures/luigi381/task_list_capped.json");
const ERROR: &str = include_str!("../../../tests/fixtures/luigi381/fetch_error.json");
const ERROR_KILLED: &str = include_str!("../../../tests/fixtures/luigi381/fetch_error_killed.json");
const ERROR_UNKNOWN: &str = include_str!("../../../tests/fixtures/luigi381/fetch_error_unknown.json");
/// An hour before the recorded tasks ran.
const SINCE: &str = "2026-11-22T10:00:00Z";

fn tasks(text: &str) -> Tasks {
    serde_json::from_str::<Answered<Tasks>>(text).unwrap().response
}

fn since() -> Instant {
    SINCE.parse().unwrap()
}

fn of(tasks: &Tasks, subjects: &[&str]) -> Vec<Item> {
    items(&subjects.iter().copied().map(Id::from).collect::<Vec<_>>(), tasks, since())
}

/// `subject: state since–until` of every task.
fn told(items: &[Item]) -> Vec<String> {
    let clock = |at: Option<Instant>| at.map_or("…".to_owned(), |at| at.format("%M:%S").to_string());
    let run = |run: &Run| {
        assert_eq!(run.kind, RunKind::Part);
        format!("{:?} {}–{}", run.state, clock(run.started_at), clock(run.ended_at))
    };
    let fact = |fact: &Fact| match fact {
        Fact::Runs(runs) => runs.iter().map(run).collect::<Vec<_>>().join(", "),
        other => format!("{other:?}"),
    };
    items.iter().map(|item| format!("{}: {}", item.subject, fact(&item.fact))).collect()
}

#[test]
fn the_recorded_scheduler_is_told_as_it_was() {
    let subjects = [
        "DailySales",
        "BrokenExtract",
        "GivesUp",
        "Orphan",
        "LongRunning",
        "Batched",
        "MartFromRunning",
        "MartFromBroken",
        "MartFromDisabled",
        "MartFromLog",
        "ArrivalOfLog",
        "MartFrom*_2026_03_01_*",
        "L?adOrders_2026*",
        "NeverHeardOf",
        "nothing_*",
    ];
    let expected = [
        "DailySales: Success 33:39–33:39",
        "BrokenExtract: Failed 33:40–33:40",
        "GivesUp: Failed 33:40–33:40",
        "Orphan: Failed 33:40–33:45",
        "LongRunning: Running 33:40–…",
        "Batched: Running 33:40–…, Running 33:40–…, Running 33:40–…",
        // Its dependency runs: it only waits for its turn.
        "MartFromRunning: Queued …–…",
        "MartFromBroken: Waiting { task: \"BrokenExtract\" } …–…",
        "MartFromDisabled: Waiting { task: \"GivesUp\" } …–…",
        "MartFromLog: Waiting { task: \"ArrivalOfLog\" } …–…",
        "ArrivalOfLog: Waiting { task: \"ArrivalOfLog\" } …–…",
        "MartFrom*_2026_03_01_*: Waiting { task: \"GivesUp\" } …–…, Waiting { task: \"BrokenExtract\" } …–…, \
         Waiting { task: \"ArrivalOfLog\" } …–…, Queued …–…",
        "L?adOrders_2026*: Success 33:39–33:39",
    ];
    assert_eq!(told(&of(&tasks(GRAPH), &subjects)), expected);
}

#[test]
fn the_plain_list_says_the_same_but_who_waits_for_whom() {
    let subjects = ["DailySales", "BrokenExtract", "LongRunning", "MartFromBroken"];
    let expected = [
        "DailySales: Success 33:39–33:39",
        "BrokenExtract: Failed 33:40–33:40",
        "LongRunning: Running 33:40–…",
        "MartFromBroken: Queued …–…",
    ];
    assert_eq!(told(&of(&tasks(TASK_LIST), &subjects)), expected);
}

#[test]
fn a_task_has_the_instant_at_which_it_was_taken_up_else_that_at_which_it_was_heard_of() {
    let items = of(&tasks(GRAPH), &["DailySales", "MartFromLog"]);
    let at = |item: &Item| match &item.fact {
        Fact::Runs(runs) => runs.iter().map(|run| (run.id.clone(), run.scheduled_at.to_string())).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let pair = |id: &str, at: &str| vec![(id.to_owned(), at.to_owned())];
    assert_eq!(at(&items[0]), pair("DailySales_2026_03_01_17fcb2f16f", "2026-11-22 11:33:39.340910 UTC"));
    assert_eq!(at(&items[1]), pair("MartFromLog_2026_03_01_17fcb2f16f", "2026-11-22 11:33:40.170760 UTC"));
}

#[test]
fn a_list_that_is_only_counted_and_a_graph_that_was_cut_are_known_as_such() {
    let capped = tasks(CAPPED);
    assert_eq!((capped.only_counted, capped.rows.len(), is_whole(&capped)), (Some(14), 0, false));
    let mut graph = tasks(GRAPH);
    assert!(is_whole(&graph));
    graph.rows.remove("LoadOrders_2026_03_01_17fcb2f16f");
    assert!(!is_whole(&graph));
    let both = r#"{"response": {"num_tasks": 5, "A_1": {"status": "DONE"}}}"#;
    assert!(serde_json::from_str::<Answered<Tasks>>(both).is_err());
}

fn row(status: &str, hour: u32) -> Value {
    let at = (since() + chrono::TimeDelta::hours(i64::from(hour))).timestamp();
    json!({"status": status, "name": "A", "workers": ["w"], "time_running": at, "start_time": at, "last_updated": at + 60, "deps": []})
}

fn graph_of(rows: &[(String, Value)]) -> Tasks {
    let rows: serde_json::Map<String, Value> = rows.iter().cloned().collect();
    tasks(&json!({ "response": rows }).to_string())
}

#[test]
fn no_failed_task_is_cut_off_by_done_ones() {
    let mut rows: Vec<_> = (0..100).map(|n| (format!("A_{n:03}"), row("DONE", 5))).collect();
    rows.push(("A_failed".to_owned(), row("FAILED", 1)));
    rows.push(("A_queued".to_owned(), row("PENDING", 2)));
    rows.push(("A_last".to_owned(), row("DONE", 6)));
    let Fact::Runs(runs) = &of(&graph_of(&rows), &["A"])[0].fact else { panic!() };
    assert_eq!(runs.len(), RUNS_PER_SUBJECT);
    let first: Vec<&str> = runs.iter().take(3).map(|run| run.id.as_str()).collect();
    assert_eq!(first, ["A_failed", "A_queued", "A_last"]);
}

#[test]
fn what_is_open_from_long_ago_stays_and_leaves_room_for_today() {
    let old = |status: &str| {
        let mut old = row(status, 0);
        old["time_running"] = json!((since() - chrono::TimeDelta::days(9)).timestamp());
        old
    };
    let mut rows: Vec<_> = (0..40).map(|n| (format!("A_old_{n:03}"), old("FAILED"))).collect();
    rows.extend((0..3).map(|n| (format!("A_gone_{n}"), old("DONE"))));
    rows.extend((0..20).map(|n| (format!("A_today_{n:02}"), row("DONE", 1))));
    let Fact::Runs(runs) = &of(&graph_of(&rows), &["A"])[0].fact else { panic!() };
    let count = |word: &str| runs.iter().filter(|run| run.id.contains(word)).count();
    assert_eq!((count("old"), count("today"), count("gone"), runs.len()), (16, 16, 0, 32));
    // Known, and nothing since.
    assert_eq!(told(&of(&graph_of(&[("A_gone".to_owned(), old("DONE"))]), &["A"])), ["A: "]);
}

#[test]
fn what_nobody_understands_is_suspicious_and_a_placeholder_is_no_task() {
    let mut mad = row("DONE", 1);
    mad["start_time"] = json!("soon");
    mad["time_running"] = Value::Null;
    let mut never = row("DONE", 1);
    never["start_time"] = Value::Null;
    never["time_running"] = Value::Null;
    for (row, words) in [(row("EXPLODED", 1), "the status \"EXPLODED\""), (mad, "cannot be read"), (never, "has no time")] {
        let items = of(&graph_of(&[("A_1".to_owned(), row), ("A_2".to_owned(), self::row("DONE", 1))]), &["A"]);
        assert!(matches!(&items[0].fact, Fact::Suspicious(why) if why.contains(words)), "{items:?}");
    }
    // As `graph` writes it.
    let mut placeholder = row("UNKNOWN", 1);
    placeholder["start_time"] = json!("UNKNOWN");
    let mut waits = row("PENDING", 2);
    waits["deps"] = json!(["A_1"]);
    waits["name"] = json!("B");
    let graph = graph_of(&[("A_1".to_owned(), placeholder), ("B_1".to_owned(), waits)]);
    assert_eq!(told(&of(&graph, &["A", "A_*", "B"])), ["B: Waiting { task: \"A\" } …–…"]);
    assert_eq!(members(&graph).iter().map(|m| m.subject.as_str()).collect::<Vec<_>>(), ["B"]);
}

#[test]
fn a_failure_far_up_is_what_is_waited_for_even_in_a_loop() {
    let needs = |status: &str, name: &str, deps: &[&str]| {
        let mut row = row(status, 1);
        (row["name"], row["deps"]) = (json!(name), json!(deps));
        (name.to_owned(), row)
    };
    let mut external = needs("PENDING", "External", &[]);
    external.1["workers"] = json!([]);
    let graph = graph_of(&[
        needs("FAILED", "Raw", &[]),
        needs("PENDING", "Mid", &["Raw", "External", "Top"]),
        needs("PENDING", "Top", &["Mid"]),
        needs("PENDING", "Other", &["External", "Done"]),
        needs("PENDING", "Free", &["Busy", "Done"]),
        needs("RUNNING", "Busy", &["Raw"]),
        needs("DONE", "Done", &["Raw"]),
        external,
    ]);
    let waits = |subject: &str| match &of(&graph, &[subject])[0].fact {
        Fact::Runs(runs) => runs[0].state.clone(),
        other => panic!("{other:?}"),
    };
    let on = |task: &str| RunState::Waiting { task: task.to_owned() };
    assert_eq!((waits("Mid"), waits("Top"), waits("Other")), (on("Raw"), on("Raw"), on("External")));
    assert_eq!((waits("Free"), waits("Busy"), waits("Done")), (RunState::Queued, RunState::Running, RunState::Success));
}

#[test]
fn the_families_are_the_listing() {
    let families: Vec<String> = members(&tasks(GRAPH)).into_iter().map(|member| member.subject.to_string()).collect();
    let expected = "ArrivalOfLog Batched BrokenExtract DailySales GivesUp LoadOrders LongRunning MartFromBroken MartFromDisabled \
                    MartFromLog MartFromRunning Orphan";
    assert_eq!(families.join(" "), expected);
    let odd = graph_of(&["", "a\nb", &"x".repeat(300)].map(|name| {
        let mut row = row("DONE", 1);
        row["name"] = json!(name);
        (format!("id of {name}"), row)
    }));
    assert!(members(&odd).is_empty());
}

#[test]
fn the_reason_of_a_failure_is_unpacked_twice() {
    let told = |text: &str| failure(serde_json::from_str::<Answered<ErrorRow>>(text).unwrap().response);
    let reason = "ValueError: 원본 테이블이 비었습니다: source table is empty";
    let task = |name: &str| Some(name.to_owned());
    assert_eq!(told(ERROR), Failure { task: task("BrokenExtract"), try_number: None, error: task(reason) });
    assert_eq!(told(ERROR_KILLED), Failure { task: task("Orphan"), ..Failure::default() });
    assert_eq!(told(ERROR_UNKNOWN), Failure::default());
    let plain = json!({"response": {"error": format!("it broke\n{}", "x".repeat(9000))}}).to_string();
    assert_eq!(told(&plain).error.unwrap().chars().count(), ERROR_CHARS);
}

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop_oneof![Just("DONE"), Just("PENDING"), Just("UNKNOWN"), Just("A_1"), Just("")].prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(".{0,6}", inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever one task says of itself: no panic, no more than fits, and never arrived but by its own word.
    #[test]
    fn one_broken_task_never_makes_green(key in "status|name|workers|time_running|start_time|last_updated|deps", value in anything()) {
        let mut broken = row("FAILED", 1);
        broken[key.as_str()] = value.clone();
        let text = json!({"response": {"A_1": broken, "A_2": row("PENDING", 1)}}).to_string();
        if let Ok(answer) = serde_json::from_str::<Answered<Tasks>>(&text) {
            let items = of(&answer.response, &["A", "A_*"]);
            members(&answer.response);
            is_whole(&answer.response);
            for run in items.iter().flat_map(|item| match &item.fact { Fact::Runs(runs) => runs.clone(), _ => vec![] }) {
                prop_assert!(run.state != RunState::Success || value == json!("DONE"), "{run:?}");
                prop_assert!(run.id.chars().count() <= ERROR_CHARS);
            }
        }
    }

    #[test]
    fn no_answer_is_too_mad(body in anything(), cut in 0..GRAPH.len()) {
        for text in [body.to_string(), json!({ "response": body }).to_string(), String::from_utf8_lossy(&GRAPH.as_bytes()[..cut]).into_owned()] {
            if let Ok(answer) = serde_json::from_str::<Answered<Tasks>>(&text) {
                of(&answer.response, &["A", "*"]);
            }
            if let Ok(answer) = serde_json::from_str::<Answered<ErrorRow>>(&text) {
                failure(answer.response);
            }
        }
    }
}

//! The endpoints that list: rows of the script at an instant, filtered, ordered and cut as the request wants.

use super::Refusal;
use super::filter::{Known, Wanted};
use super::rows;
use crate::core::time::Instant;
use crate::demo::night::Script;
use crate::demo::night::run::{Run, Seen, SeenTask};
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::cmp::Reverse;

const DAGS: Known = Known { lists: &["tags", "owners"], bounds: &[], unplayed: &[] };
const RUNS_GET: Known = Known {
    lists: &["state", "run_type"],
    bounds: &["run_after", "logical_date", "start_date", "end_date", "updated_at"],
    unplayed: &[],
};
const RUNS_LIST: Known = Known {
    lists: &["dag_ids", "states"],
    bounds: &["run_after", "logical_date", "start_date", "end_date"],
    unplayed: &["duration_gte", "duration_gt", "duration_lte", "duration_lt", "conf_contains"],
};
const TASKS_GET: Known = Known { lists: &["state", "task_id"], bounds: &[], unplayed: &[] };
const TASKS_LIST: Known = Known {
    lists: &["dag_ids", "dag_run_ids", "task_ids", "state"],
    bounds: &["run_after", "logical_date", "start_date", "end_date"],
    unplayed: &["duration_gte", "duration_gt", "duration_lte", "duration_lt", "pool", "queue", "executor"],
};

/// What rows are ordered by.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum SortKey {
    Text(String),
    Time(Option<Instant>),
    Number(u32),
}

pub(super) fn dags(script: &Script, at: Instant, query: Option<&str>) -> Result<Value, Refusal> {
    let wanted = Wanted::of_query(query, &DAGS)?;
    let mut found: Vec<_> = script.pipelines.iter().collect();
    found.retain(|p| {
        let tagged = wanted.lists("tags", Some(p.domain)) || wanted.lists("tags", Some(&p.sort.to_string()));
        tagged && wanted.lists("owners", Some(p.owner))
    });
    found.sort_by(|a, b| a.id.cmp(&b.id));
    sort(&mut found, &wanted.order, |p, field| (field == "dag_id").then(|| SortKey::Text(p.id.clone())))?;
    let total = found.len();
    let shown: Vec<_> = wanted.page.cut(found).into_iter().map(|p| rows::dag(p, script.next_run_after(p, at), at)).collect();
    Ok(json!({ "dags": shown, "total_entries": total }))
}

/// `dag` is an id, or `~` for all.
pub(super) fn dag_runs(script: &Script, at: Instant, dag: &str, query: Option<&str>) -> Result<Value, Refusal> {
    known_dag(script, dag)?;
    let wanted = Wanted::of_query(query, &RUNS_GET)?;
    let here = |run: &Run| dag == "~" || script.of(run).id == dag;
    runs(script, at, &wanted, "state", |run| here(run) && wanted.lists("run_type", Some("scheduled")))
}

pub(super) fn dag_runs_list(script: &Script, at: Instant, body: &[u8]) -> Result<Value, Refusal> {
    let wanted = Wanted::of_body(body, &RUNS_LIST)?;
    runs(script, at, &wanted, "states", |run| wanted.lists("dag_ids", Some(&script.of(run).id)))
}

pub(super) fn dag_run(script: &Script, at: Instant, dag: &str, run_id: &str) -> Result<Value, Refusal> {
    let run = known_run(script, at, dag, run_id)?;
    Ok(rows::dag_run(script.of(run), run, run.at(at)))
}

/// The tasks of one run, or of all where a part of the path is `~`.
pub(super) fn task_instances(
    script: &Script,
    at: Instant,
    (dag, run_id): (&str, &str),
    query: Option<&str>,
) -> Result<Value, Refusal> {
    let wanted = Wanted::of_query(query, &TASKS_GET)?;
    known_dag(script, dag)?;
    if dag != "~" && run_id != "~" {
        known_run(script, at, dag, run_id)?;
    }
    let here = |run: &Run| (dag == "~" || script.of(run).id == dag) && (run_id == "~" || run.id() == run_id);
    tasks(script, at, &wanted, here, |task| wanted.lists("task_id", Some(task.task.id)))
}

pub(super) fn task_instances_list(script: &Script, at: Instant, body: &[u8]) -> Result<Value, Refusal> {
    let wanted = Wanted::of_body(body, &TASKS_LIST)?;
    let here = |run: &Run| wanted.lists("dag_ids", Some(&script.of(run).id)) && wanted.lists("dag_run_ids", Some(&run.id()));
    tasks(script, at, &wanted, here, |task| wanted.lists("task_ids", Some(task.task.id)))
}

pub(super) fn log(script: &Script, at: Instant, (dag, run_id, task): (&str, &str, &str), number: u32) -> Result<Value, Refusal> {
    let run = script.run_at(dag, run_id, at);
    let told = run.and_then(|run| run.try_at(task, number, at).map(|told| (run, told)));
    let (run, told) = told.ok_or_else(|| Refusal::not_found("TaskInstance not found".to_owned()))?;
    Ok(rows::log(script.of(run), run, told, at))
}

fn known_dag(script: &Script, dag: &str) -> Result<(), Refusal> {
    let known = dag == "~" || script.pipeline(dag).is_some();
    known.then_some(()).ok_or_else(|| Refusal::not_found(format!("The Dag with ID: `{dag}` was not found")))
}

fn known_run<'a>(script: &'a Script, at: Instant, dag: &str, run_id: &str) -> Result<&'a Run, Refusal> {
    let missing = || format!("The DagRun with dag_id: `{dag}` and run_id: `{run_id}` was not found");
    script.run_at(dag, run_id, at).ok_or_else(|| Refusal::not_found(missing()))
}

fn runs(script: &Script, at: Instant, wanted: &Wanted, states: &str, here: impl Fn(&Run) -> bool) -> Result<Value, Refusal> {
    known_states(wanted, states)?;
    let of = |run: &Run, seen: &Seen, field: &str| match field {
        "start_date" => seen.started_at,
        "end_date" => seen.ended_at,
        "updated_at" => Some(seen.updated_at),
        _ => Some(run.run_after),
    };
    let mut found: Vec<(&Run, Seen)> = script.runs_at(at).filter(|run| here(run)).map(|run| (run, run.at(at))).collect();
    found.retain(|(run, seen)| {
        let bounds = wanted.bounds.iter().all(|b| b.holds(of(run, seen, &b.field)));
        bounds && wanted.lists(states, Some(rows::run_word(seen.state)))
    });
    sort(&mut found, &wanted.order, |(run, seen), field| {
        Some(match field {
            "start_date" | "end_date" | "updated_at" | "run_after" | "logical_date" => SortKey::Time(of(run, seen, field)),
            // Runs are created in the order of their times.
            "id" => SortKey::Time(Some(seen.queued_at)),
            "dag_id" => SortKey::Text(script.of(run).id.clone()),
            "run_id" => SortKey::Text(run.id()),
            "state" => SortKey::Text(rows::run_word(seen.state).to_owned()),
            _ => return None,
        })
    })?;
    let total = found.len();
    let shown = wanted.page.cut(found).into_iter().map(|(run, seen)| rows::dag_run(script.of(run), run, seen)).collect();
    Ok(collection("dag_runs", shown, total))
}

fn tasks(
    script: &Script,
    at: Instant,
    wanted: &Wanted,
    run_here: impl Fn(&Run) -> bool,
    task_here: impl Fn(&SeenTask) -> bool,
) -> Result<Value, Refusal> {
    let of = |run: &Run, seen: &SeenTask, field: &str| match field {
        "start_date" => seen.started_at,
        "end_date" => seen.ended_at,
        _ => Some(run.run_after),
    };
    let runs = script.runs_at(at).filter(|run| run_here(run));
    let mut found: Vec<(&Run, SeenTask)> = runs.flat_map(|run| run.tasks_at(at).map(move |task| (run, task))).collect();
    found.retain(|(run, seen)| {
        let bounds = wanted.bounds.iter().all(|b| b.holds(of(run, seen, &b.field)));
        bounds && task_here(seen) && wanted.lists("state", rows::task_word(seen.state))
    });
    sort(&mut found, &wanted.order, |(run, seen), field| {
        Some(match field {
            "start_date" | "end_date" | "run_after" | "logical_date" => SortKey::Time(of(run, seen, field)),
            "id" => SortKey::Text(format!("{}/{}/{}", script.of(run).id, run.run_after, seen.task.id)),
            "state" => SortKey::Text(rows::task_word(seen.state).unwrap_or_default().to_owned()),
            "try_number" => SortKey::Number(seen.try_number),
            _ => return None,
        })
    })?;
    let total = found.len();
    let shown = wanted.page.cut(found).into_iter().map(|(run, seen)| rows::task_instance(script.of(run), run, seen)).collect();
    Ok(collection("task_instances", shown, total))
}

fn known_states(wanted: &Wanted, name: &str) -> Result<(), Refusal> {
    let states = wanted.lists.iter().filter(|(n, _)| *n == name).flat_map(|(_, values)| values);
    let bad = states.enumerate().find(|(_, state)| !state.as_deref().is_none_or(|s| rows::RUN_WORDS.contains(&s)));
    let Some((index, state)) = bad else { return Ok(()) };
    if name == "state" {
        let detail = "Invalid value for state. Valid values are queued, running, success, failed";
        return Err(Refusal::detail(StatusCode::UNPROCESSABLE_ENTITY, detail));
    }
    let expected = "'queued', 'running', 'success' or 'failed'";
    let (place, context) = (json!(["body", name, index]), json!({ "expected": expected }));
    Err(Refusal::invalid("enum", place, &format!("Input should be {expected}"), json!(state), Some(context)))
}

/// Stable, by the first field, then the next. An unknown field is refused as the real one does.
fn sort<T>(found: &mut [T], order: &[(String, bool)], key: impl Fn(&T, &str) -> Option<SortKey>) -> Result<(), Refusal> {
    for (field, greatest_first) in order.iter().rev() {
        if found.first().is_some_and(|first| key(first, field).is_none()) {
            let detail = format!("Ordering with '{field}' is disallowed or the attribute does not exist on the model");
            return Err(Refusal::detail(StatusCode::BAD_REQUEST, detail));
        }
        if *greatest_first {
            found.sort_by_cached_key(|row| Reverse(key(row, field)));
        } else {
            found.sort_by_cached_key(|row| key(row, field));
        }
    }
    Ok(())
}

fn collection(name: &str, rows: Vec<Value>, total: usize) -> Value {
    json!({ name: rows, "total_entries": total, "total_entries_limit": null, "next_cursor": null, "previous_cursor": null })
}

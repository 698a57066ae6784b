//! Rows to observations: pure, and the same rows give the same answer.

use super::rows::{DagRow, Health, Log, RunRow, TaskRow};
use crate::core::observation::{Fact, Item, Member, RUNS_PER_SUBJECT, Run, RunKind, RunState, Scheduler, Unreachable, Why};
use crate::core::plan::Id;
use crate::net::{line, unreachable};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The longest id that Airflow itself takes (`ID_LEN` in its models).
const ID_CHARS: usize = 250;

/// A run is known by its DAG and its own id, which alone is not unique.
pub(super) type RunKey = (String, String);

pub(super) fn scheduler(health: &Health) -> Result<Scheduler, Unreachable> {
    if health.metadatabase.status.as_deref() != Some("healthy") {
        return Err(unreachable(Why::Status, "Airflow says that its metadata database is not healthy"));
    }
    Ok(match health.scheduler.status.as_deref() {
        Some("healthy") => Scheduler::Healthy,
        // Null: no scheduler was ever started.
        Some("unhealthy") | None => Scheduler::Dead { heartbeat: health.scheduler.latest_scheduler_heartbeat },
        Some(_) => Scheduler::NotSaid,
    })
}

/// The runs whose tasks have to be looked at.
pub(super) fn running(rows: &[RunRow]) -> BTreeSet<RunKey> {
    rows.iter().filter(|row| row.state == "running").map(|row| (row.dag_id.clone(), row.dag_run_id.clone())).collect()
}

/// What the tasks of the running runs say of these. `complete`: no row of a running run was cut off.
pub(super) fn refined(running: &BTreeSet<RunKey>, tasks: &[TaskRow], complete: bool) -> BTreeMap<RunKey, RunState> {
    let mut by_run: BTreeMap<RunKey, Vec<&TaskRow>> = BTreeMap::new();
    for task in tasks {
        let key = (task.dag_id.clone(), task.dag_run_id.clone());
        if running.contains(&key) {
            by_run.entry(key).or_default().push(task);
        }
    }
    by_run.into_iter().map(|(key, tasks)| (key, running_state(&tasks, complete))).collect()
}

fn running_state(tasks: &[&TaskRow], complete: bool) -> RunState {
    let any = |states: &[&str]| tasks.iter().find(|task| task.state.as_deref().is_some_and(|s| states.contains(&s)));
    if let Some(task) = first_failed(tasks) {
        return RunState::Doomed { task: task_name(task) };
    }
    if let Some(task) = any(&["up_for_retry"]) {
        return RunState::Retrying { task: task_name(task) };
    }
    let busy = any(&["running", "queued", "scheduled", "restarting"]).is_some();
    match any(&["up_for_reschedule", "deferred"]) {
        Some(task) if !busy && complete => RunState::Waiting { task: task_name(task) },
        _ => RunState::Running,
    }
}

/// The task that finally failed first. `upstream_failed` is only its consequence.
pub(super) fn first_failed<'a>(tasks: &[&'a TaskRow]) -> Option<&'a TaskRow> {
    let failed = tasks.iter().filter(|task| task.state.as_deref() == Some("failed"));
    // A failed task without an end sorts last: `None` is "later than any".
    failed.copied().min_by_key(|task| (task.end_date.is_none(), task.end_date, task.task_id.clone(), task.map_index))
}

pub(super) fn task_name(task: &TaskRow) -> String {
    if task.map_index < 0 { line(&task.task_id) } else { line(&format!("{}[{}]", task.task_id, task.map_index)) }
}

/// One item for each subject that exists (as far as the last listing knows), with its newest runs.
pub(super) fn items(
    subjects: &[Id],
    known: Option<&BTreeSet<Id>>,
    rows: Vec<RunRow>,
    refined: &BTreeMap<RunKey, RunState>,
) -> Vec<Item> {
    let mut by_dag: BTreeMap<String, BTreeMap<String, RunRow>> = BTreeMap::new();
    for row in rows {
        // Pages may overlap while runs are being created: the same run twice is one.
        by_dag.entry(row.dag_id.clone()).or_default().insert(row.dag_run_id.clone(), row);
    }
    let mut items = Vec::new();
    for subject in subjects {
        let rows = by_dag.remove(subject.as_str());
        if rows.is_none() && known.is_some_and(|known| !known.contains(subject)) {
            continue;
        }
        let runs: Result<Vec<Run>, String> =
            rows.into_iter().flat_map(BTreeMap::into_values).map(|row| run(row, refined)).collect();
        let fact = match runs {
            Ok(runs) => Fact::Runs(newest(runs)),
            Err(reason) => Fact::Suspicious(reason),
        };
        items.push(Item { subject: subject.clone(), fact });
    }
    items
}

/// The runs of the past, one item for each DAG that has any. A state that nobody knows is no history.
pub(super) fn past(rows: Vec<RunRow>) -> Result<Vec<Item>, String> {
    // Pages may overlap: the same run twice is one.
    let mut by_dag: BTreeMap<String, BTreeMap<String, Run>> = BTreeMap::new();
    for row in rows {
        let (dag, id) = (row.dag_id.clone(), row.dag_run_id.clone());
        by_dag.entry(dag).or_default().insert(id, run(row, &BTreeMap::new())?);
    }
    let item = |(dag, runs): (String, BTreeMap<String, Run>)| Item {
        subject: Id::from(dag),
        fact: Fact::Runs(runs.into_values().collect()),
    };
    Ok(by_dag.into_iter().map(item).collect())
}

fn newest(mut runs: Vec<Run>) -> Vec<Run> {
    runs.sort_by(|a, b| (b.scheduled_at, &b.id).cmp(&(a.scheduled_at, &a.id)));
    runs.truncate(RUNS_PER_SUBJECT);
    runs
}

fn run(row: RunRow, refined: &BTreeMap<RunKey, RunState>) -> Result<Run, String> {
    let kind = match row.run_type.as_str() {
        "manual" => RunKind::Manual,
        "backfill" => RunKind::Backfill,
        "scheduled" => RunKind::Scheduled,
        // `asset_triggered` and its younger kin.
        _ => RunKind::Triggered,
    };
    let scheduled_at = match kind {
        RunKind::Manual => row.data_interval_end.or(row.logical_date).unwrap_or(row.run_after),
        _ => row.run_after,
    };
    let state = match row.state.as_str() {
        "queued" => RunState::Queued,
        "running" => refined.get(&(row.dag_id, row.dag_run_id.clone())).cloned().unwrap_or(RunState::Running),
        "success" => RunState::Success,
        "failed" => RunState::Failed,
        other => return Err(line(&format!("a run has the state \"{other}\", which is not known"))),
    };
    Ok(Run { id: line(&row.dag_run_id), kind, scheduled_at, started_at: row.start_date, ended_at: row.end_date, state })
}

/// A DAG of the listing; `None` for one that is gone (stale, and not for an import error), and for an id that Airflow itself would
/// not take.
pub(super) fn member(row: DagRow) -> Option<Member> {
    let sound = row.dag_id.chars().count() <= ID_CHARS && line(&row.dag_id) == row.dag_id && !row.dag_id.is_empty();
    let gone = row.is_stale.unwrap_or(false) && !row.has_import_errors.unwrap_or(false);
    (sound && !gone).then(|| Member {
        subject: Id::from(row.dag_id.as_str()),
        tags: row.tags.iter().map(|tag| line(&tag.name)).collect(),
        owners: row.owners.iter().map(|owner| line(owner)).collect(),
        paused: row.is_paused,
        import_error: row.has_import_errors.unwrap_or(false),
        next_run_at: row.next_dagrun_run_after,
    })
}

/// The last error line of a task's log: the exception that Airflow reports at the end of a failed try, else the last entry of
/// level error, else the last line that looks like an exception.
pub(super) fn last_error(log: &Log) -> Option<String> {
    let newest = || log.content.iter().rev();
    let found = newest().find_map(exception).or_else(|| newest().find_map(error_entry)).or_else(|| newest().find_map(error_text));
    found.map(|text| line(&text)).filter(|text| !text.is_empty())
}

/// `error_detail[0]` is the exception that was raised; those after it are its causes.
fn exception(entry: &Value) -> Option<String> {
    let raised = entry.get("error_detail")?.get(0)?;
    let kind = raised.get("exc_type")?.as_str()?;
    match raised.get("exc_value").and_then(Value::as_str).unwrap_or_default() {
        "" => Some(kind.to_owned()),
        value => Some(format!("{kind}: {value}")),
    }
}

fn error_entry(entry: &Value) -> Option<String> {
    let level = entry.get("level")?.as_str()?;
    let loud = ["error", "critical", "exception", "fatal"].iter().any(|l| level.eq_ignore_ascii_case(l));
    let event = entry.get("event")?.as_str().filter(|_| loud)?;
    event.lines().rev().find(|l| !l.trim().is_empty()).map(str::to_owned)
}

/// `package.SomeError: what` at the start of a line, as Python ends a traceback, or a line that names its level.
fn error_text(entry: &Value) -> Option<String> {
    let text = entry.as_str().or_else(|| entry.get("event")?.as_str())?;
    let looks_like = |text: &&str| {
        let word = text.split([':', ' ']).next().unwrap_or_default();
        word.ends_with("Error") || word.ends_with("Exception") || text.contains(" ERROR ") || text.starts_with("ERROR")
    };
    text.lines().rev().find(looks_like).map(str::to_owned)
}

//! Rows to observations: pure, and the same rows give the same answer.

use super::super::lines;
use super::super::time::{Time, read};
use super::rows::{ErrorRow, TaskRow, Tasks};
use crate::core::observation::{Fact, Failure, Item, Member, RUNS_PER_SUBJECT, Run, RunKind, RunState};
use crate::core::plan::{Id, glob};
use crate::core::time::Instant;
use crate::net::line;
use serde_json::Value;
use std::collections::BTreeMap;

/// A dependency of which luigid was not told yet, or which it has forgotten: no task of its own.
const UNKNOWN: &str = "UNKNOWN";
/// The longest name of a family that is believed to be one.
const FAMILY_CHARS: usize = 250;

/// The ids of tasks with their rows.
type Rows<'a> = Vec<(&'a str, &'a TaskRow)>;

/// `graph` has a row for every dependency that it names, a placeholder where it knows none: one without was cut off.
pub(super) fn is_whole(tasks: &Tasks) -> bool {
    tasks.only_counted.is_none() && tasks.rows.values().flat_map(|row| &row.deps).all(|dep| tasks.rows.contains_key(dep))
}

/// One item for each subject of which luigid knows a task.
pub(super) fn items(subjects: &[Id], tasks: &Tasks, since: Instant) -> Vec<Item> {
    let blockers = blockers(tasks);
    let own = || tasks.rows.iter().filter(|(_, row)| row.status != UNKNOWN).map(|(id, row)| (id.as_str(), row));
    let mut by_family: BTreeMap<&str, Rows<'_>> = BTreeMap::new();
    for (id, row) in own() {
        by_family.entry(row.name.as_str()).or_default().push((id, row));
    }
    let mut items = Vec::new();
    for subject in subjects {
        let rows: Rows<'_> = if subject.as_str().contains(['*', '?']) {
            own().filter(|(id, _)| glob(subject.as_str(), id)).collect()
        } else {
            by_family.get(subject.as_str()).cloned().unwrap_or_default()
        };
        if rows.is_empty() {
            continue;
        }
        let runs: Result<Vec<Run>, String> = rows.into_iter().map(|(id, row)| run(id, row, &blockers)).collect();
        let fact = match runs {
            Ok(runs) => Fact::Runs(chosen(runs, since)),
            Err(reason) => Fact::Suspicious(reason),
        };
        items.push(Item { subject: subject.clone(), fact });
    }
    items
}

fn run(id: &str, row: &TaskRow, blockers: &BTreeMap<&str, &str>) -> Result<Run, String> {
    let (state, ended) = match row.status.as_str() {
        "DONE" => (RunState::Success, true),
        "FAILED" | "DISABLED" => (RunState::Failed, true),
        "RUNNING" | "BATCH_RUNNING" => (RunState::Running, false),
        "PENDING" | "SUSPENDED" => match blockers.get(id) {
            Some(blocker) => (RunState::Waiting { task: line(blocker) }, false),
            None => (RunState::Queued, false),
        },
        other => return Err(line(&format!("task {id} has the status \"{other}\", which is not known"))),
    };
    let (taken_up, heard_of) = (time(id, &row.time_running)?, time(id, &row.start_time)?);
    let Some(scheduled_at) = taken_up.or(heard_of) else { return Err(line(&format!("task {id} has no time"))) };
    // A pending task was taken up for an earlier try.
    let waits = matches!(state, RunState::Queued | RunState::Waiting { .. });
    Ok(Run {
        id: line(id),
        kind: RunKind::Part,
        scheduled_at,
        started_at: taken_up.filter(|_| !waits),
        ended_at: if ended { time(id, &row.last_updated)? } else { None },
        state,
    })
}

fn time(id: &str, value: &Value) -> Result<Option<Instant>, String> {
    match read(value) {
        Time::At(at) => Ok(Some(at)),
        Time::Never => Ok(None),
        Time::NoZone | Time::Unreadable => Err(line(&format!("task {id} has a time that cannot be read"))),
    }
}

/// At most [`RUNS_PER_SUBJECT`]: what is not done always goes before what is, failed first; what is done only since the asked
/// instant. What is open from before that can belong to no open window, and gets half of the places at most.
fn chosen(mut runs: Vec<Run>, since: Instant) -> Vec<Run> {
    let rank = |run: &Run| match run.state {
        RunState::Failed => 0,
        RunState::Success => 2,
        _ => 1,
    };
    // Of those that are done the last one says when all had arrived.
    runs.sort_by(|a, b| {
        let last =
            |run: &Run| if run.state == RunState::Success { run.ended_at.unwrap_or(run.scheduled_at) } else { run.scheduled_at };
        rank(a).cmp(&rank(b)).then(last(b).cmp(&last(a))).then(a.id.cmp(&b.id))
    });
    let (mut runs, mut older): (Vec<Run>, Vec<Run>) = runs.into_iter().partition(|run| run.scheduled_at >= since);
    older.retain(|run| run.state != RunState::Success);
    older.truncate(RUNS_PER_SUBJECT / 2);
    runs.truncate(RUNS_PER_SUBJECT - older.len());
    runs.extend(older);
    runs
}

/// For each task that waits, the family of what it waits for: a dependency, however far up, that has failed, or that nobody is there
/// to run. A dependency that runs or will run is no reason to wait for anything else.
fn blockers(tasks: &Tasks) -> BTreeMap<&str, &str> {
    let mut needed_by: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (id, row) in &tasks.rows {
        for dep in &row.deps {
            needed_by.entry(dep).or_default().push(id);
        }
    }
    let is = |row: &TaskRow, words: &[&str]| words.contains(&row.status.as_str());
    let failed = tasks.rows.iter().filter(|(_, row)| is(row, &["FAILED", "DISABLED"]));
    // An `ExternalTask` whose data is not there waits for itself.
    let missing = |row: &TaskRow| is(row, &[UNKNOWN]) || (is(row, &["PENDING"]) && row.workers.is_empty() && row.deps.is_empty());
    let external = tasks.rows.iter().filter(|(_, row)| missing(row));
    let mut found: BTreeMap<&str, &str> = BTreeMap::new();
    // A failure is the better reason; of several alike the first by id. Each task is entered once, whatever loops the answer has.
    for (root, row) in failed.chain(external) {
        let name = if row.name.is_empty() { root } else { &row.name };
        let mut open: Vec<&str> = if row.status == "PENDING" { vec![root] } else { dependents(&needed_by, root) };
        while let Some(id) = open.pop() {
            let waits = tasks.rows.get(id).is_some_and(|row| is(row, &["PENDING", "SUSPENDED"]));
            if waits && !found.contains_key(id) {
                found.insert(id, name);
                open.extend(dependents(&needed_by, id));
            }
        }
    }
    found
}

fn dependents<'a>(needed_by: &BTreeMap<&str, Vec<&'a str>>, id: &str) -> Vec<&'a str> {
    needed_by.get(id).cloned().unwrap_or_default()
}

/// The families of the tasks that luigid knows now.
pub(super) fn members(tasks: &Tasks) -> Vec<Member> {
    let sound = |name: &str| !name.is_empty() && name.chars().count() <= FAMILY_CHARS && line(name) == name;
    let families = tasks.rows.values().filter(|row| row.status != UNKNOWN).map(|row| row.name.as_str()).filter(|name| sound(name));
    let member = |name: &str| Member {
        subject: Id::from(name),
        tags: Vec::new(),
        owners: Vec::new(),
        paused: false,
        import_error: false,
        next_run_at: None,
    };
    families.collect::<std::collections::BTreeSet<_>>().into_iter().map(member).collect()
}

pub(super) fn failure(row: ErrorRow) -> Failure {
    let text = row.error.unwrap_or_default();
    // Encoded twice; a worker of another make may have sent plain text.
    let text = serde_json::from_str::<String>(&text).unwrap_or(text);
    let error = lines::last_error(&text).or_else(|| lines::last(&text)).map(line).filter(|line| !line.is_empty());
    Failure { task: row.family.as_deref().map(line).filter(|name| !name.is_empty()), try_number: None, error }
}

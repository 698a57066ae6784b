//! The evidence: what was seen of one check, held against one cycle. No deadline, no forecast, no words.

use super::cycle::Cycle;
use super::message::NotStarted;
use super::observation::{Run, RunKind, RunState};
use super::plan::{Check, DateShift, Evidence, Id, Plan};
use super::roster::Known;
use super::state::{Arrival, CheckState, Seen, SourceState};
use super::time::Instant;
use chrono::{NaiveDate, TimeDelta};
use std::collections::BTreeMap;

/// Where a check stands in a cycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    NotDue,
    NotWatched,
    Arrived(Arrival),
    Failed {
        run: String,
        at: Option<Instant>,
        doomed: Option<String>,
    },
    Unseen(Unseen),
    /// A run is under way or queued. `rerun`: it had arrived, and was started again.
    Running {
        run: String,
        state: RunState,
        since: Instant,
        started_at: Option<Instant>,
        rerun: bool,
    },
    NotStarted(NotStarted),
    NoData {
        newest: Option<Instant>,
    },
}

/// Why a check cannot be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unseen {
    /// Its source does not answer.
    Dark,
    /// Its source has not been asked lately; a question is due right now.
    NotAsked,
    Vanished,
    Suspicious(String),
    FutureData(Instant),
    /// Its path has a date that its calendar no longer knows.
    CalendarEnded(Id),
}

/// So many unanswered questions in a row, or so long, make a source dark; one lost answer does not.
pub(super) const DARK_TRIES: u32 = 3;
pub(super) const DARK_AFTER: TimeDelta = TimeDelta::minutes(5);
/// Clocks of two machines differ; data further in the future than this is not believed.
const FUTURE_TOLERANCE: TimeDelta = TimeDelta::minutes(5);

impl Standing {
    /// Nothing more is waited for.
    pub fn is_settled(&self) -> bool {
        matches!(self, Self::NotDue | Self::NotWatched | Self::Arrived(_))
    }
}

/// How old an answer may be until it no longer says anything of now.
pub fn stale_after(every: TimeDelta) -> TimeDelta {
    (every * 3).max(DARK_AFTER)
}

/// Is a sweep of it under way, of which a part was heard?
pub fn is_being_swept(source: &SourceState) -> bool {
    source.dark.is_none() && source.asked_at > source.swept_at
}

/// `None`: the source can be seen.
pub fn unseen(source: &SourceState, every: TimeDelta, at: Instant) -> Option<Unseen> {
    match (&source.dark, source.swept_at) {
        // One lost answer takes nothing from what was known a moment before, but adds nothing to what is from hours ago.
        (Some(dark), Some(swept)) if dark.tries < DARK_TRIES && at - dark.since < DARK_AFTER => {
            ((dark.since - swept).abs() > stale_after(every)).then_some(Unseen::NotAsked)
        }
        (Some(_), _) => Some(Unseen::Dark),
        // A sweep "in the future" is from before the clock was set back.
        (None, Some(swept)) if (at - swept).abs() <= stale_after(every) => None,
        (None, _) => Some(Unseen::NotAsked),
    }
}

/// The next instant at which `unseen` may change by time alone.
pub fn unseen_holds_until(source: &SourceState, every: TimeDelta, at: Instant) -> Option<Instant> {
    let until = match (&source.dark, source.swept_at) {
        (Some(dark), _) => dark.since + DARK_AFTER,
        (None, Some(swept)) => swept + stale_after(every) + TimeDelta::seconds(1),
        (None, None) => return None,
    };
    (until > at).then_some(until)
}

pub fn standing(known: &Known, check: &CheckState, source: &SourceState, cycle: &Cycle, plan: &Plan, at: Instant) -> Standing {
    if !is_due(known, check, source, cycle, plan) {
        return Standing::NotDue;
    }
    if check.known_since > cycle.deadline || check.silent_until_success {
        return Standing::NotWatched;
    }
    let stuck = check.arrivals.iter().rev().find(|arrival| arrival.cycle == cycle.key);
    // A deadline that was met stays met: what is run again after it is for the next readers.
    if let Some(arrival) = stuck.filter(|arrival| at >= cycle.deadline && arrival.at <= cycle.deadline) {
        return Standing::Arrived(arrival.clone());
    }
    match (stuck, evidence(known, check, source, cycle, plan)) {
        // Arrival sticks; only a newer run of the same business date, or the same run cleared, takes it back.
        (Some(_), Standing::Running { run, state, since, started_at, .. }) => {
            Standing::Running { run, state, since, started_at, rerun: true }
        }
        (Some(_), failed @ Standing::Failed { .. }) => failed,
        (Some(arrival), _) => Standing::Arrived(arrival.clone()),
        (None, arrived_or_failed @ (Standing::Arrived(_) | Standing::Failed { .. })) => arrived_or_failed,
        (None, other) => {
            let every = plan.sources.get(&known.check.source).map_or(DARK_AFTER, |source| source.every);
            unseen(source, every, at).map_or(other, Standing::Unseen)
        }
    }
}

fn is_due(known: &Known, check: &CheckState, source: &SourceState, cycle: &Cycle, plan: &Plan) -> bool {
    if let Some(on) = &known.check.on {
        return on.holds(cycle.key.date, &plan.calendars).unwrap_or(true);
    }
    if check.arrivals.iter().any(|arrival| arrival.cycle == cycle.key)
        || matches!(&check.seen, Some(Seen::Runs(runs)) if runs.iter().any(|run| counts(run, &known.check, cycle, plan)))
    {
        return true;
    }
    // The source's own schedule: it has not run in this window, and will not before the next one.
    let next = source.members.of(&known.check.subject).filter(|member| !member.paused).and_then(|member| member.next_run_at);
    next.is_none_or(|next| next < cycle.window_closes(&known.check, plan))
}

fn counts(run: &Run, check: &Check, cycle: &Cycle, plan: &Plan) -> bool {
    run.kind != RunKind::Backfill
        && run.scheduled_at >= cycle.runs_from(check, plan)
        && run.scheduled_at < cycle.window_closes(check, plan)
}

/// Has a run that counts in the cycle failed, whatever came after it?
pub(super) fn had_failed_run(known: &Known, check: &CheckState, cycle: &Cycle, plan: &Plan) -> bool {
    let Some(Seen::Runs(runs)) = &check.seen else { return false };
    runs.iter().any(|run| run.state.is_failed() && counts(run, &known.check, cycle, plan))
}

fn evidence(known: &Known, check: &CheckState, source: &SourceState, cycle: &Cycle, plan: &Plan) -> Standing {
    match &check.seen {
        Some(Seen::Runs(runs)) => of_runs(runs, known, source, cycle, plan),
        Some(Seen::Timestamp { newest, first_seen_at }) => of_timestamp(*newest, *first_seen_at, known, cycle, plan),
        Some(Seen::Dated { arrived, seen_at }) => of_dated(arrived, *seen_at, known, cycle, plan),
        Some(Seen::Suspicious(why)) => Standing::Unseen(Unseen::Suspicious(why.clone())),
        Some(Seen::Absent { .. }) => absent(known, plan),
        None => Standing::Unseen(Unseen::NotAsked),
    }
}

/// Where a check stands that its source does not know.
pub(super) fn absent(known: &Known, plan: &Plan) -> Standing {
    // Not started, or done and forgotten: nobody can tell, so it is neither green nor red.
    let forgets = plan.sources.get(&known.check.source).is_some_and(|source| source.kind.forgets());
    if forgets { Standing::NotStarted(NotStarted::Forgotten) } else { Standing::Unseen(Unseen::Vanished) }
}

/// `runs`: newest first.
fn of_runs(runs: &[Run], known: &Known, source: &SourceState, cycle: &Cycle, plan: &Plan) -> Standing {
    let mut counting = runs.iter().filter(|run| counts(run, &known.check, cycle, plan));
    let Some(newest) = counting.next() else { return Standing::NotStarted(not_started(known, source)) };
    if newest.kind == RunKind::Part {
        let parts: Vec<&Run> = counting.chain([newest]).collect();
        return of_parts(&parts, cycle);
    }
    let under_way = |run: &Run| {
        matches!(run.state, RunState::Queued | RunState::Running | RunState::Retrying { .. } | RunState::Waiting { .. })
    };
    let is_next = |run: &Run| under_way(run) && run.kind != RunKind::Manual;
    let deciding = match newest.state {
        // With `run` given, one success at or after that time is what was asked for.
        _ if known.check.run.is_some() && newest.state != RunState::Success => {
            counting.find(|run| run.state == RunState::Success).unwrap_or(newest)
        }
        // The next scheduled run of a pipeline that runs several times a day takes no success back, and heals no failure before it
        // has ended; a rerun by hand does both, whatever the schedule starts meanwhile.
        _ if is_next(newest) => counting.find(|run| !is_next(run)).unwrap_or(newest),
        _ => newest,
    };
    of_run(deciding, cycle)
}

/// Where the run that decides stands.
fn of_run(deciding: &Run, cycle: &Cycle) -> Standing {
    short_of_success(deciding).unwrap_or_else(|| {
        Standing::Arrived(Arrival {
            cycle: cycle.key.clone(),
            at: deciding.ended_at.or(deciding.started_at).unwrap_or(deciding.scheduled_at),
            run: Some(deciding.id.clone()),
        })
    })
}

/// Where a run stands that has not succeeded, whatever the cycle is; `None`: it has.
pub(super) fn short_of_success(run: &Run) -> Option<Standing> {
    Some(match &run.state {
        RunState::Success => return None,
        RunState::Failed => Standing::Failed { run: run.id.clone(), at: run.ended_at, doomed: None },
        RunState::Lost => Standing::NotStarted(NotStarted::Forgotten),
        RunState::Doomed { task } => Standing::Failed { run: run.id.clone(), at: None, doomed: Some(task.clone()) },
        state => Standing::Running {
            run: run.id.clone(),
            state: state.clone(),
            since: run.started_at.unwrap_or(run.scheduled_at),
            started_at: run.started_at,
            rerun: false,
        },
    })
}

/// Several tasks that are the pipeline together: arrived with the last of them. `parts` is not empty.
fn of_parts(parts: &[&Run], cycle: &Cycle) -> Standing {
    let ended_at = |run: &Run| run.ended_at.or(run.started_at).unwrap_or(run.scheduled_at);
    // The worst decides; of several alike the first that got there.
    let rank = |run: &Run| match run.state {
        RunState::Failed | RunState::Doomed { .. } => 0,
        RunState::Running | RunState::Retrying { .. } => 1,
        RunState::Lost => 2,
        RunState::Queued | RunState::Waiting { .. } => 3,
        RunState::Success => 4,
    };
    let worst = parts.iter().min_by_key(|run| (rank(run), ended_at(run)));
    match worst {
        Some(run) if run.state != RunState::Success => of_run(run, cycle),
        _ => parts
            .iter()
            .max_by_key(|run| ended_at(run))
            .map_or(Standing::NotStarted(NotStarted::NoReason), |run| of_run(run, cycle)),
    }
}

fn not_started(known: &Known, source: &SourceState) -> NotStarted {
    match source.members.of(&known.check.subject) {
        Some(member) if member.import_error => NotStarted::ImportError,
        Some(member) if member.paused => NotStarted::Paused,
        Some(member) => member.next_run_at.map_or(NotStarted::NoReason, NotStarted::Scheduled),
        None => NotStarted::NoReason,
    }
}

fn of_timestamp(newest: Option<Instant>, first_seen_at: Instant, known: &Known, cycle: &Cycle, plan: &Plan) -> Standing {
    let Some(newest) = newest else { return Standing::NoData { newest: None } };
    if let Some(ahead) = ahead(newest, first_seen_at) {
        return Standing::Unseen(ahead);
    }
    let arrived_at = match known.check.evidence {
        Evidence::DataTime { through } => (newest >= through.on(cycle.key.date, plan.timezone)).then_some(first_seen_at),
        Evidence::Pipeline | Evidence::ArrivalTime => (newest >= cycle.window_opens(&known.check, plan)).then_some(newest),
    };
    match arrived_at {
        Some(arrived) => Standing::Arrived(Arrival { cycle: cycle.key.clone(), at: arrived, run: None }),
        None => Standing::NoData { newest: Some(newest) },
    }
}

/// Held against the instant at which it was seen: a wrong time does not become right by waiting.
pub(super) fn ahead(newest: Instant, seen_at: Instant) -> Option<Unseen> {
    (newest > seen_at + FUTURE_TOLERANCE).then_some(Unseen::FutureData(newest))
}

fn of_dated(
    arrived: &BTreeMap<NaiveDate, Option<Instant>>,
    seen_at: Instant,
    known: &Known,
    cycle: &Cycle,
    plan: &Plan,
) -> Standing {
    let date = known.check.dated.as_ref().and_then(|shift| shift.from(cycle.key.date, &plan.calendars));
    if let (None, Some(DateShift::Workdays { calendar, .. })) = (date, &known.check.dated) {
        return Standing::Unseen(Unseen::CalendarEnded(calendar.clone()));
    }
    match date.and_then(|date| arrived.get(&date)) {
        Some(Some(at)) => ahead(*at, seen_at)
            .map_or_else(|| Standing::Arrived(Arrival { cycle: cycle.key.clone(), at: *at, run: None }), Standing::Unseen),
        Some(None) => Standing::NoData { newest: arrived.values().flatten().max().copied() },
        // A cycle that has just opened: the question for its date is due now.
        None => Standing::Unseen(Unseen::NotAsked),
    }
}

//! Patience: until when a word about an incident may wait, because its trouble may go by itself or is expected, or an answer is on its
//! way. Decides nothing about whom to tell, and never waits past the moment at which people must know.

use super::facts;
use super::incident;
use super::maintenance;
use super::plan::{Id, Plan};
use super::standing::{self, Unseen};
use super::state::{Cause, CycleKey, Decision, Incident, Reason, State, Verdict};
use super::time::Instant;
use super::tx::Tx;
use chrono::TimeDelta;
use std::collections::BTreeSet;

/// Trouble to see is told no sooner than so long after it began: most of it goes by itself …
const PATIENCE: TimeDelta = TimeDelta::minutes(10);
/// … but so long before act-by, that people can look for themselves; and at the latest so long before it.
const BEFORE_ACT_BY: TimeDelta = TimeDelta::minutes(90);
const BEFORE_ACT_BY_AT_LATEST: TimeDelta = TimeDelta::minutes(10);
/// A message waits so long for an answer from after a start or a suspend.
const SIGHT_WAIT: TimeDelta = TimeDelta::minutes(2);
/// A message waits at most so long for the end of a sweep; where a source is asked more often, no longer than from one to the next.
const SWEEP_WAIT: TimeDelta = TimeDelta::seconds(60);
/// A message waits so long for the reason of a failure that is being fetched.
const FAILURE_WAIT: TimeDelta = TimeDelta::seconds(60);
/// Who is there looks within so long of the end of a wait.
const LOOKS_WITHIN: TimeDelta = TimeDelta::seconds(5);

/// Unknown is told before act-by, not at the first timeout. `None`: at once.
pub(super) fn speaks_from(state: &State, incident: &Incident, cycles: &BTreeSet<CycleKey>) -> Option<Instant> {
    if !may_come_back(incident) || matches!(incident.cause, Cause::Calendar(_)) {
        return None;
    }
    Some(in_danger_from(state, incident, cycles).unwrap_or(incident.since + PATIENCE))
}

/// Until when nothing is said because all of it is in maintenance, and no deadline is in danger. What may come back by itself has a
/// moment after the window's end to do so.
pub(super) fn maintenance_until(
    state: &State,
    plan: &Plan,
    incident: &Incident,
    cycles: &BTreeSet<CycleKey>,
    at: Instant,
) -> Option<Instant> {
    let moment = if may_come_back(incident) { PATIENCE } else { TimeDelta::zero() };
    let now = maintenance::of_incident(plan, incident, at);
    let ends = now.or_else(|| maintenance::of_incident(plan, incident, at - moment))? + moment;
    let danger = in_danger_from(state, incident, cycles);
    Some(danger.map_or(ends, |danger| danger.min(ends))).filter(|until| at < *until)
}

fn may_come_back(incident: &Incident) -> bool {
    incident.verdict == Verdict::Unknown || matches!(incident.cause, Cause::Scheduler(_))
}

/// From when on the earliest of these deadlines is in danger. `None`: there is none.
fn in_danger_from(state: &State, incident: &Incident, cycles: &BTreeSet<CycleKey>) -> Option<Instant> {
    let deadline = cycles.iter().filter_map(|key| state.cycles.get(key)).map(|cycle| cycle.deadline).min();
    let act_by = cycles.iter().filter_map(|key| facts::act_by(state, incident, key)).min().or(deadline)?;
    let at_latest = (act_by - BEFORE_ACT_BY_AT_LATEST).max(incident.since);
    Some((incident.since + PATIENCE).max(act_by - BEFORE_ACT_BY).min(at_latest))
}

/// Until when an answer that is on its way is waited for, and which.
pub(super) fn waits_for_answer(
    tx: &Tx<'_>,
    incident: &Incident,
    to: &Id,
    cycles: &BTreeSet<CycleKey>,
) -> Option<(Instant, Reason)> {
    let sight = waits_for_sight(tx, incident, to, cycles).or_else(|| waits_for_sweep(tx, incident));
    let sight = sight.map(|until| (until, Reason::SightAwaited));
    sight.or_else(|| Some((waits_for_failure(tx, incident, to)?, Reason::FailureAwaited)))
}

/// After a start or a suspend, what is known is old: a question is on its way, and its answer (or that none came) decides. Should
/// neither come, the word goes out as it is.
fn waits_for_sight(tx: &Tx<'_>, incident: &Incident, to: &Id, cycles: &BTreeSet<CycleKey>) -> Option<Instant> {
    let waiting = cycles.iter().filter_map(|key| incident.impact.get(key)).flat_map(|impact| &impact.waiting);
    let unasked = waiting.filter_map(|id| tx.state.roster.place(id)).any(|ix| {
        let id = &tx.state.roster.checks[ix].check.source;
        let known = tx.state.sources.get(id).zip(tx.plan.sources.get(id));
        known.is_some_and(|(source, setup)| standing::unseen(source, setup.every, tx.at) == Some(Unseen::NotAsked))
    });
    if !unasked {
        return None;
    }
    waits(incident, to, SIGHT_WAIT, tx.at)
}

/// Until when an answer is waited for: one wait may follow the other, but none begins when one has ended. Where it ended while nobody
/// was there to look (the program was down, the machine slept), or lies further ahead than it may (the clock was set back), it begins
/// anew.
fn waits(incident: &Incident, to: &Id, wait: TimeDelta, at: Instant) -> Option<Instant> {
    let began = incident.decided.iter().find_map(|(chat, decision, reason)| match decision {
        Decision::Hold { until } if chat.as_ref() == Some(to) => {
            matches!(reason, Reason::SightAwaited | Reason::FailureAwaited).then_some(*until)
        }
        _ => None,
    });
    let until = began.filter(|until| (*until - wait..=*until + LOOKS_WITHIN).contains(&at)).unwrap_or(at + wait);
    (at < until).then_some(until)
}

/// A sweep that is told in parts shows one trouble after the other: the first word waits for its end, so that it counts them all.
fn waits_for_sweep(tx: &Tx<'_>, incident: &Incident) -> Option<Instant> {
    let Cause::Check(cause) = &incident.cause else { return None };
    let id = &tx.state.roster.checks[tx.state.roster.place(cause)?].check.source;
    let under_way = incident.told.is_empty() && standing::is_being_swept(tx.state.sources.get(id)?);
    let wait = tx.plan.sources.get(id).map_or(SWEEP_WAIT, |source| source.every.min(SWEEP_WAIT));
    Some(incident.opened_at + wait).filter(|until| under_way && tx.at < *until)
}

/// Several that failed look alike until their reasons are known.
fn waits_for_failure(tx: &Tx<'_>, incident: &Incident, to: &Id) -> Option<Instant> {
    if incident.verdict != Verdict::Failed || !incident.told.is_empty() {
        return None;
    }
    // Known of the cause, and of enough of those that may be like it.
    let Cause::Check(cause) = &incident.cause else { return None };
    let sample = incident.alike.iter().take(incident::SAMPLE).chain([cause]);
    let known = |id: &Id| incident::current_failure(tx.state, id).is_some();
    if sample.into_iter().all(known) {
        return None;
    }
    waits(incident, to, FAILURE_WAIT, tx.at)
}

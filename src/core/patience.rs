//! Patience: until when a word about an incident may wait, because its trouble may go by itself or is expected. Decides nothing
//! about whom to tell, and never waits past the moment at which people must know.

use super::facts;
use super::maintenance;
use super::plan::Plan;
use super::state::{Cause, CycleKey, Incident, State, Verdict};
use super::time::Instant;
use chrono::TimeDelta;
use std::collections::BTreeSet;

/// Trouble to see is told no sooner than so long after it began: most of it goes by itself …
const PATIENCE: TimeDelta = TimeDelta::minutes(10);
/// … but so long before act-by, that people can look for themselves; and at the latest so long before it.
const BEFORE_ACT_BY: TimeDelta = TimeDelta::minutes(90);
const BEFORE_ACT_BY_AT_LATEST: TimeDelta = TimeDelta::minutes(10);

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

//! What people have set aside: mutes, snoozes and acks, as far as they bear on an incident. Never on its last word.

use super::command::Muted;
use super::plan::{Id, Plan};
use super::roster::Ix;
use super::state::{Cause, CycleKey, Incident, Reason, State};
use super::time::Instant;
use super::tx::Tx;
use std::collections::BTreeSet;

/// Until when nothing is to be said of the incident at all, and why.
pub(super) fn hushed(state: &State, plan: &Plan, at: Instant, incident: &Incident) -> Option<(Instant, Reason)> {
    let snoozed = incident.snooze.as_ref().and_then(|snooze| snooze.holds(at)).map(|until| (until, Reason::Snoozed));
    let muted = muted(state, plan, at, incident).map(|until| (until, Reason::Muted));
    snoozed.into_iter().chain(muted).max_by_key(|(until, _)| *until)
}

/// Until when all that it is about is muted: itself, or its source. One of many alike that is not makes it everybody's again.
fn muted(state: &State, plan: &Plan, at: Instant, incident: &Incident) -> Option<Instant> {
    let of_source = |id: &Id| mute(state, &Muted::Source(id.clone()), at);
    match &incident.cause {
        Cause::Check(id) => {
            let all = incident.alike.iter().chain([id]).map(|id| check_muted(state, id, at));
            all.collect::<Option<Vec<Instant>>>()?.into_iter().min()
        }
        Cause::Source(id) | Cause::Scheduler(id) | Cause::Clock(id) => of_source(id),
        Cause::Group(id) => plan.groups.get(id).and_then(|group| of_source(&group.source)),
        Cause::Calendar(_) | Cause::Watch(_) => None,
    }
}

/// Until when the check is muted, by its own name or by that of its source.
pub(super) fn check_muted(state: &State, id: &Id, at: Instant) -> Option<Instant> {
    let of_source = |ix: Ix| mute(state, &Muted::Source(state.roster.checks[ix].check.source.clone()), at);
    mute(state, &Muted::Check(id.clone()), at).max(state.roster.place(id).and_then(of_source))
}

/// Is the source muted?
pub(super) fn is_muted(state: &State, id: &Id, at: Instant) -> bool {
    mute(state, &Muted::Source(id.clone()), at).is_some()
}

/// Until when what has this name is muted.
pub(super) fn mute(state: &State, what: &Muted, at: Instant) -> Option<Instant> {
    state.mutes.get(what)?.holds(at)
}

/// Takes the cycles of muted dashboards out; returns when the first of these mutes ends.
pub(super) fn without_muted(tx: &Tx<'_>, cycles: &mut BTreeSet<CycleKey>) -> Option<Instant> {
    let mut ends = None;
    cycles.retain(|key| {
        let until = mute(tx.state, &Muted::Dashboard(key.dashboard.clone()), tx.at);
        ends = [ends, until].into_iter().flatten().min();
        until.is_none()
    });
    ends
}

/// Does it endanger muted dashboards, and no other?
pub(super) fn reaches_muted_only(state: &State, at: Instant, incident: &Incident) -> bool {
    let muted = |key: &CycleKey| mute(state, &Muted::Dashboard(key.dashboard.clone()), at).is_some();
    !incident.outside && !incident.impact.is_empty() && incident.impact.keys().all(muted)
}

/// Until when somebody has it, so that nobody else is to be asked.
pub(super) fn acked(tx: &Tx<'_>, incident: &Incident) -> Option<Instant> {
    incident.ack.as_ref()?.holds(tx.at)
}

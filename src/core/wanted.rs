//! What is wanted for one chat: say it now, hold it until when, or nothing, with the reason; and when the next word comes. Changes
//! nothing.

use super::aside;
use super::facts;
use super::message::{AskedBecause, Next};
use super::patience;
use super::plan::{Chat, Id};
use super::posts;
use super::quiet::quiet_until;
use super::rungs::next_rung;
use super::state::{Attention, CycleKey, Decision, Incident, Reason};
use super::time::Instant;
use super::tx::Tx;
use chrono::TimeDelta;
use std::collections::BTreeSet;

/// An act-by that was passed so short ago can still be met: the reaction time is rounded by more than that.
const WAKE_WITHIN: TimeDelta = TimeDelta::seconds(60);

/// What is wanted for one chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) now: Option<(Attention, Reason)>,
    /// When it is looked at again by time alone, and why it waits.
    pub(super) hold: Option<(Instant, Reason)>,
    /// What is written down where neither is given: why nothing is said.
    pub(super) silent: (Decision, Reason),
}

/// What to say in one chat now. `ask` is the attention that asks a person there.
pub(super) fn wanted(
    tx: &Tx<'_>,
    incident: &Incident,
    (to, chat): (&Id, &Chat),
    cycles: &BTreeSet<CycleKey>,
    ask: Attention,
) -> Wanted {
    let at = tx.at;
    let nothing = Wanted { now: None, hold: None, silent: (Decision::StaySilent, Reason::AlreadyTold) };
    if let Some(until) = posts::retry_broken(tx, to) {
        return Wanted { hold: Some((until, Reason::ChatBroken)), ..nothing };
    }
    if let Some(until) = patience::maintenance_until(tx.state, tx.plan, incident, cycles, at) {
        return Wanted { hold: Some((until, Reason::Maintenance)), ..nothing };
    }
    if let Some(hold) = patience::waits_for_answer(tx, incident, to, cycles) {
        return Wanted { hold: Some(hold), ..nothing };
    }
    if let Some(from) = patience::speaks_from(tx.state, incident, cycles).filter(|from| at < *from) {
        return Wanted { hold: Some((from, Reason::MayComeBack)), ..nothing };
    }
    let said = |reason| Wanted { now: Some((ask, reason)), ..nothing.clone() };
    let Some(quiet_ends) = quiet_until(tx.plan, chat, at) else { return said(Reason::QuietEnded) };
    if cycles.iter().any(|key| tx.state.cycles.get(key).is_some_and(|cycle| at >= cycle.deadline)) {
        return said(Reason::DeadlineReached);
    }
    let act_bys = || {
        let waking = cycles.iter().filter(|key| tx.plan.dashboards.get(&key.dashboard).is_some_and(|dashboard| dashboard.wake));
        waking.filter_map(|key| facts::wakes_at(tx.state, incident, key))
    };
    if act_bys().any(|act_by| act_by <= at && at <= act_by + WAKE_WITHIN) {
        return said(Reason::ActByReached);
    }
    let deadline = cycles.iter().filter_map(|key| tx.state.cycles.get(key)).map(|cycle| cycle.deadline).min();
    let until = act_bys().filter(|act_by| *act_by > at).chain(deadline).fold(quiet_ends, Instant::min);
    Wanted { now: Some((Attention::Post, Reason::FirstWord)), hold: Some((until, Reason::QuietHours)), ..nothing }
}

/// When a person will be asked, as a message says it.
pub(super) fn next_word(tx: &Tx<'_>, incident: &Incident, chat: &Chat, cycles: &BTreeSet<CycleKey>, said: Attention) -> Next {
    let at = tx.at;
    if let Some(until) = aside::acked(tx, incident) {
        return Next::AskedAt { at: until, because: AskedBecause::AckEnds };
    }
    let rung = next_rung(tx, incident, cycles);
    let quiet_ends = quiet_until(tx.plan, chat, at).filter(|_| said < Attention::Notify);
    let Some(ends) = quiet_ends else { return rung.map_or(Next::WhenResolved, Next::EscalatesAt) };
    let deadline = cycles.iter().filter_map(|key| tx.state.cycles.get(key)).map(|cycle| cycle.deadline).filter(|d| *d > at).min();
    let waking = cycles.iter().filter(|key| tx.plan.dashboards.get(&key.dashboard).is_some_and(|dashboard| dashboard.wake));
    let act_by = waking.filter_map(|key| facts::wakes_at(tx.state, incident, key)).filter(|act_by| *act_by > at).min();
    let mut next = (ends, AskedBecause::QuietEnds);
    for (other, because) in [(deadline, AskedBecause::Deadline), (act_by, AskedBecause::ActBy)] {
        if let Some(other) = other.filter(|other| *other < next.0) {
            next = (other, because);
        }
    }
    match rung.filter(|rung| *rung < next.0) {
        Some(rung) => Next::EscalatesAt(rung),
        None => Next::AskedAt { at: next.0, because: next.1 },
    }
}

//! Decisions: to whom, how loud, now or held until when, and why. One pass over the incidents after each fold.
//!
//! A hold is no queued text: it is decided, worded and addressed again when it ends. What heals before that was never said.

use super::aside;
use super::escalate;
use super::facts;
use super::grounds;
use super::heard::{hear, is_worse, unasked, untold};
use super::maintenance;
use super::message::{AskedBecause, Body, Next};
use super::patience;
use super::plan::{Chat, Id, Plan};
use super::posts;
use super::quiet::quiet_until;
use super::state::{About, Attention, CycleKey, Decision, ImpactState, Incident, IncidentId, Phase, PostId, Reason, State, Topic};
use super::time::Instant;
use super::turn;
use super::tx::Tx;
use chrono::TimeDelta;
use std::collections::{BTreeMap, BTreeSet};

/// An act-by that was passed so short ago can still be met: the reaction time is rounded by more than that.
const WAKE_WITHIN: TimeDelta = TimeDelta::seconds(60);
/// An incident's post is not worth sending any more after so long.
const ALERT_KEEPS: TimeDelta = TimeDelta::hours(12);

/// What is wanted for one chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) now: Option<(Attention, Reason)>,
    /// When it is looked at again by time alone, and why it waits.
    pub(super) hold: Option<(Instant, Reason)>,
    /// What is written down where neither is given: why nothing is said.
    pub(super) silent: (Decision, Reason),
}

/// Decides for all incidents; returns when the next decision falls due by time alone.
pub(super) fn decide(tx: &mut Tx<'_>) -> Option<Instant> {
    let ids: Vec<IncidentId> = tx.state.incidents.keys().copied().collect();
    let decided = ids.into_iter().filter_map(|id| decide_one(tx, id)).min();
    earliest(decided, maintenance::next_change(tx.plan, tx.state, tx.at))
}

fn decide_one(tx: &mut Tx<'_>, id: IncidentId) -> Option<Instant> {
    let mut incident = tx.state.incidents.get(&id)?.clone();
    let before = incident.clone();
    let wake = match incident.phase {
        Phase::Open => decide_open(tx, &mut incident),
        Phase::Recovering { .. } if incident.lagging.is_some() => decide_open(tx, &mut incident),
        Phase::Recovering { .. } => {
            for chat in incident.told.keys().cloned().collect::<Vec<_>>() {
                record(tx, &mut incident, Some(chat), Decision::StaySilent, Reason::Better);
            }
            None
        }
        Phase::Resolved { .. } => {
            decide_resolved(tx, &mut incident);
            None
        }
    };
    if incident != before {
        tx.put_incident(incident);
    }
    wake
}

fn decide_open(tx: &mut Tx<'_>, incident: &mut Incident) -> Option<Instant> {
    if let Some((until, reason)) = aside::hushed(tx.state, tx.plan, tx.at, incident) {
        record(tx, incident, None, Decision::Hold { until }, reason);
        return Some(until);
    }
    let mut cycles = audience(tx.state, incident);
    let unmuted_at = aside::without_muted(tx, &mut cycles);
    let addressed = addressed(tx.plan, incident, &cycles);
    if addressed.is_empty() {
        if let Some(until) = unmuted_at {
            record(tx, incident, None, Decision::Hold { until }, Reason::Muted);
            return Some(until);
        }
        let reason = if cycles.is_empty() && !incident.outside { Reason::NoAudience } else { Reason::NobodyToTell };
        record(tx, incident, None, Decision::StaySilent, reason);
        return None;
    }
    let acked = aside::acked(tx, incident);
    let mut wake = earliest(unmuted_at, acked);
    for (chat, concerned) in &addressed {
        let Some(setup) = tx.plan.chats.get(chat) else { continue };
        // A rung that falls due here says all that there is to say.
        if acked.is_none() {
            escalate::escalate(tx, incident, &cycles, &addressed, Some(chat));
        }
        let told_before = incident.told.contains_key(chat);
        let unasked = unasked(incident, chat, concerned);
        let mut all = calm(wanted(tx, incident, (chat, setup), &unasked, Attention::Notify), acked, told_before);
        // A deadline that was not told of (a later cycle, another dashboard) has its own time for the first word.
        let new = untold(incident, chat, concerned)
            .map(|untold| calm(wanted(tx, incident, (chat, setup), &untold, Attention::Notify), acked, false));
        if let Some(Wanted { now: None, hold: Some((until, reason)), .. }) = &new {
            all.silent = (Decision::Hold { until: *until }, reason.clone());
        }
        let holds = say_or_hold(tx, incident, chat, concerned, &all);
        wake = earliest(wake, holds);
        if let Some(new) = new.filter(|_| untold(incident, chat, concerned).is_some()) {
            match new.now {
                Some((attention, _)) => say_it(tx, incident, chat, concerned, attention, Reason::NewCycle),
                None => wake = earliest(wake, new.hold.map(|(until, _)| until)),
            }
        }
    }
    if acked.is_some() {
        return wake;
    }
    earliest(wake, escalate::escalate(tx, incident, &cycles, &addressed, None))
}

/// While somebody has it, nobody is asked: what was not told yet is told without.
fn calm(wanted: Wanted, acked: Option<Instant>, told: bool) -> Wanted {
    let Some(until) = acked else { return wanted };
    match wanted.now {
        Some((attention, _)) if attention >= Attention::Notify && told => {
            Wanted { now: None, hold: Some((until, Reason::Acked)), ..wanted }
        }
        Some((attention, reason)) if attention >= Attention::Notify => {
            Wanted { now: Some((Attention::Post, reason)), hold: Some((until, Reason::Acked)), ..wanted }
        }
        _ => wanted,
    }
}

pub(super) fn earliest(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    [a, b].into_iter().flatten().min()
}

/// The cycles that the incident endangers and somebody looks at.
pub(super) fn audience(state: &State, incident: &Incident) -> BTreeSet<CycleKey> {
    let waiting = |impact: &super::state::Impact| impact.state == ImpactState::Waiting && !impact.waiting.is_empty();
    let open = incident.impact.iter().filter(|(_, impact)| waiting(impact)).map(|(key, _)| key);
    open.filter(|key| state.cycles.get(*key).is_some_and(|cycle| cycle.audience)).cloned().collect()
}

/// Each chat that is to be told, with the cycles that concern it.
pub(super) fn addressed(plan: &Plan, incident: &Incident, cycles: &BTreeSet<CycleKey>) -> BTreeMap<Id, BTreeSet<CycleKey>> {
    let mut chats: BTreeMap<Id, BTreeSet<CycleKey>> = BTreeMap::new();
    for key in cycles {
        let own = plan.dashboards.get(&key.dashboard).map(|dashboard| &dashboard.tell).filter(|tell| !tell.is_empty());
        for chat in own.unwrap_or(&plan.tell) {
            chats.entry(chat.clone()).or_default().insert(key.clone());
        }
    }
    if incident.outside {
        for chat in &plan.tell {
            chats.entry(chat.clone()).or_default();
        }
    }
    chats
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
        waking.filter_map(|key| facts::act_by(tx.state, incident, key))
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
    if said >= Attention::Escalate {
        return Next::WhenResolved;
    }
    if said >= Attention::Notify {
        let rungs = cycles
            .iter()
            .filter_map(|key| tx.plan.dashboards.get(&key.dashboard))
            .filter(|dashboard| !dashboard.escalate.is_empty());
        let asked_at = incident.asked_at.unwrap_or(at);
        return rungs.map(|dashboard| asked_at + dashboard.escalate_after).min().map_or(Next::WhenResolved, Next::EscalatesAt);
    }
    let Some(ends) = quiet_until(tx.plan, chat, at) else { return Next::WhenResolved };
    let deadline = cycles.iter().filter_map(|key| tx.state.cycles.get(key)).map(|cycle| cycle.deadline).filter(|d| *d > at).min();
    let waking = cycles.iter().filter(|key| tx.plan.dashboards.get(&key.dashboard).is_some_and(|dashboard| dashboard.wake));
    let act_by = waking.filter_map(|key| facts::act_by(tx.state, incident, key)).filter(|act_by| *act_by > at).min();
    let mut next = (ends, AskedBecause::QuietEnds);
    for (other, because) in [(deadline, AskedBecause::Deadline), (act_by, AskedBecause::ActBy)] {
        if let Some(other) = other.filter(|other| *other < next.0) {
            next = (other, because);
        }
    }
    Next::AskedAt { at: next.0, because: next.1 }
}

pub(super) fn say_or_hold(
    tx: &mut Tx<'_>,
    incident: &mut Incident,
    chat: &Id,
    cycles: &BTreeSet<CycleKey>,
    wanted: &Wanted,
) -> Option<Instant> {
    let told = incident.told.get(chat);
    // It speaks once in each cycle: in a later one of a dashboard, and in that of another dashboard that it reaches later.
    let say = wanted.now.as_ref().and_then(|(attention, reason)| {
        let reason = match told {
            None if *reason == Reason::NotAnswered => Reason::NotAnswered,
            None => Reason::FirstWord,
            Some(told) if *attention > told.loudness(cycles) => reason.clone(),
            Some(told) if is_worse(incident, told) => Reason::Worse,
            Some(_) => return None,
        };
        Some((*attention, reason))
    });
    let said = say.is_some();
    match say {
        Some((attention, reason)) => say_it(tx, incident, chat, cycles, attention, reason),
        None if wanted.hold.is_none() => stay_silent(tx, incident, chat, wanted),
        None => {}
    }
    let (until, reason) = wanted.hold.clone()?;
    // Who was asked already is not asked again when quiet hours end: that holds nothing.
    if reason == Reason::QuietHours && incident.told.get(chat).is_some_and(|told| told.loudness(cycles) >= Attention::Notify) {
        if !said {
            stay_silent(tx, incident, chat, wanted);
        }
        return None;
    }
    record(tx, incident, Some(chat.clone()), Decision::Hold { until }, reason);
    Some(until)
}

fn stay_silent(tx: &mut Tx<'_>, incident: &mut Incident, chat: &Id, wanted: &Wanted) {
    let (decision, reason) = wanted.silent.clone();
    record(tx, incident, Some(chat.clone()), decision, reason);
}

fn say_it(tx: &mut Tx<'_>, incident: &mut Incident, chat: &Id, cycles: &BTreeSet<CycleKey>, attention: Attention, reason: Reason) {
    let Some(setup) = tx.plan.chats.get(chat) else { return };
    if attention >= Attention::Notify {
        incident.asked_at = incident.asked_at.or(Some(tx.at));
    }
    turn::foresee(tx);
    // The second of two chats that are told at once hears of it for the first time; so does everybody after words that never left.
    let update =
        incident.told.iter().any(|(to, told)| (to == chat || told.at != tx.at) && posts::comes_before(tx, told.post, attention));
    let next = next_word(tx, incident, setup, cycles, attention);
    let about = Box::new(facts::incident(tx.state, tx.plan, incident, cycles, next, tx.at));
    let message = posts::message(tx, attention, Body::Incident { update, about });
    let post = posts::want(tx, chat, Topic::Incident(incident.id), message, tx.at + ALERT_KEEPS);
    hear(incident, chat, attention, (tx.at, post), cycles);
    record_of(tx, incident, Some(chat.clone()), Decision::Say(attention), reason, Some(post));
}

fn decide_resolved(tx: &mut Tx<'_>, incident: &mut Incident) {
    let untold = if incident.has_recovered() { Reason::HealedUntold } else { Reason::EndedUntold };
    let recovered = matches!(incident.phase, Phase::Resolved { recovered_at: Some(_), .. });
    // What never left is taken back instead of being followed by its own end; but that a deadline was missed is to be told.
    let unsent: Vec<Id> =
        incident.told.extract_if(.., |_, told| recovered && posts::withdraw_unsent(tx, told.post)).map(|(to, _)| to).collect();
    if incident.told.is_empty() {
        record(tx, incident, None, Decision::StaySilent, untold);
        return;
    }
    for chat in unsent {
        record(tx, incident, Some(chat), Decision::StaySilent, untold.clone());
    }
    for (chat, told) in incident.told.clone() {
        // A chat that a reload took away.
        if !tx.plan.chats.contains_key(&chat) {
            record(tx, incident, Some(chat), Decision::StaySilent, Reason::NobodyToTell);
            continue;
        }
        if incident.decided.iter().any(|(to, _, reason)| to.as_ref() == Some(&chat) && *reason == Reason::Resolved) {
            continue;
        }
        // Nobody is to be asked for what has healed; that it is over is no reason not to ask.
        if recovered {
            posts::withdraw_idle(tx, &chat, &Topic::Incident(incident.id));
        }
        turn::foresee(tx);
        let cycles = told.cycles.into_keys().collect();
        let about = Box::new(facts::resolved(tx.state, tx.plan, incident, &cycles, tx.at));
        let message = posts::message(tx, Attention::Post, Body::Resolved(about));
        let post = posts::want(tx, &chat, Topic::Incident(incident.id), message, tx.at + ALERT_KEEPS);
        record_of(tx, incident, Some(chat), Decision::Say(Attention::Post), Reason::Resolved, Some(post));
    }
}

fn record(tx: &mut Tx<'_>, incident: &mut Incident, chat: Option<Id>, decision: Decision, reason: Reason) {
    record_of(tx, incident, chat, decision, reason, None);
}

/// Writes a decision down when it is another one than the last for this chat; what is said (`post`), each time.
fn record_of(tx: &mut Tx<'_>, incident: &mut Incident, chat: Option<Id>, decision: Decision, reason: Reason, post: Option<PostId>) {
    let new = (chat.clone(), decision.clone(), reason.clone());
    let last = incident.decided.iter_mut().find(|(to, ..)| *to == chat);
    match last {
        Some(last) if *last == new && post.is_none() => return,
        Some(last) => *last = new,
        None => incident.decided.push(new),
    }
    let trouble = grounds::of_incident(tx, incident, chat.as_ref(), post);
    tx.write_down(About::Incident(incident.id), chat, decision, reason, trouble);
}

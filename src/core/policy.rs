//! Decisions: to whom, how loud, now or held until when, and why. One pass over the incidents after each fold.
//!
//! A hold is no queued text: it is decided, worded and addressed again when it ends. What heals before that was never said.

use super::aside;
use super::audience;
use super::escalate;
use super::heard::{unasked, untold};
use super::maintenance;
use super::plan::Id;
use super::posts;
use super::say;
use super::state::{Attention, Decision, Incident, IncidentId, Phase, Reason, Topic};
use super::time::{Instant, earliest};
use super::tx::Tx;
use super::wanted::{self, Wanted};

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
                say::nothing(tx, &mut incident, Some(chat), Decision::StaySilent, Reason::Better);
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
        say::nothing(tx, incident, None, Decision::Hold { until }, reason);
        return Some(until);
    }
    let mut cycles = audience::endangered(tx.state, incident);
    let unmuted_at = aside::without_muted(tx, &mut cycles);
    let addressed = audience::chats(tx.plan, incident, &cycles);
    if addressed.is_empty() {
        if let Some(until) = unmuted_at {
            say::nothing(tx, incident, None, Decision::Hold { until }, Reason::Muted);
            return Some(until);
        }
        let reason = if cycles.is_empty() && !incident.outside { Reason::NoAudience } else { Reason::NobodyToTell };
        say::nothing(tx, incident, None, Decision::StaySilent, reason);
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
        let mut all = calm(wanted::wanted(tx, incident, (chat, setup), &unasked, Attention::Notify), acked, told_before);
        // A deadline that was not told of (a later cycle, another dashboard) has its own time for the first word.
        let new = untold(incident, chat, concerned)
            .map(|untold| calm(wanted::wanted(tx, incident, (chat, setup), &untold, Attention::Notify), acked, false));
        if let Some(Wanted { now: None, hold: Some((until, reason)), .. }) = &new {
            all.silent = (Decision::Hold { until: *until }, reason.clone());
        }
        let holds = say::say_or_hold(tx, incident, chat, concerned, &all);
        wake = earliest(wake, holds);
        if let Some(new) = new.filter(|_| untold(incident, chat, concerned).is_some()) {
            match new.now {
                Some((attention, _)) => say::say(tx, incident, chat, concerned, attention, Reason::NewCycle),
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
        Some((_, reason)) => Wanted { now: Some((Attention::Post, reason)), ..wanted },
        None => wanted,
    }
}

fn decide_resolved(tx: &mut Tx<'_>, incident: &mut Incident) {
    let untold = if incident.has_recovered() { Reason::HealedUntold } else { Reason::EndedUntold };
    let recovered = matches!(incident.phase, Phase::Resolved { recovered_at: Some(_), .. });
    // What never left is taken back instead of being followed by its own end; but that a deadline was missed is to be told.
    let unsent: Vec<Id> =
        incident.told.extract_if(.., |_, told| recovered && posts::withdraw_unsent(tx, told.post)).map(|(to, _)| to).collect();
    if incident.told.is_empty() {
        say::nothing(tx, incident, None, Decision::StaySilent, untold);
        return;
    }
    for chat in unsent {
        say::nothing(tx, incident, Some(chat), Decision::StaySilent, untold.clone());
    }
    for (chat, told) in incident.told.clone() {
        // A chat that a reload took away.
        if !tx.plan.chats.contains_key(&chat) {
            say::nothing(tx, incident, Some(chat), Decision::StaySilent, Reason::NobodyToTell);
            continue;
        }
        if incident.decided.iter().any(|(to, _, reason)| to.as_ref() == Some(&chat) && *reason == Reason::Resolved) {
            continue;
        }
        // Nobody is to be asked for what has healed; that it is over is no reason not to ask.
        if recovered {
            posts::withdraw_idle(tx, &chat, &Topic::Incident(incident.id));
        }
        say::over(tx, incident, chat, &told.cycles.into_keys().collect());
    }
}

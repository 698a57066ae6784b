//! Carries out what is wanted: the word becomes a post, a hold or a silence is written down. Decides only whether the chat knows it
//! already.

use super::facts;
use super::foresee;
use super::grounds;
use super::heard::{hear, is_worse};
use super::message::Body;
use super::plan::Id;
use super::posts;
use super::state::{About, Attention, CycleKey, Decision, Incident, PostId, Reason, Topic};
use super::time::Instant;
use super::tx::Tx;
use super::wanted::{Wanted, next_word};
use chrono::TimeDelta;
use std::collections::BTreeSet;

/// An incident's post is not worth sending any more after so long.
const ALERT_KEEPS: TimeDelta = TimeDelta::hours(12);

pub(super) fn say_or_hold(
    tx: &mut Tx<'_>,
    incident: &mut Incident,
    chat: &Id,
    cycles: &BTreeSet<CycleKey>,
    wanted: &Wanted,
) -> Option<Instant> {
    let told = incident.told.get(chat);
    // It speaks once in each cycle: in a later one of a dashboard, and in that of another dashboard that it reaches later.
    let now = wanted.now.as_ref().and_then(|(attention, reason)| {
        let reason = match told {
            None if *reason == Reason::NotAnswered => Reason::NotAnswered,
            None => Reason::FirstWord,
            Some(told) if *attention > told.loudness(cycles) => reason.clone(),
            Some(told) if is_worse(incident, told) => Reason::Worse,
            Some(_) => return None,
        };
        Some((*attention, reason))
    });
    match now {
        Some((attention, reason)) => say(tx, incident, chat, cycles, attention, reason),
        None if wanted.hold.is_none() => stay_silent(tx, incident, chat, wanted),
        None => {}
    }
    let (until, reason) = wanted.hold.clone()?;
    // Who was asked already is not asked again when quiet hours end: that holds nothing.
    if reason == Reason::QuietHours && incident.told.get(chat).is_some_and(|told| told.loudness(cycles) >= Attention::Notify) {
        stay_silent(tx, incident, chat, wanted);
        return None;
    }
    nothing(tx, incident, Some(chat.clone()), Decision::Hold { until }, reason);
    Some(until)
}

fn stay_silent(tx: &mut Tx<'_>, incident: &mut Incident, chat: &Id, wanted: &Wanted) {
    let (decision, reason) = wanted.silent.clone();
    nothing(tx, incident, Some(chat.clone()), decision, reason);
}

pub(super) fn say(
    tx: &mut Tx<'_>,
    incident: &mut Incident,
    chat: &Id,
    cycles: &BTreeSet<CycleKey>,
    attention: Attention,
    reason: Reason,
) {
    let Some(setup) = tx.plan.chats.get(chat) else { return };
    if attention >= Attention::Notify {
        incident.asked_at = incident.asked_at.or(Some(tx.at));
    }
    foresee::foresee(tx);
    // The second of two chats that are told at once hears of it for the first time; so does everybody after words that never left.
    let update =
        incident.told.iter().any(|(to, told)| (to == chat || told.at != tx.at) && posts::comes_before(tx, told.post, attention));
    let next = next_word(tx, incident, setup, cycles, attention);
    let about = Box::new(facts::incident(tx.state, tx.plan, incident, cycles, next, tx.at));
    let message = posts::message(tx, attention, Body::Incident { update, about });
    let post = posts::want(tx, chat, Topic::Incident(incident.id), message, tx.at + ALERT_KEEPS);
    hear(incident, chat, attention, (tx.at, post), cycles);
    record(tx, incident, Some(chat.clone()), Decision::Say(attention), reason, Some(post));
}

/// It is over: the last word to a chat that was told of these cycles.
pub(super) fn over(tx: &mut Tx<'_>, incident: &mut Incident, chat: Id, cycles: &BTreeSet<CycleKey>) {
    foresee::foresee(tx);
    let about = Box::new(facts::resolved(tx.state, tx.plan, incident, cycles, tx.at));
    let message = posts::message(tx, Attention::Post, Body::Resolved(about));
    let post = posts::want(tx, &chat, Topic::Incident(incident.id), message, tx.at + ALERT_KEEPS);
    record(tx, incident, Some(chat), Decision::Say(Attention::Post), Reason::Resolved, Some(post));
}

/// Nothing is said now.
pub(super) fn nothing(tx: &mut Tx<'_>, incident: &mut Incident, chat: Option<Id>, decision: Decision, reason: Reason) {
    record(tx, incident, chat, decision, reason, None);
}

/// Writes a decision down when it is another one than the last for this chat; what is said (`post`), each time.
fn record(tx: &mut Tx<'_>, incident: &mut Incident, chat: Option<Id>, decision: Decision, reason: Reason, post: Option<PostId>) {
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

//! Posts: messages wanted in chats, and what becomes of their sending. Retry, repetition and fallback are decided here; sending is
//! the shell's.

use super::grounds;
use super::heard::{heard_by, named};
use super::message::{Body, Message, WatchFacts};
use super::plan::{Id, Plan};
use super::state::{
    About, Attempt, Attention, CycleKey, CycleState, Decision, Grounds, Post, PostId, Reason, State, Topic, Withdrawn,
};
use super::step::Outcome;
use super::time::Instant;
use super::tx::Tx;
use chrono::TimeDelta;
use std::collections::BTreeMap;

const FIRST_RETRY: TimeDelta = TimeDelta::seconds(5);
const RETRY_AT_MOST: TimeDelta = TimeDelta::minutes(5);
/// A chat that fails for so long hands its posts to its fallback.
const FALLBACK_AFTER: TimeDelta = TimeDelta::minutes(10);
/// A chat that refuses everything is tried again after so long, with what is true then.
const BROKEN_RETRY: TimeDelta = TimeDelta::minutes(15);
/// No platform is taken at its word for longer than this when it asks to be left alone.
const RETRY_LATER_AT_MOST: TimeDelta = TimeDelta::hours(1);
/// Lost answers of one post: the message may be seen twice, never three times.
const AMBIGUITIES: u32 = 2;
/// Where the platform drops repetitions by key, lost answers cost nothing but these tries.
const AMBIGUITIES_IDEMPOTENT: u32 = 10;

pub(super) fn message(tx: &Tx<'_>, attention: Attention, body: Body) -> Message {
    Message { at: tx.at, zone: tx.plan.timezone, attention, body }
}

/// Wants a message in a chat. One of the same topic that has not begun to be sent gives way to it.
pub(super) fn want(tx: &mut Tx<'_>, chat: &Id, topic: Topic, message: Message, not_after: Instant) -> PostId {
    want_for(tx, chat, topic, message, not_after, None)
}

fn want_for(tx: &mut Tx<'_>, chat: &Id, topic: Topic, message: Message, not_after: Instant, stands_in_for: Option<Id>) -> PostId {
    let same =
        tx.state.posts.values().filter(|post| post.chat == *chat && post.topic == topic && post.stands_in_for == stands_in_for);
    let revision = same.clone().map(|post| post.revision).max().unwrap_or(0) + 1;
    // A person who was to be asked is asked, whatever comes behind it.
    let gives_way =
        |post: &&Post| post.attempt == Attempt::Idle && post.ambiguities == 0 && post.message.attention <= message.attention;
    let unsent: Vec<PostId> = same.filter(gives_way).map(|post| post.id).collect();
    for id in unsent {
        withdraw(tx, id, Withdrawn::Superseded);
    }
    let id = tx.next_post();
    tx.put_post(Post {
        id,
        chat: chat.clone(),
        topic,
        revision,
        message,
        wanted_at: tx.at,
        not_after,
        attempt: Attempt::Idle,
        failures: 0,
        ambiguities: 0,
        next_try_at: tx.at,
        stands_in_for,
    });
    id
}

fn withdraw(tx: &mut Tx<'_>, id: PostId, why: Withdrawn) {
    let Some(mut post) = tx.state.posts.get(&id).cloned() else { return };
    post.attempt = Attempt::Withdrawn { at: tx.at, why };
    let reason = match why {
        Withdrawn::TooLate => Reason::TooLate,
        Withdrawn::Superseded => Reason::Superseded,
    };
    note(tx, &post, reason);
    tx.put_post(post);
}

/// What becomes of a post, in its own chat.
fn note(tx: &mut Tx<'_>, post: &Post, reason: Reason) {
    let sending = grounds::of_post(tx, post);
    tx.write_down(About::Post(post.id), Some(post.chat.clone()), Decision::Note, reason, sending);
}

/// Takes a post back when no byte of it has left yet; true when it never reached anybody.
pub(super) fn withdraw_unsent(tx: &mut Tx<'_>, id: PostId) -> bool {
    let Some(post) = tx.state.posts.get(&id) else { return false };
    let unsent = post.attempt == Attempt::Idle && post.ambiguities == 0;
    // An earlier revision may have been seen: then there is something to end.
    let earlier = seen_beside(&tx.state.posts, id).next().is_some();
    if unsent && !earlier {
        withdraw(tx, id, Withdrawn::Superseded);
        return true;
    }
    false
}

/// Takes back all of an incident's posts in a chat of which no byte has left yet: what they say is no longer true.
pub(super) fn withdraw_idle(tx: &mut Tx<'_>, chat: &Id, topic: &Topic) {
    let idle = |post: &&Post| post.chat == *chat && post.topic == *topic && post.attempt == Attempt::Idle && post.ambiguities == 0;
    let ids: Vec<PostId> = tx.state.posts.values().filter(idle).map(|post| post.id).collect();
    for id in ids {
        withdraw(tx, id, Withdrawn::Superseded);
    }
}

/// Gives up what is too late to be sent; true where there was something.
pub(super) fn expire(tx: &mut Tx<'_>) -> bool {
    let late = |post: &&Post| post.attempt == Attempt::Idle && tx.at >= post.not_after;
    let ids: Vec<PostId> = tx.state.posts.values().filter(late).map(|post| post.id).collect();
    let some = !ids.is_empty();
    for id in ids {
        withdraw(tx, id, Withdrawn::TooLate);
        take_back(tx, id);
    }
    some
}

/// A word that reached nobody was not said: what it was about is decided anew. (That a person was to be asked stays: who cannot be
/// reached is a reason to ask the next one.)
fn take_back(tx: &mut Tx<'_>, id: PostId) {
    let Some(post) = tx.state.posts.get(&id) else { return };
    let Topic::Incident(incident) = post.topic else { return };
    let chat = post.stands_in_for.clone().unwrap_or_else(|| post.chat.clone());
    let Some(mut incident) = tx.state.incidents.get(&incident).cloned() else { return };
    let Some(told) = incident.told.get_mut(&chat) else { return };
    let said_by = tx.state.posts.get(&told.post);
    if told.post != id && said_by.is_none_or(|original| original.message != post.message) {
        return;
    }
    // Earlier words that were seen stand.
    match heard_by(tx.state, seen_beside(&tx.state.posts, told.post)) {
        Some(earlier) => *told = earlier,
        None => drop(incident.told.remove(&chat)),
    }
    incident.escalated.remove(&chat);
    tx.put_incident(incident);
}

/// The other posts of the same topic in the same chat, or standing in for it, that were seen or are on their way; the first first.
fn seen_beside(posts: &BTreeMap<PostId, Post>, id: PostId) -> impl Iterator<Item = &Post> {
    let post = posts.get(&id);
    posts.values().filter(move |other| other.id != id && post.is_some_and(|post| is_of(other, post)) && is_seen(other))
}

/// Of the same topic, in the same chat or standing in for it.
fn is_of(other: &Post, post: &Post) -> bool {
    (other.chat == post.chat || other.stands_in_for.as_ref() == Some(&post.chat)) && other.topic == post.topic
}

/// Somebody has seen it, perhaps, or it is on its way.
fn is_seen(post: &Post) -> bool {
    post.ambiguities > 0 || matches!(post.attempt, Attempt::Started { .. } | Attempt::Confirmed { .. } | Attempt::Ambiguous { .. })
}

/// Will a word so loud come behind this one for whoever reads? Not where this one, all before it and all that stands in for them reached
/// nobody so far and gives way to it.
pub(super) fn comes_before(tx: &Tx<'_>, id: PostId, attention: Attention) -> bool {
    let posts = &tx.state.posts;
    // One that is kept no more was settled long ago.
    let Some(post) = posts.get(&id) else { return true };
    let louder = |post: &Post| post.attempt == Attempt::Idle && post.message.attention > attention;
    posts.values().filter(|other| is_of(other, post)).any(|other| is_seen(other) || louder(other))
}

/// Does the chat refuse everything, and none that works stand in for it?
pub(super) fn nobody_stands_in(state: &State, plan: &Plan, chat: &Id) -> bool {
    let broken = |chat: &Id| state.chats.get(chat).is_some_and(|chat| chat.broken.is_some());
    // A fallback that is broken itself stands in for nobody.
    broken(chat) && plan.chats.get(chat).is_some_and(|setup| setup.fallback.as_ref().is_none_or(broken))
}

/// When a chat that refuses everything, and has no fallback, is tried again. `None`: it is not broken, or somebody stands in for it.
pub(super) fn retry_broken(tx: &Tx<'_>, chat: &Id) -> Option<Instant> {
    if !nobody_stands_in(tx.state, tx.plan, chat) {
        return None;
    }
    let refused = tx.state.posts.values().filter(|post| post.chat == *chat).filter_map(|post| match post.attempt {
        Attempt::Refused { at, .. } => Some(at + BROKEN_RETRY),
        _ => None,
    });
    refused.max().filter(|retry| *retry > tx.at).map(|retry| retry.min(tx.at + BROKEN_RETRY))
}

/// The posts to be sent now: in order, one at a time in each chat.
pub(super) fn sendable(posts: &BTreeMap<PostId, Post>, at: Instant) -> Vec<PostId> {
    let mut seen: Vec<&Id> = Vec::new();
    let mut ids = Vec::new();
    for post in posts.values().filter(|post| !post.attempt.is_settled()) {
        // An unsettled post holds back those behind it, so that people read things in the order in which they happened.
        if seen.contains(&&post.chat) {
            continue;
        }
        seen.push(&post.chat);
        // An instant that lies behind the post's own is from before the clock was set back.
        let due = post.next_try_at <= at || post.wanted_at > at;
        if post.attempt == Attempt::Idle && due && at < post.not_after {
            ids.push(post.id);
        }
    }
    ids
}

pub(super) fn claim(tx: &mut Tx<'_>, ids: &[PostId]) {
    for id in ids {
        let Some(mut post) = tx.state.posts.get(id).cloned() else { continue };
        if post.attempt == Attempt::Idle && tx.at < post.not_after {
            post.attempt = Attempt::Started { at: tx.at };
            tx.put_post(post);
        }
    }
}

pub(super) fn sent(tx: &mut Tx<'_>, id: PostId, outcome: Outcome) {
    let Some(mut post) = tx.state.posts.get(&id).cloned() else { return };
    if !matches!(post.attempt, Attempt::Started { .. }) {
        return;
    }
    let chat = post.chat.clone();
    match outcome {
        Outcome::Confirmed { handle } => {
            post.attempt = Attempt::Confirmed { at: tx.at, handle };
            note(tx, &post, Reason::Delivered);
            told_of(tx, &post.message);
            tx.put_post(post);
            if tx.state.chats.get(&chat).is_some_and(|state| state.broken.is_some()) {
                tx.chat_mut(&chat).broken = None;
                tx.write_down(About::Chat, Some(chat), Decision::Note, Reason::ChatBack, None);
            }
        }
        Outcome::Failed { why, retry_at } => {
            post.failures += 1;
            post.wanted_at = post.wanted_at.min(tx.at);
            post.attempt = Attempt::Idle;
            post.next_try_at = retry_at.unwrap_or(tx.at).min(tx.at + RETRY_LATER_AT_MOST).max(tx.at + backoff(post.failures));
            let has_fallback = fallback(tx, &post).is_some();
            if has_fallback && post.next_try_at - post.wanted_at >= FALLBACK_AFTER {
                give_up(tx, post, Attempt::Refused { at: tx.at, why });
            } else {
                tx.put_post(post);
            }
        }
        Outcome::Ambiguous { .. } => {
            post.ambiguities += 1;
            post.wanted_at = post.wanted_at.min(tx.at);
            let idempotent = tx.plan.chats.get(&chat).is_some_and(|chat| chat.idempotent);
            let most = if idempotent { AMBIGUITIES_IDEMPOTENT } else { AMBIGUITIES };
            if post.ambiguities >= most {
                give_up(tx, post, Attempt::Ambiguous { at: tx.at });
            } else {
                post.attempt = Attempt::Idle;
                post.next_try_at = tx.at + backoff(post.ambiguities);
                tx.put_post(post);
            }
        }
        Outcome::Refused { why } => {
            broken(tx, &chat, &why);
            give_up(tx, post, Attempt::Refused { at: tx.at, why });
        }
    }
}

/// The cycles that an incident's message names have been told of from now on.
fn told_of(tx: &mut Tx<'_>, message: &Message) {
    let Body::Incident { about, .. } = &message.body else { return };
    let Some(had) = tx.state.incidents.get(&about.incident).cloned() else { return };
    let mut incident = had.clone();
    let cycles: Vec<(CycleKey, CycleState)> = named(tx.state, about).map(|(key, cycle)| (key.clone(), cycle.clone())).collect();
    for (key, had) in cycles {
        if let Some(impact) = incident.impact.get_mut(&key) {
            impact.told_at = impact.told_at.or(Some(tx.at));
        }
        let told = (!incident.was_over_before(had.deadline)).then_some(tx.at);
        let asked = (message.attention >= Attention::Notify).then_some(tx.at);
        let cycle = CycleState { told_at: had.told_at.or(told), asked_at: had.asked_at.or(asked), ..had.clone() };
        if cycle == had {
            continue;
        }
        tx.put_cycle(key.clone(), cycle);
        // While it is open, its close will say so.
        if had.closed_at.is_some() {
            let result = grounds::of_cycle(tx, &key, None);
            tx.note(About::Cycle(key), Reason::ToldLate, result);
        }
    }
    if incident != had {
        tx.put_incident(incident);
    }
}

fn backoff(tries: u32) -> TimeDelta {
    (FIRST_RETRY * 2_i32.saturating_pow(tries.saturating_sub(1).min(10))).min(RETRY_AT_MOST)
}

fn fallback(tx: &Tx<'_>, post: &Post) -> Option<Id> {
    let fallback = tx.plan.chats.get(&post.chat)?.fallback.clone()?;
    // One step only: a fallback's own failure must not send the message in a circle.
    (post.stands_in_for.is_none() && fallback != post.chat).then_some(fallback)
}

/// Settles a post that did not (or perhaps did not) arrive, and hands its message to the fallback.
fn give_up(tx: &mut Tx<'_>, mut post: Post, attempt: Attempt) {
    post.attempt = attempt;
    let (id, replaced) = (post.id, fallback(tx, &post).is_some() || post.ambiguities > 0);
    note(tx, &post, Reason::Undelivered);
    if let Some(to) = fallback(tx, &post) {
        let attention = post.message.attention;
        let other = want_for(tx, &to, post.topic.clone(), post.message.clone(), post.not_after, Some(post.chat.clone()));
        let sending = tx.state.posts.get(&other).map(|other| grounds::of_post(tx, other));
        tx.write_down(About::Post(post.id), Some(to), Decision::Say(attention), Reason::StandsIn, sending);
    }
    tx.put_post(post);
    // Perhaps it was seen all the same, or it is seen elsewhere: saying it again would be twice.
    if !replaced {
        take_back(tx, id);
    }
}

/// A permanent error: told once, in the other chats that care for the watch itself.
fn broken(tx: &mut Tx<'_>, chat: &Id, why: &str) {
    if tx.state.chats.get(chat).is_some_and(|state| state.broken.is_some()) {
        return;
    }
    let at = tx.at;
    tx.chat_mut(chat).broken = Some((at, why.to_owned()));
    let refused = Grounds::Refused { why: why.to_owned() };
    tx.write_down(About::Chat, Some(chat.clone()), Decision::Note, Reason::ChatBroken, refused.clone());
    let others: Vec<Id> = tx.plan.tell.iter().filter(|other| *other != chat).cloned().collect();
    if others.is_empty() {
        tx.write_down(About::Chat, None, Decision::StaySilent, Reason::NobodyToTell, refused.clone());
    }
    for other in others {
        let facts = WatchFacts { chat: chat.clone(), why: why.to_owned() };
        let message = message(tx, Attention::Post, Body::Watch(facts));
        want(tx, &other, Topic::Watch(chat.to_string()), message, at + TimeDelta::days(1));
        tx.write_down(About::Chat, Some(other), Decision::Say(Attention::Post), Reason::ChatBroken, refused.clone());
    }
}

//! The proof of life: whether the outward heartbeat may go out. It may when every due question was answered or its silence told of,
//! every judgement is up to date, and every message is delivered, held with a reason, or told elsewhere. Says what is in the way;
//! changes nothing, and sends nothing.

use super::audience;
use super::cycle;
use super::due::LIST_EVERY;
use super::plan::{Id, Plan};
use super::posts;
use super::standing::stale_after;
use super::state::{Attempt, CycleKey, Incident, IncidentId, Phase, Post, PostId, State, Topic};
use super::time::Instant;
use chrono::TimeDelta;
use std::collections::BTreeSet;
use std::fmt;

/// Something for which nobody may take the watch for whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lapse {
    /// The source was not asked for longer than a few of its rounds, or never; `since`: when the question fell due.
    NotAsked { source: Id, since: Option<Instant> },
    /// What was judged of the dashboard is out of date since then, or nothing was.
    NotJudged { dashboard: Id, since: Option<Instant> },
    /// A decision has been due since then.
    NotDecided { since: Instant },
    /// There is nobody to tell of the incident.
    NobodyToTell { incident: IncidentId },
    /// The incident is to be told in a chat that takes no messages, and none stands in for it.
    ChatBroken { incident: IncidentId, chat: Id },
    /// The message has been on its way for too long, or was given up, and no other chat took it.
    Undelivered { post: PostId, chat: Id, since: Instant },
}

/// A sentence without its end; times in UTC.
impl fmt::Display for Lapse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = |at: &Instant| at.format("%Y-%m-%d %H:%M:%S UTC").to_string();
        match self {
            Self::NotAsked { source, since: None } => write!(f, "source {source} was never asked"),
            Self::NotAsked { source, since: Some(at) } => write!(f, "source {source} should have been asked at {}", clock(at)),
            Self::NotJudged { dashboard, since: None } => write!(f, "dashboard {dashboard} is not judged yet"),
            Self::NotJudged { dashboard, since: Some(at) } => {
                write!(f, "dashboard {dashboard} should have been judged anew at {}", clock(at))
            }
            Self::NotDecided { since } => write!(f, "a decision has been due since {}", clock(since)),
            Self::NobodyToTell { incident } => write!(f, "there is nobody to tell of incident {incident}"),
            Self::ChatBroken { incident, chat } => {
                write!(f, "chat {chat}, which is to be told of incident {incident}, takes no messages, and none stands in for it")
            }
            Self::Undelivered { post, chat, since } => {
                write!(f, "message {post} to chat {chat} has reached nobody since {}", clock(since))
            }
        }
    }
}

/// A message may be on its way for so long: a chat that fails for longer hands over to its fallback.
const ON_ITS_WAY: TimeDelta = TimeDelta::minutes(10);
/// Who looks a moment after a judgement's time, before the loop has woken, sees no lapse.
const MOMENT: TimeDelta = TimeDelta::minutes(1);

/// What is in the way of the proof of life at `at`; empty: nothing is.
pub fn lapses(state: &State, plan: &Plan, at: Instant) -> Vec<Lapse> {
    let mut lapses = Vec::new();
    not_asked(state, plan, at, &mut lapses);
    not_judged(state, plan, at, &mut lapses);
    let open = |incident: &&Incident| match incident.phase {
        Phase::Open => true,
        Phase::Recovering { .. } => incident.lagging.is_some(),
        Phase::Resolved { .. } => false,
    };
    for incident in state.incidents.values().filter(open) {
        untold(state, plan, incident, &mut lapses);
    }
    for post in state.posts.values() {
        lapses.extend(undelivered(state, post, at).map(|since| Lapse::Undelivered {
            post: post.id,
            chat: post.chat.clone(),
            since,
        }));
    }
    lapses
}

/// When the next proof of life is wanted; `None`: nobody wants one.
pub fn beat_at(state: &State, plan: &Plan, at: Instant) -> Option<Instant> {
    let every = plan.heartbeat_every?;
    // One that was taken "in the future" was taken before the clock was set back.
    Some(state.watch.beaten_at.filter(|beaten| *beaten <= at).map_or(at, |beaten| beaten + every))
}

fn not_asked(state: &State, plan: &Plan, at: Instant, lapses: &mut Vec<Lapse>) {
    for (id, setup) in &plan.sources {
        let source = state.sources.get(id);
        let sweep = (source.and_then(|source| source.asked_at), setup.every, state.roster.is_asked(id, setup.kind));
        let list = (source.and_then(|source| source.list_asked_at), LIST_EVERY, setup.kind.lists());
        let overdue = [sweep, list].into_iter().filter(|(.., wanted)| *wanted).find_map(|(asked, every, _)| {
            let due = asked.filter(|asked| *asked <= at).map(|asked| asked + every);
            due.is_none_or(|due| at > due + stale_after(every)).then_some(due)
        });
        lapses.extend(overdue.map(|since| Lapse::NotAsked { source: id.clone(), since }));
    }
}

fn not_judged(state: &State, plan: &Plan, at: Instant, lapses: &mut Vec<Lapse>) {
    let past = |until: &Instant| *until + MOMENT < at;
    for (id, dashboard) in &plan.dashboards {
        let since = match state.view.cycles.get(id) {
            Some(view) => match view.holds_until.filter(past) {
                None => continue,
                since => since,
            },
            None if cycle::current(plan, id, dashboard, at).is_none() => continue,
            None => None,
        };
        lapses.push(Lapse::NotJudged { dashboard: id.clone(), since });
    }
    let decisions = [state.view.outside_from, state.view.decide_at].into_iter().flatten().min();
    lapses.extend(decisions.filter(past).map(|since| Lapse::NotDecided { since }));
}

/// An incident that is to be told where nobody can be reached. That nobody looks that day is a reason to tell nobody; a held word
/// has its own.
fn untold(state: &State, plan: &Plan, incident: &Incident, lapses: &mut Vec<Lapse>) {
    let cycles: BTreeSet<CycleKey> = audience::endangered(state, incident);
    let wanted = !cycles.is_empty() || incident.outside;
    let chats = audience::chats(plan, incident, &cycles);
    let mut chats = chats.keys().filter(|chat| plan.chats.contains_key(*chat)).peekable();
    if wanted && chats.peek().is_none() {
        lapses.push(Lapse::NobodyToTell { incident: incident.id });
    }
    for chat in chats.filter(|chat| posts::nobody_stands_in(state, plan, chat)) {
        lapses.push(Lapse::ChatBroken { incident: incident.id, chat: chat.clone() });
    }
}

fn is_over(state: &State, topic: &Topic) -> bool {
    let Topic::Incident(id) = topic else { return false };
    state.incidents.get(id).is_none_or(|incident| matches!(incident.phase, Phase::Resolved { .. }))
}

/// Since when the post has not reached anybody, and should have.
fn undelivered(state: &State, post: &Post, at: Instant) -> Option<Instant> {
    let too_long = post.wanted_at + ON_ITS_WAY < at;
    match &post.attempt {
        Attempt::Idle | Attempt::Started { .. } => too_long.then_some(post.wanted_at),
        Attempt::Refused { at: failed, .. } | Attempt::Ambiguous { at: failed } => {
            let chat = post.stands_in_for.as_ref().unwrap_or(&post.chat);
            let broken = |chat: &Id| state.chats.get(chat).is_some_and(|chat| chat.broken.is_some());
            let later = |other: &&Post| other.id > post.id && (other.chat == *chat || other.stands_in_for.as_ref() == Some(chat));
            // What nobody needs to read any more is mended when the chat takes anything; else somebody must have taken this.
            let useless = at >= post.not_after || is_over(state, &post.topic);
            let mended = state.posts.values().filter(later).any(|other| match other.attempt {
                Attempt::Confirmed { .. } => other.topic == post.topic || (useless && other.chat == *chat),
                Attempt::Idle | Attempt::Started { .. } => other.topic == post.topic && !too_long && !broken(&other.chat),
                _ => false,
            });
            (!mended).then_some(*failed)
        }
        Attempt::Confirmed { .. } | Attempt::Withdrawn { .. } => None,
    }
}

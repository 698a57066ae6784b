//! Gathers what a line of the ledger rests on, so that it can be read when the rows are gone. Reads the state, changes nothing.

use super::audience;
use super::facts;
use super::maintenance;
use super::message::Body;
use super::plan::Id;
use super::quiet::quiet_until;
use super::state::{CYCLES_SHOWN, CycleKey, Endangered, Grounds, Incident, Phase, Post, PostId, Sending, Trouble};
use super::tx::Tx;
use std::collections::BTreeSet;

/// `post`: what is said of it in `chat`.
pub(super) fn of_incident(tx: &Tx<'_>, incident: &Incident, chat: Option<&Id>, post: Option<PostId>) -> Grounds {
    let endangered = cycles(tx, incident);
    let more = endangered.len().saturating_sub(CYCLES_SHOWN);
    // Of what is over the newest deadlines tell the most, of what is in danger the first.
    let skipped = if incident.phase == Phase::Open { 0 } else { more };
    let all: BTreeSet<&Id> = incident.impact.values().flat_map(|impact| &impact.waiting).chain(&incident.alike).collect();
    let waited = incident.impact.values().map(|impact| impact.waited).max().unwrap_or(0);
    Grounds::Trouble(Trouble {
        cause: incident.cause.clone(),
        verdict: incident.verdict,
        since: incident.since,
        recovered_at: match incident.phase {
            Phase::Open => None,
            Phase::Recovering { since } => Some(since),
            Phase::Resolved { recovered_at, .. } => recovered_at,
        },
        expected: maintenance::of_incident(tx.plan, incident, incident.since).is_some(),
        waiting: all.len(),
        waited: waited.max(all.len()).max(1 + incident.alike.len()),
        act_by: endangered.iter().filter_map(|told| facts::act_by(tx.state, incident, &told.cycle)).min(),
        cycles: endangered.into_iter().skip(skipped).take(CYCLES_SHOWN).collect(),
        more,
        quiet: chat.is_some_and(|chat| is_quiet(tx, chat)),
        post,
        failure: incident.failure.clone(),
    })
}

/// By deadline.
fn cycles(tx: &Tx<'_>, incident: &Incident) -> Vec<Endangered> {
    let keys: BTreeSet<CycleKey> = if incident.phase == Phase::Open {
        audience::endangered(tx.state, incident)
    } else {
        let seen = |key: &&CycleKey| tx.state.cycles.get(*key).is_some_and(|cycle| cycle.audience);
        incident.impact.keys().filter(seen).cloned().collect()
    };
    let deadline = |cycle: CycleKey| Some(Endangered { deadline: tx.state.cycles.get(&cycle)?.deadline, cycle });
    let mut endangered: Vec<Endangered> = keys.into_iter().filter_map(deadline).collect();
    endangered.sort_by(|a, b| (a.deadline, &a.cycle).cmp(&(b.deadline, &b.cycle)));
    endangered
}

pub(super) fn of_post(tx: &Tx<'_>, post: &Post) -> Grounds {
    let (cause, last_word) = match &post.message.body {
        Body::Incident { about, .. } => (Some(about.cause.clone()), false),
        Body::Resolved(about) => (Some(about.cause.clone()), true),
        Body::Digest(_) | Body::Week(_) | Body::Watch(_) => (None, false),
    };
    Grounds::Sending(Sending {
        topic: post.topic.clone(),
        revision: post.revision,
        attempt: post.attempt.clone(),
        attention: post.message.attention,
        said_at: post.message.at,
        cause,
        last_word,
        quiet: is_quiet(tx, &post.chat),
    })
}

pub(super) fn of_cycle(tx: &Tx<'_>, key: &CycleKey, arrived: Option<(usize, usize)>) -> Option<Grounds> {
    Some(Grounds::Cycle { result: tx.state.cycles.get(key)?.clone(), arrived })
}

fn is_quiet(tx: &Tx<'_>, chat: &Id) -> bool {
    tx.plan.chats.get(chat).is_some_and(|setup| quiet_until(tx.plan, setup, tx.at).is_some())
}

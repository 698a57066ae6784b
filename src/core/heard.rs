//! What a chat has heard of an incident, deadline by deadline: which it was not told of, and which nobody there was asked about.
//! Decides nothing.

use super::message::{Body, IncidentFacts};
use super::plan::Id;
use super::state::{Attention, CycleKey, CycleState, Incident, Post, PostId, State, Told, Verdict};
use super::time::Instant;
use std::collections::{BTreeMap, BTreeSet};

impl Told {
    /// How loud the chat was told of these: of the quietest that it knows, or of the trouble itself where it knows none of them.
    pub(super) fn loudness(&self, cycles: &BTreeSet<CycleKey>) -> Attention {
        cycles.iter().filter_map(|key| self.cycles.get(key)).min().copied().unwrap_or(self.attention)
    }

    /// All of it was no more than said.
    pub(super) fn quieten(&mut self) {
        let all = self.cycles.values_mut().chain([&mut self.attention]);
        all.for_each(|loud| *loud = (*loud).min(Attention::Post));
    }
}

/// It failed since the chat was told: that is told of all its deadlines anew.
pub(super) fn is_worse(incident: &Incident, told: &Told) -> bool {
    incident.verdict == Verdict::Failed && told.verdict != Verdict::Failed
}

/// The cycles that a chat which knows of the incident has not been told of; `None`: none, or it knows of none.
pub(super) fn untold(incident: &Incident, chat: &Id, cycles: &BTreeSet<CycleKey>) -> Option<BTreeSet<CycleKey>> {
    let told = incident.told.get(chat)?;
    let untold = cycles.iter().filter(|key| !told.cycles.contains_key(*key));
    Some(untold.cloned().collect()).filter(|untold: &BTreeSet<CycleKey>| !untold.is_empty())
}

/// The cycles that a louder word is about, whose hours and deadlines it keeps: those that were told of and nobody was asked about. All
/// of them where there are none such, where the chat knows of nothing, and where it has become worse.
pub(super) fn unasked(incident: &Incident, chat: &Id, cycles: &BTreeSet<CycleKey>) -> BTreeSet<CycleKey> {
    let told = incident.told.get(chat).filter(|told| !is_worse(incident, told));
    let quiet = |key: &&CycleKey| told.is_some_and(|told| told.cycles.get(*key).is_some_and(|loud| *loud < Attention::Notify));
    let unasked: BTreeSet<CycleKey> = cycles.iter().filter(quiet).cloned().collect();
    if unasked.is_empty() { cycles.clone() } else { unasked }
}

/// The chat hears of it now, with all these cycles.
pub(super) fn hear(incident: &mut Incident, chat: &Id, attention: Attention, said: (Instant, PostId), cycles: &BTreeSet<CycleKey>) {
    let told = heard(incident.told.remove(chat), (attention, incident.verdict), said, cycles);
    incident.told.insert(chat.clone(), told);
}

/// What is known to have been heard by these posts alone, the first of them first; `None`: nothing.
pub(super) fn heard_by<'a>(state: &State, posts: impl Iterator<Item = &'a Post>) -> Option<Told> {
    posts.fold(None, |told, post| {
        let Body::Incident { about, .. } = &post.message.body else { return told };
        let named = named(state, about).map(|(key, _)| key.clone()).collect();
        Some(heard(told, (post.message.attention, about.verdict), (post.wanted_at, post.id), &named))
    })
}

/// The cycles that a message names, as far as they are known.
pub(super) fn named<'a>(state: &'a State, about: &'a IncidentFacts) -> impl Iterator<Item = (&'a CycleKey, &'a CycleState)> {
    let names =
        |key: &CycleKey, deadline| about.dashboards.iter().any(|told| told.id == key.dashboard && told.deadline == deadline);
    state.cycles.iter().filter(move |(key, cycle)| names(key, cycle.deadline))
}

fn heard(
    told: Option<Told>,
    (attention, verdict): (Attention, Verdict),
    (at, post): (Instant, PostId),
    cycles: &BTreeSet<CycleKey>,
) -> Told {
    let mut told = told.unwrap_or(Told { attention, verdict, at, post, cycles: BTreeMap::new() });
    if verdict == Verdict::Failed && told.verdict != Verdict::Failed {
        told.quieten();
    }
    for key in cycles {
        let loud = told.cycles.entry(key.clone()).or_insert(attention);
        *loud = attention.max(*loud);
    }
    Told { attention: told.attention.max(attention), verdict: told.verdict.max(verdict), at, post, ..told }
}

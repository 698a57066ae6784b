//! What a chat has heard of an incident, deadline by deadline: which it was not told of, and which nobody there was asked about.
//! Decides nothing.

use super::plan::Id;
use super::state::{Attention, CycleKey, Incident, PostId, Told, Verdict};
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
pub(super) fn hear(
    incident: &mut Incident,
    chat: &Id,
    attention: Attention,
    (at, post): (Instant, PostId),
    cycles: &BTreeSet<CycleKey>,
) {
    let worst = incident.told.get(chat).map_or(incident.verdict, |told| told.verdict.max(incident.verdict));
    let before = incident.told.remove(chat).map(|mut told| {
        if is_worse(incident, &told) {
            told.quieten();
        }
        told
    });
    let (loudest, mut heard) = before.map_or((attention, BTreeMap::new()), |told| (told.attention.max(attention), told.cycles));
    for key in cycles {
        let loud = heard.entry(key.clone()).or_insert(attention);
        *loud = attention.max(*loud);
    }
    incident.told.insert(chat.clone(), Told { attention: loudest, verdict: worst, at, post, cycles: heard });
}

//! Whom an incident concerns: the endangered cycles that somebody looks at, and the chats that are told of each. Decides nothing.

use super::plan::{Id, Plan};
use super::state::{CycleKey, Impact, ImpactState, Incident, State};
use std::collections::{BTreeMap, BTreeSet};

/// The cycles that the incident endangers and somebody looks at.
pub(super) fn endangered(state: &State, incident: &Incident) -> BTreeSet<CycleKey> {
    let waiting = |impact: &Impact| impact.state == ImpactState::Waiting && !impact.waiting.is_empty();
    // Once the cause is gone, only where what waited for it lags.
    let lags = |key: &CycleKey, impact: &Impact| {
        let view = state.view.of(key);
        let judged = |id: &Id| state.roster.place(id).and_then(|ix| view?.of(ix));
        impact.waiting.iter().any(|id| judged(id).is_some_and(|judged| judged.verdict.is_trouble()))
    };
    let open = incident.impact.iter().filter(|(_, impact)| waiting(impact));
    let open = open.filter(|(key, impact)| incident.lagging.is_none() || lags(key, impact)).map(|(key, _)| key);
    open.filter(|key| state.cycles.get(*key).is_some_and(|cycle| cycle.audience)).cloned().collect()
}

/// Each chat that is to be told, with the cycles that concern it.
pub(super) fn chats(plan: &Plan, incident: &Incident, cycles: &BTreeSet<CycleKey>) -> BTreeMap<Id, BTreeSet<CycleKey>> {
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

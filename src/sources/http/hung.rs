//! Endpoints that did not answer in time: asked beside the others, each in its turn, so that they delay nobody.
//!
//! One leaves as soon as it says anything. None is forgotten while it is asked for: who was passed over longest comes first.

use crate::core::plan::Id;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant as Mono;

/// By subject, from when on it may be asked again.
#[derive(Default)]
pub(super) struct Hung(Mutex<BTreeMap<Id, Mono>>);

impl Hung {
    fn all(&self) -> MutexGuard<'_, BTreeMap<Id, Mono>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which of these hang. What is no longer asked for is forgotten.
    pub(super) fn of(&self, subjects: &[Id]) -> BTreeSet<Id> {
        let mut all = self.all();
        if !all.is_empty() {
            let asked: BTreeSet<&Id> = subjects.iter().collect();
            all.retain(|subject, _| asked.contains(subject));
        }
        all.keys().cloned().collect()
    }

    /// Whose turn it is, at most so many; `patience`: how long a request may take.
    pub(super) fn next(&self, most: usize, now: Mono, patience: Duration) -> Vec<Id> {
        let mut all = self.all();
        let mut ready: Vec<(Mono, Id)> =
            all.iter().filter(|(_, from)| **from <= now).map(|(id, from)| (*from, id.clone())).collect();
        ready.sort_unstable();
        ready.truncate(most);
        // Should the answer get lost with its round, it is asked again all the same.
        all.extend(ready.iter().map(|(_, subject)| (subject.clone(), now + patience + Duration::from_secs(1))));
        ready.into_iter().map(|(_, subject)| subject).collect()
    }

    pub(super) fn timed_out(&self, subject: &Id, now: Mono) {
        self.all().insert(subject.clone(), now);
    }

    pub(super) fn answered(&self, subject: &Id) {
        let mut all = self.all();
        if !all.is_empty() {
            all.remove(subject);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_has_its_turn_and_whoever_answers_leaves() {
        let (hung, patience) = (Hung::default(), Duration::from_secs(10));
        let ids = |names: &[&str]| names.iter().copied().map(Id::from).collect::<Vec<Id>>();
        for name in ["a", "b", "c"] {
            hung.timed_out(&name.into(), Mono::now());
        }
        let next = |most| hung.next(most, Mono::now(), patience);
        assert_eq!((next(2), next(2), next(2)), (ids(&["a", "b"]), ids(&["c"]), ids(&[])));
        tokio::time::advance(Duration::from_secs(5)).await;
        hung.timed_out(&"b".into(), Mono::now());
        hung.answered(&"c".into());
        tokio::time::advance(Duration::from_secs(6)).await;
        // The answer about "a" was lost with its round.
        assert_eq!(next(9), ids(&["b", "a"]));
        assert_eq!(hung.of(&ids(&["b", "z"])), BTreeSet::from(["b".into()]));
        assert_eq!(hung.of(&ids(&["a"])), BTreeSet::new());
    }
}

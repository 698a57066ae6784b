//! Asks everything once, through the core's two doors. Writes nothing and sends nothing.

use crate::agent::clock::Clock;
use crate::agent::poll::Pool;
use crate::core::due::due;
use crate::core::observation::{Answer, Ask, Unreachable};
use crate::core::plan::{Id, Plan};
use crate::core::state::State;
use crate::core::step::{Input, step};
use crate::core::time::Instant;
use futures_util::future::join_all;
use std::collections::BTreeMap;

/// Listings, sweeps, failures of causes, and the same again where one brings up another.
const ROUNDS: usize = 6;

/// What was found out.
pub(in crate::cli) struct Collected {
    pub(in crate::cli) state: State,
    pub(in crate::cli) at: Instant,
    /// Sources that could not be listed or swept.
    pub(in crate::cli) unseen: BTreeMap<Id, Unreachable>,
}

/// `state`: what is known already. Its sources are asked anew, however short ago they were asked.
pub(in crate::cli) async fn collect(plan: &Plan, pool: &Pool, clock: &Clock, mut state: State) -> Collected {
    forget_polls(&mut state);
    let mut unseen = BTreeMap::new();
    let mut asked: Vec<Ask> = Vec::new();
    step(&mut state, plan, clock.now(), Input::Tick);
    for _ in 0..ROUNDS {
        let mut asks = due(&state, plan, clock.now()).asks;
        asks.retain(|ask| !asked.iter().any(|before| is_same(before, ask)));
        if asks.is_empty() {
            break;
        }
        asked.extend(asks.iter().cloned());
        let at = clock.now();
        for heard in join_all(asks.into_iter().map(|ask| pool.ask(ask, at, clock))).await {
            match (&heard.ask, &heard.answer) {
                (Ask::Failure { .. }, _) => {}
                (ask, Answer::Unreachable(gone)) => drop(unseen.insert(ask.source().clone(), gone.clone())),
                _ => {}
            }
            step(&mut state, plan, clock.now(), Input::Heard(heard));
        }
    }
    let at = clock.now();
    step(&mut state, plan, at, Input::Tick);
    Collected { state, at, unseen }
}

/// Only then everything is due to be asked, also what an agent beside this asked a moment ago.
fn forget_polls(state: &mut State) {
    for source in state.sources.values_mut() {
        source.swept_at = None;
        source.asked_at = None;
        source.listed_at = None;
        source.list_asked_at = None;
    }
}

/// The same question, whenever it is asked. A sweep for more subjects, after a listing, is another one.
fn is_same(a: &Ask, b: &Ask) -> bool {
    match (a, b) {
        (Ask::Sweep { source: s, subjects: x, .. }, Ask::Sweep { source: t, subjects: y, .. }) => s == t && x == y,
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_is_the_same_question_at_any_time_but_not_for_other_subjects() {
        let sweep = |source: &str, subjects: &[&str], since_s: i64| Ask::Sweep {
            source: source.into(),
            subjects: subjects.iter().copied().map(Id::from).collect(),
            dates: BTreeMap::new(),
            since: Instant::UNIX_EPOCH + chrono::TimeDelta::seconds(since_s),
        };
        assert!(is_same(&sweep("a", &["x"], 0), &sweep("a", &["x"], 9)));
        assert!(!is_same(&sweep("a", &["x"], 0), &sweep("a", &["x", "y"], 0)));
        assert!(!is_same(&sweep("a", &["x"], 0), &sweep("b", &["x"], 0)));
        assert!(!is_same(&sweep("a", &[], 0), &Ask::List { source: "a".into() }));
    }
}

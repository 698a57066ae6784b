//! `max_age`: data that is too old at any hour, deadline or not. Knows no cycle.

use super::judge::Until;
use super::observation::RunState;
use super::plan::Plan;
use super::roster::Ix;
use super::standing;
use super::state::{Seen, State};
use super::time::Instant;
use chrono::TimeDelta;
use std::collections::BTreeMap;

/// Checks that are stale by `max_age`, and when the next one will be.
pub(super) fn stale(state: &State, plan: &Plan, at: Instant) -> (BTreeMap<Ix, Instant>, Option<Instant>) {
    let mut stale = BTreeMap::new();
    let mut next = Until(None);
    for (ix, known) in state.roster.checks.iter().enumerate() {
        let Some(max_age) = known.check.max_age else { continue };
        let Some(source) = state.sources.get(&known.check.source) else { continue };
        let every = plan.sources.get(&known.check.source).map_or(TimeDelta::zero(), |s| s.every);
        // What a source that cannot be seen has got since, nobody knows; what was too old when it was last seen stays so.
        let Some(swept) = source.swept_at else { continue };
        let known_at = if standing::unseen(source, every, at).is_some() { swept.min(at) } else { at };
        let newest = match &state.checks[ix].seen {
            Some(Seen::Timestamp { newest, .. }) => *newest,
            Some(Seen::Runs(runs)) => runs.iter().filter(|run| run.state == RunState::Success).filter_map(|run| run.ended_at).max(),
            _ => None,
        };
        let Some(newest) = newest else { continue };
        if newest + max_age < known_at {
            stale.insert(ix, newest);
        } else {
            next.by(newest + max_age + TimeDelta::seconds(1), at);
        }
    }
    (stale, next.0)
}

//! Trouble outside any cycle: data that is too old at any hour (`max_age`), and failed runs of checks that no dashboard needs.

use super::judge::Until;
use super::observation::{Run, RunState};
use super::plan::Plan;
use super::roster::{Ix, Known};
use super::standing;
use super::state::{CheckState, Seen, SourceState, State};
use super::time::Instant;
use chrono::TimeDelta;
use std::collections::BTreeMap;

/// What is wrong with a check whatever the deadlines are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outside {
    Stale {
        newest: Instant,
    },
    /// It would be stale by now, but its source cannot be seen.
    Blind {
        newest: Instant,
    },
    /// `doomed`: it still runs, but this task has finally failed.
    Failed {
        run: String,
        at: Option<Instant>,
        doomed: Option<String>,
    },
}

/// Checks in such trouble, and when time alone may bring another one.
pub(super) fn outside(state: &State, plan: &Plan, at: Instant) -> (BTreeMap<Ix, Outside>, Option<Instant>) {
    let mut troubled = BTreeMap::new();
    let mut next = Until(None);
    for &ix in &state.roster.outside {
        let known = &state.roster.checks[ix];
        let Some(source) = state.sources.get(&known.check.source) else { continue };
        let check = &state.checks[ix];
        let every = plan.sources.get(&known.check.source).map_or(TimeDelta::zero(), |s| s.every);
        let trouble = failed(known, check).or_else(|| stale(known, check, source, every, at, &mut next));
        troubled.extend(trouble.map(|trouble| (ix, trouble)));
    }
    (troubled, next.0)
}

/// The newest run that has ended, of a check that no dashboard needs. What failed before the check was known is nobody's news.
fn failed(known: &Known, check: &CheckState) -> Option<Outside> {
    let Some(Seen::Runs(runs)) = &check.seen else { return None };
    if !known.dashboards.is_empty() || check.silent_until_success {
        return None;
    }
    let ended = |run: &&Run| run.ended_at.is_some() || run.state.is_failed();
    let newest = runs.iter().find(ended).filter(|run| run.state.is_failed())?;
    let doomed = match &newest.state {
        RunState::Doomed { task } => Some(task.clone()),
        _ => None,
    };
    let new = newest.ended_at.is_none_or(|ended| ended >= check.known_since);
    new.then(|| Outside::Failed { run: newest.id.clone(), at: newest.ended_at, doomed })
}

fn stale(
    known: &Known,
    check: &CheckState,
    source: &SourceState,
    every: TimeDelta,
    at: Instant,
    next: &mut Until,
) -> Option<Outside> {
    let max_age = known.check.max_age?;
    // What a source that cannot be seen has got since, nobody knows; what was too old when it was last seen stays so.
    let swept = source.swept_at?;
    let known_at = if standing::unseen(source, every, at).is_some() { swept.min(at) } else { at };
    let newest = match &check.seen {
        Some(Seen::Timestamp { newest, .. }) => *newest,
        Some(Seen::Dated { arrived, .. }) => arrived.values().flatten().max().copied(),
        Some(Seen::Runs(runs)) => runs.iter().filter(|run| run.state == RunState::Success).filter_map(|run| run.ended_at).max(),
        _ => None,
    }?;
    if newest + max_age < known_at {
        return Some(Outside::Stale { newest });
    }
    next.by(newest + max_age + TimeDelta::seconds(1), at);
    let dark = standing::unseen(source, every, at) == Some(standing::Unseen::Dark);
    (dark && newest + max_age < at).then_some(Outside::Blind { newest })
}

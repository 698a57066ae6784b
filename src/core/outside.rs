//! Trouble outside any cycle: data that is too old at any hour (`max_age`), and failed runs of checks that no dashboard needs.

use super::observation::{Run, RunKind};
use super::plan::Plan;
use super::roster::{Ix, Known};
use super::standing::{self, Standing};
use super::state::{CheckState, Seen, SourceState, State};
use super::time::{Instant, Until};
use chrono::TimeDelta;
use std::collections::BTreeMap;

/// Tasks that are one pipeline together begin within so long of each other.
const PARTS_WITHIN: TimeDelta = TimeDelta::days(1);

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
    /// No data of it was seen for as long as it may be old.
    NeverSeen {
        since: Instant,
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

/// A failed run of a check that no dashboard needs. What failed before the check was known is nobody's news.
fn failed(known: &Known, check: &CheckState) -> Option<Outside> {
    if !known.dashboards.is_empty() || check.silent_until_success {
        return None;
    }
    let Standing::Failed { run, at, doomed } = standing::short_of_success(failed_run(check)?)? else { return None };
    let new = at.is_none_or(|ended| ended >= check.known_since);
    new.then_some(Outside::Failed { run, at, doomed })
}

/// Has it failed, as far as its runs were seen?
pub(super) fn has_failed(check: &CheckState) -> bool {
    failed_run(check).is_some()
}

/// The newest run that has ended, if it failed; of tasks that are one pipeline together, any that failed within a day of the newest.
pub(super) fn failed_run(check: &CheckState) -> Option<&Run> {
    let Some(Seen::Runs(runs)) = &check.seen else { return None };
    let newest = runs.first()?;
    let ended = |run: &&Run| run.ended_at.is_some() || run.state.is_failed();
    if newest.kind == RunKind::Part {
        return runs.iter().find(|run| run.state.is_failed() && newest.scheduled_at - run.scheduled_at < PARTS_WITHIN);
    }
    runs.iter().find(ended).filter(|run| run.state.is_failed())
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
    let unseen = standing::unseen(source, every, at);
    let known_at = if unseen.is_some() { swept.min(at) } else { at };
    // What never had any data is given as much time.
    let from = check.newest.unwrap_or(check.known_since);
    let over = from.checked_add_signed(max_age).unwrap_or(Instant::MAX_UTC);
    // Older than it may be, by a whole second: a look before that, which nobody asked for, is to see the same.
    let stale_at = over.checked_add_signed(TimeDelta::seconds(1)).unwrap_or(Instant::MAX_UTC);
    if stale_at <= known_at {
        return Some(check.newest.map_or(Outside::NeverSeen { since: over }, |newest| Outside::Stale { newest }));
    }
    next.by(stale_at, at);
    (unseen == Some(standing::Unseen::Dark) && stale_at <= at).then_some(Outside::Blind { newest: from })
}

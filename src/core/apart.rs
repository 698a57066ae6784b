//! Checks that no dashboard needs: how each stands by what was seen of it. There is no cycle to hold that against, so a failure counts
//! whenever it was, and no deadline, forecast or incident is asked for. Reads the state, changes nothing.

use super::aside;
use super::maintenance;
use super::observation::{Run, RunKind, RunState};
use super::outside::{self, Outside};
use super::plan::Plan;
use super::roster::{Ix, Known};
use super::standing::{self, Standing, Unseen};
use super::state::{CheckState, Seen, State, Verdict};
use super::time::Instant;
use chrono::TimeDelta;
use std::cmp::Reverse;

/// How such a check stands now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Apart {
    pub ix: Ix,
    /// Ready, on track (under way), late (older than `max_age`), failed or unknown; not due where nothing is there to judge.
    pub verdict: Verdict,
    pub why: Why,
    /// The newest success, or the newest data.
    pub newest: Option<Instant>,
    /// Muted, or in maintenance: whatever it is, it is no finding.
    pub excused: bool,
}

/// What the verdict rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// As in a cycle: not to be seen, failed, under way, not there.
    Stands(Standing),
    /// It has joined its group, and has not succeeded since.
    Joined,
    /// Its newest success (`runs`), or its newest data, is older than its `max_age`.
    TooOld {
        newest: Instant,
        runs: bool,
    },
    /// No data of it was seen for its `max_age`.
    NeverSeen,
    Succeeded {
        run: String,
    },
    HasData {
        newest: Instant,
    },
    /// Its source shows no run of it, and need not.
    NoRun,
}

impl Apart {
    pub fn is_finding(&self) -> bool {
        self.verdict.is_trouble() && !self.excused
    }
}

/// Each of them, the worst first.
pub fn apart(state: &State, plan: &Plan, at: Instant) -> Vec<Apart> {
    let alone = state.roster.checks.iter().enumerate().filter(|(_, known)| known.dashboards.is_empty());
    let mut all: Vec<Apart> = alone.map(|(ix, known)| judge(state, plan, ix, known, at)).collect();
    all.sort_by_key(|apart| Reverse((apart.is_finding(), apart.verdict)));
    all
}

fn judge(state: &State, plan: &Plan, ix: Ix, known: &Known, at: Instant) -> Apart {
    let why = why(state, plan, ix, known, at);
    let excused = aside::check_muted(state, &known.id, at)
        .or_else(|| maintenance::of_check(plan, &known.id, at))
        .or_else(|| maintenance::of_source(plan, &known.check.source, at));
    Apart { ix, verdict: verdict(&why), why, newest: newest(&state.checks[ix]), excused: excused.is_some() }
}

fn verdict(why: &Why) -> Verdict {
    match why {
        Why::Stands(Standing::Failed { .. }) => Verdict::Failed,
        Why::Stands(Standing::Unseen(_)) => Verdict::Unknown,
        Why::TooOld { .. } | Why::NeverSeen => Verdict::Late,
        Why::Stands(Standing::Running { .. }) => Verdict::OnTrack,
        Why::Stands(Standing::Arrived(_)) | Why::Succeeded { .. } | Why::HasData { .. } => Verdict::Ready,
        Why::Stands(Standing::NotWatched) | Why::Joined => Verdict::NotWatched,
        Why::Stands(Standing::NotDue | Standing::NotStarted(_) | Standing::NoData { .. }) | Why::NoRun => Verdict::NotDue,
    }
}

fn why(state: &State, plan: &Plan, ix: Ix, known: &Known, at: Instant) -> Why {
    let check = &state.checks[ix];
    let unseen = |why| Why::Stands(Standing::Unseen(why));
    let every = plan.sources.get(&known.check.source).map_or(TimeDelta::zero(), |source| source.every);
    let source = state.sources.get(&known.check.source);
    if let Some(why) = source.map_or(Some(Unseen::NotAsked), |source| standing::unseen(source, every, at)) {
        return unseen(why);
    }
    if check.silent_until_success {
        return Why::Joined;
    }
    let runs = match &check.seen {
        None => return unseen(Unseen::NotAsked),
        Some(Seen::Suspicious(why)) => return unseen(Unseen::Suspicious(why.clone())),
        Some(Seen::Absent { .. }) => return Why::Stands(standing::absent(known, plan)),
        Some(Seen::Timestamp { newest, first_seen_at }) => {
            if let Some(ahead) = newest.and_then(|newest| standing::ahead(newest, *first_seen_at)) {
                return unseen(ahead);
            }
            None
        }
        Some(Seen::Dated { .. }) => None,
        Some(Seen::Runs(runs)) => Some(runs),
    };
    // As an agent judges it; but here it need not have failed since it is known.
    if let Some(failed) = outside::failed_run(check).and_then(standing::short_of_success) {
        return Why::Stands(failed);
    }
    match state.view.outside.get(&ix) {
        Some(Outside::Stale { newest }) => return Why::TooOld { newest: *newest, runs: runs.is_some() },
        Some(Outside::NeverSeen { .. }) => return Why::NeverSeen,
        _ => {}
    }
    match runs {
        Some(runs) => deciding(runs).map_or(Why::NoRun, |run| {
            standing::short_of_success(run).map_or_else(|| Why::Succeeded { run: run.id.clone() }, Why::Stands)
        }),
        None => newest(check).map_or(Why::Stands(Standing::NoData { newest: None }), |newest| Why::HasData { newest }),
    }
}

/// What is from a few seconds ahead was seen all the same.
fn newest(check: &CheckState) -> Option<Instant> {
    match &check.seen {
        Some(Seen::Timestamp { newest, .. }) => check.newest.max(*newest),
        _ => check.newest,
    }
}

/// The run that says how it stands now: the newest; of tasks that are the pipeline together one that is not done.
fn deciding(runs: &[Run]) -> Option<&Run> {
    let done = |run: &Run| run.state == RunState::Success || run.state.is_failed();
    let open = runs.iter().find(|run| run.kind == RunKind::Part && !done(run));
    open.or(runs.first())
}

//! Checks that no dashboard needs: how each stands by what was seen of it. There is no cycle to hold that against, so a failure counts
//! whenever it was, and no deadline, forecast or incident is asked for. Tells nobody.

use super::report::{reason, shown};
use crate::core::command::Muted;
use crate::core::maintenance;
use crate::core::message::{NotStarted, clean};
use crate::core::observation::{Run, RunKind, RunState};
use crate::core::outside::{self, Outside};
use crate::core::plan::{Id, Plan};
use crate::core::roster::{Ix, Known};
use crate::core::standing::{self, Standing, Unseen};
use crate::core::state::{CheckState, Seen, State, Verdict};
use crate::core::time::Instant;
use chrono::TimeDelta;
use serde::Serialize;
use std::cmp::Reverse;

/// The most that are shown as text.
const SHOWN: usize = 20;

#[derive(Debug, Serialize)]
pub(super) struct ApartLine {
    check: Id,
    /// Ready, on track (under way), late (older than `max_age`), failed or unknown; not due where nothing is there to judge.
    verdict: Verdict,
    reason: String,
    /// The newest success, or the newest data.
    arrived_at: Option<String>,
    /// Muted, or in maintenance: whatever it is, it is no finding.
    excused: bool,
}

impl ApartLine {
    pub(super) fn is_finding(&self) -> bool {
        self.verdict.is_trouble() && !self.excused
    }
}

/// The worst first.
pub(super) fn lines(state: &State, plan: &Plan, at: Instant) -> Vec<ApartLine> {
    let alone = state.roster.checks.iter().enumerate().filter(|(_, known)| known.dashboards.is_empty());
    let mut lines: Vec<ApartLine> = alone.map(|(ix, known)| line(state, plan, ix, known, at)).collect();
    lines.sort_by_key(|line| Reverse((line.is_finding(), line.verdict)));
    lines
}

/// Nothing where there is no such check.
pub(super) fn text(lines: &[ApartLine]) -> Vec<String> {
    let mut text = Vec::new();
    if !lines.is_empty() {
        text.push("No dashboard needs these:".to_owned());
    }
    let shown = |line: &ApartLine| {
        let excused = if line.excused { " (muted, or in maintenance)" } else { "" };
        format!("  {}", clean(&format!("{}: {}{excused}", line.check, line.reason)))
    };
    text.extend(lines.iter().take(SHOWN).map(shown));
    if lines.len() > SHOWN {
        let wrong = lines.iter().skip(SHOWN).filter(|line| line.is_finding()).count();
        text.push(format!("  and {} more, of which {wrong} are in trouble", lines.len() - SHOWN));
    }
    text
}

fn line(state: &State, plan: &Plan, ix: Ix, known: &Known, at: Instant) -> ApartLine {
    let newest = newest(&state.checks[ix]);
    let (verdict, reason) = stands(state, plan, ix, at);
    let muted = |what: Muted| state.mutes.get(&what).is_some_and(|pause| pause.holds(at).is_some());
    let source = &known.check.source;
    ApartLine {
        check: known.id.clone(),
        verdict,
        reason,
        arrived_at: newest.map(|at| shown(at, plan.timezone)),
        excused: muted(Muted::Check(known.id.clone()))
            || muted(Muted::Source(source.clone()))
            || maintenance::of_check(plan, &known.id, at).is_some()
            || maintenance::of_source(plan, source, at).is_some(),
    }
}

/// What is from a few seconds ahead was seen all the same.
fn newest(check: &CheckState) -> Option<Instant> {
    match &check.seen {
        Some(Seen::Timestamp { newest, .. }) => check.newest.max(*newest),
        _ => check.newest,
    }
}

/// The verdict, and one clause for a person.
fn stands(state: &State, plan: &Plan, ix: Ix, at: Instant) -> (Verdict, String) {
    let (known, check) = (&state.roster.checks[ix], &state.checks[ix]);
    let (setup, source) = (plan.sources.get(&known.check.source), state.sources.get(&known.check.source));
    let told = |verdict, standing: &Standing| (verdict, reason(standing, source, &state.roster, ix, plan.timezone));
    let unseen = |why: Unseen| told(Verdict::Unknown, &Standing::Unseen(why));
    let every = setup.map_or(TimeDelta::zero(), |setup| setup.every);
    if let Some(why) = source.map_or(Some(Unseen::NotAsked), |source| standing::unseen(source, every, at)) {
        return unseen(why);
    }
    if check.silent_until_success {
        return (Verdict::NotWatched, "it has joined its group, and has not succeeded since".to_owned());
    }
    let runs = match &check.seen {
        None => return unseen(Unseen::NotAsked),
        Some(Seen::Suspicious(why)) => return unseen(Unseen::Suspicious(why.clone())),
        Some(Seen::Absent { .. }) if setup.is_some_and(|setup| setup.kind.forgets()) => {
            return told(Verdict::NotDue, &Standing::NotStarted(NotStarted::Forgotten));
        }
        Some(Seen::Absent { .. }) => return unseen(Unseen::Vanished),
        Some(Seen::Runs(runs)) => Some(runs),
        Some(Seen::Timestamp { newest: Some(newest), first_seen_at }) if *newest > *first_seen_at + standing::FUTURE_TOLERANCE => {
            return unseen(Unseen::FutureData(*newest));
        }
        Some(Seen::Timestamp { .. } | Seen::Dated { .. }) => None,
    };
    if let Some(failed) = failed(check) {
        return told(Verdict::Failed, &failed);
    }
    let of = |at: Instant| at.with_timezone(&plan.timezone).format("%a %F %R").to_string();
    match state.view.outside.get(&ix) {
        Some(Outside::Stale { newest }) => {
            let what = if runs.is_some() { "success" } else { "data" };
            return (Verdict::Late, format!("its newest {what} is of {}, older than its max_age", of(*newest)));
        }
        Some(Outside::NeverSeen { .. }) => return (Verdict::Late, "no data of it was seen for its max_age".to_owned()),
        _ => {}
    }
    match (runs.map(|runs| now(runs)), newest(check)) {
        (None, Some(newest)) => (Verdict::Ready, format!("its newest data is of {}", of(newest))),
        (None, None) => told(Verdict::NotDue, &Standing::NoData { newest: None }),
        (Some(None), _) => (Verdict::NotDue, "no run lately".to_owned()),
        (Some(Some(run)), _) => match &run.state {
            RunState::Success => (Verdict::Ready, format!("run {} succeeded", run.id)),
            RunState::Lost => told(Verdict::NotDue, &Standing::NotStarted(NotStarted::Forgotten)),
            state => told(Verdict::OnTrack, &under_way(run, state)),
        },
    }
}

/// As an agent judges it; but here it need not have failed since it is known.
fn failed(check: &CheckState) -> Option<Standing> {
    let run = outside::failed_run(check)?;
    let doomed = match &run.state {
        RunState::Doomed { task } => Some(task.clone()),
        _ => None,
    };
    Some(Standing::Failed { run: run.id.clone(), at: run.ended_at, doomed })
}

/// The run that says how it stands now: the newest; of tasks that are the pipeline together one that is not done.
fn now(runs: &[Run]) -> Option<&Run> {
    let done = |run: &Run| run.state == RunState::Success || run.state.is_failed();
    let open = runs.iter().find(|run| run.kind == RunKind::Part && !done(run));
    open.or(runs.first())
}

fn under_way(run: &Run, state: &RunState) -> Standing {
    Standing::Running {
        run: run.id.clone(),
        state: state.clone(),
        since: run.started_at.unwrap_or(run.scheduled_at),
        started_at: run.started_at,
        rerun: false,
    }
}

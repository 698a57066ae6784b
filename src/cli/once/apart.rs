//! The words and the JSON of checks that no dashboard needs. Judges nothing, tells nobody.

use super::report::{reason, shown};
use crate::core::apart::{Apart, Why, apart};
use crate::core::message::clean;
use crate::core::plan::{Id, Plan};
use crate::core::state::{State, Verdict};
use crate::core::time::Instant;
use serde::Serialize;

/// The most that are shown as text.
const SHOWN: usize = 20;

/// The fields say what those of [`Apart`] say.
#[derive(Debug, Serialize)]
pub(super) struct ApartLine {
    check: Id,
    verdict: Verdict,
    reason: String,
    arrived_at: Option<String>,
    excused: bool,
    #[serde(skip)]
    pub(super) is_finding: bool,
}

/// The worst first.
pub(super) fn lines(state: &State, plan: &Plan, at: Instant) -> Vec<ApartLine> {
    let line = |apart: Apart| ApartLine {
        check: state.roster.checks[apart.ix].id.clone(),
        verdict: apart.verdict,
        reason: words(&apart, state, plan),
        arrived_at: apart.newest.map(|at| shown(at, plan.timezone)),
        excused: apart.excused,
        is_finding: apart.is_finding(),
    };
    apart(state, plan, at).into_iter().map(line).collect()
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
        let wrong = lines.iter().skip(SHOWN).filter(|line| line.is_finding).count();
        text.push(format!("  and {} more, of which {wrong} are in trouble", lines.len() - SHOWN));
    }
    text
}

/// One clause for a person.
pub(in crate::cli) fn words(apart: &Apart, state: &State, plan: &Plan) -> String {
    let of = |at: &Instant| at.with_timezone(&plan.timezone).format("%a %F %R").to_string();
    match &apart.why {
        Why::Stands(standing) => {
            let source = state.sources.get(&state.roster.checks[apart.ix].check.source);
            reason(standing, source, &state.roster, apart.ix, plan.timezone)
        }
        Why::Joined => "it has joined its group, and has not succeeded since".to_owned(),
        Why::TooOld { newest, runs } => {
            let what = if *runs { "success" } else { "data" };
            format!("its newest {what} is of {}, older than its max_age", of(newest))
        }
        Why::NeverSeen => "no data of it was seen for its max_age".to_owned(),
        Why::Succeeded { run } => format!("run {run} succeeded"),
        Why::HasData { newest } => format!("its newest data is of {}", of(newest)),
        Why::NoRun => "no run lately".to_owned(),
    }
}

//! Counts what was reached: which trouble was on while a cycle had which verdict, an incident which phase, a post which attempt.

use super::script::{MARKS, Mark, Script};
use super::things::Span;
use dawnwatch::core::state::*;
use dawnwatch::core::time::Instant;
use std::collections::BTreeMap;
use std::fmt;

/// The states, in the order of the table's columns.
pub const STATES: [&str; 21] = [
    "not_due",
    "not_watched",
    "ready",
    "on_track",
    "at_risk",
    "late",
    "unknown",
    "failed",
    "open",
    "lagging",
    "recovering",
    "resolved",
    "folded",
    "deepened",
    "idle",
    "started",
    "confirmed",
    "ambiguous",
    "refused",
    "too_late",
    "superseded",
];

#[derive(Debug, Clone, Default)]
pub struct Tally {
    marks: Vec<(Span, Mark)>,
    pub reached: BTreeMap<(Mark, &'static str), u64>,
}

impl Tally {
    pub fn new(script: &Script) -> Self {
        Self { marks: script.marks.clone(), reached: BTreeMap::new() }
    }

    pub fn count(&mut self, real: Instant, commit: &Commit) {
        let mut states: Vec<&'static str> = commit.put.iter().filter_map(state).collect();
        let deepened = |entry: &&Entry| entry.reason == Reason::Deepened;
        states.extend(commit.ledger.iter().filter(deepened).map(|_| "deepened"));
        if states.is_empty() {
            return;
        }
        for (_, mark) in self.marks.iter().filter(|(span, _)| span.holds(real)) {
            for state in &states {
                *self.reached.entry((*mark, state)).or_default() += 1;
            }
        }
    }

    pub fn add(&mut self, other: &Self) {
        for (key, times) in &other.reached {
            *self.reached.entry(*key).or_default() += times;
        }
    }

    /// What was never reached.
    pub fn never(&self) -> usize {
        MARKS.iter().flat_map(|mark| STATES.map(|state| (*mark, state))).filter(|key| !self.reached.contains_key(key)).count()
    }
}

fn state(row: &Row) -> Option<&'static str> {
    Some(match row {
        Row::Cycle(_, cycle) => cycle.verdict.word(),
        Row::Incident(incident) => match incident.phase {
            Phase::Open if incident.alike.is_empty() => "open",
            Phase::Open => "folded",
            Phase::Recovering { .. } if incident.lagging.is_some() => "lagging",
            Phase::Recovering { .. } => "recovering",
            Phase::Resolved { .. } => "resolved",
        },
        Row::Post(post) => match post.attempt {
            Attempt::Idle => "idle",
            Attempt::Started { .. } => "started",
            Attempt::Confirmed { .. } => "confirmed",
            Attempt::Ambiguous { .. } => "ambiguous",
            Attempt::Refused { .. } => "refused",
            Attempt::Withdrawn { why: Withdrawn::TooLate, .. } => "too_late",
            Attempt::Withdrawn { why: Withdrawn::Superseded, .. } => "superseded",
        },
        _ => return None,
    })
}

/// A row for each trouble, a column for each state.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:18}", "")?;
        STATES.iter().try_for_each(|state| write!(f, "{state:>12}"))?;
        for mark in MARKS.iter().copied() {
            write!(f, "\n{:18}", format!("{mark:?}"))?;
            for state in STATES {
                write!(f, "{:>12}", self.reached.get(&(mark, state)).copied().unwrap_or(0))?;
            }
        }
        writeln!(f)
    }
}

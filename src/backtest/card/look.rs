//! Plays the nights, and looks at each open cycle at fixed instants before its deadline: at what is known then, and at nothing else.

use super::case::{Case, Ended, Rise};
use crate::backtest::polls;
use crate::core::cycle::{self, Cycle};
use crate::core::plan::Plan;
use crate::core::state::{CycleKey, State, Verdict};
use crate::core::tally::Span;
use crate::core::time::{Instant, local_date, midnight, shift, wall_s};
use crate::replay::{HistoryError, Play};
use chrono::{NaiveDate, TimeDelta};
use std::collections::BTreeMap;

/// When the joint chance is held against what came of it.
const SAID_MINUTES: i64 = 60;
/// Below the lowest `warn_at` that a configuration takes a chance is no reason for a word.
const NO_REASON: f32 = 0.5;

/// What was seen of a span.
#[derive(Debug, Clone, PartialEq)]
pub struct Looked {
    /// The first and the last day of it of which anything is known.
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub nights: usize,
    /// In order of their deadlines.
    pub cases: Vec<Case>,
}

/// Plays to the end, from where the play begins. Every cycle whose deadline lies in the span is a case.
pub async fn look(mut play: Play) -> Result<Looked, HistoryError> {
    let (span, zone) = (play.span(), play.plan().timezone);
    let mut cases = cases(play.plan(), span);
    let mut date = local_date(span.from, zone);
    let mut first_open = 0;
    while midnight(date, zone) < span.to {
        date = shift(date, 1);
        let to = midnight(date, zone).min(span.to);
        for (at, looks) in instants(&cases[first_open..], span.from.max(midnight(shift(date, -1), zone)), to) {
            play.play_to(at).await?;
            for (place, minutes) in looks {
                look_at(&mut cases[first_open + place], minutes, play.state(), play.plan(), at);
            }
        }
        play.play_to(to).await?;
        // A cycle leaves the state some days after it has closed.
        results(&mut cases[first_open..], &play);
        first_open += cases[first_open..].iter().take_while(|case| case.deadline + KNOWN_FOR < to).count();
    }
    play.play_out().await?;
    results(&mut cases[first_open..], &play);
    // What was before anything was seen, nobody saw.
    let begins = play.first_seen().unwrap_or(span.to);
    for case in cases.iter_mut().filter(|case| case.deadline <= begins) {
        case.ended = Ended::Unseen;
    }
    let seen = Span { from: span.from.max(begins).min(span.to), to: span.to };
    let to = local_date(seen.to - TimeDelta::seconds(1), zone);
    Ok(Looked { from: local_date(seen.from, zone).min(to), to, nights: seen.nights(), cases })
}

/// The result of a cycle may still change for so long after its deadline: a cycle may be a week, or a month, and closes where the next
/// one opens.
const KNOWN_FOR: TimeDelta = TimeDelta::days(35);

/// Every cycle with a deadline in the span.
fn cases(plan: &Plan, span: Span) -> Vec<Case> {
    let (first, last) = (local_date(span.from, plan.timezone), local_date(span.to, plan.timezone));
    let days = (last - first).num_days().max(0);
    let mut cases = Vec::new();
    for (id, dashboard) in &plan.dashboards {
        for (nth, clock) in (0..).zip(&dashboard.ready_by) {
            let dates = (0..=days).map(|day| shift(shift(first, i32::try_from(day).unwrap_or(i32::MAX)), -clock.day_offset));
            let cycles = dates.filter_map(|date| cycle::of_key(plan, dashboard, &CycleKey { dashboard: id.clone(), date, nth }));
            let within = cycles.filter(|cycle| span.holds(cycle.deadline));
            cases.extend(within.map(|cycle| case(cycle, dashboard.at_latest)));
        }
    }
    cases.sort_by_key(|case| case.deadline);
    cases
}

fn case(cycle: Cycle, at_latest: TimeDelta) -> Case {
    let CycleKey { dashboard, date, nth } = cycle.key;
    Case {
        dashboard,
        nth,
        date,
        deadline: cycle.deadline,
        audience: cycle.audience,
        at_latest,
        rises: Vec::new(),
        anyway: None,
        said: None,
        ended: Ended::Unseen,
    }
}

/// When to look, at which of the cases, and how many minutes that is before their deadlines.
fn instants(cases: &[Case], from: Instant, to: Instant) -> BTreeMap<Instant, Vec<(usize, i64)>> {
    let mut instants: BTreeMap<Instant, Vec<(usize, i64)>> = BTreeMap::new();
    let longest = TimeDelta::minutes(polls().max().unwrap_or_default());
    let near = cases.iter().enumerate().take_while(|(_, case)| case.deadline < to + longest);
    for (place, case) in near.filter(|(_, case)| case.deadline > from) {
        for minutes in polls() {
            let at = case.deadline - TimeDelta::minutes(minutes);
            if from <= at && at < to {
                instants.entry(at).or_default().push((place, minutes));
            }
        }
    }
    instants
}

fn look_at(case: &mut Case, minutes: i64, state: &State, plan: &Plan, at: Instant) {
    let key = CycleKey { dashboard: case.dashboard.clone(), date: case.date, nth: case.nth };
    let (Some(view), Some(dashboard)) = (state.view.of(&key), plan.dashboards.get(&case.dashboard)) else { return };
    if view.verdict <= Verdict::Ready {
        return;
    }
    let prospect = view.prospect(state, plan, dashboard, at);
    let worst = prospect.and_then(|prospect| prospect.worst);
    let name = |ix: usize| state.roster.checks[ix].id.clone();
    if minutes == SAID_MINUTES {
        case.said = prospect.and_then(|prospect| prospect.p_miss);
    }
    if let Some((ix, chance)) = worst {
        case.rise(Rise { minutes, chance, check: name(ix) });
    }
    if case.anyway.is_none() {
        // What a check needs stands before it: the first is the cause.
        let first = |verdict| view.checks.iter().find(|(_, judged)| judged.live && judged.verdict == verdict).map(|(ix, _)| *ix);
        let has_no_chance = worst.is_none_or(|(_, chance)| chance < NO_REASON);
        let at_risk = || first(Verdict::AtRisk).filter(|_| has_no_chance);
        let reason = first(Verdict::Failed).or(prospect.and_then(|prospect| prospect.likely)).or_else(at_risk);
        case.anyway = reason.map(|ix| (minutes, name(ix)));
    }
}

/// What is known of their ends.
fn results(cases: &mut [Case], play: &Play) {
    let (state, zone) = (play.state(), play.plan().timezone);
    for case in cases {
        let key = CycleKey { dashboard: case.dashboard.clone(), date: case.date, nth: case.nth };
        let Some(result) = state.cycles.get(&key) else { continue };
        let ready_wall_s = result.ready_at.map(|at| wall_s(at, case.date, zone));
        case.ended = match ready_wall_s {
            _ if result.was_missed() => Ended::Missed { ready_wall_s },
            Some(ready_wall_s) if result.was_met() => Ended::Met { ready_wall_s, failed: result.failed },
            _ => Ended::Unseen,
        };
    }
}

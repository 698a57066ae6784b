//! The facts of a digest that tells a week: the sums of seven local days, and what was due in them. Counts nothing itself, and words
//! nothing.

use super::cycle;
use super::message::{DigestVerdict, WeekFacts, WeekSums};
use super::plan::{Id, Plan};
use super::state::{Cause, CycleKey, State};
use super::tally::{Counts, Week, Words};
use super::time::{Instant, midnight, shift};
use chrono::NaiveDate;
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// The most causes, and the most sources, that are named.
const NAMED: usize = 8;

/// Of the last seven whole local days before `date`.
pub(super) fn facts(state: &State, plan: &Plan, digest: &Id, date: NaiveDate, at: Instant) -> WeekFacts {
    let zone = plan.timezone;
    let Week { counts, before, since, seen } = state.days.week(date, plan, state, at);
    let (from, to) = (shift(date, -7), shift(date, -1));
    let blank = since.is_some_and(|since| since >= midnight(date, zone));
    let counted = since.unwrap_or(midnight(from, zone))..midnight(date, zone).min(at);
    let due = due(plan, from, |deadline| counted.contains(&deadline));
    let unwatched: Vec<&CycleKey> = due.difference(&seen).collect();
    let dashboards: BTreeSet<&Id> = counts.dashboards.keys().chain(unwatched.iter().map(|key| &key.dashboard)).collect();
    let sums = WeekSums { dashboards: dashboards.len(), ..WeekSums::from(&counts) };
    let unwatched = unwatched.len();
    let (causes, more_causes) = causes(&counts);
    let (blind, more_blind) = blind(&counts);
    WeekFacts {
        digest: digest.clone(),
        verdict: if blank { DigestVerdict::NotWatched } else { WeekFacts::verdict_of(&counts.deadlines, unwatched) },
        from,
        to,
        since,
        sums,
        before: before.as_ref().map(WeekSums::from),
        unwatched,
        causes,
        more_causes,
        blind,
        more_blind,
        next_at: None,
    }
}

/// The cycles with an audience whose deadlines are meant. A deadline lies on its own date, or some days before it.
fn due(plan: &Plan, from: NaiveDate, meant: impl Fn(Instant) -> bool) -> BTreeSet<CycleKey> {
    let mut due = BTreeSet::new();
    for (id, dashboard) in &plan.dashboards {
        let ahead = dashboard.ready_by.iter().map(|clock| -clock.day_offset).max().unwrap_or(0);
        for date in (0..7 + ahead).map(|days| shift(from, days)) {
            let keys = (0_u32..).take(dashboard.ready_by.len()).map(|nth| CycleKey { dashboard: id.clone(), date, nth });
            let cycles = keys.filter_map(|key| cycle::of_key(plan, dashboard, &key));
            due.extend(cycles.filter(|cycle| cycle.audience && meant(cycle.deadline)).map(|cycle| cycle.key));
        }
    }
    due
}

/// Those of which something was said, the loudest first.
fn causes(counts: &Counts) -> (Vec<(Cause, Words)>, usize) {
    let told = counts.causes.iter().filter(|(_, words)| words.messages > 0);
    let mut causes: Vec<(Cause, Words)> = told.map(|(cause, words)| (cause.clone(), *words)).collect();
    causes.sort_by_key(|(_, words)| Reverse((words.wakeups, words.asked, words.messages, words.alerts)));
    let more = causes.len().saturating_sub(NAMED);
    causes.truncate(NAMED);
    (causes, more)
}

/// Whole minutes.
fn blind(counts: &Counts) -> (Vec<(Id, i64)>, usize) {
    let mut blind: Vec<(Id, i64)> = counts.blind.iter().map(|(id, blind)| (id.clone(), blind.num_minutes())).collect();
    blind.retain(|(_, minutes)| *minutes > 0);
    blind.sort_by_key(|(_, minutes)| Reverse(*minutes));
    let more = blind.len().saturating_sub(NAMED);
    blind.truncate(NAMED);
    (blind, more)
}

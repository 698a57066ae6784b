//! What a forecast costs: of one check with all the nights that are kept, after each change; and of a dashboard over a thousand such
//! checks, none of which has come. `cargo bench --bench forecast`; the targets are 50 µs and 20 ms.

#[path = "../tests/support/world.rs"]
mod world;

use chrono::{NaiveDate, TimeDelta};
use dawnwatch::core::cycle;
use dawnwatch::core::forecast::{Habit, Mixture, NIGHTS_KEPT, Tonight};
use dawnwatch::core::judge::{CycleView, judge};
use dawnwatch::core::plan::{Id, Plan};
use dawnwatch::core::state::{CheckState, Row, Seen, SourceState, State};
use dawnwatch::core::time::{Instant, shift};
use divan::Bencher;

const CHECKS: usize = 1_000;
const HOUR: i32 = 3_600;

fn main() {
    divan::main();
}

fn date() -> NaiveDate {
    "2026-11-23".parse().unwrap()
}

fn tonight(back: usize) -> Tonight {
    Tonight::of(shift(date(), -(back as i32)), 0, 24 * HOUR, |_| None)
}

/// About three o'clock, some nights late, some never; each check in its own way.
fn habits(of: usize) -> Mixture {
    let mut habits = Mixture::default();
    for back in (1..=NIGHTS_KEPT).rev() {
        let chance = (of * 7_919 + back * 104_729).wrapping_mul(2_654_435_761) >> 8;
        let minutes = 20 + (chance % 25) as i32 + if chance % 50 == 1 { 200 } else { 0 };
        let came = (chance % 97 != 1).then_some(2 * HOUR + minutes * 60);
        habits.learn(tonight(back), came, came.map(|_| i64::from(minutes) * 60));
    }
    habits
}

fn name(of: usize) -> Id {
    world::id(&format!("p{of:04}"))
}

/// A dashboard over a thousand checks at four in the morning: all are late, and can be seen.
fn late() -> (Plan, State, Instant) {
    let at = world::seoul("2026-11-23 04:00");
    let mut plan = world::plan();
    plan.checks = (0..CHECKS).map(|of| (name(of), world::check(name(of).as_str()).into())).collect();
    let all: Vec<Id> = (0..CHECKS).map(name).collect();
    plan.dashboards = [(world::id("exec"), world::dashboard(&all.iter().map(Id::as_str).collect::<Vec<_>>()))].into();
    let check = |of: usize| CheckState {
        fingerprint: (world::id("airflow"), name(of)),
        known_since: at - TimeDelta::days(300),
        groups: Default::default(),
        silent_until_success: false,
        seen: Some(Seen::Runs(vec![])),
        newest: None,
        arrivals: vec![],
        habits: habits(of).into(),
        moved: None,
        resumed: None,
        failures: vec![],
    };
    let source = SourceState { swept_at: Some(at), asked_at: Some(at), listed_at: Some(at), ..SourceState::default() };
    let rows = (0..CHECKS).map(|of| Row::Check(name(of), Box::new(check(of))));
    let state = State::restore(rows.chain([Row::Source(world::id("airflow"), Box::new(source))]), &plan);
    (plan, state, at)
}

fn judged(plan: &Plan, state: &State, at: Instant) -> CycleView {
    let (id, dashboard) = plan.dashboards.iter().next().unwrap();
    judge(state, plan, dashboard, cycle::current(plan, id, dashboard, at).unwrap(), at)
}

#[divan::bench]
fn what_is_usual_for_one_check(bencher: Bencher<'_, '_>) {
    let habits = habits(1);
    bencher.bench_local(|| Habit::of(Some(&habits), tonight(0), None));
}

#[divan::bench]
fn one_night_learned(bencher: Bencher<'_, '_>) {
    let habits = habits(1);
    bencher.with_inputs(|| habits.clone()).bench_local_refs(|habits| habits.learn(tonight(0), Some(3 * HOUR), Some(2_400)));
}

#[divan::bench]
fn judging_a_thousand_that_are_late(bencher: Bencher<'_, '_>) {
    let (plan, state, at) = late();
    bencher.bench_local(|| judged(&plan, &state, at));
}

#[divan::bench]
fn the_prospect_over_a_thousand_that_are_late(bencher: Bencher<'_, '_>) {
    let (plan, state, at) = late();
    let view = judged(&plan, &state, at);
    let dashboard = &plan.dashboards[&world::id("exec")];
    assert!(view.prospect(&state, &plan, dashboard, at).unwrap().p_miss.is_some());
    bencher.bench_local(|| view.prospect(&state, &plan, dashboard, at));
}

//! Sweeps that are told in parts: what a part says, what only the end of the sweep says, and when the first word goes out.

#[path = "support/world.rs"]
mod world;

use chrono::TimeDelta;
use dawnwatch::core::due::due;
use dawnwatch::core::observation::{Answer, Ask, Heard, Unreachable, Why};
use dawnwatch::core::plan::Plan;
use dawnwatch::core::state::Verdict;
use dawnwatch::core::step::Input;
use dawnwatch::core::time::Instant;
use std::collections::BTreeMap;
use world::{World, check, dashboard, id, seoul};

const NAMES: [&str; 5] = ["ads", "clicks", "orders", "sales", "users"];

fn world() -> World {
    let plan = Plan {
        checks: NAMES.map(|name| (id(name), check(name).into())).into(),
        dashboards: [(id("exec"), dashboard(&NAMES))].into(),
        digests: BTreeMap::new(),
        ..world::plan()
    };
    World::new(plan, "2026-11-23 07:30")
}

/// The source answers about these, asked at `asked_at`; `end`: that was the whole sweep.
fn hear(world: &mut World, subjects: &[&str], asked_at: Instant, end: bool) {
    let subjects = subjects.iter().map(|name| id(name)).collect();
    let ask = Ask::Sweep { source: id("airflow"), subjects, dates: BTreeMap::new(), since: asked_at - TimeDelta::days(1) };
    let Answer::Sweep(sweep) = world.answer(&ask) else { panic!("the source is dark") };
    let answer = if end { Answer::Sweep(sweep) } else { Answer::Part(sweep) };
    world.take(Input::Heard(Heard { ask, asked_at, answer }));
}

fn verdict(world: &World, name: &str) -> Verdict {
    let ix = world.state.roster.place(&id(name)).unwrap();
    world.state.view.cycles[&id("exec")].of(ix).unwrap().verdict
}

#[test]
fn the_first_word_waits_for_the_end_of_the_sweep_and_counts_all() {
    let mut world = world_before_the_failures();
    let began = world.at;
    for (after_s, part) in [(1, &NAMES[..1]), (2, &NAMES[1..4]), (3, &NAMES[4..])] {
        world.at = began + TimeDelta::seconds(after_s);
        hear(&mut world, part, began, false);
        world.settle();
        assert_eq!(world.lines(), [""; 0], "{after_s}");
    }
    hear(&mut world, &[], began, true);
    world.settle();
    assert_eq!(world.lines(), ["Mon 07:50 team notify alert ads failed +4 [exec]"]);
}

/// Five runs under way that fail at 07:50, when a sweep begins.
fn world_before_the_failures() -> World {
    let mut world = world();
    for name in NAMES {
        world.fail(name, "2026-11-23 07:00", "2026-11-23 07:50");
    }
    world.until("2026-11-23 07:49");
    world.at = seoul("2026-11-23 07:50");
    world
}

#[test]
fn a_sweep_that_never_ends_holds_the_word_no_longer_than_to_the_next_one() {
    let mut world = world_before_the_failures();
    let began = world.at;
    hear(&mut world, &NAMES[..1], began, false);
    let wake = due(&world.state, &world.plan, world.at).wake_at.unwrap();
    assert!(wake <= world.at + TimeDelta::seconds(60), "{wake}");
    world.at += TimeDelta::seconds(60);
    world.take(Input::Tick);
    let posts = due(&world.state, &world.plan, world.at).posts;
    // Its reason is fetched first, as always.
    let asks = due(&world.state, &world.plan, world.at).asks;
    assert!(!posts.is_empty() || asks.iter().any(|ask| matches!(ask, Ask::Failure { .. })), "{posts:?} {asks:?}");
}

#[test]
fn a_part_from_after_the_deadline_says_nothing_of_the_others() {
    let mut world = world();
    for name in NAMES {
        world.run(name, "2026-11-23 08:00", "2026-11-23 08:59");
    }
    world.until("2026-11-23 08:58");
    let deadline = seoul("2026-11-23 09:00");
    world.at = deadline + TimeDelta::seconds(1);
    hear(&mut world, &NAMES[..1], deadline, false);
    assert_eq!(verdict(&world, "ads"), Verdict::Ready);
    assert_ne!(verdict(&world, "users"), Verdict::Late, "it arrived at 08:59, and was not asked for since");
    hear(&mut world, &NAMES[1..], deadline, true);
    assert_eq!(verdict(&world, "users"), Verdict::Ready);
}

#[test]
fn a_sweep_under_way_is_not_asked_for_again_and_its_end_may_come_after_the_next_has_begun() {
    let mut world = world();
    for name in NAMES {
        world.run(name, "2026-11-23 07:00", "2026-11-23 07:20");
    }
    world.until("2026-11-23 07:40");
    let (first, second) = (world.at + TimeDelta::seconds(60), world.at + TimeDelta::seconds(120));
    let sweeps = |world: &World| due(&world.state, &world.plan, world.at).asks.len();
    world.at = first;
    assert_eq!(sweeps(&world), 1);
    hear(&mut world, &NAMES[..1], first, false);
    assert_eq!(sweeps(&world), 0);
    world.at = second;
    assert_eq!(sweeps(&world), 1);
    hear(&mut world, &NAMES[..1], second, false);
    hear(&mut world, &[], first, true);
    assert_eq!((sweeps(&world), world.state.sources[&id("airflow")].swept_at), (0, Some(first)));
    // One that nobody answered is the source's trouble, as ever.
    let ask = Ask::Sweep { source: id("airflow"), subjects: [].into(), dates: BTreeMap::new(), since: first };
    let answer = Answer::Unreachable(Unreachable { why: Why::Timeout, detail: String::new() });
    world.take(Input::Heard(Heard { ask, asked_at: second, answer }));
    assert!(world.state.sources[&id("airflow")].dark.is_some());
}

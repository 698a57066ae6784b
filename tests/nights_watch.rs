//! Nights of the watch itself: what is expected dark, digests that wait until all is ready, the proof of life, clocks that differ, and
//! a network that may be its own. 2026-11-23 is a Monday in Seoul, 11-22 a Sunday.

#[path = "support/world.rs"]
mod world;

use chrono::{NaiveTime, TimeDelta};
use dawnwatch::core::calendar::DayRule;
use dawnwatch::core::message::Body;
use dawnwatch::core::plan::*;
use dawnwatch::core::state::*;
use dawnwatch::core::time::{ClockTime, Hours};
use world::*;

/// The same night must give the same messages when the state is read back from the store before every step.
fn night(plan: Plan, from: &str, to: &str, set: impl Fn(&mut World), expected: &[&str]) -> World {
    let play = |amnesia: bool| {
        let mut world = World::new(plan.clone(), from);
        world.tick = TimeDelta::minutes(5);
        world.amnesia = amnesia;
        world.subjects.insert(id("orders"), Subject::default());
        world.subjects.insert(id("sales"), Subject::default());
        set(&mut world);
        world.until(to);
        world
    };
    let world = play(false);
    assert_eq!(world.lines(), expected, "decisions:\n{}", world.decisions().join("\n"));
    assert_eq!(play(true).lines(), expected, "with amnesia");
    world
}

const GREEN: fn(&mut World) = |w| {
    w.run("orders", "2026-11-23 03:00", "2026-11-23 03:40").run("sales", "2026-11-23 04:00", "2026-11-23 04:35");
};

fn hours(from: (u32, u32), to: (u32, u32)) -> Option<Hours> {
    let time = |(h, m)| NaiveTime::from_hms_opt(h, m, 0).unwrap();
    Some(Hours { from: time(from), to: time(to) })
}

fn closed(mut plan: Plan, sources: &[&str], checks: &[&str], hours: Option<Hours>) -> Plan {
    let ids = |list: &[&str]| list.iter().map(|name| id(name)).collect();
    let window = Maintenance { sources: ids(sources), checks: ids(checks), on: DayRule::Daily, hours };
    plan.maintenance.insert(id("window"), window);
    plan
}

fn by(mut plan: Plan, hour: u32) -> Plan {
    plan.dashboards.get_mut(&id("exec")).unwrap().ready_by = vec![ClockTime::at(hour, 0)];
    plan
}

fn decided(world: &World, decision: &str) -> bool {
    world.decisions().iter().any(|line| line.contains(decision))
}

#[test]
fn what_is_dark_in_its_maintenance_and_back_is_silence_and_recorded() {
    let world = night(
        closed(plan(), &["airflow"], &[], hours((2, 0), (4, 30))),
        "2026-11-22 23:00",
        "2026-11-23 12:00",
        |w| {
            GREEN(w);
            w.dark("airflow", "2026-11-23 02:05", "2026-11-23 04:20");
        },
        &["Mon 06:30 team post digest Ready"],
    );
    assert!(decided(&world, "Maintenance"), "{:?}", world.decisions());
    // What was expected has not healed.
    let Body::Digest(digest) = &world.said[0].post.message.body else { panic!("{:?}", world.said[0]) };
    assert_eq!(digest.healed, 0);
}

#[test]
fn what_stays_dark_beyond_its_maintenance_is_told_as_ever() {
    night(
        closed(plan(), &["airflow"], &[], hours((2, 0), (4, 30))),
        "2026-11-22 23:00",
        "2026-11-23 12:00",
        |w| {
            GREEN(w);
            w.dark("airflow", "2026-11-23 02:05", "2026-11-23 08:00");
        },
        &[
            "Mon 05:50 team post alert source:airflow unknown +2 [exec]",
            "Mon 06:30 team post digest unknown",
            "Mon 07:00 team notify update source:airflow unknown +2 [exec]",
            "Mon 08:00 team post resolved source:airflow 0/1 missed",
        ],
    );
}

#[test]
fn a_deadline_in_danger_is_told_of_within_the_maintenance() {
    night(
        closed(plan(), &["airflow"], &[], hours((2, 0), (8, 30))),
        "2026-11-22 23:00",
        "2026-11-23 12:00",
        |w| {
            GREEN(w);
            w.dark("airflow", "2026-11-23 02:05", "2026-11-23 08:00");
        },
        &[
            // Act by 07:20: ninety minutes before.
            "Mon 05:50 team post alert source:airflow unknown +2 [exec]",
            "Mon 06:30 team post digest unknown",
            "Mon 07:00 team notify update source:airflow unknown +2 [exec]",
            "Mon 08:00 team post resolved source:airflow 0/1 missed",
        ],
    );
}

#[test]
fn a_failure_in_a_checks_maintenance_is_told_at_its_end() {
    night(
        closed(plan(), &[], &["orders"], hours((2, 0), (4, 30))),
        "2026-11-22 23:00",
        "2026-11-23 07:30",
        |w| {
            w.fail("orders", "2026-11-23 03:00", "2026-11-23 03:10");
        },
        &[
            "Mon 04:30 team post alert orders failed +1 [exec]",
            "Mon 06:30 team post digest failed",
            "Mon 07:00 team notify update orders failed +1 [exec]",
        ],
    );
}

#[test]
fn a_failure_in_a_checks_maintenance_is_told_before_act_by() {
    night(
        closed(plan(), &[], &["orders"], hours((2, 0), (8, 0))),
        "2026-11-22 23:00",
        "2026-11-23 07:30",
        |w| {
            w.fail("orders", "2026-11-23 03:00", "2026-11-23 03:10");
        },
        &[
            "Mon 05:50 team post alert orders failed +1 [exec]",
            "Mon 06:30 team post digest failed",
            "Mon 07:00 team notify update orders failed +1 [exec]",
        ],
    );
}

#[test]
fn the_failure_of_another_check_is_told_at_once() {
    night(
        closed(plan(), &["airflow"], &["sales"], hours((2, 0), (8, 0))),
        "2026-11-22 23:00",
        "2026-11-23 06:00",
        |w| {
            w.fail("orders", "2026-11-23 03:00", "2026-11-23 03:10");
        },
        &["Mon 03:10 team post alert orders failed +1 [exec]"],
    );
}

#[test]
fn maintenance_over_midnight() {
    night(
        closed(plan(), &[], &["orders"], hours((23, 30), (0, 40))),
        "2026-11-22 23:00",
        "2026-11-23 03:00",
        |w| {
            w.fail("orders", "2026-11-23 00:05", "2026-11-23 00:10");
        },
        &["Mon 00:40 team post alert orders failed +1 [exec]"],
    );
}

#[test]
fn what_went_dark_before_its_maintenance_is_no_word_within_it_but_its_end_is() {
    let quiet = closed(by(plan(), 18), &["airflow"], &[], hours((2, 0), (4, 30)));
    let dark = |w: &mut World| {
        GREEN(w);
        w.dark("airflow", "2026-11-23 01:30", "2026-11-23 04:00");
    };
    night(quiet, "2026-11-22 23:00", "2026-11-23 12:00", dark, &["Mon 06:30 team post digest Ready"]);
    // Due at 05:00, it was told before: 05:00 - 20 min - 40 min - 40 min is 03:20.
    let mut told = closed(by(plan(), 5), &["airflow"], &[], hours((2, 0), (4, 30)));
    told.digests.clear();
    night(
        told,
        "2026-11-22 23:00",
        "2026-11-23 06:00",
        |w| {
            w.run("orders", "2026-11-23 01:10", "2026-11-23 01:40").run("sales", "2026-11-23 01:45", "2026-11-23 02:30");
            w.dark("airflow", "2026-11-23 01:30", "2026-11-23 03:00");
        },
        &["Mon 01:50 team post alert source:airflow unknown +2 [exec]", "Mon 03:00 team post resolved source:airflow 0/1 missed"],
    );
}

#[test]
fn a_digest_says_what_is_in_maintenance_and_makes_no_trouble_of_it() {
    let plan = closed(by(plan(), 18), &["airflow"], &[], hours((6, 0), (8, 0)));
    let dark = |w: &mut World| {
        w.dark("airflow", "2026-11-22 06:05", "2026-11-22 07:30").dark("airflow", "2026-11-23 06:05", "2026-11-23 07:30");
    };
    let world = night(plan, "2026-11-21 23:00", "2026-11-23 12:00", dark, &["Mon 06:30 team post digest Maintenance"]);
    let Body::Digest(digest) = &world.said[0].post.message.body else { panic!("{:?}", world.said[0]) };
    assert_eq!(digest.notes.maintenance, [(Cause::Source(id("airflow")), seoul("2026-11-23 08:00"))]);
    assert!(digest.incidents.is_empty() && digest.dashboards[0].in_maintenance);
    // On Sunday that is no reason to speak.
    assert!(decided(&world, "Sun 06:30 StaySilent Maintenance"), "{:?}", world.decisions());
}

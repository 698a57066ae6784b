//! Nights of the watch itself: what is expected dark, digests that wait until all is ready, the proof of life, clocks that differ, and
//! a network that may be its own. 2026-11-23 is a Monday in Seoul, 11-22 a Sunday.

#[path = "support/world.rs"]
mod world;

use chrono::NaiveTime;
use dawnwatch::core::calendar::DayRule;
use dawnwatch::core::message::Body;
use dawnwatch::core::plan::*;
use dawnwatch::core::state::*;
use dawnwatch::core::step::Input;
use dawnwatch::core::time::{ClockTime, Hours};
use world::night_of as night;
use world::*;

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

/// The digest comes when all is ready, and at 08:30 at the latest.
fn when_ready(mut plan: Plan) -> Plan {
    plan.digests.get_mut(&id("morning")).unwrap().when = When::Ready { latest: ClockTime::at(8, 30) };
    plan
}

#[test]
fn a_digest_comes_as_soon_as_all_is_ready_and_once() {
    let world = night(when_ready(plan()), "2026-11-22 23:00", "2026-11-23 12:00", GREEN, &["Mon 04:35 team post digest Ready"]);
    let Body::Digest(digest) = &world.said[0].post.message.body else { panic!("{:?}", world.said[0]) };
    assert_eq!((digest.next_at, digest.notes.next_when_ready), (Some(seoul("2026-11-24 08:30")), true));
}

#[test]
fn a_digest_of_what_is_not_ready_comes_at_the_latest_with_what_is_true_then() {
    night(
        when_ready(plan()),
        "2026-11-22 23:00",
        "2026-11-23 08:40",
        |_| {},
        &["Mon 07:10 team notify alert orders at_risk +1 [exec]", "Mon 08:30 team post digest at_risk"],
    );
}

#[test]
fn a_green_sunday_is_silent_when_it_is_ready() {
    let world = night(
        when_ready(plan()),
        "2026-11-21 23:00",
        "2026-11-22 12:00",
        |w| {
            w.run("orders", "2026-11-22 03:00", "2026-11-22 03:40").run("sales", "2026-11-22 04:00", "2026-11-22 04:35");
        },
        &[],
    );
    assert_eq!(world.decisions(), ["Sun 04:35 StaySilent AllGreen"]);
}

#[test]
fn with_nothing_due_it_comes_at_the_latest() {
    let mut workdays = when_ready(plan());
    workdays.dashboards.get_mut(&id("exec")).unwrap().on = DayRule::Workdays(id("kr"));
    workdays.digests.get_mut(&id("morning")).unwrap().green_otherwise = Manner::Post;
    night(workdays, "2026-11-21 23:00", "2026-11-22 12:00", |_| {}, &["Sun 08:30 team post digest NotWatched"]);
}

#[test]
fn a_rerun_repeats_no_digest() {
    night(
        when_ready(plan()),
        "2026-11-22 23:00",
        "2026-11-23 12:00",
        |w| {
            GREEN(w);
            w.script("sales", "2026-11-23 08:00", Some("2026-11-23 09:20"), true, dawnwatch::core::observation::RunKind::Manual);
        },
        &[
            "Mon 04:35 team post digest Ready",
            "Mon 08:45 team notify alert sales at_risk +0 [exec]",
            "Mon 09:20 team post resolved sales 1/1 missed",
        ],
    );
}

#[test]
fn a_clock_that_is_set_back_repeats_no_digest() {
    let mut world = World::new(when_ready(plan()), "2026-11-22 23:00");
    GREEN(&mut world);
    world.until("2026-11-23 05:00");
    world.at = seoul("2026-11-23 04:10");
    world.until("2026-11-23 12:00");
    assert_eq!(world.lines(), ["Mon 04:35 team post digest Ready"], "{:?}", world.decisions());
}

#[test]
fn a_digest_waits_for_windows_that_open_before_it_and_for_no_later_ones() {
    let with = |opens: u32| {
        let mut two = when_ready(plan());
        let clock = ClockTime::at;
        two.dashboards
            .insert(id("late"), Dashboard { ready_by: vec![clock(12, 0)], counts_from: clock(opens, 0), ..dashboard(&["sales"]) });
        two
    };
    let twice = |w: &mut World| {
        GREEN(w);
        w.run("orders", "2026-11-23 07:00", "2026-11-23 07:10").run("sales", "2026-11-23 07:10", "2026-11-23 07:35");
    };
    night(with(7), "2026-11-22 23:00", "2026-11-23 09:00", twice, &["Mon 07:35 team post digest Ready"]);
    night(with(10), "2026-11-22 23:00", "2026-11-23 09:00", twice, &["Mon 04:35 team post digest Ready"]);
}

#[test]
fn a_refused_reload_is_said_by_the_next_digest_until_one_is_taken_over() {
    let refused =
        || RefusedReload { at: seoul("2026-11-21 21:40"), findings: 3, first: "dawnwatch.toml:3:1: unknown key".to_owned() };
    let mut world = World::new(plan(), "2026-11-21 21:00");
    world.run("orders", "2026-11-22 03:00", "2026-11-22 03:40").run("sales", "2026-11-22 04:00", "2026-11-22 04:35");
    GREEN(&mut world);
    world.until("2026-11-21 21:40");
    world.take(Input::Reloaded(Some(refused())));
    // Nothing is green on this Sunday that keeps the digest silent: the watch is not as it was meant to be.
    world.until("2026-11-22 12:00");
    assert_eq!(world.lines(), ["Sun 06:30 team post digest WatchTrouble"]);
    let Body::Digest(digest) = &world.said[0].post.message.body else { panic!("{:?}", world.said[0]) };
    assert_eq!(digest.notes.refused, Some(refused()));
    world.forget();
    world.take(Input::Reloaded(None));
    world.until("2026-11-23 12:00");
    assert_eq!(world.lines()[1..], ["Mon 06:30 team post digest Ready"]);
}

#[test]
fn a_miss_that_was_slept_over_is_told_before_its_cycle_closes_though_nobody_answers() {
    let mut twice = plan();
    twice.digests.clear();
    twice.dashboards.get_mut(&id("exec")).unwrap().ready_by = vec![ClockTime::at(9, 0), ClockTime::at(12, 0)];
    night_of(
        twice,
        "2026-11-23 00:00",
        "2026-11-23 12:30",
        |w| {
            w.when("2026-11-23 04:00", |w| w.at = seoul("2026-11-23 09:30"));
            w.dark("airflow", "2026-11-23 09:25", "2026-11-23 09:38");
            w.run("orders", "2026-11-23 09:35", "2026-11-23 10:05").run("sales", "2026-11-23 10:10", "2026-11-23 10:40");
        },
        &[
            // Three times without an answer is dark, and the deadline is over.
            "Mon 09:32 team notify alert source:airflow unknown +2 [exec]",
            // Both deadlines waited for it.
            "Mon 10:40 team post resolved source:airflow 1/2 missed",
        ],
    );
}

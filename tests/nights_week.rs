//! A digest that tells a week: three weeks played to the end, kept in mind or read back before every step.

#[path = "support/world.rs"]
mod world;

use chrono::{NaiveDate, TimeDelta};
use dawnwatch::core::calendar::DayRule;
use dawnwatch::core::message::{Body, DigestVerdict, WeekFacts};
use dawnwatch::core::observation::RunKind;
use dawnwatch::core::plan::*;
use dawnwatch::core::state::*;
use dawnwatch::core::step::{Input, step};
use dawnwatch::core::tally::{Span, Tally};
use dawnwatch::core::time::ClockTime;
use world::{World, id, night_of, seoul};

/// Mondays at 09:30. The source is asked every ten minutes, or three weeks would take minutes.
fn weekly(green: Manner) -> Plan {
    let mut plan = world::plan();
    plan.sources.get_mut(&id("airflow")).unwrap().every = TimeDelta::minutes(10);
    let morning = plan.digests.remove(&id("morning")).unwrap();
    let weekly = Digest {
        about: DigestAbout::Week,
        when: When::At(ClockTime::at(9, 30)),
        on: DayRule::Weekdays([chrono::Weekday::Mon].into()),
        green_workdays: green,
        ..morning
    };
    plan.digests = [(id("weekly"), weekly)].into();
    plan
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// From one day to another, both included: all arrives at 04:35.
fn green(w: &mut World, from: &str, to: &str) {
    for date in day(from).iter_days().take_while(|date| *date <= day(to)) {
        w.run("orders", &format!("{date} 03:00"), &format!("{date} 03:40"));
        w.run("sales", &format!("{date} 04:00"), &format!("{date} 04:35"));
    }
}

fn week(world: &World, nth: usize) -> &WeekFacts {
    let weeks = world.said.iter().filter_map(|said| match &said.post.message.body {
        Body::Week(about) => Some(about.as_ref()),
        _ => None,
    });
    weeks.collect::<Vec<_>>()[nth]
}

/// What a digest of this week tells must be what `report` would count from the ledger.
fn agrees_with_the_ledger(world: &World, date: NaiveDate) {
    let week = world.state.days.week(date, &world.plan, &world.state, world.at);
    let midnight = |date: NaiveDate| seoul(&format!("{date} 00:00"));
    let mut tally = Tally::new(Span { from: midnight(date - TimeDelta::days(7)), to: midnight(date) });
    world.ledger.iter().for_each(|entry| tally.take(entry));
    tally.look(&world.state, &world.plan, world.at);
    assert_eq!(week.counts, tally.counts(world.at));
}

#[test]
fn three_weeks_of_which_the_first_is_short() {
    let mut plan = weekly(Manner::Post);
    let exec = plan.dashboards.get_mut(&id("exec")).unwrap();
    (exec.wake, exec.reaction) = (true, TimeDelta::hours(2));
    let world = night_of(
        plan,
        "2026-11-11 10:00",
        "2026-11-30 12:00",
        |w| {
            green(w, "2026-11-12", "2026-11-12");
            // Friday 13: never repaired.
            w.run("orders", "2026-11-13 03:00", "2026-11-13 03:40").fail("sales", "2026-11-13 06:00", "2026-11-13 07:05");
            green(w, "2026-11-14", "2026-11-24");
            // Wednesday 25: it fails at night; whoever was woken at act-by repairs it.
            w.run("orders", "2026-11-25 03:00", "2026-11-25 03:40").fail("sales", "2026-11-25 04:00", "2026-11-25 04:20");
            w.script("sales", "2026-11-25 06:26", Some("2026-11-25 06:50"), true, RunKind::Manual);
            green(w, "2026-11-26", "2026-11-30");
        },
        &[
            "Fri 07:10 team notify alert sales failed +0 [exec]",
            "Sat 00:02 team post resolved sales 1/1 missed",
            "Mon 09:30 team post week Trouble(Late) 1/2",
            "Mon 09:30 team post week Ready 5/5",
            "Wed 04:20 team post alert sales failed +0 [exec]",
            "Wed 06:25 team notify update sales failed +0 [exec]",
            "Wed 06:50 team post resolved sales 0/1 missed",
            "Mon 09:30 team post week Ready 5/5",
        ],
    );
    let first = week(&world, 0);
    assert_eq!((first.from, first.to), (day("2026-11-09"), day("2026-11-15")));
    assert_eq!((first.since, first.unwatched, first.before.is_none()), (Some(seoul("2026-11-11 10:00")), 0, true));
    let (deadlines, words) = (&first.sums.deadlines, first.sums.words);
    assert_eq!((deadlines.missed, deadlines.told_before, words.asked, words.wakeups), (1, 1, 1, 0));
    assert_eq!((first.sums.hours, first.sums.quiet_hours), (14 + 4 * 24, 14 + 4 * 24 - 2), "two hours with a message");
    assert_eq!(first.causes.iter().map(|(cause, _)| cause.to_string()).collect::<Vec<_>>(), ["sales"]);
    let second = week(&world, 1);
    assert!(second.is_quiet() && second.before.is_none(), "of the week before the first days were not counted: {second:?}");
    assert_eq!(second.next_at, Some(seoul("2026-11-30 09:30")));
    let third = week(&world, 2);
    assert_eq!((third.sums.words.wakeups, third.sums.words.asked, third.is_quiet()), (1, 1, false));
    assert_eq!(third.before.as_ref(), Some(&second.sums));
    for monday in ["2026-11-23", "2026-11-30"] {
        agrees_with_the_ledger(&world, day(monday));
    }
    for row in world.rows.values() {
        let stored = serde_json::to_string(row).unwrap();
        assert_eq!(serde_json::from_str::<Row>(&stored).unwrap(), *row);
    }
    let rows = world.rows.keys().filter(|key| matches!(key, Key::Day(_)));
    assert_eq!(rows.count(), 15, "a fortnight and today");
    let reasons = world.ledger.iter().filter(|entry| matches!(entry.about, About::Digest { .. }));
    let expected = [Reason::DigestTrouble, Reason::DigestDue, Reason::DigestTrouble];
    assert_eq!(reasons.map(|entry| entry.reason.clone()).collect::<Vec<_>>(), expected, "somebody was woken in the third");
}

#[test]
fn a_quiet_week_may_be_silent_and_is_on_record() {
    let world = night_of(
        weekly(Manner::Silent),
        "2026-11-15 20:00",
        "2026-11-30 12:00",
        |w| {
            green(w, "2026-11-16", "2026-11-26");
            // Friday 27: nothing runs.
            green(w, "2026-11-28", "2026-11-30");
        },
        &[
            // Nothing but an evening of it is known: no reason to be silent.
            "Mon 09:30 team post week NothingDue 0/0",
            "Fri 04:40 team post alert orders at_risk +1 [exec]",
            "Fri 07:00 team notify update orders at_risk +1 [exec]",
            "Sat 00:02 team post resolved orders 1/1 missed",
            "Mon 09:30 team post week Trouble(Late) 4/5",
        ],
    );
    let of_digest = |entry: &&Entry| matches!(entry.about, About::Digest { .. });
    let silent: Vec<&Entry> =
        world.ledger.iter().filter(of_digest).filter(|entry| entry.decision == Decision::StaySilent).collect();
    assert_eq!((silent.len(), &silent[0].reason, world::local(silent[0].at).as_str()), (1, &Reason::AllGreen, "Mon 09:30"));
}

#[test]
fn what_nobody_watched_is_not_green() {
    let mut world = World::new(weekly(Manner::Silent), "2026-11-15 20:00");
    green(&mut world, "2026-11-16", "2026-11-23");
    world.until("2026-11-17 12:00");
    // Off from Tuesday to Thursday noon: the deadline of Wednesday passes, and that of Thursday whose data can still be seen.
    world.forget();
    world.at = seoul("2026-11-19 12:00");
    world.until("2026-11-23 12:00");
    let told = week(&world, 1);
    assert_eq!((told.verdict, told.unwatched), (DigestVerdict::Trouble(Verdict::Unknown), 1));
    assert_eq!((told.sums.deadlines.met, told.sums.deadlines.due(), told.since), (4, 4, None));
}

#[test]
fn one_that_begins_after_the_week_says_that_it_knows_nothing_of_it() {
    let mut world = World::new(weekly(Manner::Silent), "2026-11-16 09:00");
    green(&mut world, "2026-11-16", "2026-11-16");
    world.until("2026-11-16 12:00");
    let told = week(&world, 0);
    assert!(told.is_blank() && told.since.is_some_and(|since| since >= seoul("2026-11-16 00:00")), "{told:?}");
    assert_eq!(world.lines().len(), 1, "{:?}", world.lines());
}

#[test]
fn it_is_given_once_a_date_late_on_its_day_and_never_on_the_next() {
    let start = |at: &str| {
        let mut world = World::new(weekly(Manner::Post), "2026-11-08 20:00");
        green(&mut world, "2026-11-09", "2026-11-18");
        world.until("2026-11-15 12:00");
        world.said.clear();
        world.forget();
        world.at = seoul(at);
        world.until("2026-11-18 12:00");
        world
    };
    assert_eq!(start("2026-11-16 15:00").lines(), ["Mon 15:00 team post week Ready 5/5"]);
    let missed = start("2026-11-17 08:00");
    assert_eq!(missed.lines(), [""; 0]);
    assert!(missed.decisions().contains(&"Tue 08:00 StaySilent DigestMissed".to_owned()), "{:?}", missed.decisions());
    // Set back over its time: done is done.
    let mut again = start("2026-11-16 09:20");
    again.at = seoul("2026-11-16 09:00");
    again.until("2026-11-16 12:00");
    assert_eq!(again.lines().len(), 1, "{:?}", again.lines());
}

#[test]
fn a_step_that_decides_nothing_writes_no_day() {
    let mut world = World::new(weekly(Manner::Post), "2026-11-16 10:00");
    green(&mut world, "2026-11-16", "2026-11-16");
    world.until("2026-11-16 13:00");
    let days = |commit: &Commit| commit.put.iter().filter(|row| matches!(row, Row::Day(..))).count();
    let quiet = step(&mut world.state, &world.plan, seoul("2026-11-16 13:01"), Input::Tick);
    assert_eq!((days(&quiet), quiet.ledger.len()), (0, 0));
    // Past midnight the day closes, and the next one begins.
    world.until("2026-11-16 23:59");
    let closing = step(&mut world.state, &world.plan, seoul("2026-11-17 00:03"), Input::Tick);
    assert!(days(&closing) >= 1 && !closing.ledger.is_empty(), "{closing:?}");
}

#[test]
fn days_of_another_zone_are_let_go_of_and_the_counting_begins_anew() {
    let mut world = World::new(weekly(Manner::Post), "2026-11-08 20:00");
    green(&mut world, "2026-11-09", "2026-11-16");
    world.until("2026-11-12 12:00");
    world.plan.timezone = chrono_tz::Europe::Berlin;
    world.forget();
    world.until("2026-11-13 12:00");
    let first = world.rows.keys().find_map(|key| if let Key::Day(date) = key { Some(*date) } else { None });
    assert_eq!(first, Some(day("2026-11-13")), "of the first line that was written in the new zone");
    let week = world.state.days.week(day("2026-11-16"), &world.plan, &world.state, world.at);
    assert!(week.since.is_some_and(|since| since >= seoul("2026-11-12 12:00")), "{week:?}");
}

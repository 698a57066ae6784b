//! Nights of data that is looked at outside any cycle, under a path with a date, or after the watch itself slept.

#[path = "support/world.rs"]
mod world;

use chrono::{NaiveDate, TimeDelta};
use dawnwatch::core::message::Body;
use dawnwatch::core::plan::*;
use world::*;

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// One path with yesterday's date, which must be there by 09:00.
fn dated(shift: DateShift) -> Plan {
    let mut plan = plan();
    plan.checks.clear();
    plan.digests.clear();
    plan.sources.get_mut(&id("airflow")).unwrap().kind = SourceKind::File;
    let clicks = Check { dated: Some(shift), evidence: Evidence::ArrivalTime, duration: None, ..check("clicks") };
    plan.checks.insert(id("clicks"), clicks.into());
    plan.dashboards.get_mut(&id("exec")).unwrap().needs = vec![Need::Check(id("clicks"))];
    plan
}

fn arrives(w: &mut World, of: &str, at: &str) {
    w.subjects.entry(id("clicks")).or_default().dated.insert(date(of), seoul(at));
}

#[test]
fn yesterdays_file_is_todays_data_also_when_it_came_early() {
    let world = night_of(
        dated(DateShift::Days(-1)),
        "2026-11-22 20:00",
        "2026-11-23 12:00",
        // Before the window opens at midnight.
        |w| arrives(w, "2026-11-22", "2026-11-22 23:30"),
        &[],
    );
    assert_eq!(world.state.cycles.values().filter(|cycle| cycle.missed).count(), 0);
}

#[test]
fn a_file_of_another_date_is_not_todays() {
    night_of(
        dated(DateShift::Days(-1)),
        "2026-11-22 20:00",
        "2026-11-23 09:30",
        |w| arrives(w, "2026-11-21", "2026-11-23 02:00"),
        // Nothing is known of its run time: ten minutes before the twenty that reacting takes.
        &["Mon 08:30 team notify alert clicks at_risk +0 [exec]"],
    );
}

#[test]
fn past_the_end_of_its_calendar_a_dated_path_is_unknown_and_told() {
    let mut plan = dated(DateShift::Workdays { calendar: id("kr"), count: -1 });
    plan.calendars.get_mut(&id("kr")).unwrap().covered = Some((date("2026-01-01"), date("2026-11-20")));
    plan.dashboards.get_mut(&id("exec")).unwrap().audience = dawnwatch::core::calendar::DayRule::Daily;
    plan.chats.get_mut(&id("team")).unwrap().quiet_days = None;
    night_of(
        plan,
        "2026-11-24 20:00",
        "2026-11-25 08:30",
        |w| arrives(w, "2026-11-24", "2026-11-25 02:00"),
        // Tuesday's deadline was over when the watch began; Wednesday's cycle opens at midnight, in quiet hours.
        &["Wed 00:00 team post alert calendar:kr unknown +1 [exec]", "Wed 07:00 team notify update calendar:kr unknown +1 [exec]"],
    );
}

/// No dashboard: only its age matters.
fn aged() -> Plan {
    let mut plan = plan();
    plan.checks.clear();
    plan.dashboards.clear();
    plan.digests.clear();
    let max_age = Some(TimeDelta::hours(26));
    plan.checks.insert(id("orders"), Check { max_age, evidence: Evidence::ArrivalTime, ..check("orders") }.into());
    plan
}

/// From one morning to the next evening, with data that may be as old as [`aged`] says.
fn two_days(set: impl Fn(&mut World), expected: &[&str]) {
    night_of(aged(), "2026-11-23 08:00", "2026-11-24 20:00", set, expected);
}

fn data(w: &mut World, at: &str) {
    w.dataset = true;
    w.subjects.entry(id("orders")).or_default().data.push(seoul(at));
}

#[test]
fn data_that_is_too_old_does_not_heal_by_disappearing() {
    two_days(
        |w| {
            data(w, "2026-11-23 08:30");
            w.when("2026-11-24 12:00", |w| w.subjects.get_mut("orders").unwrap().data.clear());
        },
        &["Tue 10:30 team notify alert orders late +0 []"],
    );
}

#[test]
fn data_that_never_came_is_told_after_as_long_as_it_may_be_old() {
    two_days(
        |w| {
            w.dataset = true;
            w.subjects.insert(id("orders"), Subject::default());
        },
        // What is unknown has ten minutes more.
        &["Tue 10:10 team notify alert orders unknown +0 []"],
    );
}

#[test]
fn a_dark_source_is_told_when_its_data_would_be_too_old() {
    two_days(
        |w| {
            data(w, "2026-11-23 08:30");
            w.dark("airflow", "2026-11-23 09:00", "2026-11-25 00:00");
        },
        &["Tue 10:40 team notify alert source:airflow unknown +0 []"],
    );
}

#[test]
fn the_age_of_a_dated_path_counts_from_its_newest_file() {
    let mut plan = dated(DateShift::Days(-1));
    plan.dashboards.clear();
    change(&mut plan, "clicks").max_age = Some(TimeDelta::hours(26));
    night_of(
        plan,
        "2026-11-23 08:00",
        "2026-11-24 20:00",
        |w| arrives(w, "2026-11-22", "2026-11-23 08:30"),
        &["Tue 10:30 team notify alert clicks late +0 []"],
    );
}

#[test]
fn what_was_known_hours_ago_says_nothing_after_one_lost_answer() {
    let mut plan = plan();
    plan.digests.clear();
    let mut world = World::new(plan, "2026-11-22 22:00");
    world.run("orders", "2026-11-23 03:00", "2026-11-23 03:40").run("sales", "2026-11-23 04:00", "2026-11-23 04:35");
    world.until("2026-11-22 23:00");
    // The machine sleeps; when it wakes the network is not there yet.
    world.at = seoul("2026-11-23 07:55");
    world.dark("airflow", "2026-11-23 07:55", "2026-11-23 07:56");
    world.until("2026-11-23 09:30");
    assert_eq!(world.lines(), [] as [&str; 0], "{:?}", world.decisions());
}

#[test]
fn what_is_expected_is_foreseen_when_it_is_told() {
    // Nothing has begun, nothing is heard after midnight, and at 06:30 nothing is wrong yet.
    let world = night("2026-11-22 23:00", "2026-11-23 06:35", |_| {}, &["Mon 06:30 team post digest OnTrack"]);
    let Body::Digest(about) = &world.said[0].post.message.body else { panic!("{:?}", world.said) };
    // Two runs of 40 minutes from now; not from midnight.
    assert_eq!(about.dashboards[0].eta.map(|eta| eta.at), Some(seoul("2026-11-23 07:50")));
}

#[test]
fn news_of_the_instant_of_a_digest_is_judged_on_what_was_foreseen_for_it() {
    let mut plan = plan();
    plan.checks.insert(id("users"), check("users").into());
    plan.dashboards.insert(id("exec"), dashboard(&["sales", "users"]));
    plan.digests.get_mut(&id("morning")).unwrap().when = When::At(dawnwatch::core::time::ClockTime::at(4, 38));
    let set = |w: &mut World| {
        w.tick = TimeDelta::minutes(1);
        // Two minutes before it is usually done; another one arrives while the digest is given.
        w.run("orders", "2026-11-23 04:00", "2026-11-23 04:50").run("users", "2026-11-23 04:00", "2026-11-23 04:38");
        w.run("sales", "2026-11-23 04:50", "2026-11-23 05:30");
    };
    night_of(plan, "2026-11-22 23:00", "2026-11-23 06:35", set, &["Mon 04:38 team post digest OnTrack"]);
}

//! Nights through the two doors: what is said, when, to whom and how loud. 2026-11-23 is a Monday in Seoul, 11-22 a Sunday.

#[path = "support/world.rs"]
mod world;

use dawnwatch::core::plan::*;
use dawnwatch::core::step::Outcome;
use world::*;

const GREEN: fn(&mut World) = |w| {
    w.run("orders", "2026-11-23 03:00", "2026-11-23 03:40").run("sales", "2026-11-23 04:00", "2026-11-23 04:35");
};

#[test]
fn a_green_workday_has_one_digest() {
    night("2026-11-22 23:00", "2026-11-23 12:00", GREEN, &["Mon 06:30 team post digest Ready"]);
}

#[test]
fn a_green_sunday_is_silent_and_recorded() {
    let world = night(
        "2026-11-21 23:00",
        "2026-11-22 12:00",
        |w| {
            w.run("orders", "2026-11-22 03:00", "2026-11-22 03:40").run("sales", "2026-11-22 04:00", "2026-11-22 04:35");
        },
        &[],
    );
    assert_eq!(world.decisions(), ["Sun 06:30 StaySilent AllGreen"]);
}

#[test]
fn a_failure_at_night_is_posted_at_once_and_asked_when_quiet_hours_end() {
    night(
        "2026-11-22 23:00",
        "2026-11-23 12:00",
        |w| {
            w.fail("orders", "2026-11-23 03:00", "2026-11-23 03:10");
            w.run("orders", "2026-11-23 07:30", "2026-11-23 07:50").run("sales", "2026-11-23 07:50", "2026-11-23 08:31");
        },
        &[
            "Mon 03:10 team post alert orders failed +1 [exec]",
            "Mon 06:30 team post digest failed",
            "Mon 07:00 team notify update orders failed +1 [exec]",
            "Mon 08:31 team post resolved orders 0/1 missed",
        ],
    );
}

#[test]
fn a_failure_that_heals_in_the_night_is_ended_where_it_was_told() {
    night(
        "2026-11-22 23:00",
        "2026-11-23 12:00",
        |w| {
            w.fail("orders", "2026-11-23 03:00", "2026-11-23 03:10");
            w.run("orders", "2026-11-23 03:20", "2026-11-23 03:50").run("sales", "2026-11-23 04:00", "2026-11-23 04:35");
        },
        &[
            "Mon 03:10 team post alert orders failed +1 [exec]",
            "Mon 04:35 team post resolved orders 0/1 missed",
            "Mon 06:30 team post digest Ready",
        ],
    );
}

#[test]
fn on_a_sunday_nobody_is_asked_but_the_digest_says_it() {
    night(
        "2026-11-21 23:00",
        "2026-11-22 23:00",
        |w| {
            w.fail("orders", "2026-11-22 03:00", "2026-11-22 03:10");
        },
        &["Sun 06:30 team post digest failed"],
    );
}

#[test]
fn a_run_that_is_too_long_is_told_before_the_deadline_and_by_day_a_person_is_asked_at_once() {
    night(
        "2026-11-22 23:00",
        "2026-11-23 12:00",
        |w| {
            w.run("orders", "2026-11-23 07:00", "2026-11-23 09:30").run("sales", "2026-11-23 09:30", "2026-11-23 10:05");
        },
        &[
            "Mon 06:30 team post digest OnTrack",
            // 40 minutes, and 100 until sales must begin: after 62 of them it is likelier to miss than not.
            "Mon 08:02 team notify alert orders at_risk +1 [exec]",
            "Mon 10:05 team post resolved orders 1/1 missed",
        ],
    );
}

#[test]
fn what_never_starts_is_told_with_notice_before_act_by() {
    night(
        "2026-11-22 23:00",
        "2026-11-23 09:30",
        |_| {},
        // Act by 09:00 - 20 min reaction - 40 min orders - 40 min sales = 07:20; ten minutes' notice.
        &["Mon 06:30 team post digest OnTrack", "Mon 07:10 team notify alert orders at_risk +1 [exec]"],
    );
}

#[test]
fn a_dark_source_is_unknown_not_failed_and_told_before_act_by() {
    night(
        "2026-11-22 23:00",
        "2026-11-23 12:00",
        |w| {
            w.dark("airflow", "2026-11-23 02:00", "2026-11-23 08:00");
            w.run("orders", "2026-11-23 03:00", "2026-11-23 03:40").run("sales", "2026-11-23 04:00", "2026-11-23 04:35");
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
fn a_source_that_is_dark_for_a_while_is_no_word() {
    let world = night(
        "2026-11-22 23:00",
        "2026-11-23 12:00",
        |w| {
            GREEN(w);
            w.dark("airflow", "2026-11-23 02:00", "2026-11-23 02:30");
        },
        &["Mon 06:30 team post digest Ready"],
    );
    assert!(world.decisions().iter().any(|d| d.contains("HealedUntold")), "{:?}", world.decisions());
}

#[test]
fn unknown_breaks_the_silence_of_a_sunday() {
    night(
        "2026-11-21 23:00",
        "2026-11-22 12:00",
        |w| {
            w.dark("airflow", "2026-11-22 02:00", "2026-11-22 11:00");
        },
        &["Sun 06:30 team post digest unknown"],
    );
}

#[test]
fn an_arrival_sticks_when_the_source_goes_dark() {
    night(
        "2026-11-22 23:00",
        "2026-11-23 06:00",
        |w| {
            GREEN(w);
            w.dark("airflow", "2026-11-23 05:00", "2026-11-23 12:00");
        },
        &[],
    );
}

#[test]
fn a_rerun_by_hand_takes_the_arrival_back() {
    night(
        "2026-11-22 23:00",
        "2026-11-23 12:00",
        |w| {
            GREEN(w);
            w.script("sales", "2026-11-23 08:00", Some("2026-11-23 09:20"), true, dawnwatch::core::observation::RunKind::Manual);
        },
        &[
            "Mon 06:30 team post digest Ready",
            // Not ready a quarter of an hour before the deadline, and only a declared run time to go by.
            "Mon 08:45 team notify alert sales at_risk +0 [exec]",
            "Mon 09:20 team post resolved sales 1/1 missed",
        ],
    );
}

#[test]
fn wake_breaks_quiet_hours_at_act_by_only() {
    let mut early = plan();
    early.dashboards.get_mut(&id("exec")).unwrap().wake = true;
    early.dashboards.get_mut(&id("exec")).unwrap().ready_by = vec![dawnwatch::core::time::ClockTime::at(6, 0)];
    early.digests.clear();
    night_of(
        early,
        "2026-11-22 23:00",
        "2026-11-23 06:30",
        |w| {
            w.fail("orders", "2026-11-23 03:00", "2026-11-23 03:10");
        },
        &[
            "Mon 03:10 team post alert orders failed +1 [exec]",
            // 06:00 - 20 min - 40 min - 40 min
            "Mon 04:20 team notify update orders failed +1 [exec]",
        ],
    );
}

#[test]
fn quiet_hours_end_at_the_deadline_at_the_latest() {
    let mut early = plan();
    early.dashboards.get_mut(&id("exec")).unwrap().ready_by = vec![dawnwatch::core::time::ClockTime::at(6, 0)];
    early.digests.clear();
    night_of(
        early,
        "2026-11-22 23:00",
        "2026-11-23 07:30",
        |w| {
            w.fail("orders", "2026-11-23 03:00", "2026-11-23 03:10");
        },
        &["Mon 03:10 team post alert orders failed +1 [exec]", "Mon 06:00 team notify update orders failed +1 [exec]"],
    );
}

#[test]
fn who_does_not_answer_is_followed_by_the_next_rung() {
    let mut ladder = plan();
    let exec = ladder.dashboards.get_mut(&id("exec")).unwrap();
    exec.escalate = vec![id("backup")];
    ladder.chats.insert(id("backup"), Chat { quiet: None, quiet_days: None, ..chat() });
    ladder.digests.clear();
    night_of(
        ladder,
        "2026-11-22 23:00",
        "2026-11-23 08:00",
        |w| {
            w.fail("orders", "2026-11-23 07:00", "2026-11-23 07:10");
        },
        &["Mon 07:10 team notify alert orders failed +1 [exec]", "Mon 07:40 backup escalate update orders failed +1 [exec]"],
    );
}

#[test]
fn a_hundred_pipelines_with_one_cause_are_one_message() {
    let mut many = plan();
    many.sources.get_mut(&id("airflow")).unwrap().every = chrono::TimeDelta::minutes(5);
    for n in 0..100 {
        let name = format!("mart_{n:03}");
        many.checks.insert(id(&name), Check { needs: vec![Need::Check(id("orders"))], ..check(&name) }.into());
        many.dashboards.get_mut(&id("exec")).unwrap().needs.push(Need::Check(id(&name)));
    }
    many.digests.clear();
    night_of(
        many,
        "2026-11-22 23:00",
        "2026-11-23 10:00",
        |w| {
            w.fail("orders", "2026-11-23 07:00", "2026-11-23 07:10").run("orders", "2026-11-23 07:20", "2026-11-23 07:40");
            for n in 0..100 {
                w.run(&format!("mart_{n:03}"), "2026-11-23 07:40", "2026-11-23 08:10");
            }
            w.run("sales", "2026-11-23 07:40", "2026-11-23 08:10");
        },
        &["Mon 07:10 team notify alert orders failed +101 [exec]", "Mon 08:10 team post resolved orders 0/1 missed"],
    );
}

#[test]
fn many_failures_with_one_error_and_time_are_one_message() {
    let mut many = plan();
    many.sources.get_mut(&id("airflow")).unwrap().every = chrono::TimeDelta::minutes(5);
    for n in 0..100 {
        let name = format!("mart_{n:03}");
        many.checks.insert(id(&name), check(&name).into());
        many.dashboards.get_mut(&id("exec")).unwrap().needs.push(Need::Check(id(&name)));
    }
    many.digests.clear();
    let world = night_of(
        many,
        "2026-11-22 23:00",
        "2026-11-23 08:00",
        |w| {
            w.run("orders", "2026-11-23 05:00", "2026-11-23 05:10").run("sales", "2026-11-23 05:10", "2026-11-23 05:20");
            for n in 0..100 {
                w.fail(&format!("mart_{n:03}"), "2026-11-23 07:00", "2026-11-23 07:10");
            }
        },
        &["Mon 07:10 team notify alert mart_000 failed +99 [exec]"],
    );
    assert_eq!(world.state.incidents.len(), 1);
}

#[test]
fn a_lost_answer_is_repeated_once_and_a_refused_chat_hands_over_to_its_fallback() {
    let ambiguous = || Outcome::Ambiguous { why: "connection reset".to_owned() };
    let mut two = plan();
    two.chats.get_mut(&id("team")).unwrap().fallback = Some(id("backup"));
    two.chats.insert(id("backup"), Chat { quiet: None, quiet_days: None, ..chat() });
    night_of(
        two.clone(),
        "2026-11-22 23:00",
        "2026-11-23 09:30",
        |w| {
            GREEN(w);
            w.outcomes = vec![ambiguous(), ambiguous()];
        },
        &["Mon 06:30 team post digest Ready", "Mon 06:30 team post digest Ready", "Mon 06:30 backup post digest Ready"],
    );
    let world = night_of(
        two,
        "2026-11-22 23:00",
        "2026-11-23 09:30",
        |w| {
            GREEN(w);
            w.outcomes = vec![Outcome::Refused { why: "404 no_service".to_owned() }];
        },
        &["Mon 06:30 backup post digest Ready"],
    );
    assert!(world.state.chats[&id("team")].broken.is_some());
}

#[test]
fn a_failing_chat_is_tried_again_and_nothing_is_said_twice() {
    night(
        "2026-11-22 23:00",
        "2026-11-23 09:30",
        |w| {
            GREEN(w);
            let busy = || Outcome::Failed { why: "503".to_owned(), retry_at: None };
            w.outcomes = vec![busy(), busy(), busy()];
        },
        &["Mon 06:30 team post digest Ready"],
    );
}

#[test]
fn a_digest_that_was_missed_is_given_until_the_next_deadline() {
    night("2026-11-23 08:00", "2026-11-23 09:30", GREEN, &["Mon 08:00 team post digest Ready"]);
    let world = night("2026-11-23 09:10", "2026-11-23 09:30", GREEN, &[]);
    assert!(world.decisions().is_empty());
}

#[test]
fn a_cycle_whose_deadline_lay_before_the_watch_began_is_not_watched() {
    let world = night("2026-11-23 09:10", "2026-11-23 12:00", |_| {}, &[]);
    assert!(world.state.view.cycles[&id("exec")].verdict == dawnwatch::core::state::Verdict::NotWatched);
}

#[test]
fn fridays_late_run_does_not_count_for_monday() {
    let mut workdays = plan();
    workdays.dashboards.get_mut(&id("exec")).unwrap().on = dawnwatch::core::calendar::DayRule::Workdays(id("kr"));
    workdays.digests.clear();
    night_of(
        workdays,
        "2026-11-20 00:00",
        "2026-11-23 09:30",
        |w| {
            w.run("orders", "2026-11-20 03:00", "2026-11-20 03:40");
            // Friday's run ends on Monday morning.
            w.run("sales", "2026-11-20 04:00", "2026-11-23 04:00");
            w.run("orders", "2026-11-23 03:00", "2026-11-23 03:40");
        },
        &[
            // Over since 04:40, and nobody has measured it: ten minutes before act-by it is likelier to miss than not.
            "Fri 07:50 team notify alert sales at_risk +0 [exec]",
            "Mon 00:02 team post resolved sales 1/1 missed",
            "Mon 07:50 team notify alert sales at_risk +0 [exec]",
        ],
    );
}

#[test]
fn what_waited_for_a_late_cause_is_neither_running_long_nor_a_new_cause() {
    let mut many = plan();
    for n in 0..20 {
        let name = format!("mart_{n:03}");
        many.checks.insert(id(&name), Check { needs: vec![Need::Check(id("orders"))], ..check(&name) }.into());
        many.dashboards.get_mut(&id("exec")).unwrap().needs.push(Need::Check(id(&name)));
    }
    many.digests.clear();
    night_of(
        many,
        "2026-11-23 00:00",
        "2026-11-23 10:00",
        |w| {
            // All have started at their time, and sit in sensors for hours; 30 minutes of their own are left after 08:15.
            w.fail("orders", "2026-11-23 02:30", "2026-11-23 02:55").run("orders", "2026-11-23 07:45", "2026-11-23 08:15");
            for n in 0..20 {
                w.run(&format!("mart_{n:03}"), "2026-11-23 03:00", "2026-11-23 08:45");
            }
            w.run("sales", "2026-11-23 03:00", "2026-11-23 09:10");
        },
        &[
            "Mon 02:55 team post alert orders failed +21 [exec]",
            "Mon 07:00 team notify update orders failed +21 [exec]",
            "Mon 09:10 team post resolved orders 1/1 missed",
        ],
    );
}

#[test]
fn a_cause_that_is_back_too_late_is_asked_for_under_its_own_incident() {
    night(
        "2026-11-22 23:00",
        "2026-11-23 10:00",
        |w| {
            w.fail("orders", "2026-11-23 03:00", "2026-11-23 03:10").run("orders", "2026-11-23 05:00", "2026-11-23 05:30");
            // It is back in the quiet hours; what waited for it runs three hours too long.
            w.run("sales", "2026-11-23 05:30", "2026-11-23 09:20");
        },
        &[
            "Mon 03:10 team post alert orders failed +1 [exec]",
            "Mon 06:30 team post digest OnTrack",
            // 40 minutes from 05:30, and nobody has measured them: ten minutes before 08:00 it is likelier to miss than not.
            "Mon 07:50 team notify update orders at_risk +1 [exec]",
            "Mon 09:20 team post resolved orders 1/1 missed",
        ],
    );
}

#[test]
fn many_that_do_not_start_are_one_message() {
    let mut many = plan();
    for n in 0..50 {
        let name = format!("mart_{n:03}");
        many.checks.insert(id(&name), check(&name).into());
        many.dashboards.get_mut(&id("exec")).unwrap().needs.push(Need::Check(id(&name)));
    }
    many.digests.clear();
    night_of(
        many,
        "2026-11-23 06:00",
        "2026-11-23 09:30",
        |w| {
            w.run("orders", "2026-11-23 05:00", "2026-11-23 05:10").run("sales", "2026-11-23 05:10", "2026-11-23 05:20");
            for n in 0..50 {
                w.subjects.insert(id(&format!("mart_{n:03}")), Subject::default());
            }
        },
        // 09:00 - 20 min - 40 min - 10 min of notice
        &["Mon 07:50 team notify alert mart_000 at_risk +49 [exec]"],
    );
}

#[test]
fn many_that_did_not_start_and_fail_for_different_reasons_are_parted() {
    let mut three = plan();
    let names = ["mart_0", "mart_1", "mart_2"];
    for name in names {
        three.checks.insert(id(name), check(name).into());
    }
    three.dashboards.get_mut(&id("exec")).unwrap().needs = names.map(|name| Need::Check(id(name))).to_vec();
    three.digests.clear();
    night_of(
        three,
        "2026-11-23 06:00",
        "2026-11-23 08:30",
        |w| {
            for (name, error) in names.into_iter().zip(["disk full", "connection refused", "no such table"]) {
                w.fail(name, "2026-11-23 08:00", "2026-11-23 08:05");
                w.subjects.get_mut(&id(name)).unwrap().runs[0].error = error.to_owned();
            }
        },
        &[
            "Mon 07:50 team notify alert mart_0 at_risk +2 [exec]",
            // That they did not start was one trouble; that they failed is three.
            "Mon 08:05 team notify update mart_0 failed +0 [exec]",
            "Mon 08:05 team notify alert mart_1 failed +0 [exec]",
            "Mon 08:05 team notify alert mart_2 failed +0 [exec]",
        ],
    );
}

#[test]
fn another_dashboard_that_a_cause_reaches_later_is_told_of() {
    let mut two = plan();
    let noon = dawnwatch::core::time::ClockTime::at(12, 0);
    let late = Dashboard { ready_by: vec![noon], counts_from: dawnwatch::core::time::ClockTime::at(8, 0), ..dashboard(&["sales"]) };
    two.dashboards.insert(id("late"), late);
    two.digests.clear();
    night_of(
        two,
        "2026-11-23 00:00",
        "2026-11-23 12:30",
        |w| {
            w.dark("airflow", "2026-11-23 05:00", "2026-11-23 12:10");
            w.run("orders", "2026-11-23 08:10", "2026-11-23 08:20").run("sales", "2026-11-23 08:20", "2026-11-23 09:20");
        },
        &[
            "Mon 05:50 team post alert source:airflow unknown +2 [exec]",
            "Mon 07:00 team notify update source:airflow unknown +2 [exec]",
            // The window of the other opened at 08:00; its act-by is 10:20.
            "Mon 08:50 team notify update source:airflow unknown +2 [exec late]",
            "Mon 12:10 team post resolved source:airflow 1/2 missed",
        ],
    );
}

/// A group whose source lists: nothing is known before the first listing.
fn grouped() -> Plan {
    let mut plan = plan();
    plan.checks.clear();
    plan.sources.get_mut(&id("airflow")).unwrap().kind = SourceKind::Airflow;
    let matches = Matcher { tags: vec!["mart".to_owned()], ..Matcher::default() };
    plan.groups.insert(id("mart"), Group { source: id("airflow"), matches, exclude: Matcher::default(), each: check("") });
    plan.dashboards.get_mut(&id("exec")).unwrap().needs = vec![Need::Group(id("mart"))];
    plan
}

#[test]
fn a_source_that_never_listed_is_unknown_and_told() {
    night_of(
        grouped(),
        "2026-11-22 23:00",
        "2026-11-23 09:30",
        |w| {
            w.dark("airflow", "2026-11-22 22:00", "2026-11-24 00:00");
        },
        &[
            "Mon 06:30 team post digest unknown",
            // Nothing is known of what would have to run: ninety minutes before the deadline.
            "Mon 07:30 team notify alert source:airflow unknown +1 [exec]",
        ],
    );
}

#[test]
fn what_a_dark_source_was_hiding_is_told_when_it_can_be_seen() {
    night(
        "2026-11-22 23:00",
        "2026-11-23 09:30",
        |w| {
            w.dark("airflow", "2026-11-23 05:00", "2026-11-23 07:05");
        },
        &[
            "Mon 05:50 team post alert source:airflow unknown +2 [exec]",
            "Mon 06:30 team post digest unknown",
            "Mon 07:00 team notify update source:airflow unknown +2 [exec]",
            // It is back, and nothing has started; ten minutes before 07:20 that is a word of its own.
            "Mon 07:10 team notify alert orders at_risk +1 [exec]",
        ],
    );
}

#[test]
fn a_miss_is_told_where_the_next_window_opens_at_the_deadline() {
    let mut twice = plan();
    let clock = dawnwatch::core::time::ClockTime::at;
    twice.dashboards.get_mut(&id("exec")).unwrap().ready_by = vec![clock(6, 0), clock(18, 0)];
    twice.digests.clear();
    night_of(
        twice,
        "2026-11-22 23:00",
        "2026-11-23 07:30",
        |w| {
            w.fail("orders", "2026-11-23 03:00", "2026-11-23 03:10");
        },
        &[
            "Mon 03:10 team post alert orders failed +1 [exec]",
            "Mon 06:00 team notify update orders failed +1 [exec]",
            "Mon 06:02 team post resolved orders 1/1 missed",
        ],
    );
}

#[test]
fn a_clock_that_jumps_ahead_and_back_loses_no_cycle() {
    let mut world = World::new(plan(), "2026-11-22 23:00");
    world.subjects.insert(id("orders"), Subject::default());
    world.subjects.insert(id("sales"), Subject::default());
    world.until("2026-11-22 23:10");
    let back = world.at;
    world.at = seoul("2026-11-26 07:00");
    world.take(dawnwatch::core::step::Input::Tick);
    world.at = back;
    world.until("2026-11-23 08:00");
    assert_eq!(
        world.lines(),
        ["Mon 06:30 team post digest OnTrack", "Mon 07:10 team notify alert orders at_risk +1 [exec]"],
        "{:?}",
        world.decisions()
    );
}

#[test]
fn a_word_that_reached_nobody_is_said_again() {
    night(
        "2026-11-22 23:00",
        "2026-11-23 09:30",
        |w| {
            w.fail("orders", "2026-11-23 07:00", "2026-11-23 07:10");
            // The digest of 06:30 goes through; then the chat is gone for a quarter of an hour.
            w.outcomes = vec![Outcome::Confirmed { handle: None }, Outcome::Refused { why: "404 no_service".to_owned() }];
        },
        &["Mon 06:30 team post digest OnTrack", "Mon 07:25 team notify alert orders failed +1 [exec]"],
    );
}

#[test]
fn a_pipeline_that_fails_every_hour_is_one_incident() {
    let mut hourly = plan();
    hourly.checks.remove(&id("sales"));
    hourly.dashboards.get_mut(&id("exec")).unwrap().needs = vec![Need::Check(id("orders"))];
    hourly.dashboards.get_mut(&id("exec")).unwrap().ready_by = vec![dawnwatch::core::time::ClockTime::at(18, 0)];
    hourly.digests.clear();
    night_of(
        hourly,
        "2026-11-23 05:00",
        "2026-11-23 12:00",
        |w| {
            w.run("orders", "2026-11-23 06:00", "2026-11-23 06:20");
            for hour in ["07", "08", "09"] {
                w.fail("orders", &format!("2026-11-23 {hour}:00"), &format!("2026-11-23 {hour}:20"));
            }
            w.run("orders", "2026-11-23 10:00", "2026-11-23 10:20");
        },
        &["Mon 07:20 team notify alert orders failed +0 [exec]", "Mon 10:20 team post resolved orders 0/1 missed"],
    );
}

#[test]
fn what_was_folded_stays_folded_while_it_heals() {
    let mut many = plan();
    for n in 0..5 {
        let name = format!("mart_{n:03}");
        many.checks.insert(id(&name), check(&name).into());
        many.dashboards.get_mut(&id("exec")).unwrap().needs.push(Need::Check(id(&name)));
    }
    many.digests.clear();
    night_of(
        many,
        "2026-11-23 06:00",
        "2026-11-23 09:30",
        |w| {
            w.run("orders", "2026-11-23 05:00", "2026-11-23 05:10").run("sales", "2026-11-23 05:10", "2026-11-23 05:20");
            for n in 0..5 {
                let name = format!("mart_{n:03}");
                w.fail(&name, "2026-11-23 07:00", "2026-11-23 07:10");
                w.run(&name, &format!("2026-11-23 07:{}", 15 + n), &format!("2026-11-23 07:{}", 20 + 5 * n));
            }
        },
        &["Mon 07:10 team notify alert mart_000 failed +4 [exec]", "Mon 07:40 team post resolved mart_004 0/1 missed"],
    );
}

#[test]
fn one_of_many_that_only_looked_alike_is_told_to_be_over_by_itself() {
    let mut boards = plan();
    for (name, board) in [("mart_a", "a"), ("mart_b", "b"), ("mart_c", "c")] {
        boards.checks.insert(id(name), check(name).into());
        boards.dashboards.insert(id(board), dashboard(&[name]));
    }
    boards.dashboards.remove(&id("exec"));
    boards.digests.clear();
    let world = night_of(
        boards,
        "2026-11-22 23:00",
        "2026-11-23 08:30",
        |w| {
            for (name, error) in [("mart_a", "no such table"), ("mart_b", "disk full"), ("mart_c", "access denied")] {
                w.fail(name, "2026-11-23 07:00", "2026-11-23 07:10");
                w.subjects.get_mut(&id(name)).unwrap().runs[0].error = error.to_owned();
                w.run(name, "2026-11-23 07:20", if name == "mart_a" { "2026-11-23 07:40" } else { "2026-11-23 08:20" });
            }
        },
        &[
            "Mon 07:10 team notify alert mart_a failed +0 [a]",
            "Mon 07:10 team notify alert mart_b failed +0 [b]",
            "Mon 07:10 team notify alert mart_c failed +0 [c]",
            "Mon 07:40 team post resolved mart_a 0/1 missed",
            "Mon 08:20 team post resolved mart_b 0/1 missed",
            "Mon 08:20 team post resolved mart_c 0/1 missed",
        ],
    );
    assert_eq!(world.state.incidents.len(), 3);
}

#[test]
fn a_rerun_after_the_deadline_that_was_met_is_nobodys_trouble() {
    night(
        "2026-11-22 23:00",
        "2026-11-23 18:00",
        |w| {
            GREEN(w);
            w.script("sales", "2026-11-23 15:00", Some("2026-11-23 15:30"), true, dawnwatch::core::observation::RunKind::Manual);
        },
        &["Mon 06:30 team post digest Ready"],
    );
}

#[test]
fn each_rung_is_asked_after_the_one_before() {
    let mut ladder = plan();
    let exec = ladder.dashboards.get_mut(&id("exec")).unwrap();
    exec.escalate = vec![id("lead"), id("boss")];
    for name in ["lead", "boss"] {
        ladder.chats.insert(id(name), Chat { quiet: None, quiet_days: None, ..chat() });
    }
    ladder.digests.clear();
    night_of(
        ladder,
        "2026-11-22 23:00",
        "2026-11-23 08:30",
        |w| {
            w.fail("orders", "2026-11-23 07:00", "2026-11-23 07:10");
        },
        &[
            "Mon 07:10 team notify alert orders failed +1 [exec]",
            "Mon 07:40 lead escalate update orders failed +1 [exec]",
            "Mon 08:10 boss escalate update orders failed +1 [exec]",
        ],
    );
}

#[test]
fn after_a_suspend_over_the_end_of_quiet_hours_the_source_is_asked_before_a_person() {
    let mut world = World::new(plan(), "2026-11-22 23:00");
    world.subjects.insert(id("sales"), Subject::default());
    world.fail("orders", "2026-11-23 03:00", "2026-11-23 03:10");
    world.until("2026-11-23 03:30");
    world.run("orders", "2026-11-23 04:00", "2026-11-23 04:30").run("sales", "2026-11-23 04:30", "2026-11-23 05:00");
    world.at = seoul("2026-11-23 07:00");
    world.until("2026-11-23 08:00");
    let lines = world.lines();
    assert!(lines.iter().all(|line| !line.contains("notify")), "{lines:?}");
    assert!(lines.contains(&"Mon 07:00 team post resolved orders 0/1 missed".to_owned()), "{lines:?}");
}

#[test]
fn a_dashboard_that_is_endangered_later_by_the_same_cause_is_named_then() {
    let mut two = plan();
    let ready_by = vec![dawnwatch::core::time::ClockTime::at(11, 0)];
    two.dashboards.insert(id("ops"), Dashboard { ready_by, ..dashboard(&["orders"]) });
    two.digests.clear();
    night_of(
        two,
        "2026-11-22 23:00",
        "2026-11-23 12:00",
        |_| {},
        &["Mon 07:10 team notify alert orders at_risk +1 [exec]", "Mon 09:50 team notify update orders late +1 [exec ops]"],
    );
}

#[test]
fn who_was_not_asked_about_a_cause_is_asked_about_what_lags_behind_it() {
    let mut two = plan();
    let early = Dashboard { ready_by: vec![dawnwatch::core::time::ClockTime::at(6, 0)], ..dashboard(&["sales"]) };
    two.dashboards.insert(id("ops"), Dashboard { tell: vec![id("day")], ..early.clone() });
    two.dashboards.insert(id("exec"), early);
    two.chats.insert(id("day"), Chat { quiet: None, quiet_days: None, ..chat() });
    two.digests.clear();
    night_of(
        two,
        "2026-11-22 23:00",
        "2026-11-23 07:30",
        |w| {
            w.run("orders", "2026-11-23 04:20", "2026-11-23 04:50").run("sales", "2026-11-23 04:55", "2026-11-23 07:10");
        },
        &[
            "Mon 04:10 day notify alert orders at_risk +1 [ops]",
            "Mon 04:10 team post alert orders at_risk +1 [exec]",
            "Mon 06:00 team notify update orders at_risk +1 [exec]",
            "Mon 07:10 day post resolved orders 2/2 missed",
            "Mon 07:10 team post resolved orders 2/2 missed",
        ],
    );
}

#[test]
fn who_cannot_be_reached_is_followed_by_the_next_rung_all_the_same() {
    let mut ladder = plan();
    ladder.dashboards.get_mut(&id("exec")).unwrap().escalate = vec![id("lead")];
    ladder.chats.insert(id("lead"), Chat { quiet: None, quiet_days: None, ..chat() });
    ladder.digests.clear();
    night_of(
        ladder,
        "2026-11-22 23:00",
        "2026-11-23 08:00",
        |w| {
            w.fail("orders", "2026-11-23 07:00", "2026-11-23 07:10");
            let gone = || Outcome::Refused { why: "404 no_service".to_owned() };
            // 07:10, 07:25, 07:40: the chat of the team is gone; the rung's own is not.
            w.outcomes = vec![gone(), gone()];
        },
        &["Mon 07:40 team notify alert orders failed +1 [exec]", "Mon 07:40 lead escalate alert orders failed +1 [exec]"],
    );
}

#[test]
fn an_alert_that_was_seen_is_ended_also_when_its_update_was_refused() {
    night(
        "2026-11-22 23:00",
        "2026-11-23 09:30",
        |w| {
            w.fail("orders", "2026-11-23 03:00", "2026-11-23 03:10");
            w.run("orders", "2026-11-23 07:02", "2026-11-23 07:08").run("sales", "2026-11-23 07:08", "2026-11-23 07:40");
            let seen = || Outcome::Confirmed { handle: None };
            w.outcomes = vec![seen(), seen(), Outcome::Refused { why: "404 no_service".to_owned() }];
        },
        &[
            "Mon 03:10 team post alert orders failed +1 [exec]",
            "Mon 06:30 team post digest failed",
            "Mon 07:40 team post resolved orders 0/1 missed",
        ],
    );
}

#[test]
fn failures_that_turn_out_to_differ_are_told_apart() {
    let mut three = plan();
    for name in ["a", "b", "c", "d"] {
        three.checks.insert(id(name), check(name).into());
        three.dashboards.get_mut(&id("exec")).unwrap().needs.push(Need::Check(id(name)));
    }
    three.digests.clear();
    night_of(
        three,
        "2026-11-23 06:00",
        "2026-11-23 08:00",
        |w| {
            w.run("orders", "2026-11-23 05:00", "2026-11-23 05:10").run("sales", "2026-11-23 05:10", "2026-11-23 05:20");
            for name in ["a", "b", "c", "d"] {
                w.fail(name, "2026-11-23 07:00", "2026-11-23 07:10");
                w.subjects.get_mut(&id(name)).unwrap().runs[0].error = format!("{name} went wrong");
            }
        },
        &[
            // Told as soon as its own error is known and differs.
            "Mon 07:10 team notify alert b failed +0 [exec]",
            "Mon 07:10 team notify alert a failed +0 [exec]",
            "Mon 07:10 team notify alert c failed +0 [exec]",
            "Mon 07:10 team notify alert d failed +0 [exec]",
        ],
    );
}

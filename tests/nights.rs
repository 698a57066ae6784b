//! Nights through the two doors: what is said, when, to whom and how loud. 2026-11-23 is a Monday in Seoul, 11-22 a Sunday.

#[path = "support/world.rs"]
mod world;

use dawnwatch::core::plan::*;
use dawnwatch::core::step::Outcome;
use world::*;

/// The same night must give the same messages when the state is read back from the store before every step.
fn night(from: &str, to: &str, set: impl Fn(&mut World), expected: &[&str]) -> World {
    night_of(plan(), from, to, set, expected)
}

fn night_of(plan: Plan, from: &str, to: &str, set: impl Fn(&mut World), expected: &[&str]) -> World {
    let play = |amnesia: bool| {
        let mut world = World::new(plan.clone(), from);
        world.tick = chrono::TimeDelta::minutes(5);
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
            // Over since 07:40, and 07:20 was the last moment to do something about it.
            "Mon 07:40 team notify alert orders at_risk +1 [exec]",
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
            // Its 40 minutes are over, and so is the time to act.
            "Mon 08:40 team notify alert sales at_risk +0 [exec]",
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
        many.checks.insert(id(&name), Check { needs: vec![Need::Check(id("orders"))], ..check(&name) });
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
        many.checks.insert(id(&name), check(&name));
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
            // Over since 04:40; at 06:50 as long again would be past the deadline.
            "Fri 06:50 team post alert sales at_risk +0 [exec]",
            "Fri 07:00 team notify update sales at_risk +0 [exec]",
            "Mon 00:00 team post resolved sales 1/1 missed",
            "Mon 07:50 team notify alert sales at_risk +0 [exec]",
        ],
    );
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
            "Mon 04:10 team post update orders at_risk +1 [exec]",
            "Mon 06:00 team notify update sales at_risk +0 [exec]",
            "Mon 07:10 day post resolved sales 2/2 missed",
            "Mon 07:10 team post resolved sales 2/2 missed",
        ],
    );
}

//! Nights of groups whose members come and go, and of a source that forgets what is done.

#[path = "support/world.rs"]
mod world;

use dawnwatch::core::command::Order;
use dawnwatch::core::observation::RunKind;
use dawnwatch::core::plan::*;
use dawnwatch::core::time::ClockTime;
use world::*;

/// Two members of a group in an Airflow, each asked for by nobody's name.
fn grouped() -> Plan {
    let mut plan = plan();
    plan.checks.clear();
    plan.sources.get_mut(&id("airflow")).unwrap().kind = SourceKind::Airflow;
    let matches = Matcher { ids: vec!["mart_*".to_owned()], ..Matcher::default() };
    plan.groups.insert(id("mart"), Group { source: id("airflow"), matches, exclude: Matcher::default(), each: check("") });
    plan.dashboards.get_mut(&id("exec")).unwrap().needs = vec![Need::Group(id("mart"))];
    plan
}

/// Both ran well on Sunday and will on Monday.
fn two(w: &mut World) {
    for day in ["2026-11-22", "2026-11-23"] {
        for name in ["mart_a", "mart_b"] {
            w.run(name, &format!("{day} 03:00"), &format!("{day} 03:30"));
        }
    }
}

#[test]
fn a_member_that_vanishes_is_unknown_until_it_is_retired() {
    let world = night_of(
        grouped(),
        "2026-11-22 02:00",
        "2026-11-23 12:00",
        |w| {
            two(w);
            w.when("2026-11-23 01:00", |w| drop(w.subjects.remove("mart_a")));
            w.when("2026-11-23 07:30", |w| w.command(Order::Retire { check: id("mart_a") }));
        },
        &[
            // Ninety minutes before 08:00, when a person could still start it by hand.
            "Mon 06:30 team post alert mart_a unknown +0 [exec]",
            "Mon 06:30 team post digest unknown",
            "Mon 07:00 team notify update mart_a unknown +0 [exec]",
            "Mon 07:30 team post resolved mart_a 0/1 missed",
        ],
    );
    assert!(world.state.roster.place(&id("mart_a")).is_none());
}

#[test]
fn many_that_vanish_together_are_one_message() {
    night_of(
        grouped(),
        "2026-11-22 02:00",
        "2026-11-23 07:05",
        |w| {
            for n in 0..40 {
                w.run(&format!("mart_{n:02}"), "2026-11-22 03:00", "2026-11-22 03:30");
            }
            w.run("mart_rest", "2026-11-22 03:00", "2026-11-22 03:30").run("mart_rest", "2026-11-23 03:00", "2026-11-23 03:30");
            w.when("2026-11-23 01:00", |w| w.subjects.retain(|name, _| name.as_str() == "mart_rest"));
        },
        &[
            "Mon 06:30 team post alert mart_00 unknown +39 [exec]",
            "Mon 06:30 team post digest unknown",
            "Mon 07:00 team notify update mart_00 unknown +39 [exec]",
        ],
    );
}

#[test]
fn a_new_member_is_silent_until_its_first_success() {
    night_of(
        grouped(),
        "2026-11-22 02:00",
        "2026-11-24 09:30",
        |w| {
            two(w);
            for name in ["mart_a", "mart_b"] {
                w.run(name, "2026-11-24 03:00", "2026-11-24 03:30");
            }
            w.when("2026-11-23 01:00", |w| {
                w.fail("mart_new", "2026-11-23 02:00", "2026-11-23 02:10").run("mart_new", "2026-11-23 10:00", "2026-11-23 10:30");
                w.fail("mart_new", "2026-11-24 07:30", "2026-11-24 07:40");
            });
        },
        &[
            "Mon 06:30 team post digest Ready",
            "Tue 06:30 team post digest OnTrack",
            // From its first success on it counts like any other.
            "Tue 07:40 team notify alert mart_new failed +0 [exec]",
        ],
    );
}

#[test]
fn a_renamed_member_is_one_that_vanished_and_one_that_is_new() {
    night_of(
        grouped(),
        "2026-11-22 02:00",
        "2026-11-23 12:00",
        |w| {
            two(w);
            w.when("2026-11-23 01:00", |w| {
                let moved = w.subjects.remove("mart_a").unwrap();
                w.subjects.insert(id("mart_a2"), moved);
            });
        },
        &[
            "Mon 06:30 team post alert mart_a unknown +0 [exec]",
            "Mon 06:30 team post digest unknown",
            "Mon 07:00 team notify update mart_a unknown +0 [exec]",
        ],
    );
}

#[test]
fn a_member_that_is_paused_or_does_not_load_has_not_arrived_and_says_why() {
    for import_error in [false, true] {
        let world = night_of(
            grouped(),
            "2026-11-22 02:00",
            "2026-11-23 08:30",
            |w| {
                w.run("mart_a", "2026-11-22 03:00", "2026-11-22 03:30");
                w.run("mart_b", "2026-11-22 03:00", "2026-11-22 03:30").run("mart_b", "2026-11-23 03:00", "2026-11-23 03:30");
                w.when("2026-11-22 20:00", move |w| {
                    let subject = w.subjects.get_mut("mart_a").unwrap();
                    (subject.paused, subject.import_error) = (!import_error, import_error);
                });
            },
            &["Mon 06:30 team post digest OnTrack", "Mon 07:50 team notify alert mart_a at_risk +0 [exec]"],
        );
        let expected = if import_error { "ImportError" } else { "Paused" };
        assert!(format!("{:?}", world.said[1].post.message.body).contains(expected), "{:?}", world.said[1].post.message.body);
    }
}

#[test]
fn a_weekly_member_is_due_on_its_own_day_only() {
    let weekly = |ran: bool| {
        move |w: &mut World| {
            two(w);
            w.run("mart_weekly", "2026-11-17 03:00", "2026-11-17 03:30");
            w.subjects.get_mut("mart_weekly").unwrap().next_run_at = Some(seoul("2026-11-24 03:00"));
            for name in ["mart_a", "mart_b"] {
                w.run(name, "2026-11-24 03:00", "2026-11-24 03:30");
            }
            if ran {
                w.run("mart_weekly", "2026-11-24 03:00", "2026-11-24 03:30");
            }
        }
    };
    let green = ["Mon 06:30 team post digest Ready", "Tue 06:30 team post digest Ready"];
    night_of(grouped(), "2026-11-22 02:00", "2026-11-24 09:30", weekly(true), &green);
    let missing = [
        "Mon 06:30 team post digest Ready",
        "Tue 06:30 team post digest OnTrack",
        "Tue 07:50 team notify alert mart_weekly at_risk +0 [exec]",
    ];
    night_of(grouped(), "2026-11-22 02:00", "2026-11-24 08:30", weekly(false), &missing);
}

#[test]
fn of_several_runs_a_day_the_wanted_one_counts() {
    let mut plan = grouped();
    plan.groups.get_mut(&id("mart")).unwrap().each.run = Some(ClockTime::at(6, 0));
    night_of(
        plan,
        "2026-11-22 02:00",
        "2026-11-23 12:00",
        |w| {
            for hour in ["00", "03", "06"] {
                w.run("mart_a", &format!("2026-11-22 {hour}:00"), &format!("2026-11-22 {hour}:20"));
                w.run("mart_a", &format!("2026-11-23 {hour}:00"), &format!("2026-11-23 {hour}:20"));
            }
        },
        &["Mon 06:30 team post digest Ready"],
    );
    let mut plan = grouped();
    plan.groups.get_mut(&id("mart")).unwrap().each.run = Some(ClockTime::at(6, 0));
    night_of(
        plan,
        "2026-11-22 02:00",
        "2026-11-23 08:30",
        |w| {
            w.run("mart_a", "2026-11-23 00:00", "2026-11-23 00:20").run("mart_a", "2026-11-23 03:00", "2026-11-23 03:20");
        },
        &["Mon 06:30 team post digest OnTrack", "Mon 07:50 team notify alert mart_a at_risk +0 [exec]"],
    );
}

#[test]
fn a_group_that_matches_nothing_is_told() {
    night_of(
        grouped(),
        "2026-11-22 23:00",
        "2026-11-23 09:00",
        |w| {
            w.run("other", "2026-11-23 03:00", "2026-11-23 03:30");
        },
        &[
            "Mon 06:30 team post digest unknown",
            // Nothing is known of what would have to run: ninety minutes before the deadline.
            "Mon 07:30 team notify alert group:mart unknown +1 [exec]",
        ],
    );
}

/// A Luigi: what is done is known for ten minutes.
fn luigi() -> Plan {
    let mut plan = plan();
    plan.sources.get_mut(&id("airflow")).unwrap().kind = SourceKind::Luigi;
    plan
}

fn part(w: &mut World, name: &str, start: &str, end: Option<&str>, success: bool) {
    w.script(name, start, end, success, RunKind::Part);
}

fn forget(w: &mut World, at: &str, name: &'static str) {
    w.when(at, move |w| drop(w.subjects.remove(name)));
}

#[test]
fn what_was_done_and_is_forgotten_has_arrived() {
    night_of(
        luigi(),
        "2026-11-22 23:00",
        "2026-11-23 12:00",
        |w| {
            part(w, "orders", "2026-11-23 03:00", Some("2026-11-23 03:40"), true);
            part(w, "sales", "2026-11-23 04:00", Some("2026-11-23 04:35"), true);
            forget(w, "2026-11-23 03:55", "orders");
            forget(w, "2026-11-23 04:50", "sales");
        },
        &["Mon 06:30 team post digest Ready"],
    );
}

#[test]
fn absence_alone_is_neither_green_nor_red() {
    night_of(
        luigi(),
        "2026-11-22 23:00",
        "2026-11-23 09:30",
        |w| w.subjects.clear(),
        // Ten minutes before orders' act-by: perhaps it is done and forgotten, perhaps it never ran.
        &["Mon 06:30 team post digest OnTrack", "Mon 07:10 team notify alert orders unknown +0 [exec]"],
    );
}

#[test]
fn a_failure_does_not_heal_by_being_forgotten() {
    night_of(
        luigi(),
        "2026-11-22 23:00",
        "2026-11-23 12:00",
        |w| {
            part(w, "orders", "2026-11-23 03:00", Some("2026-11-23 03:10"), false);
            forget(w, "2026-11-23 03:30", "orders");
        },
        &[
            "Mon 03:10 team post alert orders failed +1 [exec]",
            "Mon 06:30 team post digest failed",
            "Mon 07:00 team notify update orders failed +1 [exec]",
        ],
    );
}

#[test]
fn what_was_running_and_is_forgotten_is_unknown() {
    night_of(
        luigi(),
        "2026-11-22 23:00",
        "2026-11-23 08:30",
        |w| {
            part(w, "orders", "2026-11-23 03:00", None, true);
            forget(w, "2026-11-23 03:20", "orders");
        },
        &["Mon 06:30 team post digest OnTrack", "Mon 07:10 team notify alert orders unknown +0 [exec]"],
    );
}

#[test]
fn one_failed_task_of_many_fails_the_whole() {
    night_of(
        luigi(),
        "2026-11-22 23:00",
        "2026-11-23 04:00",
        |w| {
            for minute in ["00", "02", "04"] {
                part(w, "orders", &format!("2026-11-23 03:{minute}"), Some("2026-11-23 03:40"), true);
            }
            part(w, "orders", "2026-11-23 03:01", Some("2026-11-23 03:20"), false);
        },
        &["Mon 03:20 team post alert orders failed +1 [exec]"],
    );
}

#[test]
fn a_failed_task_is_not_pushed_out_by_many_that_are_done() {
    night_of(
        luigi(),
        "2026-11-22 23:00",
        "2026-11-23 06:00",
        |w| {
            part(w, "orders", "2026-11-23 01:00", Some("2026-11-23 01:02"), false);
            for minute in 3..58 {
                part(w, "orders", &format!("2026-11-23 01:{minute:02}"), Some("2026-11-23 02:10"), true);
            }
        },
        &["Mon 01:02 team post alert orders failed +1 [exec]"],
    );
}

#[test]
fn a_member_of_two_groups_and_a_named_one_vanish_no_more_silently_than_others() {
    let mut of_two = grouped();
    // By name the first of the two: the dashboard needs the other.
    let ingest = of_two.groups[&id("mart")].clone();
    of_two.groups.insert(id("ingest"), ingest);
    let mut named = grouped();
    named.checks.insert(id("mart_a"), check("mart_a").into());
    for plan in [of_two, named] {
        night_of(
            plan,
            "2026-11-22 02:00",
            "2026-11-23 07:05",
            |w| {
                two(w);
                w.when("2026-11-23 01:00", |w| drop(w.subjects.remove("mart_a")));
            },
            &[
                "Mon 06:30 team post alert mart_a unknown +0 [exec]",
                "Mon 06:30 team post digest unknown",
                "Mon 07:00 team notify update mart_a unknown +0 [exec]",
            ],
        );
    }
}

#[test]
fn a_group_that_is_narrowed_lets_its_members_go() {
    let mut world = World::new(grouped(), "2026-11-22 02:00");
    two(&mut world);
    world.until("2026-11-22 04:00");
    assert!(world.state.roster.place(&id("mart_a")).is_some());
    // What a reload does.
    world.plan.groups.get_mut(&id("mart")).unwrap().matches.ids = vec!["mart_b*".to_owned()];
    world.forget();
    assert!(world.state.roster.place(&id("mart_a")).is_none() && world.state.roster.place(&id("mart_b")).is_some());
}

//! The ledger tells the night by itself: what every line rests on, and what it comes to. A state that was read back from its rows
//! before every step writes the same lines.

#[path = "support/world.rs"]
mod world;

use chrono::TimeDelta;
use dawnwatch::core::observation::RunKind;
use dawnwatch::core::plan::*;
use dawnwatch::core::state::*;
use dawnwatch::core::step::Outcome;
use dawnwatch::core::tally::{Counts, Span, Tally};
use world::*;

/// Plays the night with and without amnesia.
fn played(plan: Plan, from: &str, to: &str, set: impl Fn(&mut World)) -> World {
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
    let forgetful = play(true);
    // That nothing more is to be said is found when it is decided next: who remembers when that is need not look before.
    let lines = |world: &World| -> Vec<Entry> {
        world.ledger.iter().filter(|entry| entry.reason != Reason::AlreadyTold).cloned().collect()
    };
    let (kept, forgot) = (lines(&world), lines(&forgetful));
    let other = kept.iter().zip(&forgot).find(|(kept, forgot)| kept != forgot);
    assert!(other.is_none() && forgot.len() == kept.len(), "with amnesia: {other:#?}");
    world
}

fn counted(world: &World, from: &str, to: &str) -> Counts {
    let mut tally = Tally::new(Span { from: seoul(from), to: seoul(to) });
    world.ledger.iter().for_each(|entry| tally.take(entry));
    tally.look(&world.state, &world.plan, world.at);
    tally.counts(world.at)
}

fn lines(world: &World, about: impl Fn(&About) -> bool) -> Vec<(String, &Reason, &Grounds)> {
    let lines = world.ledger.iter().filter(|entry| about(&entry.about));
    lines.map(|entry| (local(entry.at), &entry.reason, entry.evidence.as_deref().unwrap())).collect()
}

type OfCycle<'a> = (String, &'a Reason, &'a CycleState, Option<(usize, usize)>);

fn of_cycles(world: &World) -> Vec<OfCycle<'_>> {
    let lines = lines(world, |about| matches!(about, About::Cycle(_)));
    let result = |(at, reason, grounds)| match grounds {
        &Grounds::Cycle { ref result, arrived } => (at, reason, result, arrived),
        other => panic!("{other:?}"),
    };
    lines.into_iter().map(result).collect()
}

#[test]
fn a_cycle_closes_with_all_that_is_to_be_counted_of_it() {
    let world = played(plan(), "2026-11-22 23:00", "2026-11-24 00:30", |w| {
        w.fail("orders", "2026-11-23 03:00", "2026-11-23 03:10");
        w.run("orders", "2026-11-23 09:10", "2026-11-23 09:30").run("sales", "2026-11-23 09:30", "2026-11-23 10:11");
    });
    let cycles = of_cycles(&world);
    let told: Vec<(&str, &Reason)> = cycles.iter().map(|(at, reason, ..)| (at.as_str(), *reason)).collect();
    let expected = [
        ("Mon 00:00", &Reason::CycleClosed),
        ("Mon 09:00", &Reason::CycleMissed),
        ("Mon 10:11", &Reason::CycleReady),
        ("Tue 00:00", &Reason::CycleClosed),
    ];
    assert_eq!(told, expected);
    let (_, _, result, arrived) = &cycles[3];
    assert_eq!((result.deadline, result.ready_at), (seoul("2026-11-23 09:00"), Some(seoul("2026-11-23 10:11"))));
    assert_eq!((result.told_at, result.asked_at), (Some(seoul("2026-11-23 03:10")), Some(seoul("2026-11-23 07:00"))));
    assert!(result.missed && result.failed && result.closed_at.is_some());
    assert_eq!((cycles[1].3, *arrived), (Some((0, 2)), Some((2, 2))));
    assert!(world.ledger.iter().all(|entry| &*entry.fingerprint == "test"));

    let counts = counted(&world, "2026-11-23 00:00", "2026-11-24 00:00");
    let summary = counts.summary();
    assert_eq!((summary.misses, summary.misses_told_before, summary.median_lead_minutes), (1, 1, Some(350.0)));
    // Alert, digest, update and resolved; of the hours those of 03, 06, 07 and 10 are loud.
    assert_eq!((counts.messages, counts.words.asked, counts.words.wakeups, counts.quiet_hours), (4, 1, 0, 20));
    assert_eq!((counts.words.alerts, counts.words.messages, counts.digests.posted), (2, 3, 1));
}

#[test]
fn a_failure_says_what_it_held_up_until_when_and_why() {
    let world = played(plan(), "2026-11-22 23:00", "2026-11-23 08:00", |w| {
        w.fail("orders", "2026-11-23 03:00", "2026-11-23 03:10");
    });
    let lines = lines(&world, |about| matches!(about, About::Incident(1)));
    let trouble = |ix: usize| match lines[ix].2 {
        Grounds::Trouble(trouble) => trouble,
        other => panic!("{other:?}"),
    };
    let of = |reason: &Reason| lines.iter().position(|line| line.1 == reason).unwrap();
    let first = trouble(of(&Reason::FirstWord));
    assert_eq!(
        (first.cause.to_string().as_str(), first.verdict, first.since),
        ("orders", Verdict::Failed, seoul("2026-11-23 03:10"))
    );
    assert_eq!((first.waiting, first.waited, first.quiet, first.more), (2, 2, true, 0));
    let told = Endangered {
        cycle: CycleKey { dashboard: id("exec"), date: seoul("2026-11-23 00:00").date_naive() + TimeDelta::days(1), nth: 0 },
        deadline: seoul("2026-11-23 09:00"),
    };
    assert_eq!(first.cycles, [told]);
    // 09:00 less 20 minutes to react, and 40 to run each of the two.
    assert_eq!(first.act_by, Some(seoul("2026-11-23 07:20")));
    assert_eq!(first.failure.as_ref().unwrap().error.as_deref(), Some("connection refused (member-db-ro:5432)"));
    assert!(first.post.is_some_and(|post| world.state.posts.contains_key(&post)));
    let asked = trouble(of(&Reason::QuietEnded));
    assert!(!asked.quiet && asked.post > first.post);
}

#[test]
fn a_miss_is_one_two_minutes_after_the_deadline_when_the_answer_from_then_is_lost() {
    let mut plan = without_digest();
    plan.sources.values_mut().for_each(|source| source.every = TimeDelta::minutes(15));
    let world = played(plan, "2026-11-22 23:00", "2026-11-23 10:30", |w| {
        w.dark("airflow", "2026-11-23 08:55", "2026-11-23 09:25");
    });
    let missed: Vec<String> =
        of_cycles(&world).into_iter().filter(|(_, reason, ..)| **reason == Reason::CycleMissed).map(|(at, ..)| at).collect();
    assert_eq!(missed, ["Mon 09:02"]);
}

#[test]
fn a_miss_that_nobody_could_see_proves_to_be_none() {
    let world = played(plan(), "2026-11-22 23:00", "2026-11-24 00:30", |w| {
        w.dark("airflow", "2026-11-23 04:00", "2026-11-23 11:00");
        w.run("orders", "2026-11-23 03:00", "2026-11-23 04:10").run("sales", "2026-11-23 04:20", "2026-11-23 05:00");
    });
    let reasons: Vec<&Reason> = of_cycles(&world).iter().map(|line| line.1).collect();
    assert_eq!(
        reasons,
        [&Reason::CycleClosed, &Reason::CycleMissed, &Reason::CycleReady, &Reason::DeadlineMet, &Reason::CycleClosed]
    );
    let counts = counted(&world, "2026-11-23 00:00", "2026-11-24 00:00");
    assert_eq!((counts.deadlines.met, counts.deadlines.missed), (1, 0));
    assert_eq!(counts.deadlines.false_alarms, 1, "a person was asked about it");
    let blind: Vec<(&str, i64)> = counts.blind.iter().map(|(id, blind)| (id.as_str(), blind.num_minutes())).collect();
    assert_eq!(blind, [("airflow", 420)]);
}

#[test]
fn a_failed_run_is_known_also_when_its_rerun_was_seen_at_once() {
    let with_failure = |dark: bool| {
        let world = played(plan(), "2026-11-22 23:00", "2026-11-24 00:30", |w| {
            if dark {
                w.dark("airflow", "2026-11-23 02:00", "2026-11-23 07:05");
            }
            w.fail("orders", "2026-11-23 03:00", "2026-11-23 03:10");
            w.run("orders", "2026-11-23 03:20", "2026-11-23 03:50").run("sales", "2026-11-23 04:00", "2026-11-23 04:35");
        });
        of_cycles(&world).last().unwrap().2.failed
    };
    assert!(with_failure(false) && with_failure(true));
}

#[test]
fn what_fails_after_the_cycle_was_ready_is_another_matter() {
    let world = played(plan(), "2026-11-22 23:00", "2026-11-24 00:30", |w| {
        w.run("orders", "2026-11-23 03:00", "2026-11-23 03:40").run("sales", "2026-11-23 04:00", "2026-11-23 04:35");
        w.fail("orders", "2026-11-23 14:00", "2026-11-23 14:10");
    });
    assert!(!of_cycles(&world).last().unwrap().2.failed);
}

#[test]
fn a_word_that_gave_way_to_a_newer_one_is_on_record() {
    let world = played(plan(), "2026-11-22 23:00", "2026-11-23 08:00", |w| {
        w.fail("orders", "2026-11-23 06:59", "2026-11-23 07:00");
        w.outcomes = vec![Outcome::Failed { why: "503".into(), retry_at: Some(seoul("2026-11-23 07:40")) }; 2];
        w.run("orders", "2026-11-23 07:05", "2026-11-23 07:30").run("sales", "2026-11-23 07:30", "2026-11-23 07:35");
    });
    let of_posts = lines(&world, |about| matches!(about, About::Post(_)));
    assert!(of_posts.iter().any(|(_, reason, _)| **reason == Reason::Superseded), "{of_posts:?}");
}

#[test]
fn a_person_who_is_asked_in_quiet_hours_was_woken() {
    let mut plan = plan();
    plan.dashboards.get_mut(&id("exec")).unwrap().wake = true;
    plan.dashboards.get_mut(&id("exec")).unwrap().ready_by = vec![dawnwatch::core::time::ClockTime::at(6, 0)];
    let world = played(plan, "2026-11-22 23:00", "2026-11-23 08:00", |w| {
        w.fail("orders", "2026-11-23 01:00", "2026-11-23 01:10");
    });
    let counts = counted(&world, "2026-11-23 00:00", "2026-11-24 00:00");
    assert_eq!((counts.words.wakeups, counts.deadlines.told_before), (1, 1), "{:?}", world.lines());
}

#[test]
fn what_heals_before_anybody_is_told_is_counted_once() {
    let world = played(plan(), "2026-11-22 23:00", "2026-11-23 08:00", |w| {
        w.dark("airflow", "2026-11-23 02:00", "2026-11-23 02:30");
        w.run("orders", "2026-11-23 03:00", "2026-11-23 03:40").run("sales", "2026-11-23 04:00", "2026-11-23 04:35");
    });
    let counts = counted(&world, "2026-11-23 00:00", "2026-11-24 00:00");
    assert_eq!((counts.words.incidents, counts.words.healed, counts.words.messages, counts.words.alerts), (1, 1, 0, 2));
    assert!(counts.causes.contains_key(&Cause::Source(id("airflow"))));
}

#[test]
fn a_held_word_about_a_new_deadline_is_on_record() {
    // Told of the first deadline; the window of the second opens later, and a dark source may be back long before it.
    let mut plan = plan();
    let time = |hour, minute| dawnwatch::core::time::ClockTime::at(hour, minute);
    plan.dashboards
        .insert(id("ops"), Dashboard { counts_from: time(7, 30), ready_by: vec![time(20, 0)], ..dashboard(&["orders"]) });
    let world = played(plan, "2026-11-22 23:00", "2026-11-23 21:00", |w| {
        w.dark("airflow", "2026-11-23 05:00", "2026-11-23 23:00");
    });
    let held = world.ledger.iter().filter(|entry| entry.at >= seoul("2026-11-23 07:30"));
    let held: Vec<_> = held.filter(|entry| matches!(entry.decision, Decision::Hold { .. })).collect();
    assert!(held.iter().any(|entry| entry.reason == Reason::MayComeBack), "{:?}", world.decisions());
}

fn busy_until(at: &str) -> Outcome {
    Outcome::Failed { why: "503".into(), retry_at: Some(seoul(at)) }
}

fn without_digest() -> Plan {
    Plan { digests: Default::default(), ..plan() }
}

#[test]
fn a_miss_that_is_told_when_its_cycle_has_closed_is_told_late() {
    let mut plan = without_digest();
    plan.dashboards.get_mut(&id("exec")).unwrap().ready_by =
        [9, 12].map(|hour| dawnwatch::core::time::ClockTime::at(hour, 0)).into();
    let world = played(plan, "2026-11-22 23:00", "2026-11-23 10:30", |w| {
        w.run("orders", "2026-11-23 03:00", "2026-11-23 03:40");
        w.run("orders", "2026-11-23 09:20", "2026-11-23 09:50").run("sales", "2026-11-23 09:50", "2026-11-23 10:20");
        w.outcomes = vec![busy_until("2026-11-23 08:45"), busy_until("2026-11-23 09:10")];
    });
    assert_eq!(world.lines()[0], "Mon 09:10 team notify alert sales at_risk +0 [exec]");
    let deadlines = counted(&world, "2026-11-23 00:00", "2026-11-23 10:00").deadlines;
    assert_eq!((deadlines.missed, deadlines.told_before, deadlines.told_late, deadlines.untold), (1, 0, 1, 0));
    let reasons: Vec<(String, &Reason)> = of_cycles(&world).into_iter().map(|(at, reason, ..)| (at, reason)).collect();
    assert!(reasons.contains(&("Mon 09:10".to_owned(), &Reason::ToldLate)), "{reasons:?}");
}

#[test]
fn what_was_told_of_another_trouble_that_was_over_is_no_word_about_a_later_miss() {
    let night = |outcomes: Vec<Outcome>| {
        let world = played(without_digest(), "2026-11-22 23:00", "2026-11-24 00:30", move |w| {
            w.fail("orders", "2026-11-23 03:00", "2026-11-23 03:10");
            w.run("orders", "2026-11-23 04:00", "2026-11-23 04:30").run("sales", "2026-11-23 04:30", "2026-11-23 05:00");
            // Cleared two minutes before the deadline, and it takes an hour.
            w.script("sales", "2026-11-23 08:58", Some("2026-11-23 10:00"), true, RunKind::Manual);
            w.outcomes = outcomes.clone();
        });
        let deadlines = counted(&world, "2026-11-23 00:00", "2026-11-24 00:00").deadlines;
        (deadlines.missed, deadlines.told_before, deadlines.told_late, deadlines.median_lead_minutes())
    };
    assert_eq!(night(vec![]), (1, 1, 0, Some(2.0)), "told of the rerun, not of the failure that was repaired");
    let confirmed = || Outcome::Confirmed { handle: None };
    assert_eq!(night(vec![confirmed(), confirmed(), busy_until("2026-11-23 09:05")]), (1, 0, 1, None));
    let mut never_again = vec![busy_until("2026-11-24 06:00"); 100];
    never_again.splice(..0, [confirmed(), confirmed()]);
    assert_eq!(night(never_again), (1, 0, 0, None), "told of nothing that lasted");
}

#[test]
fn a_word_that_stands_counts_from_when_it_was_said_whatever_comes_and_goes_beside_it() {
    let world = played(without_digest(), "2026-11-22 23:00", "2026-11-24 00:30", |w| {
        w.fail("orders", "2026-11-23 03:00", "2026-11-23 03:10");
        // Its cause is gone; what waited for it still is late: the same trouble.
        w.run("orders", "2026-11-23 08:30", "2026-11-23 08:40").run("sales", "2026-11-23 08:40", "2026-11-23 09:20");
    });
    let deadlines = counted(&world, "2026-11-23 00:00", "2026-11-24 00:00").deadlines;
    assert_eq!((deadlines.told_before, deadlines.median_lead_minutes()), (1, Some(350.0)));
}

#[test]
fn what_heals_before_its_word_could_leave_has_healed_by_itself() {
    let world = played(plan(), "2026-11-22 23:00", "2026-11-23 08:00", |w| {
        w.fail("orders", "2026-11-23 03:00", "2026-11-23 03:10");
        w.run("orders", "2026-11-23 03:20", "2026-11-23 03:30").run("sales", "2026-11-23 03:30", "2026-11-23 03:50");
        w.outcomes = vec![busy_until("2026-11-23 04:00")];
    });
    assert_eq!(world.lines(), ["Mon 06:30 team post digest Ready"]);
    let dawnwatch::core::message::Body::Digest(digest) = &world.said[0].post.message.body else { panic!("a digest") };
    assert_eq!(digest.healed, 1);
    let counts = counted(&world, "2026-11-23 00:00", "2026-11-24 00:00");
    assert_eq!((counts.words.incidents, counts.words.healed, counts.words.messages), (1, 1, 0));
    let over = world.ledger.iter().filter(|entry| entry.reason == Reason::HealedUntold);
    assert_eq!(over.map(|entry| entry.chat.clone()).collect::<Vec<_>>(), [None], "once, as nobody was told");
}

#[test]
fn what_ends_with_its_cycle_has_not_healed() {
    // On a Sunday nobody looks, and nobody repairs it.
    let world = played(without_digest(), "2026-11-22 01:00", "2026-11-23 01:00", |w| {
        w.fail("orders", "2026-11-22 03:00", "2026-11-22 03:10");
    });
    let over: Vec<&Reason> =
        world.ledger.iter().map(|entry| &entry.reason).filter(|reason| format!("{reason:?}").ends_with("Untold")).collect();
    assert_eq!(over, [&Reason::EndedUntold]);
    assert_eq!(counted(&world, "2026-11-22 00:00", "2026-11-24 00:00").words.healed, 0);
}

#[test]
fn a_source_that_the_configuration_no_longer_has_leaves_nobody_blind() {
    let mut with_lake = without_digest();
    with_lake.sources.insert(id("lake"), with_lake.sources[&id("airflow")].clone());
    let lake = Check { source: id("lake"), ..check("lake_rows") };
    with_lake.checks.insert(id("lake_rows"), lake.into());
    with_lake.dashboards.insert(id("ops"), dashboard(&["lake_rows"]));
    let world = played(with_lake, "2026-11-22 23:00", "2026-11-23 08:00", |w| {
        w.run("orders", "2026-11-23 03:00", "2026-11-23 03:40").run("sales", "2026-11-23 04:00", "2026-11-23 04:35");
        w.dark("lake", "2026-11-23 01:00", "2026-11-23 23:00");
        w.when("2026-11-23 01:40", |w| {
            w.plan = without_digest();
            w.forget();
        });
    });
    let minutes = |counts: Counts| counts.blind.values().map(|blind| blind.num_minutes()).collect::<Vec<_>>();
    assert_eq!(minutes(counted(&world, "2026-11-23 00:00", "2026-11-24 00:00")), [40]);
    let tomorrow = seoul("2026-11-24 00:00").date_naive() + TimeDelta::days(1);
    let week = world.state.days.week(tomorrow, &world.plan, &world.state, world.at);
    assert_eq!(minutes(week.counts), [40], "as the report says");
    assert!(!world.rows.contains_key(&Key::Source(id("lake"))), "it is not dark for ever");
}

#[test]
fn hours_in_which_the_watch_was_off_are_told_and_not_quiet() {
    let mut world = World::new(without_digest(), "2026-11-22 23:00");
    for date in ["2026-11-23", "2026-11-24"] {
        world.run("orders", &format!("{date} 03:00"), &format!("{date} 03:40"));
        world.run("sales", &format!("{date} 04:00"), &format!("{date} 04:35"));
    }
    world.until("2026-11-23 12:20");
    // A restart that takes three minutes is none; one of four hours is.
    for (off, on) in [("2026-11-23 12:20", "2026-11-23 12:23"), ("2026-11-23 14:10", "2026-11-23 18:10")] {
        world.until(off);
        world.forget();
        world.at = seoul(on);
    }
    world.until("2026-11-24 00:00");
    let away: Vec<_> = lines(&world, |about| *about == About::Watch);
    assert_eq!(away, [("Mon 18:10".to_owned(), &Reason::WatchBack, &Grounds::Away { since: seoul("2026-11-23 14:10") })]);
    let counts = counted(&world, "2026-11-23 00:00", "2026-11-24 00:00");
    assert_eq!((counts.hours, counts.quiet_hours, counts.unwatched_hours), (19, 19, 5));
    // Off until now.
    world.at = seoul("2026-11-24 12:00");
    let counts = counted(&world, "2026-11-24 00:00", "2026-11-25 00:00");
    assert_eq!((counts.hours, counts.quiet_hours, counts.unwatched_hours), (0, 0, 12));
}

#[test]
fn a_question_that_hangs_is_no_absence_of_the_watch() {
    let mut world = World::new(without_digest(), "2026-11-22 23:00");
    world.until("2026-11-23 12:20");
    for _ in 0..30 {
        world.at += TimeDelta::minutes(1);
        world.take(dawnwatch::core::step::Input::Tick);
    }
    world.until("2026-11-23 13:00");
    assert!(world.ledger.iter().all(|entry| entry.about != About::Watch));
}

#[test]
fn a_clock_that_is_set_back_is_no_absence() {
    let mut world = World::new(without_digest(), "2026-11-22 23:00");
    world.until("2026-11-23 12:20");
    world.at = seoul("2026-11-23 09:00");
    world.until("2026-11-23 10:00");
    assert!(world.ledger.iter().all(|entry| entry.about != About::Watch));
}

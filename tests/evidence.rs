//! What counts as arrived, and what is due, watched or seen at all: verdicts, not words. 2026-11-23 is a Monday in Seoul.

#[path = "support/world.rs"]
mod world;

use chrono::TimeDelta;
use dawnwatch::core::apart::apart;
use dawnwatch::core::calendar::DayRule;
use dawnwatch::core::judge::judge;
use dawnwatch::core::observation::*;
use dawnwatch::core::plan::*;
use dawnwatch::core::state::{Cause, Verdict};
use dawnwatch::core::step::{Input, step};
use dawnwatch::core::time::ClockTime;
use world::*;

fn verdict_in(world: &World, check: &str, dashboard: &str) -> Verdict {
    let ix = world.state.roster.place(&id(check)).unwrap_or_else(|| panic!("{check} is no check"));
    world.state.view.cycles[&id(dashboard)].of(ix).map_or(Verdict::NotDue, |judged| judged.verdict)
}

fn verdict(world: &World, check: &str) -> Verdict {
    verdict_in(world, check, "exec")
}

/// One check `orders` in `exec`, polled every minute.
fn one(set: impl FnOnce(&mut Plan)) -> Plan {
    let mut plan = plan();
    plan.checks.remove(&id("sales"));
    plan.dashboards.get_mut(&id("exec")).unwrap().needs = vec![Need::Check(id("orders"))];
    plan.digests.clear();
    set(&mut plan);
    plan
}

#[test]
fn a_run_counts_in_the_window_in_which_it_was_scheduled() {
    let cases: [(&str, &str, &str, RunKind, Verdict); 6] = [
        ("in the window", "2026-11-23 03:00", "2026-11-23 03:30", RunKind::Scheduled, Verdict::Ready),
        ("yesterday's, ended today", "2026-11-22 23:50", "2026-11-23 03:30", RunKind::Scheduled, Verdict::OnTrack),
        ("by hand", "2026-11-23 03:00", "2026-11-23 03:30", RunKind::Manual, Verdict::Ready),
        ("by data", "2026-11-23 03:00", "2026-11-23 03:30", RunKind::Triggered, Verdict::Ready),
        ("a backfill", "2026-11-23 03:00", "2026-11-23 03:30", RunKind::Backfill, Verdict::OnTrack),
        ("still running", "2026-11-23 03:40", "2026-11-23 04:30", RunKind::Scheduled, Verdict::OnTrack),
    ];
    for (name, start, end, kind, expected) in cases {
        let mut world = World::new(one(|_| {}), "2026-11-23 00:00");
        world.script("orders", start, Some(end), true, kind).until("2026-11-23 04:00");
        assert_eq!(verdict(&world, "orders"), expected, "{name}");
    }
}

#[test]
fn the_evening_before_counts_where_the_window_says_so() {
    let mut world =
        World::new(one(|plan| change(plan, "orders").counts_from = Some("-1d 20:00".parse().unwrap())), "2026-11-23 00:00");
    world.run("orders", "2026-11-22 23:50", "2026-11-23 00:30").until("2026-11-23 04:00");
    assert_eq!(verdict(&world, "orders"), Verdict::Ready);
}

#[test]
fn of_several_runs_a_day_the_named_one_must_be_done() {
    let plan = one(|plan| change(plan, "orders").run = Some(ClockTime::at(3, 0)));
    let mut world = World::new(plan, "2026-11-23 00:00");
    world.run("orders", "2026-11-23 01:00", "2026-11-23 01:10").run("orders", "2026-11-23 03:00", "2026-11-23 03:10");
    world.fail("orders", "2026-11-23 04:00", "2026-11-23 04:10");
    assert_eq!(verdict(world.until("2026-11-23 02:00"), "orders"), Verdict::OnTrack);
    assert_eq!(verdict(world.until("2026-11-23 03:30"), "orders"), Verdict::Ready);
    assert_eq!(verdict(world.until("2026-11-23 05:00"), "orders"), Verdict::Ready);
}

#[test]
fn the_next_scheduled_run_of_the_day_takes_nothing_back() {
    let mut world = World::new(one(|_| {}), "2026-11-23 00:00");
    world.run("orders", "2026-11-23 01:00", "2026-11-23 01:10").run("orders", "2026-11-23 02:00", "2026-11-23 02:10");
    assert_eq!(verdict(world.until("2026-11-23 02:05"), "orders"), Verdict::Ready);
}

#[test]
fn a_rerun_by_hand_heals_a_failure_also_when_the_next_scheduled_run_has_begun() {
    let mut world = World::new(one(|_| {}), "2026-11-23 00:00");
    world.fail("orders", "2026-11-23 01:00", "2026-11-23 01:10");
    world.script("orders", "2026-11-23 01:30", Some("2026-11-23 02:20"), true, RunKind::Manual);
    world.script("orders", "2026-11-23 02:00", Some("2026-11-23 02:40"), true, RunKind::Scheduled);
    assert_eq!(verdict(world.until("2026-11-23 01:20"), "orders"), Verdict::Failed);
    assert_eq!(verdict(world.until("2026-11-23 01:40"), "orders"), Verdict::OnTrack);
    assert_eq!(verdict(world.until("2026-11-23 02:10"), "orders"), Verdict::OnTrack, "both are under way");
    assert_eq!(verdict(world.until("2026-11-23 02:30"), "orders"), Verdict::Ready);
}

#[test]
fn a_rerun_counts_again_when_the_clock_is_set_back_before_the_deadline() {
    let mut world = World::new(one(|_| {}), "2026-11-23 00:00");
    world.run("orders", "2026-11-23 03:00", "2026-11-23 03:40");
    world.script("orders", "2026-11-23 09:00", Some("2026-11-23 10:30"), true, RunKind::Manual);
    assert_eq!(verdict(world.until("2026-11-23 09:01"), "orders"), Verdict::Ready, "what was met stays met");
    world.at = seoul("2026-11-23 08:59") + TimeDelta::seconds(50);
    step(&mut world.state, &world.plan, world.at, Input::Tick);
    assert_eq!(verdict(&world, "orders"), Verdict::AtRisk, "it runs again, and the deadline is ahead");
}

/// How many of how many checks have arrived, and by when a person would have to act.
fn summed(world: &World) -> ((usize, usize), Option<String>) {
    let view = &world.state.view.cycles[&id("exec")];
    (view.arrived(), view.act_by().map(local))
}

#[test]
fn a_cycle_counts_what_is_due_in_it_and_the_earliest_act_by_of_what_is_outstanding() {
    let mut world = World::new(plan(), "2026-11-23 00:00");
    world.run("orders", "2026-11-23 03:00", "2026-11-23 03:40").run("sales", "2026-11-23 04:20", "2026-11-23 05:00");
    // 09:00 less 20 minutes of reaction and 40 minutes for each of the two.
    assert_eq!(summed(world.until("2026-11-23 02:00")), ((0, 2), Some("Mon 07:20".into())));
    assert_eq!(summed(world.until("2026-11-23 04:00")), ((1, 2), Some("Mon 08:00".into())));
    assert_eq!(summed(world.until("2026-11-23 06:00")), ((2, 2), None));
    let mut three = plan();
    three.checks.insert(id("raw"), check("raw").into());
    change(&mut three, "orders").needs = vec![Need::Check(id("raw"))];
    assert_eq!(summed(World::new(three, "2026-11-23 00:00").until("2026-11-23 02:00")), ((0, 3), Some("Mon 06:40".into())));
    let tuesdays = one(|plan| change(plan, "orders").on = Some(DayRule::Weekdays(vec![chrono::Weekday::Tue])));
    assert_eq!(summed(World::new(tuesdays, "2026-11-23 00:00").until("2026-11-23 02:00")), ((0, 0), None));
}

#[test]
fn a_dashboard_is_expected_with_the_last_of_what_it_needs_and_has_not() {
    let mut two = one(|_| {});
    two.checks.insert(id("stock"), check("stock").into());
    two.checks.insert(id("prices"), check("prices").into());
    two.dashboards.get_mut(&id("exec")).unwrap().needs = ["orders", "prices", "stock"].map(|need| Need::Check(id(need))).into();
    let mut world = World::new(two, "2026-11-23 00:00");
    world.run("orders", "2026-11-23 02:00", "2026-11-23 02:40");
    world.run("prices", "2026-11-23 03:20", "2026-11-23 04:30").run("stock", "2026-11-23 03:00", "2026-11-23 04:30");
    world.until("2026-11-23 03:30");
    assert_eq!(eta(&world).as_deref(), Some("Mon 04:00"), "prices, forty minutes after its start; stock is through at 03:40");
}

#[test]
fn what_could_start_is_expected_as_if_it_started_now() {
    let mut world = World::new(plan(), "2026-11-23 00:00");
    world.run("orders", "2026-11-23 03:00", "2026-11-23 03:40").run("sales", "2026-11-23 12:00", "2026-11-23 12:40");
    assert_eq!(eta(world.until("2026-11-23 03:20")).as_deref(), Some("Mon 04:20"), "forty minutes after orders");
    assert_eq!(eta(world.until("2026-11-23 05:00")).as_deref(), Some("Mon 05:40"));
}

#[test]
fn what_is_not_there_is_late_with_the_first_answer_after_the_deadline_or_without_one_two_minutes_after_it() {
    let night = |every, dark: &str| {
        let mut world =
            World::new(one(|plan| plan.sources.values_mut().for_each(|source| source.every = every)), "2026-11-23 00:00");
        world.run("orders", "2026-11-23 12:00", "2026-11-23 12:40");
        world.dark("airflow", dark, "2026-11-23 10:00");
        world
    };
    let mut answered = night(TimeDelta::minutes(1), "2026-11-23 09:30");
    assert_eq!(verdict(answered.until("2026-11-23 08:59"), "orders"), Verdict::AtRisk);
    assert_eq!(verdict(answered.until("2026-11-23 09:01"), "orders"), Verdict::Late);
    let mut unanswered = night(TimeDelta::minutes(15), "2026-11-23 08:55");
    assert_eq!(verdict(unanswered.until("2026-11-23 09:01"), "orders"), Verdict::AtRisk);
    assert_eq!(verdict(unanswered.until("2026-11-23 09:03"), "orders"), Verdict::Late);
}

#[test]
fn nobody_knows_when_what_has_failed_or_cannot_be_seen_will_come() {
    let mut failed = World::new(plan(), "2026-11-23 00:00");
    failed.fail("orders", "2026-11-23 03:00", "2026-11-23 03:10").run("sales", "2026-11-23 12:00", "2026-11-23 12:40");
    assert_eq!(eta(failed.until("2026-11-23 04:00")), None);
    let mut dark = World::new(plan(), "2026-11-23 00:00");
    dark.run("orders", "2026-11-23 03:00", "2026-11-23 03:40").run("sales", "2026-11-23 03:40", "2026-11-23 04:20");
    dark.dark("airflow", "2026-11-23 03:50", "2026-11-23 05:00");
    assert_eq!(eta(dark.until("2026-11-23 04:30")), None);
}

/// When the dashboard is expected, seen from now.
fn eta(world: &World) -> Option<String> {
    let cycle = world.state.view.cycles[&id("exec")].cycle.clone();
    let dashboard = &world.plan.dashboards[&id("exec")];
    let now = judge(&world.state, &world.plan, dashboard, cycle, world.at);
    let prospect = now.prospect(&world.state, &world.plan, dashboard, world.at)?;
    prospect.eta.map(|eta| local(eta.at))
}

#[test]
fn a_dataset_counts_by_arrival_or_by_the_data_it_reaches() {
    let through = Evidence::DataTime { through: "-1d 23:50".parse().unwrap() };
    let cases = [
        (Evidence::ArrivalTime, "2026-11-23 02:00", Verdict::Ready),
        (Evidence::ArrivalTime, "2026-11-22 23:59", Verdict::OnTrack),
        (through, "2026-11-22 23:55", Verdict::Ready),
        (through, "2026-11-22 23:45", Verdict::OnTrack),
        // Half an hour ahead of the clock: never green.
        (Evidence::ArrivalTime, "2026-11-23 03:30", Verdict::Unknown),
    ];
    for (evidence, newest, expected) in cases {
        let mut world = World::new(one(|plan| change(plan, "orders").evidence = evidence), "2026-11-23 03:00");
        world.dataset = true;
        world.clairvoyant = true;
        world.subjects.entry(id("orders")).or_default().data.push(seoul(newest));
        world.until("2026-11-23 03:05");
        assert_eq!(verdict(&world, "orders"), expected, "{evidence:?} {newest}");
    }
}

#[test]
fn a_check_that_its_source_does_not_know_is_unknown_until_it_is_and_an_arrival_sticks_when_it_vanishes() {
    let mut world = World::new(one(|_| {}), "2026-11-23 00:00");
    assert_eq!(verdict(world.until("2026-11-23 01:00"), "orders"), Verdict::Unknown);
    world.run("orders", "2026-11-23 02:00", "2026-11-23 02:10");
    assert_eq!(verdict(world.until("2026-11-23 02:30"), "orders"), Verdict::Ready);
    world.subjects.clear();
    assert_eq!(verdict(world.until("2026-11-23 03:00"), "orders"), Verdict::Ready);
}

#[test]
fn each_deadline_of_a_day_has_its_own_window() {
    let plan = one(|plan| {
        plan.dashboards.get_mut(&id("exec")).unwrap().ready_by = vec![ClockTime::at(9, 0), ClockTime::at(15, 0)];
    });
    let mut world = World::new(plan, "2026-11-23 00:00");
    world.run("orders", "2026-11-23 03:00", "2026-11-23 03:10");
    assert_eq!(verdict(world.until("2026-11-23 08:00"), "orders"), Verdict::Ready);
    assert_eq!(verdict(world.until("2026-11-23 09:30"), "orders"), Verdict::OnTrack);
    world.run("orders", "2026-11-23 12:00", "2026-11-23 12:10");
    assert_eq!(verdict(world.until("2026-11-23 13:00"), "orders"), Verdict::Ready);
    assert_eq!(world.said, [], "nothing was ever wrong");
}

#[test]
fn a_check_is_due_on_its_own_days() {
    let plan = one(|plan| change(plan, "orders").on = Some(DayRule::Weekdays(vec![chrono::Weekday::Tue])));
    let mut world = World::new(plan, "2026-11-23 00:00");
    assert_eq!(verdict(world.until("2026-11-23 09:30"), "orders"), Verdict::NotDue);
    assert_eq!(world.said, []);
}

#[test]
fn what_is_too_old_is_told_at_any_hour() {
    let plan = one(|plan| {
        plan.dashboards.clear();
        let orders = change(plan, "orders");
        (orders.evidence, orders.max_age) = (Evidence::ArrivalTime, Some(TimeDelta::hours(3)));
    });
    let mut world = World::new(plan, "2026-11-23 10:00");
    world.dataset = true;
    world.subjects.entry(id("orders")).or_default().data.extend([seoul("2026-11-23 09:00"), seoul("2026-11-23 13:00")]);
    world.until("2026-11-23 14:00");
    let since: Vec<String> = world.state.incidents.values().map(|incident| local(incident.since)).collect();
    assert_eq!(since, ["Mon 12:00"], "three hours after the newest");
    assert_eq!(world.lines(), ["Mon 12:00 team notify alert orders late +0 []", "Mon 13:00 team post resolved orders 0/0 missed"]);
}

/// Every pipeline tagged `mart` of a source that lists.
fn group() -> Plan {
    one(|plan| {
        plan.checks.clear();
        plan.sources.get_mut(&id("airflow")).unwrap().kind = SourceKind::Airflow;
        let matches = Matcher { tags: vec!["mart".to_owned()], ..Matcher::default() };
        let each = Check { duration: Some(TimeDelta::minutes(10)), ..check("") };
        plan.groups.insert(id("mart"), Group { source: id("airflow"), matches, exclude: Matcher::default(), each });
        plan.dashboards.get_mut(&id("exec")).unwrap().needs = vec![Need::Group(id("mart"))];
    })
}

#[test]
fn a_group_makes_checks_of_what_its_source_lists_and_remembers_them() {
    let mut world = World::new(group(), "2026-11-23 00:00");
    for name in ["a", "b"] {
        world.run(name, "2026-11-23 02:00", "2026-11-23 02:10");
    }
    world.until("2026-11-23 01:00");
    assert_eq!((verdict(&world, "a"), verdict(&world, "b")), (Verdict::OnTrack, Verdict::OnTrack));
    world.subjects.remove(&id("b"));
    world.until("2026-11-23 02:30");
    assert_eq!((verdict(&world, "a"), verdict(&world, "b")), (Verdict::Ready, Verdict::Unknown), "gone is not green");
    world.forget();
    world.until("2026-11-23 02:35");
    assert_eq!(verdict(&world, "b"), Verdict::Unknown, "also after a restart");
}

#[test]
fn a_new_member_is_silent_until_its_first_success() {
    let mut world = World::new(group(), "2026-11-23 00:00");
    world.run("a", "2026-11-23 02:00", "2026-11-23 02:10");
    world.until("2026-11-23 03:00");
    world.fail("new", "2026-11-23 03:10", "2026-11-23 03:20");
    world.until("2026-11-23 04:00");
    assert_eq!((verdict(&world, "new"), summed(&world)), (Verdict::NotWatched, ((1, 1), None)), "nobody waits for it");
    world.run("new", "2026-11-23 04:10", "2026-11-23 04:20");
    world.until("2026-11-23 05:00");
    assert_eq!(verdict(&world, "new"), Verdict::Ready);
    assert_eq!(world.said, []);
}

#[test]
fn members_that_fail_on_the_first_night_of_the_watch_are_told() {
    let mut world = World::new(group(), "2026-11-23 00:00");
    world.fail("a", "2026-11-23 03:10", "2026-11-23 03:20");
    world.until("2026-11-23 04:00");
    assert_eq!(world.lines(), ["Mon 03:20 team post alert a failed +0 [exec]"]);
}

#[test]
fn two_sources_may_have_the_same_names() {
    let mut plan = group();
    plan.sources.insert(id("other"), Source { kind: SourceKind::Airflow, every: TimeDelta::seconds(60), host: Some(1) });
    let other = Group { source: id("other"), ..plan.groups[&id("mart")].clone() };
    let each = Check { source: id("other"), ..other.each.clone() };
    plan.groups.insert(id("others"), Group { each, ..other });
    let mut world = World::new(plan, "2026-11-23 00:00");
    world.run("a", "2026-11-23 02:00", "2026-11-23 02:10");
    world.until("2026-11-23 01:00");
    let names: Vec<String> = world.state.roster.checks.iter().map(|known| known.id.to_string()).collect();
    assert_eq!(names, ["airflow/a", "other/a"]);
}

#[test]
fn a_scheduler_that_stands_still_is_one_cause() {
    let mut world = World::new(group(), "2026-11-23 00:00");
    for name in ["a", "b", "c"] {
        world.run(name, "2026-11-23 05:00", "2026-11-23 05:10");
    }
    world.scheduler = Scheduler::Dead { heartbeat: Some(seoul("2026-11-22 23:55")) };
    world.until("2026-11-23 01:00");
    let causes: Vec<&Cause> = world.state.incidents.values().map(|incident| &incident.cause).collect();
    assert_eq!(causes, [&Cause::Scheduler(id("airflow"))]);
    // Nobody knows when it will start anything again.
    assert_eq!(eta(&world), None);
}

#[test]
fn a_calendar_that_has_ended_is_said_and_takes_nobody_for_absent() {
    let mut plan = one(|_| {});
    plan.calendars.get_mut(&id("kr")).unwrap().covered = Some(("2026-01-01".parse().unwrap(), "2026-11-22".parse().unwrap()));
    let mut world = World::new(plan, "2026-11-23 00:00");
    world.fail("orders", "2026-11-23 07:10", "2026-11-23 07:20").until("2026-11-23 08:00");
    assert_eq!(
        world.lines(),
        [
            "Mon 00:00 team post alert calendar:kr unknown +0 []",
            "Mon 07:00 team notify update calendar:kr unknown +0 []",
            "Mon 07:20 team notify alert orders failed +0 [exec]",
        ]
    );
}

#[test]
fn what_fails_outside_any_dashboard_is_told_where_trouble_of_the_watch_goes() {
    let plan = one(|plan| plan.dashboards.clear());
    let mut world = World::new(plan, "2026-11-23 09:00");
    world.fail("orders", "2026-11-23 08:00", "2026-11-23 08:10");
    world.fail("orders", "2026-11-23 10:00", "2026-11-23 10:10").run("orders", "2026-11-23 11:00", "2026-11-23 11:10");
    world.until("2026-11-23 12:00");
    // What had failed before the watch began is nobody's news.
    assert_eq!(
        world.lines(),
        ["Mon 10:10 team notify alert orders failed +0 []", "Mon 11:10 team post resolved orders 0/0 missed"]
    );
}

#[test]
fn many_that_fail_outside_any_dashboard_are_one_message() {
    let plan = one(|plan| {
        plan.dashboards.clear();
        for n in 0..30 {
            let name = format!("adhoc_{n:02}");
            plan.checks.insert(id(&name), check(&name).into());
        }
    });
    let mut world = World::new(plan, "2026-11-23 09:00");
    world.subjects.insert(id("orders"), Subject::default());
    for n in 0..30 {
        world.fail(&format!("adhoc_{n:02}"), "2026-11-23 10:00", "2026-11-23 10:10");
    }
    world.until("2026-11-23 12:00");
    assert_eq!(world.lines(), ["Mon 10:10 team notify alert adhoc_00 failed +29 []"]);
}

#[test]
fn what_failed_outside_any_dashboard_is_not_over_because_it_was_long_ago() {
    let plan = one(|plan| {
        plan.dashboards.clear();
        plan.sources.get_mut(&id("airflow")).unwrap().every = TimeDelta::minutes(10);
    });
    let mut world = World::new(plan, "2026-11-23 09:00");
    world.tick = TimeDelta::minutes(10);
    world.fail("orders", "2026-11-23 10:00", "2026-11-23 10:10").run("orders", "2026-11-26 10:00", "2026-11-26 10:10");
    world.until("2026-11-26 12:00");
    assert_eq!(
        world.lines(),
        ["Mon 10:10 team notify alert orders failed +0 []", "Thu 10:10 team post resolved orders 0/0 missed"]
    );
}

#[test]
fn what_no_dashboard_needs_is_judged_by_what_was_seen_of_it() {
    type Set = fn(&mut World) -> &mut World;
    let cases: [(&str, Set, Verdict); 7] = [
        ("failed before it was known", |w| w.fail("clicks", "2026-11-23 02:00", "2026-11-23 02:10"), Verdict::Failed),
        ("done", |w| w.run("clicks", "2026-11-23 01:00", "2026-11-23 01:10"), Verdict::Ready),
        ("under way", |w| w.run("clicks", "2026-11-23 02:00", "2026-11-23 09:00"), Verdict::OnTrack),
        ("its success is too old", |w| w.run("clicks", "2026-11-23 00:10", "2026-11-23 00:20"), Verdict::Late),
        ("done, and too long ago to be shown", |w| w.run("clicks", "2026-11-20 01:00", "2026-11-20 01:10"), Verdict::NotDue),
        ("not known there", |w| w, Verdict::Unknown),
        ("its source is dark", |w| w.dark("airflow", "2026-11-20 00:00", "2026-11-24 00:00"), Verdict::Unknown),
    ];
    for (name, set, expected) in cases {
        for closed in [false, true] {
            let clicks = Check { max_age: Some(TimeDelta::hours(2)), ..check("clicks") };
            let mut plan = one(|plan| plan.checks.extend([(id("clicks"), clicks.into())]));
            let window = Maintenance { sources: [].into(), checks: [id("clicks")].into(), on: DayRule::Daily, hours: None };
            plan.maintenance.extend(closed.then(|| (id("window"), window)));
            let mut world = World::new(plan, "2026-11-23 02:30");
            set(&mut world);
            world.until("2026-11-23 03:00");
            let all = apart(&world.state, &world.plan, world.at);
            let told: Vec<_> = all.iter().map(|apart| (apart.verdict, apart.excused, apart.is_finding())).collect();
            assert_eq!(told, [(expected, closed, expected.is_trouble() && !closed)], "{name}: {all:?}");
        }
    }
}

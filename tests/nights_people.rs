//! Nights in which a person says something: ack, snooze, mute. None of them swallows a last word.

#[path = "support/world.rs"]
mod world;

use dawnwatch::core::command::{self, Command, Muted, Order};
use dawnwatch::core::message::{Body, Next};
use dawnwatch::core::plan::*;
use dawnwatch::core::state::{Decision, Reason};
use dawnwatch::core::step::Input;
use dawnwatch::core::time::ClockTime;
use world::*;

/// The next rung is asked after half an hour.
fn with_rung() -> Plan {
    let mut plan = plan();
    plan.chats.insert(id("backup"), Chat { quiet: None, quiet_days: None, ..chat() });
    plan.dashboards.get_mut(&id("exec")).unwrap().escalate = vec![id("backup")];
    plan
}

fn ack(until: &str) -> Order {
    Order::Ack { incident: 1, until: seoul(until) }
}

fn mute(what: Muted, until: &str) -> Order {
    Order::Mute { what, until: seoul(until) }
}

#[test]
fn who_has_it_stops_the_rungs() {
    night_of(
        with_rung(),
        "2026-11-22 23:00",
        "2026-11-23 12:00",
        |w| {
            w.fail("orders", "2026-11-23 07:00", "2026-11-23 07:10");
            w.when("2026-11-23 07:20", |w| w.command(ack("2026-11-23 09:30")));
            w.run("orders", "2026-11-23 07:50", "2026-11-23 08:10").run("sales", "2026-11-23 08:10", "2026-11-23 08:50");
        },
        &[
            "Mon 06:30 team post digest OnTrack",
            "Mon 07:10 team notify alert orders failed +1 [exec]",
            "Mon 08:50 team post resolved orders 0/1 missed",
        ],
    );
}

/// When each word about a failure of orders is said, and when the next one comes as it says.
fn foretold((started, failed): (&str, &str), set: impl FnOnce(&mut Plan)) -> Vec<String> {
    let mut plan = with_rung();
    plan.digests.clear();
    set(&mut plan);
    let mut world = World::new(plan, "2026-11-22 23:00");
    world.fail("orders", &format!("2026-11-23 {started}"), &format!("2026-11-23 {failed}"));
    world.run("sales", "2026-11-23 12:00", "2026-11-23 12:40");
    world.until("2026-11-23 07:40");
    let clock = |at| local(at).split_off(4);
    let said = world.said.iter().filter_map(|said| match &said.post.message.body {
        Body::Incident { about, .. } => Some((clock(said.at), about.next)),
        _ => None,
    });
    let next = |(at, next)| match next {
        Next::AskedAt { at: next, because } => format!("{at} → {} {because:?}", clock(next)),
        Next::EscalatesAt(next) => format!("{at} → {} rung", clock(next)),
        Next::WhenResolved => format!("{at} → resolved"),
    };
    said.map(next).collect()
}

#[test]
fn a_word_says_when_the_next_one_comes_and_it_comes_then() {
    let ready = |plan: &mut Plan, hour, minute| {
        plan.dashboards.get_mut(&id("exec")).unwrap().ready_by = vec![ClockTime::at(hour, minute)];
    };
    let wakes = |plan: &mut Plan| plan.dashboards.get_mut(&id("exec")).unwrap().wake = true;
    let night = ("03:00", "03:10");
    let asked = "07:00 → 07:30 rung";
    assert_eq!(foretold(night, |_| {}), ["03:10 → 07:00 QuietEnds", asked, "07:30 → resolved"]);
    assert_eq!(foretold(night, |plan| ready(plan, 7, 0)), ["03:10 → 07:00 QuietEnds", asked, "07:30 → resolved"]);
    let by_deadline = ["03:10 → 06:00 Deadline", "06:00 → 06:30 rung", "06:30 → resolved"];
    assert_eq!(foretold(night, |plan| ready(plan, 6, 0)), by_deadline);
    // 06:00 - 20m reaction - 40m orders - 40m sales.
    let awake = |plan: &mut Plan| {
        ready(plan, 6, 0);
        wakes(plan);
    };
    assert_eq!(foretold(night, awake), ["03:10 → 04:20 ActBy", "04:20 → 04:50 rung", "04:50 → resolved"]);
    assert_eq!(foretold(("03:55", "04:30"), awake), ["04:30 → 06:00 Deadline", "06:00 → 06:30 rung", "06:30 → resolved"]);
    // It runs too long, and fails after that was told.
    let worse = ["04:18 → 04:20 ActBy", "04:20 → 04:50 rung", "04:30 → 04:50 rung", "04:50 → resolved", "06:00 → resolved"];
    assert_eq!(foretold(("03:00", "04:30"), awake), worse);
    let alone = |plan: &mut Plan| plan.dashboards.get_mut(&id("exec")).unwrap().escalate.clear();
    assert_eq!(foretold(("07:00", "07:10"), alone), ["07:10 → resolved"]);
}

#[test]
fn when_an_ack_ends_without_a_repair_the_next_one_is_asked() {
    night_of(
        with_rung(),
        "2026-11-22 23:00",
        "2026-11-23 08:30",
        |w| {
            w.fail("orders", "2026-11-23 07:00", "2026-11-23 07:10");
            w.when("2026-11-23 07:20", |w| w.command(ack("2026-11-23 08:00")));
        },
        &[
            "Mon 06:30 team post digest OnTrack",
            "Mon 07:10 team notify alert orders failed +1 [exec]",
            "Mon 08:00 backup escalate update orders failed +1 [exec]",
        ],
    );
}

#[test]
fn who_took_it_in_the_night_is_not_asked_in_the_morning_and_the_digest_names_them() {
    let world = night(
        "2026-11-22 23:00",
        "2026-11-23 08:30",
        |w| {
            w.fail("orders", "2026-11-23 03:00", "2026-11-23 03:10");
            w.when("2026-11-23 03:30", |w| w.command(ack("2026-11-23 08:00")));
        },
        &[
            "Mon 03:10 team post alert orders failed +1 [exec]",
            "Mon 06:30 team post digest failed",
            "Mon 08:00 team notify update orders failed +1 [exec]",
        ],
    );
    let Body::Digest(digest) = &world.said[1].post.message.body else { panic!("{:?}", world.lines()) };
    assert_eq!(digest.incidents[0].taken.as_ref().map(|taken| taken.by.as_str()), Some("kim"));
}

#[test]
fn a_snoozed_incident_is_decided_anew_when_the_snooze_ends() {
    let world = night(
        "2026-11-22 23:00",
        "2026-11-23 12:00",
        |w| {
            w.fail("orders", "2026-11-23 03:00", "2026-11-23 03:10");
            w.when("2026-11-23 03:30", |w| w.command(Order::Snooze { incident: 1, until: seoul("2026-11-23 08:00") }));
            w.run("orders", "2026-11-23 08:05", "2026-11-23 08:10").run("sales", "2026-11-23 08:10", "2026-11-23 08:50");
        },
        &[
            "Mon 03:10 team post alert orders failed +1 [exec]",
            "Mon 06:30 team post digest failed",
            "Mon 08:00 team notify update orders failed +1 [exec]",
            "Mon 08:50 team post resolved orders 0/1 missed",
        ],
    );
    assert!(
        world.decisions().contains(&"Mon 03:30 Hold { until: 2026-11-22T23:00:00Z } Snoozed".to_owned()),
        "{:?}",
        world.decisions()
    );
}

#[test]
fn a_muted_check_is_told_when_the_mute_ends() {
    night(
        "2026-11-22 23:00",
        "2026-11-23 08:30",
        |w| {
            w.when("2026-11-22 23:05", |w| w.command(mute(Muted::Check(id("orders")), "2026-11-23 08:00")));
            w.fail("orders", "2026-11-23 03:00", "2026-11-23 03:10");
        },
        &["Mon 06:30 team post digest failed", "Mon 08:00 team notify alert orders failed +1 [exec]"],
    );
}

#[test]
fn a_muted_source_hushes_what_it_serves() {
    night(
        "2026-11-22 23:00",
        "2026-11-23 08:30",
        |w| {
            w.when("2026-11-22 23:05", |w| w.command(mute(Muted::Source(id("airflow")), "2026-11-23 12:00")));
            w.fail("orders", "2026-11-23 03:00", "2026-11-23 03:10");
        },
        &["Mon 06:30 team post digest failed"],
    );
}

#[test]
fn a_muted_dashboard_is_nobodys_and_breaks_no_silence() {
    let world = night(
        "2026-11-21 23:00",
        "2026-11-22 12:00",
        |w| {
            // A Sunday: the digest would break its silence for trouble.
            w.when("2026-11-21 23:05", |w| w.command(mute(Muted::Dashboard(id("exec")), "2026-11-22 12:00")));
            w.fail("orders", "2026-11-22 03:00", "2026-11-22 03:10");
        },
        &[],
    );
    let held: Vec<&Reason> = world
        .ledger
        .iter()
        .filter(|entry| matches!(entry.decision, Decision::Hold { .. } | Decision::StaySilent))
        .map(|entry| &entry.reason)
        .collect();
    assert_eq!(held, [&Reason::NoAudience, &Reason::AllGreen]);
}

#[test]
fn a_mute_swallows_no_last_word() {
    night(
        "2026-11-22 23:00",
        "2026-11-23 12:00",
        |w| {
            w.fail("orders", "2026-11-23 03:00", "2026-11-23 03:10");
            w.when("2026-11-23 03:15", |w| w.command(mute(Muted::Check(id("orders")), "2026-11-24 12:00")));
            w.when("2026-11-23 03:16", |w| w.command(mute(Muted::Dashboard(id("exec")), "2026-11-24 12:00")));
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
fn trouble_that_comes_back_after_hours_is_asked_for_anew() {
    night_of(
        with_rung(),
        "2026-11-22 23:00",
        "2026-11-23 08:55",
        |w| {
            w.fail("orders", "2026-11-23 07:00", "2026-11-23 07:02");
            // Well again for longer than half an hour, while sales has not run.
            w.run("orders", "2026-11-23 07:05", "2026-11-23 07:15");
            w.fail("orders", "2026-11-23 08:00", "2026-11-23 08:10");
        },
        &[
            "Mon 06:30 team post digest OnTrack",
            "Mon 07:02 team notify alert orders failed +1 [exec]",
            // Ten minutes before its act-by sales has not started: what lags behind the same cause.
            "Mon 07:50 backup escalate update orders at_risk +1 [exec]",
            "Mon 08:10 team notify update orders failed +1 [exec]",
            "Mon 08:40 backup escalate update orders failed +1 [exec]",
        ],
    );
}

#[test]
fn a_command_that_makes_no_sense_is_refused_with_a_sentence_and_changes_nothing() {
    let mut world = World::new(plan(), "2026-11-22 23:00");
    world.fail("orders", "2026-11-23 03:00", "2026-11-23 03:10").until("2026-11-23 03:20");
    let cases = [
        (Order::Ack { incident: 9, until: seoul("2026-11-23 08:00") }, "there is no incident 9; open are 1 (orders)"),
        (ack("2026-11-23 03:00"), "it would end at Mon 23 Nov 03:00 KST, which is past"),
        (ack("2027-11-23 03:00"), "it would end at Tue 23 Nov 03:00 KST; at most 31 days are taken"),
        (mute(Muted::Check(id("nobody")), "2026-11-23 08:00"), "there is no check nobody"),
        (Order::Retire { check: id("orders") }, "check orders stands in the configuration: take [checks.orders] out and reload"),
    ];
    for (order, expected) in cases {
        let command = Command { nonce: "n".into(), by: "kim".into(), reason: "because".into(), order };
        assert_eq!(command::answer(&world.state, &world.plan, world.at, &command), Err(expected.to_owned()));
        let before = world.rows.clone();
        world.take(Input::Command(command));
        assert_eq!(world.rows, before, "{expected}");
    }
    let nameless = Command { nonce: "n".into(), by: " ".into(), reason: "because".into(), order: ack("2026-11-23 08:00") };
    assert_eq!(command::answer(&world.state, &world.plan, world.at, &nameless), Err("who says so is missing".to_owned()));
}

#[test]
fn the_same_command_twice_is_one() {
    let mut world = World::new(plan(), "2026-11-22 23:00");
    world.fail("orders", "2026-11-23 03:00", "2026-11-23 03:10").until("2026-11-23 03:20");
    world.command(ack("2026-11-23 08:00"));
    let (rows, lines) = (world.rows.clone(), world.ledger.len());
    world.command(ack("2026-11-23 08:00"));
    assert_eq!((world.rows, world.ledger.len()), (rows, lines));
}

/// Five that need nothing.
fn five() -> Plan {
    let mut plan = plan();
    plan.digests.clear();
    plan.checks.clear();
    let names = ["a", "b", "c", "d", "e"];
    plan.checks = names.iter().map(|name| (id(name), check(name).into())).collect();
    plan.dashboards.get_mut(&id("exec")).unwrap().needs = names.iter().map(|name| Need::Check(id(name))).collect();
    plan
}

#[test]
fn a_mute_of_one_does_not_swallow_those_that_are_like_it() {
    night_of(
        five(),
        "2026-11-22 23:00",
        "2026-11-23 08:30",
        |w| {
            w.subjects.clear();
            for name in ["a", "b", "c", "d", "e"] {
                w.subjects.insert(id(name), Subject::default());
            }
            w.when("2026-11-22 23:05", |w| w.command(mute(Muted::Check(id("a")), "2026-11-24 12:00")));
        },
        // None of them starts, ten minutes before act-by at 08:00.
        &["Mon 07:50 team notify alert a at_risk +4 [exec]"],
    );
}

#[test]
fn after_an_ack_the_rungs_follow_one_after_the_other() {
    let mut plan = with_rung();
    plan.chats.insert(id("boss"), Chat { quiet: None, quiet_days: None, ..chat() });
    plan.dashboards.get_mut(&id("exec")).unwrap().escalate = vec![id("backup"), id("boss")];
    night_of(
        plan,
        "2026-11-22 23:00",
        "2026-11-23 09:30",
        |w| {
            w.fail("orders", "2026-11-23 07:00", "2026-11-23 07:10");
            w.when("2026-11-23 07:20", |w| w.command(ack("2026-11-23 08:20")));
        },
        &[
            "Mon 06:30 team post digest OnTrack",
            "Mon 07:10 team notify alert orders failed +1 [exec]",
            "Mon 08:20 backup escalate update orders failed +1 [exec]",
            "Mon 08:50 boss escalate update orders failed +1 [exec]",
        ],
    );
}

#[test]
fn who_muted_two_sources_is_not_told_of_the_network() {
    let mut plan = plan();
    plan.digests.clear();
    let other = Source { kind: SourceKind::Http, every: chrono::TimeDelta::seconds(60), host: Some(1) };
    plan.sources.insert(id("other"), other);
    change(&mut plan, "sales").source = id("other");
    night_of(
        plan,
        "2026-11-22 23:00",
        "2026-11-23 08:30",
        |w| {
            for source in ["airflow", "other"] {
                w.when("2026-11-22 23:05", move |w| w.command(mute(Muted::Source(id(source)), "2026-11-23 12:00")));
                w.dark(source, "2026-11-23 05:00", "2026-11-23 11:00");
            }
        },
        &[],
    );
}

#[test]
fn a_rung_that_falls_due_with_a_word_of_its_own_is_told_once() {
    let mut plan = with_rung();
    plan.digests.clear();
    let early = |hour, minute| chrono::NaiveTime::from_hms_opt(hour, minute, 0).unwrap();
    let quiet = Some(dawnwatch::core::time::Hours { from: early(22, 0), to: early(7, 40) });
    plan.chats.insert(id("backup"), Chat { quiet, ..chat() });
    plan.dashboards.insert(id("shop"), Dashboard { tell: vec![id("backup")], ..dashboard(&["sales"]) });
    let world = night_of(
        plan,
        "2026-11-22 23:00",
        "2026-11-23 08:30",
        |w| {
            w.fail("orders", "2026-11-23 07:00", "2026-11-23 07:10");
        },
        &[
            "Mon 07:10 backup post alert orders failed +1 [shop]",
            "Mon 07:10 team notify alert orders failed +1 [exec]",
            // Its quiet hours end, and nobody has answered the first one for half an hour.
            "Mon 07:40 backup escalate update orders failed +1 [exec shop]",
        ],
    );
    let said = world.ledger.iter().filter(|entry| matches!(entry.decision, Decision::Say(_)));
    assert_eq!(said.count(), 3);
}

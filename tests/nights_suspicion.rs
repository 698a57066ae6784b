//! Nights on which the watch has to suspect itself, or a clock: its own network, its own clock, that of a source. 2026-11-23 is a Monday
//! in Seoul.

#[path = "support/world.rs"]
mod world;

use chrono::TimeDelta;
use dawnwatch::core::message::{Body, DigestVerdict, Situation};
use dawnwatch::core::observation::Why;
use dawnwatch::core::plan::*;
use world::*;

/// `orders` comes from `lake`, `sales` from `airflow`; the dashboard needs both itself.
fn two_hosts() -> Plan {
    let mut plan = plan();
    let source = |host| Source { host, kind: SourceKind::Http, every: TimeDelta::seconds(60) };
    plan.sources.insert(id("lake"), source(Some(1)));
    change(&mut plan, "orders").source = id("lake");
    plan.dashboards.get_mut(&id("exec")).unwrap().needs.push(Need::Check(id("orders")));
    plan
}

/// And `rates` from a third one.
fn three_hosts() -> Plan {
    let mut plan = two_hosts();
    plan.sources.insert(id("bank"), Source { host: Some(2), kind: SourceKind::Http, every: TimeDelta::seconds(60) });
    plan.checks.insert(id("rates"), Check { source: id("bank"), ..check("rates") }.into());
    plan.dashboards.get_mut(&id("exec")).unwrap().needs.push(Need::Check(id("rates")));
    plan
}

/// The night of a Monday on which all that the plan needs runs well.
fn night(plan: Plan, to: &str, set: impl Fn(&mut World), expected: &[&str]) -> World {
    let all_runs = |w: &mut World| {
        w.run("orders", "2026-11-23 03:00", "2026-11-23 03:40").run("sales", "2026-11-23 04:00", "2026-11-23 04:35");
        if w.plan.checks.contains_key(&id("rates")) {
            w.run("rates", "2026-11-23 03:00", "2026-11-23 03:40");
        }
        set(w);
    };
    night_of(plan, "2026-11-23 00:30", to, all_runs, expected)
}

#[test]
fn unrelated_hosts_that_go_dark_together_are_one_message_about_the_watch() {
    let world = night(
        three_hosts(),
        "2026-11-23 12:00",
        |w| {
            for name in ["airflow", "bank", "lake"] {
                w.dark(name, "2026-11-23 02:00", "2026-11-23 08:00");
            }
        },
        &[
            // 09:00 - 20 min - 40 min - 40 min, and ninety minutes before that.
            "Mon 05:50 team post alert watch:network unknown +3 [exec]",
            "Mon 06:30 team post digest unknown",
            "Mon 07:00 team notify update watch:network unknown +3 [exec]",
            "Mon 08:00 team post resolved watch:network 0/1 missed",
        ],
    );
    let Body::Incident { about, .. } = &world.said[0].post.message.body else { panic!("{:?}", world.said[0]) };
    let Situation::SelfSuspected { silent, sources, hosts, .. } = about.situation else { panic!("{about:?}") };
    assert_eq!((silent, sources, hosts), (3, 3, 3));
    assert_eq!(world.state.incidents.len(), 1);
}

#[test]
fn what_stays_dark_when_another_host_answers_is_told_as_its_own() {
    night(
        two_hosts(),
        "2026-11-23 12:00",
        |w| {
            w.dark("airflow", "2026-11-23 02:00", "2026-11-23 06:10").dark("lake", "2026-11-23 02:00", "2026-11-23 08:00");
        },
        &[
            "Mon 05:50 team post alert watch:network unknown +2 [exec]",
            // `sales` has arrived: what is left could be repaired until 08:00.
            "Mon 06:30 team post update source:lake unknown +1 [exec]",
            "Mon 06:30 team post digest unknown",
            "Mon 07:00 team notify update source:lake unknown +1 [exec]",
            "Mon 08:00 team post resolved source:lake 0/1 missed",
        ],
    );
}

#[test]
fn each_of_several_that_stay_dark_is_its_own_and_told_once() {
    let world = night(
        three_hosts(),
        "2026-11-23 12:00",
        |w| {
            w.dark("airflow", "2026-11-23 02:00", "2026-11-23 06:10");
            w.dark("bank", "2026-11-23 02:00", "2026-11-23 06:50").dark("lake", "2026-11-23 02:00", "2026-11-23 06:50");
        },
        &[
            "Mon 05:50 team post alert watch:network unknown +3 [exec]",
            // What they hide could be repaired until 08:00.
            "Mon 06:30 team post update source:lake unknown +1 [exec]",
            "Mon 06:30 team post alert source:bank unknown +1 [exec]",
            "Mon 06:30 team post digest unknown",
            "Mon 06:50 team post resolved source:lake 0/1 missed",
            "Mon 06:50 team post resolved source:bank 0/1 missed",
        ],
    );
    assert_eq!(world.state.incidents.len(), 2);
}

#[test]
fn a_network_that_is_back_before_the_word_is_silence() {
    let world = night(
        three_hosts(),
        "2026-11-23 12:00",
        |w| {
            for name in ["airflow", "bank", "lake"] {
                w.dark(name, "2026-11-23 02:00", "2026-11-23 02:40");
            }
        },
        &["Mon 06:30 team post digest Ready"],
    );
    let Body::Digest(digest) = &world.said[0].post.message.body else { panic!("{:?}", world.said[0]) };
    assert_eq!(digest.healed, 1);
}

#[test]
fn a_host_that_is_asked_seldom_is_not_told_apart_by_it() {
    let mut seldom = two_hosts();
    seldom.sources.get_mut(&id("lake")).unwrap().every = TimeDelta::minutes(10);
    night(
        seldom,
        "2026-11-23 06:00",
        |w| {
            w.dark("airflow", "2026-11-23 02:01", "2026-11-23 08:00").dark("lake", "2026-11-23 02:01", "2026-11-23 08:00");
        },
        &["Mon 05:50 team post alert watch:network unknown +2 [exec]"],
    );
}

/// Each for itself, ninety minutes before its own act-by.
const EACH: [&str; 3] = [
    "Mon 05:50 team post alert source:lake unknown +1 [exec]",
    "Mon 06:30 team post alert source:airflow unknown +1 [exec]",
    "Mon 06:30 team post digest unknown",
];

#[test]
fn what_is_one_host_or_no_host_or_not_together_says_nothing_of_the_network() {
    let dark = |lake_from: &'static str| {
        move |w: &mut World| {
            w.dark("airflow", "2026-11-23 02:00", "2026-11-23 08:00").dark("lake", lake_from, "2026-11-23 08:00");
        }
    };
    for host in [Some(0), None] {
        let mut one = two_hosts();
        one.sources.get_mut(&id("lake")).unwrap().host = host;
        night(one, "2026-11-23 06:40", dark("2026-11-23 02:00"), &EACH);
    }
    night(two_hosts(), "2026-11-23 06:40", dark("2026-11-23 03:00"), &EACH);
}

#[test]
fn a_host_that_answers_clears_the_network() {
    night(
        three_hosts(),
        "2026-11-23 06:40",
        |w| {
            w.dark("airflow", "2026-11-23 02:00", "2026-11-23 08:00").dark("lake", "2026-11-23 02:00", "2026-11-23 08:00");
        },
        &EACH,
    );
}

#[test]
fn hosts_that_answer_with_a_refusal_are_reached() {
    night(
        two_hosts(),
        "2026-11-23 06:40",
        |w| {
            w.why = Why::Auth;
            w.dark("airflow", "2026-11-23 02:00", "2026-11-23 08:00").dark("lake", "2026-11-23 02:00", "2026-11-23 08:00");
        },
        &EACH,
    );
}

#[test]
fn hosts_that_never_answered_are_one_message_too() {
    night(
        two_hosts(),
        "2026-11-23 06:00",
        |w| {
            w.dark("airflow", "2026-11-22 02:00", "2026-11-23 08:00").dark("lake", "2026-11-22 02:00", "2026-11-23 08:00");
        },
        &["Mon 05:50 team post alert watch:network unknown +2 [exec]"],
    );
}

#[test]
fn what_is_in_maintenance_says_nothing_of_the_network() {
    let mut closed = two_hosts();
    let window = Maintenance {
        sources: [id("lake")].into(),
        checks: Default::default(),
        on: dawnwatch::core::calendar::DayRule::Daily,
        hours: Some(dawnwatch::core::time::Hours {
            from: chrono::NaiveTime::from_hms_opt(1, 0, 0).unwrap(),
            to: chrono::NaiveTime::from_hms_opt(5, 0, 0).unwrap(),
        }),
    };
    closed.maintenance.insert(id("window"), window);
    night(
        closed,
        "2026-11-23 06:40",
        |w| {
            w.dark("airflow", "2026-11-23 02:00", "2026-11-23 08:00").dark("lake", "2026-11-23 02:00", "2026-11-23 04:00");
        },
        &["Mon 06:30 team post alert source:airflow unknown +1 [exec]", "Mon 06:30 team post digest unknown"],
    );
}

fn ahead(w: &mut World, source: &str, to: &str, seconds: i64) {
    w.clocks.push((id(source), seoul("2026-11-23 02:00"), seoul(to), seconds));
}

#[test]
fn a_clock_that_is_off_is_told_to_those_who_care_for_the_watch() {
    let world = night(
        two_hosts(),
        "2026-11-23 09:30",
        |w| ahead(w, "airflow", "2026-11-23 08:00", 184),
        &[
            "Mon 02:10 team post alert clock:airflow unknown +0 []",
            "Mon 06:30 team post digest WatchTrouble",
            "Mon 07:00 team notify update clock:airflow unknown +0 []",
            "Mon 08:00 team post resolved clock:airflow 0/0 missed",
        ],
    );
    let Body::Digest(digest) = &world.said[1].post.message.body else { panic!("{:?}", world.said[1]) };
    assert_eq!((&*digest.notes.clocks, digest.verdict), (&[(id("airflow"), 180)][..], DigestVerdict::WatchTrouble));
}

#[test]
fn a_clock_that_is_hardly_off_or_soon_right_again_is_no_word() {
    for (to, seconds) in [("2026-11-23 08:00", 60), ("2026-11-23 08:00", -55), ("2026-11-23 02:09", 3600)] {
        night(two_hosts(), "2026-11-23 09:30", |w| ahead(w, "airflow", to, seconds), &["Mon 06:30 team post digest Ready"]);
    }
}

#[test]
fn when_all_hosts_say_the_same_other_time_the_clock_is_ours() {
    let off = |w: &mut World| {
        ahead(w, "airflow", "2026-11-23 04:00", -303);
        ahead(w, "lake", "2026-11-23 04:00", -297);
    };
    let world = night(
        two_hosts(),
        "2026-11-23 06:00",
        off,
        &["Mon 02:10 team post alert watch:clock unknown +0 []", "Mon 04:00 team post resolved watch:clock 0/0 missed"],
    );
    let Body::Incident { about, .. } = &world.said[0].post.message.body else { panic!("{:?}", world.said[0]) };
    assert_eq!(about.situation, Situation::OwnClockOff { behind_s: -300, sources: 2 });
    assert_eq!(world.state.incidents.len(), 1);
    // One that says another time takes the blame off us.
    let apart = |w: &mut World| {
        ahead(w, "airflow", "2026-11-23 09:00", -303);
        ahead(w, "lake", "2026-11-23 09:00", 250);
    };
    let each = ["Mon 02:10 team post alert clock:airflow unknown +0 []", "Mon 02:10 team post alert clock:lake unknown +0 []"];
    night(two_hosts(), "2026-11-23 03:00", apart, &each);
}

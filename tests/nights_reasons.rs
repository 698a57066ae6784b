//! Nights in which the reasons of failures come late: what looks alike until they are known is told for what it is.

#[path = "support/world.rs"]
mod world;

use chrono::TimeDelta;
use dawnwatch::core::plan::*;
use world::*;

/// `raw` waits for `a`, `exec` for `b` and `c`; people open both at noon.
fn three() -> Plan {
    let mut three = plan();
    three.digests.clear();
    three.sources.get_mut(&id("airflow")).unwrap().every = TimeDelta::minutes(15);
    three.checks = ["a", "b", "c"].map(|name| (id(name), check(name).into())).into();
    let noon = |needs: &[&str]| Dashboard { ready_by: vec![dawnwatch::core::time::ClockTime::at(12, 0)], ..dashboard(needs) };
    three.dashboards = [(id("exec"), noon(&["b", "c"])), (id("raw"), noon(&["a"]))].into();
    three
}

/// One fails for its own reason, and two for another.
fn fail(w: &mut World) {
    for (name, end, error) in [("a", "08:02", "disk full"), ("b", "08:03", "access denied"), ("c", "08:04", "access denied")] {
        w.fail(name, "2026-11-23 08:00", &format!("2026-11-23 {end}"));
        w.subjects.get_mut(&id(name)).unwrap().runs[0].error = error.to_owned();
    }
}

fn late_reasons(set: impl Fn(&mut World), expected: &[&str]) {
    let fails = |w: &mut World| {
        fail(w);
        set(w);
    };
    night_of(three(), "2026-11-23 07:00", "2026-11-23 09:00", fails, expected);
}

#[test]
fn a_wait_for_reasons_that_was_slept_through_begins_anew() {
    late_reasons(
        |w| {
            // The machine sleeps from half a minute after the failures were seen.
            w.events
                .push_back((seoul("2026-11-23 08:15") + TimeDelta::seconds(30), Box::new(|w| w.at = seoul("2026-11-23 08:25"))));
            w.reasons_from = seoul("2026-11-23 08:26") - TimeDelta::seconds(5);
            w.events.push_back((w.reasons_from, Box::new(|_| {})));
        },
        &[
            "Mon 08:25 team notify alert a failed +0 [raw]",
            "Mon 08:25 team notify alert b failed +0 [exec]",
            "Mon 08:25 team notify alert c failed +0 [exec]",
        ],
    );
}

#[test]
fn reasons_are_waited_for_a_minute_and_what_they_show_later_is_told() {
    late_reasons(
        |w| {
            w.reasons_from = seoul("2026-11-23 08:18");
            w.when("2026-11-23 08:18", |_| {});
        },
        &[
            // Nobody knows better yet.
            "Mon 08:16 team notify alert a failed +2 [exec raw]",
            "Mon 08:18 team notify alert b failed +0 [exec]",
            "Mon 08:18 team notify alert c failed +0 [exec]",
        ],
    );
}

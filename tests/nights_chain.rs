//! Nights of one deadline that hangs on three systems: a Luigi loads, an Airflow computes, a table in a database proves it.

#[path = "support/world.rs"]
mod world;

use chrono::TimeDelta;
use dawnwatch::core::observation::RunKind;
use dawnwatch::core::plan::*;
use world::*;

fn chain() -> Plan {
    let mut plan = plan();
    plan.digests.clear();
    plan.checks.clear();
    let kinds = [("luigi", SourceKind::Luigi), ("airflow", SourceKind::Airflow), ("warehouse", SourceKind::Sql)];
    let source = |host, kind| Source { kind, every: TimeDelta::seconds(60), host: Some(host) };
    plan.sources = kinds.into_iter().enumerate().map(|(host, (name, kind))| (id(name), source(host, kind))).collect();
    let of = |source: &str, name: &str, needs: &[&str]| {
        let needs = needs.iter().map(|need| Need::Check(id(need))).collect();
        (id(name), Check { source: id(source), needs, ..check(name) })
    };
    plan.checks = [of("luigi", "load", &[]), of("airflow", "mart", &["load"])].map(|(id, check)| (id, check.into())).into();
    let (name, fact) = of("warehouse", "fact", &["mart"]);
    plan.checks.insert(name, Check { evidence: Evidence::ArrivalTime, duration: None, ..fact }.into());
    plan.dashboards.get_mut(&id("exec")).unwrap().needs = vec![Need::Check(id("fact"))];
    plan
}

fn load(w: &mut World, end: &str, success: bool) {
    w.script("load", "2026-11-23 01:00", Some(end), success, RunKind::Part);
}

fn arrives(w: &mut World, at: &str) {
    w.subjects.entry(id("fact")).or_default().data.push(seoul(at));
}

#[test]
fn a_green_chain_is_silent() {
    night_of(
        chain(),
        "2026-11-22 23:00",
        "2026-11-23 12:00",
        |w| {
            load(w, "2026-11-23 01:30", true);
            w.run("mart", "2026-11-23 02:00", "2026-11-23 02:40");
            arrives(w, "2026-11-23 02:45");
            // Luigi has long forgotten it when the deadline comes.
            w.when("2026-11-23 02:00", |w| drop(w.subjects.remove("load")));
        },
        &[],
    );
}

#[test]
fn a_failure_at_the_root_is_the_one_cause_of_all() {
    night_of(
        chain(),
        "2026-11-22 23:00",
        "2026-11-23 12:00",
        |w| {
            load(w, "2026-11-23 01:10", false);
            w.subjects.insert(id("fact"), Subject::default());
            // The same task, taken up again.
            w.when("2026-11-23 07:30", |w| {
                let task = &mut w.subjects.get_mut("load").unwrap().runs[0];
                (task.scheduled_at, task.started_at) = (seoul("2026-11-23 07:30"), seoul("2026-11-23 07:30"));
                (task.ended_at, task.success) = (Some(seoul("2026-11-23 07:50")), true);
            });
            w.run("mart", "2026-11-23 08:00", "2026-11-23 08:20");
            arrives(w, "2026-11-23 08:25");
        },
        &[
            "Mon 01:10 team post alert load failed +2 [exec]",
            "Mon 07:00 team notify update load failed +2 [exec]",
            "Mon 08:25 team post resolved load 0/1 missed",
        ],
    );
}

#[test]
fn a_dark_root_is_unknown_and_stands_for_what_waits() {
    night_of(
        chain(),
        "2026-11-22 23:00",
        "2026-11-23 08:30",
        |w| {
            w.subjects.insert(id("mart"), Subject::default());
            w.subjects.insert(id("fact"), Subject::default());
            w.dark("luigi", "2026-11-23 00:30", "2026-11-23 12:00");
        },
        &[
            // Ninety minutes before 07:20.
            "Mon 05:50 team post alert source:luigi unknown +1 [exec]",
            "Mon 07:00 team notify update source:luigi unknown +1 [exec]",
        ],
    );
}

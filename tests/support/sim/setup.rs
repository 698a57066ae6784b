//! A random configuration: sources, checks that need each other, dashboards, chats.

use super::rng::Rng;
use super::script::Thing;
use crate::world;
use chrono::{NaiveTime, TimeDelta};
use dawnwatch::core::calendar::DayRule;
use dawnwatch::core::plan::*;
use dawnwatch::core::time::{ClockTime, Hours};
use std::collections::BTreeMap;
use std::sync::Arc;
use world::id;

pub fn plan(rng: &mut Rng) -> Plan {
    let mut plan = world::plan();
    plan.sources = (0..rng.within(1, 3)).map(|n| source(rng, n)).collect();
    plan.checks = checks(rng, &plan.sources);
    let chats = [id("team"), id("backup")];
    plan.chats = chats.iter().map(|name| (name.clone(), chat(rng))).collect();
    plan.chats.get_mut("team").expect("just made").fallback = rng.chance(70).then(|| id("backup"));
    plan.chats.get_mut("backup").expect("just made").fallback = rng.chance(50).then(|| id("team"));
    let names: Vec<Id> = plan.checks.keys().cloned().collect();
    plan.dashboards = (0..rng.within(1, 3)).map(|n| (id(&format!("dash{n}")), dashboard(rng, &names))).collect();
    if rng.chance(20) {
        plan.digests.clear();
    }
    if rng.chance(40) {
        let latest = ClockTime::at(u32::try_from(rng.within(6, 10)).expect("an hour"), 0);
        plan.digests.values_mut().for_each(|digest| digest.when = When::Ready { latest });
    }
    if rng.chance(40) {
        plan.maintenance.insert(id("window"), maintenance(rng, &plan));
    }
    plan.heartbeat_every = Some(TimeDelta::minutes(5));
    plan
}

fn maintenance(rng: &mut Rng, plan: &Plan) -> Maintenance {
    let time = |hour: i64| NaiveTime::from_hms_opt(u32::try_from(hour).expect("an hour"), 0, 0).expect("an hour");
    let (sources, checks): (Vec<Id>, Vec<Id>) = (plan.sources.keys().cloned().collect(), plan.checks.keys().cloned().collect());
    Maintenance {
        sources: [rng.pick(&sources)].into(),
        checks: [rng.pick(&checks), rng.pick(&checks)].into(),
        on: rng.pick(&[DayRule::Daily, DayRule::Workdays(id("kr"))]),
        hours: rng.chance(80).then(|| Hours { from: time(rng.within(20, 23)), to: time(rng.within(3, 9)) }),
    }
}

/// What there is in the world: a thing for every check.
pub fn things(plan: &Plan) -> BTreeMap<Id, Thing> {
    let thing = |check: &Check| Thing {
        source: check.source.clone(),
        dataset: check.evidence != Evidence::Pipeline,
        runs: Vec::new(),
        data: Vec::new(),
        paused: Vec::new(),
        gone_from: None,
    };
    plan.checks.iter().map(|(id, check)| (id.clone(), thing(check))).collect()
}

fn source(rng: &mut Rng, n: i64) -> (Id, Source) {
    let kind = rng.pick(&[SourceKind::Airflow, SourceKind::Http]);
    (
        id(&format!("source{n}")),
        Source { kind, every: TimeDelta::seconds(rng.pick(&[300, 600, 900])), host: usize::try_from(n).ok() },
    )
}

fn checks(rng: &mut Rng, sources: &BTreeMap<Id, Source>) -> BTreeMap<Id, Arc<Check>> {
    let sources: Vec<Id> = sources.keys().cloned().collect();
    let mut names: Vec<Id> = Vec::new();
    let mut checks = BTreeMap::new();
    for n in 0..rng.pick(&[5, 8, 12, 40]) {
        let name = id(&format!("check{n:02}"));
        let mut needs: Vec<Need> = Vec::new();
        for _ in 0..rng.pick(&[0, 1, 1, 2, 3]) {
            if !names.is_empty() {
                needs.push(Need::Check(rng.pick(&names)));
            }
        }
        let through = ClockTime::at(0, 0);
        let pipeline = Evidence::Pipeline;
        let evidence = rng.pick(&[pipeline, pipeline, pipeline, pipeline, Evidence::ArrivalTime, Evidence::DataTime { through }]);
        let check = Check {
            source: rng.pick(&sources),
            needs,
            evidence,
            duration: rng.chance(70).then(|| TimeDelta::minutes(30)),
            ..world::check(name.as_str())
        };
        checks.insert(name.clone(), check.into());
        names.push(name);
    }
    checks
}

fn chat(rng: &mut Rng) -> Chat {
    let time = |hour| NaiveTime::from_hms_opt(hour, 0, 0).expect("an hour");
    Chat {
        quiet: rng.chance(75).then(|| Hours { from: time(22), to: time(7) }),
        quiet_days: rng.chance(60).then(|| DayRule::Offdays(id("kr"))),
        idempotent: rng.chance(30),
        ..world::chat()
    }
}

fn dashboard(rng: &mut Rng, checks: &[Id]) -> Dashboard {
    let workdays = || DayRule::Workdays(id("kr"));
    let tell = rng.pick(&[vec!["team"], vec!["team"], vec!["backup"], vec!["team", "backup"], vec![]]);
    let needs: std::collections::BTreeSet<Id> = (0..rng.within(1, 6)).map(|_| rng.pick(checks)).collect();
    Dashboard {
        needs: needs.into_iter().map(Need::Check).collect(),
        ready_by: vec![ClockTime::at(u32::try_from(rng.within(5, 11)).expect("an hour"), rng.pick(&[0, 30]))],
        on: rng.pick(&[DayRule::Daily, DayRule::Daily, workdays()]),
        audience: rng.pick(&[DayRule::Daily, workdays()]),
        counts_from: rng.pick(&[ClockTime::at(0, 0), "-1d 20:00".parse().expect("a clock time")]),
        wake: rng.chance(30),
        escalate: if tell == ["team"] && rng.chance(50) { vec![id("backup")] } else { vec![] },
        tell: tell.into_iter().map(id).collect(),
        ..world::dashboard(&[])
    }
}

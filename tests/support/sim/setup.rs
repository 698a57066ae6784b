//! A random configuration: sources, checks that need each other, a group, dashboards, chats; and another one like it.

use super::conf::*;
use super::rng::Rng;
use super::script::Mark;
use super::things::{Span, Thing};
use dawnwatch::core::plan::Id;
use std::collections::{BTreeMap, BTreeSet};

pub fn conf(rng: &mut Rng) -> Conf {
    let sources: BTreeMap<Id, Source> = (0..rng.within(1, 3)).map(|n| source(rng, n)).collect();
    let checks = checks(rng, &sources);
    let lister = sources.iter().find(|(_, source)| source.kind == Kind::Airflow).map(|(id, _)| id.clone());
    let groups: BTreeMap<Id, Group> =
        lister.filter(|_| rng.chance(40)).map(|source| ("mart".into(), Group { source })).into_iter().collect();
    let mut chats: BTreeMap<Id, Chat> = [("team".into(), chat(rng)), ("backup".into(), chat(rng))].into();
    for (name, other, often) in [("team", "backup", 70), ("backup", "team", 50)] {
        let fallback = rng.chance(often).then(|| other.into());
        chats.get_mut(name).expect("just made").fallback = fallback;
    }
    let mut needed: Vec<Id> = checks.keys().cloned().collect();
    // As likely as a few of the others together.
    needed.extend(groups.keys().flat_map(|group| [Id::from(format!("group:{group}")), Id::from(format!("group:{group}"))]));
    let most = rng.pick(&[1, 2, 2, 3, 4]);
    let dashboards = (0..most).map(|n| (Id::from(format!("dash{n}")), dashboard(rng, &needed))).collect();
    let windows = if rng.chance(30) { [("works".into(), window(rng, &sources, &checks))].into() } else { BTreeMap::new() };
    let digest = rng.chance(80).then(|| digest(rng));
    Conf { sources, checks, groups, dashboards, chats, digest, windows, tell: vec!["team".into()] }
}

fn digest(rng: &mut Rng) -> Digest {
    Digest {
        at: rng.pick(&[360, 390, 390, 480, 570]),
        when_ready: rng.chance(40),
        on: rng.pick(&[Days::Daily, Days::Daily, Days::Work]),
        to: rng.pick(&[vec!["team".into()], vec!["team".into(), "backup".into()]]),
        green: [rng.pick(&["post", "post", "silent"]), rng.pick(&["post", "silent", "quiet"])],
    }
}

fn source(rng: &mut Rng, n: i64) -> (Id, Source) {
    let kind = rng.pick(&[Kind::Airflow, Kind::Airflow, Kind::Http, Kind::Sql]);
    (Id::from(format!("source{n}")), Source { kind, every_s: rng.pick(&[120, 300, 600, 600, 900, 900]), host: n })
}

fn checks(rng: &mut Rng, sources: &BTreeMap<Id, Source>) -> BTreeMap<Id, Check> {
    let ids: Vec<Id> = sources.keys().cloned().collect();
    let mut names: Vec<Id> = Vec::new();
    let mut checks = BTreeMap::new();
    let many = if rng.chance(1) { 300 } else { rng.pick(&[3, 5, 5, 8, 8, 12, 12, 40]) };
    let roots = rng.pick(&[20, 60, 90]);
    for n in 0..many {
        let name = Id::from(format!("check{n:03}"));
        let mut needs: BTreeSet<Id> = BTreeSet::new();
        for _ in 0..if rng.chance(roots) { 0 } else { rng.within(1, 3) } {
            if !names.is_empty() {
                needs.insert(rng.pick(&names));
            }
        }
        let source = rng.pick(&ids);
        let data = What::Data { through: 0 };
        let what = match sources[&source].kind {
            Kind::Airflow => What::Pipeline,
            Kind::Http => rng.pick(&[What::Pipeline, What::Pipeline, What::Pipeline, data]),
            Kind::Sql => rng.pick(&[What::Arrival, What::Arrival, data]),
        };
        let minutes = rng.chance(70).then_some(30);
        let max_age_h = rng.chance(3).then_some(30);
        let needs = needs.into_iter().collect();
        checks.insert(name.clone(), Check { source, what, needs, minutes, max_age_h, on: None, thing: None });
        names.push(name);
    }
    checks
}

/// In some worlds checks have days of their own. Drawn by itself, so that the others stay as they are.
pub fn own_days(conf: &mut Conf, seed: u64) {
    let mut rng = Rng::new(!seed);
    if !rng.chance(20) {
        return;
    }
    let days = rng.pick(&[Days::Work, Days::Work, Days::Off]);
    for check in conf.checks.values_mut() {
        check.on = rng.chance(60).then_some(days);
    }
}

fn chat(rng: &mut Rng) -> Chat {
    Chat { webhook: rng.chance(30), korean: rng.chance(20), quiet: rng.chance(75), quiet_days: rng.chance(60), fallback: None }
}

fn dashboard(rng: &mut Rng, needed: &[Id]) -> Dashboard {
    let tell: Vec<&str> = rng.pick(&[vec!["team"], vec!["team"], vec!["backup"], vec!["team", "backup"], vec![]]);
    let needs: BTreeSet<Id> = (0..rng.within(1, 6)).map(|_| rng.pick(needed)).collect();
    let first = rng.within(5, 11) * 60 + rng.pick(&[0, 30]);
    Dashboard {
        needs: needs.into_iter().collect(),
        ready_by: if rng.chance(12) { vec![first, first + rng.pick(&[90, 180])] } else { vec![first] },
        on: rng.pick(&[Days::Daily, Days::Daily, Days::Work]),
        audience: rng.pick(&[Days::Daily, Days::Work]),
        opens: rng.pick(&[0, 0, -240]),
        wake: rng.chance(30),
        escalate: if tell == ["team"] && rng.chance(50) { vec!["backup".into()] } else { vec![] },
        tell: tell.into_iter().map(Id::from).collect(),
    }
}

fn window(rng: &mut Rng, sources: &BTreeMap<Id, Source>, checks: &BTreeMap<Id, Check>) -> Window {
    let (sources, checks): (Vec<Id>, Vec<Id>) = (sources.keys().cloned().collect(), checks.keys().cloned().collect());
    let some: BTreeSet<Id> = [rng.pick(&checks), rng.pick(&checks)].into();
    Window {
        sources: vec![rng.pick(&sources)],
        checks: some.into_iter().collect(),
        on: rng.pick(&[Days::Daily, Days::Work]),
        hours: rng.chance(80).then(|| (rng.within(20, 23) * 60, rng.within(3, 9) * 60)),
    }
}

/// What there is in the world: a thing for every check, and the members of the group.
pub fn things(conf: &Conf, rng: &mut Rng) -> BTreeMap<Id, Thing> {
    let mut things: BTreeMap<Id, Thing> =
        conf.checks.iter().map(|(id, check)| (id.clone(), thing(check.source.clone(), check.what, None))).collect();
    for (group, Group { source }) in &conf.groups {
        for n in 0..rng.within(1, 6) {
            things.insert(Id::from(format!("m_{n:02}")), thing(source.clone(), What::Pipeline, Some(group.clone())));
        }
    }
    things
}

pub fn thing(source: Id, what: What, group: Option<Id>) -> Thing {
    let none: Vec<Span> = Vec::new();
    Thing {
        source,
        what,
        group,
        runs: Vec::new(),
        data: Vec::new(),
        paused: none.clone(),
        import_error: none.clone(),
        gone: none.clone(),
        strange: none,
    }
}

/// A configuration that a person might go over to from this one.
pub fn changed(conf: &Conf, rng: &mut Rng) -> Option<(Conf, Mark)> {
    let mut new = conf.clone();
    let checks: Vec<Id> = conf.checks.keys().cloned().collect();
    let boards: Vec<Id> = conf.dashboards.keys().cloned().collect();
    let (check, board) = (rng.pick(&checks), rng.pick(&boards));
    let mark = match rng.within(0, 5) {
        0 => {
            new.dashboards.get_mut(&board)?.ready_by.iter_mut().for_each(|at| *at += 30);
            Mark::DeadlineMoved
        }
        1 => {
            let needs = &mut new.dashboards.get_mut(&board)?.needs;
            if needs.contains(&check) {
                return None;
            }
            needs.push(check);
            Mark::CheckAdded
        }
        2 => {
            new.checks.remove(&check);
            new.checks.values_mut().for_each(|other| other.needs.retain(|need| *need != check));
            new.dashboards.values_mut().for_each(|board| board.needs.retain(|need| *need != check));
            new.windows.values_mut().for_each(|window| window.checks.retain(|other| *other != check));
            new.dashboards.retain(|_, board| !board.needs.is_empty());
            if new.checks.is_empty() || new.dashboards.is_empty() {
                return None;
            }
            Mark::CheckTaken
        }
        3 => {
            let mut old = new.checks.remove(&check)?;
            old.thing.get_or_insert(check.clone());
            let name = Id::from(format!("{check}_new"));
            let rename =
                |needs: &mut Vec<Id>| needs.iter_mut().filter(|need| **need == check).for_each(|need| *need = name.clone());
            new.checks.values_mut().for_each(|other| rename(&mut other.needs));
            new.dashboards.values_mut().for_each(|board| rename(&mut board.needs));
            new.windows.values_mut().for_each(|window| rename(&mut window.checks));
            new.checks.insert(name, old);
            Mark::CheckRenamed
        }
        4 => {
            let gone: Id = "backup".into();
            new.chats.remove(&gone);
            new.chats.values_mut().for_each(|chat| chat.fallback = None);
            for board in new.dashboards.values_mut() {
                board.tell.retain(|chat| *chat != gone);
                board.escalate.retain(|chat| *chat != gone);
            }
            new.digest.iter_mut().for_each(|digest| digest.to.retain(|chat| *chat != gone));
            Mark::ChatTaken
        }
        _ => Mark::Restart,
    };
    Some((new, mark))
}

//! Worlds that must say the same: the same script in another manner, under other names, a year of weeks later, with something added
//! that is nobody's business.

use super::conf::{Check, Conf, Kind, What};
use super::player::{Manner, Player, play};
use super::script::{Script, Wish};
use super::setup;
use super::things::{Course, Span};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use dawnwatch::core::message::Body;
use dawnwatch::core::observation::{RunKind, RunState};
use dawnwatch::core::plan::Id;
use serde_json::Value;
use std::collections::BTreeMap;

/// Whole weeks, so that every day of the week is where it was.
pub const YEAR: TimeDelta = TimeDelta::days(364);

/// Every message as data, with when it was delivered.
pub fn words(player: &Player<'_>) -> Vec<Value> {
    let said = player.record.said.iter();
    said.map(|said| serde_json::json!({ "at": said.at, "post": said.post })).collect()
}

/// The first message that is another one.
pub fn difference(said: &[Value], other: &[Value]) -> Vec<String> {
    let differs = (0..said.len().max(other.len())).find(|ix| said.get(*ix) != other.get(*ix));
    let text = |value: Option<&Value>| value.map_or("nothing".to_owned(), Value::to_string);
    differs
        .map(|ix| format!("it says\n    {}\n  instead of\n    {}", text(other.get(ix)), text(said.get(ix))))
        .into_iter()
        .collect()
}

pub fn in_another_manner(script: &Script, manner: Manner) -> Vec<String> {
    difference(&words(&play(script, Manner::default())), &words(&play(script, manner)))
}

/// A year of weeks later the same is said a year of weeks later. (What is usual also tells months apart.)
pub fn a_year_later(script: &Script) -> Vec<String> {
    let script = Script { past: BTreeMap::new(), ..script.clone() };
    let said = words(&play(&script, Manner::default()));
    let mut other = words(&play(&shifted(&script, YEAR), Manner::default()));
    other.iter_mut().for_each(|value| shift_back(value, YEAR));
    difference(&said, &other)
}

fn shift_back(value: &mut Value, by: TimeDelta) {
    match value {
        Value::String(text) => {
            if let Ok(date) = text.parse::<NaiveDate>() {
                *text = (date - by).to_string();
            } else if let Ok(at) = text.parse::<DateTime<Utc>>() {
                *value = serde_json::json!(at - by);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| shift_back(value, by)),
        Value::Object(map) => map.values_mut().for_each(|value| shift_back(value, by)),
        _ => {}
    }
}

pub fn shifted(script: &Script, by: TimeDelta) -> Script {
    let mut new = script.clone();
    let later = |span: Span| Span { from: span.from + by, to: span.to + by };
    (new.from, new.to) = (new.from + by, new.to + by);
    new.things.values_mut().for_each(|thing| thing.shift(by));
    new.dark.iter_mut().for_each(|(_, span, _)| *span = later(*span));
    new.dead.iter_mut().for_each(|(_, span)| *span = later(*span));
    new.clocks.iter_mut().for_each(|(_, span, _)| *span = later(*span));
    new.jumps.iter_mut().for_each(|(span, _)| *span = later(*span));
    new.faults.iter_mut().for_each(|(_, span, _)| *span = later(*span));
    new.crashes.iter_mut().for_each(|(at, ..)| *at += by);
    new.naps.iter_mut().for_each(|span| *span = later(*span));
    new.orders.iter_mut().for_each(|(at, ..)| *at += by);
    new.changes.iter_mut().for_each(|change| change.at += by);
    new.refused.iter_mut().for_each(|at| *at += by);
    new.marks.iter_mut().for_each(|(span, _)| *span = later(*span));
    new
}

/// Old and new beginnings of names; their order among each other is the same.
const NAMES: [(&str, &str); 5] =
    [("check", "chore"), ("dash", "desk"), ("source", "spring"), ("team", "tribe"), ("backup", "berth")];

/// Other names in the same order: the same is said under the other names.
pub fn under_other_names(script: &Script) -> Vec<String> {
    let other = renamed(script, &|id| {
        let new = NAMES.iter().find_map(|(old, new)| Some(format!("{new}{}", id.as_str().strip_prefix(old)?)));
        new.map_or_else(|| id.clone(), Id::from)
    });
    let said = words(&play(script, Manner::default()));
    let back = |value: Value| -> Value {
        let text = NAMES.iter().fold(value.to_string(), |text, (old, new)| text.replace(new, old));
        serde_json::from_str(&text).expect("names are no syntax")
    };
    difference(&said, &words(&play(&other, Manner::default())).into_iter().map(back).collect::<Vec<_>>())
}

/// Other names in another order: as much is said, at the same times, as loudly, of the same dashboards. Which of many alike stands for
/// the others, and what comes first of two messages at one instant, is a matter of names.
pub fn in_another_order(script: &Script) -> Vec<String> {
    let turned = |id: &Id| match id.as_str().strip_prefix("check").and_then(|rest| rest.parse::<u32>().ok()) {
        Some(number) => Id::from(format!("check{:03}", 999 - number)),
        None => id.clone(),
    };
    let folded = |player: &Player<'_>| {
        let alike = |body: &Body| matches!(body, Body::Incident { about, .. } if about.alike > 0);
        player.record.said.iter().any(|said| alike(&said.post.message.body))
    };
    // Who is asked about first, and comes in which part of an answer, is a matter of names too.
    let plain = Script { fetch_s: Default::default(), parts: Default::default(), ..script.clone() };
    let (one, other) = (plain.clone(), renamed(&plain, &turned));
    let (one, other) = (play(&one, Manner::default()), play(&other, Manner::default()));
    if folded(&one) || folded(&other) { Vec::new() } else { difference(&loosely(&one), &loosely(&other)) }
}

fn loosely(player: &Player<'_>) -> Vec<Value> {
    let one = |said: &super::record::Said| {
        let (kind, mut dashboards) = match &said.post.message.body {
            Body::Incident { about, .. } => (about.verdict.word(), about.dashboards.iter().map(|d| d.id.to_string()).collect()),
            Body::Resolved(about) => ("resolved", about.dashboards.iter().map(|d| d.id.to_string()).collect()),
            Body::Digest(_) | Body::Week(_) => ("digest", vec![]),
            Body::Watch(_) => ("watch", vec![]),
        };
        dashboards.sort();
        serde_json::json!([said.at, said.post.chat, format!("{:?}", said.post.message.attention), kind, dashboards])
    };
    let mut all: Vec<Value> = player.record.said.iter().map(one).collect();
    all.sort_by_key(Value::to_string);
    all
}

pub fn renamed(script: &Script, name: &dyn Fn(&Id) -> Id) -> Script {
    let mut new = script.clone();
    new.conf = conf(&script.conf, name);
    new.changes.iter_mut().for_each(|change| change.conf = conf(&change.conf, name));
    new.past = script.past.iter().map(|(id, past)| (name(id), past.clone())).collect();
    new.things = script.things.iter().map(|(id, thing)| (name(id), thing.clone())).collect();
    new.things.values_mut().for_each(|thing| thing.source = name(&thing.source));
    new.dark.iter_mut().for_each(|(id, ..)| *id = name(id));
    new.dead.iter_mut().for_each(|(id, _)| *id = name(id));
    new.clocks.iter_mut().for_each(|(id, ..)| *id = name(id));
    new.parts = script.parts.iter().map(|(id, parts)| (name(id), *parts)).collect();
    new.fetch_s = script.fetch_s.iter().map(|(id, s)| (name(id), *s)).collect();
    new.faults.iter_mut().for_each(|(id, ..)| *id = name(id));
    for (_, wish, _) in &mut new.orders {
        if let Wish::MuteCheck(id) | Wish::MuteDashboard(id) | Wish::MuteSource(id) = wish {
            *id = name(id);
        }
    }
    new
}

fn conf(conf: &Conf, name: &dyn Fn(&Id) -> Id) -> Conf {
    let mut new = conf.clone();
    let all = |ids: &mut Vec<Id>| ids.iter_mut().for_each(|id| *id = name(id));
    new.sources = conf.sources.iter().map(|(id, source)| (name(id), source.clone())).collect();
    new.groups.values_mut().for_each(|group| group.source = name(&group.source));
    new.checks = conf.checks.iter().map(|(id, check)| (name(id), check.clone())).collect();
    for check in new.checks.values_mut() {
        check.source = name(&check.source);
        check.thing = check.thing.as_ref().map(name);
        all(&mut check.needs);
    }
    new.dashboards = conf.dashboards.iter().map(|(id, dashboard)| (name(id), dashboard.clone())).collect();
    for dashboard in new.dashboards.values_mut() {
        all(&mut dashboard.needs);
        all(&mut dashboard.tell);
        all(&mut dashboard.escalate);
    }
    new.chats = conf.chats.iter().map(|(id, chat)| (name(id), chat.clone())).collect();
    new.chats.values_mut().for_each(|chat| chat.fallback = chat.fallback.as_ref().map(name));
    new.digest.iter_mut().for_each(|digest| all(&mut digest.to));
    for window in new.windows.values_mut() {
        all(&mut window.sources);
        all(&mut window.checks);
    }
    all(&mut new.tell);
    new
}

/// A check that runs well and that nobody needs changes nothing. Its source must never be dark, or it is counted there; and be told at
/// once, or its parts take longer.
pub fn with_a_stranger(script: &Script) -> Vec<String> {
    let plain = |(id, source): &(&Id, &super::conf::Source)| {
        let used = script.conf.checks.values().any(|check| check.source == **id);
        let dark = script.dark.iter().any(|(dark, ..)| dark == *id);
        used && !dark && source.kind != Kind::Sql && !script.parts.contains_key(*id)
    };
    let Some((source, _)) = script.conf.sources.iter().find(plain) else { return Vec::new() };
    let mut other = script.clone();
    let id = Id::from("stranger");
    let (what, none) = (What::Pipeline, None);
    let check = Check { source: source.clone(), what, needs: vec![], minutes: Some(30), max_age_h: none, on: None, thing: None };
    other.conf.checks.insert(id.clone(), check.clone());
    other.changes.iter_mut().for_each(|change| drop(change.conf.checks.insert(id.clone(), check.clone())));
    let mut thing = setup::thing(source.clone(), what, None);
    for night in 0..4 {
        let at = script.from + TimeDelta::hours(5 + 24 * night);
        let steps = vec![(at, RunState::Running), (at + TimeDelta::minutes(30), RunState::Success)];
        let (id, error) = (format!("run-{night}"), String::new());
        thing.runs.push(Course { id, kind: RunKind::Scheduled, scheduled_at: at, steps, error });
    }
    other.things.insert(id, thing);
    difference(&words(&play(script, Manner::default())), &words(&play(&other, Manner::default())))
}

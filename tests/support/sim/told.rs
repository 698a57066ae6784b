//! Promises 1, 2 and the second half of 5: misses are told, nothing twice, and the end of what was told.

use super::conf::local;
use super::record::{Record, Said};
use super::script::Script;
use super::things::{Course, Thing};
use super::truth::{AHEAD, Day, GRACE, Truth, counts, saw};
use chrono::TimeDelta;
use dawnwatch::core::command::Order;
use dawnwatch::core::message::Body;
use dawnwatch::core::plan::Id;
use dawnwatch::core::state::*;
use dawnwatch::core::time::Instant;
use std::collections::{BTreeMap, BTreeSet};

/// A chat is believed to work when it has for so long: retries are at most five minutes apart, a chat that refuses is left alone for 15.
const CHAT_WORKS: TimeDelta = TimeDelta::minutes(17);
/// That a deadline was missed is worth telling for so long after its window has ended.
const OF_USE: TimeDelta = TimeDelta::hours(12);
/// Who was well for so long is asked anew.
const WELL: TimeDelta = TimeDelta::minutes(30);

type Found = Vec<(u8, String)>;

pub fn back_at(record: &Record, at: Instant) -> Instant {
    // One absence may follow another.
    let mut by = at;
    for _ in 0..=record.away.len() {
        let near = record.away.iter().filter(|span| span.touches(by - TimeDelta::seconds(1), by + GRACE) && span.to > by);
        match near.map(|span| span.to).max() {
            Some(to) => by = to,
            None => break,
        }
    }
    by
}

pub fn chat_works(script: &Script, chat: &Id, from: Instant, to: Instant) -> bool {
    !script.faults.iter().any(|(of, span, _)| of == chat && span.touches(from - CHAT_WORKS, to))
}

/// Neither delivered nor handed to a chat that took it.
fn is_given_up(record: &Record, post: &Post) -> bool {
    let failed = matches!(post.attempt, Attempt::Refused { .. } | Attempt::Ambiguous { .. });
    let waits = matches!(post.attempt, Attempt::Idle) && post.failures > 0;
    let is_stand_in = |other: &&Post| other.stands_in_for.as_ref() == Some(&post.chat) && other.message == post.message;
    let taken = |other: &Post| matches!(other.attempt, Attempt::Confirmed { .. });
    let too_late = matches!(post.attempt, Attempt::Withdrawn { why: Withdrawn::TooLate, .. });
    (failed && !record.posts.values().filter(is_stand_in).any(taken)) || waits || too_late
}

/// All days of a script, each under the configuration that is in force at its deadline.
pub fn days(script: &Script) -> Vec<(Truth<'_>, Day)> {
    let mut all = Vec::new();
    let confs = std::iter::once((script.from, &script.conf)).chain(script.changes.iter().map(|change| (change.at, &change.conf)));
    for (_, conf) in confs {
        let truth = Truth { script, conf };
        let now = truth.days().into_iter().filter(|day| std::ptr::eq(script.conf_at(day.deadline), conf));
        all.extend(now.map(|day| (truth, day)));
    }
    all
}

/// Was the day missed for certain, at the latest then?
pub fn is_missed(truth: &Truth<'_>, record: &Record, day: &Day, by: Instant) -> bool {
    let missed = |thing| truth.arrival(thing, day).is_none_or(|at| at > by);
    truth.needs(day, record).into_iter().any(|(_, thing)| missed(thing))
}

/// What people had set aside, which lets nothing be demanded.
fn set_aside(record: &Record, day: &Day, by: Instant) -> (bool, bool) {
    let on = record.granted.iter().filter(|granted| granted.span.touches(day.deadline - TimeDelta::minutes(5), by));
    let acked = |order: &Order| matches!(order, Order::Ack { .. });
    let (acks, others): (Vec<&Order>, Vec<&Order>) = on.map(|granted| &granted.order).partition(|order| acked(order));
    (!acks.is_empty(), others.iter().any(|order| !matches!(order, Order::Retire { .. })))
}

/// Promise 1: a deadline with an audience that was missed has been told, and somebody was asked, shortly after it at the latest.
pub fn misses_are_told(script: &Script, record: &Record, found: &mut Found) {
    for (truth, day) in days(script).iter().filter(|(_, day)| day.audience) {
        let back = back_at(record, day.deadline);
        let by = back + GRACE + wait_for_parts(script) + wait_for_dark(truth, record, day, back);
        let (acked, hushed) = set_aside(record, day, by);
        // Whoever slept over all of a window never knew of it; and who comes back long after it has ended says nothing of it.
        let slept = record.away.iter().any(|span| span.from <= day.opens && day.deadline <= span.to);
        let of_use = by < script.to && back < day.closes + OF_USE;
        if hushed || slept || !of_use || !truth.is_plain(day, by) {
            continue;
        }
        if !is_missed(truth, record, day, by) {
            continue;
        }
        let dashboard = &truth.conf.dashboards[&day.dashboard];
        let tell = if dashboard.tell.is_empty() { &truth.conf.tell } else { &dashboard.tell };
        // A message that every way had failed for is excused: no chat worked when it was wanted.
        let given_up = |chat: &Id| record.posts.values().any(|post| post.chat == *chat && is_given_up(record, post));
        for chat in tell.iter().filter(|chat| chat_works(script, chat, day.deadline, by) && !given_up(chat)) {
            let fallback = truth.conf.chats[chat].fallback.as_ref();
            let there = |said: &&Said| {
                said.post.chat == *chat || said.post.stands_in_for.as_ref() == Some(chat) && Some(&said.post.chat) == fallback
            };
            let told = |said: &Said| said.real <= by && names(said, day);
            // Whoever was asked about one deadline of a cause was asked about the others that were named before.
            let same = |said: &Said| record.said.iter().any(|other| other.post.topic == said.post.topic && told(other));
            let asked = |said: &Said| said.real <= by && said.post.message.attention >= Attention::Notify && same(said);
            if !record.said.iter().filter(there).any(told) {
                found.push((1, format!("a miss is not told: {day}, to {chat}")));
            } else if !acked && !record.said.iter().any(asked) {
                found.push((1, format!("nobody is asked about a miss: {day}, in {chat}")));
            }
        }
    }
}

/// Who comes back to a source that does not answer needs some minutes to be sure of it.
fn wait_for_dark(truth: &Truth<'_>, record: &Record, day: &Day, back: Instant) -> TimeDelta {
    let dark = truth.needs(day, record).into_iter().any(|(_, thing)| truth.script.is_dark(&thing.source, back));
    if back > day.deadline && dark { TimeDelta::minutes(1) } else { TimeDelta::zero() }
}

/// An answer in parts, and one that gives a failure's reason, take their time.
fn wait_for_parts(script: &Script) -> TimeDelta {
    let parts = script.parts.values().map(|(parts, apart_s)| i64::try_from(*parts).unwrap_or(0) * apart_s).max();
    TimeDelta::seconds(parts.unwrap_or(0))
}

fn names(said: &Said, day: &Day) -> bool {
    let about = match &said.post.message.body {
        Body::Incident { about, .. } => &about.dashboards,
        Body::Digest(about) => &about.dashboards,
        _ => return false,
    };
    about.iter().any(|told| told.id == day.dashboard && told.deadline == day.deadline && told.verdict.is_trouble())
}

/// Promise 2: one post is seen once, and twice only after a lost answer; never where the chat drops repetitions.
pub fn nothing_is_told_twice(record: &Record, found: &mut Found) {
    let mut times: BTreeMap<_, (u32, PostId)> = BTreeMap::new();
    for said in &record.said {
        let post = &said.post;
        times.entry((&post.chat, &post.topic, post.revision, &post.stands_in_for)).or_insert((0, post.id)).0 += 1;
    }
    for (key, (times, post)) in times {
        let lost = record.lost.get(&post).copied().unwrap_or(0);
        if times > 1 + lost.min(1) {
            found.push((2, format!("told {times} times, with {lost} lost answers: {key:?}")));
        }
    }
}

/// Promise 2: of one incident a chat hears again only what is louder, worse, or of another cycle; and its end once, at the end.
pub fn one_cause_is_one_message(script: &Script, record: &Record, found: &mut Found) {
    let mut of: BTreeMap<(Id, IncidentId), Vec<&Post>> = BTreeMap::new();
    // A word that was refused, or taken back before it left, reached nobody.
    let unheard = |post: &Post| matches!(post.attempt, Attempt::Refused { .. } | Attempt::Withdrawn { .. });
    // One of which no answer came may have; but where its stand-in was refused as well, nobody can say so, and it is told once more.
    let handed_on = |post: &Post| {
        let is_stand_in = |other: &&Post| other.stands_in_for.as_ref() == Some(&post.chat) && other.message == post.message;
        record.posts.values().any(|other| is_stand_in(&other) && unheard(other))
    };
    let heard = |post: &&Post| match post.attempt {
        Attempt::Confirmed { .. } => true,
        Attempt::Refused { .. } | Attempt::Withdrawn { .. } => post.ambiguities > 0 && !handed_on(post),
        _ => !handed_on(post),
    };
    for post in record.posts.values().filter(|post| post.stands_in_for.is_none()).filter(heard) {
        if let Topic::Incident(incident) = &post.topic {
            of.entry((post.chat.clone(), *incident)).or_default().push(post);
        }
    }
    for ((chat, incident), posts) in &of {
        in_one_chat(script, record, (chat, *incident), posts, found);
    }
}

fn in_one_chat(script: &Script, record: &Record, (chat, incident): (&Id, IncidentId), posts: &[&Post], found: &mut Found) {
    // Each deadline with the loudest word that named it, and the loudest word that named none.
    let mut heard: BTreeMap<(&Id, Instant), Attention> = BTreeMap::new();
    let (mut loudest, mut ended, mut suspected) = (Attention::Silent, false, false);
    // Each cause that was told to have failed: that a deeper one has failed, too, is news.
    let mut failed: BTreeSet<&Cause> = BTreeSet::new();
    let mut before = Instant::MIN_UTC;
    for post in posts {
        if ended {
            found.push((2, format!("incident {incident} goes on in {chat} after its end")));
        }
        let Body::Incident { about, .. } = &post.message.body else {
            ended = true;
            continue;
        };
        // What was taken for the watch's own fault, and is a source's, is told anew.
        let suspects = matches!(about.cause, Cause::Watch(_));
        if suspected && !suspects {
            heard.clear();
        }
        suspected = suspects;
        // Trouble that comes back after half an hour of health is asked for anew.
        let healthy = |entry: &&Entry| entry.about == About::Incident(incident) && entry.reason == Reason::Recovering;
        let mut spells = record.ledger.iter().filter(healthy).map(|entry| entry.at);
        if spells.any(|at| before <= at && at + WELL <= post.wanted_at) {
            heard.clear();
            failed.clear();
            loudest = Attention::Silent;
        }
        before = post.wanted_at;
        // What is worse is posted and asked once more.
        if about.verdict == Verdict::Failed && failed.insert(&about.cause) {
            heard.clear();
            loudest = Attention::Silent;
        }
        let attention = post.message.attention;
        let named: Vec<_> = about.dashboards.iter().map(|told| (&told.id, told.deadline)).collect();
        let known = named.iter().map(|key| heard.get(key).copied().unwrap_or(Attention::Silent)).min().unwrap_or(loudest);
        let real = record.wanted.get(&post.id).copied().unwrap_or(script.from);
        let odd = Truth::at(script, real).clock_is_off(real - TimeDelta::hours(6), real);
        if attention <= known && !odd {
            found.push((2, format!("incident {incident} is said again in {chat} at {} without need", local(post.wanted_at))));
        }
        heard.extend(
            named
                .into_iter()
                .map(|key| (key, heard.get(&key).copied().unwrap_or(Attention::Silent).max(attention)))
                .collect::<Vec<_>>(),
        );
        loudest = loudest.max(attention);
    }
}

/// Promise 5: mutes never swallow a resolution, nor does anything else. Where all that waited for the cause is ready, or over, whoever
/// was told of it hears of its end.
pub fn ends_are_told(script: &Script, record: &Record, found: &mut Found) {
    let mut told: BTreeMap<(Id, IncidentId), Vec<&Said>> = BTreeMap::new();
    for said in record.said.iter().filter(|said| said.post.stands_in_for.is_none()) {
        if let Topic::Incident(incident) = &said.post.topic {
            told.entry((said.post.chat.clone(), *incident)).or_default().push(said);
        }
    }
    let odd = !script.changes.is_empty() || !script.jumps.is_empty();
    for ((chat, incident), words) in told {
        let Some(Cause::Check(cause)) = record.incidents.get(&incident).map(|incident| &incident.cause).filter(|_| !odd) else {
            continue;
        };
        let ends = |post: &Post| {
            post.topic == Topic::Incident(incident) && post.chat == chat && matches!(post.message.body, Body::Resolved(_))
        };
        let Some(over) = over_at(script, record, cause, &words) else { continue };
        let by = back_at(record, over) + WELL;
        if by < script.to && !record.posts.values().any(ends) {
            found.push((5, format!("incident {incident} ({cause}) was over at {} and its end is not told in {chat}", local(over))));
        }
    }
}

/// When all that might wait for the cause was seen ready, or was over; `None`: it was not, or what came is taken back later.
fn over_at(script: &Script, record: &Record, cause: &Id, words: &[&Said]) -> Option<Instant> {
    let truth = Truth { script, conf: &script.conf };
    let first = words.first()?.real;
    let alike = words.iter().any(|said| matches!(&said.post.message.body, Body::Incident { about, .. } if about.alike > 0));
    let outside = script.conf.checks.get(cause).is_some_and(|check| check.max_age_h.is_some());
    let thing = truth.thing(cause)?;
    if outside || !thing.gone.is_empty() || !thing.strange.is_empty() {
        return None;
    }
    // Nobody can say from when on members that come later are waited for.
    let mut waited_for = script.conf.dashboards.keys().flat_map(|dashboard| truth.closure(dashboard));
    if waited_for.any(|id| truth.thing(&id).is_some_and(|thing| thing.group.is_some() && !thing.is_there(script.from))) {
        return None;
    }
    // What no dashboard waits for has no deadline that could be ready.
    let waited = |id: &Id| script.conf.dashboards.keys().any(|dashboard| truth.closure(dashboard).contains(id));
    let same = script.conf.checks.iter().filter(|(id, check)| *id == cause || alike && check.source == thing.source);
    if !same.map(|(id, _)| id).chain([cause]).all(waited) {
        return None;
    }
    let mut days = truth.days();
    days.retain(|day| first < day.closes.max(day.deadline) && (alike || truth.closure(&day.dashboard).contains(cause)));
    days.sort_by_key(|day| day.opens);
    let mut over: Option<Instant> = None;
    for day in days {
        // One that opened when all was over is another one's.
        if over.is_some_and(|over| over < day.opens) {
            break;
        }
        let closes = day.closes.max(day.deadline);
        let (ready, again) = ready_at(&truth, record, &day);
        if again {
            return None;
        }
        over = over.max(Some(ready.map_or(closes, |ready| ready.min(closes)).max(first)));
    }
    over.filter(|over| saw(record, &thing.source, *over, script.to))
}

/// When all that the day needs itself was seen to have come; and whether any of what it waits for is run again after it came, or
/// was not to be believed.
fn ready_at(truth: &Truth<'_>, record: &Record, day: &Day) -> (Option<Instant>, bool) {
    let arrived = |thing: &Thing| {
        let arrived = truth.arrival(thing, day)?;
        record.swept.get(&thing.source).into_iter().flatten().find(|swept| **swept >= arrived).copied()
    };
    let closure = truth.closure(&day.dashboard);
    let again = closure.iter().filter_map(|id| truth.thing(id)).any(|thing| {
        let came = truth.arrival(thing, day);
        let later = |at: Instant| came.is_some_and(|came| at > came);
        let run = |run: &Course| counts(run, day) && run.steps.iter().any(|(at, _)| later(*at));
        // Nor does a time that lay ahead when it was first seen become right by waiting.
        let ahead = |(at, stamp): &(Instant, Instant)| *stamp > *at + AHEAD;
        thing.runs.iter().any(run) || thing.data.iter().any(|data| later(data.0) || ahead(data))
    });
    let needs = truth.needs(day, record);
    let ready = needs.iter().map(|(_, thing)| arrived(thing)).try_fold(Instant::MIN_UTC, |max, at| Some(max.max(at?)));
    (ready, again)
}

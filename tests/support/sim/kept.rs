//! Promises 4 and 6: silence is proven, and nothing that was decided is lost.

use super::conf::{Kind, local, on};
use super::record::Record;
use super::script::Script;
use super::told::{back_at, chat_works, days, is_missed};
use super::truth::{GRACE, Truth};
use chrono::TimeDelta;
use dawnwatch::core::plan::Id;
use dawnwatch::core::state::*;
use dawnwatch::core::time::Instant;
use std::collections::BTreeMap;

type Found = Vec<(u8, String)>;

/// A message may be on its way for so long, and a minute.
const ON_ITS_WAY: TimeDelta = TimeDelta::minutes(11);
/// A digest may wait for answers; for so long it never does.
const DIGEST_WAITS: TimeDelta = TimeDelta::hours(7);

/// Promise 4: no beat while a source is long unasked, or a message that would still be of use has reached nobody.
pub fn a_beat_is_proof(truth: Truth<'_>, record: &Record, at: Instant, found: &mut Found) {
    if truth.clock_is_off(at, at) {
        return;
    }
    for (id, source) in &truth.conf.sources {
        let asked = record.asked.get(id).into_iter().flatten().filter(|asked| **asked <= at).max();
        let late = TimeDelta::seconds(source.every_s) * 4 + TimeDelta::minutes(6);
        let used = source.kind == Kind::Airflow || truth.conf.checks.values().any(|check| check.source == *id);
        if used && asked.is_none_or(|asked| at - *asked > late) {
            found.push((4, format!("a beat at {} while {id} was asked at {:?}", local(at), asked.copied().map(local))));
        }
    }
    for post in record.posts.values().filter(|post| post.stands_in_for.is_none() && truth.conf.chats.contains_key(&post.chat)) {
        // Long wanted, and given up or still on its way: nobody has seen it.
        let waits = at < post.not_after && record.wanted.get(&post.id).is_some_and(|wanted| *wanted + ON_ITS_WAY < at);
        if waits && !was_told(record, post) && !is_of_the_past(record, post) {
            found.push((4, format!("a beat at {} while post {} has reached nobody: {:?}", local(at), post.id, post.attempt)));
        }
    }
}

/// Somebody saw it, or a later one of its topic, in its chat or in the one that stands in.
fn was_told(record: &Record, post: &Post) -> bool {
    let here = |other: &Post| other.chat == post.chat || other.stands_in_for.as_ref() == Some(&post.chat);
    record.said.iter().any(|said| here(&said.post) && said.post.topic == post.topic && said.post.id >= post.id)
}

/// It gave way to what came later, or its incident is over.
fn is_of_the_past(record: &Record, post: &Post) -> bool {
    let over = |incident: &Incident| matches!(incident.phase, Phase::Resolved { .. });
    let merged = |id: IncidentId| record.ledger.iter().any(|e| e.about == About::Incident(id) && e.reason == Reason::Merged);
    let healed = match post.topic {
        Topic::Incident(id) => record.incidents.get(&id).is_some_and(over) || merged(id),
        _ => false,
    };
    matches!(post.attempt, Attempt::Withdrawn { .. }) || healed
}

/// Where every source is asked and every chat works, the beat goes out: a proof that is always withheld proves nothing.
pub fn a_watch_that_is_whole_beats(script: &Script, record: &Record, found: &mut Found) {
    let chats = !script.faults.is_empty() || !script.jumps.is_empty();
    if chats || !record.away.is_empty() || !script.changes.is_empty() || !script.crashes.is_empty() {
        return;
    }
    let late = |pair: &&[Instant]| pair[1] - pair[0] > TimeDelta::minutes(6);
    if let Some(gap) = record.beats.windows(2).find(late) {
        found.push((4, format!("nothing is wrong, and no beat from {} to {}", local(gap[0]), local(gap[1]))));
    }
    if record.beats.last().is_none_or(|last| script.to - *last > TimeDelta::minutes(6)) {
        found.push((4, "nothing is wrong, and the beat has ended".to_owned()));
    }
}

/// Promise 4: every digest that fell due and every miss has an entry.
pub fn silence_is_written_down(script: &Script, record: &Record, found: &mut Found) {
    let truth = Truth { script, conf: &script.conf };
    if let Some(digest) = script.conf.digest.as_ref().filter(|_| script.changes.is_empty()) {
        let first = super::conf::date_of(script.from);
        for date in first.iter_days().take(5).filter(|date| digest.on.holds(*date)) {
            let due = on(date, digest.at);
            let id: Id = "morning".into();
            let about = About::Digest { digest: id, date };
            let known = script.from < due && back_at(record, due) + DIGEST_WAITS < script.to && !truth.clock_is_off(due, script.to);
            if known && !record.ledger.iter().any(|entry| entry.about == about) {
                found.push((4, format!("the digest of {date} was neither given nor kept back")));
            }
        }
    }
    for (truth, day) in days(script) {
        let by = back_at(record, day.deadline) + GRACE;
        if !truth.is_plain(&day, by) || by >= script.to.min(day.closes) || !is_missed(&truth, record, &day, by) {
            continue;
        }
        let nth = u32::try_from(day.nth).unwrap_or(u32::MAX);
        let about = About::Cycle(CycleKey { dashboard: day.dashboard.clone(), date: day.date, nth });
        if !record.ledger.iter().any(|entry| entry.about == about && entry.reason == Reason::CycleMissed) {
            found.push((4, format!("a miss is not written down: {day}")));
        }
    }
}

/// Promise 6: what the ledger says is said, and its message, are one commit.
pub fn every_word_has_its_post(record: &Record, commit: &Commit, found: &mut Found) {
    let mut wanted: BTreeMap<(Id, Topic), i64> = BTreeMap::new();
    for row in &commit.put {
        if let Row::Post(post) = row
            && !record.posts.contains_key(&post.id)
        {
            *wanted.entry((post.chat.clone(), post.topic.clone())).or_default() += 1;
        }
    }
    for entry in &commit.ledger {
        let (Decision::Say(_), Some(chat)) = (&entry.decision, &entry.chat) else { continue };
        let topic = match &entry.about {
            About::Incident(id) => Topic::Incident(*id),
            About::Digest { digest, date } => Topic::Digest { digest: digest.clone(), date: *date },
            About::Post(id) => match record.posts.get(id) {
                Some(post) => post.topic.clone(),
                None => continue,
            },
            _ => continue,
        };
        *wanted.entry((chat.clone(), topic)).or_default() -= 1;
    }
    for ((chat, topic), left) in wanted.into_iter().filter(|((_, topic), _)| !matches!(topic, Topic::Watch(_))) {
        if left != 0 {
            found.push((6, format!("{left} more messages than words of {topic:?} in {chat}")));
        }
    }
}

/// Promise 6: every post ends, and the ledger knows how.
pub fn nothing_is_lost(script: &Script, record: &Record, found: &mut Found) {
    let conf = script.conf_at(script.to);
    for post in record.posts.values().filter(|post| conf.chats.contains_key(&post.chat)) {
        let noted = |reason: Reason| record.ledger.iter().any(|e| e.about == About::Post(post.id) && e.reason == reason);
        let newer = || {
            let same = |other: &&Post| other.chat == post.chat && other.topic == post.topic && other.id > post.id;
            record.posts.values().any(|other| same(&other))
        };
        let healed = || match &post.topic {
            Topic::Incident(id) => record.ledger.iter().any(|entry| {
                let here = entry.chat.as_ref().is_none_or(|chat| *chat == post.chat);
                let over = matches!(entry.reason, Reason::HealedUntold | Reason::EndedUntold);
                entry.about == About::Incident(*id) && here && over
            }),
            _ => false,
        };
        let fallback = conf.chats[&post.chat].fallback.as_ref();
        let handed = || post.stands_in_for.is_some() || fallback.is_none() || noted(Reason::StandsIn) || !script.changes.is_empty();
        let odd = !script.jumps.is_empty();
        let wanted_now =
            |post: &Post| record.wanted.get(&post.id).is_some_and(|wanted| *wanted + TimeDelta::minutes(1) > script.to);
        let ends = match &post.attempt {
            // What was wanted only now has had no time.
            Attempt::Idle => {
                odd || wanted_now(post) || !chat_works(script, &post.chat, script.to - TimeDelta::minutes(5), script.to)
            }
            Attempt::Started { .. } => false,
            Attempt::Confirmed { .. } => noted(Reason::Delivered),
            Attempt::Ambiguous { .. } | Attempt::Refused { .. } => noted(Reason::Undelivered) && handed(),
            Attempt::Withdrawn { why: Withdrawn::TooLate, .. } => noted(Reason::TooLate),
            Attempt::Withdrawn { why: Withdrawn::Superseded, .. } => newer() || healed(),
        };
        if !ends {
            found.push((6, format!("post {} is lost: {:?} in {}", post.id, post.attempt, post.chat)));
        }
    }
}

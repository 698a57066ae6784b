//! What must be true after a night, found from the script alone: windows, deadlines and arrivals are computed here a second time,
//! plainly, without the core's judging. Where the truth itself is a matter of seconds, nothing is demanded.

use super::player::{Player, Said};
use super::script::Script;
use chrono::{Datelike, NaiveDate, TimeDelta, Timelike, Weekday};
use dawnwatch::core::calendar::DayRule;
use dawnwatch::core::message::{Body, DashboardFacts, DigestVerdict};
use dawnwatch::core::plan::*;
use dawnwatch::core::state::*;
use dawnwatch::core::time::Instant;
use std::collections::{BTreeMap, BTreeSet};

/// What nobody needs to be told sooner: a sweep that is waited for, the reason of a failure, a few seconds for the way.
const GRACE: TimeDelta = TimeDelta::seconds(200);
/// A chat is believed to work when it has for so long: retries are at most five minutes apart.
const CHAT_WORKS: TimeDelta = TimeDelta::minutes(12);
/// A source that has not answered for so long is dark to anybody.
const DARK: TimeDelta = TimeDelta::minutes(22);

/// One due day of a dashboard, as the script knows it.
#[derive(Debug, Clone)]
pub struct Day {
    pub dashboard: Id,
    opens: Instant,
    closes: Instant,
    pub deadline: Instant,
    audience: bool,
}

pub fn violations(player: &Player<'_>) -> Vec<String> {
    let oracle = Oracle { script: player.script, player };
    let mut found = Vec::new();
    oracle.misses_are_told(&mut found);
    oracle.nothing_is_told_twice(&mut found);
    oracle.one_cause_is_one_message(&mut found);
    oracle.unknown_is_never_green(&mut found);
    oracle.nobody_is_woken(&mut found);
    oracle.nothing_is_lost(&mut found);
    oracle.a_beat_is_proof(&mut found);
    oracle.a_watch_that_is_whole_beats(&mut found);
    found
}

struct Oracle<'a> {
    script: &'a Script,
    player: &'a Player<'a>,
}

fn holds(rule: &DayRule, date: NaiveDate) -> bool {
    let off = matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
    match rule {
        DayRule::Workdays(_) => !off,
        DayRule::Offdays(_) => off,
        _ => true,
    }
}

fn days(script: &Script) -> Vec<Day> {
    let zone = script.plan.timezone;
    let first = script.from.with_timezone(&zone).date_naive() - TimeDelta::days(7);
    let mut days = Vec::new();
    for (id, dashboard) in &script.plan.dashboards {
        let dates: Vec<NaiveDate> = first.iter_days().take(20).filter(|date| holds(&dashboard.on, *date)).collect();
        for pair in dates.windows(2) {
            let opens = |date| dashboard.counts_from.on(date, zone);
            days.push(Day {
                dashboard: id.clone(),
                opens: opens(pair[0]),
                closes: opens(pair[1]),
                deadline: dashboard.ready_by[0].on(pair[0], zone),
                audience: holds(&dashboard.audience, pair[0]),
            });
        }
    }
    days.retain(|day| day.deadline > script.from && day.closes > script.from);
    days
}

impl Oracle<'_> {
    fn needs(&self, day: &Day) -> impl Iterator<Item = (&Id, &Check)> {
        let needs = &self.script.plan.dashboards[&day.dashboard].needs;
        needs.iter().filter_map(|need| match need {
            Need::Check(id) => self.script.plan.checks.get_key_value(id).map(|(id, check)| (id, &**check)),
            Need::Group(_) => None,
        })
    }

    /// When what counts for the day came about first, as far as its source still knew the thing.
    fn first_arrival(&self, id: &Id, check: &Check, day: &Day) -> Option<Instant> {
        let thing = &self.script.things[id];
        let known = |at: &Instant| thing.gone_from.is_none_or(|gone| *at < gone);
        if thing.dataset {
            let enough = match check.evidence {
                Evidence::DataTime { through } => {
                    let date = (day.deadline.with_timezone(&self.script.plan.timezone)).date_naive();
                    through.on(date, self.script.plan.timezone)
                }
                _ => day.opens,
            };
            return thing.data.iter().filter(|(_, stamp)| *stamp >= enough).map(|(seen, _)| *seen).filter(known).min();
        }
        let good = thing.runs.iter().filter(|run| run.success && day.opens <= run.scheduled_at && run.scheduled_at < day.closes);
        good.filter_map(|run| run.ended_at).filter(known).min()
    }

    fn back_at(&self, at: Instant) -> Instant {
        let near = |span: &&super::script::Span| span.touches(at - TimeDelta::seconds(1), at + GRACE);
        self.player.away.iter().filter(near).map(|span| span.to).fold(at, Instant::max)
    }

    fn chat_works(&self, chat: &Id, from: Instant, to: Instant) -> bool {
        !self.script.faults.iter().any(|(of, span, _)| of == chat && span.touches(from - CHAT_WORKS, to))
    }

    /// Promise 1: a deadline with an audience that was missed has been told, and somebody was asked, shortly after it at the latest.
    fn misses_are_told(&self, found: &mut Vec<String>) {
        for day in days(self.script).iter().filter(|day| day.audience) {
            let by = self.back_at(day.deadline) + GRACE;
            if by >= self.script.to.min(day.closes) {
                continue;
            }
            let missed = |(id, check): (&Id, &Check)| self.first_arrival(id, check, day).is_none_or(|at| at > by);
            if !self.needs(day).any(missed) {
                continue;
            }
            let dashboard = &self.script.plan.dashboards[&day.dashboard];
            let tell = if dashboard.tell.is_empty() { &self.script.plan.tell } else { &dashboard.tell };
            // A message that every way had failed for is excused: no chat worked when it was wanted.
            let given_up = |chat: &Id| self.player.posts.values().any(|post| post.chat == *chat && self.is_given_up(post));
            for chat in tell.iter().filter(|chat| self.chat_works(chat, day.deadline, by) && !given_up(chat)) {
                let fallback = self.script.plan.chats[chat].fallback.as_ref();
                let there = |said: &&Said| {
                    said.post.chat == *chat || said.post.stands_in_for.as_ref() == Some(chat) && Some(&said.post.chat) == fallback
                };
                let words: Vec<&Said> =
                    self.player.said.iter().filter(there).filter(|said| said.at <= by && names(said, day)).collect();
                if words.is_empty() {
                    found.push(format!("a miss is not told: {} at {}, to {chat}", day.dashboard, local(day.deadline)));
                } else if !self
                    .player
                    .said
                    .iter()
                    .any(|said| said.at <= by && names(said, day) && said.post.message.attention >= Attention::Notify)
                {
                    found.push(format!("nobody is asked about a miss: {} at {}, in {chat}", day.dashboard, local(day.deadline)));
                }
            }
        }
    }

    /// Promise 4: no beat while a source is long unasked, or a message that would still be of use has reached nobody.
    fn a_beat_is_proof(&self, found: &mut Vec<String>) {
        for &at in &self.player.beats {
            for (id, source) in &self.script.plan.sources {
                let asked = self.player.asked.get(id).into_iter().flatten().filter(|asked| **asked <= at).max();
                let late = source.every * 4 + TimeDelta::minutes(6);
                let used = self.script.plan.checks.values().any(|check| check.source == *id);
                if used && asked.is_none_or(|asked| at - *asked > late) {
                    found.push(format!("a beat at {} while {id} was asked at {:?}", local(at), asked.copied().map(local)));
                }
            }
            for post in self.player.posts.values().filter(|post| post.stands_in_for.is_none() && at < post.not_after) {
                // Long wanted, and given up or still on its way at the end: nobody had seen it by then.
                let unseen =
                    post.wanted_at + TimeDelta::minutes(11) < at && !self.was_told(post, at) && !self.is_of_the_past(post, at);
                if unseen {
                    found.push(format!("a beat at {} while post {} has reached nobody: {:?}", local(at), post.id, post.attempt));
                }
            }
        }
    }

    /// Somebody saw it, or a later one of its topic, in its chat or in the one that stands in.
    fn was_told(&self, post: &Post, at: Instant) -> bool {
        let here = |said: &&Said| said.post.chat == post.chat || said.post.stands_in_for.as_ref() == Some(&post.chat);
        self.player.said.iter().filter(here).any(|said| said.at <= at && said.post.topic == post.topic && said.post.id >= post.id)
    }

    /// It gave way to what came later, or its incident was over.
    fn is_of_the_past(&self, post: &Post, at: Instant) -> bool {
        let healed = |entry: &Entry| match post.topic {
            Topic::Incident(id) => {
                entry.at <= at
                    && entry.about == About::Incident(id)
                    && matches!(entry.reason, Reason::HealedUntold | Reason::Resolved | Reason::Merged)
            }
            _ => false,
        };
        let withdrawn = matches!(post.attempt, Attempt::Withdrawn { at: when, .. } if when <= at);
        withdrawn || self.player.ledger.iter().any(healed)
    }

    /// Where every source is asked and every chat works, the beat goes out: a proof that is always withheld proves nothing.
    fn a_watch_that_is_whole_beats(&self, found: &mut Vec<String>) {
        if !self.script.faults.is_empty() || !self.player.away.is_empty() || self.script.plan.tell.is_empty() {
            return;
        }
        let late = |pair: &&[Instant]| pair[1] - pair[0] > TimeDelta::minutes(6);
        let gap = self.player.beats.windows(2).find(late);
        if let Some(gap) = gap {
            found.push(format!("nothing is wrong, and no beat from {} to {}", local(gap[0]), local(gap[1])));
        }
        if self.player.beats.last().is_none_or(|last| self.script.to - *last > TimeDelta::minutes(6)) {
            found.push("nothing is wrong, and the beat has ended".to_owned());
        }
    }

    /// Neither delivered nor handed to a chat that took it.
    fn is_given_up(&self, post: &Post) -> bool {
        let failed = matches!(post.attempt, Attempt::Refused { .. } | Attempt::Ambiguous { .. });
        let waits = matches!(post.attempt, Attempt::Idle) && post.failures > 0;
        let is_stand_in = |other: &&Post| other.stands_in_for.as_ref() == Some(&post.chat) && other.topic == post.topic;
        let taken = |other: &Post| matches!(other.attempt, Attempt::Confirmed { .. });
        let too_late = matches!(post.attempt, Attempt::Withdrawn { why: Withdrawn::TooLate, .. });
        (failed && !self.player.posts.values().filter(is_stand_in).any(taken)) || waits || too_late
    }

    /// Promise 2: one post is seen once, and twice only after a lost answer; never where the chat drops repetitions.
    fn nothing_is_told_twice(&self, found: &mut Vec<String>) {
        let mut times: BTreeMap<_, (u32, PostId)> = BTreeMap::new();
        for said in &self.player.said {
            let post = &said.post;
            times.entry((&post.chat, &post.topic, post.revision, &post.stands_in_for)).or_insert((0, post.id)).0 += 1;
        }
        for (key, (times, post)) in times {
            let lost = self.player.lost.get(&post).copied().unwrap_or(0);
            if times > 1 + lost.min(1) {
                found.push(format!("told {times} times, with {lost} lost answers: {key:?}"));
            }
        }
    }

    /// Promise 2: of one incident a chat hears again only what is louder, worse, or of another cycle; and its end once, at the end.
    fn one_cause_is_one_message(&self, found: &mut Vec<String>) {
        let mut of: BTreeMap<(Id, IncidentId), Vec<&Post>> = BTreeMap::new();
        // A word that was refused reached nobody.
        let heard = |post: &&Post| !matches!(post.attempt, Attempt::Refused { .. }) || post.ambiguities > 0;
        for post in self.player.posts.values().filter(|post| post.stands_in_for.is_none()).filter(heard) {
            if let Topic::Incident(incident) = &post.topic {
                of.entry((post.chat.clone(), *incident)).or_default().push(post);
            }
        }
        for ((chat, incident), posts) in &of {
            let mut cycles: BTreeSet<(&Id, Instant)> = BTreeSet::new();
            let (mut loudest, mut failed, mut ended, mut suspected) = (Attention::Silent, false, false, false);
            let mut before = Instant::MIN_UTC;
            for post in posts {
                if ended {
                    found.push(format!("incident {incident} goes on in {chat} after its end"));
                }
                let Body::Incident { about, .. } = &post.message.body else {
                    ended = true;
                    continue;
                };
                // What was taken for the watch's own fault, and is a source's, is told anew.
                let suspects = matches!(about.cause, Cause::Watch(_));
                if suspected && !suspects {
                    cycles.clear();
                }
                suspected = suspects;
                // Trouble that comes back after half an hour of health is asked for anew.
                let healthy = |entry: &&Entry| entry.about == About::Incident(*incident) && entry.reason == Reason::Recovering;
                let spells = self.player.ledger.iter().filter(healthy).map(|entry| entry.at);
                if spells.into_iter().any(|at| before <= at && at + TimeDelta::minutes(30) <= post.wanted_at) {
                    (loudest, failed) = (Attention::Silent, false);
                }
                before = post.wanted_at;
                let fails = about.verdict == Verdict::Failed;
                let new: Vec<_> =
                    about.dashboards.iter().map(|d| (&d.id, d.deadline)).filter(|key| !cycles.contains(key)).collect();
                if post.message.attention <= loudest && (failed || !fails) && new.is_empty() {
                    found.push(format!("incident {incident} is said again in {chat} at {} without need", local(post.wanted_at)));
                }
                // What is worse, or of a new cycle, is posted and asked once more.
                loudest =
                    if new.is_empty() && (failed || !fails) { loudest.max(post.message.attention) } else { post.message.attention };
                failed |= fails;
                cycles.extend(new);
            }
        }
    }

    /// Promise 3: ready is said only of what was seen; nothing dark is on track; failed is said only of what failed.
    fn unknown_is_never_green(&self, found: &mut Vec<String>) {
        let days = days(self.script);
        for post in self.player.posts.values().filter(|post| post.stands_in_for.is_none()) {
            let (at, body) = (post.message.at, &post.message.body);
            let (dashboards, failed): (&[DashboardFacts], Option<&Cause>) = match body {
                Body::Incident { about, .. } => (&about.dashboards, (about.verdict == Verdict::Failed).then_some(&about.cause)),
                Body::Resolved(about) => (&about.dashboards, None),
                Body::Digest(about) => (&about.dashboards, None),
                Body::Watch(_) => (&[], None),
            };
            let worst = dashboards.iter().map(|dashboard| dashboard.verdict).max();
            if matches!(body, Body::Digest(about) if about.verdict == DigestVerdict::Ready) && worst > Some(Verdict::Ready) {
                found.push(format!("a digest at {} says ready over {worst:?}", local(at)));
            }
            for told in dashboards {
                let Some(day) = days.iter().find(|day| day.dashboard == told.id && day.deadline == told.deadline) else { continue };
                if told.verdict == Verdict::Ready && !self.needs(day).all(|(id, check)| self.was_seen(id, check, day, at)) {
                    found.push(format!("{} is called ready at {} unseen", told.id, local(at)));
                }
                let dark = |(id, check): (&Id, &Check)| self.is_dark(&check.source, at) && !self.was_seen(id, check, day, at);
                if matches!(told.verdict, Verdict::Ready | Verdict::OnTrack) && self.needs(day).any(dark) {
                    found.push(format!("{} is {:?} at {} over a dark source", told.id, told.verdict, local(at)));
                }
            }
            if let Some(Cause::Check(id)) = failed {
                let thing = &self.script.things[id];
                let seen_failed =
                    |run: &super::script::Course| !run.success && run.ended_at.is_some_and(|end| self.saw(&thing.source, end, at));
                if !thing.runs.iter().any(seen_failed) {
                    found.push(format!("{id} is called failed at {} and was never seen failed", local(at)));
                }
            }
        }
    }

    /// Did the source answer between `from` and `to`?
    fn saw(&self, source: &Id, from: Instant, to: Instant) -> bool {
        self.player.swept.get(source).into_iter().flatten().any(|swept| from <= *swept && *swept <= to)
    }

    fn was_seen(&self, id: &Id, check: &Check, day: &Day, at: Instant) -> bool {
        self.first_arrival(id, check, day).is_some_and(|arrived| self.saw(&check.source, arrived, at))
    }

    fn is_dark(&self, source: &Id, at: Instant) -> bool {
        self.script.is_dark(source, at) && !self.saw(source, at - DARK, at) && self.back_at(at - DARK) + DARK <= at
    }

    /// Promise 5: in quiet hours a person is asked only past a deadline, or at act-by of a dashboard that may wake.
    fn nobody_is_woken(&self, found: &mut Vec<String>) {
        for post in self.player.posts.values().filter(|post| post.stands_in_for.is_none()) {
            let at = post.wanted_at;
            let quiet = self.is_quiet(&self.script.plan.chats[&post.chat], at);
            if post.message.attention < Attention::Notify || !quiet {
                continue;
            }
            let Body::Incident { about, .. } = &post.message.body else {
                found.push(format!("a person is asked in quiet hours, and by no incident: {post:?}"));
                continue;
            };
            let may = |told: &DashboardFacts| {
                let wakes = self.script.plan.dashboards[&told.id].wake && told.act_by.is_some_and(|act_by| act_by <= at);
                told.audience && (told.deadline <= at || wakes)
            };
            if !about.dashboards.iter().any(may) {
                found.push(format!("a person is asked in quiet hours at {} in {}", local(at), post.chat));
            }
        }
    }

    fn is_quiet(&self, chat: &Chat, at: Instant) -> bool {
        let wall = at.with_timezone(&self.script.plan.timezone);
        let hours = chat.quiet.is_some_and(|_| wall.hour() >= 22 || wall.hour() < 7);
        hours || chat.quiet_days.as_ref().is_some_and(|days| holds(days, wall.date_naive()))
    }

    /// Promise 6: every post ends, and the ledger knows how.
    fn nothing_is_lost(&self, found: &mut Vec<String>) {
        for post in self.player.posts.values() {
            let noted = |reason: Reason| {
                self.player.ledger.iter().any(|entry| entry.about == About::Post(post.id) && entry.reason == reason)
            };
            let newer = || {
                let same = |other: &&Post| other.chat == post.chat && other.topic == post.topic && other.id > post.id;
                self.player.posts.values().any(|other| same(&other))
            };
            let healed = || match &post.topic {
                Topic::Incident(id) => self.player.ledger.iter().any(|entry| {
                    entry.about == About::Incident(*id)
                        && entry.chat.as_ref() == Some(&post.chat)
                        && entry.reason == Reason::HealedUntold
                }),
                _ => false,
            };
            let handed =
                || post.stands_in_for.is_some() || self.script.plan.chats[&post.chat].fallback.is_none() || noted(Reason::StandsIn);
            let ends = match &post.attempt {
                Attempt::Idle => !self.chat_works(&post.chat, self.script.to, self.script.to),
                Attempt::Started { .. } => false,
                Attempt::Confirmed { .. } => noted(Reason::Delivered),
                Attempt::Ambiguous { .. } | Attempt::Refused { .. } => noted(Reason::Undelivered) && handed(),
                Attempt::Withdrawn { why: Withdrawn::TooLate, .. } => noted(Reason::TooLate),
                Attempt::Withdrawn { why: Withdrawn::Superseded, .. } => newer() || healed(),
            };
            if !ends {
                found.push(format!("post {} is lost: {:?} in {}", post.id, post.attempt, post.chat));
            }
        }
    }
}

fn names(said: &Said, day: &Day) -> bool {
    let about = match &said.post.message.body {
        Body::Incident { about, .. } => &about.dashboards,
        Body::Digest(about) => &about.dashboards,
        _ => return false,
    };
    about.iter().any(|told| told.id == day.dashboard && told.deadline == day.deadline && told.verdict.is_trouble())
}

pub fn local(at: Instant) -> String {
    at.with_timezone(&chrono_tz::Asia::Seoul).format("%a %H:%M:%S").to_string()
}

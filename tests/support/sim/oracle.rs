//! What must be true of a played script, promise by promise (their numbers are those of the design). It looks on at every commit and
//! every proof of life, and once more at the end. Where the truth itself is a matter of seconds, nothing is demanded.

use super::conf::{CREDENTIAL, local};
use super::record::Record;
use super::script::Script;
use super::things::{Course, Thing};
use super::truth::{Day, Truth, counts, saw};
use super::{kept, told};
use chrono::TimeDelta;
use dawnwatch::core::command::{Muted, Order};
use dawnwatch::core::message::{Body, DashboardFacts, DigestVerdict, IncidentFacts, Line, Situation, Span, Text};
use dawnwatch::core::plan::{Id, Language};
use dawnwatch::core::state::*;
use dawnwatch::core::time::Instant;
use dawnwatch::core::wording::word;
use std::collections::BTreeSet;

/// A source that has not answered for so long is dark to anybody.
const DARK: TimeDelta = TimeDelta::minutes(50);
/// The failures of so many alike are asked for; beyond, the rest is believed to be like these.
const SAMPLE: usize = 4;
/// A word waits so long for the reasons of failures. Where telling them all takes longer, it goes out before they are known.
const REASONS_S: i64 = 50;
/// What no word of the program's own may hold: it stands only in error lines.
const ALIVE: [&str; 2] = ["@here", "<!channel>"];

pub struct Oracle {
    pub found: Vec<(u8, String)>,
    days: Vec<(Instant, Vec<Day>)>,
}

/// One look: the script, what came of it so far, and when.
#[derive(Clone, Copy)]
struct Look<'a> {
    truth: Truth<'a>,
    record: &'a Record,
    days: &'a [Day],
    real: Instant,
    at: Instant,
}

impl Oracle {
    pub fn new(script: &Script) -> Self {
        let mut days = vec![(script.from, Truth { script, conf: &script.conf }.days())];
        days.extend(script.changes.iter().map(|change| (change.at, Truth { script, conf: &change.conf }.days())));
        Self { found: Vec::new(), days }
    }

    pub fn commit(&mut self, script: &Script, record: &Record, (real, at): (Instant, Instant), commit: &Commit) {
        let days = self.days.iter().rfind(|(from, _)| *from <= real).map_or(&[][..], |(_, days)| days);
        let look = Look { truth: Truth::at(script, real), record, days, real, at };
        let mut found = Vec::new();
        for row in &commit.put {
            match row {
                Row::Post(post) if !record.posts.contains_key(&post.id) => {
                    look.is_truly_seen(post, &mut found);
                    look.blames_whom_it_should(post, &mut found);
                    look.wakes_nobody(post, &mut found);
                    leaks_nothing(post, &mut found);
                }
                Row::Cycle(key, cycle) if cycle.verdict == Verdict::Ready => look.is_ready(key, &mut found),
                _ => {}
            }
        }
        kept::every_word_has_its_post(record, commit, &mut found);
        self.found.append(&mut found);
    }

    pub fn beat(&mut self, script: &Script, record: &Record, real: Instant) {
        kept::a_beat_is_proof(Truth::at(script, real), record, real, &mut self.found);
    }

    pub fn end(&mut self, script: &Script, record: &Record) {
        told::misses_are_told(script, record, &mut self.found);
        told::nothing_is_told_twice(record, &mut self.found);
        told::one_cause_is_one_message(script, record, &mut self.found);
        told::ends_are_told(script, record, &mut self.found);
        kept::nothing_is_lost(script, record, &mut self.found);
        kept::silence_is_written_down(script, record, &mut self.found);
        kept::a_watch_that_is_whole_beats(script, record, &mut self.found);
        let ledger = serde_json::to_string(&record.ledger).expect("a ledger is text");
        if ledger.contains(CREDENTIAL) {
            self.found.push((7, "the ledger holds a credential".to_owned()));
        }
    }
}

impl Look<'_> {
    fn day(&self, dashboard: &Id, deadline: Instant) -> Option<&Day> {
        self.days.iter().find(|day| day.dashboard == *dashboard && day.deadline == deadline)
    }

    /// Promise 3, of the verdicts themselves: ready rests on what was seen.
    fn is_ready(&self, key: &CycleKey, found: &mut Vec<(u8, String)>) {
        let nth = usize::try_from(key.nth).unwrap_or(usize::MAX);
        let Some(day) = self.days.iter().find(|day| day.dashboard == key.dashboard && day.date == key.date && day.nth == nth)
        else {
            return;
        };
        self.ready(day, "judged", found);
    }

    fn ready(&self, day: &Day, what: &str, found: &mut Vec<(u8, String)>) {
        if !self.truth.is_plain(day, self.real) {
            return;
        }
        for (id, thing) in self.truth.needs(day, self.record) {
            if !self.truth.was_seen(thing, day, self.record, self.real) {
                found
                    .push((3, format!("{} is {what} ready at {}, and {id} was not seen to come", day.dashboard, local(self.real))));
            }
        }
    }

    /// Promise 3: ready is said only of what was seen; nothing dark is on track; failed is said only of what failed.
    fn is_truly_seen(&self, post: &Post, found: &mut Vec<(u8, String)>) {
        if post.stands_in_for.is_some() {
            return;
        }
        let body = &post.message.body;
        let (dashboards, failed): (&[DashboardFacts], Option<&Cause>) = match body {
            Body::Incident { about, .. } => (&about.dashboards, (about.verdict == Verdict::Failed).then_some(&about.cause)),
            Body::Resolved(about) => (&about.dashboards, None),
            Body::Digest(about) => (&about.dashboards, None),
            Body::Week(_) | Body::Watch(_) => (&[], None),
        };
        // Nobody wants to hear of what is muted: the digest names it, and does not count it.
        let heard = dashboards.iter().filter(|dashboard| !self.is_muted(&dashboard.id));
        let worst = heard.map(|dashboard| dashboard.verdict).max();
        if matches!(body, Body::Digest(about) if about.verdict == DigestVerdict::Ready) && worst > Some(Verdict::Ready) {
            found.push((3, format!("a digest at {} says ready over {worst:?}", local(self.real))));
        }
        for told in dashboards {
            let Some(day) = self.day(&told.id, told.deadline).filter(|day| self.truth.is_plain(day, self.real)) else { continue };
            if told.verdict == Verdict::Ready {
                self.ready(day, "called", found);
            }
            let dark =
                |(_, thing): &(Id, &Thing)| self.is_dark(&thing.source) && !self.truth.was_seen(thing, day, self.record, self.real);
            if told.verdict == Verdict::AtRisk && matches!(body, Body::Incident { .. }) && self.is_all_there(day) {
                found.push((3, format!("{} is at risk at {}, and all of it is there", told.id, local(self.real))));
            }
            if told.verdict == Verdict::OnTrack && self.truth.needs(day, self.record).iter().any(dark) {
                found.push((3, format!("{} is on track at {} over a dark source", told.id, local(self.real))));
            }
        }
        if let Some(Cause::Check(id)) = failed {
            let failed = self.truth.thing(id).is_some_and(|thing| self.has_failed(thing));
            if !failed {
                found.push((3, format!("{id} is called failed at {} and was never seen failed", local(self.real))));
            }
        }
    }

    /// All that the day's dashboard needs itself was seen, and nothing of it began anew since.
    fn is_all_there(&self, day: &Day) -> bool {
        let needs = self.truth.needs(day, self.record);
        let there = |(_, thing): &(Id, &Thing)| {
            let again = || thing.runs.iter().filter(|run| counts(run, day) && run.began() <= self.real).count() > 1;
            self.truth.was_seen(thing, day, self.record, self.real) && !again()
        };
        !self.truth.conf.dashboards[&day.dashboard].needs.iter().any(is_group) && needs.iter().all(there)
    }

    fn is_muted(&self, dashboard: &Id) -> bool {
        let muted = |order: &Order| matches!(order, Order::Mute { what: Muted::Dashboard(id), .. } if id == dashboard);
        self.record.granted.iter().any(|granted| granted.span.holds(self.real) && muted(&granted.order))
    }

    fn has_failed(&self, thing: &Thing) -> bool {
        let failures = thing.runs.iter().filter_map(|run| run.failed_at());
        failures.into_iter().any(|failed| saw(self.record, &thing.source, failed, self.real))
    }

    fn is_dark(&self, source: &Id) -> bool {
        let asleep = self.record.away.iter().any(|span| span.touches(self.real - DARK, self.real));
        !asleep && self.truth.script.is_dark(source, self.real) && !saw(self.record, source, self.real - DARK, self.real)
    }

    /// Promise 3: who waits for another thing is not named under this one.
    fn blames_whom_it_should(&self, post: &Post, found: &mut Vec<(u8, String)>) {
        let Body::Incident { about, .. } = &post.message.body else { return };
        let Cause::Check(cause) = &about.cause else { return };
        let awaits = |thing: &Thing| self.awaits_reasons(&thing.source);
        if post.stands_in_for.is_some() || about.alike > SAMPLE || self.truth.thing(cause).is_none_or(awaits) {
            return;
        }
        for told in &about.dashboards {
            let Some(day) = self.day(&told.id, told.deadline).filter(|day| self.truth.is_plain(day, self.real)) else { continue };
            let mut closure = self.truth.closure(&told.id);
            closure.retain(|id| self.truth.conf.is_due(id, day.date));
            if !closure.contains(cause) && !self.is_like_one_of(about, cause, &closure) {
                found.push((3, format!("{} is named under {cause} at {} and does not wait for it", told.id, local(self.real))));
            }
        }
    }

    /// Have more failures been seen of late than the source could tell the reasons of since, in the time that a word waits for them?
    fn awaits_reasons(&self, source: &Id) -> bool {
        let each_s = self.truth.script.fetch_s.get(source).copied().unwrap_or(0);
        let runs = self.truth.script.things.values().filter(|thing| thing.source == *source).flat_map(|thing| &thing.runs);
        let failed: Vec<Instant> = runs.filter_map(Course::failed_at).filter(|at| *at <= self.real).collect();
        let all_s = each_s * i64::try_from(failed.len()).unwrap_or(i64::MAX);
        let swept = || self.record.swept.get(source).into_iter().flatten();
        let seen = failed.iter().filter_map(|failed| swept().filter(|swept| *swept >= failed).min()).max();
        // Whoever comes back asks anew.
        let asked = self.record.away.iter().map(|span| &span.to).chain(seen).max();
        all_s > REASONS_S && asked.is_none_or(|asked| self.real <= *asked + TimeDelta::seconds(all_s))
    }

    /// Has one of these the same trouble as the cause, as far as anybody can know?
    fn is_like_one_of(&self, about: &IncidentFacts, cause: &Id, closure: &BTreeSet<Id>) -> bool {
        let Some(source) = self.truth.thing(cause).map(|thing| &thing.source) else { return true };
        let known = match &about.situation {
            Situation::Failed { failure, .. } => failure.error.as_deref().map(blanked),
            _ => None,
        };
        let alike = |thing: &Thing| match &known {
            None => true,
            Some(error) => thing.runs.iter().any(|run| {
                let told = blanked(&run.error) == *error || run.error.is_empty();
                told && run.failed_at().is_some_and(|failed| failed <= self.real)
            }),
        };
        about.alike > 0 && closure.iter().filter_map(|id| self.truth.thing(id)).any(|thing| thing.source == *source && alike(thing))
    }

    /// Promise 5: in quiet hours a person is asked only past a deadline, or at act-by of a dashboard that may wake.
    fn wakes_nobody(&self, post: &Post, found: &mut Vec<(u8, String)>) {
        let Some(chat) = self.truth.conf.chats.get(&post.chat) else { return };
        if post.stands_in_for.is_some() || post.message.attention < Attention::Notify || !chat.is_quiet(self.at) {
            return;
        }
        let Body::Incident { about, .. } = &post.message.body else {
            return found.push((5, format!("a person is asked in quiet hours, and by no incident: {post:?}")));
        };
        let may = |told: &DashboardFacts| {
            let wakes = self.truth.conf.dashboards.get(&told.id).is_some_and(|dashboard| dashboard.wake);
            told.audience && (told.deadline <= self.at || wakes && told.act_by.is_some_and(|act_by| act_by <= self.at))
        };
        if !about.dashboards.iter().any(may) {
            found.push((5, format!("a person is asked in quiet hours at {} in {}", local(self.at), post.chat)));
        }
    }
}

/// Which members it has, and since when, only its source knows.
fn is_group(need: &Id) -> bool {
    need.as_str().starts_with("group:")
}

fn blanked(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_digit() { '#' } else { c }).collect()
}

/// Promise 7: no credential in a message, in either language; an error line is data, never words of the program.
fn leaks_nothing(post: &Post, found: &mut Vec<(u8, String)>) {
    let raw = serde_json::to_string(post).expect("a post is text");
    for language in [Language::En, Language::Ko] {
        let text = word(&post.message, language);
        if raw.contains(CREDENTIAL) || format!("{text:?}").contains(CREDENTIAL) {
            found.push((7, format!("post {} holds a credential", post.id)));
        }
        let alive = |span: &Span| !matches!(span, Span::Data(_)) && ALIVE.iter().any(|word| span.text().contains(word));
        if lines(&text).into_iter().flatten().any(alive) {
            found.push((7, format!("post {} takes an error line for its own words", post.id)));
        }
    }
}

fn lines(text: &Text) -> Vec<&Line> {
    let mut lines = vec![&text.preview, &text.lead, &text.foot];
    lines.extend(&text.title);
    lines.extend(text.facts.iter().map(|(_, line)| line));
    lines.extend(text.section.iter().flat_map(|(_, lines)| lines));
    lines
}

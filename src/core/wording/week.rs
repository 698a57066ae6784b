//! The digest that looks back: what a week came to, beside the week before.

use super::context::{Context, number};
use super::incident::subject;
use super::marked::{NAME_CHARS, name, preview};
use super::words::{Heading, Label};
use super::{Draft, LINES, symbol, tone};
use crate::core::message::{DigestVerdict, Tone, WeekFacts, WeekSums};

/// The most sources that a line names.
const SOURCES: usize = 3;

pub(super) fn draft(cx: &Context<'_>, about: &WeekFacts) -> Draft {
    let words = cx.words;
    let tone = match about.verdict {
        DigestVerdict::Trouble(verdict) => tone(verdict),
        DigestVerdict::NotWatched => Tone::Unknown,
        _ => Tone::Good,
    };
    // A good week has the moon of a quiet night.
    let symbol = if tone == Tone::Good { "🌙" } else { symbol(tone) };
    let days = words.days(about.from, about.to);
    let title = format!("{symbol} {}", words.week_title(&days, about.is_quiet()));
    let (facts, section) = if about.is_blank() { (Vec::new(), None) } else { (facts(cx, about), Some(section(cx, about))) };
    Draft {
        tone,
        preview: preview(|_| segments(cx, about, symbol, &days)),
        title,
        lead: lead(cx, about, &days),
        facts,
        timed: Vec::new(),
        section,
        foot: foot(cx, about),
        links: Vec::new(),
    }
}

fn segments(cx: &Context<'_>, about: &WeekFacts, symbol: &str, days: &str) -> Vec<String> {
    let words = cx.words;
    let word = format!("{symbol} {}", words.week_word());
    if about.is_blank() {
        return vec![word, words.nothing_counted(days)];
    }
    let deadlines = words.deadlines_short(&about.sums.deadlines, about.unwatched);
    let woken = words.woken_short(about.sums.words.wakeups, about.before.as_ref().map(|before| before.words.wakeups));
    let since = about.since.map(|since| words.counted_since(&cx.clock(since)));
    // What went wrong comes first.
    let [first, second] = if about.sums.deadlines.missed > 0 { [deadlines, woken] } else { [woken, deadlines] };
    [Some(word), Some(first), Some(second), since].into_iter().flatten().collect()
}

fn lead(cx: &Context<'_>, about: &WeekFacts, days: &str) -> Vec<String> {
    let words = cx.words;
    if about.is_blank() {
        return vec![format!("*{}.*", words.nothing_counted(days))];
    }
    let sums = &about.sums;
    let before = about.before.as_ref().map(|before| before.words.wakeups);
    let woken = words.woken(sums.words.wakeups, before);
    let deadlines = words.deadlines(&sums.deadlines, about.unwatched, sums.dashboards);
    let digests = words.digests(&sums.digests);
    let [first, second] = if sums.deadlines.missed > 0 { [deadlines, woken] } else { [woken, deadlines] };
    vec![format!("*{first}*"), second, digests]
}

fn facts(cx: &Context<'_>, about: &WeekFacts) -> Vec<(Label, String)> {
    let words = cx.words;
    let (sums, before) = (&about.sums, about.before.as_ref());
    let (deadlines, said) = (&sums.deadlines, &sums.words);
    let on_time =
        |sums: &WeekSums, unwatched| format!("{} / {}", number(sums.deadlines.met), number(sums.deadlines.due() + unwatched));
    let beside =
        before.filter(|before| before.deadlines.due() > 0).map(|before| format!(" ({})", words.before(&on_time(before, 0))));
    let mut facts = vec![(Label::OnTime, format!("{}{}", on_time(sums, about.unwatched), beside.unwrap_or_default()))];
    if deadlines.missed > 0 {
        facts.push((Label::Missed, words.missed_told(deadlines)));
    }
    if deadlines.unknown + deadlines.pending + about.unwatched > 0 {
        facts.push((Label::Unknown, words.unseen(deadlines, about.unwatched)));
    }
    let change = before.map(|before| change(said.wakeups, before.words.wakeups)).unwrap_or_default();
    facts.push((Label::Woken, format!("{}{change} {}", number(said.wakeups), words.asked_of(said.asked))));
    if !about.blind.is_empty() {
        facts.push((Label::Blind, blind(cx, about)));
    }
    facts.push((Label::Healed, words.healed_of(said.healed, said.incidents)));
    facts.push((Label::Grouped, words.grouped(said.alerts, said.messages)));
    facts.push((Label::FalseAlarm, words.false_alarms(deadlines.false_alarms)));
    facts.push((Label::Quiet, words.quiet_hours(sums.quiet_hours, sums.hours, sums.unwatched_hours)));
    facts
}

/// ` (−5)`: five fewer than the week before.
fn change(now: usize, before: usize) -> String {
    match now.cmp(&before) {
        std::cmp::Ordering::Less => format!(" (−{})", number(before - now)),
        std::cmp::Ordering::Equal => " (±0)".to_owned(),
        std::cmp::Ordering::Greater => format!(" (+{})", number(now - before)),
    }
}

fn blind(cx: &Context<'_>, about: &WeekFacts) -> String {
    let of_one = |(id, minutes): &(crate::core::plan::Id, i64)| {
        format!(
            "{} {}",
            name(id.as_str(), NAME_CHARS),
            cx.span(chrono::TimeDelta::minutes((*minutes).clamp(0, i64::from(u32::MAX))))
        )
    };
    let named: Vec<String> = about.blind.iter().take(SOURCES).map(of_one).collect();
    let more = about.blind.len().saturating_sub(SOURCES) + about.more_blind;
    cx.words.and_more(&named.join(", "), more)
}

/// The causes of which was spoken, the loudest first.
fn section(cx: &Context<'_>, about: &WeekFacts) -> (&'static str, Vec<String>) {
    let words = cx.words;
    let all = about.causes.len() + about.more_causes;
    let shown = if all > LINES { LINES - 1 } else { LINES };
    let lines = about.causes.iter().take(shown).map(|(cause, said)| words.cause_of_week(&subject(cx, cause, NAME_CHARS), said));
    let rest = all.saturating_sub(shown);
    let more = (rest > 0).then(|| words.more_incidents(rest));
    (words.heading(Heading::Causes), lines.chain(more).collect())
}

fn foot(cx: &Context<'_>, about: &WeekFacts) -> Vec<String> {
    let words = cx.words;
    let since = about.since.map(|since| words.counted_since(&cx.full(since)));
    let all = (!about.is_blank()).then(|| words.all_of_it(&format!("dawnwatch report --from {} --to {}", about.from, about.to)));
    let next = about.next_at.map(|t| words.next_week(&cx.clock(t)));
    [since, all, next].into_iter().flatten().collect()
}

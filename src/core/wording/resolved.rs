//! The last word about an incident: what was the matter, how it ended, which deadlines it cost.

use super::context::Context;
use super::incident::subject;
use super::marked::{NAME_CHARS, name, preview};
use super::words::{Heading, Label, Note};
use super::{Draft, LINES, symbol};
use crate::core::message::{DashboardFacts, ResolvedFacts, Tone};
use crate::core::state::{Cause, Own};

pub(super) fn draft(cx: &Context<'_>, about: &ResolvedFacts) -> Draft {
    let words = cx.words;
    let recovered = about.recovered_at.is_some();
    let tone = match (recovered, about.missed) {
        (true, 0) => Tone::Good,
        (_, 0) => Tone::Warning,
        // What is over and was missed is no news to act on, yet nothing to be glad of.
        (true, _) => Tone::Warning,
        (false, _) => Tone::Bad,
    };
    // It is over in any case, so the word says so; the symbol says whether anything was lost.
    let word = format!("{} {}", symbol(tone), words.resolved_word(recovered));
    Draft {
        tone,
        preview: preview(|max| segments(cx, about, &word, max)),
        title: title(cx, about, &word),
        lead: lead(cx, about),
        facts: facts(cx, about),
        timed: Vec::new(),
        section: (about.dashboards.len() > 1).then(|| (words.heading(Heading::ByDeadline), lines(cx, about))),
        foot: vec![words.checked(&cx.hour_zone(cx.at)), words.note(Note::NoFurtherWord).to_owned(), format!("#{}", about.incident)],
        links: about
            .dashboards
            .iter()
            .find_map(|d| d.url.clone())
            .map(|url| (words.heading(Heading::Dashboard).to_owned(), url))
            .into_iter()
            .collect(),
    }
}

fn title(cx: &Context<'_>, about: &ResolvedFacts, word: &str) -> String {
    let brief = brief(cx, about, 40);
    match (about.missed, about.deadlines) {
        (_, 0) => format!("{word} — {brief}"),
        (0, deadlines) => format!("{word} — {brief}, {}", cx.words.kept(deadlines)),
        (missed, deadlines) => format!("{word} — {brief}, {}", cx.words.missed_of(missed, deadlines)),
    }
}

/// A clock does not come back: it is right again.
fn is_clock(about: &ResolvedFacts) -> bool {
    matches!(about.cause, Cause::Clock(_) | Cause::Watch(Own::Clock)) && about.recovered_at.is_some()
}

fn brief(cx: &Context<'_>, about: &ResolvedFacts, max: usize) -> String {
    let subject = subject(cx, &about.cause, max);
    if about.retired_by.is_some() {
        cx.words.retired_brief(&subject)
    } else if is_clock(about) {
        cx.words.right_again(&subject, None)
    } else {
        cx.words.resolved_brief(&subject, about.recovered_at.is_some())
    }
}

fn nothing_to_do(about: &ResolvedFacts) -> bool {
    about.recovered_at.is_some() && about.missed == 0
}

fn segments(cx: &Context<'_>, about: &ResolvedFacts, word: &str, max: usize) -> Vec<String> {
    let words = cx.words;
    let brief = brief(cx, about, max);
    let dashboard = shown_first(about).map(|d| outcome(cx, d, max));
    let missed = (about.deadlines > 1 || about.missed > 0).then(|| words.missed_of(about.missed, about.deadlines));
    let done = nothing_to_do(about).then(|| words.note(Note::NothingToDo).to_owned());
    [Some(word.to_owned()), Some(brief), dashboard, missed, done].into_iter().flatten().collect()
}

/// The one that was missed, else the first.
fn shown_first(about: &ResolvedFacts) -> Option<&DashboardFacts> {
    let missed = |d: &&DashboardFacts| d.audience && d.ready_at.is_none_or(|t| t > d.deadline);
    about.dashboards.iter().find(missed).or_else(|| about.dashboards.iter().find(|d| d.audience)).or(about.dashboards.first())
}

/// `Executive summary 09:00: ready 08:31, 29 min early`.
fn outcome(cx: &Context<'_>, d: &DashboardFacts, max: usize) -> String {
    let how = match d.ready_at {
        None if d.deadline > cx.at => cx.words.note(Note::NotReady).to_owned(),
        None => cx.words.missed_short().to_owned(),
        Some(t) if t <= d.deadline => cx.words.ready_early(&cx.clock(t), &cx.span(d.deadline - t)),
        Some(t) => cx.words.ready_late(&cx.clock(t), &cx.span(t - d.deadline)),
    };
    format!("{} {}: {how}", name(&d.name, max), cx.clock(d.deadline))
}

fn lead(cx: &Context<'_>, about: &ResolvedFacts) -> Vec<String> {
    let words = cx.words;
    let recovered = about.recovered_at.map(|t| cx.clock(t));
    let subject = subject(cx, &about.cause, NAME_CHARS);
    let first = match (&about.retired_by, &recovered) {
        (Some(by), _) => words.retired_lead(&subject, &name(by, NAME_CHARS)),
        (None, Some(at)) if is_clock(about) => words.right_again(&subject, Some(at)),
        _ => words.resolved_lead(&subject, recovered.as_deref(), about.waited),
    };
    let dashboard = shown_first(about).map(|d| {
        let (shown, deadline) = (name(&d.name, NAME_CHARS), cx.clock(d.deadline));
        match d.ready_at {
            Some(t) if t <= d.deadline => words.dashboard_made_it(&shown, &deadline, &cx.clock(t), &cx.span(d.deadline - t)),
            Some(t) => words.dashboard_missed_it(&shown, &deadline, Some((&cx.clock(t), &cx.span(t - d.deadline)))),
            None => words.dashboard_missed_it(&shown, &deadline, None),
        }
    });
    let done = nothing_to_do(about).then(|| words.note(Note::NothingToDoAtAll).to_owned());
    [Some(format!("*{first}*")), dashboard, done].into_iter().flatten().collect()
}

fn facts(cx: &Context<'_>, about: &ResolvedFacts) -> Vec<(Label, String)> {
    let words = cx.words;
    let told = about.failure.as_ref().filter(|f| f.task.is_some() || f.error.is_some());
    let mut facts = Vec::new();
    if about.deadlines > 0 {
        facts.push((Label::Missed, words.of_deadlines(about.missed, about.deadlines)));
    }
    facts.push((Label::Cause, subject(cx, &about.cause, NAME_CHARS)));
    facts.extend(told.map(|failure| (Label::Error, words.failure(failure))));
    let recovered = about.recovered_at.filter(|_| about.retired_by.is_none());
    facts.extend(recovered.map(|t| (Label::Recovered, cx.full(t))));
    let span = cx.span(about.resolved_at - about.since);
    facts.push((Label::Lasted, words.lasted(&cx.clock(about.since), &cx.clock(about.resolved_at), &span)));
    facts
}

fn lines(cx: &Context<'_>, about: &ResolvedFacts) -> Vec<String> {
    let shown = if about.dashboards.len() > LINES { LINES - 1 } else { LINES };
    let rest = about.dashboards.len().saturating_sub(shown);
    let lines = about.dashboards.iter().take(shown).map(|d| outcome(cx, d, NAME_CHARS));
    lines.chain((rest > 0).then(|| cx.words.more_dashboards(rest))).collect()
}

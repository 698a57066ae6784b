//! The scheduled summary, and trouble of the watch itself.

use super::context::{Context, number};
use super::incident::{self, subject};
use super::marked::{NAME_CHARS, name, preview, quote};
use super::words::{Heading, Label, Note};
use super::{Draft, FACTS, LINES, symbol, tone};
use crate::core::command::Muted;
use crate::core::message::{DashboardFacts, DigestFacts, DigestIncident, DigestVerdict, Tone, WatchFacts};
use crate::core::state::{Attention, Cause, Verdict};
use crate::core::time::wall_clock;
use chrono::NaiveDate;

pub(super) fn draft(cx: &Context<'_>, attention: Attention, about: &DigestFacts) -> Draft {
    let words = cx.words;
    let tone = match about.verdict {
        DigestVerdict::Ready | DigestVerdict::OnTrack | DigestVerdict::NothingDue => Tone::Good,
        DigestVerdict::Trouble(verdict) => tone(verdict),
        DigestVerdict::NotWatched | DigestVerdict::Maintenance => Tone::Unknown,
        DigestVerdict::WatchTrouble => Tone::Warning,
    };
    let word = format!("{} {}", symbol(tone), words.digest_word(about.verdict));
    let local = cx.local(cx.at);
    let (day, hour) = (words.day(local.date_naive()), cx.hour(cx.at));
    // One dashboard's facts have labels of their own; several are a list by deadline.
    let (timed, facts) = match about.dashboards.as_slice() {
        [only] => (Vec::new(), one_dashboard(cx, only)),
        several => by_deadline(cx, several),
    };
    let mut facts = facts;
    if about.healed > 0 {
        facts.push((Label::Healed, words.healed(about.healed)));
    }
    facts.push((Label::Sources, words.answered(about.sources_answering, about.sources)));
    Draft {
        tone,
        preview: preview(|max| segments(cx, about, &word, max)),
        title: words.check_of(&word, &day, &hour),
        lead: lead(cx, about),
        facts,
        timed,
        section: Some(section(cx, about)),
        foot: foot(cx, attention, about),
        links: links(cx, about),
    }
}

fn foot(cx: &Context<'_>, attention: Attention, about: &DigestFacts) -> Vec<String> {
    let words = cx.words;
    let asked = (attention >= Attention::Notify).then(|| words.attention(attention).to_owned());
    let next = about.next_at.map(|t| words.next_check(&cx.clock(t), about.notes.next_when_ready));
    let shown = Some(words.checked(&cx.hour_zone(cx.at)));
    [shown, asked, next].into_iter().flatten().collect()
}

/// What is only in maintenance is no trouble.
fn in_trouble(d: &DashboardFacts) -> bool {
    d.verdict.is_trouble() && !d.in_maintenance
}

/// In percent: nobody is told that there is nothing to do from there on.
const DOUBTFUL: u8 = 50;

/// Nothing is wrong with it, and yet it is likelier than not to miss its deadline.
fn doubtful(about: &DigestFacts) -> Option<(&DashboardFacts, u8)> {
    let on_track = about.dashboards.iter().filter(|d| d.verdict == Verdict::OnTrack && d.audience && !d.in_maintenance && !d.muted);
    let chances = on_track.filter_map(|d| Some((d, d.chance?)));
    chances.filter(|(_, chance)| *chance >= DOUBTFUL).min_by_key(|(_, chance)| std::cmp::Reverse(*chance))
}

fn several(about: &DigestFacts) -> bool {
    about.dashboards.len() > 1
}

/// The digest's most urgent trouble.
fn worst(about: &DigestFacts) -> Option<&DigestIncident> {
    about.incidents.first()
}

fn segments(cx: &Context<'_>, about: &DigestFacts, word: &str, max: usize) -> Vec<String> {
    let words = cx.words;
    let dashboards = about.dashboards.len();
    let ready = about.dashboards.iter().filter(|d| d.verdict == Verdict::Ready).count();
    let only = if let [only] = about.dashboards.as_slice() { Some(only) } else { None };
    let arrived = only.map(|d| words.arrived_of(d.arrived, d.checks));
    let ready_of = (dashboards > 1).then(|| words.ready_of(ready, dashboards));
    let eta = only.and_then(|d| d.eta).map(|eta| words.eta_short(&cx.clock(eta.at), None));
    let named = |d: &DashboardFacts| format!("{} {}", name(&d.name, max), cx.clock(d.deadline));
    let sources = words.sources(about.sources_answering, about.sources);
    let nothing = match doubtful(about) {
        Some((d, chance)) if several(about) => Some(format!("{} {}", named(d), words.chance(chance))),
        Some((_, chance)) => Some(words.chance(chance)),
        None => Some(words.note(Note::NothingToDo).to_owned()),
    };
    let shown = match about.verdict {
        DigestVerdict::Ready => {
            let which = match only {
                Some(d) => words.is_ready(&name(&d.name, max), &cx.clock(d.deadline)),
                None => words.all_ready_short(dashboards),
            };
            vec![Some(which), arrived, nothing]
        }
        DigestVerdict::OnTrack => vec![only.map(named), ready_of, arrived, eta, nothing],
        DigestVerdict::NotWatched => {
            vec![only.map(named), Some(words.state(Verdict::NotWatched).to_owned()), Some(sources)]
        }
        DigestVerdict::Maintenance => vec![maintenance(cx, about, max).next(), ready_of, arrived],
        DigestVerdict::NothingDue => vec![Some(words.note(Note::NoDashboardDue).to_owned()), Some(sources)],
        DigestVerdict::Trouble(_) => {
            let cause = worst(about).map(|i| incident_brief(cx, i, max));
            let cause = cause.map(|cause| words.and_more(&cause, about.incidents.len() - 1));
            let waiting = worst(about).filter(|i| i.waiting > 0).map(|i| words.waiting_short(i.waiting));
            let endangered = about.dashboards.iter().find(|d| in_trouble(d));
            let endangered = endangered.map(|d| incident::dashboard_short(cx, d, max));
            vec![cause, waiting, endangered, ready_of, arrived]
        }
        DigestVerdict::WatchTrouble => {
            let refused = about.notes.refused.as_ref().map(|_| words.note(Note::ReloadRefused).to_owned());
            let trouble = refused.or_else(|| watch_lines(cx, about, max).into_iter().next());
            vec![trouble, ready_of, arrived]
        }
    };
    [Some(word.to_owned())].into_iter().chain(shown).flatten().collect()
}

fn lead(cx: &Context<'_>, about: &DigestFacts) -> Vec<String> {
    let words = cx.words;
    let strong = |text: String| format!("*{text}*");
    let note = |note| words.note(note).to_owned();
    let first = about.dashboards.first().map(|d| (name(&d.name, NAME_CHARS), cx.hour_zone(d.deadline)));
    let several = several(about);
    match (about.verdict, first) {
        (DigestVerdict::Ready, Some((shown, deadline))) if !several => {
            vec![strong(words.all_arrived(&shown, &deadline)), note(Note::NothingToDoAtAll)]
        }
        (DigestVerdict::Ready, _) => vec![strong(note(Note::AllDashboardsReady)), note(Note::NothingToDoAtAll)],
        (DigestVerdict::OnTrack, Some(_)) if doubtful(about).is_some() => {
            let of = |(d, chance): (&DashboardFacts, u8)| {
                words.doubtful(&name(&d.name, NAME_CHARS), &cx.hour_zone(d.deadline), &words.chance(chance))
            };
            doubtful(about).map(of).map(strong).into_iter().collect()
        }
        (DigestVerdict::OnTrack, Some((shown, deadline))) => {
            let next = about.dashboards.iter().find(|d| d.verdict != Verdict::Ready);
            let (shown, deadline) = next.map_or((shown, deadline), |d| (name(&d.name, NAME_CHARS), cx.hour_zone(d.deadline)));
            vec![strong(words.under_way(&shown, &deadline)), note(Note::NothingToDoAtAll)]
        }
        (DigestVerdict::Maintenance, _) => vec![strong(note(Note::OnlyMaintenance))],
        // Dashboards that are not due are not among the facts: these were over before anybody watched.
        (DigestVerdict::NotWatched, _) => vec![strong(note(Note::NotYetWatched))],
        (DigestVerdict::NothingDue, Some(_)) => vec![strong(note(Note::AllMuted))],
        (DigestVerdict::OnTrack | DigestVerdict::NothingDue, _) => vec![strong(note(Note::NoDashboardDueAtAll))],
        (DigestVerdict::Trouble(verdict), _) => {
            let endangered = about.dashboards.iter().filter(|d| in_trouble(d)).count();
            let lead = strong(words.trouble_lead(about.incidents.len(), endangered, about.dashboards.len()));
            let unknown = (verdict == Verdict::Unknown).then(|| note(Note::NeitherGoodNorBad));
            let first = about.dashboards.iter().find(|d| in_trouble(d));
            let consequence = first.and_then(|d| incident::consequence(cx, d)).map(|(text, _)| text);
            [Some(lead), unknown, consequence].into_iter().flatten().collect()
        }
        (DigestVerdict::WatchTrouble, _) if about.sources_answering < about.sources => vec![strong(note(Note::NotAllSeen))],
        (DigestVerdict::WatchTrouble, _) => vec![strong(note(Note::PipelinesFine))],
    }
}

fn one_dashboard(cx: &Context<'_>, d: &DashboardFacts) -> Vec<(Label, String)> {
    let words = cx.words;
    let mut facts = vec![(Label::Arrived, format!("{} / {}", number(d.arrived), number(d.checks)))];
    if d.unknown > 0 {
        facts.push((Label::Unknown, words.unknown_short(d.unknown, d.checks)));
    }
    match d.ready_at {
        Some(ready) => {
            facts.extend(
                d.latest.as_ref().map(|(id, t)| (Label::Latest, format!("{} {}", name(id.as_str(), NAME_CHARS), cx.clock(*t)))),
            );
            if ready < d.deadline {
                facts.push((Label::Margin, cx.span(d.deadline - ready)));
            }
        }
        None => {
            facts.insert(0, (Label::Deadline, incident::deadline(cx, d)));
            let open = d.act_by.filter(|_| in_trouble(d) && d.audience && !cx.is_over(d.deadline));
            if let Some(act_by) = open {
                facts.insert(0, (Label::ActBy, incident::act_by_fact(cx, act_by)));
            }
            facts.extend(d.eta.map(|eta| (Label::Eta, cx.eta(&eta))));
        }
    }
    facts
}

type Facts = (Vec<(String, String)>, Vec<(Label, String)>);

/// Several dashboards: the label is the deadline. What is in trouble comes first where not all find room.
fn by_deadline(cx: &Context<'_>, dashboards: &[DashboardFacts]) -> Facts {
    // Sources, healed, and the line that counts the rest need room too.
    const SHOWN: usize = FACTS - 2;
    let mut order: Vec<&DashboardFacts> = dashboards.iter().collect();
    if order.len() > SHOWN {
        order.sort_by_key(|d| (!in_trouble(d), d.verdict == Verdict::Ready, d.deadline));
        order.truncate(SHOWN - 1);
    }
    let rest = dashboards.len() - order.len();
    let timed = order.into_iter().map(|d| (cx.hour(d.deadline), dashboard(cx, d))).collect();
    let more = (rest > 0).then(|| (Label::More, cx.words.more_dashboards(rest)));
    (timed, more.into_iter().collect())
}

/// `Executive summary: at risk, 280/312 arrived, ETA 09:40`.
fn dashboard(cx: &Context<'_>, d: &DashboardFacts) -> String {
    let words = cx.words;
    let mut parts = vec![match d.ready_at {
        Some(t) => words.ready_at(&cx.clock(t)),
        None => words.state(d.verdict).to_owned(),
    }];
    parts.push(words.arrived_of(d.arrived, d.checks));
    if d.unknown > 0 {
        parts.push(words.unknown_short(d.unknown, d.checks));
    }
    if d.ready_at.is_none() {
        parts.extend(d.eta.map(|eta| words.eta_short(&cx.clock(eta.at), None)));
        // What is as good as sure is not worth a word.
        parts.extend(d.chance.filter(|percent| *percent >= 10).map(|percent| words.chance(percent)));
    }
    format!("{}: {}", name(&d.name, NAME_CHARS), parts.join(", "))
}

/// The causes, one a line; then what ails the watch.
fn section(cx: &Context<'_>, about: &DigestFacts) -> (&'static str, Vec<String>) {
    let watch = watch_lines(cx, about, NAME_CHARS);
    let room = LINES.saturating_sub(watch.len()).max(LINES / 2);
    let shown = if about.incidents.len() > room { room - 1 } else { room };
    let rest = about.incidents.len().saturating_sub(shown);
    let lines = about.incidents.iter().take(shown).map(|i| incident_line(cx, i));
    let more = (rest > 0).then(|| cx.words.more_incidents(rest));
    let heading = if about.incidents.is_empty() { Heading::Worth } else { Heading::Causes };
    (cx.words.heading(heading), lines.chain(more).chain(watch).collect())
}

fn incident_brief(cx: &Context<'_>, i: &DigestIncident, max: usize) -> String {
    if matches!(i.cause, Cause::Watch(_)) && !i.recovering {
        return cx.words.suspected(&subject(cx, &i.cause, max));
    }
    cx.words.incident_state(&subject(cx, &i.cause, max), i.verdict, i.recovering)
}

/// `member_export failed: connection refused · 120 waiting · Member Platform · #4711`.
fn incident_line(cx: &Context<'_>, i: &DigestIncident) -> String {
    let words = cx.words;
    let told = i.failure.as_ref().filter(|f| !i.recovering && (f.task.is_some() || f.error.is_some()));
    let state = incident_brief(cx, i, NAME_CHARS);
    let state = told.map_or_else(|| state.clone(), |failure| format!("{state}: {}", words.failure(failure)));
    let waiting = (i.waiting > 0).then(|| words.waiting_short(i.waiting));
    let eta = i.eta.map(|eta| words.eta_short(&cx.clock(eta.at), None));
    let owner = i.owner.as_ref().map(|o| words.owner_short(&name(&o.name, NAME_CHARS)));
    let taken = i.taken.as_ref().map(|taken| format!("{} {}", words.label(Label::Taken), incident::taken(cx, taken)));
    [Some(state), waiting, eta, taken, owner, Some(format!("#{}", i.incident))]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" · ")
}

fn maintenance<'a>(cx: &'a Context<'_>, about: &'a DigestFacts, max: usize) -> impl Iterator<Item = String> {
    let line = move |(what, until): &(Cause, _)| cx.words.in_maintenance(&subject(cx, what, max), &cx.clock(*until));
    about.notes.maintenance.iter().map(line)
}

/// What ails the watch, what is in maintenance, and calendars that end; what somebody has to mend comes first.
fn watch_lines(cx: &Context<'_>, about: &DigestFacts, max: usize) -> Vec<String> {
    let words = cx.words;
    let today = cx.local(cx.at).date_naive();
    let refused = about
        .notes
        .refused
        .iter()
        .map(|refused| words.reload_refused(&cx.clock(refused.at), refused.findings, &quote(&refused.first)));
    let clock = |(source, ahead_s): &(crate::core::plan::Id, i64)| {
        let clock = words.subject(&Cause::Clock(source.clone()), &name(source.as_str(), max));
        words.clock_off(&clock, &cx.seconds(*ahead_s), *ahead_s > 0)
    };
    let clocks = about.notes.clocks.iter().map(clock);
    let chats =
        about.broken_chats.iter().map(|(chat, why)| format!("{}: {}", words.chat_broken(&name(chat.as_str(), max)), quote(why)));
    let ends = |(calendar, last): &(_, NaiveDate)| {
        let calendar: &crate::core::plan::Id = calendar;
        words.calendar_ends(&name(calendar.as_str(), max), &words.date(*last), *last < today)
    };
    let muted = about.muted.iter().map(|(what, taken)| {
        let (Muted::Check(id) | Muted::Dashboard(id) | Muted::Source(id)) = what;
        words.muted(what, &name(id.as_str(), max), &name(&taken.by, max), &cx.clock(taken.until))
    });
    // One line: a whole platform may have moved.
    let moved = about.notes.moved.first().map(|(check, moved)| {
        let [from, to] = [moved.from_s, moved.to_s].map(|wall_s| wall_clock(wall_s.into()));
        let line = words.moved(&name(check.as_str(), max), &from, &to, moved.to_s > moved.from_s);
        words.and_more(&line, about.notes.moved.len() - 1)
    });
    let mended = refused.chain(chats).chain(clocks).chain(maintenance(cx, about, max));
    mended.chain(about.calendars_ending.iter().map(ends)).chain(moved).chain(muted).take(LINES / 2).collect()
}

fn links(cx: &Context<'_>, about: &DigestFacts) -> Vec<(String, String)> {
    let trouble = about.dashboards.iter().filter(|d| in_trouble(d));
    let others = about.dashboards.iter().filter(|d| !in_trouble(d));
    // One button: which of many it opens would have to be read twice on a phone.
    let first = trouble.chain(others).find_map(|d| d.url.clone());
    first.map(|url| (cx.words.heading(Heading::Dashboard).to_owned(), url)).into_iter().collect()
}

pub(super) fn draft_watch(cx: &Context<'_>, attention: Attention, about: &WatchFacts) -> Draft {
    let words = cx.words;
    let word = format!("{} {}", symbol(Tone::Warning), words.digest_word(DigestVerdict::WatchTrouble));
    let chat = name(about.chat.as_str(), NAME_CHARS);
    let broken = words.chat_broken(&chat);
    Draft {
        tone: Tone::Warning,
        preview: preview(|max| vec![word.clone(), words.chat_broken(&name(about.chat.as_str(), max)), quote(&about.why)]),
        title: format!("{word} — {broken}"),
        lead: vec![format!("*{}*", words.chat_broken_lead(&chat)), words.note(Note::OnlyTheTelling).to_owned()],
        facts: vec![(Label::Chat, chat), (Label::Answer, quote(&about.why))],
        timed: Vec::new(),
        section: None,
        foot: vec![words.checked(&cx.hour_zone(cx.at)), words.attention(attention).to_owned()],
        links: Vec::new(),
    }
}

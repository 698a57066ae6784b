//! An open incident: what is the matter, what it endangers, until when acting helps, who is asked when.

use super::context::Context;
use super::marked::{NAME_CHARS, name, preview, quote};
use super::words::{Heading, Label, Note, Prospect};
use super::{Draft, LINES, is_link, symbol, tone};
use crate::core::message::{DashboardFacts, IncidentFacts, NotSeen, NotStarted, OwnerFacts, Situation, Taken};
use crate::core::state::{Attention, Cause, Verdict};
use crate::core::time::{Instant, round_up};
use chrono::TimeDelta;

/// No time is promised to the minute.
const READERS_STEP: TimeDelta = TimeDelta::minutes(5);

pub(super) fn draft(cx: &Context<'_>, attention: Attention, update: bool, about: &IncidentFacts) -> Draft {
    let tone = tone(about.verdict);
    let verdict = match (cx.words.verdict(about.verdict), update) {
        (word, true) => cx.words.later(word),
        (word, false) => word.to_owned(),
    };
    let verdict = format!("{} {verdict}", symbol(tone));
    Draft {
        tone,
        preview: preview(|max| segments(cx, about, &verdict, max)),
        title: title(cx, about, &verdict),
        lead: lead(cx, about),
        facts: facts(cx, about),
        timed: Vec::new(),
        section: (about.dashboards.len() > 1).then(|| (cx.words.heading(Heading::ByDeadline), lines(cx, about))),
        foot: vec![
            cx.words.checked(&cx.hour_zone(cx.at)),
            cx.words.attention(attention).to_owned(),
            cx.words.next(cx, &about.next),
            format!("#{}", about.incident),
        ],
        links: links(cx, about),
    }
}

pub(super) fn subject(cx: &Context<'_>, cause: &Cause, max: usize) -> String {
    let shown = match cause {
        Cause::Check(id) | Cause::Source(id) | Cause::Scheduler(id) | Cause::Calendar(id) | Cause::Group(id) | Cause::Clock(id) => {
            name(id.as_str(), max)
        }
        Cause::Watch(own) => cx.words.own(*own).to_owned(),
    };
    cx.words.subject(cause, &shown)
}

/// The dashboard that matters most: the first by deadline that has an audience and is not ready.
fn first(about: &IncidentFacts) -> Option<&DashboardFacts> {
    let open = |d: &&DashboardFacts| d.ready_at.is_none();
    let dashboards = &about.dashboards;
    dashboards.iter().filter(open).find(|d| d.audience).or_else(|| dashboards.iter().find(open)).or(dashboards.first())
}

/// The earliest act-by of the deadlines that are still to come.
fn act_by(cx: &Context<'_>, about: &IncidentFacts) -> Option<Instant> {
    let open = about.dashboards.iter().filter(|d| d.audience && d.ready_at.is_none() && !cx.is_over(d.deadline));
    let act_bys = || open.clone().filter_map(|d| d.act_by);
    // One that can still be kept helps more than one that cannot.
    act_bys().filter(|t| !cx.is_over(*t)).min().or_else(|| act_bys().min())
}

pub(super) fn act_by_fact(cx: &Context<'_>, at: Instant) -> String {
    let shown = cx.full(at);
    if cx.is_over(at) { cx.words.act_by_over(&shown) } else { shown }
}

/// `Executive summary 09:00 → ETA 09:40 (+40 min)`.
pub(super) fn dashboard_short(cx: &Context<'_>, d: &DashboardFacts, max: usize) -> String {
    let shown = format!("{} {}", name(&d.name, max), cx.clock(d.deadline));
    match (cx.is_over(d.deadline), &d.eta) {
        (_, Some(eta)) if eta.at > d.deadline => {
            let late = cx.span(eta.at - d.deadline);
            format!("{shown} → {}", cx.words.eta_short(&cx.clock(eta.at), Some(&late)))
        }
        (true, _) => format!("{shown} {}", cx.words.missed_short()),
        (false, _) => shown,
    }
}

fn segments(cx: &Context<'_>, about: &IncidentFacts, verdict: &str, max: usize) -> Vec<String> {
    let words = cx.words;
    let briefly = words.briefly(cx, &subject(cx, &about.cause, max), &about.situation);
    let dashboard = first(about).map(|d| words.and_more(&dashboard_short(cx, d, max), about.dashboards.len() - 1));
    let act_by = act_by(cx, about).map(|at| words.act_by_short(&cx.clock(at), cx.is_over(at)));
    let waiting = (about.waiting > 0).then(|| words.waiting_short(about.waiting));
    let unknown = unknown_of(about).map(|(unknown, checks, _)| words.unknown_short(unknown, checks));
    let head = Some(verdict.to_owned());
    let order = match about.verdict {
        // Its point is the dashboard; that of a failure is the cause.
        Verdict::AtRisk => vec![head, dashboard, act_by, Some(briefly), waiting],
        Verdict::Unknown => vec![head, Some(briefly), unknown.or(waiting), dashboard, act_by],
        _ => vec![head, Some(briefly), waiting, dashboard, act_by],
    };
    order.into_iter().flatten().collect()
}

fn title(cx: &Context<'_>, about: &IncidentFacts, verdict: &str) -> String {
    let briefly = cx.words.briefly(cx, &subject(cx, &about.cause, 40), &about.situation);
    match (about.verdict, first(about)) {
        (Verdict::AtRisk, Some(d)) => format!("{verdict} — {} {}", name(&d.name, NAME_CHARS), cx.clock(d.deadline)),
        _ => match (unknown_of(about), about.waiting) {
            (Some((unknown, checks, _)), _) => format!("{verdict} — {briefly}, {}", cx.words.unknown_short(unknown, checks)),
            (None, 0) => format!("{verdict} — {briefly}"),
            (None, waiting) => format!("{verdict} — {briefly}, {}", cx.words.waiting_short(waiting)),
        },
    }
}

/// Of a source's checks: how many are unknown now. What had arrived when it was last seen stays arrived.
fn unknown_of(about: &IncidentFacts) -> Option<(usize, usize, usize)> {
    match &about.situation {
        Situation::SourceDark { last_seen: Some(seen), .. } if seen.checks > 0 => {
            Some((seen.checks.saturating_sub(seen.arrived), seen.checks, seen.arrived))
        }
        Situation::SelfSuspected { .. } if about.checks > 0 => Some((about.waiting, about.checks, 0)),
        _ => None,
    }
}

fn lead(cx: &Context<'_>, about: &IncidentFacts) -> Vec<String> {
    let words = cx.words;
    let subject = subject(cx, &about.cause, NAME_CHARS);
    let happened = words.happened(cx, &subject, &about.situation);
    let dashboard = first(about).filter(|d| d.ready_at.is_none());
    let consequence = dashboard.map(|d| consequence(cx, d).unwrap_or_else(|| (waits(cx, d), false)));
    let counts = match (unknown_of(about), about.waiting, about.checks) {
        (Some((unknown, checks, _)), ..) if matches!(about.cause, Cause::Watch(_)) => Some(words.unknown_among(unknown, checks)),
        (Some((unknown, checks, arrived)), ..) => Some(words.unknown_of(unknown, checks, arrived)),
        (None, 0, _) => None,
        (None, waiting, checks) if checks > 0 && about.untouched > 0 => {
            Some(words.waits_and_rest(waiting, about.untouched, checks))
        }
        (None, waiting, _) => Some(words.waits(waiting)),
    };
    let alike = (about.alike > 0).then(|| words.alike(about.alike, about.verdict == Verdict::Failed));
    let strong = |text: String| Some(format!("*{text}*"));
    let note = |note| Some(words.note(note).to_owned());
    let order = match about.verdict {
        Verdict::AtRisk => match consequence {
            Some((consequence, true)) => vec![strong(consequence), Some(happened), alike, counts],
            rest => vec![strong(happened), rest.map(|(text, _)| text), alike, counts],
        },
        Verdict::Unknown => {
            let alone = match &about.situation {
                Situation::SourceDark { others, others_answer: 0, .. } if *others > 0 => note(Note::NoOtherSource),
                _ => None,
            };
            let meaning = match &about.situation {
                Situation::ClockOff { .. } => note(Note::TimesAsGiven),
                Situation::OwnClockOff { .. } => None,
                _ => note(Note::NeitherGoodNorBad),
            };
            vec![strong(happened), counts, meaning, alone, alike, consequence.map(|(text, _)| text)]
        }
        _ => vec![strong(happened), alike, counts, consequence.map(|(text, _)| text)],
    };
    let of_watch = matches!(about.cause, Cause::Watch(_) | Cause::Clock(_));
    let outside = (about.dashboards.is_empty() && !of_watch).then(|| words.note(Note::OutsideDashboards).to_owned());
    order.into_iter().flatten().chain(outside).collect()
}

fn waits(cx: &Context<'_>, d: &DashboardFacts) -> String {
    let prospect = if d.verdict == Verdict::Unknown { Prospect::CannotSay } else { Prospect::Waits };
    cx.words.consequence(&name(&d.name, NAME_CHARS), &cx.clock(d.deadline), &prospect)
}

/// What becomes of a deadline, where a time is known; and whether it is out of reach, so that the message begins with it.
pub(super) fn consequence(cx: &Context<'_>, d: &DashboardFacts) -> Option<(String, bool)> {
    let deadline = cx.clock(d.deadline);
    let eta = d.eta.filter(|eta| !cx.is_over(eta.at));
    let prospect = match eta {
        _ if cx.is_over(d.deadline) => Prospect::Missed { eta: eta.map(|eta| cx.clock(eta.at)) },
        Some(eta) if eta.at > d.deadline => Prospect::Late { eta: cx.clock(eta.at), by: cx.span(eta.at - d.deadline) },
        Some(eta) if eta.high > d.deadline => Prospect::MayMiss { eta: cx.clock(eta.at), high: cx.clock(eta.high) },
        Some(eta) => Prospect::InTime { eta: cx.clock(eta.at) },
        None => return None,
    };
    let leads = !matches!(prospect, Prospect::InTime { .. });
    Some((cx.words.consequence(&name(&d.name, NAME_CHARS), &deadline, &prospect), leads))
}

fn facts(cx: &Context<'_>, about: &IncidentFacts) -> Vec<(Label, String)> {
    let words = cx.words;
    let mut facts = Vec::new();
    facts.extend(act_by(cx, about).map(|at| (Label::ActBy, act_by_fact(cx, at))));
    facts.extend(readers(cx, about).map(|text| (Label::Readers, text)));
    facts.extend(about.taken.as_ref().map(|taken| (Label::Taken, self::taken(cx, taken))));
    if let [only] = about.dashboards.as_slice() {
        facts.push((Label::Deadline, deadline(cx, only)));
        facts.extend(only.eta.map(|eta| (Label::Eta, cx.eta(&eta))));
    }
    facts.extend(evidence(cx, about));
    let owner = about.owner.as_ref().map_or_else(|| words.note(Note::OwnerUnknown).to_owned(), owner);
    // A calendar and a source belong to whoever runs the watch; a check is somebody's.
    if about.owner.is_some() || matches!(about.cause, Cause::Check(_)) {
        facts.push((Label::Owner, owner));
    }
    facts.extend(about.runbook.iter().filter(|r| !is_link(r)).map(|r| (Label::Runbook, quote(r))));
    if let Some(usual) = &about.usual {
        facts.push((Label::Usual, words.usual(&cx.hour(usual.arrives), &cx.hour(usual.latest), usual.nights)));
    }
    facts.extend(about.last_good.map(|t| (Label::LastGood, cx.full(t))));
    facts
}

/// When nobody can save the deadline any more, its readers are to know when to come back.
fn readers(cx: &Context<'_>, about: &IncidentFacts) -> Option<String> {
    let dashboard = first(about).filter(|d| d.audience && d.ready_at.is_none())?;
    let act_by = dashboard.act_by.filter(|at| cx.is_over(*at))?;
    match dashboard.eta.filter(|eta| !cx.is_over(eta.high)) {
        // What is still expected in time needs no excuse.
        Some(eta) if eta.high <= dashboard.deadline => None,
        Some(eta) => Some(cx.words.readers(&cx.clock(eta.at.max(cx.at)), &cx.clock(eta.high))),
        None => {
            let repaired = dashboard.deadline + (cx.at - act_by);
            Some(cx.words.readers_if_repaired(&cx.clock(round_up(repaired, READERS_STEP))))
        }
    }
}

pub(super) fn taken(cx: &Context<'_>, taken: &Taken) -> String {
    cx.words.taken(&name(&taken.by, NAME_CHARS), &cx.clock(taken.until))
}

fn owner(owner: &OwnerFacts) -> String {
    match &owner.contact {
        Some(contact) if !contact.trim().is_empty() => format!("{} ({})", name(&owner.name, NAME_CHARS), name(contact, NAME_CHARS)),
        _ => name(&owner.name, NAME_CHARS),
    }
}

pub(super) fn deadline(cx: &Context<'_>, d: &DashboardFacts) -> String {
    let at = cx.full(d.deadline);
    let shown = if cx.is_over(d.deadline) {
        let over = cx.at - d.deadline;
        cx.words.deadline_over(&at, (over.num_minutes() > 0).then(|| cx.span(over)).as_deref())
    } else {
        let left = cx.words.deadline_in(&at, &cx.span(d.deadline - cx.at));
        d.chance.map_or(left.clone(), |percent| format!("{left}, {}", cx.words.chance(percent)))
    };
    if d.audience { shown } else { format!("{shown}, {}", cx.words.note(Note::NoAudience)) }
}

/// What was seen of the cause, beyond what the lead says.
fn evidence(cx: &Context<'_>, about: &IncidentFacts) -> Vec<(Label, String)> {
    let words = cx.words;
    match &about.situation {
        Situation::Failed { failure, .. } => {
            let told = failure.task.is_some() || failure.error.is_some();
            let text = if told { words.failure(failure) } else { words.note(Note::NoErrorLine).to_owned() };
            vec![(Label::Error, text)]
        }
        Situation::RunningLong { started_at, usual_s } => {
            let usual = usual_s.map(|s| words.span(TimeDelta::seconds(s)));
            vec![(Label::Running, words.running(&cx.clock(*started_at), &cx.since(*started_at), usual.as_deref()))]
        }
        Situation::Queued { since } => vec![(Label::Queued, words.running(&cx.clock(*since), &cx.since(*since), None))],
        // Not every history knows which task it was.
        Situation::Retrying { task } | Situation::Waiting { task } if task.is_empty() => Vec::new(),
        Situation::Retrying { task } | Situation::Waiting { task } => vec![(Label::Task, name(task, NAME_CHARS))],
        Situation::NotStarted(NotStarted::Scheduled(at)) => vec![(Label::Start, cx.full(*at))],
        Situation::CatchingUp { .. } | Situation::AsEver { .. } => Vec::new(),
        Situation::NotStarted(NotStarted::Paused | NotStarted::ImportError | NotStarted::Forgotten | NotStarted::NoReason) => {
            Vec::new()
        }
        Situation::NoMembers => Vec::new(),
        Situation::NoData { newest } => newest.map(|t| (Label::Newest, words.ago(&cx.full(t), &cx.since(t)))).into_iter().collect(),
        Situation::Stale { newest, .. } => vec![(Label::Newest, words.ago(&cx.full(*newest), &cx.since(*newest)))],
        Situation::SourceDark { why, detail, tries, last_seen, others_answer, others } => {
            let detail = if detail.trim().is_empty() {
                words.why(*why).to_owned()
            } else {
                format!("{}: {}", words.why(*why), quote(detail))
            };
            let mut facts =
                vec![(Label::Silent, words.silent(&cx.clock(about.since), &cx.since(about.since), *tries)), (Label::Error, detail)];
            facts.extend(last_seen.map(|seen| (Label::LastSeen, words.last_seen(&cx.clock(seen.at), &seen))));
            if *others > 0 {
                facts.push((Label::Others, words.others(*others_answer, *others)));
            }
            facts
        }
        Situation::SchedulerDead { heartbeat } => {
            let text = heartbeat.map_or_else(|| words.note(Note::NeverSeen).to_owned(), |t| words.ago(&cx.clock(t), &cx.since(t)));
            vec![(Label::Heartbeat, text)]
        }
        Situation::SelfSuspected { silent, sources, why, last_seen, .. } => {
            let silence = words.silent(&cx.clock(about.since), &cx.since(about.since), 0);
            let mut facts = vec![(Label::Silent, silence), (Label::Error, words.why(*why).to_owned())];
            facts.extend(last_seen.map(|t| (Label::LastSeen, cx.full(t))));
            facts.push((Label::Sources, words.answered(sources.saturating_sub(*silent), *sources)));
            facts
        }
        Situation::ClockOff { ahead_s } => vec![(Label::Clock, words.off_by(&cx.seconds(*ahead_s), *ahead_s > 0))],
        Situation::OwnClockOff { behind_s, .. } => vec![(Label::Clock, words.off_by(&cx.seconds(*behind_s), *behind_s < 0))],
        Situation::NotSeen { why: NotSeen::Suspicious(answer) } => vec![(Label::Answer, quote(answer))],
        Situation::NotSeen { why: NotSeen::FutureData(at) } => vec![(Label::Newest, cx.full(*at))],
        Situation::NotSeen { why: NotSeen::Vanished | NotSeen::NeverSeen } => Vec::new(),
        Situation::CalendarEnded { last, .. } => vec![(Label::Last, words.date(*last))],
    }
}

/// The endangered dashboards, one a line.
fn lines(cx: &Context<'_>, about: &IncidentFacts) -> Vec<String> {
    let words = cx.words;
    let shown = if about.dashboards.len() > LINES { LINES - 1 } else { LINES };
    let line = |d: &DashboardFacts| {
        let mut parts = Vec::new();
        if let Some(ready) = d.ready_at {
            parts.push(words.ready_at(&cx.clock(ready)));
        } else {
            parts.push(words.waiting_of(d.waiting, d.checks));
            if cx.is_over(d.deadline) {
                parts.push(words.missed_short().to_owned());
            } else if let Some(act_by) = d.act_by {
                parts.push(words.act_by_short(&cx.clock(act_by), cx.is_over(act_by)));
            }
            parts.extend(d.eta.map(|eta| words.eta_short(&cx.clock(eta.at), None)));
            parts.extend(d.chance.map(|percent| words.chance(percent)));
        }
        if !d.audience {
            parts.push(words.note(Note::NoAudience).to_owned());
        }
        format!("{} {}: {}", name(&d.name, NAME_CHARS), cx.clock(d.deadline), parts.join(", "))
    };
    let rest = about.dashboards.len().saturating_sub(shown);
    about.dashboards.iter().take(shown).map(line).chain((rest > 0).then(|| words.more_dashboards(rest))).collect()
}

fn links(cx: &Context<'_>, about: &IncidentFacts) -> Vec<(String, String)> {
    let word = |heading| cx.words.heading(heading).to_owned();
    let runbook = about.runbook.iter().map(|url| (word(Heading::Runbook), url.clone()));
    let dashboard = first(about).and_then(|d| d.url.clone()).map(|url| (word(Heading::Dashboard), url));
    runbook.chain(dashboard).collect()
}

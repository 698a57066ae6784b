//! What came out of a night, one line each, as `replay --format jsonl` prints it and golden nights expect it. Words nothing itself
//! and counts nothing.

use super::player::Said;
use crate::core::message::{Body, DashboardFacts, DigestFacts, DigestVerdict, Message, WeekFacts, lines};
use crate::core::plan::{Id, Language, Plan};
use crate::core::state::{About, Attention, Cause, Decision, Entry, Grounds, Incident, IncidentId, Reason, State, Verdict};
use crate::core::time::Instant;
use crate::core::wording;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeSet;
use std::fmt;

/// What a line is about; DESIGN's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The first unscheduled word about an incident, even when a digest has named it.
    Alert,
    /// A later one, also a louder one.
    Update,
    /// The last.
    Resolved,
    Digest,
    Handoff,
    Heartbeat,
    /// A decision to say nothing.
    Silent,
}

impl Kind {
    pub const ALL: [Self; 7] =
        [Self::Alert, Self::Update, Self::Resolved, Self::Digest, Self::Handoff, Self::Heartbeat, Self::Silent];

    pub fn word(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Update => "update",
            Self::Resolved => "resolved",
            Self::Digest => "digest",
            Self::Handoff => "handoff",
            Self::Heartbeat => "heartbeat",
            Self::Silent => "silent",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The kind of a message. Trouble of the watch itself is an unscheduled word as well.
pub fn kind(message: &Message) -> Kind {
    match &message.body {
        Body::Incident { update: false, .. } | Body::Watch(_) => Kind::Alert,
        Body::Incident { update: true, .. } => Kind::Update,
        Body::Resolved(_) => Kind::Resolved,
        Body::Digest(_) | Body::Week(_) => Kind::Digest,
    }
}

/// One line. Its fields stand in the order in which they are printed; what is not known of is `None`, and printed as null.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// When it was delivered (decided, for silence).
    pub at: LocalTime,
    pub kind: Kind,
    /// The worst that it tells.
    pub verdict: Option<Verdict>,
    /// How loud this message was.
    pub attention: Option<Attention>,
    pub chat: Option<Id>,
    pub incident: Option<IncidentId>,
    /// One check's id, or `source:airflow`, `calendar:kr`, … and `chat:team` for a chat that takes no messages.
    pub cause: Option<String>,
    /// The checks that wait or fail, the cause counted.
    pub checks: Vec<Id>,
    /// The dashboards among what it tells of that somebody looks at in that cycle.
    pub dashboards: Vec<Id>,
    /// The highest chance to miss, in tenths (0.05 for less than one, 0.95 for more than nine), where one is known.
    pub p_miss: Option<f64>,
    /// The earliest.
    pub act_by: Option<LocalTime>,
    /// The words, in the chat's language.
    pub text: String,
}

/// An instant in the configuration's zone; printed as RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTime {
    pub at: Instant,
    pub zone: Tz,
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.at.with_timezone(&self.zone).to_rfc3339())
    }
}

impl Serialize for LocalTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Line {
    fn new(at: Instant, zone: Tz, kind: Kind) -> Self {
        Self {
            at: LocalTime { at, zone },
            kind,
            verdict: None,
            attention: None,
            chat: None,
            incident: None,
            cause: None,
            checks: Vec::new(),
            dashboards: Vec::new(),
            p_miss: None,
            act_by: None,
            text: String::new(),
        }
    }

    /// A message as it was delivered.
    pub fn said(said: &Said, plan: &Plan) -> Self {
        let message = &said.post.message;
        let told = told(&message.body, said.at);
        let local = |at| LocalTime { at, zone: plan.timezone };
        Self {
            verdict: told.verdict,
            attention: Some(message.attention),
            chat: Some(said.post.chat.clone()),
            incident: told.incident,
            cause: told.cause,
            checks: said.checks.clone(),
            dashboards: told.dashboards,
            p_miss: told.chance.map(|percent| f64::from(percent) / 100.0),
            act_by: told.act_by.map(local),
            text: words(message, &said.post.chat, plan),
            ..Self::new(said.at, plan.timezone, kind(message))
        }
    }

    /// The outward proof of life.
    pub fn beat(at: Instant, plan: &Plan) -> Self {
        Self::new(at, plan.timezone, Kind::Heartbeat)
    }

    /// A decision to say nothing about these checks. The text is the reason's word.
    pub fn silent(entry: &Entry, checks: Vec<Id>, plan: &Plan) -> Self {
        let incident = match &entry.about {
            About::Incident(id) => Some(*id),
            _ => None,
        };
        let trouble = match entry.evidence.as_deref() {
            Some(Grounds::Trouble(trouble)) => Some(trouble),
            _ => None,
        };
        let cycles = trouble.map(|trouble| trouble.cycles.as_slice()).unwrap_or_default();
        let dashboards: BTreeSet<&Id> = cycles.iter().map(|endangered| &endangered.cycle.dashboard).collect();
        Self {
            verdict: trouble.map(|trouble| trouble.verdict),
            attention: Some(Attention::Silent),
            chat: entry.chat.clone(),
            incident,
            cause: trouble.map(|trouble| trouble.cause.to_string()),
            checks,
            dashboards: dashboards.into_iter().cloned().collect(),
            act_by: trouble.and_then(|trouble| trouble.act_by).map(|at| LocalTime { at, zone: plan.timezone }),
            text: word_of(&entry.reason),
            ..Self::new(entry.at, plan.timezone, Kind::Silent)
        }
    }
}

/// A unit variant's word as it is stored: `quiet_hours`.
pub fn word_of(unit: &impl Serialize) -> String {
    serde_json::to_value(unit).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// The checks that a decision to say nothing is about, just after it was taken. `None`: the entry is no such decision, or only says
/// that what was said at that very instant is not said twice.
pub(super) fn left_unsaid(state: &State, entry: &Entry) -> Option<Vec<Id>> {
    if entry.decision != Decision::StaySilent {
        return None;
    }
    let About::Incident(id) = &entry.about else { return Some(Vec::new()) };
    let incident = state.incidents.get(id);
    let told_at = incident.zip(entry.chat.as_ref()).and_then(|(incident, chat)| Some(incident.told.get(chat)?.at));
    let echo = entry.reason == Reason::AlreadyTold && told_at == Some(entry.at);
    (!echo).then(|| incident.map(|incident| of_incident(state, incident)).unwrap_or_default())
}

/// The checks that wait or fail, of what a message tells, as they stand when it is delivered.
pub(super) fn checks(state: &State, message: &Message) -> Vec<Id> {
    match &message.body {
        Body::Incident { about, .. } => {
            state.incidents.get(&about.incident).map(|incident| of_incident(state, incident)).unwrap_or_default()
        }
        Body::Digest(_) => {
            let waiting = state.view.cycles.values().flat_map(|view| &view.checks).filter(|(_, judged)| judged.cause.is_some());
            let all: BTreeSet<usize> = waiting.map(|(ix, _)| *ix).chain(state.view.outside.keys().copied()).collect();
            all.into_iter().map(|ix| state.roster.checks[ix].id.clone()).collect()
        }
        Body::Resolved(_) | Body::Week(_) | Body::Watch(_) => Vec::new(),
    }
}

fn of_incident(state: &State, incident: &Incident) -> Vec<Id> {
    let cause = match &incident.cause {
        Cause::Check(id) => Some(id),
        _ => None,
    };
    let waiting = incident.impact.values().flat_map(|impact| &impact.waiting);
    let all: BTreeSet<&Id> = waiting.chain(&incident.alike).chain(cause).collect();
    // A group of which nothing is known waits under a name that is no check's.
    all.into_iter().filter(|id| state.roster.place(id).is_some()).cloned().collect()
}

/// What a message's facts say, for a line.
#[derive(Default)]
struct Told {
    verdict: Option<Verdict>,
    incident: Option<IncidentId>,
    cause: Option<String>,
    dashboards: Vec<Id>,
    /// In percent.
    chance: Option<u8>,
    act_by: Option<Instant>,
}

fn told(body: &Body, at: Instant) -> Told {
    let watched = |dashboards: &[DashboardFacts]| -> Vec<Id> {
        dashboards.iter().filter(|dashboard| dashboard.audience).map(|dashboard| dashboard.id.clone()).collect()
    };
    match body {
        Body::Incident { about, .. } => Told {
            // A deadline that has come is missed, whatever the next answer of the cause's source will be.
            verdict: Some(if about.dashboards.iter().any(|dashboard| dashboard.audience && dashboard.deadline <= at) {
                about.verdict.max(Verdict::Late)
            } else {
                about.verdict
            }),
            incident: Some(about.incident),
            cause: Some(about.cause.to_string()),
            dashboards: watched(&about.dashboards),
            chance: about.dashboards.iter().filter(|dashboard| dashboard.audience).filter_map(|dashboard| dashboard.chance).max(),
            act_by: about.dashboards.iter().filter_map(|dashboard| dashboard.act_by).min(),
        },
        Body::Resolved(about) => {
            let in_time = about.recovered_at.is_some() && about.missed == 0;
            let over = if in_time { Verdict::Ready } else { Verdict::Late };
            let worst = about.dashboards.iter().map(|dashboard| dashboard.verdict).max();
            Told {
                verdict: worst.max(Some(over)),
                incident: Some(about.incident),
                cause: Some(about.cause.to_string()),
                dashboards: watched(&about.dashboards),
                chance: None,
                act_by: None,
            }
        }
        Body::Digest(about) => {
            let troubled = about.dashboards.iter().filter(|dashboard| dashboard.audience && dashboard.verdict.is_trouble());
            Told {
                verdict: Some(of_digest(about)),
                cause: worst_cause(about),
                dashboards: troubled.map(|dashboard| dashboard.id.clone()).collect(),
                ..Told::default()
            }
        }
        Body::Week(about) => Told { verdict: Some(of_week(about)), ..Told::default() },
        Body::Watch(about) => Told { cause: Some(format!("chat:{}", about.chat)), ..Told::default() },
    }
}

/// The worst of the week: of a week that is over nothing is still to come.
fn of_week(about: &WeekFacts) -> Verdict {
    match about.verdict {
        DigestVerdict::Trouble(verdict) => verdict,
        DigestVerdict::NothingDue => Verdict::NotDue,
        DigestVerdict::NotWatched => Verdict::NotWatched,
        _ => Verdict::Ready,
    }
}

fn of_digest(about: &DigestFacts) -> Verdict {
    match about.verdict {
        DigestVerdict::Ready => Verdict::Ready,
        DigestVerdict::OnTrack => Verdict::OnTrack,
        DigestVerdict::NothingDue => Verdict::NotDue,
        DigestVerdict::NotWatched => Verdict::NotWatched,
        DigestVerdict::Trouble(verdict) => verdict,
        // The pipelines' own verdict: what else is the matter has no word among them.
        DigestVerdict::Maintenance | DigestVerdict::WatchTrouble => {
            about.dashboards.iter().map(|dashboard| dashboard.verdict).max().unwrap_or(Verdict::NotDue)
        }
    }
}

/// The first of the worst incidents that a digest names.
fn worst_cause(about: &DigestFacts) -> Option<String> {
    let named = || about.incidents.iter().filter(|incident| !incident.recovering && !incident.hushed);
    let worst = named().map(|incident| incident.verdict).max()?;
    named().find(|incident| incident.verdict == worst).map(|incident| incident.cause.to_string())
}

fn words(message: &Message, chat: &Id, plan: &Plan) -> String {
    let language = plan.chats.get(chat).map_or(Language::En, |chat| chat.language);
    lines(&wording::word(message, language))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::message::WeekSums;

    #[test]
    fn a_line_is_printed_in_the_order_of_its_fields_in_local_time() {
        let at = "2026-11-22T18:10:00Z".parse().unwrap();
        let line = Line { attention: Some(Attention::Notify), ..Line::new(at, chrono_tz::Asia::Seoul, Kind::Alert) };
        let line = Line { verdict: Some(Verdict::AtRisk), act_by: Some(LocalTime { at, zone: chrono_tz::UTC }), ..line };
        let expected = r#"{"at":"2026-11-23T03:10:00+09:00","kind":"alert","verdict":"at_risk","attention":"notify","chat":null,"#
            .to_owned()
            + r#""incident":null,"cause":null,"checks":[],"dashboards":[],"p_miss":null,"act_by":"2026-11-22T18:10:00+00:00","text":""}"#;
        assert_eq!(serde_json::to_string(&line).unwrap(), expected);
    }

    #[test]
    fn a_week_tells_the_worst_that_is_over() {
        let late = DigestVerdict::Trouble(Verdict::Late);
        let cases = [
            (DigestVerdict::Ready, Verdict::Ready),
            (late, Verdict::Late),
            (DigestVerdict::NothingDue, Verdict::NotDue),
            (DigestVerdict::NotWatched, Verdict::NotWatched),
        ];
        for (verdict, expected) in cases {
            let day = "2026-11-16".parse().unwrap();
            let about = WeekFacts {
                digest: "weekly".into(),
                verdict,
                from: day,
                to: day,
                since: None,
                sums: WeekSums::default(),
                before: None,
                unwatched: 0,
                causes: vec![],
                more_causes: 0,
                blind: vec![],
                more_blind: 0,
                next_at: None,
            };
            let zone = chrono_tz::UTC;
            let body = Body::Week(Box::new(about));
            assert_eq!(told(&body, Instant::MIN_UTC).verdict, Some(expected));
            let message = Message { at: Instant::UNIX_EPOCH, zone, attention: Attention::Post, body };
            assert_eq!(kind(&message), Kind::Digest);
        }
    }

    #[test]
    fn words_are_those_that_are_stored() {
        assert_eq!(word_of(&Reason::QuietHours), "quiet_hours");
        for kind in Kind::ALL {
            assert_eq!(word_of(&kind), kind.word());
        }
    }
}

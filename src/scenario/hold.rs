//! Does what came hold against what was expected? Says what does not, in tables for people.

use super::play::Played;
use super::show;
use super::{Decides, Expect, Scenario, Word};
use crate::core::state::{About, Decision, Entry};
use crate::replay::line::{Kind, Line, word_of};

/// What does not hold of a night that was played plainly.
pub(super) fn faults(night: &Scenario, played: &Played) -> Vec<String> {
    let mut faults = played.refused.clone();
    let (beats, messages): (Vec<&Expect>, Vec<&Expect>) =
        night.expect.iter().partition(|expect| expect.kind == Some(Kind::Heartbeat));
    let pairs = align(&messages, &played.lines);
    if pairs.iter().any(|pair| !pair.holds()) {
        faults.push(show::messages(night, &pairs, &played.ledger));
    }
    for beat in beats.iter().filter(|beat| !played.beats.iter().any(|at| beat.at.is(*at))) {
        let at = night.times().shown(beat.at.at);
        faults.push(format!("{}: no proof of life went out at {at}", beat.place));
    }
    for decides in night.decides.iter().filter(|decides| !played.ledger.iter().any(|entry| decides.is(entry))) {
        faults.push(show::decision(night, decides, &played.ledger));
    }
    for silence in &night.silences {
        let inside = |at| silence.from <= at && at <= silence.to;
        let said = played.lines.iter().filter(|line| inside(line.at.at)).map(|line| show::line(night, line));
        let beats = played.beats.iter().filter(|at| silence.heartbeat && inside(**at));
        let beats = beats.map(|at| format!("{} heartbeat", night.times().shown(*at)));
        faults.extend(said.chain(beats).map(|said| format!("{}: silence is expected, and this was said: {said}", silence.place)));
    }
    faults
}

/// What differs when the state is read back from its rows before every step.
pub(super) fn differs(night: &Scenario, plain: &Played, anew: &Played) -> Vec<String> {
    let mut faults = faults(night, anew);
    if faults.is_empty() && plain.lines != anew.lines {
        faults.push(show::other(night, &plain.lines, &anew.lines));
    }
    let say = |fault| format!("when the state is read back from its rows before every step:\n{fault}");
    faults.into_iter().map(say).collect()
}

/// An expectation beside what came in its place.
pub(super) struct Pair<'a> {
    pub(super) expected: Option<&'a Expect>,
    pub(super) got: Option<&'a Line>,
}

impl Pair<'_> {
    pub(super) fn holds(&self) -> bool {
        matches!((self.expected, self.got), (Some(expected), Some(got)) if expected.wrong(got).is_empty())
    }
}

/// Puts expectations and messages side by side, both in order, with as few differences as possible.
fn align<'a>(expected: &[&'a Expect], got: &'a [Line]) -> Vec<Pair<'a>> {
    let (n, m) = (expected.len(), got.len());
    // Of one place: right costs nothing; wrong, but of the same minute or kind and cause, less than two that stand alone.
    let cost = |e: usize, g: usize| match expected[e].wrong(&got[g]).len() {
        0 => Some(0),
        _ if expected[e].resembles(&got[g]) => Some(3),
        _ => None,
    };
    // best[e][g]: the least cost of what lies behind both.
    let mut best = vec![vec![0_usize; m + 1]; n + 1];
    for e in (0..=n).rev() {
        for g in (0..=m).rev() {
            let alone = [(e < n).then(|| best[e + 1][g] + 2), (g < m).then(|| best[e][g + 1] + 2)];
            let both = if e < n && g < m { cost(e, g).map(|cost| best[e + 1][g + 1] + cost) } else { None };
            best[e][g] = alone.into_iter().chain([both]).flatten().min().unwrap_or(0);
        }
    }
    let (mut e, mut g, mut pairs) = (0, 0, Vec::new());
    while e < n || g < m {
        let both = if e < n && g < m { cost(e, g).filter(|cost| best[e][g] == best[e + 1][g + 1] + cost) } else { None };
        let missing = e < n && best[e][g] == best[e + 1][g] + 2;
        let pair = match (both, missing) {
            (Some(_), _) => Pair { expected: Some(expected[e]), got: Some(&got[g]) },
            (None, true) => Pair { expected: Some(expected[e]), got: None },
            (None, false) => Pair { expected: None, got: Some(&got[g]) },
        };
        e += usize::from(pair.expected.is_some());
        g += usize::from(pair.got.is_some());
        pairs.push(pair);
    }
    pairs
}

impl Expect {
    /// Which of what is said of the message is not so; `at` among it.
    pub(super) fn wrong(&self, got: &Line) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut is = |what: &str, holds: bool, got: String| {
            if !holds {
                wrong.push(format!("{what} is {got}"));
            }
        };
        let word = |word: Option<String>| word.unwrap_or_else(|| "none".to_owned());
        is("at", self.at.is(got.at.at), got.at.to_string());
        is("chat", self.chat.is_none() || self.chat == got.chat, word(got.chat.as_ref().map(ToString::to_string)));
        is("kind", self.kind.is_none_or(|kind| kind == got.kind), got.kind.to_string());
        is("attention", self.attention.is_none() || self.attention == got.attention, word(got.attention.map(|a| word_of(&a))));
        is("verdict", self.verdict.is_none() || self.verdict == got.verdict, word(got.verdict.map(|v| v.word().to_owned())));
        is("incident", self.incident.is_none() || self.incident == got.incident, word(got.incident.map(|i| i.to_string())));
        is("cause", self.cause.is_none() || self.cause == got.cause, word(got.cause.clone()));
        for (what, expected, got) in [("dashboards", &self.dashboards, &got.dashboards), ("checks", &self.checks, &got.checks)] {
            let sorted = |ids: Vec<&str>| {
                let mut ids = ids;
                ids.sort_unstable();
                ids.join(", ")
            };
            let has = sorted(got.iter().map(|id| id.as_str()).collect());
            let wants = expected.as_ref().map(|ids| sorted(ids.iter().map(String::as_str).collect()));
            is(what, wants.is_none_or(|wants| wants == has), format!("[{has}]"));
        }
        for part in self.says.iter().filter(|part| !got.text.contains(part.as_str())) {
            wrong.push(format!("it does not say {part:?}"));
        }
        wrong
    }

    /// Is it likely that this message was meant?
    fn resembles(&self, got: &Line) -> bool {
        let same_chat = self.chat.is_none() || self.chat == got.chat;
        let same_kind = self.kind.is_none_or(|kind| kind == got.kind);
        same_chat && (self.at.is(got.at.at) || (same_kind && (self.cause.is_none() || self.cause == got.cause)))
    }
}

impl Decides {
    fn is(&self, entry: &Entry) -> bool {
        let until = match &entry.decision {
            Decision::Hold { until } => Some(*until),
            _ => None,
        };
        self.at.is(entry.at)
            && self.reason == entry.reason
            && self.decision.is_none_or(|word| word == Word::of(&entry.decision))
            && self.until.is_none_or(|expected| until.is_some_and(|until| expected.is(until)))
            && self.about.as_ref().is_none_or(|expected| *expected == about(entry))
            && (self.chat.is_none() || self.chat == entry.chat)
    }
}

impl Word {
    pub(super) fn of(decision: &Decision) -> Self {
        match decision {
            Decision::Say(_) => Self::Say,
            Decision::Hold { .. } => Self::Hold,
            Decision::StaySilent => Self::Silent,
            Decision::Note => Self::Note,
        }
    }
}

/// `incident 1`, `cycle exec 2026-11-23`, `chat team`, …
pub(super) fn about(entry: &Entry) -> String {
    match &entry.about {
        About::Incident(id) => format!("incident {id}"),
        About::Cycle(key) => format!("cycle {key}"),
        About::Digest { digest, date } => format!("digest {digest} {date}"),
        About::Post(id) => format!("post {id}"),
        About::Chat => format!("chat {}", entry.chat.as_ref().map_or("", |chat| chat.as_str())),
        About::Source(id) => format!("source {id}"),
        About::Check(id) => format!("check {id}"),
        About::Watch => "watch".to_owned(),
        About::Order { by, .. } => format!("order {by}"),
    }
}

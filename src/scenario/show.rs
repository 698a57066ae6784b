//! A difference as people read it: expected and got side by side in order of time, only around the difference, with the decisions near
//! it, because these tell why.

use super::hold::{Pair, about};
use super::times::Times;
use super::{Decides, Expect, Scenario};
use crate::core::message::clean;
use crate::core::state::{Decision, Entry};
use crate::core::time::{Instant, local_date};
use crate::replay::line::{Line, word_of};
use chrono::TimeDelta;

/// Messages that hold are shown this far from one that does not.
const AROUND: usize = 2;
/// Decisions are near when they were taken so long before, or so long after.
const BEFORE: TimeDelta = TimeDelta::minutes(45);
const AFTER: TimeDelta = TimeDelta::minutes(2);
const DECISIONS_MAX: usize = 12;

impl Scenario {
    pub(super) fn times(&self) -> Times {
        let zone = self.plan.timezone;
        Times { zone, date: Some(local_date(self.from, zone)) }
    }
}

/// `Mon 03:10 team alert post failed orders`
pub(super) fn line(night: &Scenario, line: &Line) -> String {
    let words = [
        Some(night.times().shown(line.at.at)),
        line.chat.as_ref().map(ToString::to_string),
        Some(line.kind.to_string()),
        line.attention.map(|attention| word_of(&attention)),
        line.verdict.map(|verdict| verdict.word().to_owned()),
        line.cause.clone(),
    ];
    clean(&words.into_iter().flatten().collect::<Vec<_>>().join(" "))
}

fn expected(night: &Scenario, expect: &Expect) -> String {
    let words = [
        Some(night.times().shown(expect.at.at)),
        expect.chat.as_ref().map(ToString::to_string),
        expect.kind.map(|kind| kind.to_string()),
        expect.attention.map(|attention| word_of(&attention)),
        expect.verdict.map(|verdict| verdict.word().to_owned()),
        expect.cause.clone(),
    ];
    clean(&words.into_iter().flatten().collect::<Vec<_>>().join(" "))
}

/// The messages around what does not hold.
pub(super) fn messages(night: &Scenario, pairs: &[Pair<'_>], ledger: &[Entry]) -> String {
    let cells: Vec<(String, String)> = pairs.iter().map(|pair| cells(night, pair)).collect();
    let width = cells.iter().map(|(left, _)| left.chars().count()).max().unwrap_or_default().max("expected".len());
    let near = |at: usize| (at.saturating_sub(AROUND)..=at + AROUND).any(|at| pairs.get(at).is_some_and(|pair| !pair.holds()));
    let mut lines = vec![format!("    {:width$}   got", "expected")];
    let mut hidden = false;
    for (at, (pair, (left, right))) in pairs.iter().zip(&cells).enumerate() {
        if !near(at) {
            hidden = true;
            continue;
        }
        if std::mem::take(&mut hidden) {
            lines.push("    …".to_owned());
        }
        let mark = if pair.holds() { ' ' } else { '!' };
        lines.push(format!("  {mark} {left:width$}   {right}").trim_end().to_owned());
        if let (Some(expect), Some(got)) = (pair.expected, pair.got) {
            let wrong = expect.wrong(got);
            lines.extend(wrong.iter().map(|wrong| format!("      {}: {}", expect.place, clean(wrong))));
            if expect.says.iter().any(|part| !got.text.contains(part.as_str())) {
                lines.extend(got.text.lines().map(|line| format!("      | {line}")));
            }
        }
    }
    if hidden {
        lines.push("    …".to_owned());
    }
    let places = pairs.iter().filter(|pair| !pair.holds());
    let instants = places.flat_map(|pair| [pair.expected.map(|e| e.at.at), pair.got.map(|got| got.at.at)]).flatten();
    lines.extend(near_by(night, &instants.collect::<Vec<_>>(), ledger));
    lines.join("\n")
}

fn cells(night: &Scenario, pair: &Pair<'_>) -> (String, String) {
    let nothing = || "(nothing)".to_owned();
    let left = pair.expected.map_or_else(nothing, |expect| expected(night, expect));
    (left, pair.got.map_or_else(nothing, |got| line(night, got)))
}

/// A decision that the ledger does not hold, and those that it does.
pub(super) fn decision(night: &Scenario, decides: &Decides, ledger: &[Entry]) -> String {
    let words = [
        Some(night.times().shown(decides.at.at)),
        decides.about.clone(),
        decides.chat.as_ref().map(ToString::to_string),
        decides.decision.map(|word| word_of(&word)),
        decides.until.map(|until| format!("until {}", night.times().shown(until.at))),
        Some(format!("({})", word_of(&decides.reason))),
    ];
    let words = words.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let mut lines = vec![format!("{}: the ledger does not hold this decision: {words}", decides.place)];
    let same: Vec<&Entry> = ledger.iter().filter(|entry| entry.reason == decides.reason).take(DECISIONS_MAX).collect();
    if !same.is_empty() {
        lines.push("    those with this reason:".to_owned());
        lines.extend(same.into_iter().map(|entry| format!("      {}", entry_line(night, entry))));
    }
    lines.extend(near_by(night, &[decides.at.at], ledger));
    lines.join("\n")
}

fn near_by(night: &Scenario, instants: &[Instant], ledger: &[Entry]) -> Vec<String> {
    let near = |entry: &&Entry| instants.iter().any(|at| entry.at >= *at - BEFORE && entry.at <= *at + AFTER);
    let decisions: Vec<&Entry> = ledger.iter().filter(|entry| entry.decision != Decision::Note).collect();
    let mut near: Vec<&Entry> = decisions.iter().copied().filter(near).collect();
    if near.is_empty() {
        // The last ones before, then.
        let last = instants.iter().min().copied().unwrap_or(night.to);
        near = decisions.into_iter().filter(|entry| entry.at <= last).collect();
        near.drain(..near.len().saturating_sub(3));
    }
    if near.is_empty() {
        return vec!["    nothing was decided near it".to_owned()];
    }
    let more = near.len().saturating_sub(DECISIONS_MAX);
    let mut lines = vec!["    decisions near it:".to_owned()];
    lines.extend(near.into_iter().take(DECISIONS_MAX).map(|entry| format!("      {}", entry_line(night, entry))));
    lines.extend((more > 0).then(|| format!("      … {more} more")));
    lines
}

/// `Mon 03:10 incident 1 team hold until Mon 07:00 (quiet_hours)`
fn entry_line(night: &Scenario, entry: &Entry) -> String {
    let times = night.times();
    let decision = match &entry.decision {
        Decision::Say(attention) => format!("say {}", word_of(attention)),
        Decision::Hold { until } => format!("hold until {}", times.shown(*until)),
        Decision::StaySilent => "silent".to_owned(),
        Decision::Note => "note".to_owned(),
    };
    let chat = entry.chat.as_ref().map(|chat| format!(" {chat}")).unwrap_or_default();
    clean(&format!("{} {}{chat} {decision} ({})", times.shown(entry.at), about(entry), word_of(&entry.reason)))
}

/// The first message that is another one in the second play, word by word.
pub(super) fn other(night: &Scenario, plain: &[Line], anew: &[Line]) -> String {
    let at = plain.iter().zip(anew).position(|(a, b)| a != b).unwrap_or_else(|| plain.len().min(anew.len()));
    let of = |lines: &[Line]| match lines.get(at) {
        Some(got) => format!("{}\n{}", line(night, got), got.text),
        None => "(nothing)".to_owned(),
    };
    let (plain, anew) = (of(plain), of(anew));
    let unlike =
        plain.lines().zip(anew.lines()).filter(|(a, b)| a != b).flat_map(|(a, b)| [format!("  - {a}"), format!("  + {b}")]);
    let first = plain.lines().next().unwrap_or_default();
    [format!("not the same is said at {first}:")].into_iter().chain(unlike).collect::<Vec<_>>().join("\n")
}

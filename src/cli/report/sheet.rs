//! The words of a report, the same for a terminal and for Markdown: facts with their denominators, compared with as many days before.

use super::Told;
use crate::core::message::clean;
use crate::core::state::Cause;
use crate::core::tally::{Counts, Deadlines, Words};
use chrono::TimeDelta;

/// The most causes that are named.
const CAUSES: usize = 15;

pub(super) struct Sheet {
    pub(super) title: String,
    pub(super) lead: String,
    pub(super) facts: Vec<(&'static str, String)>,
    pub(super) tables: Vec<Table>,
    pub(super) foot: Vec<String>,
}

/// The first column holds names, all others numbers.
pub(super) struct Table {
    pub(super) title: String,
    pub(super) header: Vec<&'static str>,
    pub(super) rows: Vec<Vec<String>>,
}

pub(super) fn sheet(told: &Told) -> Sheet {
    let (from, to) = (told.days.0.format("%a %F"), told.days.1.format("%a %F"));
    let title = if told.days.0 == told.days.1 { from.to_string() } else { format!("{from} to {to}") };
    let mut tables = vec![];
    if !told.counts.dashboards.is_empty() {
        tables.push(dashboards(&told.counts));
    }
    if !told.counts.causes.is_empty() {
        tables.push(causes(&told.counts));
    }
    Sheet { title: format!("{title}, {}", told.zone.name()), lead: lead(told), facts: facts(told), tables, foot: foot(told) }
}

fn days(told: &Told) -> String {
    match (told.days.1 - told.days.0).num_days() + 1 {
        1 => "the day before".to_owned(),
        days => format!("the {days} days before"),
    }
}

fn lead(told: &Told) -> String {
    let (counts, woken) = (&told.counts, told.counts.words.wakeups);
    let before = told.before.as_ref().map(|before| format!(" ({}: {})", days(told), number(before.words.wakeups)));
    let woken = match woken {
        0 => "Nobody was woken".to_owned(),
        1 => "Woken 1 time".to_owned(),
        times => format!("Woken {} times", number(times)),
    };
    let (met, due) = (counts.deadlines.met, counts.deadlines.due());
    let deadlines = if due == 0 { "no deadline with an audience".to_owned() } else { format!("deadlines met {met}/{due}") };
    format!("{woken}{} · {deadlines}", before.unwrap_or_default())
}

fn facts(told: &Told) -> Vec<(&'static str, String)> {
    let (now, before) = (&told.counts, told.before.as_ref());
    let than = |of: fn(&Counts) -> usize| compared(of(now), before.map(of));
    let mut facts = vec![("On time", on_time(told))];
    if now.deadlines.missed > 0 {
        facts.push(("Missed", missed(&now.deadlines)));
    }
    if now.deadlines.unknown > 0 {
        facts.push(("Not known", format!("{}: the watch did not look while it could be seen", number(now.deadlines.unknown))));
    }
    if now.deadlines.pending > 0 {
        facts.push(("Not over yet", format!("{}: just passed, and no answer tells yet", number(now.deadlines.pending))));
    }
    facts.push(("Wake-ups", format!("{}, times that a person was asked in quiet hours", than(|c| c.words.wakeups))));
    facts.push(("Asked", format!("{}, times that a person was asked at any hour", than(|c| c.words.asked))));
    let alarms = than(|c| c.deadlines.false_alarms);
    facts.push(("False alarms", format!("{alarms}, deadlines that a person was asked about and that were met with no failed run")));
    let (healed, incidents) = (number(now.words.healed), number(now.words.incidents));
    facts.push(("Self-healed", format!("{healed} of {incidents} incidents, before anybody was told")));
    let (alerts, messages) = (number(now.words.alerts), number(now.words.messages));
    facts.push(("Grouped", format!("{alerts} checks in trouble → {messages} messages")));
    facts.push(("Digests", digests(now)));
    let off = if now.unwatched_hours > 0 { format!("; {} more nobody watched", now.unwatched_hours) } else { String::new() };
    facts.push(("Quiet", format!("{} of {} hours without any message{off}", now.quiet_hours, now.hours)));
    facts.push(("Blind", blind(now)));
    facts
}

fn on_time(told: &Told) -> String {
    let share = |deadlines: &Deadlines| format!("{} / {}", number(deadlines.met), number(deadlines.due()));
    let before = told.before.as_ref().map(|before| format!(" ({}: {})", days(told), share(&before.deadlines)));
    format!("{}{}", share(&told.counts.deadlines), before.unwrap_or_default())
}

fn missed(deadlines: &Deadlines) -> String {
    let lead = deadlines.median_lead_minutes().map(|lead| format!(" (median {lead:.0} min ahead)")).unwrap_or_default();
    let [all, before, late, never] = [deadlines.missed, deadlines.told_before, deadlines.told_late, deadlines.untold].map(number);
    format!("{all}: told before the deadline {before}{lead}, only at it or after {late}, never {never}")
}

/// `1 (−5)`: five fewer than before.
fn compared(now: usize, before: Option<usize>) -> String {
    let change = before.map(|before| match now.cmp(&before) {
        std::cmp::Ordering::Less => format!(" (−{})", number(before - now)),
        std::cmp::Ordering::Equal => " (as before)".to_owned(),
        std::cmp::Ordering::Greater => format!(" (+{})", number(now - before)),
    });
    format!("{}{}", number(now), change.unwrap_or_default())
}

fn digests(counts: &Counts) -> String {
    let digests = counts.digests;
    let missed = if digests.missed > 0 { format!(", {} missed", digests.missed) } else { String::new() };
    format!("{} posted, {} silent and on record{missed}", digests.posted, digests.silent)
}

fn blind(counts: &Counts) -> String {
    if counts.blind.is_empty() {
        return "0 min: every source answered".to_owned();
    }
    let of_one = |(id, blind): (&crate::core::plan::Id, &TimeDelta)| {
        format!("{} {} min", clean(id.as_str()), thousands(blind.num_minutes()))
    };
    counts.blind.iter().map(of_one).collect::<Vec<_>>().join(", ")
}

fn dashboards(counts: &Counts) -> Table {
    let row = |(id, of): (&crate::core::plan::Id, &Deadlines)| {
        let numbers = [of.missed, of.told_before, of.told_late, of.untold, of.unknown, of.false_alarms].map(number);
        [vec![clean(id.as_str()), format!("{}/{}", of.met, of.due())], numbers.to_vec()].concat()
    };
    Table {
        title: "By dashboard".to_owned(),
        header: vec!["dashboard", "on time", "missed", "told before", "late", "never", "not known", "false alarms"],
        rows: counts.dashboards.iter().map(row).collect(),
    }
}

/// Those first for which most was said.
fn causes(counts: &Counts) -> Table {
    let mut causes: Vec<(&Cause, &Words)> = counts.causes.iter().collect();
    causes.sort_by_key(|(_, of)| std::cmp::Reverse((of.wakeups, of.asked, of.messages, of.alerts, of.incidents)));
    let more = causes.len().saturating_sub(CAUSES);
    let row = |(cause, of): (&Cause, &Words)| {
        let numbers = [of.incidents, of.healed, of.alerts, of.messages, of.asked, of.wakeups].map(number);
        [vec![clean(&cause.to_string())], numbers.to_vec()].concat()
    };
    Table {
        title: if more > 0 { format!("By cause ({CAUSES} of {})", causes.len()) } else { "By cause".to_owned() },
        header: vec!["cause", "incidents", "self-healed", "checks", "messages", "asked", "woken"],
        rows: causes.into_iter().take(CAUSES).map(row).collect(),
    }
}

fn foot(told: &Told) -> Vec<String> {
    let Some(begins) = told.begins else { return vec!["The ledger is empty: nothing has been decided yet.".to_owned()] };
    let begins = begins.with_timezone(&told.zone).format("%a %F %R");
    if told.is_short {
        return vec![format!("The ledger begins {begins}: what was before is not counted.")];
    }
    let compares = if told.before.is_some() { "" } else { ", not far enough to compare" };
    vec![format!("The ledger goes back to {begins}{compares}.")]
}

fn number(number: usize) -> String {
    thousands(i64::try_from(number).unwrap_or(i64::MAX))
}

/// `1,204`
fn thousands(number: i64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (ix, digit) in digits.chars().enumerate() {
        if ix > 0 && (digits.len() - ix).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_threes_and_changes_have_a_sign() {
        let cases = [(0, "0"), (999, "999"), (1_204, "1,204"), (1_000_000, "1,000,000")];
        for (value, expected) in cases {
            assert_eq!(thousands(value), expected);
        }
        assert_eq!(compared(1, Some(6)), "1 (−5)");
        assert_eq!(compared(6, Some(1)), "6 (+5)");
        assert_eq!(compared(0, Some(0)), "0 (as before)");
        assert_eq!(compared(7, None), "7");
    }
}

//! The words of a replay for a person: a line for each message, and what the span comes to.

use crate::core::message::clean;
use crate::core::state::Attention;
use crate::core::tally::Counts;
use crate::replay::Day;
use crate::replay::line::{Kind, Line};

/// A day's messages under its date; `None`: nobody would have read anything.
pub(super) fn day(day: &Day) -> Option<String> {
    let told: Vec<String> = day.lines.iter().filter(|line| is_message(line)).map(line).collect();
    (!told.is_empty()).then(|| format!("{}\n{}", day.date.format("%a %F"), told.join("\n")))
}

/// Somebody would have read it.
pub(super) fn is_message(line: &Line) -> bool {
    !matches!(line.kind, Kind::Silent | Kind::Heartbeat)
}

/// `  03:10  team  post    alert     ✖ Failed: orders_raw …`
pub(super) fn line(line: &Line) -> String {
    let at = line.at.at.with_timezone(&line.at.zone).format("%R");
    let chat = line.chat.as_ref().map_or("", |chat| chat.as_str());
    let attention = match line.attention {
        Some(Attention::Notify) => "notify",
        Some(Attention::Escalate) => "escalate",
        _ => "post",
    };
    let first = clean(line.text.lines().next().unwrap_or_default());
    format!("  {at}  {chat:<10} {attention:<9} {:<9} {first}", line.kind.word())
}

/// What all days come to.
pub(super) fn end(counts: &Counts) -> String {
    let summary = counts.summary();
    let deadlines = &counts.deadlines;
    let some = |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    let nights = some(counts.nights, "night", "nights");
    let mut lines = vec![format!(
        "In {nights}: {}, {} of {} met",
        some(summary.messages, "message", "messages"),
        deadlines.met,
        some(deadlines.due(), "deadline", "deadlines")
    )];
    if deadlines.missed > 0 {
        let lead = summary.median_lead_minutes.map(|lead| format!(", in the median {lead:.0} min before")).unwrap_or_default();
        let never = if deadlines.untold > 0 { format!(", {} never", deadlines.untold) } else { String::new() };
        lines.push(format!(
            "{}: {} told in time{lead}, {} told late{never}",
            some(deadlines.missed, "miss", "misses"),
            deadlines.told_before,
            deadlines.told_late
        ));
    }
    if deadlines.unknown > 0 {
        lines.push(format!("{} could not be seen at all", some(deadlines.unknown, "deadline", "deadlines")));
    }
    if deadlines.pending > 0 {
        lines.push(format!("{} just passed at the end, and not over yet", some(deadlines.pending, "deadline", "deadlines")));
    }
    lines.push(format!(
        "Persons asked: {}, {} of them in quiet hours; {}",
        some(counts.words.asked, "time", "times"),
        counts.words.wakeups,
        some(deadlines.false_alarms, "false alarm", "false alarms")
    ));
    lines.push(format!(
        "{} healed before anybody was told; {} would have been sent check by check, {} were",
        some(counts.words.healed, "incident", "incidents"),
        some(counts.words.alerts, "alert", "alerts"),
        counts.words.messages
    ));
    lines.push(format!("No message in {} of {} hours", counts.quiet_hours, counts.hours));
    lines.join("\n")
}

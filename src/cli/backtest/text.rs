//! The words of a score card for a person.

use crate::backtest::card::{Bin, Card, ENOUGH_NIGHTS, OfDashboard, Suggestion, Tried, Usual};
use crate::cli::output::aligned;
use crate::core::time::wall_clock;

/// Longer names are cut, so that every line fits a terminal of a hundred characters.
const NAME_CHARS: usize = 26;

pub(super) fn card(card: &Card) -> String {
    let mut parts = vec![lead(card)];
    if card.deadlines > 0 {
        parts.extend([thresholds(card), suggestions(card), dashboards(card), calibration(card)]);
        parts.extend(worst(card));
        parts.push(deadlines(card));
    }
    parts.join("\n\n")
}

fn lead(card: &Card) -> String {
    let (from, to) = (card.from.format("%a %F"), card.to.format("%a %F"));
    let mut lines = vec![format!(
        "In {}, {from} to {to}: {}, {} of them missed.",
        some(card.nights, "night", "nights"),
        some(card.deadlines, "deadline with an audience", "deadlines with an audience"),
        card.misses
    )];
    let left_out = [(card.without_audience, "that nobody looks at"), (card.unseen, "of which nobody saw how they ended")];
    let left_out: Vec<String> =
        left_out.iter().filter(|(count, _)| *count > 0).map(|(count, why)| format!("{count} {why}")).collect();
    if !left_out.is_empty() {
        lines.push(format!("Left out: {}.", left_out.join(", ")));
    }
    if card.deadlines == 0 {
        lines.push("There is nothing to tell how well misses are foreseen by.".to_owned());
    }
    lines.join("\n")
}

fn thresholds(card: &Card) -> String {
    let header = ["warn_at", "foreseen", "30 min ahead", "60 min ahead", "median lead", "false alarms", "a month"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    rows.extend(std::iter::once(&card.anyway).chain(&card.thresholds).map(|tried| {
        vec![
            number(tried.warn_at),
            foreseen(tried, card.misses),
            tried.ahead_30.to_string(),
            tried.ahead_60.to_string(),
            lead_time(tried),
            tried.false_alarms.to_string(),
            format!("{:.1}", tried.false_alarms_a_month),
        ]
    }));
    let mut lines = vec!["What each warn_at would have told, and what it would have cost:".to_owned()];
    lines.extend(aligned(&rows));
    lines.push("none: told whatever warn_at is: a failed run, or more likely late than not, and hardly time to act.".to_owned());
    lines.push("Foreseen: a miss told before at_latest. False alarm: a word of what was in time and had not failed.".to_owned());
    lines.join("\n")
}

fn foreseen(tried: &Tried, misses: usize) -> String {
    if misses == 0 { "-".to_owned() } else { format!("{} of {misses}", tried.foreseen) }
}

fn lead_time(tried: &Tried) -> String {
    tried.median_lead_minutes.map_or("-".to_owned(), |lead| format!("{lead:.0} min"))
}

fn suggestions(card: &Card) -> String {
    match card.misses {
        _ if card.enough_misses => {
            card.suggestions.iter().map(|suggestion| sentence(suggestion, card)).collect::<Vec<_>>().join("\n")
        }
        0 => "Nothing was missed: there is nothing to choose a warn_at by.".to_owned(),
        misses => format!("{} too few to choose a warn_at by.", some(misses, "miss is", "misses are")),
    }
}

fn sentence(suggestion: &Suggestion, card: &Card) -> String {
    let budget = suggestion.budget;
    let budget = format!("At most {budget} false {} a month", if budget == 1.0 { "alarm" } else { "alarms" });
    let Some(tried) = &suggestion.tried else {
        let at_most = card.thresholds.last().map_or(0.0, |tried| tried.false_alarms_a_month);
        let anyway = card.anyway.false_alarms_a_month;
        return format!("{budget}: no warn_at keeps that; at 0.99 there are {at_most:.1}, {anyway:.1} of them whatever it is.");
    };
    let (warn_at, told) = (number(tried.warn_at), tried.ahead_30);
    let told = format!("of {} misses you would have been told of {told}, 30 minutes ahead.", card.misses);
    format!("{budget}: warn_at = {warn_at};\n  {told}")
}

fn dashboards(card: &Card) -> String {
    let header = ["dashboard", "warn_at", "foreseen", "30 min ahead", "median lead", "false alarms"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    rows.extend(card.dashboards.iter().map(|of| {
        let OfDashboard { now, misses, .. } = of;
        let ahead = if *misses == 0 { "-".to_owned() } else { now.ahead_30.to_string() };
        vec![of_deadline(of), number(now.warn_at), foreseen(now, *misses), ahead, lead_time(now), now.false_alarms.to_string()]
    }));
    let mut lines = vec!["With warn_at as it is now:".to_owned()];
    lines.extend(aligned(&rows));
    lines.join("\n")
}

fn calibration(card: &Card) -> String {
    let known = &card.calibration;
    let Some(brier) = known.brier else {
        return "An hour before a deadline either all was ready or too little was known to say a chance.".to_owned();
    };
    let mut rows = vec![["said", "deadlines", "mean said", "missed"].map(str::to_owned).to_vec()];
    let percent = |share: Option<f64>| share.map_or("-".to_owned(), |share| format!("{share:.0} %"));
    rows.extend(known.bins.iter().map(|bin: &Bin| {
        vec![format!("{} to {} %", bin.from, bin.to), bin.deadlines.to_string(), percent(bin.mean_said), percent(bin.missed)]
    }));
    let mut lines = vec!["The chance to miss an hour before the deadline, where something was outstanding then:".to_owned()];
    lines.extend(aligned(&rows));
    lines.push(format!("Brier score {brier:.3}: 0 is perfect, 0.25 is a coin."));
    lines.join("\n")
}

fn worst(card: &Card) -> Option<String> {
    if card.worst_checks.is_empty() {
        return None;
    }
    let mut rows = vec![["check", "misses", "false alarms"].map(str::to_owned).to_vec()];
    rows.extend(
        card.worst_checks
            .iter()
            .map(|worst| vec![name(worst.check.as_str()), worst.missed.to_string(), worst.false_alarms.to_string()]),
    );
    let mut lines = vec!["The checks behind most misses and false alarms:".to_owned()];
    lines.extend(aligned(&rows));
    Some(lines.join("\n"))
}

fn deadlines(card: &Card) -> String {
    let mut rows = vec![["dashboard", "in time on", "9 of 10 by", "99 of 100 by"].map(str::to_owned).to_vec()];
    rows.extend(card.dashboards.iter().map(|of| {
        let Usual { nine_of_ten_minutes, most_minutes, enough_nights } = of.usual;
        let by = |minutes: Option<i64>| match minutes {
            Some(minutes) => wall_clock(minutes * 60),
            None if enough_nights => "never".to_owned(),
            None => "-".to_owned(),
        };
        let met = format!("{} of {}", of.deadlines - of.misses, some(of.deadlines, "night", "nights"));
        vec![of_deadline(of), met, by(nine_of_ten_minutes), by(most_minutes)]
    }));
    let mut lines = vec!["Deadlines, and by when all was ready on most nights:".to_owned()];
    lines.extend(aligned(&rows));
    if card.dashboards.iter().any(|of| !of.usual.enough_nights) {
        lines.push(format!("-: fewer than {ENOUGH_NIGHTS} nights are too few to say by when."));
    }
    lines.join("\n")
}

fn of_deadline(of: &OfDashboard) -> String {
    format!("{} {}", name(of.dashboard.as_str()), of.ready_by)
}

fn number(warn_at: Option<f32>) -> String {
    warn_at.map_or("none".to_owned(), |warn_at| format!("{warn_at:.2}"))
}

fn name(name: &str) -> String {
    let cut: String = name.chars().take(NAME_CHARS - 1).collect();
    if name.chars().count() > NAME_CHARS { format!("{cut}…") } else { name.to_owned() }
}

fn some(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

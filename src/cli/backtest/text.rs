//! The words of a score card for a person.

use crate::backtest::card::{Bin, Card, OfDashboard, Suggestion, Tried, Usual};
use crate::cli::output::aligned;

/// A card fits a terminal of so many characters; names longer than this are cut.
const NAME_CHARS: usize = 32;

pub(super) fn card(card: &Card) -> String {
    let mut parts = vec![lead(card)];
    if card.deadlines > 0 {
        parts.extend([thresholds(card), suggestions(card), dashboards(card), calibration(card)]);
        parts.extend(worst(card));
        parts.push(usual(card));
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
    let left_out = [
        (card.without_audience, "that nobody looks at"),
        (card.unseen, "of which nobody saw how they ended"),
    ];
    let left_out: Vec<String> = left_out.iter().filter(|(count, _)| *count > 0).map(|(count, why)| format!("{count} {why}")).collect();
    if !left_out.is_empty() {
        lines.push(format!("Left out: {}.", left_out.join(", ")));
    }
    if card.deadlines == 0 {
        lines.push("There is nothing to tell how well misses are foreseen by.".to_owned());
    }
    lines.join("\n")
}

fn thresholds(card: &Card) -> String {
    let mut rows = vec![tried_header("warn_at")];
    rows.push(tried_row("none".to_owned(), &card.anyway, card.misses));
    rows.extend(card.thresholds.iter().map(|tried| tried_row(number(tried.warn_at), tried, card.misses)));
    let mut lines = vec!["What each warn_at would have told, and what it would have cost:".to_owned()];
    lines.extend(aligned(&rows));
    lines.push("none: what is told whatever warn_at is: failed runs, and late data when it is nearly too late to act.".to_owned());
    lines.push("Foreseen is a miss that is told before at_latest; a false alarm, a word about what then was in time.".to_owned());
    lines.join("\n")
}

fn tried_header(first: &str) -> Vec<String> {
    [first, "foreseen", "30 min ahead", "60 min ahead", "median lead", "false alarms", "a month"].map(str::to_owned).to_vec()
}

fn tried_row(first: String, tried: &Tried, misses: usize) -> Vec<String> {
    vec![
        first,
        format!("{} of {misses}", tried.foreseen),
        tried.ahead_30.to_string(),
        tried.ahead_60.to_string(),
        tried.median_lead_minutes.map_or("-".to_owned(), |lead| format!("{lead:.0} min")),
        tried.false_alarms.to_string(),
        format!("{:.1}", tried.false_alarms_a_month),
    ]
}

fn suggestions(card: &Card) -> String {
    if !card.enough_misses {
        let misses = if card.misses == 0 { "No miss".to_owned() } else { some(card.misses, "miss", "misses") };
        let are = if card.misses > 1 { "are" } else { "is" };
        return format!("{misses} {are} too few to choose a threshold by: warn_at may stay as it is.");
    }
    card.suggestions.iter().map(|suggestion| sentence(suggestion, card)).collect::<Vec<_>>().join("\n")
}

fn sentence(suggestion: &Suggestion, card: &Card) -> String {
    let alarms = if suggestion.budget > 1.0 { "false alarms" } else { "false alarm" };
    let budget = format!("At most {} {alarms} a month", suggestion.budget);
    let Some(tried) = &suggestion.tried else {
        return format!("{budget}: no warn_at keeps that; {} a month come at 0.99.", last_cost(card));
    };
    let warn_at = number(tried.warn_at);
    let told = tried.ahead_30;
    format!("{budget}: warn_at = {warn_at}; of {} misses you would have been told of {told}, 30 minutes ahead.", card.misses)
}

fn last_cost(card: &Card) -> String {
    card.thresholds.last().map_or_else(String::new, |tried| format!("{:.1}", tried.false_alarms_a_month))
}

fn dashboards(card: &Card) -> String {
    let mut rows = vec![tried_header("dashboard")];
    rows[0].insert(1, "warn_at".to_owned());
    for of in &card.dashboards {
        let mut row = tried_row(name(of.dashboard.as_str()), &of.now, of.misses);
        row.insert(1, number(of.now.warn_at));
        // The lead and its two shares stand above for all; here there is room for one.
        rows.push(row);
    }
    for row in &mut rows {
        row.remove(7);
        row.remove(4);
    }
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
        vec![
            format!("{} to {} %", bin.from, bin.to),
            bin.deadlines.to_string(),
            percent(bin.mean_said),
            percent(bin.missed),
        ]
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

fn usual(card: &Card) -> String {
    let lines = card.dashboards.iter().map(|of: &OfDashboard| {
        let head = format!(
            "{}: ready by {} on {} of {}",
            name(of.dashboard.as_str()),
            of.ready_by,
            of.deadlines - of.misses,
            some(of.deadlines, "night", "nights")
        );
        let Usual { nine_of_ten_minutes, most_minutes, enough_nights } = of.usual;
        let on = |minutes: Option<i64>, nights: &str| match minutes {
            Some(minutes) => format!("by {} on {nights}", clock(minutes)),
            None => format!("never on {nights}"),
        };
        if enough_nights {
            format!("{head}; {}, {}.", on(nine_of_ten_minutes, "9 of 10"), on(most_minutes, "99 of 100"))
        } else {
            format!("{head}; too few to say what would hold.")
        }
    });
    std::iter::once("Deadlines that would have held:".to_owned()).chain(lines.map(|line| format!("  {line}"))).collect::<Vec<_>>().join("\n")
}

/// Minutes after midnight of the business date.
fn clock(minutes: i64) -> String {
    let (days, of_day) = (minutes.div_euclid(1440), minutes.rem_euclid(1440));
    let clock = format!("{:02}:{:02}", of_day / 60, of_day % 60);
    match days {
        0 => clock,
        -1 => format!("{clock} the evening before"),
        1 => format!("{clock} the day after"),
        days => format!("{clock} {days:+} days"),
    }
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

//! `calendar`: what kind of day each day is, for each calendar and each dashboard. Asks nobody, and computes no holiday.

use super::{Calendar as Args, Common, Format, output};
use crate::agent::clock::Clock;
use crate::core::calendar::Calendar;
use crate::core::message::clean;
use crate::core::plan::{Dashboard, Id, Plan};
use crate::core::time::{local_date, shift};
use crate::error::{Error, Exit};
use chrono::NaiveDate;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Two weeks: what people plan by.
const DAYS: u32 = 14;
/// The most that is shown: ten years.
const DAYS_MAX: i64 = 3_660;

type Calendars<'a> = BTreeMap<&'a Id, &'a Calendar>;

pub(super) fn run(common: &Common, args: &Args, environment: &[(String, String)]) -> Result<Exit, Error> {
    let plan = super::load(common, environment)?.plan;
    let calendars = chosen(&plan, args.name.as_deref())?;
    let days = span(args, local_date(Clock::real().now(), plan.timezone))?;
    output::write(&match common.format {
        Format::Text => text(&plan, &calendars, &days),
        _ => json(&plan, &calendars, &days).to_string(),
    })?;
    Ok(Exit::Fine)
}

fn chosen<'a>(plan: &'a Plan, name: Option<&str>) -> Result<Calendars<'a>, Error> {
    let all = plan.calendars.iter();
    let Some(name) = name else { return Ok(all.collect()) };
    match plan.calendars.get_key_value(name) {
        Some(found) => Ok(BTreeMap::from([found])),
        None if plan.calendars.is_empty() => Err(Error::Usage(format!("there is no calendar {name:?}; none is configured"))),
        None => {
            let known: Vec<&str> = plan.calendars.keys().map(Id::as_str).collect();
            Err(Error::Usage(format!("there is no calendar {name:?}; expected one of {}", known.join(", "))))
        }
    }
}

fn span(args: &Args, today: NaiveDate) -> Result<Vec<NaiveDate>, Error> {
    let from = args.from.unwrap_or(today);
    let to = args.to.unwrap_or_else(|| shift(from, i32::try_from(args.days.unwrap_or(DAYS)).unwrap_or(i32::MAX) - 1));
    let length = (to - from).num_days() + 1;
    if !(1..=DAYS_MAX).contains(&length) {
        return Err(Error::Usage(format!("{from} to {to} is no span of days; expected 1 to {DAYS_MAX} of them")));
    }
    Ok(from.iter_days().take_while(|day| *day <= to).collect())
}

/// (workday, off or unknown; the holiday's name)
fn kind(calendar: &Calendar, day: NaiveDate) -> (&'static str, Option<&str>) {
    match calendar.is_workday(day) {
        Some(true) => ("workday", None),
        Some(false) => ("off", calendar.off.get(&day).map(String::as_str)),
        None => ("unknown", None),
    }
}

/// What a day is to a dashboard, as it is judged: a day that no data covers is due, and somebody looks.
struct Due {
    due: bool,
    audience: bool,
    covered: bool,
}

fn due(dashboard: &Dashboard, day: NaiveDate, plan: &Plan) -> Due {
    let on = dashboard.on.holds(day, &plan.calendars);
    let also = dashboard.audience_also.contains(&day).then_some(true);
    let audience = also.or_else(|| dashboard.audience.holds(day, &plan.calendars));
    let due = on.unwrap_or(true);
    Due { due, audience: due && audience.unwrap_or(true), covered: on.is_some() && (!due || audience.is_some()) }
}

fn text(plan: &Plan, calendars: &Calendars<'_>, days: &[NaiveDate]) -> String {
    let mut lines: Vec<String> = calendars.iter().map(|(id, calendar)| coverage(id, calendar)).collect();
    let rows: Vec<Vec<String>> = days.iter().map(|day| row(plan, calendars, *day)).collect();
    let columns = rows.first().map_or(0, Vec::len);
    let widths: Vec<usize> =
        (0..columns).map(|at| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or_default()).collect();
    lines.extend(rows.iter().map(|row| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    }));
    lines.join("\n")
}

fn coverage(id: &Id, calendar: &Calendar) -> String {
    match calendar.covered {
        Some((first, last)) => format!("{id}: knows the holidays from {first} to {last}"),
        None => format!("{id}: knows no holidays, only its weekend and its own days"),
    }
}

fn row(plan: &Plan, calendars: &Calendars<'_>, day: NaiveDate) -> Vec<String> {
    let mut row = vec![day.format("%a %F").to_string()];
    // The names of holidays last: their letters are of more than one width, and one may come from a file of somebody else's.
    let mut names = Vec::new();
    for (id, calendar) in calendars {
        let (kind, name) = kind(calendar, day);
        row.push(format!("{id}: {kind}"));
        names.extend(name.map(clean));
    }
    for (id, dashboard) in &plan.dashboards {
        let Due { due, audience, covered } = due(dashboard, day, plan);
        let what = match (due, audience) {
            (false, _) => "not due",
            (true, true) => "due, audience",
            (true, false) => "due, no audience",
        };
        row.push(format!("{id}: {what}{}", if covered { "" } else { " (its calendar has no data)" }));
    }
    names.dedup();
    row.push(names.join("; "));
    row
}

fn json(plan: &Plan, calendars: &Calendars<'_>, days: &[NaiveDate]) -> Value {
    let covered = calendars.iter().map(|(id, calendar)| {
        let covered = calendar.covered.map(|(first, last)| json!({"first": first, "last": last}));
        (id.to_string(), json!({ "covered": covered }))
    });
    let covered: serde_json::Map<String, Value> = covered.collect();
    let day = |day: &NaiveDate| {
        let kinds = calendars.iter().map(|(id, calendar)| {
            let (kind, name) = kind(calendar, *day);
            (id.to_string(), json!({"kind": kind, "name": name}))
        });
        let dashboards = plan.dashboards.iter().map(|(id, dashboard)| {
            let Due { due, audience, covered } = due(dashboard, *day, plan);
            (id.to_string(), json!({"due": due, "audience": audience, "covered": covered}))
        });
        let weekday = day.format("%a").to_string().to_lowercase();
        let kinds: serde_json::Map<String, Value> = kinds.collect();
        let dashboards: serde_json::Map<String, Value> = dashboards.collect();
        json!({"date": day, "weekday": weekday, "calendars": kinds, "dashboards": dashboards})
    };
    json!({"calendars": covered, "days": days.iter().map(day).collect::<Vec<_>>()})
}

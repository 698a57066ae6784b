//! What a good configuration will run into: lints that need to know the time, or what the nights before were like.
//!
//! Reads no clock and no store: both are passed in. Says nothing that is worth refusing a configuration for.

use super::check::reached_from;
use super::{Finding, Loaded};
use crate::core::forecast::AsARule;
use crate::core::plan::{Dashboard, Id, Need};
use crate::core::state::Row;
use crate::core::time::{Instant, local_date, wall_clock};

/// A calendar's end is said so long before it comes: time enough for the next version, or for an `.ics` file.
const CALENDAR_ENDS_DAYS: i64 = 90;

const DAY_S: i32 = 86_400;

/// Calendars whose data ends soon.
pub fn calendars(loaded: &Loaded, now: Instant) -> Vec<Finding> {
    let today = local_date(now, loaded.plan.timezone);
    let mut found = Vec::new();
    for (id, calendar) in &loaded.plan.calendars {
        let Some((_, last)) = calendar.covered else { continue };
        let left = (last - today).num_days();
        let then = "days after it are judged as if somebody looks";
        let text = match left {
            ..0 => format!("calendar {id} knew the holidays up to {last}, which is over: {then}"),
            0..=CALENDAR_ENDS_DAYS => format!("calendar {id} knows the holidays up to {last}, for {left} more days: {then}"),
            _ => continue,
        };
        found.push(loaded.places.finding(&["calendars", id.as_str(), "holidays"], text));
    }
    found
}

/// Deadlines that lie before the usual arrival of something that they need. `rows`: what a store holds.
pub fn arrivals(loaded: &Loaded, rows: &[Row]) -> Vec<Finding> {
    let dashboards = loaded.plan.dashboards.iter();
    dashboards.filter_map(|(id, dashboard)| usually_late(loaded, id, dashboard, rows)).collect()
}

fn usually_late(loaded: &Loaded, id: &Id, dashboard: &Dashboard, rows: &[Row]) -> Option<Finding> {
    let deadline = *dashboard.ready_by.last()?;
    let earlier = dashboard.ready_by.iter().rev().nth(1);
    let opens_s = earlier.unwrap_or(&dashboard.counts_from).since_midnight_s() as i32;
    let window = opens_s..opens_s + DAY_S;
    let reached = reached_from(&loaded.plan, &dashboard.needs);
    let arrivals = rows.iter().filter_map(|row| {
        let Row::Check(check, state) = row else { return None };
        let needed = |need: Need| reached.contains(&need);
        let member = state.groups.iter().any(|group| needed(Need::Group(group.clone())));
        if !member && !needed(Need::Check(check.clone())) {
            return None;
        }
        let rule = AsARule::of(state.habits.of(&window)?)?;
        Some((rule.usual_s, rule.nights, check))
    });
    let (arrives_s, nights, check) = arrivals.max()?;
    if arrives_s <= deadline.since_midnight_s() {
        return None;
    }
    let usual = wall_clock(arrives_s);
    let text = format!(
        "the deadline {deadline} of dashboard {id} is before {check} usually arrives ({usual}, by its last {nights} nights): it will \
         be missed as a rule"
    );
    Some(loaded.places.finding(&["dashboards", id.as_str(), "ready_by"], text))
}

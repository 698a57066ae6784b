//! The score card of a configuration's own nights: how well its misses would have been foreseen, what that would have cost in false
//! alarms, and which settings follow from it.
//!
//! ```text
//! Play ─▶ look: what is known at fixed instants before each deadline ─▶ Case ─▶ count: pure ─▶ Card
//! ```
//!
//! Words nothing, and sees of each night no more than was known at the instant.

mod calibration;
mod case;
mod deadlines;
mod look;
mod suggest;
mod tried;
mod worst;

pub use calibration::{Bin, Calibration};
pub use case::{Case, Ended, Rise};
pub use deadlines::{ENOUGH_NIGHTS, Usual};
pub use look::{Looked, look};
pub use suggest::{BUDGETS, Suggestion};
pub use tried::Tried;
pub use worst::Worst;

use crate::core::plan::{Id, Plan};
use chrono::NaiveDate;
use serde::Serialize;

/// With fewer misses than this no threshold can be told from another.
pub const ENOUGH_MISSES: usize = 5;
/// Of a year, so that a count of a few nights is a count of a month.
const DAYS_A_MONTH: f64 = 365.25 / 12.0;
/// The thresholds that are shown, in hundredths.
const SHOWN: [u8; 11] = [50, 55, 60, 65, 70, 75, 80, 85, 90, 95, 99];

/// What the nights come to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Card {
    /// The first and the last day that anything was seen of.
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub timezone: &'static str,
    pub nights: usize,
    /// Deadlines with an audience that were seen to be met or missed; all but the last three figures below are of these.
    pub deadlines: usize,
    pub misses: usize,
    /// Those that were met although a run had failed: a word about them was no false alarm.
    pub met_after_a_failure: usize,
    /// Left out: nobody saw how they ended, or it was before anything was seen.
    pub unseen: usize,
    /// Left out: nobody looks at them.
    pub without_audience: usize,
    /// Are there enough misses to choose a threshold by?
    pub enough_misses: bool,
    /// What is told whatever `warn_at` is: failures, what is likelier than not to miss when it is nearly too late, and what nothing is
    /// known of.
    pub anyway: Tried,
    pub thresholds: Vec<Tried>,
    /// Empty where there are too few misses.
    pub suggestions: Vec<Suggestion>,
    pub dashboards: Vec<OfDashboard>,
    pub calibration: Calibration,
    pub worst_checks: Vec<Worst>,
}

/// What one deadline of a dashboard comes to, with its own `warn_at`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OfDashboard {
    pub dashboard: Id,
    /// As in the configuration.
    pub ready_by: String,
    pub deadlines: usize,
    pub misses: usize,
    pub now: Tried,
    pub usual: Usual,
}

impl Card {
    pub fn of(looked: &Looked, plan: &Plan) -> Self {
        let (seen, others): (Vec<&Case>, Vec<&Case>) = looked.cases.iter().partition(|case| case.counts());
        let unseen = others.iter().filter(|case| case.audience).count();
        let months = looked.nights as f64 / DAYS_A_MONTH;
        let misses = seen.iter().filter(|case| case.is_missed()).count();
        let enough_misses = misses >= ENOUGH_MISSES;
        let warn_at = |case: &Case| plan.dashboards.get(&case.dashboard).map_or(f32::INFINITY, |dashboard| dashboard.warn_at);
        Self {
            from: looked.from,
            to: looked.to,
            timezone: plan.timezone.name(),
            nights: looked.nights,
            deadlines: seen.len(),
            misses,
            met_after_a_failure: seen.iter().filter(|case| matches!(case.ended, Ended::Met { failed: true, .. })).count(),
            unseen,
            without_audience: others.len() - unseen,
            enough_misses,
            anyway: Tried::of(&seen, None, months),
            thresholds: SHOWN.iter().map(|hundredths| Tried::of(&seen, Some(suggest::chance(*hundredths)), months)).collect(),
            suggestions: if enough_misses { suggest::suggest(&seen, months) } else { Vec::new() },
            dashboards: dashboards(&seen, plan, months),
            calibration: Calibration::of(&seen),
            worst_checks: worst::worst(&seen, warn_at),
        }
    }
}

fn dashboards(seen: &[&Case], plan: &Plan, months: f64) -> Vec<OfDashboard> {
    let deadlines =
        plan.dashboards.iter().flat_map(|(id, dashboard)| (0..).zip(&dashboard.ready_by).map(move |of| (id, dashboard, of)));
    let told = deadlines.map(|(id, dashboard, (nth, ready_by))| {
        let own: Vec<&Case> = seen.iter().copied().filter(|case| case.dashboard == *id && case.nth == nth).collect();
        OfDashboard {
            dashboard: id.clone(),
            ready_by: ready_by.to_string(),
            deadlines: own.len(),
            misses: own.iter().filter(|case| case.is_missed()).count(),
            now: Tried::of(&own, Some(dashboard.warn_at), months),
            usual: Usual::of(&own),
        }
    });
    told.filter(|of| of.deadlines > 0).collect()
}

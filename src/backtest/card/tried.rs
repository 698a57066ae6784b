//! What one threshold would have brought, and what it would have cost. Counts only.

use super::case::Case;
use chrono::TimeDelta;
use serde::Serialize;

/// What would have been told with one `warn_at`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tried {
    /// `None`: only what is told whatever it is.
    pub warn_at: Option<f32>,
    /// Misses told before the dashboard's `at_latest`; of them those told half an hour, and an hour, before the deadline.
    pub foreseen: usize,
    pub ahead_30: usize,
    pub ahead_60: usize,
    /// Of those foreseen; `None`: there is none.
    pub median_lead_minutes: Option<f64>,
    /// Told before the deadline, ready at it, and no run had failed.
    pub false_alarms: usize,
    pub false_alarms_a_month: f64,
}

impl Tried {
    pub fn of(cases: &[&Case], warn_at: Option<f32>, months: f64) -> Self {
        let mut leads: Vec<i64> = cases
            .iter()
            .filter(|case| case.is_missed())
            .filter_map(|case| case.told(warn_at).filter(|minutes| TimeDelta::minutes(*minutes) > case.at_latest))
            .collect();
        leads.sort_unstable();
        let false_alarms = cases.iter().filter(|case| case.is_false_if_told() && case.told(warn_at).is_some()).count();
        Self {
            warn_at,
            foreseen: leads.len(),
            ahead_30: leads.iter().filter(|lead| **lead >= 30).count(),
            ahead_60: leads.iter().filter(|lead| **lead >= 60).count(),
            median_lead_minutes: median(&leads),
            false_alarms,
            false_alarms_a_month: if months > 0.0 { (false_alarms as f64 / months * 100.0).round() / 100.0 } else { 0.0 },
        }
    }
}

/// The middle one; of an even number the mean of the two in the middle.
fn median(sorted: &[i64]) -> Option<f64> {
    let (low, high) = (sorted.get(sorted.len().checked_sub(1)? / 2)?, sorted.get(sorted.len() / 2)?);
    Some((low + high) as f64 / 2.0)
}

#[cfg(test)]
mod tests {
    use super::super::case::{Ended, samples::*};
    use super::*;

    fn counted(cases: &[Case], warn_at: Option<f32>) -> (usize, usize, usize, Option<f64>, usize) {
        let tried = Tried::of(&cases.iter().collect::<Vec<_>>(), warn_at, 2.0);
        assert_eq!(tried.false_alarms_a_month, tried.false_alarms as f64 / 2.0);
        (tried.foreseen, tried.ahead_30, tried.ahead_60, tried.median_lead_minutes, tried.false_alarms)
    }

    #[test]
    fn the_first_instant_at_or_above_the_threshold_counts() {
        let cases = [missed(&[(120, 0.5), (45, 0.8), (20, 0.9)]), missed(&[(90, 0.6)]), missed(&[])];
        assert_eq!(counted(&cases, Some(0.5)), (2, 2, 2, Some(105.0), 0));
        assert_eq!(counted(&cases, Some(0.8)), (1, 1, 0, Some(45.0), 0));
        assert_eq!(counted(&cases, Some(0.81)), (1, 0, 0, Some(20.0), 0));
        assert_eq!(counted(&cases, Some(0.95)), (0, 0, 0, None, 0));
    }

    #[test]
    fn what_the_backstop_would_have_caught_is_not_foreseen_and_a_word_is_a_word_all_the_same() {
        assert_eq!(counted(&[missed(&[(15, 0.9)])], Some(0.8)).0, 0);
        assert_eq!(counted(&[missed(&[(20, 0.9)])], Some(0.8)).0, 1);
        assert_eq!(counted(&[met(&[(5, 0.9)])], Some(0.8)).4, 1);
        assert_eq!(counted(&[met(&[(5, 0.7)])], Some(0.8)).4, 0);
    }

    #[test]
    fn what_is_told_anyway_is_told_at_any_threshold() {
        let told = |mut case: Case, minutes| {
            case.anyway = Some((minutes, "raw".into()));
            case
        };
        let cases = [told(missed(&[(60, 0.9)]), 200), told(missed(&[(60, 0.9)]), 25), told(met(&[]), 40)];
        assert_eq!(counted(&cases, None), (2, 1, 1, Some(112.5), 1));
        assert_eq!(counted(&cases, Some(0.9)), (2, 2, 2, Some(130.0), 1));
    }

    #[test]
    fn what_failed_before_it_was_met_was_no_false_alarm() {
        let mut case = met(&[(60, 0.9)]);
        case.ended = Ended::Met { ready_wall_s: 0, failed: true };
        assert_eq!(counted(&[case], Some(0.5)).4, 0);
    }
}

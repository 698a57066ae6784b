//! Which `warn_at` keeps a budget of false alarms: the lowest that does, of all that a configuration takes. Counts only.

use super::case::Case;
use super::tried::Tried;
use serde::Serialize;

/// False alarms a month that somebody may want at most.
pub const BUDGETS: [f64; 3] = [0.25, 1.0, 4.0];
/// What a configuration takes, in hundredths.
const LOWEST: u8 = 50;
const HIGHEST: u8 = 99;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Suggestion {
    /// At most so many false alarms a month.
    pub budget: f64,
    /// `None`: no `warn_at` keeps it.
    pub tried: Option<Tried>,
}

/// As a configuration has it.
pub(super) fn chance(hundredths: u8) -> f32 {
    f32::from(hundredths) / 100.0
}

pub(super) fn suggest(cases: &[&Case], months: f64) -> Vec<Suggestion> {
    let may_be_false = || cases.iter().filter(|case| case.is_false_if_told());
    let anyway = may_be_false().filter(|case| case.anyway.is_some()).count();
    // Each is one if the threshold is not above it.
    let mut highest: Vec<f32> =
        may_be_false().filter(|case| case.anyway.is_none()).filter_map(|case| case.highest()).map(|rise| rise.chance).collect();
    highest.sort_unstable_by(|a, b| b.total_cmp(a));
    let lowest = |budget: f64| {
        // A part of one is none.
        let allowed = (budget * months) as usize;
        let above = highest.get(allowed.checked_sub(anyway)?).copied().unwrap_or_default();
        (LOWEST..=HIGHEST).map(chance).find(|warn_at| *warn_at > above)
    };
    let tried = |warn_at| Tried::of(cases, Some(warn_at), months);
    BUDGETS.iter().map(|budget| Suggestion { budget: *budget, tried: lowest(*budget).map(tried) }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::case::samples::*;
    use super::*;

    /// For the three budgets, in two months: none, two and eight false alarms.
    fn suggested(cases: &[Case]) -> [Option<f32>; 3] {
        let all = suggest(&cases.iter().collect::<Vec<_>>(), 2.0);
        [0, 1, 2].map(|place: usize| {
            let Suggestion { budget, tried } = &all[place];
            let allowed = (budget * 2.0) as usize;
            tried.as_ref().inspect(|tried| assert!(tried.false_alarms <= allowed, "{tried:?}")).and_then(|tried| tried.warn_at)
        })
    }

    #[test]
    fn the_lowest_that_keeps_the_budget_is_rounded_up_to_two_digits() {
        let cases =
            [met(&[(60, 0.913)]), met(&[(60, 0.6), (30, 0.7)]), met(&[(60, 0.7)]), met(&[(60, 0.55)]), missed(&[(60, 0.99)])];
        // One at exactly 0.7 would still be told of at 0.7.
        assert_eq!(suggested(&cases), [Some(0.92), Some(0.71), Some(0.5)]);
    }

    #[test]
    fn it_stays_within_what_a_configuration_takes() {
        assert_eq!(suggested(&[met(&[(60, 0.2)])]), [Some(0.5); 3]);
        assert_eq!(suggested(&[met(&[(60, 0.995)])]), [None, Some(0.5), Some(0.5)]);
        assert_eq!(suggested(&[]), [Some(0.5); 3]);
    }

    #[test]
    fn what_is_told_anyway_takes_its_share_of_the_budget() {
        let mut anyway = met(&[(60, 0.99)]);
        anyway.anyway = Some((40, "raw".into()));
        let cases = [anyway.clone(), anyway, met(&[(60, 0.84)])];
        assert_eq!(suggested(&cases), [None, Some(0.85), Some(0.5)]);
    }

    #[test]
    fn the_threshold_is_the_one_that_the_configuration_would_have() {
        for hundredths in LOWEST..=HIGHEST {
            let written: f64 = format!("0.{hundredths}").parse().unwrap();
            assert_eq!(chance(hundredths), written as f32);
        }
    }
}

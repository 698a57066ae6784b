//! Which checks stand behind misses and false alarms most often. Counts only.

use super::case::Case;
use crate::core::plan::Id;
use serde::Serialize;
use std::collections::BTreeMap;

/// So many are named.
const NAMED: usize = 5;

/// A check that was the likeliest to miss, or had failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Worst {
    pub check: Id,
    /// In so many missed deadlines.
    pub missed: usize,
    /// In so many false alarms, by the `warn_at` of the configuration.
    pub false_alarms: usize,
}

pub(super) fn worst(cases: &[&Case], warn_at: impl Fn(&Case) -> f32) -> Vec<Worst> {
    let mut counts: BTreeMap<&Id, (usize, usize)> = BTreeMap::new();
    for case in cases {
        let Some(check) = case.check() else { continue };
        let is_false = case.is_false_if_told() && case.told(Some(warn_at(case))).is_some();
        if case.is_missed() || is_false {
            let (missed, false_alarms) = counts.entry(check).or_default();
            *missed += usize::from(case.is_missed());
            *false_alarms += usize::from(is_false);
        }
    }
    let mut all: Vec<Worst> =
        counts.into_iter().map(|(check, (missed, false_alarms))| Worst { check: check.clone(), missed, false_alarms }).collect();
    all.sort_by_key(|worst| std::cmp::Reverse((worst.missed + worst.false_alarms, worst.missed)));
    all.truncate(NAMED);
    all
}

#[cfg(test)]
mod tests {
    use super::super::case::samples::*;
    use super::*;

    #[test]
    fn those_that_were_worst_most_often_are_named_first_and_no_more_than_five() {
        let by = |mut case: Case, check: &str| {
            case.rises.iter_mut().for_each(|rise| rise.check = check.into());
            case
        };
        let mut cases = vec![by(met(&[(60, 0.9)]), "raw"), by(met(&[(60, 0.7)]), "calm"), by(missed(&[]), "nobody")];
        cases.extend(["raw", "mart", "mart", "a", "b", "c", "d"].map(|check| by(missed(&[(60, 0.6)]), check)));
        let all = worst(&cases.iter().collect::<Vec<_>>(), |_| 0.8);
        let told: Vec<(&str, usize, usize)> = all.iter().map(|w| (w.check.as_str(), w.missed, w.false_alarms)).collect();
        assert_eq!(told, [("mart", 2, 0), ("raw", 1, 1), ("a", 1, 0), ("b", 1, 0), ("c", 1, 0)]);
    }
}

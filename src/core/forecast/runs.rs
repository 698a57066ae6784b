//! How long a run still takes: the run times of nights like this one, each as likely as its night is to come again.

use super::{Outlook, Survival};
use chrono::TimeDelta;

/// No two runs take the same time: each that is known is spread over so large a share of it to both sides.
const SPREAD: f32 = 0.05;
/// Of the longest of so many nothing is known but how long they have been: what is left of them halves whenever the time doubles.
pub(super) const OVERRUN: f32 = 0.1;
/// A time is found within a second among all that a run can take in ten years.
const HALVINGS: u32 = 30;

#[derive(Debug, Clone)]
pub struct Runs {
    /// Seconds, and the share of all.
    known: Vec<(f32, f32)>,
    /// On nine of ten nights it takes no longer.
    long: f32,
}

impl Runs {
    /// `None`: no run time is known.
    pub fn of(outlook: &Outlook) -> Option<Self> {
        let long = outlook.run_time(0.9)?;
        let all: f32 = outlook.run_times().map(|(_, weight)| weight).sum();
        let known = outlook.run_times().map(|(took_s, weight)| (took_s, weight / all));
        Some(Self { known: known.collect(), long })
    }

    /// Nobody has measured it: a quarter less or more.
    pub fn declared(usual: TimeDelta) -> Self {
        let usual = usual.num_seconds() as f32;
        let known = [0.75, 0.85, 0.95, 1.05, 1.15, 1.25].map(|of| (of * usual, 1.0 / 6.0));
        Self { known: known.into(), long: usual * 1.25 }
    }
}

impl Survival for Runs {
    fn left(&self, s: f32) -> f32 {
        if s <= 0.0 {
            return 1.0;
        }
        let under_way = |(took_s, share): &(f32, f32)| {
            let spread = (took_s * SPREAD).max(1.0);
            share * ((took_s + spread - s) / (2.0 * spread)).clamp(0.0, 1.0)
        };
        let known: f32 = self.known.iter().map(under_way).sum();
        known.max(OVERRUN * (self.long.max(1.0) / s).min(1.0))
    }

    fn when(&self, left: f32) -> Option<f32> {
        if left >= 1.0 {
            return Some(0.0);
        }
        let longest = self.known.iter().map(|(took_s, _)| took_s * (1.0 + SPREAD) + 1.0).fold(self.long, f32::max);
        let (mut low, mut high) = (0.0, longest.max(OVERRUN * self.long.max(1.0) / left.max(f32::MIN_POSITIVE)).min(1e9));
        for _ in 0..HALVINGS {
            let mid = low + (high - low) / 2.0;
            if self.left(mid) > left { low = mid } else { high = mid }
        }
        Some(high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(of: &[(f32, f32)], long: f32) -> Runs {
        Runs { known: of.iter().map(|(minutes, share)| (minutes * 60.0, *share)).collect(), long: long * 60.0 }
    }

    #[test]
    fn what_is_left_and_when_are_each_other_turned_round() {
        for runs in [runs(&[(30.0, 0.2), (40.0, 0.6), (55.0, 0.2)], 55.0), Runs::declared(TimeDelta::hours(2))] {
            let mut before = 1.0;
            for left in [0.97, 0.9, 0.7, 0.5, 0.3, 0.1, 0.05, 0.01] {
                let s = runs.when(left).unwrap();
                assert!((runs.left(s) - left).abs() < 0.01, "{runs:?} {left} at {s}: {}", runs.left(s));
                assert!(runs.left(s) <= before);
                before = runs.left(s);
            }
        }
    }

    #[test]
    fn a_run_that_is_longer_than_all_is_expected_to_take_as_long_again() {
        let runs = runs(&[(30.0, 0.1), (40.0, 0.8), (50.0, 0.1)], 50.0);
        let expected = |after_min: f32| runs.when(runs.left(after_min * 60.0) / 2.0).unwrap() / 60.0;
        assert!((expected(60.0) - 120.0).abs() < 0.1 && (expected(180.0) - 360.0).abs() < 0.1);
    }

    #[test]
    fn a_run_may_be_one_of_two_kinds() {
        let runs = runs(&[(40.0, 0.6), (240.0, 0.4)], 240.0);
        let misses = |by_min: f32, after_min: f32| runs.left(by_min * 60.0) / runs.left(after_min * 60.0);
        assert!(misses(300.0, 60.0) < 0.25, "a long night is in time: {}", misses(300.0, 60.0));
        assert!(misses(200.0, 60.0) > 0.9, "and it is one");
    }
}

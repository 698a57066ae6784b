//! How long a run takes: what is usual, and what is left of one that is under way.

use super::Survival;
use crate::core::message::Basis;
use chrono::TimeDelta;

/// One of ten runs is done within `quick`, half of them within `usual`, nine within `long`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunTime {
    pub quick: TimeDelta,
    pub usual: TimeDelta,
    pub long: TimeDelta,
    pub basis: Basis,
}

/// What is left at each of the three.
const LEFT: [f32; 3] = [0.9, 0.5, RunTime::LEFT_LONG];

impl RunTime {
    pub const LEFT_LONG: f32 = 0.1;

    /// Nobody has measured it: a quarter less or more.
    pub fn declared(usual: TimeDelta) -> Self {
        Self { quick: usual * 3 / 4, usual, long: usual * 5 / 4, basis: Basis::Declared }
    }

    /// By how much a long one is longer than usual, as far as that is known.
    pub fn spread(&self) -> TimeDelta {
        if self.basis == Basis::Declared { TimeDelta::zero() } else { self.long - self.usual }
    }

    fn knots(&self) -> [f32; 3] {
        // Apart by a second at least, or nothing could be read between them.
        let [quick, usual, long] = [self.quick, self.usual, self.long].map(|span| span.num_seconds() as f32);
        [quick.max(1.0), usual.max(quick.max(1.0) + 1.0), long.max(usual.max(quick.max(1.0) + 1.0) + 1.0)]
    }
}

impl Survival for RunTime {
    /// Of how much a run will overrun, nothing is known but how much it has: past `long`, what is left halves whenever the time
    /// doubles.
    fn left(&self, s: f32) -> f32 {
        let [quick, usual, long] = self.knots();
        let between = |(from, to): (f32, f32), (high, low): (f32, f32)| high - (high - low) * (s - from) / (to - from);
        match s {
            _ if s <= 0.0 => 1.0,
            _ if s < quick => 1.0 - (1.0 - LEFT[0]) * (s / quick).powi(4),
            _ if s < usual => between((quick, usual), (LEFT[0], LEFT[1])),
            _ if s < long => between((usual, long), (LEFT[1], LEFT[2])),
            _ => LEFT[2] * long / s,
        }
    }

    fn when(&self, left: f32) -> Option<f32> {
        let [quick, usual, long] = self.knots();
        let between = |(from, to): (f32, f32), (high, low): (f32, f32)| from + (to - from) * (high - left) / (high - low);
        Some(match left {
            _ if left >= 1.0 => 0.0,
            _ if left > LEFT[0] => quick * ((1.0 - left) / (1.0 - LEFT[0])).sqrt().sqrt(),
            _ if left > LEFT[1] => between((quick, usual), (LEFT[0], LEFT[1])),
            _ if left > LEFT[2] => between((usual, long), (LEFT[1], LEFT[2])),
            _ => LEFT[2] * long / left.max(f32::MIN_POSITIVE),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(minutes: [i64; 3]) -> RunTime {
        let [quick, usual, long] = minutes.map(TimeDelta::minutes);
        RunTime { quick, usual, long, basis: Basis::Observed { nights: 28 } }
    }

    #[test]
    fn what_is_left_and_when_are_each_other_turned_round() {
        for run in [run([30, 40, 55]), run([40, 40, 40]), run([0, 0, 0]), RunTime::declared(TimeDelta::minutes(40))] {
            let mut before = 1.0;
            for left in [0.99, 0.9, 0.7, 0.5, 0.3, 0.1, 0.05, 0.01] {
                let s = run.when(left).unwrap();
                assert!((run.left(s) - left).abs() < 1e-3, "{run:?} {left} at {s}: {}", run.left(s));
                assert!(run.left(s) <= before);
                before = left;
            }
        }
    }

    #[test]
    fn a_run_that_is_over_its_time_is_expected_to_take_as_long_again() {
        let run = run([30, 40, 50]);
        let expected = |after_min: f32| run.when(run.left(after_min * 60.0) / 2.0).unwrap() / 60.0;
        assert!((expected(60.0) - 120.0).abs() < 0.1 && (expected(180.0) - 360.0).abs() < 0.1);
    }
}

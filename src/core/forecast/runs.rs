//! How long a run still takes: the run times of nights like this one, each as likely as its night is to come again.

use super::Outlook;
use chrono::TimeDelta;

/// No two runs take the same time: each that is known is spread over so large a share of it to both sides.
const SPREAD: f32 = 0.05;
/// So many take longer than nine of ten nights did. Most of them by a little more, as data grows …
const OVERRUN: f32 = 0.1;
const LITTLE_MORE: f32 = 0.15;
/// … and so many of all hang: nothing is known of them but how long they have been, and what is left halves whenever the time doubles.
pub(super) const HANGS: f32 = 0.3 * OVERRUN;
/// A time is found within a second …
const CLOSE_S: f32 = 1.0;
/// … in no more steps than this, whatever the curve: among all that a run can take in three years.
const MOST_STEPS: u32 = 40;
const MOST_S: f32 = 1e8;

/// What takes less is not told apart.
const SHORTEST_S: f32 = 20.0;

#[derive(Debug, Clone)]
pub struct Runs {
    /// In order.
    took_s: Vec<f32>,
    /// Of all that are shorter than that at a place: the share of all, and the sum of share / time. Of so many as there are, and one more.
    shorter: Vec<[f64; 2]>,
    /// On nine of ten nights it takes no longer.
    long_s: f32,
}

impl Runs {
    /// `None`: no run time is known.
    pub fn of(outlook: &Outlook) -> Option<Self> {
        let known: Vec<(f32, f32)> = outlook.run_times().collect();
        (!known.is_empty()).then(|| Self::new(known))
    }

    /// Nobody has measured it: a quarter less or more.
    pub fn declared(usual: TimeDelta) -> Self {
        let usual = usual.num_seconds() as f32;
        Self::new([0.75, 0.85, 0.95, 1.05, 1.15, 1.25].map(|of| (of * usual, 1.0)).into())
    }

    /// `known`: each with what it weighs. Not empty.
    fn new(mut known: Vec<(f32, f32)>) -> Self {
        known.iter_mut().for_each(|(took_s, _)| *took_s = took_s.max(SHORTEST_S));
        known.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let all: f64 = known.iter().map(|(_, weight)| f64::from(*weight)).sum();
        let mut sums = [0.0; 2];
        let mut shorter = Vec::with_capacity(known.len() + 1);
        shorter.push(sums);
        for (took_s, weight) in &known {
            let share = f64::from(*weight) / all;
            sums = [sums[0] + share, sums[1] + share / f64::from(*took_s)];
            shorter.push(sums);
        }
        let took_s: Vec<f32> = known.into_iter().map(|(took_s, _)| took_s).collect();
        let nine_of_ten = shorter[1..].partition_point(|[share, _]| *share < 0.9).min(took_s.len() - 1);
        Self { long_s: took_s[nine_of_ten], took_s, shorter }
    }

    /// The share of those known that takes longer. Each goes from all to none along a line, around its time.
    fn longer(&self, s: f32) -> f32 {
        let before = |s: f32| self.shorter[self.took_s.partition_point(|took_s| *took_s <= s)];
        let ([over, over_by_time], [begun, begun_by_time]) = (before(s / (1.0 + SPREAD)), before(s / (1.0 - SPREAD)));
        let [under_way, by_time] = [begun - over, begun_by_time - over_by_time];
        let spread = f64::from(SPREAD);
        let left = ((1.0 + spread) * under_way - f64::from(s) * by_time) / (2.0 * spread);
        (1.0 - begun + left).max(0.0) as f32
    }

    /// How likely it is still under way after so many seconds.
    pub fn left(&self, s: f32) -> f32 {
        if s <= 0.0 {
            return 1.0;
        }
        let beyond = (s / self.long_s).max(1.0);
        let overruns = (OVERRUN - HANGS) * ((1.0 - beyond) / LITTLE_MORE).exp();
        self.longer(s).max(overruns + HANGS / beyond).min(1.0)
    }

    /// After how many seconds so much is left.
    pub fn when(&self, left: f32) -> f32 {
        if left >= 1.0 {
            return 0.0;
        }
        let longest = self.took_s.last().map_or(self.long_s, |took_s| took_s * (1.0 + SPREAD));
        let (mut low, mut high) = (0.0, longest.max(OVERRUN * self.long_s / left.max(f32::MIN_POSITIVE)).min(MOST_S));
        for _ in 0..MOST_STEPS {
            if high - low < CLOSE_S {
                break;
            }
            let mid = low + (high - low) / 2.0;
            if self.left(mid) > left { low = mid } else { high = mid }
        }
        high
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(of: &[(f32, f32)]) -> Runs {
        Runs::new(of.iter().map(|(minutes, weight)| (minutes * 60.0, *weight)).collect())
    }

    #[test]
    fn what_is_left_and_when_are_each_other_turned_round() {
        for runs in [runs(&[(55.0, 0.2), (30.0, 0.2), (40.0, 0.6)]), Runs::declared(TimeDelta::hours(2))] {
            let mut before = 1.0;
            for left in [0.97, 0.9, 0.7, 0.5, 0.3, 0.1, 0.05, 0.01] {
                let s = runs.when(left);
                assert!((runs.left(s) - left).abs() < 0.01, "{runs:?} {left} at {s}: {}", runs.left(s));
                assert!(runs.left(s) <= before);
                before = runs.left(s);
            }
        }
    }

    #[test]
    fn what_takes_longer_is_summed_up_as_one_by_one() {
        let of = [(30.0, 0.2), (31.0, 0.1), (33.0, 0.3), (60.0, 0.15), (600.0, 0.25)];
        for minutes in [10.0, 28.6, 30.0, 31.4, 33.0, 34.5, 59.0, 62.0, 580.0, 640.0_f32] {
            let one = |(took, share): &(f32, f32)| share * ((took * 1.05 - minutes) / (took * 0.1)).clamp(0.0, 1.0);
            let (told, by_one) = (runs(&of).longer(minutes * 60.0), of.iter().map(one).sum::<f32>());
            assert!((told - by_one).abs() < 1e-4, "{minutes}: {told} {by_one}");
        }
    }

    #[test]
    fn a_run_that_is_longer_than_all_takes_a_little_more_and_one_that_hangs_as_long_again() {
        let runs = runs(&[(30.0, 1.0), (40.0, 7.0), (50.0, 2.0)]);
        let expected = |after_min: f32| runs.when(runs.left(after_min * 60.0) / 2.0) / 60.0;
        assert!((55.0..65.0).contains(&expected(53.0)), "{}", expected(53.0));
        assert!((expected(180.0) - 360.0).abs() < 1.0, "{}", expected(180.0));
    }

    #[test]
    fn a_run_may_be_one_of_two_kinds() {
        let runs = runs(&[(40.0, 0.6), (240.0, 0.4)]);
        let misses = |by_min: f32, after_min: f32| runs.left(by_min * 60.0) / runs.left(after_min * 60.0);
        assert!(misses(300.0, 60.0) < 0.25, "a long night is in time: {}", misses(300.0, 60.0));
        assert!(misses(200.0, 60.0) > 0.9, "and it is one");
    }
}

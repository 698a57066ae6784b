//! When something will come in one cycle: how likely it is not there yet, at any time of the window.

use super::Survival;
use super::mixture::REACHES;

/// An arrival that may come again, with its share of all that may happen, by the reach over which it is spread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Part {
    pub(super) at: f32,
    /// Seconds.
    pub(super) took: Option<f32>,
    pub(super) mass: [f32; REACHES.len()],
}

/// Times are seconds on the wall after local midnight of the cycle's date.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlook {
    opens: f32,
    ends: f32,
    /// How likely nothing comes at all.
    never: f32,
    /// How much may come at any time of the window.
    any_time: f32,
    /// In order.
    at: Vec<f32>,
    /// For each reach the mass of all before a place, with its first two moments around the opening: so that a triangle over any of
    /// them is summed up without walking through them.
    sums: Vec<[[f64; 3]; REACHES.len()]>,
    /// Run times in seconds, each with what its night weighs.
    took: Vec<(f32, f32)>,
}

/// A quantile is found within a quarter of a second in a window of a day.
const HALVINGS: u32 = 19;

/// Less than this is not told apart from nothing.
const SURELY_THERE: f32 = 1e-9;

impl Outlook {
    /// `parts`: in the order of their times.
    pub(super) fn new((opens, ends): (f32, f32), never: f32, any_time: f32, parts: impl Iterator<Item = Part>) -> Self {
        let mut sum = [[0.0; 3]; REACHES.len()];
        let (mut at, mut sums, mut took) = (Vec::new(), vec![sum], Vec::new());
        for part in parts {
            let from_opening = f64::from(part.at - opens);
            for (sum, mass) in sum.iter_mut().zip(part.mass) {
                let mass = f64::from(mass);
                sum[0] += mass;
                sum[1] += mass * from_opening;
                sum[2] += mass * from_opening * from_opening;
            }
            took.extend(part.took.map(|took| (took, part.mass.iter().sum())));
            at.push(part.at);
            sums.push(sum);
        }
        Self { opens, ends, never, any_time, at, sums, took }
    }

    /// How likely it is not there at `s`.
    pub fn left(&self, s: f32) -> f32 {
        if s <= self.opens {
            return 1.0;
        }
        let s = s.min(self.ends);
        let came: f64 = REACHES.iter().enumerate().map(|(reach, half)| self.came(s, reach, *half)).sum();
        let spread = self.any_time * (self.ends - s) / (self.ends - self.opens);
        let some_time = (1.0 - self.never - self.any_time - came as f32).max(0.0);
        (self.never + spread + some_time).min(1.0)
    }

    /// How much of what is spread over one reach has come by `s`.
    fn came(&self, s: f32, reach: usize, half: f32) -> f64 {
        let past = self.at.partition_point(|at| *at <= s - half);
        let mid = past + self.at[past..].partition_point(|at| *at <= s);
        let ahead = mid + self.at[mid..].partition_point(|at| *at < s + half);
        // Half of a triangle is a parabola: its sum over many needs their mass and two moments alone.
        let parabola = |from: usize, to: usize, edge: f64| {
            let [mass, first, second] = [0, 1, 2].map(|moment| self.sums[to][reach][moment] - self.sums[from][reach][moment]);
            edge * edge * mass - 2.0 * edge * first + second
        };
        let (now, half) = (f64::from(s - self.opens), f64::from(half));
        let all = self.sums[past][reach][0];
        let falling = self.sums[mid][reach][0] - self.sums[past][reach][0] - parabola(past, mid, now - half) / (2.0 * half * half);
        let rising = parabola(mid, ahead, now + half) / (2.0 * half * half);
        all + falling + rising
    }

    /// How many run times are known.
    pub fn runs(&self) -> usize {
        self.took.len()
    }

    /// The run time that so much of all does not exceed, in seconds.
    pub fn run_time(&self, share: f32) -> Option<f32> {
        let mut took = self.took.clone();
        took.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let all: f32 = took.iter().map(|(_, weight)| weight).sum();
        let mut sum = 0.0;
        let reached = took.iter().find(|(_, weight)| {
            sum += weight;
            sum >= share * all
        });
        reached.or(took.last()).map(|(s, _)| *s)
    }

    /// How likely it is missing at `deadline_s`, when it is not there at `now_s`.
    pub fn misses(&self, deadline_s: f32, now_s: f32) -> f32 {
        (self.left(deadline_s) / self.left(now_s).max(SURELY_THERE)).clamp(0.0, 1.0)
    }

    /// By when it is there as likely as `share`; `None`: it is not so likely that it comes in this cycle.
    pub fn quantile(&self, share: f32) -> Option<f32> {
        let left = 1.0 - share;
        if self.left(self.ends) > left {
            return None;
        }
        let (mut low, mut high) = (self.opens, self.ends);
        for _ in 0..HALVINGS {
            let mid = low + (high - low) / 2.0;
            if self.left(mid) > left { low = mid } else { high = mid }
        }
        Some(high)
    }
}

impl Survival for Outlook {
    fn left(&self, s: f32) -> f32 {
        self.left(s)
    }

    fn when(&self, left: f32) -> Option<f32> {
        self.quantile(1.0 - left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: (f32, f32) = (0.0, 86_400.0);

    /// Three arrivals, each over another reach.
    fn outlook() -> Outlook {
        let part = |at, reach: usize, share| {
            let mut mass = [0.0; REACHES.len()];
            mass[reach] = share;
            Part { at, took: None, mass }
        };
        let parts = [part(3_600.0, 0, 0.3), part(4_000.0, 2, 0.3), part(20_000.0, 3, 0.28)];
        Outlook::new(DAY, 0.1, 0.02, parts.into_iter())
    }

    /// The same, summed up by walking through each triangle in steps of a second.
    fn walked(s: f32) -> f32 {
        let triangle = |at: f32, half: f32| {
            let density = |x: f32| (1.0 - ((x - at) / half).abs()).max(0.0) / half;
            (0..86_400).map(|second| second as f32 + 0.5).take_while(|second| *second < s).map(density).sum::<f32>()
        };
        let came =
            0.3 * triangle(3_600.0, REACHES[0]) + 0.3 * triangle(4_000.0, REACHES[2]) + 0.28 * triangle(20_000.0, REACHES[3]);
        0.1 + 0.02 * (1.0 - s / DAY.1) + 0.88 - came
    }

    #[test]
    fn what_is_left_is_what_has_not_come_yet() {
        assert_eq!((outlook().left(-5.0), outlook().left(0.0)), (1.0, 1.0));
        for s in [3_500.0, 3_600.0, 3_650.0, 4_000.0, 5_000.0, 14_000.0, 20_000.0, 26_000.0, 86_400.0] {
            let (told, walked) = (outlook().left(s), walked(s));
            assert!((told - walked).abs() < 1e-3, "{s}: {told} {walked}");
        }
    }

    #[test]
    fn less_is_left_with_every_minute_and_never_less_than_what_never_comes() {
        let mut before = 1.0;
        for minute in 0..=1_440 {
            let left = outlook().left(minute as f32 * 60.0);
            assert!(left <= before && left >= 0.1, "{minute}: {left} after {before}");
            before = left;
        }
    }

    #[test]
    fn a_quantile_is_where_its_share_has_come_and_none_where_it_does_not_come() {
        for share in [0.05, 0.3, 0.5, 0.8, 0.89] {
            let at = outlook().quantile(share).unwrap();
            assert!((1.0 - outlook().left(at) - share).abs() < 1e-3, "{share} at {at}");
        }
        assert_eq!(outlook().quantile(0.91), None);
    }

    #[test]
    fn the_chance_to_miss_grows_while_nothing_comes() {
        let deadline = 10_000.0;
        let polls: Vec<f32> = [0.0, 3_700.0, 5_000.0, 9_000.0, 10_000.0].map(|now| outlook().misses(deadline, now)).into();
        assert!(polls.is_sorted(), "{polls:?}");
        assert_eq!(polls[4], 1.0);
        assert!((polls[0] - outlook().left(deadline)).abs() < 1e-6);
    }
}

//! When something will come in one cycle: how likely it is not there yet, at any time of the window.
//!
//! An arrival spread over a triangle is the second difference of a parabola that begins at it. So what has come by some time needs, for
//! each reach, the sum of all parabolas at three times, and that follows from the mass of all arrivals before it and their first two
//! moments.

use super::four::Four;
use super::parts::Parts;
use super::reach::REACHES;

/// A run time that may come again, and how much it weighs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Run {
    pub(super) took_s: u32,
    pub(super) weight: f32,
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
    /// Of all before a place, one more than there are arrivals.
    sums: Vec<Moments>,
    /// In no order.
    runs: Vec<Run>,
}

/// Moments of the arrivals before a place.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Moments {
    mass: Four<f64>,
    first: Four<f64>,
    second: Four<f64>,
}

/// How steep the sides of a triangle of mass 1 are.
const STEEP: [f64; REACHES.len()] = {
    let mut steep = [0.0; REACHES.len()];
    let mut reach = 0;
    while reach < REACHES.len() {
        steep[reach] = 1.0 / (REACHES[reach] as f64 * REACHES[reach] as f64);
        reach += 1;
    }
    steep
};

/// A quantile is found within so many seconds …
const CLOSE_S: f32 = 0.25;
/// … in no more steps than this, whatever the curve.
const MOST_STEPS: u32 = 40;

/// Less than this is not told apart from nothing.
const SURELY_THERE: f32 = 1e-9;

impl Outlook {
    pub(super) fn new((opens, ends): (f32, f32), (never, any_time): (f32, f32), parts: &Parts, runs: Vec<Run>) -> Self {
        let mut at = vec![0.0; parts.len()];
        let mut sums = vec![Moments::default(); parts.len() + 1];
        let [mut masses, mut firsts, mut seconds] = [Four::default(); 3];
        for (((arrives_s, mass), at), sum) in parts.in_order().zip(&mut at).zip(&mut sums[1..]) {
            *at = (arrives_s as f32).clamp(opens, ends);
            let (x, mass) = (f64::from(*at - opens), mass.wide());
            masses = masses + mass;
            firsts = firsts + mass * x;
            seconds = seconds + mass * (x * x);
            *sum = Moments { mass: masses, first: firsts, second: seconds };
        }
        Self { opens, ends, never, any_time, at, sums, runs }
    }

    /// How likely it is not there at `s`.
    pub fn left(&self, s: f32) -> f32 {
        if s <= self.opens {
            return 1.0;
        }
        self.curve(s.min(self.ends)).0
    }

    /// How likely it is not there at `s`, within the window, and by how much less with every second.
    fn curve(&self, s: f32) -> (f32, f32) {
        let place = |s: f32| (self.at.partition_point(|at| *at <= s), f64::from(s - self.opens));
        let (now, x) = place(s);
        let (mut came, mut density) = (0.0, 0.0);
        for (reach, half) in REACHES.into_iter().enumerate() {
            let ((past, left), (ahead, right)) = (place(s - half), place(s + half));
            for (place, x, times) in [(past, left, 1.0), (now, x, -2.0), (ahead, right, 1.0)] {
                let Moments { mass, first, second } = &self.sums[place];
                let (slope, times) = (x * mass.0[reach] - first.0[reach], times * STEEP[reach]);
                came += times * (x * (slope - first.0[reach]) + second.0[reach]);
                density += times * slope;
            }
        }
        let came = came / 2.0;
        let spread = self.any_time / (self.ends - self.opens);
        let some_time = (1.0 - self.never - self.any_time - came as f32).max(0.0);
        ((self.never + spread * (self.ends - s) + some_time).min(1.0), density as f32 + spread)
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
        // If nothing were spread, it would be there with this arrival.
        let with = self.sums[1..].partition_point(|sum| (sum.mass.sum() as f32) < share);
        let mut s = self.at.get(with).copied().unwrap_or(high).clamp(low, high);
        let mut step = high - low;
        for _ in 0..MOST_STEPS {
            let (now, density) = self.curve(s);
            if now > left {
                low = s
            } else {
                high = s
            }
            let newton = s + (now - left) / density;
            let leads_on = newton > low && newton < high && (newton - s).abs() < step / 2.0;
            let next = if leads_on { newton } else { low + (high - low) / 2.0 };
            step = (next - s).abs();
            s = next;
            if step < CLOSE_S {
                break;
            }
        }
        Some(s)
    }

    /// In seconds, each with what its night weighs; in no order.
    pub fn run_times(&self) -> impl Iterator<Item = (f32, f32)> {
        self.runs.iter().map(|run| (run.took_s as f32, run.weight))
    }

    /// The run times that so large a share of those known does not exceed, in seconds; `None`: none is known.
    pub fn run_quantiles<const N: usize>(&self, shares: [f32; N]) -> Option<[f32; N]> {
        let mut runs = self.runs.clone();
        runs.sort_unstable_by_key(|run| run.took_s);
        let mut all = 0.0;
        for run in &mut runs {
            all += run.weight;
            run.weight = all;
        }
        let longest = runs.last()?;
        let reaching = |share: f32| runs.get(runs.partition_point(|run| run.weight < share * all)).unwrap_or(longest);
        Some(shares.map(|share| reaching(share).took_s as f32))
    }

    /// How many nights have a run time.
    pub fn runs(&self) -> usize {
        self.runs.len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::night::Night;
    use super::super::tonight::Tonight;
    use super::*;

    const DAY: (f32, f32) = (0.0, 86_400.0);

    /// Three arrivals, each over another reach.
    fn outlook() -> Outlook {
        let of = Tonight::of(chrono::NaiveDate::from_ymd_opt(2026, 11, 23).unwrap(), 0, 86_400, |_| None);
        let mut parts = Parts::new(0, 86_400);
        for (arrives_s, reach, share) in [(20_000, 3, 0.28), (3_600, 0, 0.3), (4_000, 2, 0.3)] {
            let mut mass = [0.0; REACHES.len()];
            mass[reach] = share;
            parts.add(Night::new(of, Some(arrives_s), None, false), Four(mass));
        }
        Outlook::new(DAY, (0.1, 0.02), &parts, runs().into())
    }

    fn runs() -> [Run; 3] {
        [(600, 0.2), (60, 0.5), (1_200, 0.3)].map(|(took_s, weight)| Run { took_s, weight })
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
    fn a_quantile_is_where_a_walk_through_the_window_comes_to_it() {
        let outlook = outlook();
        for share in (1..=89).map(|percent| percent as f32 / 100.0) {
            let walked = (0..86_400).map(|second| second as f32).find(|second| outlook.left(*second) <= 1.0 - share);
            let (told, walked) = (outlook.quantile(share).unwrap(), walked.unwrap());
            assert!((walked - told - 0.5).abs() < 2.0, "{share}: {told} {walked}");
        }
    }

    #[test]
    fn a_quantile_is_found_where_nothing_is_spread_and_before_anything_is_known() {
        let spread = Outlook::new(DAY, (0.5, 0.5), &Parts::new(0, 86_400), Vec::new());
        assert!((spread.quantile(0.25).unwrap() - 43_200.0).abs() < 1.0);
        assert_eq!(spread.quantile(0.6), None);
        let never = Outlook::new(DAY, (1.0, 0.0), &Parts::new(0, 86_400), Vec::new());
        assert_eq!((never.quantile(0.1), never.left(80_000.0)), (None, 1.0));
    }

    #[test]
    fn a_run_time_is_the_shortest_at_which_its_share_is_reached() {
        let told = [0.0, 0.49, 0.51, 0.69, 0.71, 1.0].map(|share| outlook().run_quantiles([share]).map(|[s]| s));
        assert_eq!(told, [60.0, 60.0, 600.0, 600.0, 1_200.0, 1_200.0].map(Some));
        assert_eq!(outlook().run_quantiles([0.6, 0.1]), Some([600.0, 60.0]));
        assert_eq!((outlook().runs(), outlook().run_times().next()), (3, Some((600.0, 0.2))));
        let none = Outlook::new(DAY, (0.1, 0.9), &Parts::new(0, 86_400), Vec::new());
        assert_eq!((none.run_quantiles([0.5]), none.runs()), (None, 0));
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

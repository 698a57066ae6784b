//! When a check will arrive in a cycle, as a distribution: given what is known at `at`, when, how surely, and from when on it is too
//! unsure. From the check's own nights; with too few of them by what is declared, and then it says so.
//!
//! It never says whether that is in time: `judge` does.

mod curve;
mod four;
mod habit;
mod habits;
mod mixture;
mod moved;
mod night;
mod outlook;
mod parts;
mod reach;
mod run_time;
mod runs;
mod sample;
mod told;
mod tonight;

pub use curve::Curve;
pub use habit::{Arrives, AsARule, ENOUGH_NIGHTS, Habit};
pub use habits::Habits;
pub use mixture::{Mixture, NIGHTS_KEPT};
pub use moved::{Moved, moved};
pub use night::Night;
pub use outlook::Outlook;
pub use run_time::RunTime;
pub use runs::Runs;
pub use tonight::Tonight;

use super::message::{Basis, Eta};
use super::time::{Instant, round_up};
use chrono::TimeDelta;

/// An expected arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forecast {
    /// As likely sooner as later.
    pub at: Instant,
    /// Nine of ten times sooner.
    pub high: Instant,
    pub basis: Basis,
}

/// Less than this is not told apart from nothing.
const SURELY_THERE: f32 = 1e-9;

impl Forecast {
    /// What people see of an ETA changes in such steps only.
    pub const SHOWN_STEP: TimeDelta = TimeDelta::minutes(5);

    /// By a curve. It moves on in steps: what has not come when it is expected is expected when half of what is left of it has come.
    /// `is_past`: had it not come by then? `None`: it is as likely that nothing comes at all.
    pub fn by(curve: &Curve, basis: Basis, mut is_past: impl FnMut(Instant) -> bool) -> Option<Self> {
        let mut left = 1.0;
        let mut expected = curve.when(left / 2.0)?;
        while is_past(expected) && left > SURELY_THERE {
            left /= 2.0;
            expected = curve.when(left / 2.0)?;
        }
        let high = curve.when((left / 10.0).max(curve.told_of(left))).map_or(expected, |high| high.max(expected));
        Some(Self { at: expected, high, basis })
    }

    /// By a run time alone, where it begins then.
    pub fn from_start(begins: Instant, run: &RunTime) -> Self {
        Self { at: begins + run.usual, high: begins + run.long, basis: run.basis }
    }

    /// As people see it: quantised, so that a message is not edited for every minute.
    pub fn shown(&self) -> Eta {
        let at = round_up(self.at, Self::SHOWN_STEP);
        Eta { at, low: at, high: round_up(self.high, Self::SHOWN_STEP).max(at), basis: self.basis }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is kept rests until the first time that was not past: nothing but that may change it, to the last millisecond.
    #[test]
    fn an_expected_arrival_changes_only_where_it_says() {
        let at = |ms: i64| Instant::from_timestamp_millis(1_795_000_000_513 + ms).unwrap();
        let curve = Curve::Run { runs: Runs::declared(TimeDelta::minutes(60)), since: at(0) };
        // By what was seen until then; and until when that holds.
        let by = |seen_at: Instant| {
            let mut until = Instant::MAX_UTC;
            let forecast = Forecast::by(&curve, Basis::Declared, |expected| {
                until = if seen_at < expected { until.min(expected) } else { until };
                seen_at >= expected
            });
            (forecast, until)
        };
        let (mut seen_at, mut steps) = (at(0), 0);
        while seen_at < at(3 * 3_600_000) {
            let (forecast, until) = by(seen_at);
            assert_eq!(by(until - TimeDelta::milliseconds(1)), (forecast, until));
            assert_ne!(by(until).0, forecast, "{until}");
            (seen_at, steps) = (until, steps + 1);
        }
        assert!(steps > 4, "{steps}");
    }
}

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
pub use habit::{Arrives, ENOUGH_NIGHTS, Habit};
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
    /// Until when it is the same while nothing is heard. `None`: nothing makes it come; it is "if it started now", and moves on with
    /// every minute.
    pub stays_until: Option<Instant>,
}

impl Forecast {
    /// What people see of an ETA changes in such steps only.
    pub const SHOWN_STEP: TimeDelta = TimeDelta::minutes(5);

    /// By a curve, of what had not come `lag` ago: the newest answer may be as old. It moves on in steps: what does not come when it is
    /// expected is expected when half of what is left of it has come. `None`: it is as likely that nothing comes at all.
    pub fn by(curve: &Curve, at: Instant, lag: TimeDelta, basis: Basis) -> Option<Self> {
        let left = curve.left(at - lag).max(f32::MIN_POSITIVE);
        let mut of = 1.0;
        while of / 2.0 >= left {
            of /= 2.0;
        }
        let expected = curve.when(of / 2.0)?;
        let high = curve.when((of / 10.0).max(curve.told_of(of))).map_or(expected, |high| high.max(expected));
        // A sharp curve may put it into this very second.
        let stays_until = (expected + lag).max(at + TimeDelta::seconds(1));
        Some(Self { at: expected, high, basis, stays_until: Some(stays_until) })
    }

    /// By a run time alone, where it begins at `begins`, or now. That it has may be seen `lag` later.
    pub fn from_start(at: Instant, begins: Option<Instant>, lag: TimeDelta, run: &RunTime) -> Self {
        let begins = begins.filter(|begins| *begins + lag > at);
        let starts = begins.unwrap_or(at);
        Self { at: starts + run.usual, high: starts + run.long, basis: run.basis, stays_until: begins.map(|begins| begins + lag) }
    }

    /// Does anything make it come by itself?
    pub fn is_moving(&self) -> bool {
        self.stays_until.is_some()
    }

    /// As people see it: quantised, so that a message is not edited for every minute.
    pub fn shown(&self) -> Eta {
        let at = round_up(self.at, Self::SHOWN_STEP);
        Eta { at, low: at, high: round_up(self.high, Self::SHOWN_STEP).max(at), basis: self.basis }
    }
}

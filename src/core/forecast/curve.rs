//! How likely something has not come yet, over time: of an arrival that does not depend on how it goes tonight, or of a run under way.

use super::runs::HANGS;
use super::{Outlook, Runs};
use crate::core::time::{Instant, at_wall, wall_s};
use chrono::{NaiveDate, TimeDelta};
use chrono_tz::Tz;

/// A distribution over instants.
#[derive(Debug)]
pub enum Curve {
    /// Of an arrival, in a cycle of that date; all of it so much later than usual.
    Arrival { outlook: Outlook, date: NaiveDate, zone: Tz, late_by: TimeDelta },
    /// Of a run that works since then.
    Run { runs: Runs, since: Instant },
}

impl Curve {
    /// How likely it is not there at `at`.
    pub fn left(&self, at: Instant) -> f32 {
        match self {
            Self::Arrival { outlook, date, zone, late_by } => outlook.left(wall_s(at - *late_by, *date, *zone) as f32),
            Self::Run { runs, since } => runs.left((at - *since).num_seconds() as f32),
        }
    }

    /// When so much is left of it.
    pub fn when(&self, left: f32) -> Option<Instant> {
        match self {
            Self::Arrival { outlook, date, zone, late_by } => {
                Some(at_wall(whole(outlook.quantile(1.0 - left)?), *date, *zone) + *late_by)
            }
            Self::Run { runs, since } => since.checked_add_signed(TimeDelta::seconds(whole(runs.when(left)))),
        }
    }

    /// Of what is left, so much is told of: how long a run takes that hangs, nobody knows.
    pub fn told_of(&self, left: f32) -> f32 {
        match self {
            Self::Arrival { .. } => 0.0,
            Self::Run { .. } => HANGS.min(left / 2.0),
        }
    }

    /// How likely it is missing at `by`, when it is not there at `at`.
    pub fn misses(&self, by: Instant, at: Instant) -> f32 {
        (self.left(by) / self.left(at).max(f32::MIN_POSITIVE)).clamp(0.0, 1.0)
    }

    /// From when on it is as likely as `chance` to be missing at `by`, if it has not come: the curve inverted, not polled.
    pub fn misses_from(&self, by: Instant, chance: f32) -> Instant {
        let left = self.left(by) / chance;
        let from = if left >= 1.0 { Some(Instant::MIN_UTC) } else { self.when(left) };
        from.map_or(by, |from| from.min(by))
    }
}

/// Nothing that is watched takes years.
fn whole(s: f32) -> i64 {
    s.ceil().clamp(-1e8, 1e8) as i64
}

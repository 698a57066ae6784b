//! What is left to run along a way to the dashboard.

use crate::core::forecast::RunTime;
use chrono::TimeDelta;

/// Runs one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Path {
    pub(super) usual: TimeDelta,
    /// The squares of their spreads, in seconds: that all of them take long in one night is less likely than that one does.
    spreads: i64,
}

impl Path {
    /// With one more run before it.
    pub(super) fn behind(self, run: Option<&RunTime>) -> Self {
        let Some(run) = run else { return self };
        let spread = run.spread().num_seconds();
        Self { usual: self.usual + run.usual, spreads: self.spreads.saturating_add(spread.saturating_mul(spread)) }
    }

    /// As long as it takes on nine of ten nights.
    pub(super) fn long(self) -> TimeDelta {
        self.usual + TimeDelta::minutes(self.spreads.isqrt().unsigned_abs().div_ceil(60) as i64)
    }

    pub(super) fn slower(self, other: Self) -> Self {
        // Seldom has a root to be taken for that.
        match (other.usual > self.usual, other.spreads > self.spreads) {
            (true, true) => other,
            (false, false) => self,
            _ if other.long() > self.long() => other,
            _ => self,
        }
    }
}

//! How long a run takes.

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

impl RunTime {
    /// Nobody has measured it: a quarter less or more.
    pub fn declared(usual: TimeDelta) -> Self {
        Self { quick: usual * 3 / 4, usual, long: usual * 5 / 4, basis: Basis::Declared }
    }

    /// By how much a long one is longer than usual, as far as that is known.
    pub fn spread(&self) -> TimeDelta {
        if self.basis == Basis::Declared { TimeDelta::zero() } else { self.long - self.usual }
    }

    /// In seconds, of a night with that rank among all, from 0 to 1: along a line between the three.
    pub fn of_rank(&self, rank: f32) -> f32 {
        let [quick, usual, long] = [self.quick, self.usual, self.long].map(|span| span.num_seconds() as f32);
        let along = ((rank - 0.5) / 0.4).clamp(-1.0, 1.0);
        usual + along * if along < 0.0 { usual - quick } else { long - usual }
    }
}

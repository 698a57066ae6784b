//! One cycle of a dashboard, as it looked before its deadline, and how it ended. Plain data, and the one reading of it that all counts
//! share: when a word would have been said.

use crate::core::plan::Id;
use crate::core::time::Instant;
use chrono::{NaiveDate, TimeDelta};

/// One cycle.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    pub dashboard: Id,
    /// Counts the deadlines of the day from 0.
    pub nth: u32,
    pub date: NaiveDate,
    pub deadline: Instant,
    pub audience: bool,
    /// The dashboard's backstop: from so long before the deadline on, to tell of a miss is no foresight.
    pub at_latest: TimeDelta,
    /// Each time the chance to miss of the likeliest check rose above all that it had been, in order of time.
    pub rises: Vec<Rise>,
    /// When it was first told of, whatever `warn_at` is, and the check that was the reason: a failed run, likelier than not to miss when it is
    /// nearly too late to act, nothing known that a chance could rest on.
    pub anyway: Option<(i64, Id)>,
    /// How likely the dashboard missed, an hour before its deadline; `None`: it was ready then, or too little was known.
    pub said: Option<f32>,
    pub ended: Ended,
}

/// The chance to miss of one check, so many minutes before the deadline.
#[derive(Debug, Clone, PartialEq)]
pub struct Rise {
    pub minutes: i64,
    pub chance: f32,
    pub check: Id,
}

/// Wall times are seconds after local midnight of the business date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Nobody saw it, or it was before the watch began, or it is not over.
    Unseen,
    /// `failed`: a run had been seen to fail before.
    Met { ready_wall_s: i64, failed: bool },
    /// `None`: it never was ready.
    Missed { ready_wall_s: Option<i64> },
}

impl Case {
    /// Does it say anything of words? Somebody looks at it, and it was seen how it ended.
    pub fn counts(&self) -> bool {
        self.audience && self.ended != Ended::Unseen
    }

    pub fn is_missed(&self) -> bool {
        matches!(self.ended, Ended::Missed { .. })
    }

    /// Met, and nobody had repaired anything: a word was a false alarm.
    pub fn is_false_if_told(&self) -> bool {
        matches!(self.ended, Ended::Met { failed: false, .. })
    }

    /// So many minutes before the deadline the first word would have been said, with such a `warn_at` (`None`: without any); `None`: there
    /// would have been none before it.
    pub fn told(&self, warn_at: Option<f32>) -> Option<i64> {
        let passed = warn_at.and_then(|warn_at| self.rises.iter().find(|rise| rise.chance >= warn_at)).map(|rise| rise.minutes);
        passed.max(self.anyway.as_ref().map(|(minutes, _)| *minutes))
    }

    /// The highest chance to miss of any check before the deadline.
    pub fn highest(&self) -> Option<&Rise> {
        self.rises.last()
    }

    /// The check that a word would have been about.
    pub fn check(&self) -> Option<&Id> {
        self.anyway.as_ref().map(|(_, check)| check).or(self.highest().map(|rise| &rise.check))
    }

    /// Takes in the chance of the likeliest check.
    pub fn rise(&mut self, rise: Rise) {
        if self.highest().is_none_or(|highest| highest.chance < rise.chance) {
            self.rises.push(rise);
        }
    }
}

/// Made by hand, for the tests of what counts them.
#[cfg(test)]
pub(super) mod samples {
    use super::*;

    /// A cycle whose chance to miss rose so, in minutes before its deadline; its backstop is a quarter of an hour.
    fn case(rises: &[(i64, f32)], ended: Ended) -> Case {
        let date = NaiveDate::from_ymd_opt(2026, 11, 23).unwrap();
        Case {
            dashboard: "exec".into(),
            nth: 0,
            date,
            deadline: Instant::UNIX_EPOCH,
            audience: true,
            at_latest: TimeDelta::minutes(15),
            rises: rises
                .iter()
                .map(|(minutes, chance)| Rise { minutes: *minutes, chance: *chance, check: "mart".into() })
                .collect(),
            anyway: None,
            said: None,
            ended,
        }
    }

    pub(in crate::backtest::card) fn missed(rises: &[(i64, f32)]) -> Case {
        case(rises, Ended::Missed { ready_wall_s: None })
    }

    pub(in crate::backtest::card) fn met(rises: &[(i64, f32)]) -> Case {
        case(rises, Ended::Met { ready_wall_s: 28_800, failed: false })
    }
}

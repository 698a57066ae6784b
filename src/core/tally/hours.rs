//! The whole hours of a span: loud ones, those in which nobody watched, and so the quiet ones. Keeps the last of them, so that a clock
//! that is set back counts none twice, and of the others sums.

use super::Span;
use crate::core::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// So many hours are known one by one: more than a local day has, and more than clocks are set back by.
const KNOWN: usize = 72;
const HOUR_MS: i64 = 3_600_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Hour {
    /// A message was delivered.
    Loud,
    /// In all of it, or a part, the watch was away; whatever was said in the rest.
    Unwatched,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Hours {
    /// By their number in the span.
    last: BTreeMap<i64, Hour>,
    loud: i64,
    unwatched: i64,
}

impl Hours {
    /// A message was delivered at `at`, within the span.
    pub(super) fn delivered(&mut self, span: Span, at: Instant) {
        self.mark(number(span, at), Hour::Loud);
    }

    /// Nobody watched from one instant until before the other. Was any of it in the span?
    pub(super) fn away(&mut self, span: Span, from: Instant, to: Instant) -> bool {
        let (from, to) = (from.max(span.from), to.min(span.to));
        if from >= to {
            return false;
        }
        let last = ((to - span.from).num_milliseconds() - 1).div_euclid(HOUR_MS);
        (number(span, from)..=last).for_each(|hour| self.mark(hour, Hour::Unwatched));
        true
    }

    fn mark(&mut self, hour: i64, new: Hour) {
        match (self.last.get(&hour), new) {
            (Some(Hour::Unwatched), _) | (Some(Hour::Loud), Hour::Loud) => return,
            (Some(Hour::Loud), Hour::Unwatched) => self.loud -= 1,
            (None, _) => {}
        }
        match new {
            Hour::Loud => self.loud += 1,
            Hour::Unwatched => self.unwatched += 1,
        }
        self.last.insert(hour, new);
        if self.last.len() > KNOWN {
            self.last.pop_first();
        }
    }

    /// Of the first so many hours: the loud ones, and those in which nobody watched. One that is not over is no whole hour.
    pub(super) fn sums(&self, hours: i64) -> (i64, i64) {
        let beyond = |kind: Hour| self.last.range(hours..).filter(|(_, had)| **had == kind).count() as i64;
        (self.loud - beyond(Hour::Loud), self.unwatched - beyond(Hour::Unwatched))
    }
}

fn number(span: Span, at: Instant) -> i64 {
    (at - span.from).num_milliseconds().div_euclid(HOUR_MS)
}

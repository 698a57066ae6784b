//! The cycle that a forecast is asked about: its window, and what kind of day its date is.

use super::night;
use crate::core::time::shift;
use chrono::{Datelike, NaiveDate};

/// Times are seconds on the wall after local midnight of the date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tonight {
    date: NaiveDate,
    kind: u8,
    pub opens_s: i32,
    pub ends_s: i32,
}

/// What a day is, in four bits.
pub(super) mod kind {
    pub(in super::super) const WORKDAY: u8 = 1;
    pub(in super::super) const AFTER_WORKDAY: u8 = 2;
    /// It is the first day or workday of its month, or the last.
    pub(in super::super) const TURN: u8 = FIRST | LAST;
    pub(super) const FIRST: u8 = 4;
    pub(super) const LAST: u8 = 8;
}

/// A month begins and ends within so many days that need not be looked at one by one.
const TURN_DAYS: i32 = 5;

/// No window is shorter.
const SHORTEST_S: i32 = 60;

impl Tonight {
    /// `is_workday`: `None` where nobody knows; then Monday to Friday are.
    pub fn of(date: NaiveDate, opens_s: i32, ends_s: i32, is_workday: impl Fn(NaiveDate) -> Option<bool>) -> Self {
        let works = |date: NaiveDate| is_workday(date).unwrap_or(date.weekday().num_days_from_monday() < 5);
        let turn = if turns(date, -1, works) {
            kind::FIRST
        } else if turns(date, 1, works) {
            kind::LAST
        } else {
            0
        };
        let workday = if works(date) { kind::WORKDAY } else { 0 };
        let after = if works(shift(date, -1)) { kind::AFTER_WORKDAY } else { 0 };
        let kind = workday | after | turn;
        // A check's own opening may lie behind the end that it moves.
        Self { date, kind, opens_s, ends_s: ends_s.max(opens_s + SHORTEST_S) }
    }

    pub fn date(&self) -> NaiveDate {
        self.date
    }

    /// Of the bits in [`kind`].
    pub(super) fn kind(&self) -> u8 {
        self.kind
    }

    /// 0 to 6.
    pub(super) fn weekday(&self) -> u16 {
        night::day(self.date) % 7
    }
}

/// Is it the first (`step` −1) or last (1) day of its month, or the first or last workday?
fn turns(date: NaiveDate, step: i32, works: impl Fn(NaiveDate) -> bool) -> bool {
    let beyond = (1..=TURN_DAYS).map(|days| shift(date, days * step));
    let of_month: Vec<NaiveDate> = beyond.take_while(|day| day.month() == date.month()).collect();
    let near = of_month.len() < TURN_DAYS as usize;
    near && (of_month.is_empty() || (works(date) && !of_month.into_iter().any(works)))
}

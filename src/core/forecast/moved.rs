//! Schedules that have moved: what comes at another hour from one day on, night after night. One late night is none, nor is a week in
//! which it comes at any time.

use super::Night;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// So many nights in a row are no accident.
const NEW: usize = 5;
/// So many before them tell what was usual, at most and at least.
const OLD: usize = 28;
const OLD_AT_LEAST: usize = 10;
/// Less is not worth a word.
const MOVED_AT_LEAST_S: i32 = 1_800;
/// Where a night would have been among the others before it.
const APART_S: i32 = 600;

/// Nobody tells an hour to the minute that differs each night.
const SHOWN_STEP_S: i32 = 300;

/// Seconds on the wall after local midnight of the business date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    pub from_s: i32,
    pub to_s: i32,
    /// The first of the nights at the new hour.
    pub since: NaiveDate,
}

/// Has it moved? `last`: the move that was noticed before: what lies before it is no habit any more.
pub fn moved(nights: &[Night], last: Option<NaiveDate>) -> Option<Moved> {
    let of_habit = nights.iter().rev().take_while(|night| last.is_none_or(|last| night.date() >= last));
    let came: Vec<(&Night, i32)> = of_habit.filter_map(|night| Some((night, night.arrived_s()?))).take(NEW + OLD).collect();
    let (new, old) = came.split_at_checked(NEW)?;
    if old.len() < OLD_AT_LEAST {
        return None;
    }
    let sorted = |nights: &[(&Night, i32)]| {
        let mut at: Vec<i32> = nights.iter().map(|(_, at)| *at).collect();
        at.sort_unstable();
        at
    };
    let (before, after) = (sorted(old), sorted(new));
    let (from_s, to_s) = (before[(before.len() - 1) / 2], after[(NEW - 1) / 2]);
    // One of ten old nights at each end was strange.
    let strange = before.len() / 10;
    let (early, late) = (before[strange], before[before.len() - 1 - strange]);
    let apart = after[0] > late + APART_S || after[NEW - 1] < early - APART_S;
    let together = after[NEW - 1] - after[0] <= (to_s - from_s).abs();
    let is_move = apart && together && (to_s - from_s).abs() >= MOVED_AT_LEAST_S;
    let shown = |s: i32| (s + SHOWN_STEP_S / 2).div_euclid(SHOWN_STEP_S) * SHOWN_STEP_S;
    is_move.then(|| Moved { from_s: shown(from_s), to_s: shown(to_s), since: new[NEW - 1].0.date() })
}

#[cfg(test)]
mod tests {
    use super::super::{Mixture, Tonight};
    use super::*;
    use crate::core::time::shift;

    const MINUTE: i32 = 60;

    /// Nights from a Monday on, each with its minute of arrival.
    fn noticed(minutes: impl Iterator<Item = i32>) -> Vec<Moved> {
        let mut mixture = Mixture::default();
        let mut found: Vec<Moved> = Vec::new();
        let first = NaiveDate::from_ymd_opt(2026, 1, 5).unwrap();
        for (day, minute) in minutes.enumerate() {
            mixture.learn(Tonight::of(shift(first, day as i32), 0, 86_400, |_| None), Some(minute * MINUTE), None);
            found.extend(moved(mixture.nights(), found.last().map(|moved| moved.since)));
        }
        found
    }

    fn jitter(day: i32) -> i32 {
        day * 7_919 % 11
    }

    #[test]
    fn a_moved_schedule_is_noticed_within_a_week_and_once() {
        let found = noticed((0..60).map(|day| if day < 30 { 310 } else { 400 } + jitter(day)));
        let [only] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(only.since, NaiveDate::from_ymd_opt(2026, 2, 4).unwrap());
        assert!((only.from_s / MINUTE - 315).abs() <= 5 && (only.to_s / MINUTE - 405).abs() <= 5, "{only:?}");
        let back = noticed((0..90).map(|day| if (30..60).contains(&day) { 400 } else { 310 } + jitter(day)));
        assert_eq!(back.len(), 2, "there and back: {back:?}");
    }

    #[test]
    fn what_is_late_for_some_nights_at_any_time_or_on_a_weekday_has_not_moved() {
        assert_eq!(noticed((0..60).map(|day| if (30..34).contains(&day) { 600 } else { 310 } + jitter(day))), []);
        assert_eq!(noticed((0..60).map(|day| 310 + if day < 30 { 0 } else { 60 + day * 97 % 500 })), []);
        assert_eq!(noticed((0..90).map(|day| if day % 7 == 0 { 500 } else { 310 } + jitter(day))), []);
        assert_eq!(noticed((0..60).map(|day| if day < 30 { 310 } else { 325 } + jitter(day))), [], "a quarter of an hour");
    }
}

//! All that a check's nights tell: one mixture for each of its windows.

use super::Mixture;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// By where the window opens, in seconds on the wall after local midnight of the business date. Most checks have one: a map would take ten
/// times its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Habits(Vec<(i32, Mixture)>);

/// More windows than a check has in a day; of more, those whose last night is longest ago are forgotten.
const WINDOWS_KEPT: usize = 24;

impl Habits {
    /// Of what counts in that window. One that opened elsewhere until now goes on with what came in it as well.
    pub fn of(&self, window: &Range<i32>) -> Option<&Mixture> {
        let came_in = |mixture: &&Mixture| mixture.newest_s().is_some_and(|arrived_s| window.contains(&arrived_s));
        let exact = self.0.iter().find(|(opens_s, _)| *opens_s == window.start).map(|(_, mixture)| mixture);
        exact.or_else(|| self.0.iter().map(|(_, mixture)| mixture).filter(came_in).max_by_key(|mixture| mixture.last_date()))
    }

    /// Of a window that has none yet: one that knows nothing.
    pub fn of_mut(&mut self, window: &Range<i32>) -> &mut Mixture {
        let at = self.0.iter().position(|(opens_s, _)| *opens_s == window.start).unwrap_or_else(|| self.add(window));
        &mut self.0[at].1
    }

    fn add(&mut self, window: &Range<i32>) -> usize {
        let known = self.of(window).cloned().unwrap_or_default();
        if self.0.len() >= WINDOWS_KEPT
            && let Some((oldest, _)) = self.0.iter().enumerate().min_by_key(|(_, (_, mixture))| mixture.last_date())
        {
            self.0.remove(oldest);
        }
        self.0.reserve_exact(1);
        self.0.push((window.start, known));
        self.0.len() - 1
    }
}

/// Of a window that opens at midnight.
impl From<Mixture> for Habits {
    fn from(mixture: Mixture) -> Self {
        Self(vec![(0, mixture)])
    }
}

#[cfg(test)]
mod tests {
    use super::super::Tonight;
    use super::*;
    use chrono::{Days, NaiveDate};

    const HOUR: i32 = 3_600;

    /// A check that came at five in one window and at half past four in the afternoon in another, for ten nights.
    fn habits(windows: [&Range<i32>; 2]) -> Habits {
        let mut habits = Habits::default();
        for night in 0..10 {
            for (window, arrived_s) in windows.into_iter().zip([5 * HOUR, 33 * HOUR / 2]) {
                let date = NaiveDate::from_ymd_opt(2026, 11, 1).unwrap() + Days::new(night);
                habits.of_mut(window).learn(Tonight::of(date, window.start, window.end, |_| None), Some(arrived_s), None);
            }
        }
        habits
    }

    fn came(habits: &Habits, window: &Range<i32>) -> Option<i32> {
        habits.of(window).and_then(Mixture::newest_s)
    }

    #[test]
    fn each_window_has_a_history_of_its_own() {
        let (morning, evening) = (-6 * HOUR..18 * HOUR, 12 * HOUR..36 * HOUR);
        let habits = habits([&morning, &evening]);
        assert_eq!((came(&habits, &morning), came(&habits, &evening)), (Some(5 * HOUR), Some(33 * HOUR / 2)));
        assert_eq!(habits.0.len(), 2);
    }

    #[test]
    fn a_window_that_opens_elsewhere_now_goes_on_with_what_came_in_it() {
        let (morning, evening) = (-6 * HOUR..12 * HOUR, 12 * HOUR..36 * HOUR);
        let mut habits = habits([&morning, &evening]);
        let other = -4 * HOUR..10 * HOUR;
        assert_eq!(came(&habits, &other), Some(5 * HOUR));
        assert_eq!(habits.of_mut(&other).nights().len(), 10);
        // Nothing came there.
        assert_eq!(habits.of(&(6 * HOUR..9 * HOUR)), None);
    }

    #[test]
    fn windows_that_nobody_has_any_more_are_forgotten() {
        let mut habits = habits([&(0..12 * HOUR), &(12 * HOUR..36 * HOUR)]);
        (1..100).for_each(|minutes| drop(habits.of_mut(&(minutes * 60..12 * HOUR)).clone()));
        assert_eq!(habits.0.len(), WINDOWS_KEPT);
    }
}

//! By when a dashboard usually is ready, so that its deadline can be held against that. Counts only.

use super::case::{Case, Ended};
use serde::Serialize;

/// With fewer nights than this nothing is said of the rare ones.
pub const ENOUGH_NIGHTS: usize = 20;
/// Deadlines are such times of the clock.
const STEP_S: i64 = 300;

/// By when it was ready, in minutes after local midnight of the business date, rounded up to five.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Usual {
    /// On at least nine of ten nights. `None`: there were too few nights, or it was not ready on so many.
    pub nine_of_ten_minutes: Option<i64>,
    /// On at least 99 of 100.
    pub most_minutes: Option<i64>,
    pub enough_nights: bool,
}

impl Usual {
    pub(super) fn of(cases: &[&Case]) -> Self {
        // What never was ready comes last.
        let ready = cases.iter().filter_map(|case| match case.ended {
            Ended::Unseen => None,
            Ended::Met { ready_wall_s, .. } => Some(ready_wall_s),
            Ended::Missed { ready_wall_s } => Some(ready_wall_s.unwrap_or(i64::MAX)),
        });
        let mut ready: Vec<i64> = ready.collect();
        ready.sort_unstable();
        let enough_nights = ready.len() >= ENOUGH_NIGHTS;
        let on = |of_100: usize| {
            let nights = (ready.len() * of_100).div_ceil(100);
            let at = ready.get(nights.checked_sub(1)?).copied().filter(|at| enough_nights && *at < i64::MAX)?;
            Some((at + (-at).rem_euclid(STEP_S)) / 60)
        };
        Self { nine_of_ten_minutes: on(90), most_minutes: on(99), enough_nights }
    }
}

#[cfg(test)]
mod tests {
    use super::super::case::samples::*;
    use super::*;

    fn usual(ready: impl Iterator<Item = Option<i64>>) -> Usual {
        let cases: Vec<Case> = ready
            .map(|ready_wall_s| {
                let mut case = missed(&[]);
                case.ended = Ended::Missed { ready_wall_s };
                case
            })
            .collect();
        Usual::of(&cases.iter().collect::<Vec<_>>())
    }

    #[test]
    fn it_is_said_by_when_it_was_ready_on_most_nights_rounded_up() {
        // A minute apart, from 08:00:30 on.
        let minutes = |count: i64| (0..count).map(|minute| Some(8 * 3600 + 30 + minute * 60));
        let told = |usual: Usual| (usual.nine_of_ten_minutes, usual.most_minutes);
        // The 18th is at 08:17:30, the 20th at 08:19:30.
        assert_eq!(told(usual(minutes(20))), (Some(8 * 60 + 20), Some(8 * 60 + 20)));
        // The 90th of a hundred is at 09:29:30, the 99th at 09:38:30.
        assert_eq!(told(usual(minutes(100))), (Some(9 * 60 + 30), Some(9 * 60 + 40)));
        assert_eq!(told(usual((0..20).map(|_| Some(8 * 3600)))), (Some(480), Some(480)), "as by the clock");
        assert_eq!(told(usual((0..20).map(|_| Some(-3601)))), (Some(-60), Some(-60)), "the evening before");
    }

    #[test]
    fn what_never_was_ready_counts_as_last_and_few_nights_tell_nothing() {
        let with_none = |nones: usize| (0..20).map(move |night| (night >= nones).then_some(8 * 3600));
        assert_eq!(usual(with_none(1)).nine_of_ten_minutes, Some(480));
        assert_eq!(usual(with_none(1)).most_minutes, None);
        assert_eq!(usual(with_none(3)).nine_of_ten_minutes, None);
        let few = usual((0..19).map(|_| Some(8 * 3600)));
        assert_eq!((few.nine_of_ten_minutes, few.most_minutes, few.enough_nights), (None, None, false));
    }
}

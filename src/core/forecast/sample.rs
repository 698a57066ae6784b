//! The nights as each sample weighs them tonight: by how long ago they were, and by how they are like tonight.
//!
//! But for one likeness all are of the kind "the same or not". So nights fall into classes, and what is asked of every night for each
//! of the samples is asked for each class instead: a night is touched once for each half-life that remembers it.

use super::mixture::NIGHTS_KEPT;
use super::night::{Course, Night, STEP_S};
use super::tonight::{Tonight, kind};
use std::ops::{Add, Mul};

/// In nights.
const HALF_LIVES: [f64; 3] = [4.0, 20.0, 120.0];
/// After so many half-lives a night is forgotten.
const REMEMBERED: f64 = 8.0;
pub(super) const SPANS: usize = HALF_LIVES.len();
/// All nights; the same weekday; the night before went as the last one did; the weekday with that; the night before came when the
/// last one did; the weekday with that; a workday or not, rather after one or not; and the same with the turn of the month.
pub(super) const LIKENESSES: usize = 8;
pub(super) const SAMPLES: usize = SPANS * LIKENESSES;
const SAME_TIME: usize = 4;
const WEEKDAY_AND_TIME: usize = 5;
/// From here on they tell of the day alone.
const OF_DAY: usize = 6;

/// What a night weighs that is not like tonight.
const UNLIKE: f32 = 0.02;
/// What a workday weighs after a day off, when tonight's is not, and the other way round.
const LESS_LIKE: f32 = 0.15;
/// Two nights came at the same time within about so many seconds.
const SAME_TIME_S: f64 = 900.0;

/// A number for each sample.
pub(super) type BySample<T> = [[T; LIKENESSES]; SPANS];

/// What a night weighs by its age.
#[derive(Clone, Copy)]
pub(super) struct Age {
    weights: [f32; SPANS],
    /// The first half-life that still remembers it.
    from: usize,
}

/// Newest first.
pub(super) static AGES: [Age; NIGHTS_KEPT] = {
    let mut ages = [Age { weights: [0.0; SPANS], from: 0 }; NIGHTS_KEPT];
    let mut age = 0;
    while age < NIGHTS_KEPT {
        let mut span = SPANS;
        while span > 0 && age as f64 <= HALF_LIVES[span - 1] * REMEMBERED {
            span -= 1;
            ages[age].weights[span] = exp(-std::f64::consts::LN_2 * age as f64 / HALF_LIVES[span]) as f32;
        }
        ages[age].from = span;
        age += 1;
    }
    ages
};

/// Further apart they are [`UNLIKE`].
const LIKE_STEPS: usize = 126;

/// So many steps apart two nights are so much more alike than [`UNLIKE`].
static SAME_TIMES: [f32; LIKE_STEPS] = {
    let mut same = [0.0; LIKE_STEPS];
    let mut steps = 0;
    while steps < LIKE_STEPS {
        let apart = steps as f64 * STEP_S as f64 / SAME_TIME_S;
        same[steps] = exp(-0.5 * apart * apart) as f32 - UNLIKE;
        steps += 1;
    }
    same
};

/// Of small numbers.
const fn exp(x: f64) -> f64 {
    let (mut sum, mut term, mut n) = (1.0, 1.0, 1);
    while n < 60 {
        term *= x / n as f64;
        sum += term;
        n += 1;
    }
    sum
}

/// In what a night differs from tonight, in five bits.
mod differs {
    pub(super) const WEEKDAY: u8 = 1;
    pub(super) const WENT: u8 = 2;
    pub(super) const WORKDAY: u8 = 4;
    pub(super) const AFTER_WORKDAY: u8 = 8;
    pub(super) const TURN: u8 = 16;
}
/// By the first two of these bits.
const HABITS: usize = 4;
/// By the others.
const DAYS: usize = 8;
const CLASSES: usize = HABITS * DAYS;

/// `otherwise`, if nights of this class differ in it.
const fn same(class: usize, bit: u8, otherwise: f32) -> f32 {
    if class & bit as usize == 0 { 1.0 } else { otherwise }
}

/// The first six likenesses, where the nights before came at no like time.
static HABIT_LIKENESS: [[f32; OF_DAY]; HABITS] = {
    let mut table = [[0.0; OF_DAY]; HABITS];
    let mut class = 0;
    while class < HABITS {
        let (weekday, went) = (same(class, differs::WEEKDAY, UNLIKE), same(class, differs::WENT, UNLIKE));
        table[class] = [1.0, weekday, went, weekday * went, UNLIKE, UNLIKE * weekday];
        class += 1;
    }
    table
};

/// The others.
static DAY_LIKENESS: [[f32; LIKENESSES - OF_DAY]; DAYS] = {
    let mut table = [[0.0; LIKENESSES - OF_DAY]; DAYS];
    let mut class = 0;
    while class < DAYS {
        let bits = class * HABITS;
        let workday = same(bits, differs::WORKDAY, UNLIKE);
        table[class] = [workday * same(bits, differs::AFTER_WORKDAY, LESS_LIKE), workday * same(bits, differs::TURN, UNLIKE)];
        class += 1;
    }
    table
};

/// How a night is like tonight.
#[derive(Clone, Copy, Default)]
pub(super) struct Alike {
    class: u8,
    /// So much more than [`UNLIKE`] the night before came when the last one did.
    same_time: f32,
}

impl Alike {
    fn class(self) -> usize {
        usize::from(self.class) % CLASSES
    }

    fn weekday(self) -> usize {
        usize::from(self.class & differs::WEEKDAY)
    }
}

/// Oldest first.
pub(super) fn alike(nights: &[Night], tonight: Tonight) -> impl Iterator<Item = Alike> {
    let (weekday, kind_tonight) = (tonight.weekday(), tonight.kind());
    let (last_went, last_order) = nights.last().map_or(NOTHING, |last| (last.course(), last.order()));
    let mut before = NOTHING;
    nights.iter().map(move |night| {
        let (went, order) = std::mem::replace(&mut before, (night.course(), night.order()));
        let day = night.kind() ^ kind_tonight;
        let class = (u8::from(night.weekday() != weekday) * differs::WEEKDAY)
            | (u8::from(went != last_went) * differs::WENT)
            // These two are next to each other there as here.
            | ((day & (kind::WORKDAY | kind::AFTER_WORKDAY)) * differs::WORKDAY)
            | (u8::from(day & kind::TURN != 0) * differs::TURN);
        let apart = usize::from(order.abs_diff(last_order));
        Alike { class, same_time: SAME_TIMES.get(apart).copied().unwrap_or_default() }
    })
}

/// What there is before the first night.
const NOTHING: (Course, u16) = (Course::InTime, Night::ABSENT);

/// Something for each class of nights and half-life.
pub(super) struct Classes<T> {
    all: [[T; SPANS]; CLASSES],
    /// What is more where the night before came at the same time: on the same weekday, and on another.
    same_time: [[T; SPANS]; 2],
}

impl<T: Copy + Default + Add<Output = T> + Mul<f32, Output = T>> Classes<T> {
    pub(super) fn new() -> Self {
        Self { all: [[T::default(); SPANS]; CLASSES], same_time: [[T::default(); SPANS]; 2] }
    }

    /// Counts `what` in for one night.
    #[inline]
    pub(super) fn add(&mut self, age: &Age, alike: Alike, what: T) {
        let (all, same_time) = (&mut self.all[alike.class()], &mut self.same_time[alike.weekday()]);
        for span in age.from..SPANS {
            let aged = what * age.weights[span];
            all[span] = all[span] + aged;
            same_time[span] = same_time[span] + aged * alike.same_time;
        }
    }

    /// What has been counted in for each sample.
    pub(super) fn by_sample(&self) -> BySample<T> {
        let mut samples = [[T::default(); LIKENESSES]; SPANS];
        for (span, samples) in samples.iter_mut().enumerate() {
            let (mut habits, mut days) = ([T::default(); HABITS], [T::default(); DAYS]);
            for (class, all) in self.all.iter().enumerate() {
                let (habit, day) = (&mut habits[class % HABITS], &mut days[class / HABITS]);
                (*habit, *day) = (*habit + all[span], *day + all[span]);
            }
            for (habit, likeness) in habits.into_iter().zip(&HABIT_LIKENESS) {
                samples.iter_mut().zip(likeness).for_each(|(sample, like)| *sample = *sample + habit * *like);
            }
            for (day, likeness) in days.into_iter().zip(&DAY_LIKENESS) {
                samples[OF_DAY..].iter_mut().zip(likeness).for_each(|(sample, like)| *sample = *sample + day * *like);
            }
            for (same_time, weekday) in self.same_time.iter().zip([1.0, UNLIKE]) {
                samples[SAME_TIME] = samples[SAME_TIME] + same_time[span];
                samples[WEEKDAY_AND_TIME] = samples[WEEKDAY_AND_TIME] + same_time[span] * weekday;
            }
        }
        samples
    }

    /// The other way round: what each sample gives to its nights, for each class of them.
    pub(super) fn of_samples(samples: &BySample<T>) -> Self {
        let mut classes = Self::new();
        for (span, samples) in samples.iter().enumerate() {
            let (mut habits, mut days) = ([T::default(); HABITS], [T::default(); DAYS]);
            for (habit, likeness) in habits.iter_mut().zip(&HABIT_LIKENESS) {
                samples.iter().zip(likeness).for_each(|(sample, like)| *habit = *habit + *sample * *like);
            }
            for (day, likeness) in days.iter_mut().zip(&DAY_LIKENESS) {
                samples[OF_DAY..].iter().zip(likeness).for_each(|(sample, like)| *day = *day + *sample * *like);
            }
            for (class, all) in classes.all.iter_mut().enumerate() {
                all[span] = habits[class % HABITS] + days[class / HABITS];
            }
            for (same_time, weekday) in classes.same_time.iter_mut().zip([1.0, UNLIKE]) {
                same_time[span] = samples[SAME_TIME] + samples[WEEKDAY_AND_TIME] * weekday;
            }
        }
        classes
    }

    /// What one night is given.
    #[inline]
    pub(super) fn give(&self, age: &Age, alike: Alike) -> T {
        let (all, same_time) = (&self.all[alike.class()], &self.same_time[alike.weekday()]);
        let mut given = T::default();
        for span in age.from..SPANS {
            given = given + (all[span] + same_time[span] * alike.same_time) * age.weights[span];
        }
        given
    }
}

/// What each night weighs in each sample, oldest first: as it is meant, without classes, tables and an end of memory.
#[cfg(test)]
pub(super) fn plainly(nights: &[Night], tonight: Tonight) -> Vec<BySample<f32>> {
    let same = |is: bool| if is { 1.0 } else { UNLIKE };
    let went = |night: Option<&Night>| night.map_or(Course::InTime, |night| night.course());
    let weight = |place: usize| {
        let (night, before, last) = (nights[place], place.checked_sub(1).map(|place| &nights[place]), nights.last());
        let weekday = same(night.weekday() == tonight.weekday());
        let went = same(went(before) == went(last));
        let came = match (before.and_then(|night| night.arrived_s()), last.and_then(|night| night.arrived_s())) {
            (Some(then), Some(now)) => {
                let apart = f64::from(then - now) / SAME_TIME_S;
                ((-0.5 * apart * apart).exp() as f32).max(UNLIKE)
            }
            (None, None) => 1.0,
            _ => UNLIKE,
        };
        let is = |bits: u8| night.kind() & bits == tonight.kind() & bits;
        let workday = same(is(kind::WORKDAY));
        let after = if is(kind::AFTER_WORKDAY) { 1.0 } else { LESS_LIKE };
        let like = [1.0, weekday, went, weekday * went, came, came * weekday, workday * after, workday * same(is(kind::TURN))];
        let age = (nights.len() - 1 - place) as f64;
        HALF_LIVES.map(|half_life| like.map(|like| like * 0.5_f64.powf(age / half_life) as f32))
    };
    (0..nights.len()).map(weight).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::time::shift;

    /// Nights of all kinds, and the one after them.
    fn nights() -> (Vec<Night>, Tonight) {
        let first = chrono::NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
        let of = |number: i32| Tonight::of(shift(first, number), 0, 86_400, |_| (number % 23 == 7).then_some(false));
        let night = |number: i32| {
            let arrived_s = (number % 11 != 3).then_some(18_000 + number * 7_919 % 3_001);
            Night::new(of(number), arrived_s, None, number % 13 == 5)
        };
        ((0..NIGHTS_KEPT as i32).map(night).collect(), of(NIGHTS_KEPT as i32))
    }

    fn counted() -> (Classes<f32>, BySample<f32>) {
        let (nights, tonight) = nights();
        let mut classes = Classes::new();
        let mut plain = [[0.0; LIKENESSES]; SPANS];
        let weights = plainly(&nights, tonight);
        for (place, (alike, age)) in alike(&nights, tonight).zip(AGES.iter().rev()).enumerate() {
            let what = place as f32 % 5.0 + 1.0;
            classes.add(age, alike, what);
            for (sum, weight) in plain.as_flattened_mut().iter_mut().zip(weights[place].as_flattened()) {
                *sum += what * weight;
            }
        }
        (classes, plain)
    }

    #[test]
    fn classes_count_what_each_sample_weighs() {
        let (classes, plain) = counted();
        for (told, plain) in classes.by_sample().as_flattened().iter().zip(plain.as_flattened()) {
            // What is forgotten is missing.
            assert!((told / plain - 1.0).abs() < 0.01, "{told} {plain}");
        }
    }

    #[test]
    fn nights_are_given_what_the_samples_give() {
        let (nights, tonight) = nights();
        let samples = std::array::from_fn(|span| std::array::from_fn(|like| (span * LIKENESSES + like) as f32));
        let classes = Classes::of_samples(&samples);
        let weights = plainly(&nights, tonight);
        for ((alike, age), weights) in alike(&nights, tonight).zip(AGES.iter().rev()).zip(weights) {
            let plain: f32 =
                samples.as_flattened().iter().zip(weights.as_flattened()).map(|(sample, weight)| sample * weight).sum();
            assert!((classes.give(age, alike) - plain).abs() < 0.3, "{} {plain}", classes.give(age, alike));
        }
    }

    #[test]
    fn older_nights_weigh_less_and_are_forgotten() {
        assert!(AGES.is_sorted_by(|newer, older| newer.weights >= older.weights && newer.from <= older.from));
        assert_eq!(AGES[0].weights, [1.0; SPANS]);
        assert!((AGES[20].weights[1] - 0.5).abs() < 1e-6 && (AGES[120].weights[2] - 0.5).abs() < 1e-6);
        assert_eq!(AGES[NIGHTS_KEPT - 1].from, SPANS - 1);
    }

    #[test]
    fn nights_are_the_less_alike_the_further_apart_they_came() {
        assert!(SAME_TIMES.is_sorted_by(|nearer, further| nearer > further));
        assert!(SAME_TIMES[0] == 1.0 - UNLIKE && (0.0..0.002).contains(&SAME_TIMES[LIKE_STEPS - 1]), "{SAME_TIMES:?}");
    }
}

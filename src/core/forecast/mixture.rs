//! When a check usually arrives: what its own nights tell of tonight.
//!
//! A mixture of experts. Each is a weighted sample of the nights: recent ones weigh more (three half-lives), those that are like tonight
//! weigh more (seven likenesses), and each arrival is spread over a triangle (four reaches). That nothing comes at all is part of what
//! each expert says. After every night an expert gains what it had foretold of it: a sharp one leads where a clock starts the runs, a
//! broad one where people do, a quick one within days of a moved schedule. No training, no chance; a night costs the same in the
//! tenth year as in the first.

use super::outlook::{Outlook, Part};
use chrono::Weekday;

/// Older nights tell nothing of tonight that these do not.
const NIGHTS_KEPT: usize = 256;

/// In nights.
const HALF_LIVES: [f32; 3] = [4.0, 20.0, 120.0];
/// Half the base of the triangle, in seconds: standard deviations of 1, 5, 15 and 45 minutes.
pub(super) const REACHES: [f32; 4] = [147.0, 735.0, 2205.0, 6615.0];
const LIKENESSES: usize = 7;
const SAMPLES: usize = HALF_LIVES.len() * LIKENESSES;
const EXPERTS: usize = SAMPLES * REACHES.len();

/// What a night weighs that is not like tonight.
const UNLIKE: f32 = 0.02;
/// Two nights came at the same time within about so many seconds.
const SAME_TIME_S: f32 = 900.0;
/// So much of what comes may come at any time: one strange night must not break a sharp expert.
const ANY_TIME: f32 = 0.02;
/// After each night so much of all weight is shared out evenly: what was wrong for years may be right from tomorrow on.
const SHARED: f32 = 0.02;
/// How far an expert's success counts; below 1, as nights in a row are alike.
const RATE: f32 = 0.7;
/// An arrival was foretold if it was within so many seconds.
const WITHIN_S: f32 = 480.0;
/// So many nights at the check's own base rate of absence stand beside those of an expert.
const BASE_NIGHTS: f32 = 0.3;
/// What no expert thought possible costs it no more than this.
const FLOOR: f32 = 1e-4;

/// So many arrivals show what is late for the check; the newest of them do.
const SHOW_LATE: std::ops::RangeInclusive<usize> = 8..=90;
const LATE_STEP_S: f32 = 900.0;

/// The cycle that is asked about. Times are seconds on the wall after local midnight of its date.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tonight {
    pub weekday: Weekday,
    pub is_workday: bool,
    pub opens_s: i32,
    pub ends_s: i32,
}

/// How a night went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Course {
    InTime,
    /// Later than nine of ten before it.
    Late,
    Absent,
}

/// One cycle that is over.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Night {
    weekday: Weekday,
    is_workday: bool,
    /// Seconds on the wall after local midnight of its date.
    arrived_s: Option<f32>,
    course: Course,
}

/// A check's nights, and how well each expert foretold them.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixture {
    /// Oldest first.
    nights: Vec<Night>,
    /// Their sum is 1. By sample, then by reach.
    weights: Vec<f32>,
}

impl Default for Mixture {
    fn default() -> Self {
        Self { nights: Vec::new(), weights: vec![1.0 / EXPERTS as f32; EXPERTS] }
    }
}

/// The nights as each sample weighs them tonight.
struct Weighed {
    /// In the order of arrival.
    arrived: Vec<(f32, [f32; SAMPLES])>,
    /// What all arrivals of a sample weigh.
    total: [f32; SAMPLES],
    /// How likely nothing comes, by sample.
    absent: [f32; SAMPLES],
}

impl Weighed {
    /// A sample without any arrival knows nothing of the time.
    fn knows_time(&self, sample: usize) -> bool {
        self.total[sample] > 1e-9
    }
}

impl Mixture {
    /// How many nights it knows.
    pub fn nights(&self) -> usize {
        self.nights.len()
    }

    /// Takes in how tonight went; `None`: nothing came.
    pub fn learn(&mut self, tonight: Tonight, arrived_s: Option<i32>) {
        let arrived_s = arrived_s.map(|arrived_s| arrived_s as f32);
        if !self.nights.is_empty() {
            self.reward(tonight, arrived_s);
        }
        let Tonight { weekday, is_workday, .. } = tonight;
        let night = Night { weekday, is_workday, arrived_s, course: self.course(arrived_s) };
        if self.nights.len() == NIGHTS_KEPT {
            self.nights.remove(0);
        }
        self.nights.push(night);
    }

    /// When it will come.
    pub fn outlook(&self, tonight: Tonight) -> Outlook {
        let weighed = self.weigh(tonight);
        let (mut never, mut any_time) = (0.0, 0.0);
        let mut shares = [[0.0; REACHES.len()]; SAMPLES];
        for (sample, (weights, shares)) in self.weights.chunks_exact(REACHES.len()).zip(&mut shares).enumerate() {
            let weight: f32 = weights.iter().sum();
            let absent = weighed.absent[sample];
            never += weight * absent;
            let spread = if weighed.knows_time(sample) { ANY_TIME } else { 1.0 };
            any_time += weight * (1.0 - absent) * spread;
            if weighed.knows_time(sample) {
                let share = (1.0 - absent) * (1.0 - ANY_TIME) / weighed.total[sample];
                shares.iter_mut().zip(weights).for_each(|(of, weight)| *of = weight * share);
            }
        }
        let part = |(at, weights): &(f32, [f32; SAMPLES])| {
            let mut mass = [0.0; REACHES.len()];
            for (weight, shares) in weights.iter().zip(&shares) {
                mass.iter_mut().zip(shares).for_each(|(mass, share)| *mass += weight * share);
            }
            Part { at: *at, mass }
        };
        Outlook::new((tonight.opens_s as f32, tonight.ends_s as f32), never, any_time, weighed.arrived.iter().map(part))
    }

    /// Each expert gains what it had foretold.
    fn reward(&mut self, tonight: Tonight, arrived_s: Option<f32>) {
        let weighed = self.weigh(tonight);
        let mut near = [[0.0; REACHES.len()]; SAMPLES];
        if let Some(came) = arrived_s {
            for (at, weights) in &weighed.arrived {
                let mass = REACHES.map(|reach| rise((came + WITHIN_S - at) / reach) - rise((came - WITHIN_S - at) / reach));
                if mass.iter().all(|mass| *mass <= 0.0) {
                    continue;
                }
                for (near, weight) in near.iter_mut().zip(weights) {
                    near.iter_mut().zip(mass).for_each(|(near, mass)| *near += weight * mass);
                }
            }
        }
        let anywhere = 2.0 * WITHIN_S / (tonight.ends_s - tonight.opens_s).max(1) as f32;
        for (sample, weights) in self.weights.chunks_exact_mut(REACHES.len()).enumerate() {
            let absent = weighed.absent[sample];
            for (weight, near) in weights.iter_mut().zip(near[sample]) {
                let near = if weighed.knows_time(sample) { near / weighed.total[sample] } else { anywhere };
                let foretold = match arrived_s {
                    None => absent,
                    Some(_) => (1.0 - absent) * ((1.0 - ANY_TIME) * near + ANY_TIME * anywhere),
                };
                *weight *= foretold.max(FLOOR).powf(RATE);
            }
        }
        let all: f32 = self.weights.iter().sum();
        let even = SHARED / EXPERTS as f32;
        self.weights.iter_mut().for_each(|weight| *weight = (1.0 - SHARED) * *weight / all + even);
    }

    fn weigh(&self, tonight: Tonight) -> Weighed {
        let decay = HALF_LIVES.map(|half_life| 0.5_f32.powf(1.0 / half_life));
        let mut age = [1.0; HALF_LIVES.len()];
        let (mut total, mut absent) = ([0.0; SAMPLES], [0.0; SAMPLES]);
        let mut arrived = Vec::with_capacity(self.nights.len());
        let last = self.nights.last();
        for (place, night) in self.nights.iter().enumerate().rev() {
            let likeness = likeness(night, place.checked_sub(1).map(|before| &self.nights[before]), last, tonight);
            let mut weights = [0.0; SAMPLES];
            for ((weights, age), decay) in weights.chunks_exact_mut(LIKENESSES).zip(&mut age).zip(decay) {
                weights.iter_mut().zip(likeness).for_each(|(weight, like)| *weight = *age * like);
                *age *= decay;
            }
            let sum = if night.arrived_s.is_some() { &mut total } else { &mut absent };
            sum.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight);
            let within = |at: f32| at.clamp(tonight.opens_s as f32, tonight.ends_s as f32);
            arrived.extend(night.arrived_s.map(|at| (within(at), weights)));
        }
        arrived.sort_unstable_by(|a: &(f32, _), b| a.0.total_cmp(&b.0));
        let nights = self.nights.len() as f32;
        let base = (nights - arrived.len() as f32 + 0.5) / (nights + 5.0);
        for (absent, total) in absent.iter_mut().zip(total) {
            *absent = (*absent + BASE_NIGHTS * base) / (total + *absent + BASE_NIGHTS);
        }
        Weighed { arrived, total, absent }
    }

    /// How a night went that came then.
    fn course(&self, arrived_s: Option<f32>) -> Course {
        let Some(arrived_s) = arrived_s else { return Course::Absent };
        let mut before: Vec<f32> = self.nights.iter().rev().filter_map(|night| night.arrived_s).take(*SHOW_LATE.end()).collect();
        if before.len() < *SHOW_LATE.start() {
            return Course::InTime;
        }
        before.sort_unstable_by(|a, b| a.total_cmp(b));
        let nine_of_ten = before[(before.len() - 1) * 9 / 10];
        if arrived_s > (nine_of_ten / LATE_STEP_S).ceil() * LATE_STEP_S { Course::Late } else { Course::InTime }
    }
}

/// How much a night is like tonight: all are; the same weekday; the night before went as the last one did; came when that did; the
/// weekday with each of these two; and a workday or not, as tonight.
fn likeness(night: &Night, before: Option<&Night>, last: Option<&Night>, tonight: Tonight) -> [f32; LIKENESSES] {
    let same = |is: bool| if is { 1.0 } else { UNLIKE };
    let course = |night: Option<&Night>| night.map_or(Course::InTime, |night| night.course);
    let weekday = same(night.weekday == tonight.weekday);
    let went = same(course(before) == course(last));
    let came = match (before.and_then(|night| night.arrived_s), last.and_then(|night| night.arrived_s)) {
        (Some(then), Some(now)) => {
            let apart = (then - now) / SAME_TIME_S;
            (-0.5 * apart * apart).exp().max(UNLIKE)
        }
        (None, None) => 1.0,
        _ => UNLIKE,
    };
    [1.0, weekday, went, weekday * went, came, came * weekday, same(night.is_workday == tonight.is_workday)]
}

/// How much of a triangle of half base 1 lies before `u`.
fn rise(u: f32) -> f32 {
    match u {
        _ if u <= -1.0 => 0.0,
        _ if u < 0.0 => (1.0 + u) * (1.0 + u) / 2.0,
        _ if u < 1.0 => 1.0 - (1.0 - u) * (1.0 - u) / 2.0,
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i32 = 60;
    const HOUR: i32 = 3_600;

    fn night(number: i32) -> Tonight {
        let weekday = Weekday::try_from((number % 7) as u8).unwrap();
        Tonight { weekday, is_workday: number % 7 < 5, opens_s: 0, ends_s: 24 * HOUR }
    }

    /// Nights from 0 on; `came` says when each one did.
    fn after(nights: i32, came: impl Fn(i32) -> Option<i32>) -> (Mixture, Tonight) {
        let mut mixture = Mixture::default();
        (0..nights).for_each(|number| mixture.learn(night(number), came(number)));
        (mixture, night(nights))
    }

    /// Some minutes early or late, the same each time it is asked.
    fn jitter(number: i32) -> i32 {
        (number * 7_919 % 11 - 5) * MINUTE
    }

    fn hours((mixture, tonight): &(Mixture, Tonight), share: f32) -> f32 {
        mixture.outlook(*tonight).quantile(share).map_or(f32::INFINITY, |s| s / HOUR as f32)
    }

    #[test]
    fn what_comes_as_by_the_clock_is_expected_sharply() {
        let known = after(40, |_| Some(5 * HOUR));
        assert!((hours(&known, 0.5) - 5.0).abs() < 0.02 && hours(&known, 0.9) - hours(&known, 0.1) < 0.1);
        let late = known.0.outlook(known.1).misses(6.0 * 3_600.0, 5.5 * 3_600.0);
        assert!(late > 0.9, "half an hour after it always came: {late}");
    }

    #[test]
    fn each_weekday_has_its_own_time() {
        let known = after(70, |number| Some(if number % 7 == 0 { 8 } else { 4 } * HOUR + jitter(number)));
        assert!((hours(&known, 0.5) - 8.0).abs() < 0.2, "{}", hours(&known, 0.5));
        let (mixture, _) = known;
        assert!((hours(&(mixture, night(71)), 0.5) - 4.0).abs() < 0.2);
    }

    #[test]
    fn a_moved_schedule_is_learned_within_a_week() {
        let moved = after(107, |number| Some(if number < 100 { 5 } else { 7 } * HOUR + jitter(number)));
        assert!((hours(&moved, 0.5) - 7.0).abs() < 0.3, "{}", hours(&moved, 0.5));
    }

    #[test]
    fn an_outage_is_not_learned_as_normal() {
        let usual = |number: i32| Some(5 * HOUR + jitter(number));
        let known = after(67, |number| if (60..65).contains(&number) { None } else { usual(number) });
        assert!((hours(&known, 0.5) - 5.0).abs() < 0.2, "{}", hours(&known, 0.5));
        let late = |number: i32| if (60..63).contains(&number) { Some(20 * HOUR) } else { usual(number) };
        let known = after(67, late);
        assert!((hours(&known, 0.5) - 5.0).abs() < 0.2, "{}", hours(&known, 0.5));
    }

    #[test]
    fn what_often_does_not_come_at_all_is_expected_not_to() {
        let known = after(84, |number| (number % 7 < 5).then_some(5 * HOUR));
        let never = |number| known.0.outlook(night(number)).left(24.0 * 3_600.0);
        assert!(never(84) < 0.1 && never(89) > 0.8, "{} {}", never(84), never(89));
    }

    #[test]
    fn a_night_costs_no_more_in_the_tenth_year_than_in_the_first() {
        let (mixture, _) = after(3_650, |number| Some(5 * HOUR + jitter(number)));
        assert_eq!((mixture.nights(), mixture.weights.len()), (NIGHTS_KEPT, EXPERTS));
        assert!((mixture.weights.iter().sum::<f32>() - 1.0).abs() < 1e-3);
    }
}

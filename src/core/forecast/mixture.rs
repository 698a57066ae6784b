//! When a check usually arrives: what its own nights tell of tonight.
//!
//! A mixture of experts. Each is a weighted sample of the nights: recent ones weigh more (three half-lives), those that are like tonight
//! weigh more (eight likenesses), and each arrival is spread over a triangle (four reaches). That nothing comes at all is part of what
//! each expert says. After every night an expert gains what it had foretold of it: a sharp one leads where a clock starts the runs, a
//! broad one where people do, a quick one within days of a moved schedule. No training, no chance; a night costs the same in the
//! tenth year as in the first.

use super::night::{Course, Night};
use super::outlook::{Outlook, Part};
use super::tonight::Tonight;
use serde::{Deserialize, Serialize};

/// Older nights tell nothing of tonight that these do not.
pub const NIGHTS_KEPT: usize = 256;

/// In nights.
const HALF_LIVES: [f32; 3] = [4.0, 20.0, 120.0];
/// Half the base of the triangle, in seconds: standard deviations of 1, 5, 15 and 45 minutes.
pub(super) const REACHES: [f32; 4] = [147.0, 735.0, 2205.0, 6615.0];
const LIKENESSES: usize = 8;
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
const LATE_STEP_S: i32 = 900;

/// A check's nights, and how well each expert foretold them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Kept", try_from = "Kept")]
pub struct Mixture {
    /// Oldest first.
    nights: Vec<Night>,
    /// In shares of 65,535. By sample, then by reach.
    weights: Box<[u16]>,
}

impl Default for Mixture {
    fn default() -> Self {
        Self { nights: Vec::new(), weights: vec![(ALL / EXPERTS as f32) as u16; EXPERTS].into() }
    }
}

/// The sum of all weights, about.
const ALL: f32 = 65_535.0;

/// The nights as each sample weighs them tonight.
struct Weighed {
    /// In the order of arrival: when, and its place in `weights`.
    arrived: Vec<(f32, usize)>,
    /// Newest night first.
    weights: Vec<[f32; SAMPLES]>,
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

/// What an expert's arrivals weigh in the mixture, for each unit of their weight in its sample.
type Shares = [[f32; REACHES.len()]; SAMPLES];

impl Mixture {
    /// Oldest first.
    pub fn nights(&self) -> &[Night] {
        &self.nights
    }

    /// Takes in how tonight went; `None`: nothing came. `took_s`: the run time.
    pub fn learn(&mut self, tonight: Tonight, arrived_s: Option<i32>, took_s: Option<i64>) {
        if !self.nights.is_empty() {
            self.reward(tonight, arrived_s.map(|arrived_s| arrived_s as f32));
        }
        let night = Night::new(tonight, arrived_s, took_s, arrived_s.is_some_and(|at| self.is_late(at)));
        if self.nights.len() == NIGHTS_KEPT {
            self.nights.remove(0);
        }
        self.nights.reserve_exact(1);
        self.nights.push(night);
    }

    /// When it will come.
    pub fn outlook(&self, tonight: Tonight) -> Outlook {
        let weighed = self.weigh(tonight);
        let (shares, never, any_time) = self.shares(&weighed);
        let part = |(at, place): &(f32, usize)| {
            let mut mass = [0.0; REACHES.len()];
            for (weight, shares) in weighed.weights[*place].iter().zip(&shares) {
                mass.iter_mut().zip(shares).for_each(|(mass, share)| *mass += weight * share);
            }
            let took = self.nights[self.nights.len() - 1 - place].took_s().map(|s| s as f32);
            Part { at: *at, took, mass }
        };
        Outlook::new((tonight.opens_s as f32, tonight.ends_s as f32), never, any_time, weighed.arrived.iter().map(part))
    }

    /// With how likely nothing comes, and how likely something does at no time that is known.
    fn shares(&self, weighed: &Weighed) -> (Shares, f32, f32) {
        let (mut never, mut any_time) = (0.0, 0.0);
        let mut shares = [[0.0; REACHES.len()]; SAMPLES];
        let all: f32 = self.weights.iter().map(|weight| f32::from(*weight)).sum();
        for (sample, (weights, shares)) in self.weights.chunks_exact(REACHES.len()).zip(&mut shares).enumerate() {
            let weights: [f32; REACHES.len()] = std::array::from_fn(|reach| f32::from(weights[reach]) / all);
            let weight: f32 = weights.iter().sum();
            let absent = weighed.absent[sample];
            never += weight * absent;
            let spread = if weighed.knows_time(sample) { ANY_TIME } else { 1.0 };
            any_time += weight * (1.0 - absent) * spread;
            if weighed.knows_time(sample) {
                let share = (1.0 - absent) * (1.0 - ANY_TIME) / weighed.total[sample];
                *shares = weights.map(|weight| weight * share);
            }
        }
        (shares, never, any_time)
    }

    /// Each expert gains what it had foretold.
    fn reward(&mut self, tonight: Tonight, arrived_s: Option<f32>) {
        let weighed = self.weigh(tonight);
        let mut near = [[0.0; REACHES.len()]; SAMPLES];
        if let Some(came) = arrived_s {
            let reach = REACHES[REACHES.len() - 1] + WITHIN_S;
            let from = weighed.arrived.partition_point(|(at, _)| *at <= came - reach);
            for (at, place) in weighed.arrived[from..].iter().take_while(|(at, _)| *at < came + reach) {
                let mass = REACHES.map(|reach| rise((came + WITHIN_S - at) / reach) - rise((came - WITHIN_S - at) / reach));
                for (near, weight) in near.iter_mut().zip(&weighed.weights[*place]) {
                    near.iter_mut().zip(mass).for_each(|(near, mass)| *near += weight * mass);
                }
            }
        }
        let anywhere = 2.0 * WITHIN_S / (tonight.ends_s - tonight.opens_s).max(1) as f32;
        let mut weights = [0.0; EXPERTS];
        for (sample, (new, had)) in
            weights.chunks_exact_mut(REACHES.len()).zip(self.weights.chunks_exact(REACHES.len())).enumerate()
        {
            let absent = weighed.absent[sample];
            for ((new, had), near) in new.iter_mut().zip(had).zip(near[sample]) {
                let near = if weighed.knows_time(sample) { near / weighed.total[sample] } else { anywhere };
                let foretold = match arrived_s {
                    None => absent,
                    Some(_) => (1.0 - absent) * ((1.0 - ANY_TIME) * near + ANY_TIME * anywhere),
                };
                *new = f32::from(*had) * foretold.max(FLOOR).powf(RATE);
            }
        }
        let all: f32 = weights.iter().sum();
        let even = SHARED / EXPERTS as f32;
        for (kept, new) in self.weights.iter_mut().zip(weights) {
            *kept = (((1.0 - SHARED) * new / all + even) * ALL).round() as u16;
        }
    }

    fn weigh(&self, tonight: Tonight) -> Weighed {
        let decay = HALF_LIVES.map(|half_life| 0.5_f32.powf(1.0 / half_life));
        let mut age = [1.0; HALF_LIVES.len()];
        let (mut total, mut absent) = ([0.0; SAMPLES], [0.0; SAMPLES]);
        let mut all = Vec::with_capacity(self.nights.len());
        let mut order = Vec::with_capacity(self.nights.len());
        let last = self.nights.last().copied();
        for (place, night) in self.nights.iter().enumerate().rev() {
            let likeness = likeness(*night, place.checked_sub(1).map(|before| self.nights[before]), last, tonight);
            let mut weights = [0.0; SAMPLES];
            for ((weights, age), decay) in weights.chunks_exact_mut(LIKENESSES).zip(&mut age).zip(decay) {
                weights.iter_mut().zip(likeness).for_each(|(weight, like)| *weight = *age * like);
                *age *= decay;
            }
            let came = night.arrived_s().is_some();
            let sum = if came { &mut total } else { &mut absent };
            sum.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight);
            if came {
                order.push((night.order(), all.len() as u16));
            }
            all.push(weights);
        }
        order.sort_unstable();
        let within = |at: f32| at.clamp(tonight.opens_s as f32, tonight.ends_s as f32);
        let newest = self.nights.len().saturating_sub(1);
        let at = |place: u16| self.nights[newest - usize::from(place)].arrived_s().unwrap_or_default() as f32;
        let arrived: Vec<_> = order.into_iter().map(|(_, place)| (within(at(place)), usize::from(place))).collect();
        let nights = self.nights.len() as f32;
        let base = (nights - arrived.len() as f32 + 0.5) / (nights + 5.0);
        for (absent, total) in absent.iter_mut().zip(total) {
            *absent = (*absent + BASE_NIGHTS * base) / (total + *absent + BASE_NIGHTS);
        }
        Weighed { arrived, weights: all, total, absent }
    }

    /// Is this later than nine of ten that came before?
    fn is_late(&self, arrived_s: i32) -> bool {
        let mut before: Vec<i32> = self.nights.iter().rev().filter_map(|night| night.arrived_s()).take(*SHOW_LATE.end()).collect();
        if before.len() < *SHOW_LATE.start() {
            return false;
        }
        let nine_of_ten = (before.len() - 1) * 9 / 10;
        let (_, nine_of_ten, _) = before.select_nth_unstable(nine_of_ten);
        let steps = nine_of_ten.div_euclid(LATE_STEP_S) + i32::from(nine_of_ten.rem_euclid(LATE_STEP_S) > 0);
        arrived_s > steps * LATE_STEP_S
    }
}

/// How much a night is like tonight: all are; the same weekday; the night before went as the last one did; came when that did; the
/// weekday with each of these two; a workday or not, and the day after one or not; and the turn of the month.
fn likeness(night: Night, before: Option<Night>, last: Option<Night>, tonight: Tonight) -> [f32; LIKENESSES] {
    let same = |is: bool| if is { 1.0 } else { UNLIKE };
    let course = |night: Option<Night>| night.map_or(Course::InTime, Night::course);
    let weekday = same(night.weekday() == tonight.weekday());
    let went = same(course(before) == course(last));
    let came = match (before.and_then(Night::arrived_s), last.and_then(Night::arrived_s)) {
        (Some(then), Some(now)) => {
            let apart = (then - now) as f32 / SAME_TIME_S;
            (-0.5 * apart * apart).exp().max(UNLIKE)
        }
        (None, None) => 1.0,
        _ => UNLIKE,
    };
    let (kind, tonight) = (night.kind(), tonight.kind());
    [1.0, weekday, went, weekday * went, came, came * weekday, same(kind & 3 == tonight & 3), same(kind >> 2 == tonight >> 2)]
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

/// As it is stored: four hexadecimal digits a number, three numbers a night.
#[derive(Serialize, Deserialize)]
struct Kept {
    nights: String,
    weights: String,
}

impl From<Mixture> for Kept {
    fn from(mixture: Mixture) -> Self {
        let hex = |numbers: &mut dyn Iterator<Item = u16>| numbers.map(|number| format!("{number:04x}")).collect();
        Self {
            nights: hex(&mut mixture.nights.iter().flat_map(|night| night.words())),
            weights: hex(&mut mixture.weights.iter().copied()),
        }
    }
}

impl TryFrom<Kept> for Mixture {
    type Error = &'static str;

    fn try_from(kept: Kept) -> Result<Self, Self::Error> {
        let number = |digits: &[u8]| {
            let digits = std::str::from_utf8(digits).ok()?;
            u16::from_str_radix(digits, 16).ok()
        };
        let numbers = |text: &str| text.as_bytes().chunks(4).map(number).collect::<Option<Vec<u16>>>();
        let wrong = "not hexadecimal numbers of four digits";
        let nights = numbers(&kept.nights).ok_or(wrong)?;
        let weights = numbers(&kept.weights).ok_or(wrong)?;
        if weights.len() != EXPERTS || nights.len() % 3 != 0 {
            return Err("not whole nights, or another number of experts");
        }
        let night = |words: &[u16]| Night::of_words([words[0], words[1], words[2]]);
        Ok(Self { nights: nights.chunks_exact(3).map(night).collect(), weights: weights.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::time::shift;
    use chrono::NaiveDate;

    const MINUTE: i32 = 60;
    const HOUR: i32 = 3_600;

    fn night(number: i32) -> Tonight {
        // A Monday.
        let first = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
        Tonight::of(shift(first, number), 0, 24 * HOUR, |_| None)
    }

    /// Nights from 0 on; `came` says when each one did.
    fn after(nights: i32, came: impl Fn(i32) -> Option<i32>) -> (Mixture, Tonight) {
        let mut mixture = Mixture::default();
        (0..nights).for_each(|number| mixture.learn(night(number), came(number), None));
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
        assert_eq!((mixture.nights().len(), mixture.weights.len()), (NIGHTS_KEPT, EXPERTS));
        let all: f32 = mixture.weights.iter().map(|weight| f32::from(*weight)).sum();
        assert!((all / ALL - 1.0).abs() < 1e-3, "{all}");
        let kept = serde_json::to_string(&mixture).unwrap();
        assert_eq!(serde_json::from_str::<Mixture>(&kept).unwrap(), mixture);
    }
}

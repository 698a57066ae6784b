//! When a check usually arrives: what its own nights tell of tonight.
//!
//! A mixture of experts. Each is a weighted sample of the nights: recent ones weigh more (three half-lives), those that are like tonight
//! weigh more (eight likenesses), and each arrival is spread over a triangle (four reaches). That nothing comes at all is part of what
//! each expert says. After every night an expert gains what it had foretold of it: a sharp one leads where a clock starts the runs, a
//! broad one where people do, a quick one within days of a moved schedule. No training, no chance; a night costs the same in the
//! tenth year as in the first.

use super::four::Four;
use super::night::Night;
use super::outlook::{Outlook, Run};
use super::parts::Parts;
use super::reach::{REACHES, WITHIN_S, near};
use super::sample::{AGES, Age, Alike, BySample, Classes, LIKENESSES, SAMPLES, SPANS, alike};
use super::told::{ANY_TIME, Counts, Told};
use super::tonight::Tonight;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// Older nights tell nothing of tonight that these do not.
pub const NIGHTS_KEPT: usize = 256;

const EXPERTS: usize = SAMPLES * REACHES.len();

/// After each night so much of all weight is shared out evenly: what was wrong for years may be right from tomorrow on.
const SHARED: f32 = 0.02;
/// How far an expert's success counts; below 1, as nights in a row are alike.
const RATE: f32 = 0.7;
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
    /// In shares of 65,535. By half-life, then by likeness, then by reach.
    weights: Box<[u16]>,
}

impl Default for Mixture {
    fn default() -> Self {
        Self { nights: Vec::new(), weights: vec![(ALL / EXPERTS as f32) as u16; EXPERTS].into() }
    }
}

/// The sum of all weights, about.
const ALL: f32 = 65_535.0;

impl Mixture {
    /// Oldest first.
    pub fn nights(&self) -> &[Night] {
        &self.nights
    }

    /// When it came last, in seconds on the wall after local midnight of that night's date.
    pub fn newest_s(&self) -> Option<i32> {
        self.nights.iter().rev().find_map(|night| night.arrived_s())
    }

    pub fn last_date(&self) -> Option<NaiveDate> {
        self.nights.last().map(|night| night.date())
    }

    /// Takes in how tonight went; `None`: nothing came. `took_s`: the run time.
    pub fn learn(&mut self, tonight: Tonight, arrived_s: Option<i32>, took_s: Option<i64>) {
        let night = Night::new(tonight, arrived_s, took_s, arrived_s.is_some_and(|at| self.is_late(at)));
        if !self.nights.is_empty() {
            self.reward(tonight, night);
        }
        if self.nights.len() == NIGHTS_KEPT {
            self.nights.remove(0);
        }
        self.nights.reserve_exact(1);
        self.nights.push(night);
    }

    /// When it will come.
    pub fn outlook(&self, tonight: Tonight) -> Outlook {
        let mut counts = Counts::new();
        let mut alikes = [Alike::default(); NIGHTS_KEPT];
        for ((night, age, alike), kept) in self.alike(tonight).zip(&mut alikes) {
            counts.add(night, age, alike);
            *kept = alike;
        }
        let (shares, never, any_time) = self.shares(&counts.told());
        let (parts, runs) = self.weigh(tonight, &alikes, &Classes::of_samples(&shares));
        Outlook::new((tonight.opens_s as f32, tonight.ends_s as f32), (never, any_time), &parts, runs)
    }

    /// How likely each arrival comes again, and each run time.
    fn weigh(&self, tonight: Tonight, alikes: &[Alike], shares: &Classes<Four>) -> (Parts, Vec<Run>) {
        let mut parts = Parts::new(tonight.opens_s, tonight.ends_s);
        let mut runs = Vec::new();
        for ((night, alike), age) in self.nights.iter().zip(alikes).zip(self.ages()) {
            if night.is_absent() {
                continue;
            }
            let mass = shares.give(age, *alike);
            parts.add(*night, mass);
            if let Some(took_s) = night.took_s() {
                if runs.is_empty() {
                    runs.reserve_exact(self.nights.len());
                }
                runs.push(Run { took_s: took_s as u32, weight: mass.sum() });
            }
        }
        (parts, runs)
    }

    /// Oldest first.
    fn alike(&self, tonight: Tonight) -> impl Iterator<Item = (Night, &'static Age, Alike)> {
        self.nights.iter().zip(self.ages()).zip(alike(&self.nights, tonight)).map(|((night, age), alike)| (*night, age, alike))
    }

    /// Oldest first.
    fn ages(&self) -> impl Iterator<Item = &'static Age> + use<> {
        AGES[..self.nights.len()].iter().rev()
    }

    /// What each expert's arrivals weigh in the mixture, for each unit of their weight in its sample; how likely nothing comes; and how
    /// likely something does at no time that is known.
    fn shares(&self, told: &[Told; SAMPLES]) -> (BySample<Four>, f32, f32) {
        let (mut never, mut any_time) = (0.0, 0.0);
        let mut shares = [[Four::default(); LIKENESSES]; SPANS];
        let each = 1.0 / self.weights.iter().map(|weight| u32::from(*weight)).sum::<u32>() as f32;
        let samples = told.iter().zip(shares.as_flattened_mut());
        for (weights, (told, share)) in self.weights.chunks_exact(REACHES.len()).zip(samples) {
            let weights = Four(std::array::from_fn(|reach| f32::from(weights[reach]))) * each;
            let (weight, comes) = (weights.sum(), 1.0 - told.absent);
            never += weight * told.absent;
            any_time += weight * comes * if told.arrivals.is_some() { ANY_TIME } else { 1.0 };
            if let Some(arrivals) = told.arrivals {
                *share = weights * (comes * (1.0 - ANY_TIME) / arrivals);
            }
        }
        (shares, never, any_time)
    }

    /// Each expert gains what it had foretold.
    fn reward(&mut self, tonight: Tonight, night: Night) {
        let mut counts = Counts::new();
        let mut nears = Classes::new();
        let (opens, ends) = (Night::step(tonight.opens_s), Night::step(tonight.ends_s));
        for (then, age, alike) in self.alike(tonight) {
            counts.add(then, age, alike);
            let apart = then.order().clamp(opens, ends).abs_diff(night.order());
            if !then.is_absent()
                && !night.is_absent()
                && let Some(near) = near(apart)
            {
                nears.add(age, alike, near);
            }
        }
        let anywhere = 2.0 * WITHIN_S / (tonight.ends_s - tonight.opens_s) as f32;
        let mut weights = [[0.0; REACHES.len()]; SAMPLES];
        let samples = counts.told().into_iter().zip(nears.by_sample().into_iter().flatten());
        for ((new, had), (told, near)) in weights.iter_mut().zip(self.weights.chunks_exact(REACHES.len())).zip(samples) {
            let foretold = if night.is_absent() { [told.absent; REACHES.len()] } else { told.foretold(near, anywhere) };
            for ((new, had), foretold) in new.iter_mut().zip(had).zip(foretold) {
                *new = f32::from(*had) * foretold.max(FLOOR).powf(RATE);
            }
        }
        self.share_out(weights.as_flattened());
    }

    fn share_out(&mut self, weights: &[f32]) {
        let all: f32 = weights.iter().sum();
        let (of_weight, even) = ((1.0 - SHARED) * ALL / all, SHARED * ALL / EXPERTS as f32);
        for (kept, weight) in self.weights.iter_mut().zip(weights) {
            // To the nearest.
            *kept = (weight * of_weight + even + 0.5) as u16;
        }
    }

    /// Is this later than nine of ten that came before, in whole steps?
    fn is_late(&self, arrived_s: i32) -> bool {
        let last_step = arrived_s.saturating_sub(1).div_euclid(LATE_STEP_S) * LATE_STEP_S;
        let before = self.nights.iter().rev().filter_map(|night| night.arrived_s()).take(*SHOW_LATE.end());
        let (all, earlier) = before.fold((0, 0), |(all, earlier), at| (all + 1, earlier + usize::from(at <= last_step)));
        SHOW_LATE.contains(&all) && earlier > (all - 1) * 9 / 10
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
        if weights.len() != EXPERTS || nights.len() % 3 != 0 || nights.len() > 3 * NIGHTS_KEPT {
            return Err("not whole nights, too many of them, or another number of experts");
        }
        let night = |words: &[u16]| Night::of_words([words[0], words[1], words[2]]);
        Ok(Self { nights: nights.chunks_exact(3).map(night).collect(), weights: weights.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::super::reach::rise;
    use super::super::sample::plainly;
    use super::super::told::BASE_NIGHTS;
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

    /// As it is meant, night by night and expert by expert, with nothing forgotten.
    fn plainly_left(mixture: &Mixture, tonight: Tonight, s: f32) -> f32 {
        let weights = plainly(&mixture.nights, tonight);
        let sum = |absent: bool, sample: usize, of: &dyn Fn(&Night) -> f32| -> f32 {
            let those = mixture.nights.iter().zip(&weights).filter(|(night, _)| night.is_absent() == absent);
            those.map(|(night, weights)| weights.as_flattened()[sample] * of(night)).sum()
        };
        let nights = mixture.nights.len() as f32;
        let absences = mixture.nights.iter().filter(|night| night.is_absent()).count() as f32;
        let not_yet = (tonight.ends_s as f32 - s) / (tonight.ends_s - tonight.opens_s) as f32;
        let all: f32 = mixture.weights.iter().map(|weight| f32::from(*weight)).sum();
        let expert = |(expert, weight): (usize, &u16)| {
            let (sample, half) = (expert / REACHES.len(), REACHES[expert % REACHES.len()]);
            let (came, absent) = (sum(false, sample, &|_| 1.0), sum(true, sample, &|_| 1.0));
            let absent = (absent + BASE_NIGHTS * (absences + 0.5) / (nights + 5.0)) / (came + absent + BASE_NIGHTS);
            let by_now = sum(false, sample, &|night| rise((s - night.arrived_s().unwrap() as f32) / half)) / came;
            f32::from(*weight) / all * (absent + (1.0 - absent) * (1.0 - (1.0 - ANY_TIME) * by_now - ANY_TIME * (1.0 - not_yet)))
        };
        mixture.weights.iter().enumerate().map(expert).sum()
    }

    #[test]
    fn an_outlook_is_what_the_experts_say_together_with_next_to_nothing_forgotten() {
        let of_both = |number: i32| if number % 7 == 2 { 9 } else { 5 } * HOUR + jitter(number) * 3;
        let (mixture, tonight) = after(300, |number| (number % 7 < 6).then_some(of_both(number)));
        let outlook = mixture.outlook(tonight);
        for quarter in 0..96 {
            let s = quarter as f32 * 900.0 + 450.0;
            let (told, plain) = (outlook.left(s), plainly_left(&mixture, tonight, s));
            assert!((told - plain).abs() < 2e-3, "{s}: {told} {plain}");
        }
    }

    #[test]
    fn a_run_time_weighs_as_its_night_does() {
        let took = |number: i32| if number % 7 == 0 { 7_200 } else { 600 };
        let mut mixture = Mixture::default();
        assert_eq!(mixture.outlook(night(0)).run_quantiles([0.5]), None);
        // On Mondays it runs long, and comes late.
        (0..70).for_each(|number| mixture.learn(night(number), Some(4 * HOUR + took(number)), Some(i64::from(took(number)))));
        mixture.learn(night(70), Some(6 * HOUR), None);
        let (tuesday, monday) = (mixture.outlook(night(71)), mixture.outlook(night(77)));
        assert_eq!((tuesday.runs(), tuesday.run_quantiles([0.5])), (70, Some([600.0])));
        let [found] = monday.run_quantiles([0.5]).unwrap();
        assert!((found - 7_200.0).abs() < 72.0, "{found}");
    }

    #[test]
    fn late_is_later_than_nine_of_ten_in_whole_quarters() {
        let (mixture, _) = after(50, |number| Some(4 * HOUR + number * 7 % 50 * 10 * MINUTE));
        let mut before: Vec<i32> = mixture.nights.iter().filter_map(|night| night.arrived_s()).collect();
        before.sort_unstable();
        let nine_of_ten = before[49 * 9 / 10] as f32;
        let limit = (nine_of_ten / LATE_STEP_S as f32).ceil() as i32 * LATE_STEP_S;
        assert_eq!([limit - 1, limit, limit + 1].map(|at| mixture.is_late(at)), [false, false, true]);
        let (few, _) = after(7, |_| Some(4 * HOUR));
        assert!(!few.is_late(20 * HOUR));
    }

    #[test]
    fn a_night_costs_no_more_in_the_tenth_year_than_in_the_first() {
        let (mixture, _) = after(3_650, |number| Some(5 * HOUR + jitter(number)));
        assert_eq!((mixture.nights().len(), mixture.weights.len()), (NIGHTS_KEPT, EXPERTS));
        let all: f32 = mixture.weights.iter().map(|weight| f32::from(*weight)).sum();
        assert!((all / ALL - 1.0).abs() < 1e-3, "{all}");
        let kept = serde_json::to_string(&mixture).unwrap();
        assert_eq!(serde_json::from_str::<Mixture>(&kept).unwrap(), mixture);
        let too_many = kept.replacen("\"nights\":\"", "\"nights\":\"000000000000", 1);
        assert!(serde_json::from_str::<Mixture>(&too_many).is_err());
    }
}

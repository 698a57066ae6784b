//! When a dashboard will be ready, and how likely it misses its deadline. Made for words only.
//!
//! Not by multiplying: what is late tonight for one check is late for many. So the last nights are played again as scenarios: in each of
//! them every check that is outstanding takes, of what can still become of it tonight, as much as its rank was in that night among its
//! own; and what needs another comes after it.

use super::CycleView;
use super::ahead::{Course, LIKELIER_THAN_NOT};
use super::bench::{Bench, Needs, Row};
use crate::core::forecast::{Curve, Forecast, Mixture, Night};
use crate::core::message::{Basis, Eta};
use crate::core::plan::{Dashboard, Plan};
use crate::core::roster::Ix;
use crate::core::state::{State, Verdict};
use crate::core::time::{Instant, round_up};
use chrono::{NaiveDate, TimeDelta};

/// So many nights are played again.
const SCENARIOS: usize = 32;
/// What is still to come is read at so many shares, and between them along a line.
const SHARES: [f32; 6] = [0.01, 0.2, 0.4, 0.6, 0.8, 0.99];
/// An ETA's range leaves out one of ten at each end.
const LOW: usize = SCENARIOS / 10;
const HIGH: usize = SCENARIOS - 1 - LOW;

/// Seconds from now, in each scenario; infinite: it does not come.
type Scenarios = [f32; SCENARIOS];

/// What is to be expected of a dashboard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prospect {
    /// How likely it misses its deadline. `None`: that is over, or of something that is outstanding too little is known.
    pub p_miss: Option<f32>,
    /// `None`: it is as likely that nothing comes at all.
    pub eta: Option<Eta>,
    /// The check that is likeliest to make it miss by itself, and how likely; an early word rests on it. `None`: of none is anything known.
    pub worst: Option<(Ix, f32)>,
    /// A check that is likelier than not to make it miss, from its last useful moment on: that is said whatever `warn_at` is.
    pub likely: Option<Ix>,
}

/// How likely a check alone makes the dashboard miss, and the last useful moment for a word of it.
struct Risk {
    chance: f32,
    last_word: Instant,
}

/// A cycle's last nights, played again over what is outstanding.
struct Played {
    /// By place; `None`: nothing of it is waited for.
    ahead: Vec<Option<Scenarios>>,
    basis: Basis,
    worst: Option<(Ix, f32)>,
    likely: Option<Ix>,
}

impl CycleView {
    /// `None`: nothing is outstanding, or of something that is, nobody knows when it comes.
    pub fn prospect(&self, state: &State, plan: &Plan, dashboard: &Dashboard, at: Instant) -> Option<Prospect> {
        let Played { ahead, basis, worst, likely } = self.play(state, plan, dashboard, at)?;
        let direct =
            ahead.iter().enumerate().filter(|(place, _)| self.wanted.is_direct(*place)).filter_map(|(_, all)| all.as_ref());
        let ready = latest(direct);
        let left = (self.cycle.deadline - at).num_seconds() as f32;
        let missed = ready.iter().filter(|s| **s > left).count() as f32 / SCENARIOS as f32;
        let is_known = left > 0.0 && matches!(basis, Basis::Observed { .. });
        let p_miss = is_known.then(|| worst.map_or(missed, |(_, worst)| missed.max(worst)));
        Some(Prospect { p_miss, eta: self.eta(ready, basis, at), worst, likely })
    }

    /// When one check comes, by the same nights. `None`: nobody knows, or it is as likely that nothing comes at all.
    pub fn eta_of(&self, ix: Ix, state: &State, plan: &Plan, dashboard: &Dashboard, at: Instant) -> Option<Eta> {
        let Played { ahead, basis, .. } = self.play(state, plan, dashboard, at)?;
        self.eta(ahead[self.wanted.place(ix)?]?, basis, at)
    }

    fn play(&self, state: &State, plan: &Plan, dashboard: &Dashboard, at: Instant) -> Option<Played> {
        let bench = Bench { state, plan, dashboard, wanted: &self.wanted, cycle: &self.cycle, at };
        let dates = self.dates(&bench);
        let mut ahead: Vec<Option<Scenarios>> = vec![None; self.checks.len()];
        let (mut worst, mut likely, mut basis) = (None::<(Ix, f32)>, None, None);
        for (place, (ix, judged)) in self.checks.iter().enumerate() {
            let Some(open) = judged.open.as_deref().copied().filter(|_| judged.live) else { continue };
            let needs = Needs { places: self.wanted.needs(place), before: &self.checks[..place] };
            let fed: Scenarios = latest(needs.places.iter().filter_map(|need| ahead[*need].as_ref()));
            let row = Row { ix: *ix, judged, open, needs };
            let ranks = ranks(bench.habits(*ix), &dates);
            let (of_check, by, risk) = bench.scenarios(&row, &fed, &ranks)?;
            if let Some(Risk { chance, last_word }) = risk {
                worst = worst.filter(|(_, worst)| *worst >= chance).or(Some((*ix, chance)));
                likely = likely.or((chance >= LIKELIER_THAN_NOT && at >= last_word).then_some(*ix));
            }
            basis = Some(basis.map_or(by, |basis| vaguer(basis, by)));
            ahead[place] = Some(of_check);
        }
        Some(Played { ahead, basis: basis?, worst, likely })
    }

    fn eta(&self, mut comes: Scenarios, basis: Basis, at: Instant) -> Option<Eta> {
        comes.sort_unstable_by(f32::total_cmp);
        let shown = |place: usize| instant(at, comes[place]).map(|at| round_up(at, Forecast::SHOWN_STEP));
        let middle = shown((SCENARIOS - 1) / 2)?;
        // Where one of ten does not come at all, the end of the window is as much as can be said.
        let ends_at = self.cycle.closes_at.min(at + TimeDelta::days(1));
        Some(Eta { at: middle, low: shown(LOW).unwrap_or(middle), high: shown(HIGH).unwrap_or(ends_at).max(middle), basis })
    }

    /// The nights that are played again: those that the check with the most of them knows.
    fn dates(&self, bench: &Bench<'_>) -> Vec<NaiveDate> {
        let outstanding = self.checks.iter().filter(|(_, judged)| judged.live && judged.verdict > Verdict::Ready);
        let habits = outstanding.filter_map(|(ix, _)| bench.habits(*ix));
        let longest = habits.map(Mixture::nights).max_by_key(|nights| nights.len().min(SCENARIOS)).unwrap_or_default();
        longest.iter().rev().take(SCENARIOS).map(|night| night.date()).collect()
    }
}

impl Bench<'_> {
    /// When a check comes in each scenario, what that rests on, and how likely it alone makes the dashboard miss (`None`: it waits, or was
    /// not seen often enough).
    fn scenarios(&self, row: &Row<'_>, fed: &Scenarios, ranks: &Scenarios) -> Option<(Scenarios, Basis, Option<Risk>)> {
        let course = self.course(row, row.judged.works_since);
        let waits = matches!(course, Course::Ahead { waits: true, .. });
        if let Some((curve, basis)) = self.curve(row, &course).filter(|_| !waits) {
            let finish_by = self.cycle.deadline - row.open.after.usual;
            let seen_at = self.seen_at(row.ix).unwrap_or(self.at);
            let chance = curve.misses(finish_by, seen_at);
            let risk = Risk { chance, last_word: self.last_word(row, &course, row.judged.act_by) };
            return Some((still_to_come(&curve, self.at, seen_at, ranks), basis, Some(risk)));
        }
        // It waits for what it needs, or was not seen often enough to know its hour: then it takes its time.
        let Course::Ahead { begins, .. } = course else { return None };
        let (habit, from_now) = (&row.open.habit, |instant: Instant| (instant - self.at).num_seconds() as f32);
        let usual_s = habit.arrives.and_then(|arrives| arrives.usual_s);
        let usual = usual_s.map(|usual_s| self.cycle.at_wall(usual_s as i64, self.plan) - habit.run_time());
        let begins = usual.into_iter().chain(begins.filter(|_| !waits)).max().map_or(0.0, from_now).max(0.0);
        let run = |rank: f32| habit.run.as_ref().map_or(0.0, |run| run.of_rank(rank));
        let basis = row.judged.forecast.map_or(Basis::Declared, |forecast| forecast.basis);
        Some((std::array::from_fn(|scenario| fed[scenario].max(begins) + run(ranks[scenario])), basis, None))
    }
}

/// The last of them in each scenario; before all time where there is none.
fn latest<'a>(all: impl Iterator<Item = &'a Scenarios>) -> Scenarios {
    all.fold([f32::NEG_INFINITY; SCENARIOS], |last, next| std::array::from_fn(|scenario| last[scenario].max(next[scenario])))
}

/// Of what had not come at `seen_at`.
fn still_to_come(curve: &Curve, at: Instant, seen_at: Instant, ranks: &Scenarios) -> Scenarios {
    let left = curve.left(seen_at);
    let told_of = curve.told_of(left);
    let from_now = |when: Instant| ((when - at).num_seconds() as f32).max(0.0);
    let read = SHARES.map(|share| curve.when((left * (1.0 - share)).max(told_of)).map_or(f32::INFINITY, from_now));
    ranks.map(|rank| {
        let above = SHARES.partition_point(|share| *share <= rank).clamp(1, SHARES.len() - 1);
        let (low, high) = (read[above - 1], read[above]);
        let along = ((rank - SHARES[above - 1]) / (SHARES[above] - SHARES[above - 1])).clamp(0.0, 1.0);
        if high.is_finite() { low + (high - low) * along } else { high }
    })
}

/// How late a check was in each of these nights, among them: from 0 to 1. Of a night that it does not know nothing can be told: those are
/// spread out evenly.
fn ranks(habits: Option<&Mixture>, dates: &[NaiveDate]) -> Scenarios {
    let mut ranks: Scenarios = std::array::from_fn(|scenario| (scenario as f32 + 0.5) * GOLDEN % 1.0);
    let nights = habits.map(Mixture::nights).unwrap_or_default();
    let of = |date: &NaiveDate| nights.binary_search_by_key(date, |night| night.date()).ok().map(|place| nights[place]);
    let mut known: Vec<(Night, usize)> = dates.iter().enumerate().filter_map(|(place, date)| Some((of(date)?, place))).collect();
    known.sort_unstable_by_key(|(night, place)| (night.arrived_s().unwrap_or(i32::MAX), *place));
    for (rank, (_, place)) in known.iter().enumerate() {
        ranks[*place] = (rank as f32 + 0.5) / known.len() as f32;
    }
    ranks
}

/// Multiples of it fill the unit evenly.
const GOLDEN: f32 = 0.618_034;

fn instant(at: Instant, s: f32) -> Option<Instant> {
    s.is_finite().then(|| at + TimeDelta::seconds(s.clamp(0.0, 1e8) as i64))
}

/// What rests on both rests on the vaguer one.
fn vaguer(a: Basis, b: Basis) -> Basis {
    match (a, b) {
        (Basis::Observed { nights: a }, Basis::Observed { nights: b }) => Basis::Observed { nights: a.min(b) },
        _ => Basis::Declared,
    }
}

//! What is usual for a check tonight: the few figures that most of judging needs, so that a curve is made only where one is asked for.

use super::{Mixture, RunTime, Tonight};
use crate::core::message::Basis;
use chrono::TimeDelta;

/// Fewer nights than this are too little history.
pub const ENOUGH_NIGHTS: usize = 5;
/// Habits change: what is older than so many nights is no rule.
const RECENT: usize = 28;

/// A check's habits, as far as they are known.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Habit {
    pub run: Option<RunTime>,
    /// `None`: too little history.
    pub arrives: Option<Arrives>,
}

/// When it arrives, in seconds on the wall after local midnight of the business date.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arrives {
    /// Of half of the nights and of nine of ten; `None`: on so many nothing comes at all.
    pub usual_s: Option<f32>,
    pub late_s: Option<f32>,
    pub nights: u32,
}

impl Habit {
    /// Observed run times win over the declared one once there are enough of them.
    pub fn of(mixture: Option<&Mixture>, tonight: Tonight, declared: Option<TimeDelta>) -> Self {
        let declared = declared.map(RunTime::declared);
        let Some(mixture) = mixture else { return Self { run: declared, arrives: None } };
        let arrivals = mixture.nights().iter().filter(|night| night.arrived_s().is_some()).count();
        if arrivals < ENOUGH_NIGHTS {
            return Self { run: declared, arrives: None };
        }
        let nights = u32::try_from(mixture.nights().len()).unwrap_or(u32::MAX);
        let outlook = mixture.outlook(tonight);
        let took = outlook.run_quantiles([0.1, 0.5, 0.9]).filter(|_| outlook.runs() >= ENOUGH_NIGHTS);
        let run = took.map(|took| {
            let [quick, usual, long] = took.map(shown);
            let basis = Basis::Observed { nights: u32::try_from(outlook.runs()).unwrap_or(u32::MAX) };
            RunTime { quick, usual, long, basis }
        });
        let arrives = Arrives { usual_s: outlook.quantile(0.5), late_s: outlook.quantile(0.9), nights };
        Self { run: run.or(declared), arrives: Some(arrives) }
    }

    pub fn run_time(&self) -> TimeDelta {
        self.run.map_or(TimeDelta::zero(), |run| run.usual)
    }
}

/// When a check came on its recent nights, whatever tonight is: anybody can count it. In seconds on the wall after local midnight of the
/// business date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AsARule {
    /// Half of them had come by then, and nine of ten.
    pub usual_s: i64,
    pub late_s: i64,
    pub nights: u32,
}

impl AsARule {
    /// `None`: too little history.
    pub fn of(mixture: &Mixture) -> Option<Self> {
        let arrived = mixture.nights().iter().rev().filter_map(|night| night.arrived_s());
        let mut arrived: Vec<i32> = arrived.take(RECENT).collect();
        arrived.sort_unstable();
        let nights = arrived.len();
        let reaching = |tenths: usize| arrived.get((nights * tenths).div_ceil(10).saturating_sub(1)).map(|s| i64::from(*s));
        let (usual_s, late_s) = reaching(5).zip(reaching(9)).filter(|_| nights >= ENOUGH_NIGHTS)?;
        Some(Self { usual_s, late_s, nights: u32::try_from(nights).unwrap_or(u32::MAX) })
    }
}

/// In steps in which people tell it: nights are kept within one percent only.
fn shown(took_s: f32) -> TimeDelta {
    let step = if took_s < 600.0 { 1.0 } else { 60.0 };
    TimeDelta::seconds(((took_s / step).round() * step) as i64)
}

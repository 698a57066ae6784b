//! The script of a night: what every pipeline does, as data and as a pure function of the instant.
//!
//! It knows no HTTP and no clock, and takes no chances: the same night is told the same way every time.

pub mod cast;
pub mod run;
mod tale;

use crate::core::time::{Instant, resolve, shift};
use cast::Pipeline;
use chrono::{NaiveDate, NaiveTime};
use chrono_tz::Tz;
use run::{Run, RunWord};
use std::collections::BTreeMap;

/// The zone in which the whole demo lives.
pub const ZONE: Tz = chrono_tz::Asia::Seoul;
/// Nights before the played one that an Airflow would still have in its database.
const NIGHTS_BEFORE: i32 = 14;

/// Which night is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Night {
    /// A Monday on which things go wrong, and come right.
    #[default]
    Weekday,
    /// A Sunday on which everything arrives and nobody looks.
    Weekend,
}

impl Night {
    /// The business date.
    pub fn date(self) -> NaiveDate {
        let day = match self {
            Self::Weekday => 23,
            Self::Weekend => 22,
        };
        NaiveDate::from_ymd_opt(2026, 11, day).unwrap_or_default()
    }

    /// A clock time on the business date.
    pub fn at(self, hour: u32, minute: u32) -> Instant {
        clock(self.date(), hour, minute)
    }

    pub fn starts_at(self) -> Instant {
        self.at(2, 0)
    }

    pub fn ends_at(self) -> Instant {
        self.at(9, 30)
    }

    /// While this lasts, the partner's file API takes no connection.
    pub fn dark(self) -> Option<(Instant, Instant)> {
        match self {
            Self::Weekday => Some((self.at(5, 46), self.at(6, 40))),
            Self::Weekend => None,
        }
    }
}

/// `hour:minute` in Seoul on `date`.
fn clock(date: NaiveDate, hour: u32, minute: u32) -> Instant {
    resolve(date, NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or_default(), ZONE)
}

/// Everything that happens in a night and in those before it.
#[derive(Debug)]
pub struct Script {
    pub night: Night,
    pub pipelines: Vec<Pipeline>,
    /// By date, then in the order of `pipelines`.
    runs: Vec<Run>,
    by_id: BTreeMap<String, usize>,
}

/// How far a night has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Census {
    pub arrived: usize,
    pub running: usize,
    /// Running, but only waiting for what another one has not delivered.
    pub waiting: usize,
    pub failed: usize,
    pub not_started: usize,
}

impl Census {
    pub fn total(self) -> usize {
        self.arrived + self.running + self.waiting + self.failed + self.not_started
    }
}

impl Script {
    pub fn new(night: Night) -> Self {
        let pipelines = cast::pipelines();
        let runs = (-NIGHTS_BEFORE..=0).flat_map(|back| tale::runs(&pipelines, shift(night.date(), back), night)).collect();
        let by_id = pipelines.iter().enumerate().map(|(index, p)| (p.id.clone(), index)).collect();
        Self { night, pipelines, runs, by_id }
    }

    pub fn pipeline(&self, id: &str) -> Option<&Pipeline> {
        self.by_id.get(id).map(|&index| &self.pipelines[index])
    }

    pub fn of(&self, run: &Run) -> &Pipeline {
        &self.pipelines[run.pipeline]
    }

    /// The runs that exist at `at`, oldest date first.
    pub fn runs_at(&self, at: Instant) -> impl Iterator<Item = &Run> {
        self.runs.iter().filter(move |run| run.exists_at(at))
    }

    /// The runs of the played night, whenever they are created.
    pub fn tonight(&self) -> impl Iterator<Item = &Run> {
        let date = self.night.date();
        self.runs.iter().filter(move |run| run.date == date)
    }

    pub fn run_at(&self, pipeline: &str, run_id: &str, at: Instant) -> Option<&Run> {
        let &index = self.by_id.get(pipeline)?;
        self.runs_at(at).find(|run| run.pipeline == index && run.id() == run_id)
    }

    /// When the schedule of `pipeline` comes next after `at`.
    pub fn next_run_after(&self, pipeline: &Pipeline, at: Instant) -> Instant {
        let today = crate::core::time::local_date(at, ZONE);
        let on = |days| clock(shift(today, days), pipeline.hour, pipeline.minute);
        if on(0) > at { on(0) } else { on(1) }
    }

    pub fn census(&self, at: Instant) -> Census {
        let mut census = Census::default();
        for run in self.tonight() {
            let state = run.exists_at(at).then(|| run.at(at));
            match state {
                None => census.not_started += 1,
                Some(seen) => match seen.state {
                    RunWord::Success => census.arrived += 1,
                    RunWord::Failed => census.failed += 1,
                    RunWord::Queued | RunWord::Running if run.waits_at(at) => census.waiting += 1,
                    RunWord::Queued | RunWord::Running => census.running += 1,
                },
            }
        }
        census
    }
}

/// A number from 0 to `below` − 1 that depends on nothing but its arguments (FNV-1a, stirred once more at the end).
pub(super) fn dice(text: &str, date: NaiveDate, salt: u32, below: u32) -> u32 {
    let day = i64::from(chrono::Datelike::num_days_from_ce(&date));
    let bytes = text.bytes().chain(day.to_le_bytes()).chain(salt.to_le_bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    let stirred = (hash ^ (hash >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    u32::try_from(stirred % u64::from(below.max(1))).unwrap_or(0)
}

#[cfg(test)]
mod tests;

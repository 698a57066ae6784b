//! The words in which state is kept: verdicts, attention, causes, and the names of cycles.

use crate::core::plan::Id;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The judgement of one check or dashboard in one cycle; ordered from best to worst for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    NotDue,
    NotWatched,
    Ready,
    OnTrack,
    AtRisk,
    Late,
    Unknown,
    Failed,
}

impl Verdict {
    /// Does it call for a word?
    pub fn is_trouble(self) -> bool {
        self >= Self::AtRisk
    }

    /// DESIGN's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotDue => "not_due",
            Self::NotWatched => "not_watched",
            Self::Ready => "ready",
            Self::OnTrack => "on_track",
            Self::AtRisk => "at_risk",
            Self::Late => "late",
            Self::Unknown => "unknown",
            Self::Failed => "failed",
        }
    }
}

/// How loud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attention {
    /// Recorded only.
    Silent,
    /// No push where the platform can.
    Post,
    /// Asks a person.
    Notify,
    /// Asks the next one.
    Escalate,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Cause {
    Check(Id),
    /// A source that cannot be seen.
    Source(Id),
    /// The scheduler of a source that itself answers.
    Scheduler(Id),
    Calendar(Id),
    /// A group of which no member is known, although its source lists what it has.
    Group(Id),
    /// The clock of a source differs from ours.
    Clock(Id),
    /// The watch itself.
    Watch(Own),
}

/// What of the watch itself is in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Own {
    /// Hosts that have nothing to do with each other went dark together.
    Network,
    /// All hosts say the same other time.
    Clock,
}

/// `orders_raw`, `source:airflow`, `scheduler:airflow`, `calendar:kr`, `group:mart`, `clock:airflow`, `watch:network`.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Check(id) => write!(f, "{id}"),
            Self::Source(id) => write!(f, "source:{id}"),
            Self::Scheduler(id) => write!(f, "scheduler:{id}"),
            Self::Calendar(id) => write!(f, "calendar:{id}"),
            Self::Group(id) => write!(f, "group:{id}"),
            Self::Clock(id) => write!(f, "clock:{id}"),
            Self::Watch(Own::Network) => f.write_str("watch:network"),
            Self::Watch(Own::Clock) => f.write_str("watch:clock"),
        }
    }
}

pub type IncidentId = u64;
pub type PostId = u64;

/// One due day of a dashboard, or one of its several deadlines on that day. `date` is the business date.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CycleKey {
    pub dashboard: Id,
    pub date: NaiveDate,
    /// Counts the deadlines of the day from 0.
    pub nth: u32,
}

/// `exec_summary 2026-11-23`, with ` #2` for the second deadline of the day.
impl fmt::Display for CycleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.dashboard, self.date)?;
        if self.nth > 0 { write!(f, " #{}", self.nth + 1) } else { Ok(()) }
    }
}

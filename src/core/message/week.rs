//! What a week came to, as facts. Counts nothing: `core::tally` does.

use super::DigestVerdict;
use crate::core::plan::Id;
use crate::core::state::{Cause, Verdict};
use crate::core::tally::{Counts, Deadlines, Digests, Words};
use crate::core::time::Instant;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// The last seven whole local days before a digest's date, as far as they were counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeekFacts {
    pub digest: Id,
    pub verdict: DigestVerdict,
    /// The first and the last day, both told.
    pub from: NaiveDate,
    pub to: NaiveDate,
    /// Counted from then on only: the watch began in the middle of the week, or (after `to`) when it was over.
    pub since: Option<Instant>,
    pub sums: WeekSums,
    /// Of the week before, where all of it was counted.
    pub before: Option<WeekSums>,
    /// Deadlines with an audience that the plan has in the counted part and that nobody watched: the watch was off, or did not know
    /// them yet.
    pub unwatched: usize,
    /// The causes of which most was said, and how many more there were.
    pub causes: Vec<(Cause, Words)>,
    pub more_causes: usize,
    /// Sources that did not answer, those first that did not for longest, for so many minutes; and how many more there were.
    pub blind: Vec<(Id, i64)>,
    pub more_blind: usize,
    pub next_at: Option<Instant>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WeekSums {
    pub deadlines: Deadlines,
    /// Dashboards to which these deadlines belong, those that nobody watched among them.
    pub dashboards: usize,
    pub words: Words,
    pub digests: Digests,
    pub hours: i64,
    pub quiet_hours: i64,
    pub unwatched_hours: i64,
}

impl From<&Counts> for WeekSums {
    fn from(counts: &Counts) -> Self {
        Self {
            // Leads are not told, and not stored.
            deadlines: Deadlines { leads_s: Vec::new(), ..counts.deadlines.clone() },
            dashboards: counts.dashboards.len(),
            words: counts.words,
            digests: counts.digests,
            hours: counts.hours,
            quiet_hours: counts.quiet_hours,
            unwatched_hours: counts.unwatched_hours,
        }
    }
}

impl WeekFacts {
    /// All of the week is known, every deadline in it was met, every digest came, and nobody was woken.
    pub fn is_quiet(&self) -> bool {
        let fine = matches!(self.verdict, DigestVerdict::Ready | DigestVerdict::NothingDue);
        fine && self.since.is_none() && self.sums.words.wakeups == 0 && self.sums.digests.missed == 0
    }

    /// Nothing of the week is known.
    pub fn is_blank(&self) -> bool {
        self.verdict == DigestVerdict::NotWatched
    }

    /// The worst that it tells.
    pub fn verdict_of(deadlines: &Deadlines, unwatched: usize) -> DigestVerdict {
        if deadlines.missed > 0 {
            DigestVerdict::Trouble(Verdict::Late)
        } else if deadlines.unknown + deadlines.pending + unwatched > 0 {
            DigestVerdict::Trouble(Verdict::Unknown)
        } else if deadlines.due() == 0 {
            DigestVerdict::NothingDue
        } else {
            DigestVerdict::Ready
        }
    }
}

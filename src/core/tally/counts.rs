//! The sums of a tally: what is counted, and what each number means.

use crate::core::judge::GRACE;
use crate::core::plan::Id;
use crate::core::state::{Cause, CycleState, Verdict};
use crate::core::time::Instant;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The deadlines of cycles with an audience.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Deadlines {
    pub met: usize,
    pub missed: usize,
    /// Nobody looked when it passed, nor later while the cycle was open: neither met nor missed.
    pub unknown: usize,
    /// It has just passed, and no answer tells yet whether it was met: not over yet, and not among those that were due.
    pub pending: usize,
    /// Of the missed: a word of an incident that was not over by then had named the cycle before its deadline; only at it or after; never.
    /// What counts is when it was delivered.
    pub told_before: usize,
    pub told_late: usize,
    pub untold: usize,
    /// A person was asked about a cycle that was ready at its deadline, with no failed run before: nobody had repaired anything. A miss
    /// that was told is none. That a source hid until later that all was there in time is one: nobody could know, and somebody was asked.
    pub false_alarms: usize,
    /// Of each miss that was told before its deadline, how long before.
    #[serde(skip)]
    pub leads_s: Vec<i64>,
}

impl Deadlines {
    pub fn due(&self) -> usize {
        self.met + self.missed + self.unknown
    }

    /// The middle one; of an even number the mean of the two in the middle.
    pub fn median_lead_minutes(&self) -> Option<f64> {
        let mut leads = self.leads_s.clone();
        leads.sort_unstable();
        let (low, high) = (leads.get(leads.len().checked_sub(1)? / 2)?, leads.get(leads.len() / 2)?);
        Some((low + high) as f64 / 120.0)
    }

    /// With what is known of the cycle at `now`.
    pub(super) fn count(&mut self, cycle: &CycleState, now: Instant) {
        if cycle.was_missed() {
            self.missed += 1;
            match cycle.told_at {
                Some(told) if told < cycle.deadline => {
                    self.told_before += 1;
                    self.leads_s.push((cycle.deadline - told).num_seconds());
                }
                Some(_) => self.told_late += 1,
                None => self.untold += 1,
            }
        } else if cycle.was_met() {
            self.met += 1;
            self.false_alarms += usize::from(cycle.asked_at.is_some() && !cycle.failed);
        } else if cycle.verdict > Verdict::NotWatched {
            // An answer from after the deadline is waited for so long; what nobody looked at by then was not watched.
            let waits = cycle.closed_at.is_none() && now <= cycle.deadline + GRACE;
            *(if waits { &mut self.pending } else { &mut self.unknown }) += 1;
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.met += other.met;
        self.missed += other.missed;
        self.unknown += other.unknown;
        self.pending += other.pending;
        self.told_before += other.told_before;
        self.told_late += other.told_late;
        self.untold += other.untold;
        self.false_alarms += other.false_alarms;
        self.leads_s.extend(&other.leads_s);
    }
}

/// What was said, and what was not: of all, or of one cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Words {
    /// Incidents that opened, those not counted that proved to be part of another.
    pub incidents: usize,
    /// Of these, those that were over before anybody was told, repaired and arrived, whenever that was. What was in maintenance when it
    /// began is not counted.
    pub healed: usize,
    /// Messages about incidents that were delivered.
    pub messages: usize,
    /// Times that a person was asked, and those of them that were in a chat's quiet hours. One incident, one instant: one time, in however
    /// many chats.
    pub asked: usize,
    pub wakeups: usize,
    /// What a monitor would have sent that sends one message for each check in trouble: of each incident that opened, the most
    /// checks that it held up at once, the cause and those alike counted.
    pub alerts: usize,
}

impl Words {
    pub(super) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    fn add(&mut self, other: &Self) {
        self.incidents += other.incidents;
        self.healed += other.healed;
        self.messages += other.messages;
        self.asked += other.asked;
        self.wakeups += other.wakeups;
        self.alerts += other.alerts;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Digests {
    /// It was delivered, in one chat at least.
    pub posted: usize,
    /// All was well or in maintenance, and that was put on record instead.
    pub silent: usize,
    /// It could not be given while it was of use, or reached no chat.
    pub missed: usize,
}

/// What a span comes to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    pub nights: usize,
    pub deadlines: Deadlines,
    pub dashboards: BTreeMap<Id, Deadlines>,
    pub words: Words,
    pub causes: BTreeMap<Cause, Words>,
    /// Messages of every kind that were delivered. One whose answer was lost for good is not counted: nobody knows.
    pub messages: usize,
    pub digests: Digests,
    /// From each source's first unanswered question to its next answer, or until the configuration no longer has it; as far as it lies
    /// in the span.
    pub blind: BTreeMap<Id, TimeDelta>,
    /// Whole hours, counted from the span's beginning, in all of which the watch was there; those of them in which no message of any kind
    /// was delivered; and the others, in which it was off, or asleep, for a while at least.
    pub hours: i64,
    pub quiet_hours: i64,
    pub unwatched_hours: i64,
}

/// The last line of a replay. A miss: a cycle with an audience that was not ready at its deadline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    pub nights: usize,
    pub messages: usize,
    pub wakeups: usize,
    pub misses: usize,
    pub misses_told_before: usize,
    pub misses_told_late: usize,
    pub false_alarms: usize,
    /// Of the misses that were told before; `None`: there was none.
    pub median_lead_minutes: Option<f64>,
}

impl Counts {
    /// What two spans come to that have nothing in common.
    pub(super) fn add(&mut self, other: &Self) {
        self.nights += other.nights;
        self.deadlines.add(&other.deadlines);
        for (id, of_one) in &other.dashboards {
            self.dashboards.entry(id.clone()).or_default().add(of_one);
        }
        self.words.add(&other.words);
        for (cause, of_one) in &other.causes {
            self.causes.entry(cause.clone()).or_default().add(of_one);
        }
        self.messages += other.messages;
        self.digests.posted += other.digests.posted;
        self.digests.silent += other.digests.silent;
        self.digests.missed += other.digests.missed;
        for (id, blind) in &other.blind {
            *self.blind.entry(id.clone()).or_default() += *blind;
        }
        self.hours += other.hours;
        self.quiet_hours += other.quiet_hours;
        self.unwatched_hours += other.unwatched_hours;
    }

    pub fn summary(&self) -> Summary {
        Summary {
            nights: self.nights,
            messages: self.messages,
            wakeups: self.words.wakeups,
            misses: self.deadlines.missed,
            misses_told_before: self.deadlines.told_before,
            misses_told_late: self.deadlines.told_late,
            false_alarms: self.deadlines.false_alarms,
            median_lead_minutes: self.deadlines.median_lead_minutes(),
        }
    }
}

//! The sums of the last local days, one row each, for the digest that tells a week: the core has no ledger to read, so it counts as it
//! writes, each entry once, by the very counting of `report`. Never says that it knows what it has not counted.

use super::{Counts, Span, Tally};
use crate::core::plan::Plan;
use crate::core::state::{CycleKey, Entry, State, Verdict};
use crate::core::time::{Instant, local_date, midnight, shift};
use chrono::NaiveDate;
use chrono_tz::Tz;
use std::collections::{BTreeMap, BTreeSet};

/// So many local days have sums: a week, the week before, and today.
pub const DAYS_KEPT: i32 = 2 * WEEK + 1;
const WEEK: i32 = 7;

/// Without a gap: a day on which nothing was written down has its row, too. The first one begins where the counting began.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Days {
    days: BTreeMap<NaiveDate, Tally>,
}

/// What the seven local days before a date came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Week {
    pub counts: Counts,
    /// Of the seven days before; `None`: not all of that was counted.
    pub before: Option<Counts>,
    /// The counting began after the week did.
    pub since: Option<Instant>,
    /// Cycles with an audience that were looked at.
    pub seen: BTreeSet<CycleKey>,
}

impl Days {
    pub(in crate::core) fn restore(&mut self, date: NaiveDate, day: Tally) {
        self.days.insert(date, day);
    }

    pub fn day(&self, date: NaiveDate) -> Option<&Tally> {
        self.days.get(&date)
    }

    /// Counts the entry in every day of which it says something; returns the days that are other than before.
    pub(in crate::core) fn take(&mut self, entry: &Entry, zone: Tz) -> BTreeSet<NaiveDate> {
        let mut changed = self.tend(entry.at, zone);
        changed.extend(self.days.iter_mut().filter_map(|(date, day)| day.count(entry).then_some(*date)));
        changed
    }

    /// Adds the days until today, and lets go of those that no digest will ask for; returns which are other than before.
    pub(in crate::core) fn tend(&mut self, at: Instant, zone: Tz) -> BTreeSet<NaiveDate> {
        let today = local_date(at, zone);
        // Days of another zone end elsewhere; and before the first one nothing is counted. Better to say that it is not known.
        let foreign = self.days.last_key_value().is_some_and(|(date, day)| day.span.to != midnight(shift(*date, 1), zone));
        let all = foreign || self.days.first_key_value().is_some_and(|(first, _)| today < *first);
        let old = |date: &NaiveDate, _: &mut Tally| all || (*date - today).num_days().abs() >= i64::from(DAYS_KEPT);
        let mut changed: BTreeSet<NaiveDate> = self.days.extract_if(.., old).map(|(date, _)| date).collect();
        let mut last = self.days.last_key_value().map(|(date, _)| *date);
        while last.is_none_or(|last| last < today) {
            let (date, from) = match last {
                Some(last) => (shift(last, 1), midnight(shift(last, 1), zone)),
                None => (today, at),
            };
            self.days.insert(date, Tally::new(Span { from, to: midnight(shift(date, 1), zone) }));
            changed.insert(date);
            last = Some(date);
        }
        changed
    }

    /// The week before `date`, as far as it is over `now`.
    pub fn week(&self, date: NaiveDate, plan: &Plan, state: &State, now: Instant) -> Week {
        let zone = plan.timezone;
        let (first, earlier) = (shift(date, -WEEK), shift(date, -2 * WEEK));
        let begins = self.days.first_key_value().map_or(now, |(_, day)| day.span.from);
        let (mut counts, mut seen) = (Counts::default(), BTreeSet::new());
        for day in self.known(first, plan, state, now) {
            counts.add(&day.counts(now));
            seen.extend(day.seen().cloned());
        }
        let before = (begins <= midnight(earlier, zone)).then(|| {
            let mut before = Counts::default();
            self.known(earlier, plan, state, now).for_each(|day| before.add(&day.counts(now)));
            before
        });
        Week { counts, before, since: Some(begins).filter(|begins| *begins > midnight(first, zone)), seen }
    }

    /// The seven days from `first` on, with what the state alone knows.
    fn known(&self, first: NaiveDate, plan: &Plan, state: &State, now: Instant) -> impl Iterator<Item = Tally> {
        self.days.range(first..shift(first, WEEK)).map(move |(_, day)| {
            let mut day = day.clone();
            day.look(state, plan, now);
            day
        })
    }
}

impl Tally {
    /// Of a cycle that was never watched nothing is known.
    fn seen(&self) -> impl Iterator<Item = &CycleKey> {
        let seen = self
            .cycles
            .iter()
            .filter(|(_, cycle)| cycle.verdict != Verdict::NotWatched || cycle.missed || cycle.ready_at.is_some());
        seen.map(|(key, _)| key)
    }
}

//! The rows of a golden night, and of the nights before it: read as a history's are, in a person's hand, and put where the file can say what
//! is wrong with them.

use super::happens::{Event, Events};
use super::raw::Usually;
use super::read::{Reader, not};
use super::times::Times;
use crate::config::{Entry, days, duration};
use crate::core::calendar::DayRule;
use crate::core::time::Instant;
use crate::replay::csv::{Manner, Row, There, Written, Wrong};
use chrono::{Days, TimeDelta};

/// Nights before, at most.
const NIGHTS_MAX: u32 = 256;

impl Reader {
    /// What the rows of this night and of those before say, beside what is told of otherwise: where the nights before begin, what is there
    /// from then on, and what is seen of it.
    pub(super) fn rows(
        &mut self,
        usually: &[Entry<Usually>],
        rows: Option<&str>,
        from: Instant,
        told: &Events,
    ) -> (Instant, Vec<There>, Events) {
        let (plans, times) = (self.names.plans.clone(), self.times);
        let time = |text: &str| times.instant(text);
        let mut written = Written::new(&plans, Manner { time: &time, by_hand: true });
        for (name, subject) in &self.names.announced {
            subject.iter().for_each(|subject| written.announce(name, &subject.source, &subject.id));
        }
        for (_, event) in told {
            if let Event::Run { subject, .. } = event {
                written.is_there(&subject.source, &subject.id);
            }
        }
        let mut known_from = from;
        for entry in usually {
            if let Some(nights) = self.usually(entry, &mut written) {
                known_from = known_from.min(from - TimeDelta::days(nights.into()));
            }
        }
        if let Some(rows) = rows {
            written.read(rows);
        }
        match written.finish() {
            Ok((there, seen)) => (known_from, there, seen.into_iter().map(|seen| (seen.at, Event::News(seen.news))).collect()),
            Err(wrong) => {
                // A text of several lines begins on the line behind its quotes.
                let place = |wrong: &Wrong| wrong.line.map_or(0, |line| usize::try_from(line).unwrap_or_default());
                wrong.iter().for_each(|wrong| self.doc.error_below(&["rows"], place(wrong), wrong.sentence()));
                (known_from, Vec::new(), Events::new())
            }
        }
    }

    /// How a check ran on the nights before; returns how many of them it looks back.
    fn usually(&mut self, Entry { keys, value }: &Entry<Usually>, written: &mut Written<'_>) -> Option<u32> {
        let path: Vec<&str> = keys.iter().map(String::as_str).collect();
        let (Some(check), Some(arrived)) = (&value.check, &value.arrived_at) else {
            self.doc.error(&path, "check or arrived_at is missing; expected both, started_at of a pipeline, and nights");
            return None;
        };
        let nights = value.nights.unwrap_or_default();
        if !(1..=NIGHTS_MAX).contains(&nights) {
            self.doc.error(&path, format!("nights is not between 1 and {NIGHTS_MAX}"));
            return None;
        }
        let on = match &value.on {
            Some(text) => self.value(&path, days(text).map_err(|expected| format!("on: {text:?} is not {expected}")))?,
            None => DayRule::Daily,
        };
        let spread = match &value.spread {
            Some(text) => self.value(&path, duration(text).map_err(|expected| format!("spread: {text:?} is not {expected}")))?,
            None => TimeDelta::zero(),
        };
        let date = self.times.date.unwrap_or_default();
        let last = match &value.until {
            Some(text) => self.value(&path, text.parse().map_err(|_| format!("until: {text:?} is no date; expected 2026-11-23")))?,
            None => date - Days::new(1),
        };
        let calendars = self.names.plans.first().map(|plan| plan.calendars.clone()).unwrap_or_default();
        let started = value.started_at.as_ref().unwrap_or(arrived);
        let dates = (1..=nights).rev().map(|back| date - Days::new(back.into()));
        for (nth, date) in dates.filter(|date| *date <= last && on.holds(*date, &calendars).unwrap_or(true)).enumerate() {
            let times = Times { date: Some(date), ..self.times };
            let mut time = |key, text| self.value(&path, times.instant(text).map_err(|expected| not(&[key], text, expected)));
            let (started, arrived) = (time("started_at", started)?, time("arrived_at", arrived)?);
            let off = spread * jitter(nth) / 5;
            self.value(&path, written.take(&Row::went_well(check, started, arrived + off)))?;
        }
        Some(nights)
    }
}

/// From -5 to 5, each as often as the others, the same in each reading.
fn jitter(nth: usize) -> i32 {
    (nth * 7 % 11) as i32 - 5
}

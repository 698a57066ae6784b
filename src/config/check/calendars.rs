//! `[calendars.*]`: days off and days of work, out of builtin data, `.ics` files and the configuration itself.

use super::{Checker, text};
use crate::config::holidays::{self, Holidays};
use crate::config::raw::{Raw, RawCalendar};
use crate::core::calendar::Calendar;
use crate::core::plan::Id;
use chrono::{NaiveDate, Weekday};
use std::collections::{BTreeMap, BTreeSet};

impl Checker<'_> {
    pub(super) fn calendars(&mut self, raw: &Raw) -> BTreeMap<Id, Calendar> {
        raw.calendars.iter().map(|(name, calendar)| (Id::from(name.as_str()), self.calendar(name, calendar))).collect()
    }

    fn calendar(&mut self, name: &str, raw: &RawCalendar) -> Calendar {
        let path = |key| ["calendars", name, key];
        let weekend = match &raw.weekend {
            None => vec![Weekday::Sat, Weekday::Sun],
            Some(days) => self.each(&path("weekend"), days, |checker, path, day| checker.read(path, day, text::weekday)),
        };
        let files = self.each(&path("holidays"), &raw.holidays, Self::holidays);
        let mut calendar = Calendar { weekend, covered: coverage(&files), ..Calendar::default() };
        calendar.off = files.into_iter().flat_map(|holidays| holidays.days).collect();
        let off = self.each(&path("off"), &raw.off, |checker, path, day| checker.read(path, day, text::date));
        let off: BTreeSet<NaiveDate> = off.into_iter().collect();
        let work = self.each(&path("work"), &raw.work, |checker, path, text| {
            let day = checker.read(path, text, text::date)?;
            if off.contains(&day) {
                checker.error(path, format!("{day} is both in off and in work of [calendars.{name}]; expected it in one of them"));
            }
            Some(day)
        });
        for day in off {
            calendar.off.entry(day).or_insert_with(|| "day off".to_owned());
        }
        calendar.work = work.into_iter().collect();
        calendar
    }

    fn holidays(&mut self, path: &[&str], named: &str) -> Option<Holidays> {
        let found = match named.strip_prefix("builtin:") {
            Some(country) => holidays::builtin(country),
            None if named.ends_with(".ics") => holidays::ics(&self.place(path).join(named)),
            None => Err(format!(
                "{} is no source of holidays; expected \"builtin:KR\" or the path of an .ics file",
                text::quoted(named)
            )),
        };
        found.map_err(|why| self.error(path, why)).ok()
    }
}

/// Builtin data covers what it says, and all of it must; `.ics` files only add days to it. Where there are only such files, the
/// years that they speak of are covered, for they do not say more.
fn coverage(files: &[Holidays]) -> Option<(NaiveDate, NaiveDate)> {
    let declared = files.iter().filter_map(|holidays| holidays.covered);
    let both = declared.reduce(|(first, last), (from, to)| (first.max(from), last.min(to)));
    let first = files.iter().filter_map(|holidays| holidays.days.keys().next()).min();
    let last = files.iter().filter_map(|holidays| holidays.days.keys().next_back()).max();
    both.or_else(|| holidays::whole_years(*first?, *last?))
}

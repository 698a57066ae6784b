//! Calendars: what kind of day a date is, from data that ends somewhere, and the day rules built on them.
//!
//! Holidays are never computed. Past the end of its data a calendar answers `None`, which is a state of its own: whoever asks
//! must neither take the day for a workday nor for a holiday without saying so.

use super::plan::Id;
use super::time::shift;
use chrono::{Datelike, NaiveDate, NaiveTime, Weekday};
use std::collections::{BTreeMap, BTreeSet};

/// Workdays and days off, as data.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Calendar {
    pub weekend: Vec<Weekday>,
    /// Holidays and other days off, with their names.
    pub off: BTreeMap<NaiveDate, String>,
    /// Days of work that would otherwise be off. Wins over `weekend`; the same day in both lists is a config error.
    pub work: BTreeSet<NaiveDate>,
    /// First and last day that the holiday data covers. `None`: no holiday data was named, so the weekend alone decides, for ever.
    pub covered: Option<(NaiveDate, NaiveDate)>,
}

impl Calendar {
    /// Is this a workday? `None` past the end of coverage.
    pub fn is_workday(&self, date: NaiveDate) -> Option<bool> {
        if self.work.contains(&date) {
            return Some(true);
        }
        if self.off.contains_key(&date) || self.weekend.contains(&date.weekday()) {
            return Some(false);
        }
        match self.covered {
            Some((first, last)) if date < first || date > last => None,
            _ => Some(true),
        }
    }
}

/// Days, as configured: `daily`, `mon-fri`, `kr:workdays`, `day 1`, a cron expression of three fields …
#[derive(Debug, Clone, PartialEq)]
pub enum DayRule {
    Daily,
    Weekdays(Vec<Weekday>),
    Workdays(Id),
    Offdays(Id),
    /// The nth workday of the month; −1 is the last.
    NthWorkday(Id, i32),
    /// A day of the month; −1 is the last.
    DayOfMonth(i32),
    /// Day of month, month, day of week; made from a cron expression whose time is midnight.
    Cron(Box<croner::Cron>),
}

impl DayRule {
    /// Does the rule hold for `date`? `None` where a calendar's coverage has ended.
    pub fn holds(&self, date: NaiveDate, calendars: &BTreeMap<Id, Calendar>) -> Option<bool> {
        let workday = |id: &Id, date| calendars.get(id).map_or(Some(true), |c| c.is_workday(date));
        match self {
            Self::Daily => Some(true),
            Self::Weekdays(days) => Some(days.contains(&date.weekday())),
            Self::Workdays(id) => workday(id, date),
            Self::Offdays(id) => workday(id, date).map(|w| !w),
            Self::NthWorkday(id, nth) => nth_workday(date, *nth, |d| workday(id, d)).map(|d| d == Some(date)),
            Self::DayOfMonth(day) => Some(day_of_month(date, *day) == Some(date)),
            Self::Cron(cron) => Some(cron.is_time_matching(&date.and_time(NaiveTime::MIN).and_utc()).unwrap_or(false)),
        }
    }

    /// The calendar that the rule leans on.
    pub fn calendar(&self) -> Option<&Id> {
        match self {
            Self::Workdays(id) | Self::Offdays(id) | Self::NthWorkday(id, _) => Some(id),
            Self::Daily | Self::Weekdays(_) | Self::DayOfMonth(_) | Self::Cron(_) => None,
        }
    }
}

/// `date` moved by whole workdays (negative: back), for a date such as `-1 kr:workdays`. `None` past the end of coverage.
pub fn shift_workdays(date: NaiveDate, workdays: i32, calendar: &Calendar) -> Option<NaiveDate> {
    let step = workdays.signum();
    let mut left = workdays.abs();
    let mut day = date;
    // No country has a hundred days off in a row; a calendar that says so ends here.
    for _ in 0..left.saturating_add(1).saturating_mul(100) {
        if left == 0 {
            return Some(day);
        }
        day = shift(day, step);
        left -= i32::from(calendar.is_workday(day)?);
    }
    None
}

fn first_of_month(date: NaiveDate) -> NaiveDate {
    date.with_day(1).unwrap_or(date)
}

fn last_of_month(date: NaiveDate) -> NaiveDate {
    (28..=31).rev().find_map(|day| date.with_day(day)).unwrap_or(date)
}

fn day_of_month(date: NaiveDate, day: i32) -> Option<NaiveDate> {
    if day.is_negative() {
        date.with_day(u32::try_from(i64::from(last_of_month(date).day()) + 1 + i64::from(day)).ok()?)
    } else {
        date.with_day(day.unsigned_abs())
    }
}

fn nth_workday(date: NaiveDate, nth: i32, workday: impl Fn(NaiveDate) -> Option<bool>) -> Option<Option<NaiveDate>> {
    let (start, step) = if nth.is_negative() { (last_of_month(date), -1) } else { (first_of_month(date), 1) };
    let mut left = nth.unsigned_abs();
    let mut day = start;
    while day.month() == date.month() {
        if workday(day)? {
            left = left.saturating_sub(1);
            if left == 0 {
                return Some(Some(day));
            }
        }
        day = shift(day, step);
    }
    Some(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn calendars() -> BTreeMap<Id, Calendar> {
        let kr = Calendar {
            weekend: vec![Weekday::Sat, Weekday::Sun],
            off: [(date("2026-12-25"), "Christmas".to_owned())].into(),
            work: [date("2026-12-26")].into(),
            covered: Some((date("2026-01-01"), date("2026-12-31"))),
        };
        [(Id::from("kr"), kr)].into()
    }

    fn holds(rule: DayRule, day: &str) -> Option<bool> {
        rule.holds(date(day), &calendars())
    }

    #[test]
    fn a_calendar_knows_its_days_and_its_end() {
        let kr = &calendars()[&Id::from("kr")];
        let cases = [
            ("2026-12-24", Some(true)),
            ("2026-12-25", Some(false)),
            ("2026-12-26", Some(true)),  // a Saturday on which people work
            ("2026-12-27", Some(false)), // a Sunday
            ("2027-01-04", None),        // a Monday that no data covers
            ("2027-01-03", Some(false)), // a Sunday stays a Sunday
            ("2026-01-01", Some(true)),  // the first day that the data covers
            ("2026-12-31", Some(true)),  // and the last
            ("2025-12-31", None),
        ];
        for (day, expected) in cases {
            assert_eq!(kr.is_workday(date(day)), expected, "{day}");
        }
    }

    #[test]
    fn rules_of_days() {
        let kr = || Id::from("kr");
        let cron = |text| DayRule::Cron(Box::new(format!("0 0 {text}").parse().unwrap()));
        let cases = [
            (DayRule::Daily, "2027-05-05", Some(true)),
            (DayRule::Weekdays(vec![Weekday::Mon]), "2026-11-23", Some(true)),
            (DayRule::Workdays(kr()), "2026-12-25", Some(false)),
            (DayRule::Offdays(kr()), "2026-12-25", Some(true)),
            (DayRule::Workdays(kr()), "2027-01-04", None),
            (DayRule::NthWorkday(kr(), 1), "2026-12-01", Some(true)),
            (DayRule::NthWorkday(kr(), -1), "2026-12-31", Some(true)),
            (DayRule::NthWorkday(kr(), -5), "2026-12-26", Some(true)),
            (DayRule::NthWorkday(kr(), 1), "2027-01-04", None),
            (DayRule::DayOfMonth(31), "2026-11-30", Some(false)),
            (DayRule::DayOfMonth(-1), "2026-11-30", Some(true)),
            (cron("1 * *"), "2026-11-01", Some(true)),
            (cron("* * 1-5"), "2026-11-22", Some(false)),
            (cron("* * 1-5"), "2026-11-23", Some(true)),
        ];
        for (rule, day, expected) in cases {
            assert_eq!(holds(rule.clone(), day), expected, "{rule:?} {day}");
        }
    }

    #[test]
    fn workdays_are_counted_over_holidays() {
        let kr = &calendars()[&Id::from("kr")];
        assert_eq!(shift_workdays(date("2026-12-28"), -1, kr), Some(date("2026-12-26")));
        assert_eq!(shift_workdays(date("2026-12-28"), -2, kr), Some(date("2026-12-24")));
        assert_eq!(shift_workdays(date("2026-12-31"), 1, kr), None);
        assert_eq!(shift_workdays(date("2026-12-27"), 0, kr), Some(date("2026-12-27")));
        let never = Calendar { weekend: (0..7).filter_map(|day| Weekday::try_from(day).ok()).collect(), ..Calendar::default() };
        assert_eq!(shift_workdays(date("2026-12-27"), 1, &never), None);
    }
}

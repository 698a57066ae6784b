//! Civil time to instants. Knows daylight saving, knows no clock.

use chrono::{DateTime, Days, LocalResult, NaiveDate, NaiveTime, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A point in time. Everything that the core stores or compares is one of these; zones matter only at its edges.
pub type Instant = DateTime<Utc>;

/// A clock time relative to a date: `09:00`, or `-1d 18:00` for the evening before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClockTime {
    /// Days added to the date before the clock time is looked up; never positive.
    pub day_offset: i32,
    pub time: NaiveTime,
}

impl ClockTime {
    pub fn at(hour: u32, minute: u32) -> Self {
        Self { day_offset: 0, time: NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or_default() }
    }

    /// The instant of this clock time on `date` in `zone`.
    pub fn on(self, date: NaiveDate, zone: Tz) -> Instant {
        resolve(shift(date, self.day_offset), self.time, zone)
    }

    /// Seconds after midnight of the date, as the wall shows them; negative: on a day before.
    pub fn since_midnight_s(self) -> i64 {
        i64::from(self.day_offset) * 86_400 + i64::from(self.time.num_seconds_from_midnight())
    }
}

/// `HH:MM` or `-Nd HH:MM`. The error is a sentence without the value.
impl FromStr for ClockTime {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "a clock time such as \"09:00\" or \"-1d 18:00\"";
        let (day_offset, clock) = match text.split_once(' ') {
            None => (0, text),
            Some((days, clock)) => {
                let days = days.strip_prefix('-').and_then(|d| d.strip_suffix('d')).ok_or(EXPECTED)?;
                let days: i32 = days.parse().map_err(|_| EXPECTED)?;
                // A window longer than a month is a slip of the pen.
                if !(1..=31).contains(&days) {
                    return Err(EXPECTED);
                }
                (-days, clock.trim_start())
            }
        };
        let well_formed = clock.len() == 5 && clock.as_bytes()[2] == b':';
        let time = NaiveTime::parse_from_str(clock, "%H:%M").ok().filter(|_| well_formed).ok_or(EXPECTED)?;
        Ok(Self { day_offset, time })
    }
}

impl fmt::Display for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.day_offset != 0 {
            write!(f, "{}d ", self.day_offset)?;
        }
        write!(f, "{}", self.time.format("%H:%M"))
    }
}

/// Hours of every day, from one clock time to another; over midnight when `from` is the later one. `from` is inside, `to` is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    pub from: NaiveTime,
    pub to: NaiveTime,
}

impl Hours {
    pub fn contains(self, time: NaiveTime) -> bool {
        if self.from <= self.to { self.from <= time && time < self.to } else { time >= self.from || time < self.to }
    }
}

/// The instant at which `date` `time` is on the wall in `zone`. A time that does not exist moves forward by the gap; one that
/// exists twice means the first.
pub fn resolve(date: NaiveDate, time: NaiveTime, zone: Tz) -> Instant {
    let local = date.and_time(time);
    match zone.from_local_datetime(&local) {
        LocalResult::Single(t) => t.with_timezone(&Utc),
        LocalResult::Ambiguous(first, _) => first.with_timezone(&Utc),
        LocalResult::None => {
            // The offset that held before the gap, applied to the missing time, lands beyond the gap by its length. No zone
            // has ever skipped more than a day, so three hours to two days back is before it.
            let before = [TimeDelta::hours(3), TimeDelta::hours(26), TimeDelta::hours(50)]
                .into_iter()
                .find_map(|back| zone.from_local_datetime(&(local - back)).earliest().map(|t| t + back));
            before.map_or_else(|| local.and_utc(), |t| t.with_timezone(&Utc))
        }
    }
}

/// Seconds on the wall in `zone` from local midnight of `date` to an instant; negative: the day before.
pub fn wall_s(at: Instant, date: NaiveDate, zone: Tz) -> i64 {
    (at.with_timezone(&zone).naive_local() - date.and_time(NaiveTime::MIN)).num_seconds()
}

/// The instant at so many seconds on the wall after local midnight of `date`.
pub fn at_wall(wall_s: i64, date: NaiveDate, zone: Tz) -> Instant {
    let local = date.and_time(NaiveTime::MIN) + TimeDelta::seconds(wall_s);
    resolve(local.date(), local.time(), zone)
}

/// Where the civil day `date` begins in `zone`: its midnight, or what a gap there leaves of it.
pub fn midnight(date: NaiveDate, zone: Tz) -> Instant {
    resolve(date, NaiveTime::MIN, zone)
}

/// `date` moved by whole days; stays where it is at the ends of the calendar.
pub fn shift(date: NaiveDate, days: i32) -> NaiveDate {
    let moved = if days < 0 {
        date.checked_sub_days(Days::new(u64::from(days.unsigned_abs())))
    } else {
        date.checked_add_days(Days::new(u64::from(days.unsigned_abs())))
    };
    moved.unwrap_or(date)
}

/// The wall date in `zone`.
pub fn local_date(at: Instant, zone: Tz) -> NaiveDate {
    at.with_timezone(&zone).date_naive()
}

/// `at` moved up to the next whole multiple of `step`, so that people see a continuous value change only now and then.
pub fn round_up(at: Instant, step: TimeDelta) -> Instant {
    let step_s = step.num_seconds().max(1);
    let over_s = at.timestamp().rem_euclid(step_s);
    let whole = at - TimeDelta::nanoseconds(i64::from(at.timestamp_subsec_nanos()));
    if over_s == 0 && whole == at { at } else { whole + TimeDelta::seconds(step_s - over_s) }
}

/// The earliest of several instants that lie ahead.
pub(super) struct Until(pub(super) Option<Instant>);

impl Until {
    pub(super) fn by(&mut self, at: impl Into<Option<Instant>>, now: Instant) {
        if let Some(at) = at.into().filter(|at| *at > now) {
            self.0 = Some(self.0.map_or(at, |had| had.min(at)));
        }
    }

    pub(super) fn after(self, now: Instant) -> Option<Instant> {
        self.0.filter(|at| *at > now)
    }
}

/// The earlier of two that may not come.
pub(super) fn earliest(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    [a, b].into_iter().flatten().min()
}

/// Seconds on the wall after local midnight of the business date as a clock time: "09:40", "-1d 23:50", "+1d 00:20".
pub fn wall_clock(wall_s: i64) -> String {
    let (days, seconds) = (wall_s.div_euclid(86_400), wall_s.rem_euclid(86_400));
    let clock = format!("{:02}:{:02}", seconds / 3_600, seconds % 3_600 / 60);
    if days == 0 { clock } else { format!("{days:+}d {clock}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(zone: &str, date: &str, clock: &str) -> String {
        let zone: Tz = zone.parse().unwrap();
        let clock: ClockTime = clock.parse().unwrap();
        clock.on(date.parse().unwrap(), zone).format("%Y-%m-%dT%H:%MZ").to_string()
    }

    #[test]
    fn a_clock_time_becomes_an_instant() {
        let cases = [
            ("Asia/Seoul", "2026-11-23", "09:00", "2026-11-23T00:00Z"),
            ("Asia/Seoul", "2026-11-23", "-1d 18:00", "2026-11-22T09:00Z"),
            // 02:30 does not exist on this day in New York: forward by the gap, 03:30 EDT.
            ("America/New_York", "2026-03-08", "02:30", "2026-03-08T07:30Z"),
            // 01:30 exists twice: the first, EDT.
            ("America/New_York", "2026-11-01", "01:30", "2026-11-01T05:30Z"),
            // The whole of 30 December 2011 is missing in Samoa.
            ("Pacific/Apia", "2011-12-30", "09:00", "2011-12-30T19:00Z"),
            // Half an hour's gap on Lord Howe Island.
            ("Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03T15:45Z"),
        ];
        for (zone, date, clock, expected) in cases {
            assert_eq!(on(zone, date, clock), expected, "{zone} {date} {clock}");
        }
    }

    #[test]
    fn what_is_no_clock_time_is_refused() {
        for text in ["9:00", "0900", "24:00", "09:60", "-0d 09:00", "1d 09:00", "-40d 09:00", "09:00:00", ""] {
            assert!(text.parse::<ClockTime>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_day_begins_at_its_midnight_or_behind_the_gap_there() {
        // Beirut goes from 00:00 to 01:00, Havana from 01:00 back to 00:00.
        let cases = [
            ("2026-11-23", chrono_tz::Asia::Seoul, "2026-11-22T15:00:00Z"),
            ("2026-03-29", chrono_tz::Asia::Beirut, "2026-03-28T22:00:00Z"),
            ("2026-11-01", chrono_tz::America::Havana, "2026-11-01T04:00:00Z"),
        ];
        for (date, zone, expected) in cases {
            assert_eq!(midnight(date.parse().unwrap(), zone), expected.parse::<Instant>().unwrap(), "{zone}");
        }
    }

    #[test]
    fn hours_may_pass_midnight() {
        let t = |h, m| NaiveTime::from_hms_opt(h, m, 0).unwrap();
        let night = Hours { from: t(22, 0), to: t(7, 0) };
        assert!(night.contains(t(22, 0)) && night.contains(t(3, 0)) && !night.contains(t(7, 0)) && !night.contains(t(12, 0)));
        let noon = Hours { from: t(12, 0), to: t(13, 0) };
        assert!(noon.contains(t(12, 0)) && !noon.contains(t(13, 0)));
    }

    #[test]
    fn rounding_up_keeps_whole_steps() {
        let t: Instant = "2026-11-23T00:02:00.5Z".parse().unwrap();
        let five = TimeDelta::minutes(5);
        assert_eq!(round_up(t, five), "2026-11-23T00:05:00Z".parse::<Instant>().unwrap());
        assert_eq!(round_up(round_up(t, five), five), round_up(t, five));
    }
}

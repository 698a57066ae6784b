//! Times as a golden night writes them: `03:10` of the night's date, `2026-11-24 03:10` on the wall, or RFC 3339.

use crate::core::time::{Instant, resolve};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};
use chrono_tz::Tz;

/// A moment that is expected: without seconds it is any second of its minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) at: Instant,
    exact: bool,
}

impl Moment {
    pub(super) fn is(&self, at: Instant) -> bool {
        if self.exact { self.at == at } else { self.at <= at && at < self.at + TimeDelta::minutes(1) }
    }
}

/// Where times are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) zone: Tz,
    /// The date of clock times without one; `None` while that is being read itself.
    pub(super) date: Option<NaiveDate>,
}

const EXPECTED: &str = "\"03:10\", \"2026-11-24 03:10\" or RFC 3339 such as \"2026-11-24T03:10:00+09:00\"";

impl Times {
    pub(super) fn instant(&self, text: &str) -> Result<Instant, &'static str> {
        self.moment(text).map(|moment| moment.at)
    }

    /// The error follows "is no time; expected".
    pub(super) fn moment(&self, text: &str) -> Result<Moment, &'static str> {
        if let Ok(at) = DateTime::parse_from_rfc3339(text) {
            return Ok(Moment { at: at.to_utc(), exact: true });
        }
        let (date, clock) = match text.split_once([' ', 'T']) {
            Some((date, clock)) => (date.parse::<NaiveDate>().ok(), clock),
            None => (self.date, text),
        };
        let date = date.ok_or(EXPECTED)?;
        let (time, exact) = match (clock.len(), NaiveTime::parse_from_str(clock, "%H:%M")) {
            (5, Ok(time)) => (time, false),
            _ => (NaiveTime::parse_from_str(clock, "%H:%M:%S").ok().filter(|_| clock.len() == 8).ok_or(EXPECTED)?, true),
        };
        // A leap second is on no wall.
        let time = time.with_nanosecond(0).ok_or(EXPECTED)?;
        Ok(Moment { at: resolve(date, time, self.zone), exact })
    }

    /// `Mon 03:10`, with its seconds where it has any; with its date where that is another than the night's.
    pub(super) fn shown(&self, at: Instant) -> String {
        let local: NaiveDateTime = at.with_timezone(&self.zone).naive_local();
        let clock = if local.second() == 0 { "%H:%M" } else { "%H:%M:%S" };
        let days = self.date.map_or(0, |date| (local.date() - date).num_days().abs());
        let day = if days < 7 { "%a" } else { "%F" };
        local.format(&format!("{day} {clock}")).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times() -> Times {
        Times { zone: chrono_tz::Asia::Seoul, date: Some("2026-11-23".parse().unwrap()) }
    }

    #[test]
    fn times_are_of_the_night_on_the_wall_or_exact() {
        let cases = [
            ("03:10", "2026-11-22T18:10:00Z", false),
            ("03:10:05", "2026-11-22T18:10:05Z", true),
            ("2026-11-24 03:10", "2026-11-23T18:10:00Z", false),
            ("2026-11-24T03:10:00+09:00", "2026-11-23T18:10:00Z", true),
        ];
        for (text, at, exact) in cases {
            assert_eq!(times().moment(text), Ok(Moment { at: at.parse().unwrap(), exact }), "{text}");
        }
        for text in ["3:10", "25:00", "2026-11-24", "tomorrow 03:10", "", "03:10:05.5", "２３:10"] {
            assert!(times().moment(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_moment_without_seconds_is_its_minute() {
        let of = |text: &str| times().moment(text).unwrap();
        let at = of("03:10").at;
        assert!(of("03:10").is(at + TimeDelta::seconds(59)) && !of("03:10").is(at + TimeDelta::minutes(1)));
        assert!(of("03:10:00").is(at) && !of("03:10:00").is(at + TimeDelta::seconds(1)));
    }

    #[test]
    fn what_is_shown_has_a_day() {
        let at = |text: &str| text.parse().unwrap();
        assert_eq!(times().shown(at("2026-11-22T18:10:00Z")), "Mon 03:10");
        assert_eq!(times().shown(at("2026-12-22T18:10:05Z")), "2026-12-23 03:10:05");
    }
}

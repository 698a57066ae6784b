//! One value of a database to an instant. Pure; what is no time, or of no zone, is a sentence and never an instant.

use super::super::time::{self, Time};
use crate::core::time::{Instant, resolve};
use crate::net::line;
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, SubsecRound, Utc};
use chrono_tz::Tz;

/// Seconds before September 2001 are no time of a pipeline; whole numbers down there are dates such as 20260104, or counters.
const EPOCH_FROM: f64 = 1e9;
/// Values are repeated up to this many characters.
const SHOWN_CHARS: usize = 60;
/// What a value may be, to end a sentence.
const EXPECTED: &str = "expected a timestamp, ISO text, or seconds or milliseconds since 1970";

/// A value as the database typed it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Null,
    At(Instant),
    /// A timestamp without a zone.
    Local(NaiveDateTime),
    Day(NaiveDate),
    Integer(i64),
    Real(f64),
    Text(String),
    /// Neither a time nor anything to read one from; in words ("a value of type BYTEA").
    Odd(String),
}

impl Cell {
    /// The instant that it says, in whole microseconds; `None`: there is no data. A day is its beginning.
    pub(super) fn instant(&self, zone: Option<Tz>) -> Result<Option<Instant>, String> {
        let found = match self {
            Self::Null => return Ok(None),
            Self::At(at) => Found::At(*at),
            Self::Local(local) => Found::Local(*local),
            Self::Day(day) => Found::Local(day.and_time(NaiveTime::MIN)),
            #[expect(clippy::cast_precision_loss, reason = "beyond 2^53 it is no time, exactly or not")]
            Self::Integer(number) => self.number(*number as f64)?,
            Self::Real(number) => self.number(*number)?,
            Self::Text(text) => self.text(text.trim())?,
            Self::Odd(what) => return Err(format!("the value is {what}; {EXPECTED}")),
        };
        match found {
            Found::Never => Ok(None),
            Found::At(at) => self.plausible(at),
            Found::Local(local) => match zone {
                Some(zone) if in_years(local.year()) => self.plausible(resolve(local.date(), local.time(), zone)),
                Some(_) => self.plausible(local.and_utc()),
                None => Err(format!("the value {} has no time zone; say its zone with `timezone` of the source", self.shown())),
            },
        }
    }

    /// The value as the id of a row.
    pub(super) fn id(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Integer(number) => Some(number.to_string()),
            Self::Real(number) => Some(number.to_string()),
            Self::Day(day) => Some(day.to_string()),
            Self::Null | Self::At(_) | Self::Local(_) | Self::Odd(_) => None,
        }
    }

    fn plausible(&self, at: Instant) -> Result<Option<Instant>, String> {
        match at.year() {
            // How some systems write "never"; so does 1970 to the second.
            i32::MIN..=1 => Ok(None),
            _ if at.timestamp() == 0 => Ok(None),
            year if in_years(year) => Ok(Some(at.trunc_subsecs(6))),
            _ => Err(self.no_time()),
        }
    }

    fn number(&self, number: f64) -> Result<Found, String> {
        if number == 0.0 {
            return Ok(Found::Never);
        }
        match time::epoch(number) {
            Time::At(at) if number >= EPOCH_FROM => Ok(Found::At(at)),
            _ => Err(self.no_time()),
        }
    }

    fn text(&self, text: &str) -> Result<Found, String> {
        if text.is_empty() {
            return Ok(Found::Never);
        }
        if text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            return self.number(text.parse().map_err(|_| self.no_time())?);
        }
        zoned(text).map(Found::At).or_else(|| local(text).map(Found::Local)).ok_or_else(|| self.no_time())
    }

    fn no_time(&self) -> String {
        format!("the value {} is no time; {EXPECTED}", self.shown())
    }

    fn shown(&self) -> String {
        let text = match self {
            Self::Text(text) => format!("\"{}\"", line(text).chars().take(SHOWN_CHARS).collect::<String>()),
            Self::Integer(number) => number.to_string(),
            Self::Real(number) => number.to_string(),
            Self::At(at) => at.to_rfc3339(),
            Self::Local(local) => local.to_string(),
            Self::Day(day) => day.to_string(),
            Self::Null | Self::Odd(_) => String::new(),
        };
        text.chars().take(SHOWN_CHARS + 2).collect()
    }
}

enum Found {
    Never,
    At(Instant),
    Local(NaiveDateTime),
}

/// The years that text can name; resolving a zone far outside of them would leave the calendar.
fn in_years(year: i32) -> bool {
    (2..=9999).contains(&year)
}

/// RFC 3339, also with a blank for the `T`, and with the short offsets that PostgreSQL writes ("+09").
fn zoned(text: &str) -> Option<Instant> {
    if let Some(local) = text.strip_suffix(['Z', 'z']).or_else(|| text.strip_suffix(" UTC")).and_then(local_time) {
        return Some(local.and_utc());
    }
    ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f %#z", "%Y-%m-%d %H:%M%#z"]
        .iter()
        .find_map(|format| DateTime::parse_from_str(text, format).ok())
        .map(|at| at.with_timezone(&Utc))
}

fn local(text: &str) -> Option<NaiveDateTime> {
    // "2026-1-4" is a slip somewhere: a date has ten characters.
    let day = || text.parse::<NaiveDate>().ok().filter(|_| text.len() == 10).map(|day| day.and_time(NaiveTime::MIN));
    local_time(text).or_else(day)
}

fn local_time(text: &str) -> Option<NaiveDateTime> {
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SEOUL: Option<Tz> = Some(Tz::Asia__Seoul);

    fn told(cell: &Cell, zone: Option<Tz>) -> String {
        match cell.instant(zone) {
            Ok(Some(at)) => at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true),
            Ok(None) => "no data".to_owned(),
            Err(why) => why,
        }
    }

    #[test]
    fn values_are_read_as_databases_write_them() {
        let text = |text: &str| Cell::Text(text.to_owned());
        let nine = "2026-01-03T23:59:59Z";
        let cases = [
            (Cell::At(nine.parse().unwrap()), nine),
            (Cell::Local("2026-01-04T08:59:59".parse().unwrap()), nine),
            (Cell::Day("2026-01-04".parse().unwrap()), "2026-01-03T15:00:00Z"),
            (Cell::Integer(1_767_484_799), nine),
            (Cell::Integer(1_767_484_799_000), nine),
            (Cell::Real(1_767_484_799.5), "2026-01-03T23:59:59.500Z"),
            (text("2026-01-03T23:59:59Z"), nine),
            (text("2026-01-03 23:59:59Z"), nine),
            (text("2026-01-03 23:59:59 UTC"), nine),
            (text("2026-01-03 23:59:59+00"), nine),
            (text(" 2026-01-04 08:59:59+09 "), nine),
            (text("2026-01-04 05:29:59+05:30"), nine),
            (text("2026-01-04T08:59:59.123456789+0900"), "2026-01-03T23:59:59.123456Z"),
            (text("2026-01-04 08:59:59"), nine),
            (text("2026-01-04 08:59"), "2026-01-03T23:59:00Z"),
            (text("2026-01-04"), "2026-01-03T15:00:00Z"),
            (text("1767484799"), nine),
            (Cell::Null, "no data"),
            (text(""), "no data"),
            (Cell::Integer(0), "no data"),
            (text("0001-01-01T00:00:00+00:00"), "no data"),
            (Cell::Local("0001-01-01T00:00:00".parse().unwrap()), "no data"),
            (text("1970-01-01 00:00:00Z"), "no data"),
        ];
        for (cell, expected) in cases {
            assert_eq!(told(&cell, SEOUL), expected, "{cell:?}");
        }
    }

    #[test]
    fn what_is_no_time_is_said_and_never_green() {
        let texts =
            ["typo", "nope", "infinity", "2026-13-45", "2026-1-4", "99999-01-01 00:00:00", "1.2.3", "now", "20260104", "-5"];
        let cells = [
            Cell::Integer(20_260_104),
            Cell::Integer(-1),
            Cell::Integer(i64::MAX),
            Cell::Real(f64::NAN),
            Cell::Real(f64::INFINITY),
            Cell::Local(NaiveDateTime::MAX),
            Cell::At(Instant::MAX_UTC),
            Cell::Odd("a value of type BYTEA".to_owned()),
        ];
        for cell in texts.iter().map(|text| Cell::Text((*text).to_owned())).chain(cells) {
            let why = cell.instant(SEOUL).expect_err("no time");
            assert!(why.contains("expected a timestamp"), "{why}");
        }
    }

    #[test]
    fn without_a_zone_the_key_is_named() {
        for cell in [
            Cell::Local("2026-01-04T08:59:59".parse().unwrap()),
            Cell::Day("2026-01-04".parse().unwrap()),
            Cell::Text("2026-01-04 08:59:59".to_owned()),
            Cell::Text("2026-01-04".to_owned()),
        ] {
            let why = cell.instant(None).expect_err("no zone");
            assert!(why.contains("has no time zone") && why.contains("`timezone`"), "{why}");
        }
    }

    #[test]
    fn an_hour_that_does_not_exist_moves_forward_and_one_that_is_twice_is_the_first() {
        let new_york = Some(Tz::America__New_York);
        assert_eq!(told(&Cell::Text("2026-03-08 02:30:00".to_owned()), new_york), "2026-03-08T07:30:00Z");
        assert_eq!(told(&Cell::Text("2026-11-01 01:30:00".to_owned()), new_york), "2026-11-01T05:30:00Z");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_value_makes_it_panic(text in "\\PC{0,40}", near in "[0-9T :.+Z-]{0,32}", integer: i64, real: f64, days: i32) {
            let day = NaiveDate::from_epoch_days(days);
            let local = chrono::DateTime::from_timestamp_micros(integer).map(|at| Cell::Local(at.naive_utc()));
            let cells = [Cell::Text(text), Cell::Text(near), Cell::Integer(integer), Cell::Real(real)];
            for cell in cells.into_iter().chain(day.map(Cell::Day)).chain(local) {
                for zone in [None, SEOUL, Some(Tz::Pacific__Apia)] {
                    if let Err(why) = cell.instant(zone) {
                        prop_assert!(why.chars().count() < 300, "{}", why);
                    }
                }
            }
        }
    }
}

//! Times as JSON endpoints write them: RFC 3339, or epoch seconds or milliseconds, as a number or as digits.

use crate::core::time::Instant;
use chrono::{DateTime, Datelike, NaiveDateTime, Utc};
use serde_json::Value;

/// From here on a number means milliseconds: as seconds it would be the year 5138, as milliseconds it is 1973.
const MILLISECONDS_FROM: f64 = 1e11;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Time {
    At(Instant),
    /// Null, nothing, zero, or year 1 (how Go writes "never").
    Never,
    /// A time of which nobody can say when it is.
    NoZone,
    Unreadable,
}

pub(super) fn read(value: &Value) -> Time {
    match value {
        Value::Null => Time::Never,
        Value::Number(number) => number.as_f64().map_or(Time::Unreadable, epoch),
        Value::String(text) => of_text(text.trim()),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => Time::Unreadable,
    }
}

fn of_text(text: &str) -> Time {
    if text.is_empty() {
        return Time::Never;
    }
    // Digits only: a date such as 2026-11-23 must not pass for a number.
    if text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return text.parse().map_or(Time::Unreadable, epoch);
    }
    // RFC 3339, then an offset without its colon.
    let with_zone = DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"));
    if let Ok(at) = with_zone {
        return not_never(at.with_timezone(&Utc));
    }
    let naive = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
    if naive.iter().any(|format| NaiveDateTime::parse_from_str(text, format).is_ok()) { Time::NoZone } else { Time::Unreadable }
}

/// Seconds, or milliseconds from 1973 on, since 1970.
pub(super) fn epoch(number: f64) -> Time {
    let seconds = if number.abs() >= MILLISECONDS_FROM { number / 1000.0 } else { number };
    // Beyond the year 9999 it is no time of any pipeline.
    if !(0.0..253_402_300_800.0).contains(&seconds) {
        return Time::Unreadable;
    }
    #[expect(clippy::cast_possible_truncation, reason = "below 2^53 by the check above")]
    let micros = (seconds * 1e6).round() as i64;
    DateTime::from_timestamp_micros(micros).map_or(Time::Unreadable, not_never)
}

fn not_never(at: Instant) -> Time {
    if at.year() <= 1 || at.timestamp() == 0 { Time::Never } else { Time::At(at) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn times_are_read_as_they_are_written() {
        let noon: Instant = "2026-11-23T03:00:00Z".parse().unwrap();
        let cases = [
            (json!("2026-11-23T03:00:00Z"), Time::At(noon)),
            (json!("2026-11-23T12:00:00+09:00"), Time::At(noon)),
            (json!(" 2026-11-23T12:00:00.000+0900 "), Time::At(noon)),
            (json!(1_795_402_800), Time::At(noon)),
            (json!(1_795_402_800_000_u64), Time::At(noon)),
            (json!("1795402800"), Time::At(noon)),
            (json!("1795402800.0"), Time::At(noon)),
            (json!("1795402800000"), Time::At(noon)),
            (json!(null), Time::Never),
            (json!(""), Time::Never),
            (json!(0), Time::Never),
            (json!("0001-01-01T00:00:00Z"), Time::Never),
            (json!("2026-11-23T12:00:00"), Time::NoZone),
            (json!("2026-11-23 12:00:00.5"), Time::NoZone),
            (json!("yesterday"), Time::Unreadable),
            (json!("2026-11-23"), Time::Unreadable),
            (json!("2026-13-45T00:00:00Z"), Time::Unreadable),
            (json!("1.2.3"), Time::Unreadable),
            (json!("..."), Time::Unreadable),
            (json!(-5), Time::Unreadable),
            (json!(1e300), Time::Unreadable),
            (json!(true), Time::Unreadable),
            (json!([]), Time::Unreadable),
        ];
        for (value, expected) in cases {
            assert_eq!(read(&value), expected, "{value}");
        }
    }
}

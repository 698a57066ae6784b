//! PostgreSQL's binary values, as the wire carries them. Pure; no bytes make it panic.
//!
//! Read by hand: sqlx would have to be told each column's type beforehand, and cannot hold `infinity`.
//! The formats are those of the server's `*_send` functions (`src/backend/utils/adt`), unchanged since PostgreSQL 8.4.

use super::value::Cell;
use chrono::{DateTime, NaiveDate};

/// 2000-01-01T00:00:00Z, from which PostgreSQL counts, in microseconds since 1970.
const EPOCH_US: i64 = 946_684_800_000_000;
/// The same in days.
const EPOCH_DAYS: i32 = 10_957;

/// `name`: the column's type as sqlx names it; `bytes`: the value in binary.
pub(super) fn cell(name: &str, bytes: &[u8]) -> Cell {
    let read = match name {
        "TIMESTAMPTZ" => long(bytes).map(|us| moment(us).map_or_else(|| edge(us), Cell::At)),
        "TIMESTAMP" => long(bytes).map(|us| moment(us).map_or_else(|| edge(us), |at| Cell::Local(at.naive_utc()))),
        "DATE" => int(bytes).map(day),
        "INT2" => bytes.try_into().ok().map(|bytes| Cell::Integer(i16::from_be_bytes(bytes).into())),
        "INT4" => int(bytes).map(|number| Cell::Integer(number.into())),
        "INT8" => long(bytes).map(Cell::Integer),
        "FLOAT4" => bytes.try_into().ok().map(|bytes| Cell::Real(f32::from_be_bytes(bytes).into())),
        "FLOAT8" => bytes.try_into().ok().map(|bytes| Cell::Real(f64::from_be_bytes(bytes))),
        "NUMERIC" => numeric(bytes).map(Cell::Real),
        "TEXT" | "VARCHAR" | "CHAR" | "BPCHAR" | "NAME" | "UNKNOWN" | "\"CHAR\"" => {
            str::from_utf8(bytes).ok().map(|text| Cell::Text(text.to_owned()))
        }
        other => Some(Cell::Odd(format!("of type {other}"))),
    };
    read.unwrap_or_else(|| Cell::Odd(format!("an unreadable {name}")))
}

fn long(bytes: &[u8]) -> Option<i64> {
    bytes.try_into().ok().map(i64::from_be_bytes)
}

fn int(bytes: &[u8]) -> Option<i32> {
    bytes.try_into().ok().map(i32::from_be_bytes)
}

fn moment(us: i64) -> Option<DateTime<chrono::Utc>> {
    DateTime::from_timestamp_micros(us.checked_add(EPOCH_US)?)
}

/// Outside of the calendar: the ends of the range stand for both infinities.
fn edge(us: i64) -> Cell {
    Cell::Odd(if us < 0 { "-infinity" } else { "infinity" }.to_owned())
}

fn day(days: i32) -> Cell {
    let date = days.checked_add(EPOCH_DAYS).and_then(NaiveDate::from_epoch_days);
    date.map_or_else(|| edge(days.into()), Cell::Day)
}

/// `numeric_send`: the count of digits of base 10,000, the weight of the first, the sign, the scale for display, the digits.
fn numeric(bytes: &[u8]) -> Option<f64> {
    const NEGATIVE: u16 = 0x4000;
    let word = |at: usize| Some(u16::from_be_bytes(bytes.get(at * 2..at * 2 + 2)?.try_into().ok()?));
    let (count, weight, sign) = (word(0)?, word(1)?.cast_signed(), word(2)?);
    let sign = match sign {
        0 => 1.0,
        NEGATIVE => -1.0,
        // NaN and the infinities.
        _ => return Some(f64::NAN),
    };
    let mut sum = 0.0;
    for nth in 0..count {
        let power = i32::from(weight) - i32::from(nth);
        sum += f64::from(word(4 + usize::from(nth))?) * 10_000_f64.powi(power);
    }
    Some(sign * sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn binary_values() {
        let at = "2026-01-03T23:59:59.123456Z".parse::<DateTime<chrono::Utc>>().unwrap();
        let us = (at.timestamp_micros() - EPOCH_US).to_be_bytes();
        // extract(epoch from …) of that instant: 17 | 6748 | 4799 | 1234 | 5600.
        let numeric: Vec<u8> = [5_u16, 2, 0, 6, 17, 6748, 4799, 1234, 5600].iter().flat_map(|word| word.to_be_bytes()).collect();
        let nan: Vec<u8> = [0_u16, 0, 0xC000, 0].iter().flat_map(|word| word.to_be_bytes()).collect();
        let cases: [(&str, &[u8], Cell); 13] = [
            ("TIMESTAMPTZ", &us, Cell::At(at)),
            ("TIMESTAMP", &us, Cell::Local(at.naive_utc())),
            ("TIMESTAMPTZ", &i64::MAX.to_be_bytes(), Cell::Odd("infinity".to_owned())),
            ("TIMESTAMP", &i64::MIN.to_be_bytes(), Cell::Odd("-infinity".to_owned())),
            ("DATE", &9_500_i32.to_be_bytes(), Cell::Day("2026-01-04".parse().unwrap())),
            ("DATE", &i32::MAX.to_be_bytes(), Cell::Odd("infinity".to_owned())),
            ("INT2", &7_i16.to_be_bytes(), Cell::Integer(7)),
            ("INT8", &1_767_484_799_i64.to_be_bytes(), Cell::Integer(1_767_484_799)),
            ("FLOAT8", &1.5_f64.to_be_bytes(), Cell::Real(1.5)),
            ("NUMERIC", &numeric, Cell::Real(1_767_484_799.123_456)),
            ("TEXT", "원본".as_bytes(), Cell::Text("원본".to_owned())),
            ("BYTEA", &[1, 2], Cell::Odd("of type BYTEA".to_owned())),
            ("INT8", &[1, 2], Cell::Odd("an unreadable INT8".to_owned())),
        ];
        for (name, bytes, expected) in cases {
            assert_eq!(cell(name, bytes), expected, "{name}");
        }
        assert!(matches!(cell("NUMERIC", &nan), Cell::Real(number) if number.is_nan()));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..24), name in 0..6_usize) {
            let name = ["TIMESTAMPTZ", "TIMESTAMP", "DATE", "NUMERIC", "TEXT", "FLOAT4"][name];
            let _ = cell(name, &bytes).instant(Some(chrono_tz::Asia::Seoul));
        }
    }
}

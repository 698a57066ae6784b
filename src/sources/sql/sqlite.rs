//! SQLite's own ways: opening a file that nothing may change, a time-out, one statement at a time, and values typed one by one.

use super::link::{Link, VALUE_BYTES, too_long};
use super::value::Cell;
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow, SqliteValueRef};
use sqlx::{ConnectOptions, Decode, Row, TypeInfo, ValueRef};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant as Mono;

/// Between two looks at the clock SQLite does so many steps of its machine: some microseconds.
const STEPS: i32 = 1000;

/// Interrupts SQLite, which knows no time-out of its own: checked from inside its machine.
#[derive(Clone)]
pub(super) struct Alarm {
    began: Mono,
    ends_ms: Arc<AtomicU64>,
}

impl Alarm {
    pub(super) fn set(&self, limit: Duration) {
        self.ends_ms.store(millis(self.began.elapsed() + limit), Ordering::Relaxed);
    }

    fn rings(&self) -> bool {
        millis(self.began.elapsed()) > self.ends_ms.load(Ordering::Relaxed)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// `wait`: for locks that others hold.
pub(super) async fn open(path: &Path, wait: Duration) -> Result<Link, sqlx::Error> {
    // An absolute path is never taken for one of SQLite's `file:` URIs.
    let path = std::path::absolute(path).map_err(sqlx::Error::Io)?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .create_if_missing(false)
        .pragma("query_only", "ON")
        .busy_timeout(wait)
        .disable_statement_logging();
    let mut connection = options.connect().await?;
    let clock = Alarm { began: Mono::now(), ends_ms: Arc::new(AtomicU64::new(u64::MAX)) };
    let alarm = clock.clone();
    connection.lock_handle().await?.set_progress_handler(STEPS, move || !alarm.rings());
    Ok(Link::Sqlite { connection, clock })
}

/// The primary result code, <https://www.sqlite.org/rescode.html>.
pub(super) fn primary(code: &str) -> Option<u32> {
    code.parse::<u32>().ok().map(|code| code & 0xff)
}

/// Does the query stay within the brackets around it? `;` and a bracket that closes too much would end them; those in text, names
/// and comments do not count, which SQLite writes so: <https://www.sqlite.org/lang_keywords.html>, <https://www.sqlite.org/lang_comment.html>.
pub(super) fn is_one(query: &str) -> bool {
    let mut depth = 0_usize;
    let mut rest = query;
    while let Some(next) = rest.chars().next() {
        let (opens, closes) = match next {
            '\'' => ("'", "'"),
            '"' => ("\"", "\""),
            '`' => ("`", "`"),
            '[' => ("[", "]"),
            '-' if rest.starts_with("--") => ("--", "\n"),
            '/' if rest.starts_with("/*") => ("/*", "*/"),
            _ => {
                depth = match (next, depth) {
                    (';', _) | (')', 0) => return false,
                    (')', depth) => depth - 1,
                    ('(', depth) => depth + 1,
                    (_, depth) => depth,
                };
                rest = &rest[next.len_utf8()..];
                continue;
            }
        };
        // A doubled quote ends one text and begins the next, which comes to the same.
        let inside = &rest[opens.len()..];
        rest = inside.find(closes).map_or("", |end| &inside[end + closes.len()..]);
    }
    true
}

pub(super) fn cell(row: &SqliteRow, at: usize) -> Result<(Cell, usize), sqlx::Error> {
    let value: SqliteValueRef<'_> = row.try_get_raw(at)?;
    if value.is_null() {
        return Ok((Cell::Null, 0));
    }
    let kind = value.type_info().name().to_owned();
    let read = |error| sqlx::Error::ColumnDecode { index: at.to_string(), source: error };
    Ok(match kind.as_str() {
        "INTEGER" => (Cell::Integer(Decode::<sqlx::Sqlite>::decode(value).map_err(read)?), 8),
        "REAL" => (Cell::Real(Decode::<sqlx::Sqlite>::decode(value).map_err(read)?), 8),
        "TEXT" => match <&str as Decode<sqlx::Sqlite>>::decode(value) {
            Ok(text) if text.len() > VALUE_BYTES => too_long(text.len()),
            Ok(text) => (Cell::Text(text.to_owned()), text.len()),
            Err(_) => (Cell::Odd("no UTF-8 text".to_owned()), 0),
        },
        other => (Cell::Odd(format!("of type {other}")), 0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_statement_is_told_from_many() {
        for one in [
            "select max(at) from t",
            "select ';' || \";\" || `)` || [;)] from t -- ; )",
            "/* ; ) */ select 'it''s ;)'",
            "select (1 + (2))",
            "select 'open ;",
            "select 2 - -1 / 2",
        ] {
            assert!(is_one(one), "{one}");
        }
        for many in ["select 1; select 2", "select 1) as a", "/* */; select 1", "'';", "-- a\n;", "(select 1)) from ("] {
            assert!(!is_one(many), "{many}");
        }
    }
}

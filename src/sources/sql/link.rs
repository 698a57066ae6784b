//! One connection to a database: opens it read-only, asks one bounded query at a time, and tells a query that was refused from a
//! connection that is gone. Never writes, never makes a file, never retries.

use super::postgres;
use super::target::Target;
use super::value::Cell;
use crate::core::observation::{Unreachable, Why};
use crate::net::{line, tls_reason, unreachable};
use chrono_tz::Tz;
use futures_util::StreamExt;
use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow, SqliteValueRef};
use sqlx::{AssertSqlSafe, ConnectOptions, Decode, Executor, PgConnection, Row, SqliteConnection, TypeInfo, ValueRef, raw_sql};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::{Instant as Mono, timeout};

/// The longest wait for a connection, and for the statement that begins a transaction.
const CONNECT: Duration = Duration::from_secs(5);
/// The database is to end its queries by itself; so much later we no longer wait for its word.
const GRACE: Duration = Duration::from_secs(2);
/// The most bytes of one value that are read.
const VALUE_BYTES: usize = 4096;
/// Between two looks at the clock SQLite does so many steps of its machine: some microseconds.
const STEPS: i32 = 1000;

/// Why a query has no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The database refuses this query, in its own words; others may be asked.
    Refused(String),
    /// Nothing can be asked.
    Gone(Unreachable),
}

/// A query's answer.
pub(super) struct Rows {
    pub(super) columns: usize,
    pub(super) rows: Vec<Vec<Cell>>,
    /// As far as they count for anybody: of all values, before they are cut.
    pub(super) bytes: usize,
}

pub(super) enum Link {
    Sqlite {
        connection: SqliteConnection,
        clock: Alarm,
    },
    /// `begun`: a transaction is open.
    Postgres {
        connection: PgConnection,
        begun: bool,
        zone: Tz,
        host: String,
    },
}

/// Interrupts SQLite, which knows no time-out of its own: checked from inside its machine.
#[derive(Clone)]
pub(super) struct Alarm {
    began: Mono,
    ends_ms: Arc<AtomicU64>,
}

impl Alarm {
    fn set(&self, limit: Duration) {
        self.ends_ms.store(millis(self.began.elapsed() + limit), Ordering::Relaxed);
    }

    fn rings(&self) -> bool {
        millis(self.began.elapsed()) > self.ends_ms.load(Ordering::Relaxed)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Link {
    pub(super) async fn open(target: &Target, zone: Option<Tz>, limit: Duration) -> Result<Self, Unreachable> {
        let host = target.host();
        let opened = match target {
            Target::Sqlite(path) => timeout(CONNECT.min(limit) + GRACE, sqlite(path, limit)).await,
            Target::Postgres { options, host } => {
                timeout(CONNECT.min(limit), postgres(options, zone.unwrap_or(Tz::UTC), host)).await
            }
        };
        match opened {
            Ok(Ok(link)) => Ok(link),
            Ok(Err(error)) => Err(gone(&error, &host)),
            Err(_) => Err(late(&host)),
        }
    }

    /// A clean slate for the next query. PostgreSQL: a transaction of its own, which can neither write nor outlive what it is
    /// for, so that no statement changes anything, not even the session (nor one that a pooler lends to others afterwards).
    pub(super) async fn begin(&mut self, limit: Duration) -> Result<(), Unreachable> {
        let Self::Postgres { connection, begun, zone, host } = self else { return Ok(()) };
        let statements = format!(
            "{}BEGIN READ ONLY; SET LOCAL statement_timeout = {}; SET LOCAL TimeZone = '{}'",
            if *begun { "ROLLBACK; " } else { "" },
            limit.as_millis().clamp(1, i32::MAX.unsigned_abs().into()),
            zone.name()
        );
        *begun = true;
        within(CONNECT, connection.execute(raw_sql(AssertSqlSafe(statements))), host).await
    }

    /// Ends what was begun.
    pub(super) async fn end(&mut self) -> Result<(), Unreachable> {
        let Self::Postgres { connection, begun, host, .. } = self else { return Ok(()) };
        *begun = false;
        within(CONNECT, connection.execute("ROLLBACK"), host).await
    }

    /// At most `most` rows and one more. `query` becomes a part of a SELECT: whatever is no query does not parse there.
    pub(super) async fn query(&mut self, query: &str, most: usize, limit: Duration) -> Result<Rows, Trouble> {
        let query = query.trim().trim_end_matches(';');
        // PostgreSQL itself takes one statement at a time; SQLite takes many, and one of them might make a file (VACUUM INTO).
        if matches!(self, Self::Sqlite { .. }) && !is_one(query) {
            return Err(Trouble::Refused("the database refuses the query: it is more than one statement".to_owned()));
        }
        // The line's end closes a comment that the query may end in.
        let bounded = format!("SELECT * FROM (\n{query}\n) AS answer LIMIT {}", most + 1);
        let asking = async {
            match self {
                Self::Sqlite { connection, clock } => {
                    clock.set(limit);
                    let query = sqlx::query::<sqlx::Sqlite>(AssertSqlSafe(bounded)).persistent(false);
                    collect(connection.fetch(query), most, |row, at| sqlite_cell(row, at)).await
                }
                Self::Postgres { connection, .. } => {
                    let query = sqlx::query::<sqlx::Postgres>(AssertSqlSafe(bounded)).persistent(false);
                    collect(connection.fetch(query), most, |row, at| postgres_cell(row, at)).await
                }
            }
        };
        let answer = timeout(limit + GRACE, asking).await;
        match answer {
            Ok(Ok(rows)) => Ok(rows),
            Ok(Err(error)) => Err(self.trouble(&error, limit)),
            Err(_) => Err(Trouble::Gone(late(self.host()))),
        }
    }

    /// The server's own clock; `None` where there is no server.
    pub(super) async fn clock(&mut self, limit: Duration) -> Result<Option<Cell>, Trouble> {
        if matches!(self, Self::Sqlite { .. }) {
            return Ok(None);
        }
        let answer = self.query("SELECT clock_timestamp()", 1, limit).await?;
        Ok(answer.rows.into_iter().flatten().next())
    }

    fn host(&self) -> &str {
        match self {
            Self::Sqlite { .. } => "the database file",
            Self::Postgres { host, .. } => host,
        }
    }

    fn trouble(&self, error: &sqlx::Error, limit: Duration) -> Trouble {
        let Some(told) = error.as_database_error() else { return Trouble::Gone(gone(error, self.host())) };
        let code = told.code().unwrap_or_default();
        let too_long = || Trouble::Refused(format!("the query did not end within {} s", limit.as_secs_f64()));
        match self {
            Self::Sqlite { .. } => match primary(&code) {
                Some(9) => too_long(),
                // SQL that makes no sense, too big a value, a mismatch of types, a write.
                Some(1 | 8 | 18 | 20 | 25) => Trouble::Refused(refusal(told.message())),
                _ => Trouble::Gone(gone(error, self.host())),
            },
            Self::Postgres { .. } => match code.as_ref() {
                "57014" => too_long(),
                code if broken(code) => Trouble::Gone(gone(error, self.host())),
                code => Trouble::Refused(refusal(&format!("{} ({code})", told.message()))),
            },
        }
    }
}

fn late(host: &str) -> Unreachable {
    unreachable(Why::Timeout, format!("{host} did not answer in time"))
}

async fn within<T>(limit: Duration, doing: impl Future<Output = Result<T, sqlx::Error>>, host: &str) -> Result<(), Unreachable> {
    match timeout(limit, doing).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(gone(&error, host)),
        Err(_) => Err(late(host)),
    }
}

/// Does the query stay within the brackets around it? `;` and a bracket that closes too much would end them; those in text, names
/// and comments do not count, which SQLite writes so: <https://www.sqlite.org/lang_keywords.html>, <https://www.sqlite.org/lang_comment.html>.
fn is_one(query: &str) -> bool {
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

fn refusal(words: &str) -> String {
    line(&format!("the database refuses the query: {words}"))
}

/// The connection, or the server, is at its end: class 08, shutdown and crash of class 57P, too many clients of class 53.
/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn broken(code: &str) -> bool {
    code.starts_with("08") || code.starts_with("57P") || code.starts_with("53")
}

/// The primary result code, <https://www.sqlite.org/rescode.html>.
fn primary(code: &str) -> Option<u32> {
    code.parse::<u32>().ok().map(|code| code & 0xff)
}

async fn sqlite(path: &Path, limit: Duration) -> Result<Link, sqlx::Error> {
    // An absolute path is never taken for one of SQLite's `file:` URIs.
    let path = std::path::absolute(path).map_err(sqlx::Error::Io)?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .create_if_missing(false)
        .pragma("query_only", "ON")
        .busy_timeout(CONNECT.min(limit))
        .disable_statement_logging();
    let mut connection = options.connect().await?;
    let clock = Alarm { began: Mono::now(), ends_ms: Arc::new(AtomicU64::new(u64::MAX)) };
    let alarm = clock.clone();
    connection.lock_handle().await?.set_progress_handler(STEPS, move || !alarm.rings());
    Ok(Link::Sqlite { connection, clock })
}

async fn postgres(options: &PgConnectOptions, zone: Tz, host: &str) -> Result<Link, sqlx::Error> {
    let connection = options.connect().await?;
    Ok(Link::Postgres { connection, begun: false, zone, host: host.to_owned() })
}

async fn collect<R: Row>(
    mut answer: futures_util::stream::BoxStream<'_, Result<R, sqlx::Error>>,
    most: usize,
    cell: impl Fn(&R, usize) -> Result<(Cell, usize), sqlx::Error>,
) -> Result<Rows, sqlx::Error> {
    let mut found = Rows { columns: 0, rows: Vec::new(), bytes: 0 };
    while let Some(row) = answer.next().await {
        let row = row?;
        found.columns = row.len();
        let mut cells = Vec::new();
        // Nobody asks for a third column, except for whether it is there.
        for at in 0..row.len().min(2) {
            let (cell, bytes) = cell(&row, at)?;
            found.bytes += bytes;
            cells.push(cell);
        }
        found.rows.push(cells);
        if found.rows.len() > most {
            break;
        }
    }
    Ok(found)
}

fn too_long(bytes: usize) -> (Cell, usize) {
    (Cell::Odd(format!("of {bytes} bytes")), bytes)
}

fn sqlite_cell(row: &SqliteRow, at: usize) -> Result<(Cell, usize), sqlx::Error> {
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

fn postgres_cell(row: &PgRow, at: usize) -> Result<(Cell, usize), sqlx::Error> {
    let value = row.try_get_raw(at)?;
    let Ok(bytes) = value.as_bytes() else { return Ok((Cell::Null, 0)) };
    if bytes.len() > VALUE_BYTES {
        return Ok(too_long(bytes.len()));
    }
    Ok((postgres::cell(value.type_info().name(), bytes), bytes.len()))
}

/// Why a connection is no use; never with the address, whose host is `host`.
fn gone(error: &sqlx::Error, host: &str) -> Unreachable {
    if let Some(reason) = tls_reason(error) {
        return unreachable(Why::Tls, format!("no trusted connection to {host}: {reason}"));
    }
    match error {
        sqlx::Error::Database(told) => {
            let code = told.code().unwrap_or_default().into_owned();
            let why = match (told.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some(), code.as_str()) {
                // SQLite: held by a writer; no such file, or not for us.
                (false, code) => match primary(code) {
                    Some(5 | 6) => Why::Timeout,
                    Some(11 | 26) => Why::Malformed,
                    _ => Why::Connect,
                },
                (true, code) if code.starts_with("28") => Why::Auth,
                (true, code) if broken(code) => Why::Connect,
                (true, _) => Why::Status,
            };
            unreachable(why, format!("{host}: {}", told.message()))
        }
        sqlx::Error::Tls(reason) => unreachable(Why::Tls, format!("no trusted connection to {host}: {reason}")),
        sqlx::Error::Io(reason) if reason.kind() == io::ErrorKind::TimedOut => late(host),
        sqlx::Error::Io(reason) => unreachable(Why::Connect, format!("no connection to {host}: {reason}")),
        sqlx::Error::Protocol(_) | sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
            unreachable(Why::Malformed, format!("the answer of {host} is not what a database says"))
        }
        _ => unreachable(Why::Connect, format!("{host} closed the connection before its answer was complete")),
    }
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

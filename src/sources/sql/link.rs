//! One connection to a database: opens it read-only, asks one bounded query at a time, and tells a query that was refused from a
//! connection that is gone. Never writes, never makes a file, never retries.

use super::postgres;
use super::sqlite::{self, Alarm};
use super::target::Target;
use super::value::Cell;
use crate::core::observation::{Unreachable, Why};
use crate::net::{line, tls_reason, unreachable};
use chrono_tz::Tz;
use futures_util::StreamExt;
use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, PgConnection, Row, SqliteConnection, TypeInfo, ValueRef, raw_sql};
use std::io;
use std::time::Duration;
use tokio::time::timeout;

/// The longest wait for a connection, and for the statement that begins a transaction.
const CONNECT: Duration = Duration::from_secs(5);
/// The database is to end its queries by itself; so much later we no longer wait for its word.
const GRACE: Duration = Duration::from_secs(2);
/// The most bytes of one value that are read.
pub(super) const VALUE_BYTES: usize = 4096;

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
    /// Of all values that were looked at.
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

impl Link {
    pub(super) async fn open(target: &Target, zone: Option<Tz>, limit: Duration) -> Result<Self, Unreachable> {
        let host = target.host();
        let opened = match target {
            Target::Sqlite(path) => timeout(CONNECT.min(limit) + GRACE, sqlite::open(path, CONNECT.min(limit))).await,
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
        if matches!(self, Self::Sqlite { .. }) && !sqlite::is_one(query) {
            return Err(Trouble::Refused("the database refuses the query: it is more than one statement".to_owned()));
        }
        // The line's end closes a comment that the query may end in.
        let bounded = format!("SELECT * FROM (\n{query}\n) AS answer LIMIT {}", most + 1);
        let asking = async {
            match self {
                Self::Sqlite { connection, clock } => {
                    clock.set(limit);
                    let query = sqlx::query::<sqlx::Sqlite>(AssertSqlSafe(bounded)).persistent(false);
                    collect(connection.fetch(query), most, sqlite::cell).await
                }
                Self::Postgres { connection, .. } => {
                    let query = sqlx::query::<sqlx::Postgres>(AssertSqlSafe(bounded)).persistent(false);
                    collect(connection.fetch(query), most, postgres_cell).await
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
            Self::Sqlite { .. } => match sqlite::primary(&code) {
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

fn refusal(words: &str) -> String {
    line(&format!("the database refuses the query: {words}"))
}

/// The connection, or the server, is at its end: class 08, shutdown and crash of class 57P, too many clients. What else class 53 has
/// (memory, disk, a limit that is exceeded) is that one query's trouble: another may be small enough.
/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn broken(code: &str) -> bool {
    code.starts_with("08") || code.starts_with("57P") || code == "53300"
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
        // The LIMIT sees to that, in all but a server that lies.
        if found.rows.len() > most {
            continue;
        }
        found.columns = row.len();
        let mut cells = Vec::new();
        // Nobody asks for a third column, except for whether it is there.
        for at in 0..row.len().min(2) {
            let (cell, bytes) = cell(&row, at)?;
            found.bytes += bytes;
            cells.push(cell);
        }
        found.rows.push(cells);
    }
    Ok(found)
}

pub(super) fn too_long(bytes: usize) -> (Cell, usize) {
    (Cell::Odd(format!("of {bytes} bytes")), bytes)
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
                (false, code) => match sqlite::primary(code) {
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
    fn one_querys_trouble_breaks_no_connection() {
        let cases = [
            ("08006", true),
            ("57P01", true),
            ("53300", true),
            ("53000", false),
            ("53100", false),
            ("53200", false),
            ("53400", false),
            ("57014", false),
            ("42P01", false),
        ];
        for (code, expected) in cases {
            assert_eq!(broken(code), expected, "{code}");
        }
    }
}

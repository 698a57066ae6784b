//! The store: one transaction per commit, on one SQLite file that belongs to one agent.
//!
//! A row of `core::state` is a row here: its key as text, its body as JSON. Each write is a compare-and-swap on the epoch, a number
//! that every write moves on, so that whoever writes has read what is there. The store never judges, and never repairs: a file that
//! is not as it should be is an error with a sentence.

mod error;
mod file;
mod keys;
mod lines;

pub use error::StoreError;
pub use lines::Lines;

use crate::core::state::{Commit, Entry, FORMAT, Key, Observed, Row};
use crate::core::time::Instant;
use futures_util::TryStreamExt;
use serde::Serialize;
use sqlx::{Connection, SqliteConnection};
use std::path::{Path, PathBuf};
use tokio::sync::Mutex;

/// The most lines of the ledger, and of the history, that one transaction of [`Store::prune`] deletes.
const PRUNED_AT_ONCE: usize = 500;

/// Rows that one statement puts.
const PUT_AT_ONCE: usize = 8;
const PUT_ONE: &str = "INSERT OR REPLACE INTO rows (kind, key, version, body) VALUES (?, ?, ?, ?)";
const PUT_MANY: &str = "INSERT OR REPLACE INTO rows (kind, key, version, body) VALUES (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), \
                        (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?)";

/// Lines that one statement adds, as a JSON list of pairs: SQLite holds such a text three times over.
const LINES_AT_ONCE: usize = 512;
const TO_LEDGER: &str = "INSERT INTO ledger (at, body) SELECT value ->> 0, value ->> 1 FROM json_each(?)";
const TO_HISTORY: &str = "INSERT INTO history (at, body) SELECT value ->> 0, value ->> 1 FROM json_each(?)";

#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    session: Mutex<Session>,
    // Dropped last: the file is free for the next agent when this one has let go of it.
    _claim: file::Claim,
}

/// A connection is taken out for each use and put back only when the use went well. One that saw an error, or whose use was
/// abandoned half-way, is dropped with its open transaction, and the next use makes a new one.
#[derive(Debug)]
struct Session {
    connection: Option<SqliteConnection>,
    epoch: i64,
}

impl Session {
    async fn take(&mut self, path: &Path) -> Result<SqliteConnection, StoreError> {
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => file::connect(path).await,
        }
    }

    async fn put_back<T>(&mut self, connection: SqliteConnection, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if result.is_ok() {
            self.connection = Some(connection);
        } else {
            // Rolls back. Its own error would only hide the first one.
            let _ = connection.close().await;
        }
        result
    }

    /// Leaves the epoch alone: it is that of the rows which the caller builds on.
    async fn read(&mut self, path: &Path) -> Result<(i64, Vec<Row>), StoreError> {
        let mut connection = self.take(path).await?;
        let read = read(path, &mut connection).await;
        self.put_back(connection, read).await
    }
}

impl Store {
    /// Opens the file for this process alone, creating it where there is none. Refused while another agent has it.
    ///
    /// Every page and every row is read once here, so that damage shows at the start and not at 3 a.m.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let existed = file::exists(path)?;
        let claim = file::Claim::take(path)?;
        // Looked at again under the claim: another agent may just have made it.
        if !existed && !file::exists(path)? {
            file::create(path).await?;
        }
        let mut connection = file::connect(path).await?;
        file::recognise(path, &mut connection).await?;
        file::examine(path, &mut connection).await?;
        let store =
            Self { path: path.to_owned(), session: Mutex::new(Session { connection: Some(connection), epoch: 0 }), _claim: claim };
        store.rows().await?;
        Ok(store)
    }

    /// A look at the rows without opening for writing, also while an agent runs. `None`: there is no store yet.
    pub async fn peek(path: &Path) -> Result<Option<Vec<Row>>, StoreError> {
        lines::peek(path, async |connection| Ok(read(path, connection).await?.1)).await
    }

    /// The history from the first instant until before the second, page by page, without opening for writing, also while an agent
    /// runs.
    pub fn history(path: &Path, from: Instant, to: Instant) -> Lines<Observed> {
        Lines::new(path, "history", from, to)
    }

    /// When the history begins and ends. `None`: there is no store yet, or nothing in it.
    pub async fn history_span(path: &Path) -> Result<Option<(Instant, Instant)>, StoreError> {
        lines::span(path, "history").await
    }

    /// The ledger from the first instant until before the second, page by page, without opening for writing, also while an agent runs.
    pub fn ledger(path: &Path, from: Instant, to: Instant) -> Lines<Entry> {
        Lines::new(path, "ledger", from, to)
    }

    /// When the ledger begins. `None`: there is no store yet, or nothing in it.
    pub async fn ledger_begins(path: &Path) -> Result<Option<Instant>, StoreError> {
        lines::span(path, "ledger").await.map(|span| span.map(|(first, _)| first))
    }

    /// All rows. From here on a commit is a change of exactly these.
    pub async fn rows(&self) -> Result<Vec<Row>, StoreError> {
        let mut session = self.session.lock().await;
        let (epoch, rows) = session.read(&self.path).await?;
        session.epoch = epoch;
        Ok(rows)
    }

    /// Writes the commit in one transaction; on an error nothing of it was written. A key that is both deleted and put is put.
    /// After an error the state in memory is ahead of the store: read [`Self::rows`] again.
    pub async fn commit(&mut self, commit: &Commit) -> Result<(), StoreError> {
        if commit.is_empty() {
            return Ok(());
        }
        let Commit { delete, put, ledger, observed } = commit;
        self.write(&Change { delete, put, ledger, history: observed, forget_before: None }).await.map(drop)
    }

    /// Deletes lines of the ledger and the history older than `before`; returns how many. (What is over among the rows the core itself lets go of.)
    ///
    /// Works in transactions of bounded size: an error leaves what was deleted before it deleted.
    pub async fn prune(&mut self, before: Instant) -> Result<u64, StoreError> {
        let mut deleted = 0;
        loop {
            let lines = self.write(&Change { forget_before: Some(before), ..Change::default() }).await?;
            deleted += lines;
            if lines == 0 {
                return Ok(deleted);
            }
        }
    }

    /// Closes cleanly, the write-ahead log folded in.
    pub async fn close(self) -> Result<(), StoreError> {
        let sqlite = |e| StoreError::sqlite(&self.path, e);
        let mut connection = self.session.into_inner().take(&self.path).await?;
        let folded = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await.map_err(sqlite);
        connection.close().await.map_err(sqlite)?;
        folded.map(drop)
    }

    async fn write(&mut self, change: &Change<'_>) -> Result<u64, StoreError> {
        let session = self.session.get_mut();
        let mut connection = session.take(&self.path).await?;
        let written = change.write(session.epoch, &self.path, &mut connection).await;
        let deleted = session.put_back(connection, written).await?;
        session.epoch += 1;
        Ok(deleted)
    }
}

/// What one transaction changes. Becomes text part by part: thousands of lines need not be in memory as text at once.
#[derive(Default)]
struct Change<'a> {
    delete: &'a [Key],
    put: &'a [Row],
    ledger: &'a [Entry],
    history: &'a [Observed],
    /// At most [`PRUNED_AT_ONCE`] lines of each from before this instant are deleted.
    forget_before: Option<Instant>,
}

impl Change<'_> {
    /// Returns how many rows and lines were deleted.
    async fn write(&self, epoch: i64, path: &Path, connection: &mut SqliteConnection) -> Result<u64, StoreError> {
        let sqlite = |e| StoreError::sqlite(path, e);
        sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await.map_err(sqlite)?;
        let moved = sqlx::query("UPDATE meta SET value = value + 1 WHERE name = 'epoch' AND value = ?").bind(epoch);
        if moved.execute(&mut *connection).await.map_err(sqlite)?.rows_affected() != 1 {
            return Err(StoreError::Moved { file: error::name(path) });
        }
        let deleted = self.delete(connection).await.map_err(sqlite)?;
        self.put(path, connection).await?;
        for part in self.ledger.chunks(LINES_AT_ONCE) {
            let lines = part.iter().map(|entry| (entry.at, entry));
            append(TO_LEDGER, &lines_of(lines, path, "a line of the ledger")?, path, connection).await?;
        }
        for part in self.history.chunks(LINES_AT_ONCE) {
            let lines = part.iter().map(|observed| (observed.at, observed));
            append(TO_HISTORY, &lines_of(lines, path, "a line of the history")?, path, connection).await?;
        }
        sqlx::query("COMMIT").execute(&mut *connection).await.map_err(sqlite)?;
        Ok(deleted)
    }

    async fn delete(&self, connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
        let mut deleted = 0;
        for (kind, key) in self.delete.iter().map(keys::text) {
            let query = sqlx::query("DELETE FROM rows WHERE kind = ? AND key = ?").bind(kind).bind(key);
            deleted += query.execute(&mut *connection).await?.rows_affected();
        }
        if let Some(before) = self.forget_before {
            for table in ["ledger", "history"] {
                let oldest = format!("SELECT id FROM {table} WHERE at < ? ORDER BY at LIMIT ?");
                let query = sqlx::query(sqlx::AssertSqlSafe(format!("DELETE FROM {table} WHERE id IN ({oldest})")));
                let query = query.bind(before.timestamp_micros()).bind(PRUNED_AT_ONCE as i64);
                deleted += query.execute(&mut *connection).await?.rows_affected();
            }
        }
        Ok(deleted)
    }

    /// Each statement is a way to the connection's thread and back, which costs more than the row.
    async fn put(&self, path: &Path, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let (many, few) = self.put.as_chunks::<PUT_AT_ONCE>();
        let many = many.iter().map(|rows| (PUT_MANY, rows.as_slice()));
        for (statement, rows) in many.chain(few.chunks(1).map(|row| (PUT_ONE, row))) {
            let mut query = sqlx::query(statement);
            for row in rows {
                let (kind, key) = keys::text(&row.key());
                let body = text(row, path, || format!("{kind} {key}"))?;
                query = query.bind(kind).bind(key).bind(i64::from(FORMAT)).bind(body);
            }
            query.execute(&mut *connection).await.map_err(|e| StoreError::sqlite(path, e))?;
        }
        Ok(())
    }
}

fn text(value: &impl Serialize, path: &Path, row: impl FnOnce() -> String) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|source| StoreError::Unwritable { file: error::name(path), row: row(), source })
}

/// Lines with their instants, as [`TO_LEDGER`] takes them.
fn lines_of<T: Serialize>(lines: impl Iterator<Item = (Instant, T)>, path: &Path, what: &str) -> Result<String, StoreError> {
    let body = |(at, line): (Instant, T)| Ok((at.timestamp_micros(), text(&line, path, || what.to_owned())?));
    let pairs: Vec<(i64, String)> = lines.map(body).collect::<Result<_, StoreError>>()?;
    text(&pairs, path, || what.to_owned())
}

async fn append(insert: &'static str, lines: &str, path: &Path, connection: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlx::query(insert).bind(lines).execute(connection).await.map(drop).map_err(|e| StoreError::sqlite(path, e))
}

/// The epoch and all rows, as of one instant.
async fn read(path: &Path, connection: &mut SqliteConnection) -> Result<(i64, Vec<Row>), StoreError> {
    let sqlite = |e| StoreError::sqlite(path, e);
    sqlx::query("BEGIN").execute(&mut *connection).await.map_err(sqlite)?;
    let epoch: i64 = sqlx::query_scalar("SELECT value FROM meta WHERE name = 'epoch'")
        .fetch_optional(&mut *connection)
        .await
        .map_err(sqlite)?
        .ok_or_else(|| StoreError::damaged(path, "it does not say how far it is"))?;
    let mut rows = Vec::new();
    let mut found = sqlx::query_as("SELECT kind, key, version, body FROM rows ORDER BY kind, key").fetch(&mut *connection);
    while let Some((kind, key, version, body)) = found.try_next().await.map_err(sqlite)? {
        rows.push(decode(path, kind, key, version, body)?);
    }
    drop(found);
    sqlx::query("COMMIT").execute(&mut *connection).await.map_err(sqlite)?;
    Ok((epoch, rows))
}

fn decode(path: &Path, kind: String, key: String, version: i64, body: String) -> Result<Row, StoreError> {
    let unknown = |source| StoreError::UnknownRow { file: error::name(path), row: format!("{kind} {key}"), source };
    if version != i64::from(FORMAT) {
        return Err(unknown(None));
    }
    let row: Row = serde_json::from_str(&body).map_err(|e| unknown(Some(e)))?;
    let (own_kind, own_key) = keys::text(&row.key());
    if (own_kind, &own_key) != (kind.as_str(), &key) {
        return Err(StoreError::damaged(path, format!("the row {kind} {key} says that it is {own_kind} {own_key}")));
    }
    Ok(row)
}

/// What needs a look inside; all else is in `tests/store_sqlite.rs`.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::state::{ChatState, Counters};

    #[tokio::test]
    async fn a_full_disk_writes_nothing_and_the_next_commit_may_succeed() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("dawnwatch.db")).await.unwrap();
        let counters = Commit { put: vec![Row::Counters(Counters { incident: 7, post: 9 })], ..Commit::default() };
        store.commit(&counters).await.unwrap();

        // SQLite's own stand-in for a full disk; it ends with the connection.
        let connection = store.session.get_mut().connection.as_mut().unwrap();
        sqlx::query("PRAGMA max_page_count = 1").execute(connection).await.unwrap();
        let chats = (0..500).map(|n| Row::Chat(format!("chat {n}").into(), ChatState { broken: None }));
        let large = Commit { put: chats.collect(), delete: vec![Key::Counters], ..Commit::default() };
        let error = store.commit(&large).await.unwrap_err();
        assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
        assert_eq!(store.rows().await.unwrap(), counters.put);

        store.commit(&large).await.unwrap();
        assert_eq!(store.rows().await.unwrap().len(), 500);
    }

    /// Permissions do not bind the superuser, whom tests may run as; SQLite's own switch gives the same error.
    #[tokio::test]
    async fn a_file_that_may_not_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dawnwatch.db");
        Store::open(&path).await.unwrap().close().await.unwrap();
        let mut connection = file::connect(&path).await.unwrap();
        sqlx::query("PRAGMA query_only = 1").execute(&mut connection).await.unwrap();
        let error = file::examine(&path, &mut connection).await.unwrap_err();
        assert!(matches!(error, StoreError::ReadOnly { .. }), "{error:?}");
        assert!(error.to_string().contains("dawnwatch.db cannot be written: it is read-only"), "{error}");
    }
}

//! The file beneath the store: who may have it, whether it is sound, and how it is made. Never touches rows.

use super::error::{StoreError, name};
use crate::core::state::FORMAT;
use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long SQLite waits for a lock that another program holds.
pub(super) const BUSY_S: u64 = 5;
/// Pages held in memory, in KiB when negative (<https://www.sqlite.org/pragma.html#pragma_cache_size>): nearly all that is done here is
/// to add to the end.
const CACHE: &str = "-512";

/// `version` is the [`FORMAT`] of the body; `at` counts microseconds.
const SCHEMA: [&str; 7] = [
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT",
    "CREATE TABLE rows (kind TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (kind, key)) STRICT",
    "CREATE TABLE ledger (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, body TEXT NOT NULL) STRICT",
    "CREATE INDEX ledger_at ON ledger (at)",
    "CREATE TABLE history (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, body TEXT NOT NULL) STRICT",
    "CREATE INDEX history_at ON history (at)",
    "INSERT INTO meta VALUES ('format', ?), ('epoch', 0)",
];

/// `dawnwatch.db` → `dawnwatch.db-wal` and so on.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// The right to be the one agent on a store. The operating system takes the lock back when the process dies, however it dies; the
/// file itself stays, because removing a lock file would let two agents lock two files of one name.
#[derive(Debug)]
pub(super) struct Claim {
    _locked: File,
}

impl Claim {
    pub(super) fn take(path: &Path) -> Result<Self, StoreError> {
        let io = |e: std::io::Error| StoreError::io(path, &e);
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(beside(path, ".lock")).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::InUse { file: name(path), pid: holder(&mut file) }),
            Err(TryLockError::Error(e)) => return Err(io(e)),
        }
        // Who it is, for the sentence that the next one gets. The lock holds without it.
        file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0))).map_err(io)?;
        writeln!(file, "{}", std::process::id()).map_err(io)?;
        Ok(Self { _locked: file })
    }
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// Is there a file, as far as its outside shows? It never is empty: [`create`] puts it in place when it is complete.
pub(super) fn exists(path: &Path) -> Result<bool, StoreError> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(StoreError::Foreign { file: name(path), what: "it is a folder" }),
        Ok(found) if !found.is_file() => Err(StoreError::Foreign { file: name(path), what: "it is no plain file" }),
        Ok(found) if found.len() == 0 => Err(StoreError::damaged(path, "it is empty")),
        Ok(_) => Ok(true),
        // SQLite would play the old log into the new file.
        Err(e) if e.kind() == ErrorKind::NotFound && has_log(path) => {
            Err(StoreError::damaged(path, "it is missing, but its log is still there"))
        }
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
        Err(e) => Err(StoreError::io(path, &e)),
    }
}

/// A write-ahead log lies beside the file: an agent runs, or died.
pub(super) fn has_log(path: &Path) -> bool {
    beside(path, "-wal").exists()
}

fn options(path: &Path) -> Result<SqliteConnectOptions, StoreError> {
    // An absolute path is never taken for one of SQLite's `file:` URIs.
    let path = std::path::absolute(path).map_err(|e| StoreError::io(path, &e))?;
    let options = SqliteConnectOptions::new().filename(path).busy_timeout(Duration::from_secs(BUSY_S));
    Ok(options.pragma("cache_size", CACHE).disable_statement_logging())
}

/// Makes a new store beside its place and moves it there when it is complete and on the disk.
pub(super) async fn create(path: &Path) -> Result<(), StoreError> {
    let unfinished = beside(path, ".new");
    let sqlite = |e| StoreError::sqlite(path, e);
    let io = |e: std::io::Error| StoreError::io(path, &e);
    for leftover in [&unfinished, &beside(path, ".new-journal")] {
        match fs::remove_file(leftover) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(io(e)),
            _ => {}
        }
    }
    let options = options(&unfinished)?.create_if_missing(true).synchronous(SqliteSynchronous::Full);
    let mut connection = options.connect().await.map_err(sqlite)?;
    for statement in SCHEMA {
        let query = sqlx::query(statement);
        let query = if statement.contains('?') { query.bind(i64::from(FORMAT)) } else { query };
        query.execute(&mut connection).await.map_err(sqlite)?;
    }
    connection.close().await.map_err(sqlite)?;
    fs::rename(&unfinished, path).map_err(io)?;
    let absolute = std::path::absolute(path).map_err(io)?;
    // The new name is durable once its folder is.
    absolute.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all()).map_err(io)
}

/// A connection that may write. What is committed on it survives a crash of the process and of the machine:
/// `synchronous=FULL` syncs the log at each commit, <https://www.sqlite.org/pragma.html#pragma_synchronous>.
pub(super) async fn connect(path: &Path) -> Result<SqliteConnection, StoreError> {
    let options = options(path)?.synchronous(SqliteSynchronous::Full);
    options.connect().await.map_err(|e| StoreError::sqlite(path, e))
}

/// A connection that only reads. `at_rest`: nobody has the file open; SQLite then makes no files beside it.
pub(super) async fn connect_to_read(path: &Path, at_rest: bool) -> Result<SqliteConnection, StoreError> {
    options(path)?.read_only(true).immutable(at_rest).connect().await.map_err(|e| StoreError::sqlite(path, e))
}

/// Is this a store of dawnwatch, in the format that this version reads?
pub(super) async fn recognise(path: &Path, connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let sqlite = |e| StoreError::sqlite(path, e);
    let tables: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('meta', 'rows', 'ledger')")
            .fetch_one(&mut *connection)
            .await
            .map_err(sqlite)?;
    if tables != 3 {
        return Err(StoreError::Foreign { file: name(path), what: "it is a database of another program" });
    }
    let found: Option<i64> =
        sqlx::query_scalar("SELECT value FROM meta WHERE name = 'format'").fetch_optional(connection).await.map_err(sqlite)?;
    match found {
        Some(found) if found == i64::from(FORMAT) => Ok(()),
        Some(found) => Err(StoreError::Format { file: name(path), found, expected: FORMAT }),
        None => Err(StoreError::damaged(path, "it does not say its format")),
    }
}

/// Reads every page once, and makes sure that the file can be written. `quick_check` leaves out the comparison of indexes with their
/// tables; its time grows with the file (100 MB take less than a second even unoptimised), so it runs at the start only.
pub(super) async fn examine(path: &Path, connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let sqlite = |e| StoreError::sqlite(path, e);
    let verdict: String = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&mut *connection).await.map_err(sqlite)?;
    if verdict != "ok" {
        return Err(StoreError::damaged(path, "its pages contradict each other"));
    }
    sqlx::query("PRAGMA journal_mode = WAL").execute(&mut *connection).await.map_err(sqlite)?;
    // SQLite opens a file that it may not write without a word; the first write would tell.
    for statement in ["BEGIN IMMEDIATE", "UPDATE meta SET value = value WHERE name = 'format'", "COMMIT"] {
        sqlx::query(statement).execute(&mut *connection).await.map_err(sqlite)?;
    }
    Ok(())
}

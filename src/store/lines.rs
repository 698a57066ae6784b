//! The ledger and the history read line by line, without opening the store for writing, also while an agent runs. Never judges.

use super::error::{StoreError, name};
use super::file;
use crate::core::time::Instant;
use serde::de::DeserializeOwned;
use sqlx::{Connection, SqliteConnection};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

/// Lines in memory at once: some megabytes at most.
const PAGE: i64 = 4_096;

/// Lines of one table, in order of time (those of one instant as they were written), page by page. Each page is a look of its own:
/// what an agent writes or prunes meanwhile may or may not be in it.
#[derive(Debug)]
pub struct Lines<T> {
    path: PathBuf,
    table: &'static str,
    to: i64,
    /// Instant and number of the last line that was read.
    after: (i64, i64),
    done: bool,
    of: PhantomData<T>,
}

impl<T: DeserializeOwned> Lines<T> {
    /// Those from the first instant until before the second.
    pub(super) fn new(path: &Path, table: &'static str, from: Instant, to: Instant) -> Self {
        let after = (from.timestamp_micros().saturating_sub(1), i64::MAX);
        Self { path: path.to_owned(), table, to: to.timestamp_micros(), after, done: false, of: PhantomData }
    }

    /// `None`: there are no more.
    pub async fn page(&mut self) -> Result<Option<Vec<T>>, StoreError> {
        if self.done {
            return Ok(None);
        }
        let (after, to) = (self.after, self.to);
        let select = format!(
            "SELECT at, id, body FROM {} WHERE at >= ? AND at < ? AND (at, id) > (?, ?) ORDER BY at, id LIMIT ?",
            self.table
        );
        let lines = peek(&self.path, async |connection| {
            let query = sqlx::query_as::<_, (i64, i64, String)>(sqlx::AssertSqlSafe(select.clone()));
            let query = query.bind(after.0).bind(to).bind(after.0).bind(after.1).bind(PAGE);
            query.fetch_all(connection).await.map_err(|e| StoreError::sqlite(&self.path, e))
        });
        let lines = lines.await?.unwrap_or_default();
        let full = i64::try_from(lines.len()).is_ok_and(|read| read == PAGE);
        match lines.last() {
            Some((at, id, _)) => self.after = (*at, *id),
            None => self.done = true,
        }
        self.done |= !full;
        let decode = |(_, id, body): (i64, i64, String)| {
            let unknown =
                |e| StoreError::UnknownRow { file: name(&self.path), row: format!("{} {id}", self.table), source: Some(e) };
            serde_json::from_str(&body).map_err(unknown)
        };
        let lines: Vec<T> = lines.into_iter().map(decode).collect::<Result<_, _>>()?;
        Ok(Some(lines).filter(|lines| !lines.is_empty()))
    }
}

/// The instant of the first line; `None`: there is no store, or no line.
pub(super) async fn begins(path: &Path, table: &'static str) -> Result<Option<Instant>, StoreError> {
    let first = peek(path, async |connection| {
        let query = sqlx::query_scalar::<_, Option<i64>>(sqlx::AssertSqlSafe(format!("SELECT min(at) FROM {table}")));
        query.fetch_one(connection).await.map_err(|e| StoreError::sqlite(path, e))
    });
    Ok(first.await?.flatten().and_then(Instant::from_timestamp_micros))
}

/// A look without opening for writing, also while an agent runs. `None`: there is no store yet.
///
/// Makes no file and takes no lock that an agent would notice. (After a crash SQLite may remake its `-shm` file, if that was lost
/// while the log was kept.)
pub(super) async fn peek<T>(
    path: &Path,
    read: impl AsyncFn(&mut SqliteConnection) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    if !file::exists(path)? {
        return Ok(None);
    }
    let at_rest = !file::has_log(path);
    let seen = look(path, at_rest, &read).await;
    // An agent may have started while a file was read that was thought to be at rest.
    let seen = if at_rest && file::has_log(path) { look(path, false, &read).await } else { seen };
    seen.map(Some)
}

async fn look<T>(
    path: &Path,
    at_rest: bool,
    read: &impl AsyncFn(&mut SqliteConnection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let mut connection = file::connect_to_read(path, at_rest).await?;
    file::recognise(path, &mut connection).await?;
    let seen = read(&mut connection).await?;
    connection.close().await.map_err(|e| StoreError::sqlite(path, e))?;
    Ok(seen)
}

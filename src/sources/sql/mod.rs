//! PostgreSQL and SQLite, asked for timestamps: one query whose rows (id, timestamp) serve all checks, or a query for each check.
//!
//! Never writes: PostgreSQL is asked within READ ONLY transactions, SQLite is opened read-only, and each query stands inside a SELECT.
//! A query that fails makes its own check suspicious; only a connection that fails puts the source out of reach.

mod link;
mod postgres;
pub(crate) mod target;
mod value;

use super::Traffic;
use super::budget::Budget;
use crate::config::wiring::{SourceWiring, SqlWiring};
use crate::core::observation::{Answer, Ask, Fact, Failure, Item, Sweep, Unreachable, Why};
use crate::core::plan::Id;
use crate::core::time::Instant;
use crate::net::{line, unreachable};
use chrono::TimeDelta;
use chrono_tz::Tz;
use link::{Link, Rows, Trouble};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use target::Target;
use tokio::sync::Mutex;
use tokio::time::Instant as Mono;
use value::Cell;

/// The most rows of the query that serves all checks.
const ROWS: usize = 10_000;

pub(super) struct Sql {
    target: Target,
    host: String,
    timezone: Option<Tz>,
    rows: Option<String>,
    timeout: Duration,
    /// PostgreSQL's connection between two sweeps. It is taken out while it is in use: a question that is given up drops it.
    kept: Mutex<Option<Link>>,
    requests: AtomicU64,
    bytes: AtomicU64,
}

impl Sql {
    pub(super) fn build(sql: &SqlWiring, wiring: &SourceWiring) -> Result<Self, String> {
        let target = Target::build(sql, wiring)?;
        Ok(Self {
            host: target.host(),
            target,
            timezone: sql.timezone,
            rows: sql.rows.clone(),
            timeout: wiring.timeout.to_std().unwrap_or_default(),
            kept: Mutex::new(None),
            requests: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        })
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn traffic(&self) -> Traffic {
        Traffic { requests: self.requests.load(Ordering::Relaxed), bytes: self.bytes.load(Ordering::Relaxed) }
    }

    pub(super) async fn ask(&self, ask: &Ask, now: Instant) -> Result<Answer, Unreachable> {
        match ask {
            Ask::Sweep { subjects, .. } => self.sweep(subjects, now).await.map(Answer::Sweep),
            Ask::List { .. } => Err(unreachable(Why::Malformed, "a source of kind sql cannot list what it has")),
            Ask::Failure { .. } => Ok(Answer::Failure(Failure::default())),
        }
    }

    async fn sweep(&self, subjects: &[Id], now: Instant) -> Result<Sweep, Unreachable> {
        let began = Mono::now();
        let budget = Budget::new(self.timeout);
        let mut link = self.connected().await?;
        let clock = link.clock(self.timeout).await.map_err(whole)?;
        let elapsed = TimeDelta::from_std(began.elapsed()).unwrap_or_default();
        let clock_ahead_s = match clock {
            Some(Cell::At(theirs)) => Some((theirs - now - elapsed).num_seconds()),
            _ => None,
        };
        let items = match &self.rows {
            Some(query) => self.by_rows(&mut link, query, subjects).await?,
            None => self.one_by_one(&mut link, subjects, budget).await?,
        };
        if matches!(link, Link::Postgres { .. }) {
            // What was begun is ended: an open transaction would hold up the server's cleaning.
            link.end().await?;
            *self.kept.lock().await = Some(link);
        }
        Ok(Sweep { items, clock_ahead_s, ..Sweep::default() })
    }

    /// A connection that has begun. One that was kept may have died since; that is no news, a second one that fails is.
    async fn connected(&self) -> Result<Link, Unreachable> {
        let kept = self.kept.lock().await.take();
        if let Some(mut link) = kept
            && link.begin(self.timeout).await.is_ok()
        {
            return Ok(link);
        }
        let mut link = Link::open(&self.target, self.timezone, self.timeout).await?;
        link.begin(self.timeout).await?;
        Ok(link)
    }

    async fn by_rows(&self, link: &mut Link, query: &str, subjects: &[Id]) -> Result<Vec<Item>, Unreachable> {
        let found = self.query(link, query, ROWS, self.timeout).await.map_err(whole)?;
        if found.rows.len() > ROWS {
            return Err(unreachable(Why::TooLarge, format!("the query yields more than {ROWS} rows")));
        }
        if !found.rows.is_empty() && found.columns != 2 {
            let columns = found.columns;
            return Err(unreachable(
                Why::Malformed,
                format!("the query yields rows of {columns} columns; expected two, an id and a timestamp"),
            ));
        }
        let mut by_id: BTreeMap<String, Vec<&Cell>> = BTreeMap::new();
        for row in &found.rows {
            let [id, newest] = row.as_slice() else { continue };
            by_id.entry(id.id().unwrap_or_default()).or_default().push(newest);
        }
        let item = |subject: &Id| {
            let fact = match by_id.get(subject.as_str())?.as_slice() {
                [only] => fact(only, self.timezone),
                many => Fact::Suspicious(format!("{} rows have its id; expected one", many.len())),
            };
            Some(Item { subject: subject.clone(), fact })
        };
        Ok(subjects.iter().filter_map(item).collect())
    }

    async fn one_by_one(&self, link: &mut Link, subjects: &[Id], budget: Budget) -> Result<Vec<Item>, Unreachable> {
        let mut items = Vec::new();
        for (nth, subject) in subjects.iter().enumerate() {
            let fact = match budget.next() {
                None => Fact::Suspicious("its query was not asked: those before it took too long".to_owned()),
                Some(limit) => {
                    if nth > 0 {
                        link.begin(limit).await?;
                    }
                    match self.query(link, subject.as_str(), 1, limit).await {
                        Ok(found) => self.only(&found),
                        Err(Trouble::Refused(words)) => Fact::Suspicious(words),
                        Err(Trouble::Gone(gone)) => return Err(gone),
                    }
                }
            };
            items.push(Item { subject: subject.clone(), fact });
        }
        Ok(items)
    }

    /// The one value of a check's own query.
    fn only(&self, found: &Rows) -> Fact {
        match found.rows.as_slice() {
            [] => Fact::Timestamp(None),
            [_, _, ..] => Fact::Suspicious("its query yields more than one row; expected one timestamp".to_owned()),
            [row] => match row.as_slice() {
                [only] => fact(only, self.timezone),
                _ => Fact::Suspicious(format!("its query yields {} columns; expected one timestamp", found.columns)),
            },
        }
    }

    async fn query(&self, link: &mut Link, query: &str, most: usize, limit: Duration) -> Result<Rows, Trouble> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let found = link.query(query, most, limit).await?;
        self.bytes.fetch_add(u64::try_from(found.bytes).unwrap_or(u64::MAX), Ordering::Relaxed);
        Ok(found)
    }
}

fn fact(cell: &Cell, zone: Option<Tz>) -> Fact {
    cell.instant(zone).map_or_else(|why| Fact::Suspicious(line(&why)), Fact::Timestamp)
}

/// A query for all checks that is refused leaves nothing to see.
fn whole(trouble: Trouble) -> Unreachable {
    match trouble {
        Trouble::Refused(words) => unreachable(Why::Status, words),
        Trouble::Gone(gone) => gone,
    }
}

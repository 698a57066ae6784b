//! Reads a folder of feeds and the questions about them: CSV with exactly these columns. What is wrong is said with file and line.

use crate::core::time::Instant;
use chrono::NaiveDate;
use chrono_tz::Tz;
use csv::{Reader, StringRecord};
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// So many deadlines of each cycle are asked about.
pub(super) const SLACKS: usize = 3;

/// One source of data with a daily or weekly deadline.
#[derive(Debug)]
pub(super) struct Feed {
    pub(super) name: String,
    pub(super) zone: Tz,
    /// In order.
    pub(super) arrivals: Vec<Instant>,
    /// In order.
    pub(super) cycles: Vec<Cycle>,
}

/// One expected delivery: the first arrival in `[opens_at, ends_at)`.
#[derive(Debug)]
pub(super) struct Cycle {
    pub(super) number: u32,
    pub(super) date: NaiveDate,
    pub(super) opens_at: Instant,
    pub(super) ends_at: Instant,
    /// `None`: none is set yet.
    pub(super) deadlines: Option<[Instant; SLACKS]>,
    pub(super) scored: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum BacktestError {
    #[error("{} cannot be read", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{}:{line}: {why}", path.display())]
    Row { path: PathBuf, line: u64, why: String },
    #[error("{} cannot be written", path.display())]
    Unwritable { path: PathBuf, source: io::Error },
}

/// The feeds that are scored, in the order of `feeds.csv`.
pub(super) fn read(folder: &Path, deadlines: &Path) -> Result<Vec<Feed>, BacktestError> {
    let mut cycles: BTreeMap<String, Vec<Cycle>> = BTreeMap::new();
    let columns = [
        "feed",
        "cycle",
        "local_date",
        "opens_at",
        "ends_at",
        "deadline_slack_0",
        "deadline_slack_60",
        "deadline_slack_180",
        "scored",
    ];
    rows(deadlines, &columns, |row| {
        let unset = (5..8).all(|column| row.text(column).is_empty());
        let cycle = Cycle {
            number: row.parsed(1, "a number")?,
            date: row.parsed(2, "a date")?,
            opens_at: row.instant(3)?,
            ends_at: row.instant(4)?,
            deadlines: if unset { None } else { Some([row.instant(5)?, row.instant(6)?, row.instant(7)?]) },
            scored: row.yes(8)?,
        };
        if cycle.ends_at <= cycle.opens_at {
            return Err(row.wrong("the window ends before it opens"));
        }
        if cycle.scored && cycle.deadlines.is_none() {
            return Err(row.wrong("a scored cycle has no deadline"));
        }
        let of_feed = cycles.entry(row.text(0).to_owned()).or_default();
        if of_feed.last().is_some_and(|before| cycle.opens_at < before.ends_at) {
            return Err(row.wrong("the window opens before that of the cycle before it has ended"));
        }
        of_feed.push(cycle);
        Ok(())
    })?;
    let mut feeds = Vec::new();
    let mut columns = vec!["feed", "cadence", "timezone", "expected_iso_weekdays", "window_opens_hour", "first_local_date"];
    columns.extend(["last_local_date", "publisher", "source_repo", "arrival_count", "scored", "reason_not_scored"]);
    rows(&folder.join("feeds.csv"), &columns, |row| {
        if row.yes(10)? {
            let name = row.text(0).to_owned();
            let cycles = cycles.remove(&name).ok_or_else(|| row.wrong(&format!("{} has no cycle of it", deadlines.display())))?;
            let arrivals = arrivals(folder, &name)?;
            feeds.push(Feed { zone: row.parsed(2, "a time zone")?, name, arrivals, cycles });
        }
        Ok(())
    })?;
    Ok(feeds)
}

fn arrivals(folder: &Path, feed: &str) -> Result<Vec<Instant>, BacktestError> {
    let mut arrivals = Vec::new();
    rows(&folder.join("arrivals").join(format!("{feed}.csv")), &["feed", "arrived_at_utc"], |row| {
        if row.text(0) != feed {
            return Err(row.wrong(&format!("this is a row of {:?}", row.text(0))));
        }
        arrivals.push(row.instant(1)?);
        Ok(())
    })?;
    arrivals.sort_unstable();
    Ok(arrivals)
}

/// One row, with its place.
struct Row<'a> {
    path: &'a Path,
    line: u64,
    columns: &'a [&'a str],
    values: &'a StringRecord,
}

impl Row<'_> {
    fn wrong(&self, why: &str) -> BacktestError {
        BacktestError::Row { path: self.path.to_owned(), line: self.line, why: why.to_owned() }
    }

    fn text(&self, column: usize) -> &str {
        self.values.get(column).unwrap_or_default()
    }

    fn parsed<T: FromStr>(&self, column: usize, what: &str) -> Result<T, BacktestError> {
        let text = self.text(column);
        text.parse().map_err(|_| self.wrong(&format!("{} is {text:?}; expected {what}", self.columns[column])))
    }

    fn instant(&self, column: usize) -> Result<Instant, BacktestError> {
        let parsed = self.parsed::<chrono::DateTime<chrono::FixedOffset>>(column, "a time with offset (RFC 3339)");
        parsed.map(|at| at.with_timezone(&chrono::Utc))
    }

    fn yes(&self, column: usize) -> Result<bool, BacktestError> {
        match self.text(column) {
            "yes" => Ok(true),
            "no" => Ok(false),
            other => Err(self.wrong(&format!("{} is {other:?}; expected yes or no", self.columns[column]))),
        }
    }
}

fn rows(path: &Path, columns: &[&str], mut take: impl FnMut(&Row<'_>) -> Result<(), BacktestError>) -> Result<(), BacktestError> {
    let unreadable = |source| BacktestError::Unreadable { path: path.to_owned(), source };
    let mut reader = Reader::from_reader(File::open(path).map_err(unreadable)?);
    let head = reader.headers().map_err(|error| unreadable(error.into()))?;
    if head != columns {
        let head: Vec<&str> = head.iter().collect();
        let why = format!("the columns are {}; expected {}", head.join(","), columns.join(","));
        return Err(BacktestError::Row { path: path.to_owned(), line: 1, why });
    }
    let mut values = StringRecord::new();
    let broken = |error: csv::Error| match error.position() {
        Some(place) => BacktestError::Row { path: path.to_owned(), line: place.line(), why: error.to_string() },
        None => unreadable(error.into()),
    };
    while reader.read_record(&mut values).map_err(broken)? {
        take(&Row { path, line: values.position().map_or(0, csv::Position::line), columns, values: &values })?;
    }
    Ok(())
}

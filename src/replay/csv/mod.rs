//! What was seen, written down in rows of CSV: one row a run or arrival, in any order. A history is a file of them or several, everything
//! read once when it is opened, and all that is wrong found then; a golden night holds a few within itself ([`Written`]). Asks nobody; what
//! rows cannot tell (who listed what, when a run was created) it does not claim.
//!
//! The columns, by name in the first line, in any order; all but `check` and `arrived_at` may be missing, and any value but the check's
//! name may be empty. Times are RFC 3339. By hand, in a golden night, they may be shorter, and `arrived_at` and what is empty at the end of a row
//! may be left out.
//!
//! | column | meaning |
//! |---|---|
//! | `check` | a check by its name, or by its id in its source (`ID`, `SOURCE/ID`), as is a member of a group; or `source:ID` |
//! | `started_at` | when the run began; where it is empty, it was over at once, at `arrived_at` |
//! | `arrived_at` | when it ended, or the data came; empty: it never ended, whatever `state` says |
//! | `state` | `success` (or empty), `failed`, `retrying`: this try failed, and the check's next row is the same run going on (unless it has another `run_after`), `unreachable` |
//! | `error` | why |
//! | `timestamp` | of a dataset: its data time, where that is not `arrived_at`; of a path with a date: its local date is the path's |
//! | `run_after` | for when the run was scheduled; empty: for `started_at`. Rows of one time and one `run_type` are one run, cleared and run again |
//! | `run_type` | `scheduled` (or empty), `manual`, `backfill`, `asset_triggered` |
//!
//! A run is seen from `started_at` on: what was created when is not written down. A row `unreachable` says that what it names could not
//! be asked about from `started_at` to `arrived_at` (empty: until the end): for `source:ID` the source was dark, for a check its own
//! answer made no sense. What the configuration names is known from the beginning, and without a row it has not run.
//!
//! Rows have no tags and no owners. A pipeline that the configuration does not name is a member of all groups whose `ids` fit it, and is taken to
//! have the tags and owners that these ask for. One that fits none is a member of the only group that gives no `ids`; where there are
//! several such groups it is unclear, and refused. In a history it is listed from its first row on, as a new one; or from the beginning, when
//! that comes within a day of the first row of all: a history begins somewhere.

mod event;
mod intake;
mod lanes;
mod meant;
mod names;
mod row;
mod written;

pub(crate) use meant::{Meant, meant, nobody};
pub(crate) use row::{Manner, Row, Wrong};
pub(crate) use written::{There, Written};

use super::history::{HistoryError, PAGE};
use super::sort::Sorted;
use crate::core::plan::Plan;
use crate::core::state::Observed;
use crate::core::time::Instant;
use event::Event;
use intake::Intake;
use lanes::Lanes;
use row::rfc3339;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How the name of a source begins.
const SOURCE: &str = "source:";

/// Events in order, on their way to what was seen.
pub struct CsvHistory {
    events: Sorted,
    lanes: Lanes,
    /// What is so from the beginning, until it has been handed out.
    first: Option<Vec<Observed>>,
    span: Option<(Instant, Instant)>,
}

impl CsvHistory {
    pub(super) fn open(path: &Path, plan: &Arc<Plan>) -> Result<Self, HistoryError> {
        let mut intake = Intake::new(std::slice::from_ref(plan), Manner { time: &rfc3339, by_hand: false });
        for file in files(path)? {
            if !intake.is_full() {
                let unreadable = |source| HistoryError::Unreadable { path: file.clone(), source };
                let text = File::open(&file).map_err(unreadable)?;
                intake.read(&file.display().to_string(), text, unreadable)?;
            }
        }
        let wrong = intake.wrong();
        if !wrong.is_empty() {
            return Err(HistoryError::Refused(wrong.into_iter().map(Wrong::finding).collect()));
        }
        let Intake { names, sorter, span, .. } = intake;
        if let Some(examples) = names.strangers_alone() {
            return Err(HistoryError::Strangers { path: path.to_owned(), examples });
        }
        names.warn_of_strangers();
        names.tell_of_the_rest();
        let (targets, first) = names.finish(span.map(|(first, _)| first));
        let events = sorter.finish().map_err(HistoryError::no_room)?;
        Ok(Self { events, lanes: Lanes::new(plan.clone(), targets), first: Some(first), span })
    }

    pub(super) fn next_page(&mut self) -> Result<Option<Vec<Observed>>, HistoryError> {
        if let Some(first) = self.first.take().filter(|first| !first.is_empty()) {
            return Ok(Some(first));
        }
        let mut page = Vec::new();
        while page.len() < PAGE && play_next(&mut self.events, &mut self.lanes, &mut page)? {}
        Ok((!page.is_empty()).then_some(page))
    }

    pub(super) fn span(&self) -> Option<(Instant, Instant)> {
        self.span
    }
}

/// What is seen of the next event. `false`: that was all.
fn play_next(events: &mut Sorted, lanes: &mut Lanes, seen: &mut Vec<Observed>) -> Result<bool, HistoryError> {
    let Some((key, body)) = events.next().map_err(HistoryError::no_room)? else { return Ok(false) };
    let damaged = || HistoryError::no_room(io::Error::new(io::ErrorKind::InvalidData, "a temporary file was changed"));
    lanes.play(&Event::read(key, body).ok_or_else(damaged)?, seen);
    Ok(true)
}

/// The file itself, or those of a folder in order of name.
fn files(path: &Path) -> Result<Vec<PathBuf>, HistoryError> {
    let unreadable = |source| HistoryError::Unreadable { path: path.to_owned(), source };
    if !fs::metadata(path).map_err(unreadable)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = fs::read_dir(path).map_err(unreadable)?.map(|entry| entry.map(|entry| entry.path()));
    let all: Vec<PathBuf> = entries.collect::<Result<_, io::Error>>().map_err(unreadable)?;
    let mut files: Vec<PathBuf> = all.into_iter().filter(|file| file.extension().is_some_and(|end| end == "csv")).collect();
    files.sort();
    if files.is_empty() { Err(HistoryError::NoFile { path: path.to_owned() }) } else { Ok(files) }
}

//! A history written down as CSV: one row a run or arrival, in any order, in one file or several. Everything is read once when it is
//! opened, and all that is wrong in it is found then. Asks nobody; what it cannot know (who listed what, when a run was created) it
//! does not claim.
//!
//! The columns, by name in the first line, in any order; all but `check` and `arrived_at` may be missing, and any value but the check's
//! name may be empty. Times are RFC 3339.
//!
//! | column | meaning |
//! |---|---|
//! | `check` | a check by its name, or by its id in its source (`ID`, `SOURCE/ID`), as is a member of a group; or `source:ID` |
//! | `started_at` | when the run began; where it is empty, it was over at once, at `arrived_at` |
//! | `arrived_at` | when it ended, or the data came; empty: it never ended, whatever `state` says |
//! | `state` | `success` (or empty), `failed`, `retrying`: this try failed, and the check's next row is the same run going on (unless it has another `run_after`), `unreachable` |
//! | `error` | why |
//! | `timestamp` | of a dataset: its data time, where that is not `arrived_at`; of a path with a date: its local date is the path's |
//! | `run_after` | for when the run was scheduled; empty: for `started_at` |
//! | `run_type` | `scheduled` (or empty), `manual`, `backfill`, `asset_triggered` |
//!
//! A run is seen from `started_at` on: what was created when is not written down. A row `unreachable` says that what it names could not
//! be asked about from `started_at` to `arrived_at` (empty: until the end): for `source:ID` the source was dark, for a check its own
//! answer made no sense. What never has a row is known and has not run.
//!
//! A history has no tags and no owners. A pipeline that fits a group by its id is taken to have those that the group asks for, from the
//! beginning of the history to its end.

mod event;
mod lanes;
mod names;
mod row;

use super::history::{HistoryError, PAGE};
use super::sort::{CHUNK_BYTES, Sorted, Sorter};
use crate::core::plan::Plan;
use crate::core::state::Observed;
use crate::core::time::Instant;
use csv::{ErrorKind, ReaderBuilder, StringRecord};
use event::Event;
use lanes::Lanes;
use names::{NAMES_MAX, Names};
use row::{Columns, Ended, Findings, Row};
use std::cell::Cell;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How the name of a source begins.
const SOURCE: &str = "source:";
/// No row is longer; one that is has a quote that never closes.
const ROW_BYTES: usize = 1 << 20;
/// What one read of a file brings.
const READ_BYTES: usize = 64 << 10;

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
        let mut intake = Intake {
            names: Names::new(plan),
            sorter: Sorter::new(CHUNK_BYTES),
            findings: Findings::default(),
            span: None,
            bytes: Vec::new(),
        };
        for file in files(path)? {
            if !intake.findings.is_full() {
                intake.read(&file)?;
            }
        }
        let Intake { names, sorter, findings, span, .. } = intake;
        if !findings.is_empty() {
            return Err(HistoryError::Refused(findings.into_list()));
        }
        names.warn_of_strangers();
        let (targets, first) = names.finish();
        let events = sorter.finish().map_err(HistoryError::no_room)?;
        Ok(Self { events, lanes: Lanes::new(plan.clone(), targets), first: Some(first), span })
    }

    pub(super) fn next_page(&mut self) -> Result<Option<Vec<Observed>>, HistoryError> {
        if let Some(first) = self.first.take().filter(|first| !first.is_empty()) {
            return Ok(Some(first));
        }
        let mut page = Vec::new();
        while page.len() < PAGE {
            let Some((key, body)) = self.events.next().map_err(HistoryError::no_room)? else { break };
            let damaged = || HistoryError::no_room(io::Error::new(io::ErrorKind::InvalidData, "a temporary file was changed"));
            self.lanes.play(&Event::read(key, body).ok_or_else(damaged)?, &mut page);
        }
        Ok((!page.is_empty()).then_some(page))
    }

    pub(super) fn span(&self) -> Option<(Instant, Instant)> {
        self.span
    }
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

/// What has been read so far.
struct Intake<'a> {
    names: Names<'a>,
    sorter: Sorter,
    findings: Findings,
    span: Option<(Instant, Instant)>,
    bytes: Vec<u8>,
}

impl Intake<'_> {
    fn read(&mut self, path: &Path) -> Result<(), HistoryError> {
        let unreadable = |source| HistoryError::Unreadable { path: path.to_owned(), source };
        let file = path.display().to_string();
        let left = Cell::new(ROW_BYTES);
        let guarded = Guarded { file: File::open(path).map_err(unreadable)?, left: &left };
        // The number of values is looked at where there is a place to name.
        let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).buffer_capacity(READ_BYTES).from_reader(guarded);
        let mut record = StringRecord::new();
        let mut columns: Option<Columns> = None;
        while !self.findings.is_full() {
            left.set(ROW_BYTES);
            let line = reader.position().line();
            match reader.read_record(&mut record).map_err(csv::Error::into_kind) {
                Ok(true) => {}
                Ok(false) if columns.is_none() => {
                    self.findings.add(&file, "the file is empty; expected a first line that names the columns");
                    break;
                }
                Ok(false) => break,
                Err(ErrorKind::Io(error)) if error.kind() == io::ErrorKind::InvalidData => {
                    let text =
                        format!("a row of more than {} KiB begins here; is there a quote that never closes?", ROW_BYTES >> 10);
                    self.findings.add(format_args!("{file}:{line}"), text);
                    break;
                }
                Err(ErrorKind::Io(error)) => return Err(unreadable(error)),
                Err(other) => {
                    let line = if let ErrorKind::Utf8 { pos: Some(place), .. } = other { place.line() } else { line };
                    self.findings.add(format_args!("{file}:{line}"), "this row is not UTF-8; expected a text in UTF-8");
                    continue;
                }
            }
            match &columns {
                None => match Columns::read(file.clone(), &record, &mut self.findings) {
                    Some(read) => columns = Some(read),
                    // Without its columns no row says anything.
                    None => break,
                },
                Some(columns) => {
                    if let Some(row) = columns.row(&record, &mut self.findings) {
                        self.take(&row, &file)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, row: &Row<'_>, file: &str) -> Result<(), HistoryError> {
        let place = self.names.place(row.check);
        if self.names.too_many() {
            let text =
                format!("there are more than {NAMES_MAX} different names under check; expected the names of checks, not of runs");
            self.findings.add(file, text);
            self.findings.close();
        }
        let Some(place) = place else { return Ok(()) };
        self.names.target(place).veiled |= row.ended == Ended::Unreachable;
        for event in Event::of(row, place) {
            let (first, last) = self.span.unwrap_or((event.at, event.at));
            self.span = Some((first.min(event.at), last.max(event.at)));
            event.write(&mut self.bytes);
            self.sorter.push(event.key(), &self.bytes).map_err(HistoryError::no_room)?;
        }
        Ok(())
    }
}

/// A reader that gives no more than is left for one row: whatever is in the file, a row is bounded.
struct Guarded<'a> {
    file: File,
    left: &'a Cell<usize>,
}

impl Read for Guarded<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(left) = self.left.get().checked_sub(into.len()) else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a row without an end"));
        };
        self.left.set(left);
        self.file.read(into)
    }
}

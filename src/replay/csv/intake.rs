//! Rows on their way in, from whatever they are written in: read, held against the plan, and sorted by time. Gathers all that is wrong
//! with them.

use super::event::Event;
use super::names::{NAMES_MAX, Names};
use super::row::{Columns, Ended, Findings, Manner, Row, Wrong};
use crate::core::plan::Plan;
use crate::core::time::Instant;
use crate::replay::history::HistoryError;
use crate::replay::sort::{CHUNK_BYTES, Sorter};
use csv::{ErrorKind, ReaderBuilder, StringRecord, Terminator};
use std::cell::Cell;
use std::io::{self, Read};
use std::sync::Arc;

/// No row is longer; one that is has a quote that never closes.
const ROW_BYTES: usize = 1 << 20;
/// What one read of a file brings.
const READ_BYTES: usize = 64 << 10;

/// What has been read so far.
pub(super) struct Intake<'a> {
    pub(super) names: Names<'a>,
    pub(super) sorter: Sorter,
    manner: Manner<'a>,
    findings: Findings,
    /// The first and the last thing that happens.
    pub(super) span: Option<(Instant, Instant)>,
    bytes: Vec<u8>,
}

impl<'a> Intake<'a> {
    /// Rows about what these plans know, the first of them before the others.
    pub(super) fn new(plans: &'a [Arc<Plan>], manner: Manner<'a>) -> Self {
        let (names, sorter) = (Names::new(plans, manner.by_hand), Sorter::new(CHUNK_BYTES));
        Self { names, sorter, manner, findings: Findings::new(), span: None, bytes: Vec::new() }
    }

    pub(super) fn refuse(&mut self, text: String) {
        self.findings.add(None, None, text);
    }

    /// Nothing more is wanted: too much is wrong.
    pub(super) fn is_full(&self) -> bool {
        self.findings.is_full()
    }

    /// Reads all rows of one file, the columns first. The error is one of reading; what is wrong with the rows is gathered.
    pub(super) fn read(
        &mut self,
        file: &str,
        text: impl Read,
        unreadable: impl Fn(io::Error) -> HistoryError,
    ) -> Result<(), HistoryError> {
        self.findings.file = file.into();
        let left = Cell::new(ROW_BYTES);
        // Each row ends with a line's end, so that it can be said where it began.
        let guarded = Guarded { text: text.chain(b"\n".as_slice()), left: &left };
        // The number of values is looked at where there is a place to name; the CR of a CRLF is blank.
        let mut reader = ReaderBuilder::new();
        reader.has_headers(false).flexible(true).terminator(Terminator::Any(b'\n')).buffer_capacity(READ_BYTES);
        let mut reader = reader.from_reader(guarded);
        let mut record = StringRecord::new();
        let mut columns: Option<Columns> = None;
        while !self.findings.is_full() {
            left.set(ROW_BYTES);
            let before = reader.position().line();
            let read = reader.read_record(&mut record).map_err(csv::Error::into_kind);
            let behind = reader.position().line();
            match read {
                Ok(true) if record.len() == 1 && record[0].trim().is_empty() => continue,
                Ok(true) => {}
                Ok(false) if columns.is_none() => {
                    self.findings.add(None, None, "the file is empty; expected a first line that names the columns");
                    break;
                }
                Ok(false) => break,
                Err(why) => match self.unread(why, before, behind).map_err(&unreadable)? {
                    true => continue,
                    false => break,
                },
            }
            // Blank lines before it are not its own, those within its quotes are. (A quote that never closes has no end of its line.)
            let within = || record.iter().map(|value| value.matches('\n').count() as u64).sum::<u64>();
            let line = || (behind - 1 - within()).max(before);
            match &columns {
                None => match Columns::read(&record, line(), self.manner, &mut self.findings) {
                    Some(read) => columns = Some(read),
                    // Without its columns no row says anything.
                    None => break,
                },
                Some(columns) => {
                    if let Some(row) = columns.row(&record, line, self.manner, &mut self.findings)
                        && let Err(why) = self.take(&row).map_err(HistoryError::no_room)?
                    {
                        self.findings.add(Some(line()), Some("check"), why);
                    }
                }
            }
        }
        Ok(())
    }

    /// Something between two lines is no row at all. `false`: nothing behind it is one either.
    fn unread(&mut self, why: ErrorKind, before: u64, behind: u64) -> io::Result<bool> {
        match why {
            ErrorKind::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
                let text = format!("a row of more than {} KiB begins here; is there a quote that never closes?", ROW_BYTES >> 10);
                self.findings.add(Some(before), None, text);
                Ok(false)
            }
            ErrorKind::Io(error) => Err(error),
            _ => {
                self.findings.add(Some(behind - 1), None, "this row is not UTF-8; expected a text in UTF-8");
                Ok(true)
            }
        }
    }

    /// Takes one row. The inner error is a sentence about its name, for the first row with that name.
    pub(super) fn take(&mut self, row: &Row<'_>) -> io::Result<Result<(), String>> {
        let place = match self.names.place(row.check) {
            Ok(place) => place,
            Err(why) => return Ok(Err(why)),
        };
        if self.names.too_many() {
            let text =
                format!("there are more than {NAMES_MAX} different names under check; expected the names of checks, not of runs");
            self.findings.add(None, None, text);
            self.findings.close();
        }
        let Some(place) = place else { return Ok(Ok(())) };
        let target = self.names.target(place);
        target.veiled |= row.ended == Ended::Unreachable;
        target.first = Some(target.first.map_or(row.started_at, |first| first.min(row.started_at)));
        for event in Event::of(row, place) {
            let (first, last) = self.span.unwrap_or((event.at, event.at));
            self.span = Some((first.min(event.at), last.max(event.at)));
            event.write(&mut self.bytes);
            self.sorter.push(event.key(), &self.bytes)?;
        }
        Ok(Ok(()))
    }

    /// All that is wrong; with it nothing is to be played.
    pub(super) fn wrong(&mut self) -> Vec<Wrong> {
        std::mem::replace(&mut self.findings, Findings::new()).into_list()
    }
}

/// A reader that gives no more than is left for one row: whatever is in the file, a row is bounded.
struct Guarded<'a, R> {
    text: R,
    left: &'a Cell<usize>,
}

impl<R: Read> Read for Guarded<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(left) = self.left.get().checked_sub(into.len()) else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a row without an end"));
        };
        self.left.set(left);
        self.text.read(into)
    }
}

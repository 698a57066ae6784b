//! One row: its columns by name, its values read or refused with their place. Knows no plan.

use crate::config::{Finding, hint};
use crate::core::observation::RunKind;
use crate::core::time::Instant;
use chrono::DateTime;
use csv::StringRecord;
use std::sync::Arc;

/// In the order in which people write them; a file may have them in any.
const COLUMNS: [&str; 8] = ["check", "started_at", "arrived_at", "state", "error", "timestamp", "run_after", "run_type"];
const NEEDED: [usize; 2] = [CHECK, ARRIVED_AT];
const CHECK: usize = 0;
const STARTED_AT: usize = 1;
const ARRIVED_AT: usize = 2;
const STATE: usize = 3;
const ERROR: usize = 4;
const TIMESTAMP: usize = 5;
const RUN_AFTER: usize = 6;
const RUN_TYPE: usize = 7;
/// A value that is quoted in a finding is cut here.
const QUOTED_CHARS: usize = 60;

/// How rows are written where they stand.
#[derive(Clone, Copy)]
pub(crate) struct Manner<'a> {
    /// Reads a time; the error follows "is no time; expected".
    pub(crate) time: &'a dyn Fn(&str) -> Result<Instant, &'static str>,
    /// By a person, for one night: a name that nobody knows is a slip, and what is empty at the end of a row may be left out. A whole
    /// history tells of more than is watched, and a row that is too short was torn.
    pub(crate) by_hand: bool,
}

/// Times as a history has them.
pub(super) fn rfc3339(text: &str) -> Result<Instant, &'static str> {
    let time = DateTime::parse_from_rfc3339(text).map_err(|_| "RFC 3339 with its zone, such as 2026-11-23T03:00:00+09:00")?;
    Ok(time.to_utc())
}

/// Something that is wrong, and where.
#[derive(Debug)]
pub(crate) struct Wrong {
    pub(super) file: Arc<str>,
    /// From 1; `None`: the whole file.
    pub(crate) line: Option<u64>,
    pub(super) column: Option<String>,
    pub(super) text: String,
}

impl Wrong {
    pub(super) fn of_all(text: String) -> Self {
        Self { file: Arc::from(""), line: None, column: None, text }
    }

    /// With the column, without the place.
    pub(crate) fn sentence(&self) -> String {
        match &self.column {
            Some(column) => format!("{column}: {}", self.text),
            None => self.text.clone(),
        }
    }

    pub(super) fn finding(self) -> Finding {
        let part = |part: Option<String>| part.map(|part| format!(":{part}")).unwrap_or_default();
        let place = format!("{}{}{}", self.file, part(self.line.map(|line| line.to_string())), part(self.column));
        Finding { place, text: self.text }
    }
}

/// Gathers what is wrong, up to a bound.
#[derive(Debug)]
pub(super) struct Findings {
    /// The file that is being read.
    pub(super) file: Arc<str>,
    list: Vec<Wrong>,
    /// Nothing more is wanted.
    full: bool,
}

impl Findings {
    /// With so many nobody reads on: a file with one slip in every row has one slip.
    pub(super) const MOST: usize = 20;

    pub(super) fn new() -> Self {
        Self { file: Arc::from(""), list: Vec::new(), full: false }
    }

    pub(super) fn add(&mut self, line: Option<u64>, column: Option<&str>, text: impl Into<String>) {
        if !self.full {
            let (file, column) = (self.file.clone(), column.map(str::to_owned));
            self.list.push(Wrong { file, line, column, text: text.into() });
            self.full = self.list.len() == Self::MOST;
        }
    }

    pub(super) fn close(&mut self) {
        self.full = true;
    }

    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    pub(super) fn into_list(mut self) -> Vec<Wrong> {
        if let Some(last) = self.list.last_mut().filter(|_| self.full) {
            last.text.push_str(" (nothing was read beyond this)");
        }
        self.list
    }
}

/// How a row ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Success,
    Failed,
    Retrying,
    Unreachable,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Row<'a> {
    pub(super) check: &'a str,
    /// `None`: the row does not say, and it is `started_at`.
    pub(super) run_after: Option<Instant>,
    pub(super) started_at: Instant,
    /// `None`: it never ended, whatever its state says.
    pub(super) arrived_at: Option<Instant>,
    pub(super) kind: RunKind,
    pub(super) ended: Ended,
    pub(super) error: &'a str,
    pub(super) timestamp: Option<Instant>,
}

impl<'a> Row<'a> {
    /// A run as planned that went well, or data that came.
    pub(crate) fn went_well(check: &'a str, started_at: Instant, arrived_at: Instant) -> Self {
        let (kind, ended) = (RunKind::Scheduled, Ended::Success);
        Self { check, run_after: None, started_at, arrived_at: Some(arrived_at), kind, ended, error: "", timestamp: None }
    }
}

/// Which column holds what.
#[derive(Debug)]
pub(super) struct Columns {
    /// By the place in [`COLUMNS`].
    at: [Option<usize>; COLUMNS.len()],
    count: usize,
}

impl Columns {
    /// `line`: that of the record. `None`: they were refused, and `findings` says why.
    pub(super) fn read(header: &StringRecord, line: u64, manner: Manner<'_>, findings: &mut Findings) -> Option<Self> {
        let before = findings.list.len();
        let mut at = [None; COLUMNS.len()];
        for (number, name) in header.iter().enumerate() {
            let name = name.trim();
            match COLUMNS.iter().position(|known| *known == name) {
                Some(known) if at[known].is_none() => at[known] = Some(number),
                Some(_) => findings.add(Some(line), Some(name), "this column is there twice"),
                None => findings.add(Some(line), None, format!("there is no column {}{}", quoted(name), hint(name, COLUMNS))),
            }
        }
        // By hand a run that has not ended yet may be all that there is.
        let needed = if manner.by_hand { &NEEDED[..1] } else { &NEEDED };
        for name in needed.iter().filter(|needed| at[**needed].is_none()).map(|needed| COLUMNS[*needed]) {
            let text = format!("the column {name} is missing; the first line names the columns: {}", COLUMNS.join(", "));
            findings.add(Some(line), None, text);
        }
        (findings.list.len() == before).then(|| Self { at, count: header.len() })
    }

    /// `line`: that of the record, wanted only where something is wrong. `None`: it was refused, and `findings` says why.
    pub(super) fn row<'a>(
        &self,
        record: &'a StringRecord,
        line: impl Fn() -> u64,
        manner: Manner<'_>,
        findings: &mut Findings,
    ) -> Option<Row<'a>> {
        if record.len() != self.count && !(manner.by_hand && record.len() < self.count) {
            let text = format!("the row has {} values; expected {}, one for each column", record.len(), self.count);
            findings.add(Some(line()), None, text);
            return None;
        }
        let mut read = Reading { columns: self, record, line: &line, manner, findings, sound: true };
        let row = read.row();
        let sound = read.sound;
        row.filter(|_| sound)
    }
}

/// One record under the eyes of a checker that goes on after each finding.
struct Reading<'a, 'b> {
    columns: &'b Columns,
    record: &'a StringRecord,
    line: &'b dyn Fn() -> u64,
    manner: Manner<'b>,
    findings: &'b mut Findings,
    sound: bool,
}

impl<'a> Reading<'a, '_> {
    fn row(&mut self) -> Option<Row<'a>> {
        let check = self.text(CHECK);
        if check.is_empty() {
            self.refuse(CHECK, "the name is missing; expected the name of a check, or source:ID");
        }
        let [started_at, arrived_at, run_after, timestamp] = [STARTED_AT, ARRIVED_AT, RUN_AFTER, TIMESTAMP].map(|c| self.time(c));
        let kind = self.kind();
        let ended = self.ended();
        if check.starts_with(super::SOURCE) && ended != Ended::Unreachable {
            self.refuse(
                STATE,
                &format!("a row of a source says when it could not be asked; expected unreachable, not {}", self.quoted(STATE)),
            );
        }
        if self.text(STARTED_AT).is_empty() && self.text(ARRIVED_AT).is_empty() {
            self.refuse(STARTED_AT, "neither started_at nor arrived_at is given; expected at least one of them");
        }
        if let (Some(started), Some(arrived)) = (started_at, arrived_at)
            && arrived < started
        {
            let text = format!(
                "{} lies before started_at, {}; expected it then or later",
                self.quoted(ARRIVED_AT),
                self.quoted(STARTED_AT)
            );
            self.refuse(ARRIVED_AT, &text);
        }
        let started_at = started_at.or(arrived_at)?;
        Some(Row { check, run_after, started_at, arrived_at, kind, ended, error: self.text(ERROR), timestamp })
    }

    fn text(&self, column: usize) -> &'a str {
        self.columns.at[column].and_then(|at| self.record.get(at)).map_or("", str::trim)
    }

    fn quoted(&self, column: usize) -> String {
        quoted(self.text(column))
    }

    /// As exact as the store keeps it.
    fn time(&mut self, column: usize) -> Option<Instant> {
        let text = self.text(column);
        if text.is_empty() {
            return None;
        }
        match (self.manner.time)(text) {
            Ok(time) => DateTime::from_timestamp_micros(time.timestamp_micros()),
            Err(expected) => {
                self.refuse(column, &format!("{} is no time; expected {expected}", self.quoted(column)));
                None
            }
        }
    }

    fn kind(&mut self) -> RunKind {
        match self.text(RUN_TYPE) {
            "" | "scheduled" => RunKind::Scheduled,
            "manual" => RunKind::Manual,
            "backfill" => RunKind::Backfill,
            "triggered" | "asset_triggered" | "dataset_triggered" => RunKind::Triggered,
            _ => {
                let text =
                    format!("{} is no kind of run; expected scheduled, manual, backfill or asset_triggered", self.quoted(RUN_TYPE));
                self.refuse(RUN_TYPE, &text);
                RunKind::Scheduled
            }
        }
    }

    fn ended(&mut self) -> Ended {
        match self.text(STATE) {
            "" | "success" => Ended::Success,
            "failed" => Ended::Failed,
            "retrying" => Ended::Retrying,
            "unreachable" => Ended::Unreachable,
            _ => {
                let text = format!("{} is no state; expected success, failed, retrying or unreachable", self.quoted(STATE));
                self.refuse(STATE, &text);
                // Says nothing more about a row of a source.
                Ended::Unreachable
            }
        }
    }

    fn refuse(&mut self, column: usize, text: &str) {
        self.sound = false;
        self.findings.add(Some((self.line)()), Some(COLUMNS[column]), text);
    }
}

fn quoted(text: &str) -> String {
    let cut: String = text.chars().take(QUOTED_CHARS).collect();
    if cut.len() < text.len() { format!("{:?}", cut + "…") } else { format!("{cut:?}") }
}

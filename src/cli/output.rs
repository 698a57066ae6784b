//! Writing to standard output. Whoever closes the pipe early has read enough: that is no error.

use crate::error::Error;
use serde::Serialize;
use std::io::{self, ErrorKind, Write};

/// Writes a result and a line end.
pub(super) fn write(text: &str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::Output(error)),
        _ => Ok(()),
    }
}

/// Writes a value as one line of JSON, its fields in their order.
pub(super) fn json(value: &impl Serialize) -> Result<(), Error> {
    write(&serde_json::to_string(value).map_err(|error| Error::Output(error.into()))?)
}

/// Rows of cells in columns: the first column to the left, the others to the right.
pub(super) fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let line = |row: &Vec<String>| {
        let cells = row.iter().enumerate().map(|(column, cell)| {
            let width = width(column);
            if column == 0 { format!("{cell:width$}") } else { format!("{cell:>width$}") }
        });
        format!("  {}", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// Values that are printed as they come, and a last one: a line each, or together one JSON document with the list under a name.
pub(super) struct Stream {
    list: Option<&'static str>,
    begun: bool,
}

impl Stream {
    pub(super) fn lines() -> Self {
        Self { list: None, begun: false }
    }

    pub(super) fn document(list: &'static str) -> Self {
        Self { list: Some(list), begun: false }
    }

    pub(super) fn item(&mut self, value: &impl Serialize) -> Result<(), Error> {
        if let Some(list) = self.list {
            write(&if std::mem::replace(&mut self.begun, true) { ",".to_owned() } else { format!("{{\"{list}\":[") })?;
        }
        json(value)
    }

    pub(super) fn end(self, summary: &impl Serialize) -> Result<(), Error> {
        let Some(list) = self.list else { return json(summary) };
        let lead = if self.begun { String::new() } else { format!("{{\"{list}\":[") };
        write(&format!("{lead}],\"summary\":"))?;
        json(summary)?;
        write("}")
    }
}

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

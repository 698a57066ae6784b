//! Writing to standard output. Whoever closes the pipe early has read enough: that is no error.

use crate::error::Error;
use std::io::{self, ErrorKind, Write};

/// Writes a result and a line end.
pub(super) fn write(text: &str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::Output(error)),
        _ => Ok(()),
    }
}

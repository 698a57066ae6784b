//! `completions`: the script by which a shell completes commands and options. Reads no configuration and asks nobody.

use super::{Cli, Completions, output};
use crate::error::{Error, Exit};
use clap::CommandFactory;

pub(super) fn run(args: &Completions) -> Result<Exit, Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "dawnwatch", &mut script);
    output::write(String::from_utf8_lossy(&script).trim_end())?;
    Ok(Exit::Fine)
}

//! `schema`: the JSON Schema of a configuration file, for editors. Reads no configuration and asks nobody.

use super::output;
use crate::config;
use crate::error::{Error, Exit};

pub(super) fn run() -> Result<Exit, Error> {
    output::write(&format!("{:#}", config::json_schema()))?;
    Ok(Exit::Fine)
}

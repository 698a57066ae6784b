//! The configuration: files and environment → raw tables → checked → ([`Plan`], [`Wiring`]).

pub mod wiring;

use crate::core::plan::Plan;
use std::path::Path;
use wiring::Wiring;

/// A configuration that was accepted.
#[derive(Debug, Clone)]
pub struct Loaded {
    pub plan: Plan,
    pub wiring: Wiring,
    /// Semantic lints: worth a look, no reason to refuse.
    pub warnings: Vec<Finding>,
}

/// One thing to say about a configuration, at its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// `config/dawnwatch.toml:12:9`, or the environment variable's name.
    pub place: String,
    /// What is wrong, what was expected, and "did you mean".
    pub text: String,
}

/// A configuration that was refused, with all its errors at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the configuration was refused: {} findings", .errors.len())]
pub struct Refused {
    pub errors: Vec<Finding>,
    pub warnings: Vec<Finding>,
}

/// Reads `path` (a file, or a folder with `dawnwatch.toml`, `conf.d/` and `profiles/`) and `DAWNWATCH__A__B=…` variables out of
/// `environment`. Needs no secret to be set.
pub fn load(_path: &Path, _profile: Option<&str>, _environment: &[(String, String)]) -> Result<Loaded, Refused> {
    unimplemented!()
}

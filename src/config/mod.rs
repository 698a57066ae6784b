//! The configuration: files and environment → one tree (`merge`) → raw tables (`raw`) → checked (`check`) → ([`Plan`], [`Wiring`]).
//!
//! All errors come at once, each with its place. Nothing in here reads the process's environment, asks a source or needs a secret
//! to be set; only [`wiring::Secret::resolve`] does, later, when something is about to be asked.

mod check;
mod document;
mod files;
mod holidays;
mod merge;
pub mod outlook;
mod place;
mod raw;
mod shape;
mod tables;
mod values;
pub mod wiring;

pub(crate) use check::{days, duration};
pub use document::{Document, Entry, Piece};
pub(crate) use place::hint;

use crate::core::plan::Plan;
use figment::value::{Dict, Value};
use files::Files;
use place::Report;
use sha2::{Digest, Sha256};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use wiring::Wiring;

/// A configuration that was accepted.
#[derive(Debug, Clone)]
pub struct Loaded {
    pub plan: Plan,
    pub wiring: Wiring,
    /// Semantic lints: worth a look, no reason to refuse.
    pub warnings: Vec<Finding>,
    /// Where each key stands, for what is found out later.
    pub places: Places,
}

/// Where the keys of a configuration stand. Holds no value.
#[derive(Debug, Clone)]
pub struct Places(Arc<shape::Origins>);

impl Places {
    /// What is to be said of the key at `path`, or of the table that lacks it.
    pub fn finding(&self, path: &[&str], text: impl Into<String>) -> Finding {
        Finding { place: self.0.value(&place::keys(path)).to_string(), text: text.into() }
    }
}

/// One thing to say about a configuration, at its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// `config/dawnwatch.toml:12:9`, or the environment variable's name.
    pub place: String,
    /// What is wrong, what was expected, and "did you mean".
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.text)
    }
}

/// A configuration that was refused, with all its errors at once, in the order of the files.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the configuration was refused: {} finding{}", .errors.len(), if .errors.len() == 1 { "" } else { "s" })]
pub struct Refused {
    pub errors: Vec<Finding>,
    pub warnings: Vec<Finding>,
}

/// Reads `path` (a file, or a folder with `dawnwatch.toml`, `conf.d/` and `profiles/`) and `DAWNWATCH__A__B=…` variables out of
/// `environment`. Needs no secret to be set.
pub fn load(path: &Path, profile: Option<&str>, environment: &[(String, String)]) -> Result<Loaded, Refused> {
    let mut report = Report::default();
    let built = files::read(path, profile, &mut report).and_then(|files| build(files, environment, &mut report));
    loaded(built, report)
}

/// Reads the files at `base` as [`load`] does and lays `pieces` over them, one after the other, as profiles are. No base: the pieces are
/// all there is, and there is at least one. Takes nothing from the environment.
pub fn load_pieces(base: Option<&Path>, pieces: &[Piece]) -> Result<Loaded, Refused> {
    let mut report = Report::default();
    let files = match base {
        Some(path) => files::read(path, None, &mut report),
        None => pieces.first().map(|piece| Files { base: Vec::new(), over: Vec::new(), main: piece.place().clone() }),
    };
    let built = files.and_then(|mut files| {
        files.over.extend(pieces.iter().cloned().map(Piece::into_layer));
        build(files, &[], &mut report)
    });
    loaded(built, report)
}

fn loaded(built: Option<Built>, report: Report) -> Result<Loaded, Refused> {
    let refused = report.has_errors();
    let (errors, warnings) = report.into_findings();
    match built {
        Some((plan, wiring, places)) if !refused => Ok(Loaded { plan, wiring, warnings, places }),
        _ => Err(Refused { errors, warnings }),
    }
}

/// The JSON Schema of one configuration file, for editors.
pub fn json_schema() -> serde_json::Value {
    schemars::schema_for!(raw::Raw).to_value()
}

type Built = (Plan, Wiring, Places);

fn build(files: Files, environment: &[(String, String)], report: &mut Report) -> Option<Built> {
    let main = files.main.clone();
    let merged = merge::merge(files, environment, report);
    let mut hash = Sha256::new();
    canonical(&merged.dict, &mut hash);
    let shaped = shape::shape(merged, &main, report);
    let (plan, wiring, origins) = check::check(shaped, |plan| fingerprint(hash, plan), report);
    Some((plan, wiring, Places(Arc::new(origins))))
}

/// The tree in the order of its keys; a secret in the open is left out.
fn canonical(dict: &Dict, hash: &mut Sha256) {
    hash.update("{");
    for (key, value) in dict {
        hash.update(format!("{key:?}:"));
        match value {
            Value::Dict(_, inner) if merge::is_reference(inner) && inner.contains_key("value") => hash.update("{secret}"),
            Value::Dict(_, inner) => canonical(inner, hash),
            other => hash.update(serde_json::to_string(other).unwrap_or_default()),
        }
        hash.update(",");
    }
    hash.update("}");
}

/// Twelve hex digits over the tree and the days of its calendars, which may stand in files of their own.
fn fingerprint(mut hash: Sha256, plan: &Plan) -> Arc<str> {
    hash.update(format!("{:?}", plan.calendars));
    hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect::<String>().into()
}

//! A TOML file that is no configuration, but may hold pieces of one: golden nights. Read as strictly as a configuration: what is
//! wrong stands with its file, line and column. Knows nothing of what its keys mean.

use super::Finding;
use super::files::{self, Layer};
use super::place::{Keys, Place, Report, Spots, SpotsBuilder, keys};
use super::shape::{Origins, Reader};
use figment::value::{Dict, Value};
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Behind all files of a configuration, however many these are: a piece lies over them.
const LAYER: usize = 1 << 16;

/// A file, read and taken apart bit by bit.
pub struct Document {
    dict: Dict,
    origins: Origins,
    report: Report,
}

/// A piece of a configuration, with the places at which its keys stand.
#[derive(Debug, Clone)]
pub struct Piece {
    dict: Dict,
    spots: Spots,
    place: Place,
}

/// One table, typed, and where it stands.
pub struct Entry<T> {
    pub keys: Vec<String>,
    pub value: T,
}

impl Document {
    /// Reads a file. The errors say where it is no TOML.
    pub fn read(path: &Path) -> Result<Self, Vec<Finding>> {
        let file = Place::file(LAYER, path.display().to_string(), path.parent().unwrap_or(Path::new("")).to_owned());
        let mut report = Report::default();
        let layer = match files::text_of(path) {
            Ok(text) => files::parse(&text, &file, &mut report),
            Err(why) => {
                report.error(file.clone(), why);
                None
            }
        };
        let Some(Layer { dict, spots }) = layer else { return Err(report.into_findings().0) };
        Ok(Self { dict, origins: Origins::of_one(spots, file.at(1, 1)), report })
    }

    /// Is any of these keys at the top?
    pub fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.dict.contains_key(*name))
    }

    /// The keys of each table in the list `name`.
    pub fn keys_of(&self, name: &str) -> Vec<Vec<String>> {
        let Some(Value::Array(_, tables)) = self.dict.get(name) else { return Vec::new() };
        let keys = |table: &Value| table.as_dict().map(|dict| dict.keys().cloned().collect()).unwrap_or_default();
        tables.iter().map(keys).collect()
    }

    /// Does text stand at `path`?
    pub fn is_text(&self, path: &[&str]) -> bool {
        let found = path.split_first().and_then(|(first, rest)| find_within(self.dict.get(*first)?, rest));
        matches!(found, Some(Value::String(..)))
    }

    /// Takes the table at `path` out, as a piece of a configuration. `None`: there is no such table.
    pub fn take_piece(&mut self, path: &[&str]) -> Option<Piece> {
        let dict = match take(&mut self.dict, path)? {
            Value::Dict(_, dict) => dict,
            _ => {
                self.error(path, format!("{} is no table; expected a piece of a configuration", path.join(".")));
                return None;
            }
        };
        let prefix = keys(path);
        let place = self.origins.value(&prefix);
        let mut spots = SpotsBuilder::new("");
        for (keys, spot) in self.origins.spots().iter() {
            if let Some(rest) = keys.strip_prefix(prefix.as_slice()).filter(|rest| !rest.is_empty()) {
                spots.insert(rest, spot.clone());
            }
        }
        Some(Piece { dict, spots: spots.build(), place })
    }

    /// Takes the array of tables `name` out, each typed by itself, so that one slip hides no other.
    pub fn take_list<T: DeserializeOwned>(&mut self, name: &str) -> Vec<Entry<T>> {
        let tables = match self.dict.remove(name) {
            None => return Vec::new(),
            Some(Value::Array(_, tables)) => tables,
            Some(_) => {
                self.error(&[name], format!("{name} is no list of tables; expected [[{name}]]"));
                return Vec::new();
            }
        };
        let each = tables.into_iter().enumerate().filter_map(|(at, table)| {
            let keys = vec![name.to_owned(), at.to_string()];
            Some(Entry { value: self.typed(table, &keys)?, keys })
        });
        each.collect()
    }

    /// What is left, typed.
    pub fn rest<T: DeserializeOwned>(&mut self) -> Option<T> {
        let dict = std::mem::take(&mut self.dict);
        self.typed(Value::from(dict), &[])
    }

    fn typed<T: DeserializeOwned>(&mut self, value: Value, path: &[String]) -> Option<T> {
        let mut removed = BTreeSet::new();
        Reader { origins: &self.origins, removed: &mut removed, report: &mut self.report, errors: 0 }.read(value, path)
    }

    /// Something is wrong with the value at `path`, or with the table that lacks it.
    pub fn error(&mut self, path: &[&str], text: impl Into<String>) {
        let place = self.origins.value(&keys(path));
        self.report.error(place, text);
    }

    /// Something is wrong `lines` lines below the beginning of the text at `path`.
    pub fn error_below(&mut self, path: &[&str], lines: usize, text: impl Into<String>) {
        let place = self.origins.value(&keys(path)).below(lines);
        self.report.error(place, text);
    }

    /// Where the value at `path` stands, as people read it.
    pub fn place(&self, path: &[&str]) -> String {
        self.origins.value(&keys(path)).to_string()
    }

    /// `path` as seen from this file.
    pub fn join(&self, path: &str) -> PathBuf {
        self.origins.value(&Keys::new()).join(path)
    }

    /// All that was wrong, in the order of the file.
    pub fn into_errors(self) -> Vec<Finding> {
        self.report.into_findings().0
    }
}

impl Piece {
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    pub(super) fn into_layer(self) -> Layer {
        Layer { dict: self.dict, spots: self.spots }
    }
}

fn find_within<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    let Some((first, rest)) = path.split_first() else { return Some(value) };
    match value {
        Value::Dict(_, inner) => find_within(inner.get(*first)?, rest),
        Value::Array(_, items) => find_within(items.get(first.parse::<usize>().ok()?)?, rest),
        _ => None,
    }
}

fn take(dict: &mut Dict, path: &[&str]) -> Option<Value> {
    let (first, rest) = path.split_first()?;
    if rest.is_empty() {
        return dict.remove(*first);
    }
    take_within(dict.get_mut(*first)?, rest)
}

fn take_within(value: &mut Value, path: &[&str]) -> Option<Value> {
    match value {
        Value::Dict(_, inner) => take(inner, path),
        Value::Array(_, items) => {
            let (first, rest) = path.split_first()?;
            take_within(items.get_mut(first.parse::<usize>().ok()?)?, rest)
        }
        _ => None,
    }
}

//! The files of a configuration: which ones there are, and their text as tables with the place of every key.
//!
//! Knows nothing of what the keys mean. Reads at most [`FILES_MAX`] files of at most [`BYTES_MAX`] bytes each.

use super::place::{Keys, Place, Report, Spot, Spots, SpotsBuilder, hint};
use figment::value::{Dict, Value};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

const FILES_MAX: usize = 256;
const BYTES_MAX: u64 = 1 << 20;
/// One broken quote makes a parser stumble over every line that follows.
const SYNTAX_ERRORS_MAX: usize = 10;

/// One file, read.
pub(super) struct Layer {
    pub(super) dict: Dict,
    pub(super) spots: Spots,
}

/// All files of a configuration, read.
pub(super) struct Files {
    /// `dawnwatch.toml` first, then `conf.d` in order of name.
    pub(super) base: Vec<Layer>,
    /// What lies over them, one over the other: a profile, or pieces.
    pub(super) over: Vec<Layer>,
    /// The whole of the main file: where to say that something is missing.
    pub(super) main: Place,
}

/// Finds and reads the files. `None`: there is nothing to look at further, and the report says why.
pub(super) fn read(path: &Path, profile: Option<&str>, report: &mut Report) -> Option<Files> {
    let (base, profile) = match find(path, profile) {
        Ok(found) => found,
        Err(text) => {
            report.error(Place::file(0, path.display().to_string(), PathBuf::new()), text);
            return None;
        }
    };
    let places: Vec<Place> = base.iter().chain(&profile).enumerate().map(|(layer, path)| place_of(layer, path)).collect();
    let mut layers: Vec<Layer> =
        base.iter().chain(&profile).zip(&places).filter_map(|(path, place)| layer(path, place, report)).collect();
    if layers.len() < places.len() {
        return None;
    }
    let over = layers.split_off(base.len());
    Some(Files { base: layers, over, main: places.first()?.at(1, 1) })
}

fn place_of(layer: usize, path: &Path) -> Place {
    Place::file(layer, path.display().to_string(), path.parent().unwrap_or(Path::new("")).to_owned())
}

type Found = (Vec<PathBuf>, Option<PathBuf>);

fn find(path: &Path, profile: Option<&str>) -> Result<Found, String> {
    let kind = fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        _ => format!("cannot be read: {error}"),
    })?;
    if kind.is_file() {
        return match profile {
            None => Ok((vec![path.to_owned()], None)),
            Some(name) => Err(format!("profile {name:?} needs a folder with profiles/{name}.toml in it; this is a file")),
        };
    }
    if !kind.is_dir() {
        return Err("is neither a file nor a folder".to_owned());
    }
    let main = path.join("dawnwatch.toml");
    if !main.is_file() {
        return Err("there is no dawnwatch.toml in this folder".to_owned());
    }
    let mut base = vec![main];
    base.extend(toml_files(&path.join("conf.d"))?);
    let profile = profile.map(|name| find_profile(&path.join("profiles"), name)).transpose()?;
    Ok((base, profile))
}

fn find_profile(folder: &Path, name: &str) -> Result<PathBuf, String> {
    let there = toml_files(folder)?;
    let stem = |path: &PathBuf| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let names: Vec<String> = there.iter().map(stem).collect();
    match names.iter().position(|had| had == name) {
        Some(at) => Ok(there[at].clone()),
        None => Err(format!("there is no profile {name:?} (profiles/{name}.toml){}", hint(name, names.iter().map(String::as_str)))),
    }
}

/// The `*.toml` files of a folder by name, hidden ones (editors leave such) left out. No folder: none.
fn toml_files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(format!("{} cannot be read: {error}", folder.display())),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| format!("{} cannot be read: {error}", folder.display()))?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if path.extension().is_some_and(|extension| extension == "toml") && !hidden {
            files.push(path);
        }
        if files.len() > FILES_MAX {
            return Err(format!("{} holds more than {FILES_MAX} files", folder.display()));
        }
    }
    files.sort();
    Ok(files)
}

/// A file's text, or why there is none.
pub(super) fn text_of(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(format!("is larger than {} MiB", BYTES_MAX >> 20));
    }
    String::from_utf8(bytes).map_err(|_| "is not UTF-8 text".to_owned())
}

fn layer(path: &Path, place: &Place, report: &mut Report) -> Option<Layer> {
    match text_of(path) {
        Ok(text) => parse(&text, place, report),
        Err(why) => {
            report.error(place.clone(), why);
            None
        }
    }
}

/// `None`: the text is not TOML, and the report says where.
pub(super) fn parse(text: &str, file: &Place, report: &mut Report) -> Option<Layer> {
    let lines = Lines::new(text, file);
    let mut spots = SpotsBuilder::new(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors.iter().take(SYNTAX_ERRORS_MAX) {
        let offset = error.span().map_or(0, |span| span.start);
        report.error(lines.place(offset), format!("not TOML: {}", in_words(error.message())));
    }
    if !errors.is_empty() {
        return None;
    }
    let dict = convert_table(table.into_inner(), &mut Vec::new(), &lines, &mut spots);
    Some(Layer { dict, spots: spots.build() })
}

fn in_words(message: &str) -> String {
    // 0900 is what many write for 09:00.
    if message.starts_with("unexpected leading zero") {
        return "a number does not begin with 0; expected text in quotes, such as \"09:00\"".to_owned();
    }
    message.replace('\n', ", ")
}

struct Lines<'a> {
    text: &'a str,
    /// Byte offsets at which lines begin.
    starts: Vec<usize>,
    file: &'a Place,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str, file: &'a Place) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, starts, file }
    }

    fn place(&self, offset: usize) -> Place {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts[line - 1];
        let before = self.text.get(start..offset).unwrap_or_default();
        // No editor counts a byte order mark.
        self.file.at(line, before.trim_start_matches('\u{feff}').chars().count() + 1)
    }
}

/// Takes the tables apart one by one: thousands of checks need not be in memory twice.
fn convert_table(table: DeTable<'_>, path: &mut Keys, lines: &Lines<'_>, spots: &mut SpotsBuilder) -> Dict {
    let mut dict = Dict::new();
    for (key, value) in table {
        let key_place = lines.place(key.span().start);
        path.push(key.into_inner().into_owned());
        let value = convert(value, &key_place, path, lines, spots);
        dict.extend(path.pop().map(|key| (key, value)));
    }
    dict
}

fn convert(value: Spanned<DeValue<'_>>, key: &Place, path: &mut Keys, lines: &Lines<'_>, spots: &mut SpotsBuilder) -> Value {
    // A table's own span is its header, or nothing at all for a table that only its children name: its key says more.
    let span = value.span();
    let place = if value.get_ref().is_table() { key.clone() } else { lines.place(span.start) };
    spots.insert(path, Spot { key: key.clone(), value: place });
    match value.into_inner() {
        DeValue::String(text) => Value::from(text.as_ref()),
        // No key takes a number: what matters is that it is one.
        DeValue::Integer(number) => Value::from(i64::from_str_radix(number.as_str(), number.radix()).unwrap_or_default()),
        DeValue::Float(number) => Value::from(number.as_str().parse().unwrap_or(0.0_f64)),
        DeValue::Boolean(truth) => Value::from(truth),
        // 2026-12-31 and 09:00 without quotes mean the same as with them.
        DeValue::Datetime(_) => Value::from(lines.text.get(span).unwrap_or_default()),
        DeValue::Array(items) => {
            let mut list = Vec::new();
            for (at, item) in items.into_iter().enumerate() {
                path.push(at.to_string());
                let place = lines.place(item.span().start);
                list.push(convert(item, &place, path, lines, spots));
                path.pop();
            }
            Value::from(list)
        }
        DeValue::Table(table) => Value::from(convert_table(table, path, lines, spots)),
    }
}

//! Where a key or a value stands, and the report that gathers what is to be said about it, in the order of the files.

use super::Finding;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// A path of keys from the top of the configuration; an element of a list has its number.
pub(super) type Keys = Vec<String>;

pub(super) fn keys(path: &[&str]) -> Keys {
    path.iter().map(|key| (*key).to_owned()).collect()
}

/// A place in a file, or an environment variable. Ordered as people read: file by file, from the top.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    origin: Arc<Origin>,
    /// Counted from 1; 0: the place has no lines. A file is far shorter than four billion of either.
    line: u32,
    column: u32,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Origin {
    /// The order in which the files were read.
    layer: usize,
    name: String,
    folder: PathBuf,
}

impl Place {
    /// The whole of a file. Relative paths that it names start from `folder`.
    pub(super) fn file(layer: usize, name: String, folder: PathBuf) -> Self {
        Self { origin: Arc::new(Origin { layer, name, folder }), line: 0, column: 0 }
    }

    /// An environment variable. Relative paths in it start from the working folder, as in a shell.
    pub(super) fn variable(layer: usize, name: &str) -> Self {
        Self::file(layer, name.to_owned(), PathBuf::new())
    }

    pub(super) fn at(&self, line: usize, column: usize) -> Self {
        let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Self { origin: self.origin.clone(), line: small(line), column: small(column) }
    }

    /// `path` as seen from the file that names it.
    pub(super) fn join(&self, path: &str) -> PathBuf {
        self.origin.folder.join(path)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin.name)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        Ok(())
    }
}

/// Where a key stands and where its value begins.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    pub(super) key: Place,
    pub(super) value: Place,
}

/// The spot of each key. There are tens of thousands, so a path is one text here.
#[derive(Debug, Default)]
pub(super) struct Spots(BTreeMap<Box<str>, Spot>);

/// Between the keys of a path. A key with it in its name would at worst be shown at another's place.
const BETWEEN: &str = "\0";

impl Spots {
    pub(super) fn get(&self, path: &[String]) -> Option<&Spot> {
        self.0.get(path.join(BETWEEN).as_str())
    }

    pub(super) fn insert(&mut self, path: &[String], spot: Spot) {
        self.0.insert(path.join(BETWEEN).into(), spot);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Keys, &Spot)> {
        self.0.iter().map(|(path, spot)| (path.split(BETWEEN).map(str::to_owned).collect(), spot))
    }

    /// What `upper` knows goes over what was here.
    pub(super) fn extend(&mut self, upper: Self) {
        self.0.extend(upper.0);
    }
}

/// Everything found so far; the same thing at the same place only once.
#[derive(Debug, Default)]
pub(super) struct Report {
    errors: BTreeSet<(Place, String)>,
    warnings: BTreeSet<(Place, String)>,
}

impl Report {
    pub(super) fn error(&mut self, place: Place, text: impl Into<String>) {
        self.errors.insert((place, text.into()));
    }

    pub(super) fn warning(&mut self, place: Place, text: impl Into<String>) {
        self.warnings.insert((place, text.into()));
    }

    pub(super) fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    /// (errors, warnings)
    pub(super) fn into_findings(self) -> (Vec<Finding>, Vec<Finding>) {
        let list = |set: BTreeSet<(Place, String)>| {
            set.into_iter().map(|(place, text)| Finding { place: place.to_string(), text }).collect()
        };
        (list(self.errors), list(self.warnings))
    }
}

/// "did you mean": the candidate nearest to `word`, if one is near at all.
pub(super) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // One slip in three letters is a typing error; more is another word. Long words are names that nobody mistyped.
    let allowed = (word.chars().count() / 3).clamp(1, 8);
    let lower = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= allowed && *candidate != word)
        .min()
        .map(|(_, candidate)| candidate)
}

/// `; did you mean "x"?`, or what there is to choose from, or nothing where that is too much to list.
pub(super) fn hint<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str> + Clone) -> String {
    const LISTED_MAX: usize = 24;
    if let Some(near) = nearest(word, candidates.clone()) {
        return format!("; did you mean {near:?}?");
    }
    let all: Vec<&str> = candidates.into_iter().take(LISTED_MAX + 1).collect();
    if all.is_empty() || all.len() > LISTED_MAX {
        return String::new();
    }
    format!("; expected one of {}", all.join(", "))
}

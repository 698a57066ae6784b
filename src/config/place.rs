//! Where a key or a value stands, and the report that gathers what is to be said about it, in the order of the files.

use super::Finding;
use std::collections::BTreeSet;
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

/// The spot of each key. There are tens of thousands, so their paths are parts of one text.
#[derive(Debug, Default)]
pub(super) struct Spots {
    paths: String,
    /// In order of the paths.
    list: Vec<(Part, Spot)>,
}

/// Where a path begins and ends in the text of all. Files together are far shorter than four gigabytes.
#[derive(Debug, Clone, Copy)]
struct Part(u32, u32);

impl Part {
    fn new(begin: usize, end: usize) -> Self {
        let small = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self(small(begin), small(end))
    }

    fn of(self, paths: &str) -> &str {
        paths.get(self.0 as usize..self.1 as usize).unwrap_or_default()
    }
}

/// Between the keys of a path. A key with it in its name would at worst be shown at another's place.
const BETWEEN: char = '\0';

impl Spots {
    pub(super) fn get(&self, path: &[String]) -> Option<&Spot> {
        let mut text = String::new();
        write(&mut text, path);
        let after = self.list.partition_point(|(part, _)| part.of(&self.paths) <= text.as_str());
        // Of several the last one holds.
        let (part, spot) = self.list[..after].last()?;
        (part.of(&self.paths) == text).then_some(spot)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Keys, &Spot)> {
        self.list.iter().map(|(part, spot)| (part.of(&self.paths).split(BETWEEN).map(str::to_owned).collect(), spot))
    }

    /// What `upper` knows goes over what was here.
    pub(super) fn extend(&mut self, upper: Self) {
        let begin = self.paths.len();
        self.paths.push_str(&upper.paths);
        let moved = |at: u32| at as usize + begin;
        self.list.extend(upper.list.into_iter().map(|(part, spot)| (Part::new(moved(part.0), moved(part.1)), spot)));
        self.sort();
    }

    /// Keeps the order of those with the same path.
    fn sort(&mut self) {
        let paths = &self.paths;
        self.list.sort_by(|(a, _), (b, _)| a.of(paths).cmp(b.of(paths)));
    }
}

fn write(text: &mut String, path: &[String]) {
    for (at, key) in path.iter().enumerate() {
        text.extend((at > 0).then_some(BETWEEN));
        text.push_str(key);
    }
}

/// Spots on their way from a file.
pub(super) struct SpotsBuilder(Spots);

impl SpotsBuilder {
    /// `text`: what is to be read. Room for about as many spots as it has.
    pub(super) fn new(text: &str) -> Self {
        let values = text.bytes().filter(|byte| matches!(byte, b'\n' | b',')).count();
        Self(Spots { paths: String::with_capacity(text.len()), list: Vec::with_capacity(values) })
    }

    pub(super) fn insert(&mut self, path: &[String], spot: Spot) {
        let Spots { paths, list } = &mut self.0;
        let begin = paths.len();
        write(paths, path);
        list.push((Part::new(begin, paths.len()), spot));
    }

    pub(super) fn build(mut self) -> Spots {
        self.0.sort();
        self.0
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
pub(crate) fn hint<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str> + Clone) -> String {
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

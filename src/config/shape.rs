//! From the merged tree to the raw tables: what is not supported yet is refused, templates are filled in, and every key that has
//! no business where it stands, or a value of the wrong type, is reported at once.
//!
//! Values are never repeated here: any of them may be a secret.

use super::merge::{Merged, find};
use super::place::{Keys, Place, Report, Spots, hint, keys};
use super::raw::Raw;
use super::tables::lists_for_tables;
use figment::error::{Actual, Kind};
use figment::value::{Dict, Value};
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};

/// More errors than anybody reads at once; each costs another pass.
const ERRORS_MAX: usize = 200;
/// A chain of templates longer than this is no help to anybody.
const CHAIN_MAX: usize = 16;

/// The raw tables, and what is needed to speak about them.
pub(super) struct Shaped {
    pub(super) raw: Raw,
    pub(super) names: Names,
    pub(super) origins: Origins,
    /// What was taken out after it was reported, so that nobody reports it as missing as well.
    pub(super) removed: BTreeSet<Keys>,
}

/// The names in each section, broken entries included: a name that exists is never reported as unknown.
pub(super) struct Names(BTreeMap<String, BTreeSet<String>>);

impl Names {
    fn of(dict: &Dict) -> Self {
        let names = |value: &Value| value.as_dict().map(|dict| dict.keys().cloned().collect()).unwrap_or_default();
        Self(dict.iter().map(|(section, value)| (section.clone(), names(value))).collect())
    }

    pub(super) fn of_section(&self, section: &str) -> impl Iterator<Item = &str> + Clone {
        self.0.get(section).into_iter().flatten().map(String::as_str)
    }

    pub(super) fn has(&self, section: &str, name: &str) -> bool {
        self.0.get(section).is_some_and(|names| names.contains(name))
    }
}

/// Where keys come from: a key of a check may stand in its template.
#[derive(Debug)]
pub(super) struct Origins {
    spots: Spots,
    /// (section, name) → its templates, nearest first.
    chains: BTreeMap<(String, String), Vec<String>>,
    main: Place,
}

impl Origins {
    /// Those of one file without templates.
    pub(super) fn of_one(spots: Spots, main: Place) -> Self {
        Self { spots, chains: BTreeMap::new(), main }
    }

    pub(super) fn spots(&self) -> &Spots {
        &self.spots
    }

    /// The path under which a key was written.
    fn written(&self, path: &[String]) -> Keys {
        if let [section, name, rest @ ..] = path
            && self.spots.get(path).is_none()
            && let Some(chain) = self.chains.get(&(section.clone(), name.clone()))
        {
            let under = |template: &String| ["templates".to_owned(), template.clone()].iter().chain(rest).cloned().collect();
            if let Some(found) = chain.iter().map(under).find(|path: &Keys| self.spots.get(path).is_some()) {
                return found;
            }
        }
        path.to_vec()
    }

    /// Where the value stands; for what is missing, the table that lacks it.
    pub(super) fn value(&self, path: &[String]) -> Place {
        let path = self.written(path);
        (1..=path.len()).rev().find_map(|end| self.spots.get(&path[..end])).map_or(self.main.clone(), |spot| spot.value.clone())
    }

    fn key(&self, path: &[String]) -> Place {
        self.spots.get(&self.written(path)).map_or_else(|| self.value(path), |spot| spot.key.clone())
    }
}

/// Takes the tree apart.
pub(super) fn shape(merged: Merged, main: &Place, report: &mut Report) -> Shaped {
    let Merged { mut dict, spots } = merged;
    let names = Names::of(&dict);
    let mut origins = Origins { spots, chains: BTreeMap::new(), main: main.clone() };
    let mut removed = BTreeSet::new();
    for (path, text) in later(&dict) {
        report.error(origins.key(&path), text);
        remove(&mut dict, &path);
        removed.insert(path);
    }
    for path in lists_for_tables(&dict) {
        report.error(origins.value(&path), format!("{} is a list; expected a table", path.join(".")));
        remove(&mut dict, &path);
        removed.insert(path);
    }
    fill_templates(&mut dict, &names, &mut origins, report);
    let raw = extract(dict, &origins, &mut removed, report);
    Shaped { raw, names, origins, removed }
}

/// What the names promise and this version does not do. Refused, for a key that is silently ignored is a watch that does not watch.
fn later(dict: &Dict) -> Vec<(Keys, String)> {
    let mut found = Vec::new();
    let entries = |section: &'static str| {
        let table = dict.get(section).and_then(Value::as_dict);
        table.into_iter().flatten().filter_map(move |(name, value)| Some((section, name, value.as_dict()?)))
    };
    if find(dict, &keys(&["store", "url"])).is_some() {
        found.push((keys(&["store", "url"]), "store.url is not supported yet; expected path = \"dawnwatch.db\"".to_owned()));
    }
    for (section, name, entry) in entries("owners") {
        if entry.contains_key("tell") {
            found.push((keys(&[section, name, "tell"]), "hand-offs to an owner are not supported yet".to_owned()));
        }
    }
    found
}

fn remove(dict: &mut Dict, path: &[String]) -> bool {
    match path {
        [] => false,
        [last] => dict.remove(last).is_some(),
        [first, rest @ ..] => match dict.get_mut(first) {
            Some(Value::Dict(_, inner)) => remove(inner, rest),
            // An element of a list goes with its list: the others may mean something else without it.
            Some(_) => dict.remove(first).is_some(),
            None => false,
        },
    }
}

fn fill_templates(dict: &mut Dict, names: &Names, origins: &mut Origins, report: &mut Report) {
    let templates = dict.get("templates").and_then(Value::as_dict).cloned().unwrap_or_default();
    for section in ["templates", "groups", "checks"] {
        let Some(Value::Dict(_, entries)) = dict.get_mut(section) else { continue };
        for (name, entry) in entries {
            let Value::Dict(_, entry) = entry else { continue };
            let chain = chain_of(section, name, entry, &templates, names, origins, report);
            for template in chain.iter().filter_map(|name| templates.get(name).and_then(Value::as_dict)) {
                for (key, value) in template {
                    if key != "extends" && !entry.contains_key(key) {
                        entry.insert(key.clone(), value.clone());
                    }
                }
            }
            if !chain.is_empty() {
                origins.chains.insert((section.to_owned(), name.clone()), chain);
            }
        }
    }
}

/// The templates of one entry, nearest first, as far as they are there.
fn chain_of(
    section: &str,
    name: &str,
    entry: &Dict,
    templates: &Dict,
    names: &Names,
    origins: &Origins,
    report: &mut Report,
) -> Vec<String> {
    let mut chain: Vec<String> = Vec::new();
    let mut holder = keys(&[section, name, "extends"]);
    let mut next = entry.get("extends").and_then(Value::as_str);
    while let Some(template) = next {
        if !names.has("templates", template) {
            let hint = hint(template, names.of_section("templates"));
            report.error(origins.value(&holder), format!("there is no template {template:?}{hint}"));
            break;
        }
        if section == "templates" && name == template {
            // Each template of the loop comes by here; the first by name tells of it.
            if chain.iter().all(|other| name < other.as_str()) {
                let way: Vec<&str> = [name].into_iter().chain(chain.iter().map(String::as_str)).chain([name]).collect();
                report.error(origins.value(&holder), format!("templates extend each other in a loop: {}", way.join(" → ")));
            }
            break;
        }
        if chain.iter().any(|had| had == template) {
            break;
        }
        if chain.len() == CHAIN_MAX {
            report.error(origins.value(&holder), format!("more than {CHAIN_MAX} templates extend each other"));
            break;
        }
        chain.push(template.to_owned());
        holder = keys(&["templates", template, "extends"]);
        next = templates.get(template).and_then(Value::as_dict).and_then(|dict| dict.get("extends")).and_then(Value::as_str);
    }
    chain
}

/// The raw tables. Checks are taken out of the tree one by one: thousands of them need not be in memory twice.
fn extract(mut dict: Dict, origins: &Origins, removed: &mut BTreeSet<Keys>, report: &mut Report) -> Raw {
    let checks = match dict.get_mut("checks") {
        Some(Value::Dict(_, checks)) => std::mem::take(checks),
        _ => Dict::new(),
    };
    let mut reader = Reader { origins, removed, report, errors: 0 };
    let mut raw = reader.read::<Raw>(Value::from(dict), &[]).unwrap_or_default();
    for (name, check) in checks {
        let check = reader.read(check, &["checks".to_owned(), name.clone()]);
        raw.checks.extend(check.map(|check| (name, check)));
    }
    if reader.errors > ERRORS_MAX {
        report.error(origins.main.clone(), format!("more than {ERRORS_MAX} keys are wrong; the rest is not looked at"));
        return Raw::default();
    }
    raw
}

pub(super) struct Reader<'a> {
    pub(super) origins: &'a Origins,
    pub(super) removed: &'a mut BTreeSet<Keys>,
    pub(super) report: &'a mut Report,
    pub(super) errors: usize,
}

impl Reader<'_> {
    /// serde stops at the first error; so what it stumbled over is taken out, and it is asked again. `None`: nothing is left.
    pub(super) fn read<T: DeserializeOwned>(&mut self, mut tree: Value, path: &[String]) -> Option<T> {
        while self.errors <= ERRORS_MAX {
            let error = match tree.deserialize::<T>() {
                Ok(read) => return Some(read),
                Err(error) => error,
            };
            self.errors += 1;
            if self.errors > ERRORS_MAX {
                break;
            }
            let full = [path, &error.path].concat();
            let (place, text) = words(&full, &error.kind, self.origins);
            self.report.error(place, text);
            // The list that an element was taken out with.
            self.removed.extend(full.split_last().map(|(_, list)| list.to_vec()));
            self.removed.insert(full);
            let gone = match &mut tree {
                Value::Dict(_, dict) => remove(dict, &error.path),
                _ => false,
            };
            if !gone {
                break;
            }
        }
        None
    }
}

fn words(path: &[String], kind: &Kind, origins: &Origins) -> (Place, String) {
    let written = origins.written(path);
    let name = written.join(".");
    match kind {
        Kind::UnknownField(field, expected) => {
            let table = match &written[..written.len().saturating_sub(1)] {
                [] => "at the top".to_owned(),
                table => format!("in [{}]", table.join(".")),
            };
            (origins.key(path), format!("unknown key {field:?} {table}{}", hint(field, expected.iter().copied())))
        }
        Kind::InvalidType(actual, expected) => {
            (origins.value(path), format!("{name} is {}; expected {}", shape_of(actual), plainly(expected)))
        }
        Kind::InvalidValue(_, expected) => (origins.value(path), format!("{name}: expected {}", plainly(expected))),
        // No type of `raw` raises another kind; whatever it says may hold a value, so it is not repeated.
        _ => (origins.value(path), format!("{name} is not understood")),
    }
}

fn shape_of(actual: &Actual) -> &'static str {
    match actual {
        Actual::Bool(_) => "a truth value",
        Actual::Unsigned(_) | Actual::Signed(_) | Actual::Float(_) => "a number",
        Actual::Char(_) | Actual::Str(_) => "text",
        Actual::Seq => "a list",
        Actual::Map => "a table",
        _ => "something else",
    }
}

fn plainly(expected: &str) -> &str {
    match expected {
        "a string" => "text in quotes",
        "a sequence" => "a list such as [\"a\", \"b\"]",
        "a boolean" => "true or false",
        "a map" => "a table",
        other => other,
    }
}

//! One tree out of many files: `conf.d` beside the main file, a profile over them, the environment over all.

use super::files::{self, Files, Layer};
use super::place::{Keys, Place, Report, Spot, Spots, SpotsBuilder};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};

const PREFIX: &str = "DAWNWATCH__";

/// The whole configuration, not yet understood.
pub(super) struct Merged {
    pub(super) dict: Dict,
    pub(super) spots: Spots,
}

/// Merges the files, then `DAWNWATCH__A__B=…` out of `environment`.
pub(super) fn merge(files: Files, environment: &[(String, String)], report: &mut Report) -> Merged {
    let layers = files.base.len() + files.over.len();
    let mut base = files.base.into_iter();
    let mut merged = base
        .next()
        .map_or_else(|| Merged { dict: Dict::new(), spots: Spots::default() }, |Layer { dict, spots }| Merged { dict, spots });
    for layer in base {
        refuse_twice(&merged, &layer, report);
        merged = over(merged, layer);
    }
    for layer in files.over {
        merged = over(merged, layer);
    }
    let mut variables: Vec<_> = environment.iter().filter(|(name, _)| name.starts_with(PREFIX)).collect();
    variables.sort();
    for (number, (name, value)) in variables.into_iter().enumerate() {
        let place = Place::variable(layers + number, name);
        match variable(&name[PREFIX.len()..], value, &place, &merged.dict) {
            Ok(layer) => merged = over(merged, layer),
            Err(why) => report.error(place, why),
        }
    }
    merged
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named("configuration")
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.dict.clone()))
    }
}

fn over(mut lower: Merged, mut upper: Layer) -> Merged {
    drop_replaced(&mut lower.dict, &upper.dict);
    let mut spots = lower.spots;
    spots.extend(std::mem::take(&mut upper.spots));
    let below = Layer { dict: lower.dict, spots: Spots::default() };
    // Neither provider can fail, so there is always data; an empty tree would only be missing everything.
    let mut data = Figment::from(below).merge(upper).data().unwrap_or_default();
    Merged { dict: data.remove(&Profile::Default).unwrap_or_default(), spots }
}

/// Tables merge key by key, but `{ file = "…" }` over `{ env = "…" }` means the one, not both.
fn drop_replaced(lower: &mut Dict, upper: &Dict) {
    for (key, value) in upper {
        let Value::Dict(_, upper) = value else { continue };
        if is_reference(upper) {
            lower.remove(key);
        } else if let Some(Value::Dict(_, lower)) = lower.get_mut(key) {
            drop_replaced(lower, upper);
        }
    }
}

pub(super) fn is_reference(dict: &Dict) -> bool {
    let reference = |(key, value): (&String, &Value)| matches!(key.as_str(), "env" | "file" | "value") && value.as_str().is_some();
    !dict.is_empty() && dict.iter().all(reference)
}

/// Files that stand side by side must not speak of the same key.
fn refuse_twice(had: &Merged, new: &Layer, report: &mut Report) {
    for (path, spot) in new.spots.iter() {
        let Some(first) = had.spots.get(&path) else { continue };
        let both_tables =
            matches!((find(&had.dict, &path), find(&new.dict, &path)), (Some(Value::Dict(..)), Some(Value::Dict(..))));
        // An element of a list that is there twice: the list itself is reported.
        let in_list = path.len() > 1 && !matches!(find(&new.dict, &path[..path.len() - 1]), Some(Value::Dict(..)));
        if !both_tables && !in_list {
            report.error(spot.key.clone(), format!("{} is set twice; it is already set at {}", path.join("."), first.key));
        }
    }
}

pub(super) fn find<'a>(dict: &'a Dict, path: &[String]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    let value = dict.get(first)?;
    match (rest, value) {
        ([], _) => Some(value),
        (_, Value::Dict(_, dict)) => find(dict, rest),
        _ => None,
    }
}

fn variable(name: &str, value: &str, place: &Place, known: &Dict) -> Result<Layer, String> {
    let parts: Vec<&str> = name.split("__").collect();
    if parts.len() > 8 || parts.iter().any(|part| part.is_empty()) {
        return Err("is not the name of a key; expected parts joined by two underscores, as in DAWNWATCH__WEB__LISTEN".to_owned());
    }
    let path = spelled(&parts, known);
    let mut layer = match toml_value(value, place)? {
        Some(layer) => layer,
        None => Layer { dict: [("v".to_owned(), Value::from(value))].into(), spots: Spots::default() },
    };
    let mut inner = layer.dict.remove("v").unwrap_or_else(|| Value::from(value));
    let spot = || Spot { key: place.clone(), value: place.clone() };
    let mut spots = SpotsBuilder::new("");
    for (keys, _) in layer.spots.iter() {
        spots.insert(&[&path, &keys[1..]].concat(), spot());
    }
    for end in (1..=path.len()).rev() {
        // Only the value is the variable's own; the tables around it may stand in a file, and are spoken of there.
        if find(known, &path[..end]).is_none() || end == path.len() {
            spots.insert(&path[..end], spot());
        }
    }
    for key in path.iter().skip(1).rev() {
        inner = Value::from(Dict::from([(key.clone(), inner)]));
    }
    Ok(Layer { dict: Dict::from([(path[0].clone(), inner)]), spots: spots.build() })
}

/// Environment names know neither case nor dashes: a part means the key that is there, else its lower case.
fn spelled(parts: &[&str], known: &Dict) -> Keys {
    let fold = |text: &str| text.to_lowercase().replace('-', "_");
    let mut level = Some(known);
    let mut path = Keys::new();
    for part in parts {
        let lower = part.to_lowercase();
        let same = level.and_then(|dict| {
            dict.keys()
                .find(|key| *key == part)
                .or_else(|| dict.keys().find(|key| **key == lower))
                .or_else(|| dict.keys().find(|key| fold(key) == fold(part)))
        });
        let key = same.cloned().unwrap_or(lower);
        level = match level.and_then(|dict| dict.get(&key)) {
            Some(Value::Dict(_, dict)) => Some(dict),
            _ => None,
        };
        path.push(key);
    }
    path
}

/// A variable's text is text, unless it looks like a list, a table, quoted text, or a truth value of TOML.
fn toml_value(value: &str, place: &Place) -> Result<Option<Layer>, String> {
    let shaped = value.starts_with(['[', '{', '"', '\'']) || matches!(value, "true" | "false");
    if !shaped {
        return Ok(None);
    }
    let mut quiet = Report::default();
    // The value may hold a secret, so what exactly is wrong with it is not repeated.
    match files::parse(&format!("v = {value}"), place, &mut quiet) {
        Some(layer) if layer.dict.len() == 1 => Ok(Some(layer)),
        _ => Err("does not hold a value of TOML; expected text, a list such as [\"a\", \"b\"], true or false".to_owned()),
    }
}

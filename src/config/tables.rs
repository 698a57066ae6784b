//! Lists where a table belongs. serde takes a list for a struct, element by field, so `token = ["…"]` would be read as the first key of
//! a reference: here the schema says which keys are tables, and a list in their place is found before serde sees it.

use super::json_schema;
use super::place::Keys;
use figment::value::{Dict, Value};
use serde_json::Value as Json;

/// The paths of such lists.
pub(super) fn lists_for_tables(dict: &Dict) -> Vec<Keys> {
    let schema = json_schema();
    let mut found = Vec::new();
    walk(dict, &schema, &schema, &mut Vec::new(), &mut found);
    found
}

fn walk(dict: &Dict, table: &Json, root: &Json, path: &mut Keys, found: &mut Vec<Keys>) {
    for (key, value) in dict {
        let Some(schema) = table["properties"].get(key).or_else(|| table.get("additionalProperties")) else { continue };
        let shapes = shapes(schema, root);
        let as_table = shapes.iter().find(|shape| shape["type"] == "object");
        path.push(key.clone());
        match (value, as_table) {
            (Value::Array(..), Some(_)) if !shapes.iter().any(|shape| shape["type"] == "array") => found.push(path.clone()),
            (Value::Dict(_, inner), Some(table)) => walk(inner, table, root, path, found),
            _ => {}
        }
        path.pop();
    }
}

/// What a value may be, references followed.
fn shapes<'a>(schema: &'a Json, root: &'a Json) -> Vec<&'a Json> {
    if let Some(name) = schema["$ref"].as_str().and_then(|name| name.strip_prefix("#/$defs/")) {
        return vec![&root["$defs"][name]];
    }
    match schema["anyOf"].as_array() {
        Some(any) => any.iter().flat_map(|one| shapes(one, root)).collect(),
        None => vec![schema],
    }
}

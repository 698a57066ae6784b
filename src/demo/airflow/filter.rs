//! What a request asks for: filters, order and page, read as strictly as the real one reads them.

use super::Refusal;
use crate::core::time::Instant;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

/// `[api] maximum_page_limit`: a GET is cut to it without a word. The POST lists are not.
const GET_LIMIT_MAX: usize = 100;
const GET_LIMIT_DEFAULT: usize = 50;
const LIST_LIMIT_DEFAULT: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) limit: usize,
    pub(super) offset: usize,
}

impl Page {
    pub(super) fn cut<T>(self, rows: Vec<T>) -> Vec<T> {
        rows.into_iter().skip(self.offset).take(self.limit).collect()
    }
}

/// `run_after_gte=…`: a row counts only where its time is there and on this side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bound {
    /// `run_after`, `logical_date`, …
    pub(super) field: String,
    operator: Operator,
    at: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Gte,
    Gt,
    Lte,
    Lt,
}

impl Bound {
    pub(super) fn holds(&self, value: Option<Instant>) -> bool {
        value.is_some_and(|value| match self.operator {
            Operator::Gte => value >= self.at,
            Operator::Gt => value > self.at,
            Operator::Lte => value <= self.at,
            Operator::Lt => value < self.at,
        })
    }

    /// The field and operator that a key names, when it is one of `fields`.
    fn key<'a>(key: &'a str, fields: &[&str]) -> Option<(&'a str, Operator)> {
        let (field, operator) = key.rsplit_once('_')?;
        let operator = match operator {
            "gte" => Operator::Gte,
            "gt" => Operator::Gt,
            "lte" => Operator::Lte,
            "lt" => Operator::Lt,
            _ => return None,
        };
        fields.contains(&field).then_some((field, operator))
    }
}

/// A request for rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Name of a list filter and its values; an empty list was not given.
    pub(super) lists: Vec<(&'static str, Vec<Option<String>>)>,
    pub(super) bounds: Vec<Bound>,
    /// Field, and whether the greatest comes first.
    pub(super) order: Vec<(String, bool)>,
    pub(super) page: Page,
}

/// What an endpoint knows.
pub(super) struct Known {
    pub(super) lists: &'static [&'static str],
    pub(super) bounds: &'static [&'static str],
    /// Keys that the real one takes and this one does not play.
    pub(super) unplayed: &'static [&'static str],
}

impl Wanted {
    /// Does a row with `value` in the field of a list filter pass it?
    pub(super) fn lists(&self, name: &str, value: Option<&str>) -> bool {
        let wanted = self.lists.iter().find(|(n, values)| *n == name && !values.is_empty());
        wanted.is_none_or(|(_, values)| values.iter().any(|v| v.as_deref() == value))
    }

    /// From the query of a GET. Unknown keys are refused here, though the real one ignores them: a filter that is silently
    /// not applied would be a lie.
    pub(super) fn of_query(query: Option<&str>, known: &Known) -> Result<Self, Refusal> {
        let mut wanted = Self {
            lists: known.lists.iter().map(|name| (*name, vec![])).collect(),
            bounds: vec![],
            order: vec![],
            page: Page { limit: GET_LIMIT_DEFAULT, offset: 0 },
        };
        for (key, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            if let Some((_, values)) = wanted.lists.iter_mut().find(|(name, _)| *name == key) {
                values.push((value != "none").then(|| value.into_owned()));
            } else if let Some((field, operator)) = Bound::key(&key, known.bounds) {
                let at = query_time(&key, &value)?;
                wanted.bounds.push(Bound { field: field.to_owned(), operator, at });
            } else {
                match key.as_ref() {
                    "limit" => wanted.page.limit = query_count(&key, &value)?.min(GET_LIMIT_MAX),
                    "offset" => wanted.page.offset = query_count(&key, &value)?,
                    "order_by" => wanted.order.push(order(&value)),
                    // None of the DAGs here is.
                    "exclude_stale" => {}
                    _ => return Err(Refusal::not_played(&key)),
                }
            }
        }
        Ok(wanted)
    }

    /// From the body of a POST list, which is strict.
    pub(super) fn of_body(body: &[u8], known: &Known) -> Result<Self, Refusal> {
        let fields: Map<String, Value> = serde_json::from_slice(body).map_err(|_| {
            let message = "Input should be a valid dictionary or object to extract fields from";
            let input: String = String::from_utf8_lossy(body).chars().take(100).collect();
            Refusal::invalid("model_attributes_type", json!(["body"]), message, json!(input), None)
        })?;
        let mut wanted = Self {
            lists: known.lists.iter().map(|name| (*name, vec![])).collect(),
            bounds: vec![],
            order: vec![],
            page: Page { limit: LIST_LIMIT_DEFAULT, offset: 0 },
        };
        for (key, value) in &fields {
            wanted.take(key, value, known)?;
        }
        Ok(wanted)
    }

    fn take(&mut self, key: &str, value: &Value, known: &Known) -> Result<(), Refusal> {
        if known.unplayed.contains(&key) {
            return Err(Refusal::not_played(key));
        }
        let list = self.lists.iter_mut().find(|(name, _)| *name == key);
        let bound = Bound::key(key, known.bounds);
        match (key, list, bound) {
            (_, Some((_, values)), _) => *values = body_list(key, value)?,
            (_, _, Some((field, operator))) => {
                if let Some(at) = body_time(key, value)? {
                    self.bounds.push(Bound { field: field.to_owned(), operator, at });
                }
            }
            ("page_limit", ..) => self.page.limit = body_count(key, value)?,
            ("page_offset", ..) => self.page.offset = body_count(key, value)?,
            ("order_by", ..) => self.order = value.as_str().map(order).into_iter().collect(),
            _ => return Err(fault("extra_forbidden", key, "Extra inputs are not permitted", value)),
        }
        Ok(())
    }
}

fn order(text: &str) -> (String, bool) {
    text.strip_prefix('-').map_or_else(|| (text.to_owned(), false), |field| (field.to_owned(), true))
}

/// A fault of one key of a body.
fn fault(kind: &str, key: &str, message: &str, value: &Value) -> Refusal {
    Refusal::invalid(kind, json!(["body", key]), message, value.clone(), None)
}

fn body_list(key: &str, value: &Value) -> Result<Vec<Option<String>>, Refusal> {
    let text = |value: &Value| match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        _ => Err(fault("string_type", key, "Input should be a valid string", value)),
    };
    match value {
        Value::Null => Ok(vec![]),
        Value::Array(values) => values.iter().map(text).collect(),
        _ => Err(fault("list_type", key, "Input should be a valid list", value)),
    }
}

fn body_time(key: &str, value: &Value) -> Result<Option<Instant>, Refusal> {
    if value.is_null() {
        return Ok(None);
    }
    let text = value.as_str().unwrap_or_default();
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(Some(at.with_timezone(&Utc)));
    }
    if is_naive(text) {
        return Err(fault("timezone_aware", key, "Input should have timezone info", value));
    }
    Err(fault("datetime_parsing", key, "Input should be a valid datetime", value))
}

fn body_count(key: &str, value: &Value) -> Result<usize, Refusal> {
    let count = value.as_u64().and_then(|n| usize::try_from(n).ok());
    count.ok_or_else(|| fault("greater_than_equal", key, "Input should be greater than or equal to 0", value))
}

fn is_naive(text: &str) -> bool {
    text.parse::<chrono::NaiveDateTime>().is_ok()
}

fn query_time(key: &str, value: &str) -> Result<Instant, Refusal> {
    if let Ok(at) = DateTime::parse_from_rfc3339(value) {
        return Ok(at.with_timezone(&Utc));
    }
    if is_naive(value) {
        // On SQLite a naive time brings the real one down to this.
        let detail = json!({ "reason": "Database error", "statement": "hidden", "orig_error": "hidden",
            "message": "Serious error when handling your request." });
        return Err(Refusal::detail(StatusCode::INTERNAL_SERVER_ERROR, detail));
    }
    let message = "Input should be a valid datetime or date";
    Err(Refusal::invalid("datetime_from_date_parsing", json!(["query", key]), message, json!(value), None))
}

fn query_count(key: &str, value: &str) -> Result<usize, Refusal> {
    value.parse().map_err(|_| {
        let message = "Input should be greater than or equal to 0";
        let context = Some(json!({ "ge": 0 }));
        Refusal::invalid("greater_than_equal", json!(["query", key]), message, json!(value), context)
    })
}

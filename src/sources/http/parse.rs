//! A JSON body to facts, by the configured paths. Pure; no answer makes it panic, and what it cannot understand is never green.

use super::super::time::{self, Time};
use crate::config::wiring::{HttpWiring, StateWord};
use crate::core::observation::{Fact, Run, RunKind, RunState, Unreachable, Why};
use crate::core::plan::{Id, glob};
use crate::core::time::Instant;
use crate::net::{line, unreachable};
use serde_json::Value;
use serde_json_path::JsonPath;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The most memory that the values of one answer may take; an honest list of 8 MiB takes less than half of it.
pub(super) const VALUES_BYTES: usize = 192 * 1024 * 1024;
/// A shorter text cannot become values that matter: less than six MiB, whatever stands in it.
const SHORT_BYTES: usize = 8 * 1024;
/// One long answer at a time becomes values, in the whole process: its memory is what runs out. Nothing waits for anything else
/// meanwhile.
static TURN: Mutex<()> = Mutex::new(());

/// The usual words of each state, lower case with `_` for `-` and blanks. "skipped" is left to the configuration: for some it is done, for
/// others it is missing.
const USUAL: [(StateWord, &[&str]); 5] = [
    (
        StateWord::Success,
        &["success", "successful", "succeeded", "succeed", "done", "ok", "complete", "completed", "finished", "passed"],
    ),
    (
        StateWord::Failed,
        &[
            "failed",
            "failure",
            "fail",
            "error",
            "errored",
            "crashed",
            "aborted",
            "killed",
            "cancelled",
            "canceled",
            "timed_out",
            "timeout",
        ],
    ),
    (StateWord::Running, &["running", "in_progress", "started", "executing", "active", "processing"]),
    (StateWord::Queued, &["queued", "pending", "waiting", "scheduled", "created", "submitted", "not_started", "starting"]),
    (StateWord::Retrying, &["retrying", "up_for_retry", "retry", "awaiting_retry"]),
];

/// What an answer says of one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) fact: Fact,
    pub(super) error: Option<String>,
}

/// The configured paths, ready to be asked.
pub(super) struct Reader {
    items: Option<JsonPath>,
    /// The list that `items` walks (`$.jobs` of `$.jobs[*]`): tells an empty list from an answer without one.
    list: Option<JsonPath>,
    id: Option<JsonPath>,
    state: Option<JsonPath>,
    started_at: Option<JsonPath>,
    ended_at: Option<JsonPath>,
    timestamp: Option<JsonPath>,
    error: Option<JsonPath>,
    /// Configured globs, lower case.
    states: BTreeMap<StateWord, Vec<String>>,
}

impl Reader {
    pub(super) fn build(http: &HttpWiring) -> Result<Self, String> {
        let path = |key: &str, text: &Option<String>| -> Result<Option<JsonPath>, String> {
            text.as_ref().map(|text| JsonPath::parse(text).map_err(|e| format!("{key} is no JSONPath: {e}"))).transpose()
        };
        let list = http.items.as_ref().and_then(|items| items.trim_end().strip_suffix("[*]").map(str::to_owned));
        let lower = |globs: &Vec<String>| globs.iter().map(|glob| glob.to_lowercase()).collect();
        Ok(Self {
            items: path("items", &http.items)?,
            list: path("items", &list)?,
            id: path("id", &http.id)?,
            state: path("state", &http.state)?,
            started_at: path("started_at", &http.started_at)?,
            ended_at: path("ended_at", &http.ended_at)?,
            timestamp: path("timestamp", &http.timestamp)?,
            error: path("error", &http.error)?,
            states: http.states.iter().map(|(word, globs)| (*word, lower(globs))).collect(),
        })
    }

    /// The answer of one endpoint for one subject. Of several items the newest counts.
    pub(super) fn one(&self, body: &[u8], subject: &Id) -> Result<Option<Found>, Unreachable> {
        let _turn = turn(body);
        let body = json(body)?;
        let items = self.items(&body)?;
        let ours = items.into_iter().filter(|item| self.id_of(item).is_none_or(|id| id == subject.as_str()));
        Ok(newest(ours.map(|item| self.read(item, subject))))
    }

    /// One answer that lists many: the items of the subjects that were asked for.
    pub(super) fn many(&self, body: &[u8], subjects: &[Id]) -> Result<BTreeMap<Id, Found>, Unreachable> {
        let _turn = turn(body);
        let body = json(body)?;
        let items = self.items(&body)?;
        let mut by_subject: BTreeMap<&str, Vec<&Value>> = subjects.iter().map(|s| (s.as_str(), Vec::new())).collect();
        let mut named = 0;
        for item in &items {
            let id = match (self.id_of(item), subjects) {
                (Some(id), _) => id,
                // One subject and one item without a name: there is nothing to mix up.
                (None, [only]) if items.len() == 1 && self.id.is_none() => only.as_str().to_owned(),
                (None, _) => continue,
            };
            named += 1;
            by_subject.entry(subjects.iter().find(|s| s.as_str() == id).map_or("", Id::as_str)).or_default().push(item);
        }
        if named == 0 && !items.is_empty() {
            return Err(unreachable(Why::Malformed, format!("none of the {} items in the answer has an id", items.len())));
        }
        let read = |subject: &Id| {
            let items = by_subject.get(subject.as_str())?;
            Some((subject.clone(), newest(items.iter().map(|item| self.read(item, subject)))?))
        };
        Ok(subjects.iter().filter_map(read).collect())
    }

    fn items<'a>(&self, body: &'a Value) -> Result<Vec<&'a Value>, Unreachable> {
        let Some(path) = &self.items else { return objects(vec![body]) };
        let found = path.query(body).all();
        if found.is_empty() {
            let listed =
                self.list.as_ref().is_none_or(|list| list.query(body).iter().any(|node| node.is_array() || node.is_object()));
            return if listed {
                Ok(found)
            } else {
                Err(unreachable(Why::Malformed, "the answer has no list of items where it should be"))
            };
        }
        match found.as_slice() {
            // `$.jobs` for `$.jobs[*]`: meant so.
            [Value::Array(inner)] => objects(inner.iter().collect()),
            _ => objects(found),
        }
    }

    fn id_of(&self, item: &Value) -> Option<String> {
        scalar(first(self.id.as_ref(), item)?)
    }

    /// The time by which one item is newer than another, and what it says. No time sorts as newest: what cannot be placed must not
    /// hide behind what can.
    fn read(&self, item: &Value, subject: &Id) -> (Option<Instant>, Found) {
        let error = first(self.error.as_ref(), item).and_then(scalar).map(|text| line(&text)).filter(|text| !text.is_empty());
        let said = match first(self.state.as_ref(), item) {
            Some(state) => self.run(state, item, subject),
            None => self.newest_data(item),
        };
        let (at, fact) = said.unwrap_or_else(|reason| (None, Fact::Suspicious(line(&reason))));
        (at, Found { fact, error })
    }

    fn newest_data(&self, item: &Value) -> Result<(Option<Instant>, Fact), String> {
        if self.timestamp.is_none() {
            return Err("it has no state".to_owned());
        }
        let at = self.time(self.timestamp.as_ref(), "timestamp", item)?;
        Ok((at, Fact::Timestamp(at)))
    }

    fn run(&self, state: &Value, item: &Value, subject: &Id) -> Result<(Option<Instant>, Fact), String> {
        let started_at = self.time(self.started_at.as_ref(), "started_at", item)?;
        let ended_at = self.time(self.ended_at.as_ref(), "ended_at", item)?;
        if state.is_null() {
            return Ok((started_at.or(ended_at), Fact::Runs(Vec::new())));
        }
        let word = scalar(state).ok_or_else(|| "its state is neither text nor a number".to_owned())?;
        let state = match self.state_word(&word) {
            Some(StateWord::Success) => RunState::Success,
            Some(StateWord::Failed) => RunState::Failed,
            Some(StateWord::Running) => RunState::Running,
            Some(StateWord::Queued) => RunState::Queued,
            Some(StateWord::Retrying) => RunState::Retrying { task: line(subject.as_str()) },
            None => return Err(format!("its state \"{word}\" is not known; name it under `states`")),
        };
        let Some(scheduled_at) = started_at.or(ended_at) else {
            return match state {
                // Not begun, and nothing says for when: no run yet.
                RunState::Queued => Ok((None, Fact::Runs(Vec::new()))),
                _ => Err(format!("it is \"{word}\", but has no time that says of which run")),
            };
        };
        let id = scheduled_at.to_rfc3339();
        let run = Run { id, kind: RunKind::Scheduled, scheduled_at, started_at, ended_at, state };
        Ok((Some(scheduled_at), Fact::Runs(vec![run])))
    }

    /// The configuration's globs come before the usual words, the longer before the shorter; of two as long, the less green.
    fn state_word(&self, word: &str) -> Option<StateWord> {
        let lower = word.trim().to_lowercase();
        let plain = lower.replace(['-', ' '], "_");
        let globs = self.states.iter().flat_map(|(word, globs)| globs.iter().map(move |pattern| (*word, pattern)));
        let configured = globs.filter(|(_, pattern)| glob(pattern, &lower)).max_by_key(|(word, pattern)| (pattern.len(), *word));
        let usual = || USUAL.iter().find(|(_, words)| words.contains(&plain.as_str())).map(|(word, _)| *word);
        configured.map(|(word, _)| word).or_else(usual)
    }

    fn time(&self, path: Option<&JsonPath>, key: &str, item: &Value) -> Result<Option<Instant>, String> {
        let Some(value) = first(path, item) else { return Ok(None) };
        match time::read(value) {
            Time::At(at) => Ok(Some(at)),
            Time::Never => Ok(None),
            Time::NoZone => Err(format!("its {key} has no time zone")),
            Time::Unreadable => Err(format!("its {key} is no time")),
        }
    }
}

/// About the most memory that the values of a text take: an object has a node with room for eleven entries from its first one on, a
/// list room for four values, and then half as much again as it needs. What stands within quotes counts too: it cannot make it less.
pub(super) fn weight(body: &[u8]) -> usize {
    let of = |byte: &u8| match byte {
        b'{' => 700,
        b'[' => 200,
        b',' => 160,
        _ => 0_usize,
    };
    body.iter().map(of).sum()
}

fn turn(body: &[u8]) -> Option<MutexGuard<'static, ()>> {
    (body.len() > SHORT_BYTES).then(|| TURN.lock().unwrap_or_else(PoisonError::into_inner))
}

fn json(body: &[u8]) -> Result<Value, Unreachable> {
    if body.len() > SHORT_BYTES && weight(body) > VALUES_BYTES {
        let (values, most) = (body.iter().filter(|byte| b"{[,".contains(byte)).count(), VALUES_BYTES / (1024 * 1024));
        return Err(unreachable(
            Why::TooLarge,
            format!("the answer has about {values} values: read, they take more than {most} MiB"),
        ));
    }
    serde_json::from_slice(body).map_err(|error| unreachable(Why::Malformed, format!("the answer is not JSON: {error}")))
}

fn objects(items: Vec<&Value>) -> Result<Vec<&Value>, Unreachable> {
    let sound = items.iter().all(|item| item.is_object());
    if sound { Ok(items) } else { Err(unreachable(Why::Malformed, "the answer has something else than objects for items")) }
}

fn first<'a>(path: Option<&JsonPath>, item: &'a Value) -> Option<&'a Value> {
    path?.query(item).first()
}

/// Text as it is; a number or truth value as JSON writes it.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn newest(found: impl Iterator<Item = (Option<Instant>, Found)>) -> Option<Found> {
    found.max_by_key(|(at, _)| (at.is_none(), *at)).map(|(_, found)| found)
}

//! The rows of luigid's answers, as far as they are used. Shapes only; every unknown key is passed over.

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// What every method answers.
#[derive(Debug, Deserialize)]
pub(super) struct Answered<T> {
    pub(super) response: T,
}

/// All tasks by id, as `graph` and `task_list` give them.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    pub(super) rows: BTreeMap<String, TaskRow>,
    /// Luigi gave only their number: there are more than its own limit.
    pub(super) only_counted: Option<i64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TaskRow {
    pub(super) status: String,
    /// The family. Empty while luigid knows a task only as somebody's dependency.
    #[serde(default)]
    pub(super) name: String,
    /// Those that could run it; none for an `ExternalTask`, and for one whose workers have left.
    #[serde(default)]
    pub(super) workers: Vec<String>,
    /// When a worker took it up for the last time.
    #[serde(default)]
    pub(super) time_running: Value,
    /// When luigid first heard of it, "UNKNOWN" for a placeholder.
    #[serde(default)]
    pub(super) start_time: Value,
    /// When its status changed for the last time.
    #[serde(default)]
    pub(super) last_updated: Value,
    /// Only in `graph`.
    #[serde(default)]
    pub(super) deps: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ErrorRow {
    /// A text in JSON inside JSON, or empty, or null.
    pub(super) error: Option<String>,
    #[serde(rename = "taskFamily")]
    pub(super) family: Option<String>,
}

/// By hand: the one key beside the ids decides what the object is.
impl<'de> Deserialize<'de> for Tasks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shape;
        impl<'de> Visitor<'de> for Shape {
            type Value = Tasks;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of tasks")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tasks, A::Error> {
                let mut tasks = Tasks::default();
                while let Some(key) = map.next_key::<String>()? {
                    if key == "num_tasks" {
                        tasks.only_counted = Some(map.next_value()?);
                    } else {
                        tasks.rows.insert(key, map.next_value()?);
                    }
                }
                match tasks.only_counted {
                    Some(_) if !tasks.rows.is_empty() => Err(A::Error::custom("both tasks and their number")),
                    _ => Ok(tasks),
                }
            }
        }
        deserializer.deserialize_map(Shape)
    }
}

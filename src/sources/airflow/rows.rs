//! The rows of Airflow's answers, as far as they are used: as Airflow 3 has them; `v2` makes them of Airflow 2's where those differ.
//! Shapes only; every unknown key is passed over.

use crate::core::time::Instant;
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
pub(super) struct Health {
    pub(super) metadatabase: Component,
    pub(super) scheduler: Component,
}

#[derive(Debug, Deserialize)]
pub(super) struct Component {
    /// `healthy`, `unhealthy`, or null: was never started.
    pub(super) status: Option<String>,
    pub(super) latest_scheduler_heartbeat: Option<Instant>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RunPage {
    #[serde(rename = "dag_runs")]
    pub(super) rows: Vec<RunRow>,
    pub(super) total_entries: usize,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct RunRow {
    pub(super) dag_id: String,
    pub(super) dag_run_id: String,
    pub(super) run_type: String,
    pub(super) state: String,
    /// Never null, unlike the logical date of asset-triggered runs.
    pub(super) run_after: Instant,
    pub(super) logical_date: Option<Instant>,
    pub(super) data_interval_end: Option<Instant>,
    pub(super) start_date: Option<Instant>,
    pub(super) end_date: Option<Instant>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TaskPage {
    #[serde(rename = "task_instances")]
    pub(super) rows: Vec<TaskRow>,
    pub(super) total_entries: usize,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct TaskRow {
    pub(super) dag_id: String,
    pub(super) dag_run_id: String,
    pub(super) task_id: String,
    /// −1 for a task that is not mapped.
    #[serde(default = "not_mapped")]
    pub(super) map_index: i64,
    pub(super) state: Option<String>,
    #[serde(default)]
    pub(super) try_number: u32,
    pub(super) end_date: Option<Instant>,
}

fn not_mapped() -> i64 {
    -1
}

#[derive(Debug, Deserialize)]
pub(super) struct DagPage {
    #[serde(rename = "dags")]
    pub(super) rows: Vec<DagRow>,
    pub(super) total_entries: usize,
}

#[derive(Debug, Deserialize)]
pub(super) struct DagRow {
    pub(super) dag_id: String,
    #[serde(default)]
    pub(super) tags: Vec<Tag>,
    #[serde(default)]
    pub(super) owners: Vec<String>,
    pub(super) is_paused: bool,
    #[serde(default)]
    pub(super) has_import_errors: Option<bool>,
    pub(super) is_stale: Option<bool>,
    pub(super) next_dagrun_run_after: Option<Instant>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Tag {
    pub(super) name: String,
}

/// A task's log: structured entries, or plain lines where Airflow could not parse its own.
#[derive(Debug, Deserialize)]
pub(super) struct Log {
    pub(super) content: Vec<Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Version {
    #[serde(rename = "version")]
    _version: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct AccessToken {
    pub(super) access_token: String,
}

/// How Airflow words most of its errors; some have a list or an object here, and unknown routes have `error` instead.
#[derive(Debug, Deserialize)]
pub(super) struct Detail {
    pub(super) detail: Value,
}

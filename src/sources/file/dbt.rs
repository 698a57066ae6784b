//! dbt's artifacts: sources.json (freshness v3) and run_results.json (v6). Pure; what it cannot understand is never green.
//!
//! dbt leaves a source whose query failed out of sources.json, and writes year 1 for a table without rows (seen with dbt 1.11.16).

use super::super::time::{self, Time};
use crate::core::observation::{Fact, RUNS_PER_SUBJECT, Run, RunKind, RunState};
use crate::core::plan::glob;
use crate::core::time::Instant;
use crate::net::line;
use chrono::SecondsFormat;
use serde::Deserialize;
use serde_json::Value;
use std::cmp::Reverse;

#[derive(Deserialize)]
pub(super) struct Document {
    metadata: Metadata,
    results: Vec<Node>,
}

#[derive(Deserialize)]
struct Metadata {
    dbt_schema_version: String,
    #[serde(default)]
    generated_at: Value,
    #[serde(default)]
    invocation_started_at: Value,
}

#[derive(Deserialize)]
struct Node {
    unique_id: String,
    #[serde(default)]
    status: Value,
    #[serde(default)]
    max_loaded_at: Value,
    #[serde(default)]
    timing: Vec<Timing>,
    #[serde(default)]
    message: Value,
    #[serde(default)]
    error: Value,
}

#[derive(Deserialize)]
struct Timing {
    #[serde(default)]
    started_at: Value,
    #[serde(default)]
    completed_at: Value,
}

/// What an artifact says of one subject, with the errors of its failed runs, by run.
pub(super) type Said = (Fact, Vec<(String, Trouble)>);

/// Why a node failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    /// The node, where the check has several.
    pub(super) node: Option<String>,
    pub(super) error: Option<String>,
}

impl Document {
    /// The error is a sentence.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(bytes).map_err(|error| line(&format!("it is not what dbt writes, or not yet as a whole: {error}")))
    }

    /// `pattern`: a unique id, or a glob of such. `None`: the artifact does not know it.
    pub(super) fn says(&self, pattern: &str) -> Option<Said> {
        let nodes: Vec<&Node> = self.results.iter().filter(|node| glob(pattern, &node.unique_id)).collect();
        let first = nodes.first()?;
        let schema = &self.metadata.dbt_schema_version;
        let said = if schema.contains("/sources/") {
            first.newest().map(|newest| (Fact::Timestamp(newest), Vec::new()))
        } else if schema.contains("/run-results/") {
            self.runs(&nodes, pattern)
        } else {
            Err(format!("\"{schema}\" is no artifact that has times of sources or results of runs"))
        };
        Some(said.unwrap_or_else(|why| (Fact::Suspicious(line(&why)), Vec::new())))
    }

    fn runs(&self, nodes: &[&Node], pattern: &str) -> Result<Said, String> {
        let generated_at = at(&self.metadata.generated_at, "generated_at")?;
        let begun = at(&self.metadata.invocation_started_at, "invocation_started_at")?.or(generated_at);
        let scheduled_at = begun.ok_or("it says neither when its run began nor when it was written")?;
        let many = pattern.contains(['*', '?']);
        let kind = if many { RunKind::Part } else { RunKind::Scheduled };
        let mut runs = Vec::new();
        for node in nodes {
            let state = node.state()?;
            let id = format!("{} {}", scheduled_at.to_rfc3339_opts(SecondsFormat::Secs, true), line(&node.unique_id));
            let ended_at = node.last_time()?.or(generated_at);
            let started_at = node.timing.first().map_or(Ok(None), |timing| at(&timing.started_at, "started_at"))?;
            let trouble = (state == RunState::Failed).then(|| node.trouble(many));
            runs.push((Run { id, kind, scheduled_at, started_at, ended_at, state }, trouble));
        }
        // Only so many are kept: those that failed decide, and without them the one that came last.
        runs.sort_by_key(|(run, _)| (run.state != RunState::Failed, Reverse(run.ended_at)));
        runs.truncate(RUNS_PER_SUBJECT);
        let troubles = runs.iter().filter_map(|(run, trouble)| Some((run.id.clone(), trouble.clone()?))).collect();
        Ok((Fact::Runs(runs.into_iter().map(|(run, _)| run).collect()), troubles))
    }
}

impl Node {
    fn newest(&self) -> Result<Option<Instant>, String> {
        match (&self.max_loaded_at, word(&self.status).as_str()) {
            (Value::Null, status @ ("error" | "runtime error")) => {
                Err(format!("dbt could not ask ({status}): {}", self.said().unwrap_or_default()))
            }
            (newest, _) => at(newest, "max_loaded_at"),
        }
    }

    fn state(&self) -> Result<RunState, String> {
        match word(&self.status).as_str() {
            "success" | "pass" | "warn" | "no-op" => Ok(RunState::Success),
            // What is skipped was not made: something that it needs failed.
            "error" | "fail" | "runtime error" | "partial success" | "skipped" => Ok(RunState::Failed),
            other => Err(format!("the status \"{other}\" of {} is not known", self.unique_id)),
        }
    }

    fn last_time(&self) -> Result<Option<Instant>, String> {
        let times: Result<Vec<_>, _> = self.timing.iter().map(|timing| at(&timing.completed_at, "completed_at")).collect();
        Ok(times?.into_iter().flatten().max())
    }

    fn trouble(&self, many: bool) -> Trouble {
        let skipped = || "skipped: something that it needs has failed".to_owned();
        let error = self.said().or_else(|| (word(&self.status) == "skipped").then(skipped));
        Trouble { node: many.then(|| line(&self.unique_id)), error }
    }

    fn said(&self) -> Option<String> {
        [&self.message, &self.error].into_iter().filter_map(Value::as_str).map(line).find(|text| !text.is_empty())
    }
}

fn word(value: &Value) -> String {
    value.as_str().map(|text| line(text).to_lowercase()).unwrap_or_default()
}

fn at(value: &Value, key: &str) -> Result<Option<Instant>, String> {
    match time::read(value) {
        Time::At(at) => Ok(Some(at)),
        Time::Never => Ok(None),
        Time::NoZone => Err(format!("its {key} has no time zone")),
        Time::Unreadable => Err(format!("its {key} is no time")),
    }
}

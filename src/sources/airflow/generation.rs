//! Airflow 2 or Airflow 3: the one place that chooses between `v2` and `v3`.

use super::super::wire::Reply;
use super::parse::RunKey;
use super::rows::{DagPage, RunPage, TaskRow};
use super::{v2, v3};
use crate::core::observation::Unreachable;
use crate::core::plan::Id;
use crate::core::time::Instant;
use chrono::{SecondsFormat, TimeDelta};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use url::Url;

/// GET lists are cut to `[api] maximum_page_limit`, 100 unless configured.
pub(super) const GET_PAGE: usize = 100;
/// Rows asked for in one POST list. The server does not cut it (3.3.2, 2.11.2); where one does, pages are asked for.
const RUNS_PER_PAGE: usize = 10_000;
/// Unfinished and failed tasks of running runs. More than this are not told apart: such a run is never called waiting.
const TASKS: usize = 5_000;
const TASK_STATES: [&str; 8] =
    ["failed", "up_for_retry", "up_for_reschedule", "deferred", "running", "queued", "scheduled", "restarting"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Generation {
    Two,
    Three,
}

/// Where to ask.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) client: &'a Client,
    pub(super) base: &'a Url,
}

impl Place<'_> {
    /// Each segment is encoded for itself, whatever a run's id holds.
    pub(super) fn url(self, segments: &[&str]) -> Url {
        let mut url = self.base.clone();
        // `Airflow::build` has refused what cannot have a path.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }
}

impl Generation {
    pub(super) fn other(self) -> Self {
        match self {
            Self::Two => Self::Three,
            Self::Three => Self::Two,
        }
    }

    /// The version of its API, as it stands in all its addresses.
    pub(super) fn api(self) -> &'static str {
        match self {
            Self::Two => "v1",
            Self::Three => "v2",
        }
    }

    /// Airflow itself wants no login for it; the other generation has no such address.
    pub(super) fn version(self, place: Place<'_>) -> RequestBuilder {
        place.client.get(place.url(&["api", self.api(), "version"]))
    }

    /// Airflow itself wants no login for it.
    pub(super) fn health(self, place: Place<'_>) -> RequestBuilder {
        match self {
            Self::Two => place.client.get(place.url(&["api", "v1", "health"])),
            Self::Three => place.client.get(place.url(&["api", "v2", "monitor", "health"])),
        }
    }

    /// The lists that together hold all runs scheduled since an instant, in the order in which they have to be asked for. There may be
    /// others among them, and a run may be in several: what is told last holds.
    pub(super) fn runs(self, subjects: &[Id], since: Instant) -> Vec<Value> {
        match self {
            Self::Two => v2::runs(subjects, since),
            Self::Three => vec![v3::runs(subjects, since)],
        }
    }

    /// A list of runs, from the row `offset` on.
    pub(super) fn run_list(self, place: Place<'_>, list: &Value, offset: usize) -> RequestBuilder {
        let mut body = list.clone();
        body["page_limit"] = RUNS_PER_PAGE.into();
        body["page_offset"] = offset.into();
        place.client.post(place.url(&["api", self.api(), "dags", "~", "dagRuns", "list"])).json(&body)
    }

    /// The runs of all DAGs that were updated since an instant, as far as one page has them.
    pub(super) fn updated(self, place: Place<'_>, from: Instant, since: Instant) -> RequestBuilder {
        match self {
            Self::Two => v2::updated(place, from),
            Self::Three => v3::updated(place, from, since),
        }
    }

    /// The list of all runs that began from an instant until before another. Both generations know these bounds (3.3.2, 2.11.2), while
    /// for what a run was scheduled each has a name of its own.
    pub(super) fn past(subjects: &[Id], from: Instant, to: Instant) -> Value {
        json!({
            "dag_ids": names(subjects),
            "start_date_gte": with_offset(from),
            // The only upper bound that both have holds the instant itself.
            "start_date_lte": with_offset(to - TimeDelta::microseconds(1)),
            // Rows that come in meanwhile stand at the end.
            "order_by": "id",
        })
    }

    pub(super) fn read_runs(self, reply: &Reply) -> Result<RunPage, Unreachable> {
        match self {
            Self::Two => v2::read_runs(reply),
            Self::Three => reply.json("runs"),
        }
    }

    /// The unfinished and failed tasks of these runs.
    pub(super) fn tasks(self, place: Place<'_>, running: &BTreeSet<RunKey>) -> RequestBuilder {
        let body = json!({
            "dag_ids": running.iter().map(|(dag, _)| dag).collect::<BTreeSet<_>>(),
            "dag_run_ids": running.iter().map(|(_, run)| run).collect::<BTreeSet<_>>(),
            // `state` here, but `states` for runs.
            "state": TASK_STATES,
            "page_limit": TASKS,
        });
        place.client.post(place.url(&["api", self.api(), "dags", "~", "dagRuns", "~", "taskInstances", "list"])).json(&body)
    }

    pub(super) fn dags(self, place: Place<'_>, offset: usize) -> RequestBuilder {
        match self {
            Self::Two => v2::dags(place, offset),
            Self::Three => v3::dags(place, offset),
        }
    }

    pub(super) fn read_dags(self, reply: &Reply) -> Result<DagPage, Unreachable> {
        match self {
            Self::Two => v2::read_dags(reply),
            Self::Three => reply.json("DAGs"),
        }
    }

    pub(super) fn failed_tasks(self, place: Place<'_>, dag: &str, run: &str) -> RequestBuilder {
        let url = place.url(&["api", self.api(), "dags", dag, "dagRuns", run, "taskInstances"]);
        let request = place.client.get(url).query(&[("state", "failed"), ("limit", "100")]);
        match self {
            // 2.11.2 refuses an order here; whoever reads the rows has to find the first.
            Self::Two => request,
            Self::Three => request.query(&[("order_by", "end_date")]),
        }
    }

    /// The log of a task's last try.
    pub(super) fn log(self, place: Place<'_>, dag: &str, run: &str, task: &TaskRow) -> RequestBuilder {
        let number = task.try_number.to_string();
        let path = ["api", self.api(), "dags", dag, "dagRuns", run, "taskInstances", &task.task_id, "logs", &number];
        let query = [("full_content", "true"), ("map_index", &task.map_index.to_string())];
        let accept = match self {
            // Its JSON would be one text that holds the log as Python prints a list.
            Self::Two => "text/plain",
            // Without this a log may come as lines of JSON.
            Self::Three => "application/json",
        };
        place.client.get(place.url(&path)).header("accept", accept).query(&query)
    }

    /// The line of a log that says why.
    pub(super) fn last_error(self, log: &Reply) -> Option<String> {
        match self {
            Self::Two => v2::last_error(log),
            Self::Three => v3::last_error(log),
        }
    }
}

/// A time without offset is refused by most lists, and a 500 of some.
pub(super) fn with_offset(at: Instant) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// The ids as a body has them.
pub(super) fn names(subjects: &[Id]) -> Vec<&str> {
    subjects.iter().map(Id::as_str).collect()
}

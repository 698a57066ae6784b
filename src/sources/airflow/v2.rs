//! What only Airflow 2 says: how `/api/v1` is asked, and its rows as those of `rows`.
//!
//! Its runs have no `run_after`, and their dates are the *beginning* of the interval: a daily run carries yesterday's date, a weekly
//! one last week's, and a queued one has no start. So a window is asked for in two lists: the runs that are unfinished, and those that
//! ended since it began, for what was scheduled since an instant cannot have ended before it. (Only a run that was triggered for a future
//! date, and did not wait for that, can: it is missed.)
//!
//! `updated_at` would be one list, but POST takes that filter and passes it over: it answers with all runs that ever were (2.11.2,
//! `get_dag_runs_batch`). GET knows it (since 2.6) but takes no list of DAGs, and its pages are short: it serves for what is new. Where
//! it is refused, the window is asked for instead.

use super::super::lines;
use super::super::wire::Reply;
use super::generation::{GET_PAGE, Place, names, with_offset};
use super::rows::{DagPage, DagRow, RunPage, RunRow, Tag};
use crate::core::observation::Unreachable;
use crate::core::plan::Id;
use crate::core::time::Instant;
use crate::net::line;
use reqwest::RequestBuilder;
use serde::Deserialize;
use serde_json::{Value, json};

/// Of a DAG's 30 keys, those that are read: each page is a seventh as large.
const DAG_FIELDS: [&str; 7] =
    ["dag_id", "tags", "owners", "is_paused", "is_active", "has_import_errors", "next_dagrun_create_after"];

/// Of a run's 14 keys, those that are read. One that is not is whatever it was triggered with, and may be long.
const RUN_FIELDS: [&str; 8] =
    ["dag_id", "dag_run_id", "run_type", "state", "execution_date", "data_interval_end", "start_date", "end_date"];
const UNFINISHED: [&str; 2] = ["queued", "running"];

#[derive(Debug, Deserialize)]
struct RunPage2 {
    dag_runs: Vec<RunRow2>,
    total_entries: usize,
}

#[derive(Debug, Deserialize)]
struct RunRow2 {
    dag_id: String,
    dag_run_id: String,
    run_type: String,
    state: String,
    /// The beginning of the interval; for a run that was triggered the instant of that, or a date that was given.
    execution_date: Instant,
    /// The tick: when the schedule says that the run is to begin. Null for runs from before 2.2.
    data_interval_end: Option<Instant>,
    start_date: Option<Instant>,
    end_date: Option<Instant>,
}

#[derive(Debug, Deserialize)]
struct DagPage2 {
    dags: Vec<DagRow2>,
    total_entries: usize,
}

#[derive(Debug, Deserialize)]
struct DagRow2 {
    dag_id: String,
    tags: Option<Vec<Tag>>,
    owners: Option<Vec<String>>,
    is_paused: Option<bool>,
    is_active: Option<bool>,
    has_import_errors: Option<bool>,
    next_dagrun_create_after: Option<Instant>,
}

/// The runs that are unfinished, and those that ended since an instant. In this order, so that a run that ends meanwhile is in both and
/// its end is what counts. (One that is cleared between the two is in neither, until the next sweep.)
pub(super) fn runs(subjects: &[Id], since: Instant) -> Vec<Value> {
    let unfinished = json!({"dag_ids": names(subjects), "states": UNFINISHED, "order_by": "-id"});
    let ended = json!({"dag_ids": names(subjects), "end_date_gte": with_offset(since), "order_by": "-id"});
    vec![unfinished, ended]
}

/// Those of all DAGs: it takes no list of them.
pub(super) fn updated(place: Place<'_>, from: Instant) -> RequestBuilder {
    let query = [("updated_at_gte", with_offset(from)), ("order_by", "-id".to_owned()), ("limit", GET_PAGE.to_string())];
    let url = place.url(&["api", "v1", "dags", "~", "dagRuns"]);
    place.client.get(url).query(&query).query(&RUN_FIELDS.map(|field| ("fields", field)))
}

pub(super) fn read_runs(reply: &Reply) -> Result<RunPage, Unreachable> {
    let page: RunPage2 = reply.json("runs")?;
    Ok(RunPage { rows: page.dag_runs.into_iter().map(run).collect(), total_entries: page.total_entries })
}

fn run(row: RunRow2) -> RunRow {
    // A run that data triggered has the interval of that data, which may be long ago.
    let run_after = match row.run_type.as_str() {
        "scheduled" | "backfill" => row.data_interval_end.unwrap_or(row.execution_date),
        _ => row.execution_date,
    };
    RunRow {
        dag_id: row.dag_id,
        dag_run_id: row.dag_run_id,
        run_type: row.run_type,
        state: row.state,
        run_after,
        logical_date: Some(row.execution_date),
        data_interval_end: row.data_interval_end,
        start_date: row.start_date,
        end_date: row.end_date,
    }
}

pub(super) fn dags(place: Place<'_>, offset: usize) -> RequestBuilder {
    let (limit, at) = (GET_PAGE.to_string(), offset.to_string());
    // Inactive ones too: a DAG whose file breaks is no longer active, and would look as if it had vanished.
    let query = [("order_by", "dag_id"), ("only_active", "false"), ("limit", &limit), ("offset", &at)];
    place.client.get(place.url(&["api", "v1", "dags"])).query(&query).query(&DAG_FIELDS.map(|field| ("fields", field)))
}

pub(super) fn read_dags(reply: &Reply) -> Result<DagPage, Unreachable> {
    let page: DagPage2 = reply.json("DAGs")?;
    let row = |row: DagRow2| DagRow {
        dag_id: row.dag_id,
        tags: row.tags.unwrap_or_default(),
        owners: row.owners.unwrap_or_default(),
        is_paused: row.is_paused.unwrap_or(false),
        has_import_errors: row.has_import_errors,
        is_stale: row.is_active.map(|active| !active),
        next_dagrun_run_after: row.next_dagrun_create_after,
    };
    Ok(DagPage { rows: page.dags.into_iter().map(row).collect(), total_entries: page.total_entries })
}

pub(super) fn last_error(log: &Reply) -> Option<String> {
    lines::last_error(&String::from_utf8_lossy(&log.body)).map(line).filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;
    use crate::core::observation::{Fact, RunState};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn row(key: &str, value: Value) -> Value {
        let mut row = json!({"dag_id": "a", "dag_run_id": "1", "run_type": "scheduled", "state": "failed",
            "execution_date": "2026-11-15T00:00:00+00:00", "data_interval_end": "2026-11-22T00:00:00+00:00", "start_date": null});
        row[key] = value;
        row
    }

    #[test]
    fn a_run_is_of_its_tick_and_without_one_of_its_date() {
        let cases = [
            ("run_type", json!("scheduled"), "2026-11-22 00:00:00 UTC"),
            ("data_interval_end", json!(null), "2026-11-15 00:00:00 UTC"),
            ("run_type", json!("backfill"), "2026-11-22 00:00:00 UTC"),
            ("run_type", json!("dataset_triggered"), "2026-11-15 00:00:00 UTC"),
        ];
        for (key, value, expected) in cases {
            let run = run(serde_json::from_value(row(key, value.clone())).unwrap());
            assert_eq!(run.run_after.to_string(), expected, "{key} {value}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        /// Whatever a row says of itself: no panic, and no success but by its own word.
        #[test]
        fn one_broken_row_never_makes_green(
            key in "dag_id|dag_run_id|run_type|state|execution_date|data_interval_end|end_date",
            text in "success|running|9999-12-31T23:59:59Z|.{0,20}",
            kind in 0..4_usize,
        ) {
            let values: [Value; 4] = [json!(text), Value::Null, json!([text]), json!(1e300)];
            let value = values[kind].clone();
            let Ok(row) = serde_json::from_value::<RunRow2>(row(&key, value)) else { return Ok(()) };
            let items = parse::items(&[Id::from("a")], None, vec![run(row)], &BTreeMap::new());
            let runs = items.iter().flat_map(|item| match &item.fact { Fact::Runs(runs) => runs.clone(), _ => vec![] });
            for run in runs {
                prop_assert!(run.state != RunState::Success || text == "success", "{run:?}");
            }
        }
    }
}

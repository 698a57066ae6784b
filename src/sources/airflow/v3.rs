//! What only Airflow 3 says: its addresses under `/api/v2`, and how they are asked. Its rows are those of `rows`.

use super::super::wire::Reply;
use super::generation::{GET_PAGE, Place, names, with_offset};
use super::parse;
use super::rows::Log;
use crate::core::plan::Id;
use crate::core::time::Instant;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

pub(super) fn runs(subjects: &[Id], since: Instant) -> Value {
    json!({"dag_ids": names(subjects), "run_after_gte": with_offset(since), "order_by": "-run_after"})
}

/// Only the GET list knows `updated_at`; it takes no list of DAGs.
pub(super) fn updated(place: Place<'_>, from: Instant, since: Instant) -> RequestBuilder {
    let query = [
        ("updated_at_gte", with_offset(from)),
        ("run_after_gte", with_offset(since)),
        ("order_by", "-run_after".to_owned()),
        ("limit", GET_PAGE.to_string()),
    ];
    place.client.get(place.url(&["api", "v2", "dags", "~", "dagRuns"])).query(&query)
}

pub(super) fn dags(place: Place<'_>, offset: usize) -> RequestBuilder {
    let (limit, at) = (GET_PAGE.to_string(), offset.to_string());
    // A DAG whose file breaks becomes stale and leaves the plain listing (seen on 3.3.2): it would look as if it had vanished.
    let query = [("order_by", "dag_id"), ("exclude_stale", "false"), ("limit", &limit), ("offset", &at)];
    place.client.get(place.url(&["api", "v2", "dags"])).query(&query)
}

pub(super) fn last_error(log: &Reply) -> Option<String> {
    log.json::<Log>("a log").ok().as_ref().and_then(parse::last_error)
}

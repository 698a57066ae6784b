//! An Airflow 2 with thousands of runs, which takes the filters that 2.11.2 takes: its POST list knows `updated_at_gte` and passes it
//! over (`get_dag_runs_batch` in its `dag_run_endpoint.py`), its GET list goes by it and cuts its pages.

use super::{at, body, now, once, problem, source, sweep, told};
use chrono::TimeDelta;
use dawnwatch::core::time::Instant;
use dawnwatch::sources::Source;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use wiremock::matchers::{header, path};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

const POST_KEYS: [&str; 8] =
    ["dag_ids", "states", "end_date_gte", "start_date_gte", "updated_at_gte", "order_by", "page_limit", "page_offset"];
const GET_KEYS: [&str; 8] = ["state", "end_date_gte", "start_date_gte", "updated_at_gte", "order_by", "limit", "offset", "fields"];
const FIELDS: [&str; 8] =
    ["dag_id", "dag_run_id", "run_type", "state", "execution_date", "data_interval_end", "start_date", "end_date"];
const MAXIMUM_PAGE_LIMIT: usize = 100;

/// The runs of an Airflow, oldest first, and the rows of each answer that it gave.
#[derive(Clone, Default)]
struct Many {
    runs: Arc<Mutex<Vec<Value>>>,
    given: Arc<Mutex<Vec<(String, usize)>>>,
    /// Filters that this version does not have.
    unknown: Vec<&'static str>,
}

impl Respond for Many {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let post = request.method == "POST";
        let mut question: BTreeMap<String, Vec<String>> = BTreeMap::new();
        if post {
            for (key, value) in request.body_json::<BTreeMap<String, Value>>().unwrap() {
                let values = value.as_array().cloned().unwrap_or_else(|| vec![value]);
                question.insert(key, values.iter().map(text).collect());
            }
        } else {
            for (key, value) in request.url.query_pairs() {
                question.entry(key.into_owned()).or_default().push(value.into_owned());
            }
        }
        let known =
            |key: &str| if post { POST_KEYS.contains(&key) } else { GET_KEYS.contains(&key) && !self.unknown.contains(&key) };
        if let Some(key) = question.keys().find(|key| !known(key)) {
            let detail = if post {
                format!("{{'{key}': ['Unknown field.']}}")
            } else {
                format!("Extra query parameter(s) {key} not in spec")
            };
            return problem(400, &json!({ "detail": detail }).to_string());
        }
        if !post {
            question.remove("fields").map(|fields| assert_eq!(fields, FIELDS)).unwrap();
        }
        let page = |post_key: &str, get_key: &str, usual| {
            question.get(if post { post_key } else { get_key }).map_or(usual, |values| values[0].parse::<usize>().unwrap())
        };
        let limit = page("page_limit", "limit", 100).min(if post { usize::MAX } else { MAXIMUM_PAGE_LIMIT });
        let found: Vec<Value> = self.runs.lock().unwrap().iter().rev().filter(|row| has(row, &question, post)).cloned().collect();
        let rows: Vec<&Value> = found.iter().skip(page("page_offset", "offset", 0)).take(limit).collect();
        self.given.lock().unwrap().push((request.method.to_string(), rows.len()));
        body(&json!({"dag_runs": rows, "total_entries": found.len()}).to_string())
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn has(row: &Value, question: &BTreeMap<String, Vec<String>>, post: bool) -> bool {
    question.iter().all(|(key, values)| match key.as_str() {
        "dag_ids" => values.contains(&text(&row["dag_id"])),
        "state" | "states" => values.contains(&text(&row["state"])),
        "updated_at_gte" if post => true,
        "end_date_gte" | "start_date_gte" | "updated_at_gte" => {
            row[key.trim_end_matches("_gte")].as_str().is_some_and(|then| at(then) >= at(&values[0]))
        }
        _ => true,
    })
}

impl Many {
    async fn serve(&self) -> MockServer {
        let server = super::airflow().await;
        self.mount(&server).await;
        server
    }

    async fn mount(&self, server: &MockServer) {
        for list in ["/api/v1/dags/~/dagRuns/list", "/api/v1/dags/~/dagRuns"] {
            let inside = Mock::given(path(list)).and(header("authorization", super::BASIC));
            inside.respond_with(self.clone()).with_priority(1).mount(server).await;
        }
    }

    /// A scheduled run of an hourly interval, as it stood after its last update.
    fn add(&self, dag: &str, tick: Instant, state: &str, updated: Instant) {
        let ended = matches!(state, "success" | "failed").then(|| updated.to_rfc3339());
        let began = (state != "queued").then(|| tick.to_rfc3339());
        let execution_date = (tick - TimeDelta::hours(1)).to_rfc3339();
        self.runs.lock().unwrap().push(json!({"dag_id": dag, "dag_run_id": format!("scheduled__{execution_date}"),
            "run_type": "scheduled", "state": state, "execution_date": execution_date, "data_interval_end": tick.to_rfc3339(),
            "start_date": began, "end_date": ended, "updated_at": updated.to_rfc3339()}));
    }

    /// Hourly runs, the newest an hour before this instant, all of them long over.
    fn add_old(&self, dag: &str, before: Instant, count: i32) {
        for hours in (1..=count).rev() {
            let tick = before - TimeDelta::hours(hours.into());
            self.add(dag, tick, "success", tick + TimeDelta::minutes(5));
        }
    }

    fn take_given(&self) -> Vec<(String, usize)> {
        std::mem::take(&mut *self.given.lock().unwrap())
    }

    /// The newest run moves.
    fn last_becomes(&self, state: &str, updated: Instant) {
        let row = self.runs.lock().unwrap().pop().unwrap();
        self.add(row["dag_id"].as_str().unwrap(), at(row["data_interval_end"].as_str().unwrap()), state, updated);
    }
}

fn rows(given: &[(&str, usize)]) -> Vec<(String, usize)> {
    given.iter().map(|(verb, rows)| ((*verb).to_owned(), *rows)).collect()
}

async fn told_at(source: &Source, now: Instant) -> Vec<String> {
    told(&sweep(source, &["sales_daily", "half_failed"], now).await.unwrap())
}

/// The beginning of the window that `sweep` asks for.
const OPENS: &str = "2026-11-20T12:00:00Z";

#[tokio::test]
async fn what_ended_long_ago_is_not_read() {
    let many = Many::default();
    many.add_old("sales_daily", at(OPENS), 5_000);
    many.add("sales_daily", at("2026-11-21T20:00:00Z"), "success", at("2026-11-21T21:00:00Z"));
    many.add("half_failed", at("2026-11-22T11:00:00Z"), "failed", at("2026-11-22T11:30:00Z"));
    many.add("half_failed", at("2026-11-22T12:00:00Z"), "queued", at("2026-11-22T12:00:00Z"));
    let server = many.serve().await;
    let source = source(&server);
    let half = "half_failed: Scheduled 22 12:00 Queued, Scheduled 22 11:00 Failed";
    assert_eq!(told_at(&source, now()).await, ["sales_daily: Scheduled 21 20:00 Success", half]);
    assert_eq!(many.take_given(), rows(&[("POST", 1), ("POST", 2)]));

    // What moved since is one short page, also where another DAG moves. Its rows are not ours.
    many.last_becomes("running", at("2026-11-22T12:09:30Z"));
    many.add("elsewhere", at("2026-11-22T12:09:00Z"), "running", at("2026-11-22T12:09:40Z"));
    let half = half.replace("Queued", "Running");
    assert_eq!(told_at(&source, now() + TimeDelta::minutes(1)).await, ["sales_daily: Scheduled 21 20:00 Success", &half]);
    assert_eq!(many.take_given(), rows(&[("GET", 2)]));
}

#[tokio::test]
async fn a_run_that_ends_between_the_two_lists_has_ended() {
    let many = Many::default();
    many.add("sales_daily", at("2026-11-21T20:00:00Z"), "running", at("2026-11-21T20:01:00Z"));
    let before = many.runs.lock().unwrap()[0].clone();
    many.last_becomes("success", at("2026-11-22T12:08:59Z"));
    let server = super::airflow().await;
    // The first list was made an instant earlier.
    once(&server, "POST", super::RUNS_LIST, body(&json!({"dag_runs": [before], "total_entries": 1}).to_string())).await;
    many.mount(&server).await;
    let told = told_at(&source(&server), now()).await;
    assert_eq!(told, ["sales_daily: Scheduled 21 20:00 Success", "half_failed: "]);
}

#[tokio::test]
async fn a_run_of_long_ago_that_runs_again_is_let_go() {
    let many = Many::default();
    many.add("sales_daily", at("2026-03-01T20:00:00Z"), "running", at("2026-11-22T12:08:00Z"));
    many.add("sales_daily", at("2026-03-02T20:00:00Z"), "failed", at("2026-11-22T12:08:30Z"));
    let server = many.serve().await;
    let source = source(&server);
    for minutes in [0, 1] {
        let told = told_at(&source, now() + TimeDelta::minutes(minutes)).await;
        assert_eq!(told, ["sales_daily: ", "half_failed: "]);
    }
    assert_eq!(many.take_given(), rows(&[("POST", 1), ("POST", 1), ("GET", 2)]));
}

#[tokio::test]
async fn more_news_than_one_page_has_are_read_with_the_window() {
    let many = Many::default();
    many.add("sales_daily", at("2026-11-21T20:00:00Z"), "running", at("2026-11-21T20:01:00Z"));
    let server = many.serve().await;
    let source = source(&server);
    told_at(&source, now()).await;
    many.last_becomes("success", at("2026-11-22T12:09:30Z"));
    // A backfill, newer than the run that is asked for.
    for _ in 0..150 {
        many.add("elsewhere", at("2026-03-01T20:00:00Z"), "success", at("2026-11-22T12:09:40Z"));
    }
    many.take_given();
    let told = told_at(&source, now() + TimeDelta::minutes(1)).await;
    assert_eq!(told, ["sales_daily: Scheduled 21 20:00 Success", "half_failed: "]);
    assert_eq!(many.take_given(), rows(&[("GET", 100), ("POST", 0), ("POST", 1)]));
}

#[tokio::test]
async fn a_version_without_the_filter_is_asked_for_the_window_each_time() {
    // Before 2.6 there is no `updated_at_gte`, and before `fields` was added no such thing either: the question is refused.
    for unknown in [vec!["updated_at_gte", "fields"], vec!["fields"]] {
        let many = Many { unknown, ..Many::default() };
        many.add_old("sales_daily", at(OPENS), 500);
        many.add("sales_daily", at("2026-11-21T20:00:00Z"), "running", at("2026-11-21T20:01:00Z"));
        let server = many.serve().await;
        let source = source(&server);
        told_at(&source, now()).await;
        many.last_becomes("failed", at("2026-11-22T12:09:30Z"));
        many.take_given();
        let told = told_at(&source, now() + TimeDelta::minutes(1)).await;
        assert_eq!(told, ["sales_daily: Scheduled 21 20:00 Failed", "half_failed: "]);
        assert_eq!(many.take_given(), rows(&[("POST", 0), ("POST", 1)]));
    }
}

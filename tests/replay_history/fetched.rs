//! Airflow's own run history, of both generations, from recorded and specified answers.

use super::stored::group_plan;
use super::*;
use chrono::{NaiveDate, TimeDelta};
use dawnwatch::config::wiring::{AirflowLogin, Secret, SourceWiring, SourceWiringKind};
use dawnwatch::core::time::Instant;
use dawnwatch::replay::HistoryError;
use dawnwatch::sources::Source as Asked;
use serde_json::{Value, json};
use wiremock::matchers::{body_partial_json, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

const RUNS3: &str = include_str!("../fixtures/airflow3/runs.json");
const DAGS3: &str = include_str!("../fixtures/airflow3/dags.json");
const RUNS2: &str = include_str!("../fixtures/airflow2/runs.json");
const DAGS2: &str = include_str!("../fixtures/airflow2/dags.json");
const VERSION2: &str = include_str!("../fixtures/airflow2/version.json");
const NOT_FOUND2: &str = include_str!("../fixtures/airflow2/not_found.html");

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn body(text: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(text, "application/json")
}

async fn given(server: &MockServer, verb: &str, at: &str, answer: ResponseTemplate) {
    Mock::given(method(verb)).and(path(at)).respond_with(answer).with_priority(5).mount(server).await;
}

/// The runs of one day (UTC); of every other there are none.
async fn day(server: &MockServer, api: &str, date: &str, answer: ResponseTemplate) {
    let date: NaiveDate = date.parse().unwrap();
    let bounds =
        json!({"start_date_gte": format!("{date}T00:00:00.000000Z"), "start_date_lte": format!("{date}T23:59:59.999999Z")});
    let runs = Mock::given(method("POST")).and(path(format!("/api/{api}/dags/~/dagRuns/list"))).and(body_partial_json(bounds));
    runs.respond_with(answer).with_priority(1).mount(server).await;
}

fn rows(rows: &[Value]) -> ResponseTemplate {
    body(&json!({"dag_runs": rows, "total_entries": rows.len()}).to_string())
}

async fn airflow3() -> MockServer {
    let server = MockServer::start().await;
    let token = json!({"access_token": "e30.eyJpYXQiOjAsImV4cCI6MzYwMH0.x"}).to_string();
    given(&server, "POST", "/auth/token", ResponseTemplate::new(201).set_body_raw(token, "application/json")).await;
    given(&server, "GET", "/api/v2/dags", body(DAGS3)).await;
    given(&server, "POST", "/api/v2/dags/~/dagRuns/list", rows(&[])).await;
    server
}

fn source(server: &MockServer) -> Asked {
    let password = Secret::Value("pw-hunter2".into());
    let login = AirflowLogin::Password { username: "watch".to_owned(), password };
    let kind = SourceWiringKind::Airflow { url: server.uri().parse().unwrap(), login };
    Asked::build(&id("airflow"), &SourceWiring { timeout: TimeDelta::seconds(10), ca_file: None, kind }).unwrap()
}

const SPAN: (&str, &str) = ("2026-11-21T00:00:00Z", "2026-11-24T00:00:00Z");

async fn fetched(server: &MockServer, plan: &Plan) -> Result<History, HistoryError> {
    History::fetched(source(server), &id("airflow"), plan, (at(SPAN.0), at(SPAN.1)), at("2026-11-24T08:00:00Z")).await
}

/// What was seen after the beginning.
async fn told(server: &MockServer, plan: &Plan) -> Vec<String> {
    let history = fetched(server, plan).await.unwrap();
    assert_eq!(history.span(), Some((at(SPAN.0), at(SPAN.1))));
    all(history).await.iter().filter(|observed| observed.at != BEGINNING).map(shown).collect()
}

/// The questions for runs that came, as `dag_ids from to offset`.
async fn asked(server: &MockServer) -> Vec<String> {
    let all = server.received_requests().await.unwrap();
    let runs = all.iter().filter(|request| request.url.path().ends_with("/dagRuns/list"));
    let short = |body: Value| {
        let part = |key: &str| body[key].as_str().unwrap().get(..10).unwrap().to_owned();
        format!("{} {} {} {}", body["dag_ids"], part("start_date_gte"), part("start_date_lte"), body["page_offset"])
    };
    runs.map(|request| short(request.body_json().unwrap())).collect()
}

#[tokio::test]
async fn the_recorded_runs_of_an_airflow_3_are_seen_as_they_begin_and_end() {
    let server = airflow3().await;
    day(&server, "v2", "2026-11-22", body(RUNS3)).await;
    let expected = [
        "Sun 20:45 skipped_today running 00:00/20:45/-",
        "Sun 20:45 sales_daily running 05:00/20:45/-",
        "Sun 20:45 skipped_today success 00:00/20:45/20:45",
        "Sun 20:45 sales_daily success 05:00/20:45/20:45",
        // Started by hand for a date of the past.
        "Sun 20:46 sales_daily manual running 00:00/20:46/-",
        "Sun 20:46 sales_daily manual success 00:00/20:46/20:46",
    ];
    assert_eq!(told(&server, &group_plan()).await, expected);
    let dags = r#"["paused_weekly","sales_daily","skipped_today"]"#;
    let days = ["21", "22", "23"].map(|day| format!("{dags} 2026-11-{day} 2026-11-{day} 0"));
    assert_eq!(asked(&server).await, days);
}

#[tokio::test]
async fn the_recorded_runs_of_an_airflow_2_count_for_their_tick() {
    let server = MockServer::start().await;
    given(&server, "GET", "/api/v1/version", body(VERSION2)).await;
    given(&server, "GET", "/api/v1/dags", body(DAGS2)).await;
    given(&server, "POST", "/api/v1/dags/~/dagRuns/list", rows(&[])).await;
    day(&server, "v1", "2026-11-22", body(RUNS2)).await;
    let other = ResponseTemplate::new(404).set_body_raw(NOT_FOUND2, "text/html; charset=utf-8");
    Mock::given(wiremock::matchers::any()).respond_with(other).with_priority(9).mount(&server).await;
    let expected = [
        "Sun 20:58 skipped_today running 00:00/20:58/-",
        "Sun 20:58 sales_daily running 05:00/20:58/-",
        "Sun 20:58 skipped_today success 00:00/20:58/20:58",
        "Sun 20:58 sales_daily success 05:00/20:58/20:58",
        // Started by hand for a date of the past.
        "Sun 20:59 sales_daily manual running 05:00/20:59/-",
        "Sun 20:59 sales_daily manual success 05:00/20:59/20:59",
    ];
    assert_eq!(told(&server, &group_plan()).await, expected);
}

fn run(dag: &str, id: &str, state: &str, start: &str, end: Option<&str>) -> Value {
    json!({"dag_id": dag, "dag_run_id": id, "run_type": "scheduled", "state": state, "run_after": start, "logical_date": null,
        "data_interval_end": null, "start_date": start, "end_date": end})
}

#[tokio::test]
async fn what_ends_on_another_day_is_seen_then_and_nothing_beyond_the_span() {
    let server = airflow3().await;
    let first = [
        run("sales_daily", "a", "success", "2026-11-21T23:00:00Z", Some("2026-11-23T01:00:00Z")),
        run("skipped_today", "b", "failed", "2026-11-21T23:30:00Z", Some("2026-11-22T02:00:00Z")),
        run("paused_weekly", "c", "running", "2026-11-21T23:40:00Z", None),
        // Not asked for.
        run("another", "x", "success", "2026-11-21T23:40:00Z", Some("2026-11-21T23:50:00Z")),
    ];
    day(&server, "v2", "2026-11-21", rows(&first)).await;
    let last = [
        // Over at once; and one that began when the other ended; and one that ends after the span.
        run("sales_daily", "d", "success", "2026-11-23T01:00:00Z", Some("2026-11-23T01:00:00Z")),
        run("skipped_today", "e", "success", "2026-11-23T02:00:00Z", Some("2026-11-24T00:00:00Z")),
        // Told again though it is of another day: a server that does not know the bounds.
        first[0].clone(),
    ];
    day(&server, "v2", "2026-11-23", rows(&last)).await;
    let expected = [
        "Sun 08:00 sales_daily running 08:00/08:00/-",
        "Sun 08:30 skipped_today running 08:30/08:30/-",
        "Sun 08:40 paused_weekly running 08:40/08:40/-",
        "Sun 11:00 skipped_today failed 08:30/08:30/11:00",
        "Mon 10:00 sales_daily success 08:00/08:00/10:00",
        "Mon 10:00 sales_daily success 10:00/10:00/10:00",
        "Mon 11:00 skipped_today running 11:00/11:00/-",
    ];
    assert_eq!(told(&server, &group_plan()).await, expected);
}

#[tokio::test]
async fn a_day_of_many_runs_is_asked_for_and_handed_out_in_pages() {
    let server = airflow3().await;
    let start = |n: i64| (at("2026-11-22T00:00:00Z") + TimeDelta::seconds(n)).to_rfc3339();
    let all: Vec<Value> =
        (0..3_000).map(|n| run("sales_daily", &n.to_string(), "success", &start(n), Some(&start(n + 60)))).collect();
    for (offset, part) in [(0, &all[..2_000]), (2_000, &all[2_000..])] {
        let answer = json!({"dag_runs": part, "total_entries": all.len()}).to_string();
        let bounds = json!({"start_date_gte": "2026-11-22T00:00:00.000000Z", "page_offset": offset});
        let runs = Mock::given(method("POST")).and(path("/api/v2/dags/~/dagRuns/list")).and(body_partial_json(bounds));
        runs.respond_with(body(&answer)).with_priority(1).mount(&server).await;
    }
    let mut history = fetched(&server, &group_plan()).await.unwrap();
    let mut sizes = Vec::new();
    while let Some(page) = history.next_page().await.unwrap() {
        sizes.push(page.len());
    }
    // The beginning: a listing, and three DAGs that have not run.
    assert_eq!(sizes, [1 + 3, 4_096, 6_000 - 4_096]);
}

#[tokio::test]
async fn the_beginning_is_what_is_listed_now_and_nothing_has_run() {
    let server = airflow3().await;
    let mut plan = group_plan();
    plan.checks.insert(id("gone"), check("gone").into());
    let all = all(fetched(&server, &plan).await.unwrap()).await;
    let News::Listing { changed, .. } = &all[0].news else { panic!("{:?}", all[0]) };
    assert_eq!(changed.len(), 13);
    assert!(changed.iter().all(|member| !member.paused && member.next_run_at.is_none()), "how it stood then nobody knows");
    // One that Airflow does not know (any more) is not known here.
    assert_eq!(
        all[1..].iter().map(shown).collect::<Vec<_>>(),
        ["paused_weekly ", "sales_daily ", "skipped_today "].map(|dag| format!("Thu 09:00 {dag}"))
    );
    assert!(asked(&server).await[0].starts_with(r#"["gone","paused_weekly","#));
}

#[tokio::test]
async fn without_anything_to_ask_for_no_runs_are_asked_for() {
    let server = airflow3().await;
    let mut plan = group_plan();
    plan.groups.clear();
    assert_eq!(told(&server, &plan).await, [""; 0]);
    assert_eq!(asked(&server).await, [""; 0], "no DAG ids mean all DAGs");
}

#[tokio::test]
async fn a_source_that_does_not_answer_is_a_sentence() {
    let server = MockServer::start().await;
    given(&server, "POST", "/auth/token", ResponseTemplate::new(503)).await;
    let Err(error) = fetched(&server, &group_plan()).await else { panic!("it answered") };
    assert_eq!(error.exit().code(), 3);
    assert!(error.to_string().starts_with("the source airflow could not be asked for its list of DAGs: "), "{error}");

    let server = airflow3().await;
    day(&server, "v2", "2026-11-22", ResponseTemplate::new(500)).await;
    let mut history = fetched(&server, &group_plan()).await.unwrap();
    history.next_page().await.unwrap();
    let error = history.next_page().await.unwrap_err();
    assert_eq!(error.exit().code(), 3);
    let text = error.to_string();
    assert!(
        text.starts_with("the source airflow could not be asked for its runs of 2026-11-22: ") && text.contains("500"),
        "{text}"
    );

    let server = airflow3().await;
    day(&server, "v2", "2026-11-21", rows(&[run("sales_daily", "a", "odd", "2026-11-21T23:00:00Z", None)])).await;
    let mut history = fetched(&server, &group_plan()).await.unwrap();
    history.next_page().await.unwrap();
    let text = history.next_page().await.unwrap_err().to_string();
    assert!(text.ends_with("a run has the state \"odd\", which is not known"), "{text}");
}

#[tokio::test]
async fn only_an_airflow_keeps_its_runs() {
    let server = MockServer::start().await;
    let kind = SourceWiringKind::Luigi { url: server.uri().parse().unwrap() };
    let luigi = Asked::build(&id("airflow"), &SourceWiring { timeout: TimeDelta::seconds(10), ca_file: None, kind }).unwrap();
    let Err(error) = History::fetched(luigi, &id("airflow"), &group_plan(), (at(SPAN.0), at(SPAN.1)), at(SPAN.1)).await else {
        panic!("it was asked")
    };
    assert_eq!(error.exit().code(), 2);
    assert_eq!(server.received_requests().await.unwrap().len(), 0);
}

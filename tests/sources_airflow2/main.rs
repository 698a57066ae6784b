//! Asking an Airflow 2 over HTTP: that it is found out, what its dates mean, how it logs in, and what happens when it is upgraded.

mod many_runs;

use chrono::TimeDelta;
use dawnwatch::config::wiring::{AirflowLogin, Secret, SourceWiring, SourceWiringKind};
use dawnwatch::core::observation::{Answer, Ask, Fact, Failure, Run, RunKind, RunState, Scheduler, Sweep, Unreachable, Why};
use dawnwatch::core::plan::Id;
use dawnwatch::core::time::Instant;
use dawnwatch::sources::Source;
use serde_json::{Value, json};
use wiremock::matchers::{header, method, path, query_param};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

const VERSION: &str = include_str!("../fixtures/airflow2/version.json");
const HEALTH: &str = include_str!("../fixtures/airflow2/health.json");
const RUNS: &str = include_str!("../fixtures/airflow2/runs.json");
const TASKS: &str = include_str!("../fixtures/airflow2/tasks.json");
const FAILED_TASKS: &str = include_str!("../fixtures/airflow2/failed_tasks.json");
const LOG: &str = include_str!("../fixtures/airflow2/log.txt");
const DAGS: &str = include_str!("../fixtures/airflow2/dags.json");
const FORBIDDEN: &str = include_str!("../fixtures/airflow2/forbidden.json");
const NOT_FOUND: &str = include_str!("../fixtures/airflow2/not_found.html");
const REMOVED_IN_3: &str = include_str!("../fixtures/airflow2/removed_in_3.json");

const RUNS_LIST: &str = "/api/v1/dags/~/dagRuns/list";
const RUNS_UPDATED: &str = "/api/v1/dags/~/dagRuns";
const TASKS_LIST: &str = "/api/v1/dags/~/dagRuns/~/taskInstances/list";
/// `watch:pw-hunter2`
const BASIC: &str = "Basic d2F0Y2g6cHctaHVudGVyMg==";

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn now() -> Instant {
    at("2026-11-22T12:09:00Z")
}

fn body(text: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(text, "application/json")
}

fn problem(status: u16, text: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw(text, "application/problem+json")
}

async fn given(server: &MockServer, verb: &str, at: &str, answer: ResponseTemplate) {
    Mock::given(method(verb)).and(path(at)).respond_with(answer).with_priority(3).mount(server).await;
}

/// The next answer of an endpoint before its usual one.
async fn once(server: &MockServer, verb: &str, at: &str, answer: ResponseTemplate) {
    Mock::given(method(verb)).and(path(at)).respond_with(answer).up_to_n_times(1).with_priority(1).mount(server).await;
}

/// The recorded Airflow 2: nothing of it is given without the password, but health and version.
async fn airflow() -> MockServer {
    let server = MockServer::start().await;
    given(&server, "GET", "/api/v1/version", body(VERSION)).await;
    given(&server, "GET", "/api/v1/health", body(HEALTH)).await;
    for (verb, at, text) in [("POST", RUNS_LIST, RUNS), ("POST", TASKS_LIST, TASKS), ("GET", "/api/v1/dags", DAGS)] {
        let inside = Mock::given(method(verb)).and(path(at)).and(header("authorization", BASIC));
        inside.respond_with(body(text)).with_priority(2).mount(&server).await;
        given(&server, verb, at, problem(403, FORBIDDEN)).await;
    }
    Mock::given(wiremock::matchers::any())
        .respond_with(ResponseTemplate::new(404).set_body_raw(NOT_FOUND, "text/html; charset=utf-8"))
        .with_priority(9)
        .mount(&server)
        .await;
    server
}

fn source_of(server: &MockServer, login: AirflowLogin) -> Source {
    let kind = SourceWiringKind::Airflow { url: server.uri().parse().unwrap(), login };
    Source::build(&Id::from("airflow"), &SourceWiring { timeout: TimeDelta::seconds(10), ca_file: None, kind }).unwrap()
}

fn password(text: &str) -> AirflowLogin {
    AirflowLogin::Password { username: "watch".to_owned(), password: Secret::Value(text.into()) }
}

fn source(server: &MockServer) -> Source {
    source_of(server, password("pw-hunter2"))
}

async fn sweep(source: &Source, subjects: &[&str], now: Instant) -> Result<Sweep, Unreachable> {
    let subjects = subjects.iter().copied().map(Id::from).collect();
    let since = at("2026-11-20T12:00:00Z");
    match source.ask(&Ask::Sweep { source: Id::from("airflow"), subjects, dates: Default::default(), since }, now).await {
        Answer::Sweep(sweep) => Ok(sweep),
        Answer::Unreachable(unreachable) => Err(unreachable),
        other => panic!("{other:?}"),
    }
}

/// `subject: kind scheduled state` of every run.
fn told(sweep: &Sweep) -> Vec<String> {
    let run = |r: &Run| {
        let state = match &r.state {
            RunState::Waiting { task } => format!("waits in {task}"),
            RunState::Retrying { task } => format!("retries {task}"),
            RunState::Doomed { task } => format!("doomed by {task}"),
            state => format!("{state:?}"),
        };
        format!("{:?} {} {state}", r.kind, r.scheduled_at.format("%d %H:%M"))
    };
    let fact = |fact: &Fact| match fact {
        Fact::Runs(runs) => runs.iter().map(run).collect::<Vec<_>>().join(", "),
        other => format!("{other:?}"),
    };
    sweep.items.iter().map(|item| format!("{}: {}", item.subject, fact(&item.fact))).collect()
}

/// `POST /auth/token` and so on, of all requests that came.
async fn asked(server: &MockServer) -> Vec<String> {
    let short = |request: &Request| format!("{} {}", request.method, request.url.path());
    server.received_requests().await.unwrap().iter().map(short).collect()
}

fn list() -> Ask {
    Ask::List { source: Id::from("airflow") }
}

#[tokio::test]
async fn the_recorded_night_is_told_by_its_ticks() {
    let server = airflow().await;
    let subjects = [
        "sales_daily",
        "kst_dashboard",
        "dashboard_on_asset",
        "half_failed",
        "logs_up_for_retry",
        "waits_for_file",
        "queued_behind",
        "skipped_today",
        "empty_owner_utc",
        "never_run",
    ];
    let expected = [
        // Its interval began the day before; that of the manual run ended in February, before the window.
        "sales_daily: Scheduled 21 20:00 Success",
        "kst_dashboard: Scheduled 22 00:00 Success",
        // The interval of the data is no date of the run.
        "dashboard_on_asset: Triggered 22 11:59 Success, Triggered 22 11:58 Success",
        "half_failed: Scheduled 21 15:00 Failed",
        "logs_up_for_retry: Scheduled 21 15:00 retries flaky",
        "waits_for_file: Scheduled 21 15:00 waits in wait",
        // It has no start yet, and is seen.
        "queued_behind: Manual 22 11:59 Queued, Manual 22 11:59 Running",
        "skipped_today: Scheduled 21 15:00 Success",
        // Due on the 20th at 00:30, before the window.
        "empty_owner_utc: ",
        "never_run: ",
    ];
    let sweep = sweep(&source(&server), &subjects, now()).await.unwrap();
    assert_eq!(told(&sweep), expected);
    assert_eq!(sweep.scheduler, Scheduler::Healthy);
}

#[tokio::test]
async fn which_airflow_it_is_is_found_out_once() {
    let server = airflow().await;
    let source = source(&server);
    sweep(&source, &["sales_daily"], now()).await.unwrap();
    let first = ["GET /api/v2/monitor/health", "GET /api/v1/version", "GET /api/v1/health", &format!("POST {RUNS_LIST}")];
    assert_eq!(asked(&server).await[..4], first.map(str::to_owned));
    server.reset().await;
    drop(server);
    let server = airflow().await;
    // The first question may as well be for the listing.
    let source = self::source(&server);
    assert!(matches!(source.ask(&list(), now()).await, Answer::Listing(_)));
    assert_eq!(asked(&server).await, ["POST /auth/token", "GET /api/v1/version", "GET /api/v1/dags"]);
    sweep(&source, &["sales_daily"], now()).await.unwrap();
    let runs = format!("POST {RUNS_LIST}");
    assert_eq!(asked(&server).await[3..], ["GET /api/v1/health", &runs, &runs, &format!("POST {TASKS_LIST}")]);
}

#[tokio::test]
async fn the_window_is_asked_for_by_ends_and_then_by_updates() {
    let server = airflow().await;
    let source = source(&server);
    sweep(&source, &["sales_daily", "half_failed"], now()).await.unwrap();
    let row = json!({"dag_id": "half_failed", "dag_run_id": "scheduled__2026-11-20T15:00:00+00:00", "run_type": "scheduled",
        "state": "success", "execution_date": "2026-11-20T15:00:00+00:00", "data_interval_end": "2026-11-21T15:00:00+00:00"});
    once(&server, "GET", RUNS_UPDATED, body(&json!({"dag_runs": [row], "total_entries": 1}).to_string())).await;
    let later = sweep(&source, &["sales_daily", "half_failed"], now() + TimeDelta::minutes(1)).await.unwrap();
    assert_eq!(told(&later), ["sales_daily: Scheduled 21 20:00 Success", "half_failed: Scheduled 21 15:00 Success"]);
    let requests = server.received_requests().await.unwrap();
    let bodies = requests.iter().filter(|request| request.url.path() == RUNS_LIST).map(|request| request.body_json().unwrap());
    // 2.11.2 refuses `run_after_gte` and every key that it does not know, and passes `updated_at_gte` over.
    let expected = |key: &str, value: Value| {
        let mut body =
            json!({"dag_ids": ["sales_daily", "half_failed"], "order_by": "-id", "page_limit": 10_000, "page_offset": 0});
        body[key] = value;
        body
    };
    let ended = expected("end_date_gte", json!("2026-11-20T12:00:00.000000Z"));
    assert_eq!(bodies.collect::<Vec<Value>>(), [expected("states", json!(["queued", "running"])), ended]);

    let queries: Vec<String> = requests
        .iter()
        .filter(|request| request.url.path() == RUNS_UPDATED)
        .flat_map(|request| request.url.query_pairs())
        .filter(|(key, _)| key != "fields")
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    // Two minutes before the heartbeat that the first sweep saw.
    assert_eq!(queries, ["updated_at_gte=2026-11-22T12:06:51.638184Z", "order_by=-id", "limit=100"]);
}

#[tokio::test]
async fn a_backfill_is_told_as_one_and_a_doomed_run_as_such() {
    let server = airflow().await;
    let row = |run_type: &str, state: &str| {
        json!({"dag_id": "half_failed", "dag_run_id": "scheduled__2026-11-20T15:00:00+00:00", "run_type": run_type,
            "state": state, "execution_date": "2026-11-20T15:00:00+00:00", "data_interval_end": "2026-11-21T15:00:00+00:00"})
    };
    let cases = [
        (row("backfill", "success"), format!("{:?} 21 15:00 Success", RunKind::Backfill)),
        (row("scheduled", "running"), "Scheduled 21 15:00 doomed by bad".to_owned()),
        (row("scheduled", "dancing"), "Suspicious(\"a run has the state \\\"dancing\\\", which is not known\")".to_owned()),
    ];
    for (row, expected) in cases {
        // Both lists of the sweep.
        for _ in 0..2 {
            once(&server, "POST", RUNS_LIST, body(&json!({"dag_runs": [row], "total_entries": 1}).to_string())).await;
        }
        let sweep = sweep(&source(&server), &["half_failed"], now()).await.unwrap();
        assert_eq!(told(&sweep), [format!("half_failed: {expected}")]);
    }
}

#[tokio::test]
async fn a_login_that_is_refused_is_said_with_what_airflow_2_leaves_open() {
    let server = airflow().await;
    let error = sweep(&source_of(&server, password("wrong-hunter2")), &["a"], now()).await.unwrap_err();
    let host = server.uri().replace("http://", "");
    let words = "refused the user name or password, or does not permit it to look: Airflow 2 does not say which";
    assert_eq!((error.why, error.detail), (Why::Auth, format!("{host} {words}")));
    let token = AirflowLogin::Token(Secret::Value("token-hunter2".into()));
    let error = sweep(&source_of(&server, token.clone()), &["a"], now()).await.unwrap_err();
    let words = "refused the configured token, or does not permit it to look: Airflow 2 does not say which";
    assert_eq!((error.why, error.detail), (Why::Auth, format!("{host} {words}")));
    // Where something takes a bearer token, it gets it.
    Mock::given(path(RUNS_LIST))
        .and(header("authorization", "Bearer token-hunter2"))
        .respond_with(body(r#"{"dag_runs": [], "total_entries": 0}"#))
        .with_priority(1)
        .mount(&server)
        .await;
    assert_eq!(told(&sweep(&source_of(&server, token), &["a"], now()).await.unwrap()), ["a: "]);
}

/// A gateway before an Airflow 2: nothing passes without this header, and what else passes is answered so.
async fn gateway(authorization: &str, elsewhere: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    let routes = [
        ("GET", "/api/v1/version", VERSION),
        ("GET", "/api/v1/health", HEALTH),
        ("POST", RUNS_LIST, RUNS),
        ("POST", TASKS_LIST, TASKS),
    ];
    for (verb, at, text) in routes {
        let inside = Mock::given(method(verb)).and(path(at)).and(header("authorization", authorization));
        inside.respond_with(body(text)).with_priority(2).mount(&server).await;
    }
    Mock::given(header("authorization", authorization)).respond_with(elsewhere).with_priority(5).mount(&server).await;
    Mock::given(wiremock::matchers::any()).respond_with(problem(401, "{}")).with_priority(9).mount(&server).await;
    server
}

#[tokio::test]
async fn a_gateway_does_not_hide_which_airflow_is_behind_it() {
    let token = |text: &str| AirflowLogin::Token(Secret::Value(text.into()));
    let logins = [
        (token("token-hunter2"), "Bearer token-hunter2", token("wrong-hunter2"), "refused the configured token"),
        (password("pw-hunter2"), BASIC, password("wrong-hunter2"), "refused the user name or password"),
    ];
    // Airflow 2 has nothing there, or the gateway lets only these paths through.
    for elsewhere in [ResponseTemplate::new(404).set_body_raw(NOT_FOUND, "text/html"), problem(403, "{}")] {
        for (login, authorization, wrong, words) in logins.clone() {
            let server = gateway(authorization, elsewhere.clone()).await;
            let source = source_of(&server, login);
            let told = told(&sweep(&source, &["sales_daily"], now()).await.unwrap());
            assert_eq!(told, ["sales_daily: Scheduled 21 20:00 Success"], "{authorization}");
            let error = sweep(&source_of(&server, wrong), &["sales_daily"], now()).await.unwrap_err();
            assert!(error.why == Why::Auth && error.detail.contains(words) && !error.detail.contains("hunter2"), "{error:?}");

            // It has answered: a refusal from now on is no reason to look for another.
            let before = asked(&server).await.len();
            once(&server, "GET", "/api/v1/health", problem(401, "{}")).await;
            assert_eq!(sweep(&source, &["sales_daily"], now()).await.unwrap_err().why, Why::Auth);
            assert_eq!(asked(&server).await[before..], ["GET /api/v1/health"]);
        }
    }
}

#[tokio::test]
async fn the_listing_has_what_is_paused_what_is_broken_and_when_the_next_run_comes() {
    let server = airflow().await;
    let source = source(&server);
    let Answer::Listing(members) = source.ask(&list(), now()).await else { panic!() };
    assert_eq!(members.len(), 13);
    let member =
        |members: &[dawnwatch::core::observation::Member], id: &str| members.iter().find(|m| m.subject.as_str() == id).cloned();
    let sales = member(&members, "sales_daily").unwrap();
    assert_eq!(sales.next_run_at, Some(at("2026-11-22T20:00:00Z")));
    assert!(!sales.tags.is_empty() && !sales.owners.is_empty() && !sales.paused);
    assert!(member(&members, "paused_weekly").unwrap().paused);
    // Now it is known what there is: a DAG that is not, is absent.
    assert_eq!(told(&sweep(&source, &["never_run", "no_such_dag"], now()).await.unwrap()), ["never_run: "]);

    let query = server.received_requests().await.unwrap().into_iter().find(|r| r.url.path() == "/api/v1/dags").unwrap();
    let pairs: Vec<String> = query.url.query_pairs().map(|(key, value)| format!("{key}={value}")).collect();
    assert!(pairs.contains(&"only_active=false".to_owned()) && pairs.contains(&"limit=100".to_owned()), "{pairs:?}");
    assert_eq!(pairs.iter().filter(|pair| pair.starts_with("fields=")).count(), 7);

    let row =
        |id: &str, active: bool, broken: Option<bool>| json!({"dag_id": id, "is_active": active, "has_import_errors": broken});
    let dags = json!({"dags": [row("gone", false, Some(false)), row("broken", false, Some(true)), row("old", true, None)], "total_entries": 3});
    once(&server, "GET", "/api/v1/dags", body(&dags.to_string())).await;
    let Answer::Listing(members) = source.ask(&list(), now()).await else { panic!() };
    let names: Vec<(&str, bool)> = members.iter().map(|m| (m.subject.as_str(), m.import_error)).collect();
    assert_eq!(names, [("broken", true), ("old", false)]);
}

#[tokio::test]
async fn the_listing_is_asked_for_page_by_page() {
    let server = airflow().await;
    for offset in [0, 100, 200] {
        let rows: Vec<Value> = (offset..(offset + 100).min(213)).map(|n| json!({"dag_id": format!("d{n:03}")})).collect();
        Mock::given(path("/api/v1/dags"))
            .and(query_param("offset", offset.to_string()))
            .respond_with(body(&json!({"dags": rows, "total_entries": 213}).to_string()))
            .with_priority(1)
            .mount(&server)
            .await;
    }
    let Answer::Listing(members) = source(&server).ask(&list(), now()).await else { panic!() };
    assert_eq!(members.len(), 213);
}

#[tokio::test]
async fn a_failure_is_read_from_a_log_of_plain_text() {
    let server = airflow().await;
    let run = "/api/v1/dags/half_failed/dagRuns/scheduled__2026-11-20T15:00:00+00:00/taskInstances";
    given(&server, "GET", run, body(FAILED_TASKS)).await;
    Mock::given(path(format!("{run}/bad/logs/1")))
        .and(header("accept", "text/plain"))
        .and(query_param("full_content", "true"))
        .respond_with(ResponseTemplate::new(200).set_body_raw(LOG, "text/plain"))
        .mount(&server)
        .await;
    let subject = Id::from("half_failed");
    let ask = Ask::Failure { source: Id::from("airflow"), subject, run: "scheduled__2026-11-20T15:00:00+00:00".to_owned() };
    let source = source(&server);
    let text = |text: &str| Some(text.to_owned());
    let mut expected = Failure { task: text("bad"), try_number: Some(1), error: text("RuntimeError: boom") };
    assert_eq!(source.ask(&ask, now()).await, Answer::Failure(expected.clone()));
    // Its log is gone from the worker's disk.
    once(&server, "GET", &format!("{run}/bad/logs/1"), problem(404, "{}")).await;
    expected.error = None;
    assert_eq!(source.ask(&ask, now()).await, Answer::Failure(expected));
}

#[tokio::test]
async fn an_upgrade_is_noticed_by_the_next_question() {
    let server = airflow().await;
    let source = source(&server);
    sweep(&source, &["sales_daily"], now()).await.unwrap();
    server.reset().await;
    Mock::given(path("/api/v2/version")).respond_with(body(r#"{"version": "3.3.2"}"#)).mount(&server).await;
    Mock::given(path("/api/v2/monitor/health")).respond_with(body(HEALTH)).mount(&server).await;
    Mock::given(path("/auth/token")).respond_with(body(r#"{"access_token": "t"}"#)).mount(&server).await;
    let run = json!({"dag_id": "sales_daily", "dag_run_id": "1", "run_type": "scheduled", "state": "failed", "run_after": "2026-11-22T00:00:00Z"});
    let runs = json!({"dag_runs": [run], "total_entries": 1}).to_string();
    Mock::given(path("/api/v2/dags/~/dagRuns/list")).respond_with(body(&runs)).mount(&server).await;
    Mock::given(wiremock::matchers::path_regex("^/api/v1/")).respond_with(problem(404, REMOVED_IN_3)).mount(&server).await;
    // The same minute: what the old one had told is not carried over.
    let sweep = sweep(&source, &["sales_daily"], now()).await.unwrap();
    assert_eq!(told(&sweep), ["sales_daily: Scheduled 22 00:00 Failed"]);
    assert!(!asked(&server).await.iter().any(|request| request == &format!("POST {RUNS_LIST}")));
}

#[tokio::test]
async fn a_bad_answer_of_an_airflow_2_is_its_own_trouble() {
    let health = HEALTH.replacen("healthy", "unhealthy", 1);
    let cut = &RUNS[..2000];
    let one = r#"{"dag_runs": [{"dag_id": "a", "dag_run_id": "1", "run_type": "manual", "state": "success"}], "total_entries": 1}"#;
    let cases = [
        ("GET", "/api/v1/health", body(&health), Why::Status, "its metadata database is not healthy"),
        ("POST", RUNS_LIST, body(cut), Why::Malformed, "the answer about runs"),
        ("POST", RUNS_LIST, body(one), Why::Malformed, "missing field `execution_date`"),
        ("POST", RUNS_LIST, body(r#"{"dag_runs": [], "total_entries": 7}"#), Why::Malformed, "promised 7 runs and gave 0"),
        (
            "POST",
            RUNS_LIST,
            problem(400, r#"{"detail": "{'x': ['Unknown field.']}"}"#),
            Why::Status,
            "answered 400: {'x': ['Unknown field.']}",
        ),
        ("POST", TASKS_LIST, problem(500, "{}"), Why::Status, "answered 500"),
    ];
    for (verb, at, answer, why, words) in cases {
        let server = airflow().await;
        let source = source(&server);
        assert!(matches!(source.ask(&list(), now()).await, Answer::Listing(_)));
        once(&server, verb, at, answer).await;
        let error = sweep(&source, &["half_failed", "waits_for_file"], now()).await.unwrap_err();
        assert_eq!(error.why, why, "{error:?}");
        assert!(error.detail.contains(words) && !error.detail.contains("hunter2"), "{error:?}");
        // It is still known for what it is.
        assert!(sweep(&source, &["half_failed"], now()).await.is_ok());
    }
}

//! Asking an Airflow 3 over HTTP: how many questions, which ones, and what happens to tokens, pages and errors.

use chrono::TimeDelta;
use dawnwatch::config::wiring::{AirflowLogin, Secret, SourceWiring, SourceWiringKind};
use dawnwatch::core::observation::{Answer, Ask, Fact, Failure, RunState, Unreachable, Why};
use dawnwatch::core::plan::Id;
use dawnwatch::core::time::Instant;
use dawnwatch::sources::Source;
use serde_json::{Value, json};
use wiremock::matchers::{body_partial_json, header, method, path, query_param};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

const RUNS: &str = include_str!("fixtures/airflow3/runs.json");
const TASKS: &str = include_str!("fixtures/airflow3/tasks.json");
const HEALTH: &str = include_str!("fixtures/airflow3/health.json");
const LOG: &str = include_str!("fixtures/airflow3/log.json");
const FAILED_TASKS: &str = include_str!("fixtures/airflow3/failed_tasks.json");
const EXPIRED: &str = include_str!("fixtures/airflow3/expired_token.json");
const INVALID: &str = include_str!("fixtures/airflow3/invalid_token.json");
const WRONG_PASSWORD: &str = include_str!("fixtures/airflow3/wrong_password.json");

const RUNS_LIST: &str = "/api/v2/dags/~/dagRuns/list";
const RUNS_UPDATED: &str = "/api/v2/dags/~/dagRuns";
const TASKS_LIST: &str = "/api/v2/dags/~/dagRuns/~/taskInstances/list";

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn now() -> Instant {
    at("2026-11-22T12:00:00Z")
}

fn body(text: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(text, "application/json")
}

fn status(status: u16, text: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw(text, "application/json")
}

/// A token of one hour, unsigned: {"alg":"none"}.{"iat":0,"exp":3600}.
fn token(name: &str) -> ResponseTemplate {
    status(201, &json!({"access_token": format!("e30.eyJpYXQiOjAsImV4cCI6MzYwMH0.{name}")}).to_string())
}

async fn given(server: &MockServer, verb: &str, at: &str, answer: ResponseTemplate) {
    Mock::given(method(verb)).and(path(at)).respond_with(answer).mount(server).await;
}

/// The next answers of an endpoint before its usual one.
async fn once(server: &MockServer, verb: &str, at: &str, answer: ResponseTemplate) {
    Mock::given(method(verb)).and(path(at)).respond_with(answer).up_to_n_times(1).with_priority(1).mount(server).await;
}

/// An Airflow with the recorded night.
async fn airflow() -> MockServer {
    let server = MockServer::start().await;
    given(&server, "POST", "/auth/token", token("one")).await;
    given(&server, "GET", "/api/v2/monitor/health", body(HEALTH)).await;
    given(&server, "POST", RUNS_LIST, body(RUNS)).await;
    given(&server, "POST", TASKS_LIST, body(TASKS)).await;
    server
}

fn source_of(url: &str, login: AirflowLogin) -> Source {
    let kind = SourceWiringKind::Airflow { url: url.parse().unwrap(), login };
    let wiring = SourceWiring { timeout: TimeDelta::seconds(10), ca_file: None, kind };
    Source::build(&Id::from("airflow"), &wiring).unwrap()
}

fn source(server: &MockServer) -> Source {
    let password = Secret::Value("pw-hunter2".into());
    source_of(&server.uri(), AirflowLogin::Password { username: "watch".to_owned(), password })
}

fn sweep_of(subjects: &[&str]) -> Ask {
    let subjects = subjects.iter().copied().map(Id::from).collect();
    Ask::Sweep { source: Id::from("airflow"), subjects, dates: Default::default(), since: at("2026-11-21T00:00:00Z") }
}

fn list() -> Ask {
    Ask::List { source: Id::from("airflow") }
}

/// `subject state…` of a sweep, or why there is none.
async fn sweep(source: &Source, subjects: &[&str], now: Instant) -> Result<Vec<String>, Unreachable> {
    match source.ask(&sweep_of(subjects), now).await {
        Answer::Sweep(sweep) => Ok(sweep
            .items
            .iter()
            .map(|item| match &item.fact {
                Fact::Runs(runs) => runs.iter().fold(item.subject.to_string(), |all, run| match &run.state {
                    RunState::Waiting { task } | RunState::Doomed { task } | RunState::Retrying { task } => {
                        format!("{all} ~{task}")
                    }
                    state => format!("{all} {state:?}"),
                }),
                other => format!("{} {other:?}", item.subject),
            })
            .collect()),
        Answer::Unreachable(unreachable) => Err(unreachable),
        other => panic!("{other:?}"),
    }
}

/// `POST /auth/token` and so on, of all requests that came.
async fn asked(server: &MockServer) -> Vec<String> {
    let short = |request: &Request| format!("{} {}", request.method, request.url.path());
    server.received_requests().await.unwrap().iter().map(short).collect()
}

async fn logins(server: &MockServer) -> usize {
    asked(server).await.iter().filter(|request| request.ends_with("/auth/token")).count()
}

#[tokio::test]
async fn a_sweep_costs_three_questions_and_says_its_time_with_an_offset() {
    let server = airflow().await;
    let source = source(&server);
    let told = sweep(&source, &["sales_daily", "waits_for_file"], now()).await.unwrap();
    assert_eq!(told, ["sales_daily Success Success", "waits_for_file ~wait"]);
    let requests = ["POST /auth/token", "GET /api/v2/monitor/health", &format!("POST {RUNS_LIST}"), &format!("POST {TASKS_LIST}")];
    let mut got = asked(&server).await;
    got.sort_unstable();
    let mut expected = requests.map(str::to_owned);
    expected.sort_unstable();
    assert_eq!(got, expected);
    assert_eq!(source.traffic().requests, 4);
    assert!(source.traffic().bytes > 1000);
    let all = server.received_requests().await.unwrap();
    let runs: Value = all.iter().find(|r| r.url.path() == RUNS_LIST).unwrap().body_json().unwrap();
    assert_eq!(runs["dag_ids"], json!(["sales_daily", "waits_for_file"]));
    assert_eq!(runs["run_after_gte"], "2026-11-21T00:00:00.000000Z");
    let tasks: Value = all.iter().find(|r| r.url.path() == TASKS_LIST).unwrap().body_json().unwrap();
    assert_eq!(tasks["dag_ids"], json!(["clicks_long_running", "logs_up_for_retry", "queued_behind", "waits_for_file"]));
}

#[tokio::test]
async fn nothing_running_spares_the_question_about_tasks() {
    let server = MockServer::start().await;
    given(&server, "POST", "/auth/token", token("one")).await;
    given(&server, "GET", "/api/v2/monitor/health", body(HEALTH)).await;
    given(&server, "POST", RUNS_LIST, body(r#"{"dag_runs": [], "total_entries": 0}"#)).await;
    given(&server, "GET", "/api/v2/dags", body(r#"{"dags": [{"dag_id": "a"}, {"dag_id": "b"}], "total_entries": 2}"#)).await;
    let source = source(&server);
    // With the login and the first listing.
    assert_eq!(sweep(&source, &["a", "b"], now()).await.unwrap(), ["a", "b"]);
    assert_eq!(source.traffic().requests, 4);
    // No subjects must not mean all of them.
    assert!(sweep(&source, &[], now()).await.unwrap().is_empty());
    assert_eq!(source.traffic().requests, 5);
}

fn run_row(dag: &str, run: &str, state: &str) -> Value {
    json!({"dag_id": dag, "dag_run_id": run, "run_type": "scheduled", "state": state, "run_after": "2026-11-22T00:00:00Z"})
}

fn runs(rows: &[Value], total: usize) -> ResponseTemplate {
    body(&json!({"dag_runs": rows, "total_entries": total}).to_string())
}

/// An Airflow where `a` succeeded and `b` failed, by the whole window.
async fn small() -> MockServer {
    let server = MockServer::start().await;
    given(&server, "POST", "/auth/token", token("one")).await;
    given(&server, "GET", "/api/v2/monitor/health", body(HEALTH)).await;
    given(&server, "POST", RUNS_LIST, runs(&[run_row("a", "1", "success"), run_row("b", "1", "failed")], 2)).await;
    server
}

#[tokio::test]
async fn a_steady_sweep_asks_only_for_what_was_updated() {
    let server = small().await;
    let source = source(&server);
    assert_eq!(sweep(&source, &["a", "b"], now()).await.unwrap(), ["a Success", "b Failed"]);
    // Two minutes before the heartbeat that the first sweep saw.
    Mock::given(method("GET"))
        .and(path(RUNS_UPDATED))
        .and(query_param("updated_at_gte", "2026-11-22T11:46:00.304093Z"))
        .and(query_param("run_after_gte", "2026-11-21T00:00:00.000000Z"))
        .respond_with(runs(&[run_row("b", "1", "queued"), run_row("b", "2", "success"), run_row("other", "1", "failed")], 3))
        .mount(&server)
        .await;
    let before = source.traffic().requests;
    let later = now() + TimeDelta::minutes(1);
    assert_eq!(sweep(&source, &["a", "b"], later).await.unwrap(), ["a Success", "b Success Queued"]);
    assert_eq!(source.traffic().requests - before, 2);
    // What vanished is seen when the whole is asked for again.
    let whole = now() + TimeDelta::minutes(10);
    assert_eq!(sweep(&source, &["a", "b"], whole).await.unwrap(), ["a Success", "b Failed"]);
}

#[tokio::test]
async fn the_whole_is_asked_for_where_updates_are_refused_or_too_many() {
    for answer in [status(404, "{}"), runs(&[run_row("a", "1", "failed")], 101)] {
        let server = small().await;
        let source = source(&server);
        sweep(&source, &["a", "b"], now()).await.unwrap();
        given(&server, "GET", RUNS_UPDATED, answer).await;
        let before = source.traffic().requests;
        assert_eq!(sweep(&source, &["a", "b"], now()).await.unwrap(), ["a Success", "b Failed"]);
        assert_eq!(source.traffic().requests - before, 3);
    }
}

#[tokio::test]
async fn after_a_failed_sweep_the_whole_is_asked_for() {
    let server = small().await;
    let source = source(&server);
    sweep(&source, &["a"], now()).await.unwrap();
    once(&server, "GET", RUNS_UPDATED, body("<html>")).await;
    assert_eq!(sweep(&source, &["a"], now()).await.unwrap_err().why, Why::Malformed);
    assert_eq!(sweep(&source, &["a"], now()).await.unwrap(), ["a Success"]);
    assert_eq!(asked(&server).await.iter().filter(|request| request.ends_with(RUNS_LIST)).count(), 2);
}

#[tokio::test]
async fn a_server_that_cuts_pages_is_asked_until_all_is_there() {
    let server = small().await;
    let second = Mock::given(method("POST")).and(path(RUNS_LIST)).and(body_partial_json(json!({"page_offset": 1})));
    once(&server, "POST", RUNS_LIST, runs(&[run_row("a", "1", "success")], 3)).await;
    second
        .respond_with(runs(&[run_row("a", "1", "success"), run_row("b", "1", "success")], 3))
        .with_priority(2)
        .mount(&server)
        .await;
    let source = source(&server);
    assert_eq!(sweep(&source, &["a", "b"], now()).await.unwrap(), ["a Success", "b Success"]);

    let server = small().await;
    once(&server, "POST", RUNS_LIST, runs(&[], 3)).await;
    let error = sweep(&self::source(&server), &["a"], now()).await.unwrap_err();
    assert_eq!((error.why, error.detail.as_str()), (Why::Malformed, "Airflow promised 3 runs and gave 0"));
}

#[tokio::test]
async fn a_token_is_kept_and_renewed_before_it_ends() {
    let server = airflow().await;
    let source = source(&server);
    for (minutes, expected) in [(0, 1), (53, 1), (54, 2), (55, 2)] {
        sweep(&source, &["a"], now() + TimeDelta::minutes(minutes)).await.unwrap();
        assert_eq!(logins(&server).await, expected, "{minutes} minutes");
    }
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    for (refusal, text) in [(401, EXPIRED), (403, INVALID)] {
        let server = airflow().await;
        let source = source(&server);
        once(&server, "POST", "/auth/token", token("stale")).await;
        Mock::given(header("authorization", "Bearer e30.eyJpYXQiOjAsImV4cCI6MzYwMH0.stale"))
            .respond_with(status(refusal, text))
            .with_priority(2)
            .mount(&server)
            .await;
        assert_eq!(sweep(&source, &["never_run"], now()).await.unwrap(), ["never_run"]);
        assert_eq!(logins(&server).await, 2);
    }
}

#[tokio::test]
async fn a_token_that_is_always_refused_is_no_loop() {
    let server = airflow().await;
    once(&server, "POST", RUNS_LIST, status(401, EXPIRED)).await;
    once(&server, "POST", RUNS_LIST, status(401, EXPIRED)).await;
    let source = source(&server);
    assert_eq!(sweep(&source, &["a"], now()).await.unwrap_err().why, Why::Auth);
    assert_eq!(logins(&server).await, 2);
}

#[tokio::test]
async fn refusals_say_what_to_do_and_no_secret() {
    let html = || ResponseTemplate::new(404).set_body_raw("<html>no such page</html>", "text/html");
    let cases = [
        ("/auth/token", status(401, WRONG_PASSWORD), Why::Auth, "refused the user name or password: Invalid credentials"),
        ("/auth/token", html(), Why::Status, "has no /auth/token: this is no Airflow 3, nor a 2 that answers"),
        ("/auth/token", status(201, "{\"access\": \"pw-hunter2\"}"), Why::Malformed, "answered a login without an access token"),
        (
            "/auth/token",
            status(500, "{\"detail\": {\"statement\": \"select\"}}"),
            Why::Status,
            "answered 500: Internal Server Error",
        ),
        (RUNS_LIST, status(403, r#"{"detail":"Forbidden"}"#), Why::Auth, "does not permit this user to look: Forbidden"),
        (RUNS_LIST, html(), Why::Status, "has no Airflow API at this address: does the URL lack its path?"),
        (RUNS_LIST, status(503, "busy"), Why::Status, "answered 503: Service Unavailable"),
        (RUNS_LIST, body("<html>please log in</html>"), Why::Malformed, "the answer about runs (application/json) cannot be read"),
        (RUNS_LIST, body(&RUNS[..3000]), Why::Malformed, "the answer about runs"),
        (RUNS_LIST, body(r#"{"dag_runs": [{"dag_id": "a"}], "total_entries": 1}"#), Why::Malformed, "missing field `dag_run_id`"),
        (TASKS_LIST, status(500, "{}"), Why::Status, "answered 500"),
    ];
    for (at, answer, why, words) in cases {
        let server = airflow().await;
        once(&server, "POST", at, answer).await;
        let error = sweep(&source(&server), &["a"], now()).await.unwrap_err();
        assert_eq!(error.why, why, "{at} {error:?}");
        assert!(error.detail.contains(words), "{error:?}");
        assert!(!error.detail.contains("hunter2") && !error.detail.contains("eyJ"), "{error:?}");
    }
}

#[tokio::test]
async fn a_configured_token_is_used_and_never_renewed() {
    let server = airflow().await;
    let source = source_of(&format!("{}/", server.uri()), AirflowLogin::Token(Secret::Value("static-token".into())));
    assert_eq!(sweep(&source, &["never_run"], now()).await.unwrap(), ["never_run"]);
    once(&server, "GET", RUNS_UPDATED, status(403, INVALID)).await;
    let error = sweep(&source, &["never_run"], now() + TimeDelta::days(400)).await;
    assert!(error.is_ok(), "its end is not known here, and the whole is asked for: {error:?}");
    let error = sweep(&source, &["never_run"], now() + TimeDelta::days(400)).await.unwrap_err();
    assert_eq!(error.why, Why::Auth);
    assert!(error.detail.contains("refused the configured token: Invalid JWT token"), "{error:?}");
    assert_eq!(logins(&server).await, 0);
}

/// 313 DAGs, in pages as the server cuts them.
async fn give_dags(server: &MockServer, total: usize) {
    for offset in (0..total).step_by(100) {
        let dag = |i: usize| json!({"dag_id": format!("d{i:03}"), "is_paused": false, "next_dagrun_run_after": null, "tags": [{"name": "mart"}]});
        let page = json!({"dags": (offset..total.min(offset + 100)).map(dag).collect::<Vec<_>>(), "total_entries": total});
        let question = Mock::given(method("GET")).and(path("/api/v2/dags")).and(query_param("offset", offset.to_string()));
        question.and(query_param("limit", "100")).respond_with(body(&page.to_string())).mount(server).await;
    }
}

#[tokio::test]
async fn a_start_with_313_dags_stays_below_sixteen_questions() {
    let server = airflow().await;
    give_dags(&server, 313).await;
    let source = source(&server);
    let Answer::Listing(members) = source.ask(&list(), now()).await else { panic!() };
    assert_eq!((members.len(), members[312].subject.as_str(), members[0].tags[0].as_str()), (313, "d312", "mart"));
    assert_eq!(sweep(&source, &["d000", "gone", "sales_daily"], now()).await.unwrap(), ["d000", "sales_daily Success Success"]);
    assert_eq!(source.traffic().requests, 1 + 4 + 3);
}

#[tokio::test]
async fn after_a_restart_what_does_not_exist_is_absent_before_the_next_listing() {
    let server = airflow().await;
    let source = source(&server);
    // It cannot be listed yet: every subject might exist.
    assert_eq!(sweep(&source, &["d000", "gone"], now()).await.unwrap(), ["d000", "gone"]);
    give_dags(&server, 313).await;
    assert_eq!(sweep(&source, &["d000", "gone"], now()).await.unwrap(), ["d000"]);
    let listings = |asked: Vec<String>| asked.iter().filter(|request| *request == "GET /api/v2/dags").count();
    assert_eq!(listings(asked(&server).await), 1 + 4);
    // Once is enough, and whoever has a row exists.
    assert_eq!(sweep(&source, &["d000", "gone", "sales_daily"], now()).await.unwrap().len(), 2);
    assert_eq!(sweep(&self::source(&server), &["sales_daily"], now()).await.unwrap().len(), 1);
    assert_eq!(listings(asked(&server).await), 1 + 4);
}

#[tokio::test]
async fn a_gateway_that_wants_the_token_for_the_health_too_gets_it() {
    let server = small().await;
    let bearer = |name: &str| header("authorization", format!("Bearer e30.eyJpYXQiOjAsImV4cCI6MzYwMH0.{name}").as_str());
    Mock::given(path("/api/v2/monitor/health")).and(bearer("one")).respond_with(body(HEALTH)).with_priority(2).mount(&server).await;
    Mock::given(path("/api/v2/monitor/health")).respond_with(status(401, "{}")).with_priority(3).mount(&server).await;
    assert_eq!(sweep(&source(&server), &["a"], now()).await.unwrap(), ["a Success"]);
    // Airflow 3 takes the password in its login alone.
    let all = server.received_requests().await.unwrap();
    assert!(all.iter().all(|r| r.headers.get("authorization").is_none_or(|v| v.to_str().unwrap().starts_with("Bearer "))));
    // A configured token is shown at once.
    once(&server, "POST", "/auth/token", status(500, "{}")).await;
    let configured = source_of(&server.uri(), AirflowLogin::Token(Secret::Value("e30.eyJpYXQiOjAsImV4cCI6MzYwMH0.one".into())));
    assert_eq!(sweep(&configured, &["a"], now()).await.unwrap(), ["a Success"]);
    let wrong = source_of(&server.uri(), AirflowLogin::Token(Secret::Value("wrong-token".into())));
    let error = sweep(&wrong, &["a"], now()).await.unwrap_err();
    assert!(error.why == Why::Auth && error.detail.contains("refused the configured token"), "{error:?}");
}

#[tokio::test]
async fn a_failure_names_task_try_and_error() {
    let server = airflow().await;
    let run = "scheduled__2026-11-21T15:00:00+00:00/a?b";
    given(
        &server,
        "GET",
        "/api/v2/dags/half_failed/dagRuns/scheduled__2026-11-21T15:00:00+00:00%2Fa%3Fb/taskInstances",
        body(FAILED_TASKS),
    )
    .await;
    let log = "/api/v2/dags/half_failed/dagRuns/scheduled__2026-11-21T15:00:00+00:00%2Fa%3Fb/taskInstances/bad/logs/1";
    Mock::given(path(log)).and(query_param("map_index", "-1")).respond_with(body(LOG)).up_to_n_times(1).mount(&server).await;
    let source = source(&server);
    let ask = Ask::Failure { source: Id::from("airflow"), subject: Id::from("half_failed"), run: run.to_owned() };
    let mut expected = Failure { task: Some("bad".to_owned()), try_number: Some(1), error: Some("RuntimeError: boom".to_owned()) };
    assert_eq!(source.ask(&ask, now()).await, Answer::Failure(expected.clone()));
    // The log is gone (404 from here on): what is known of the task stays.
    expected.error = None;
    assert_eq!(source.ask(&ask, now()).await, Answer::Failure(expected));
    // A run without a failed task, such as one that timed out as a whole.
    given(&server, "GET", "/api/v2/dags/x/dagRuns/r/taskInstances", body(r#"{"task_instances": [], "total_entries": 0}"#)).await;
    let ask = Ask::Failure { source: Id::from("airflow"), subject: Id::from("x"), run: "r".to_owned() };
    assert_eq!(source.ask(&ask, now()).await, Answer::Failure(Failure::default()));
}

#[tokio::test]
async fn a_metadata_database_that_is_down_is_not_seen_through() {
    let server = MockServer::start().await;
    let sick = HEALTH.replacen("healthy", "unhealthy", 1);
    given(&server, "GET", "/api/v2/monitor/health", body(&sick)).await;
    let error = sweep(&source(&server), &["a"], now()).await.unwrap_err();
    assert_eq!((error.why, error.detail.as_str()), (Why::Status, "Airflow says that its metadata database is not healthy"));
    // Nothing more, but whether it has become another Airflow.
    assert_eq!(asked(&server).await, ["GET /api/v2/monitor/health", "GET /api/v1/version"]);
}

#[test]
fn a_secret_that_is_not_there_is_named_by_its_reference() {
    let login = AirflowLogin::Token(Secret::Env("DAWNWATCH_NO_SUCH_VARIABLE".to_owned()));
    let kind = SourceWiringKind::Airflow { url: "http://127.0.0.1:1".parse().unwrap(), login };
    let wiring = SourceWiring { timeout: TimeDelta::seconds(1), ca_file: None, kind };
    let error = Source::build(&Id::from("airflow"), &wiring).err().unwrap();
    assert_eq!(error, "source airflow: environment variable DAWNWATCH_NO_SUCH_VARIABLE is not set");
}

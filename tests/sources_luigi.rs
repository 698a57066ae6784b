//! Asking a luigid over HTTP: how many questions, which ones only, and what happens to what is cut, refused or gone.

use chrono::TimeDelta;
use dawnwatch::config::wiring::{SourceWiring, SourceWiringKind};
use dawnwatch::core::observation::{Answer, Ask, Fact, Failure, RunState, Scheduler, Sweep, Unreachable, Why};
use dawnwatch::core::plan::Id;
use dawnwatch::core::time::Instant;
use dawnwatch::sources::Source;
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

const GRAPH: &str = include_str!("fixtures/luigi381/graph.json");
const TASK_LIST: &str = include_str!("fixtures/luigi381/task_list.json");
const CAPPED: &str = include_str!("fixtures/luigi381/task_list_capped.json");
const ERROR: &str = include_str!("fixtures/luigi381/fetch_error.json");
const NOT_FOUND: &str = "<html><title>404: Not Found</title><body>404: Not Found</body></html>";

fn now() -> Instant {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

fn body(text: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(text, "application/json; charset=UTF-8")
}

fn html(status: u16, text: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw(text, "text/html; charset=UTF-8")
}

async fn given(server: &MockServer, at: &str, answer: ResponseTemplate) {
    Mock::given(method("GET")).and(path(at)).respond_with(answer).mount(server).await;
}

/// The recorded luigid.
async fn luigi() -> MockServer {
    let server = MockServer::start().await;
    given(&server, "/api/graph", body(GRAPH)).await;
    given(&server, "/api/task_list", body(TASK_LIST)).await;
    given(&server, "/api/fetch_error", body(ERROR)).await;
    server
}

fn source(url: &str) -> Source {
    let kind = SourceWiringKind::Luigi { url: url.parse().unwrap() };
    Source::build(&Id::from("luigi"), &SourceWiring { timeout: TimeDelta::seconds(10), ca_file: None, kind }).unwrap()
}

async fn ask(source: &Source, subjects: &[&str]) -> Result<Sweep, Unreachable> {
    let subjects = subjects.iter().copied().map(Id::from).collect();
    let since = now() - TimeDelta::days(1);
    match source.ask(&Ask::Sweep { source: Id::from("luigi"), subjects, dates: Default::default(), since }, now()).await {
        Answer::Sweep(sweep) => Ok(sweep),
        Answer::Unreachable(unreachable) => Err(unreachable),
        other => panic!("{other:?}"),
    }
}

/// `subject state…` of a sweep.
fn told(sweep: &Sweep) -> Vec<String> {
    let word = |state: &RunState| match state {
        RunState::Waiting { task } => format!("~{task}"),
        state => format!("{state:?}"),
    };
    let fact = |fact: &Fact| match fact {
        Fact::Runs(runs) => runs.iter().map(|run| word(&run.state)).collect::<Vec<_>>().join(" "),
        other => format!("{other:?}"),
    };
    sweep.items.iter().map(|item| format!("{} {}", item.subject, fact(&item.fact))).collect()
}

fn failure_of(run: &str) -> Ask {
    Ask::Failure { source: Id::from("luigi"), subject: Id::from("BrokenExtract"), run: run.to_owned() }
}

/// Method, path and `data` of all requests that came.
async fn asked(server: &MockServer) -> Vec<(String, String, Value)> {
    let requests = server.received_requests().await.unwrap();
    let data = |request: &wiremock::Request| {
        let data = request.url.query_pairs().find(|(key, _)| key == "data").unwrap().1.into_owned();
        serde_json::from_str(&data).unwrap()
    };
    requests.iter().map(|r| (r.method.to_string(), r.url.path().to_owned(), data(r))).collect()
}

#[tokio::test]
async fn a_sweep_costs_one_question() {
    let server = luigi().await;
    let source = source(&server.uri());
    let sweep = ask(&source, &["DailySales", "MartFromBroken", "Never", "Broken*"]).await.unwrap();
    assert_eq!(told(&sweep), ["DailySales Success", "MartFromBroken ~BrokenExtract", "Broken* Failed"]);
    assert_eq!(source.traffic().requests, 1);
    assert!(source.traffic().bytes > 5000);
    // That it has no workers, or does nothing, is no illness of a luigid.
    assert_eq!(sweep.scheduler, Scheduler::NotSaid);
}

#[tokio::test]
async fn only_methods_that_read_are_asked_whatever_the_question() {
    let server = luigi().await;
    let source = source(&format!("{}/", server.uri()));
    ask(&source, &["DailySales"]).await.unwrap();
    source.ask(&Ask::List { source: Id::from("luigi") }, now()).await;
    source.ask(&failure_of("prune?data={}/../../api/disable_worker"), now()).await;
    server.reset().await;
    given(&server, "/api/task_list", body(TASK_LIST)).await;
    ask(&source, &["../prune", "api/add_task"]).await.unwrap();
    let requests = asked(&server).await;
    assert_eq!(requests.len(), 2);
    for (method, path, _) in requests {
        assert_eq!(method, "GET");
        assert!(["/api/graph", "/api/task_list", "/api/fetch_error"].contains(&path.as_str()), "{path}");
    }
}

#[tokio::test]
async fn what_cannot_be_had_as_a_graph_is_had_as_a_list() {
    let cut = GRAPH.replace("\"LoadOrders_2026_03_01_17fcb2f16f\": {", "\"LoadOrders_other\": {");
    for graph in [html(404, NOT_FOUND), html(500, "<html>"), body("{\"response\": []}"), body(&GRAPH[..900]), body(&cut)] {
        let server = MockServer::start().await;
        given(&server, "/api/graph", graph).await;
        given(&server, "/api/task_list", body(TASK_LIST)).await;
        let source = source(&server.uri());
        assert_eq!(
            told(&ask(&source, &["DailySales", "MartFromBroken"]).await.unwrap()),
            ["DailySales Success", "MartFromBroken Queued"]
        );
        assert_eq!(source.traffic().requests, 2);
    }
}

#[tokio::test]
async fn more_tasks_than_luigi_lists_is_out_of_sight_and_never_an_empty_answer() {
    let server = MockServer::start().await;
    given(&server, "/api/graph", body("{\"response\": {\"num_tasks\": -1}}")).await;
    given(&server, "/api/task_list", body(CAPPED)).await;
    let source = source(&server.uri());
    let words = "Luigi has 14 tasks, more than it lists (max_shown_tasks in its [scheduler])";
    let error = ask(&source, &["DailySales"]).await.unwrap_err();
    assert_eq!((error.why, error.detail.as_str()), (Why::TooLarge, words));
    let listing = source.ask(&Ask::List { source: Id::from("luigi") }, now()).await;
    assert!(matches!(listing, Answer::Unreachable(Unreachable { why: Why::TooLarge, .. })), "{listing:?}");
}

#[tokio::test]
async fn an_empty_luigi_is_no_trouble_and_knows_nothing() {
    let server = MockServer::start().await;
    given(&server, "/api/graph", body("{\"response\": {}}")).await;
    let source = source(&server.uri());
    assert_eq!(ask(&source, &["DailySales"]).await.unwrap().items, []);
    assert_eq!(source.ask(&Ask::List { source: Id::from("luigi") }, now()).await, Answer::Listing(vec![].into()));
}

#[tokio::test]
async fn refusals_say_what_is_wrong() {
    let cases = [
        (html(404, NOT_FOUND), Why::Status, "has no /api/task_list: this is no Luigi scheduler (or the URL lacks its path)"),
        (html(500, "<html>500: Internal Server Error</html>"), Why::Status, "answered 500"),
        (html(401, ""), Why::Auth, "refused to be asked without a login, with 401"),
        (
            html(200, "<html>Please log in</html>"),
            Why::Malformed,
            "the answer about its tasks (text/html; charset=UTF-8) cannot be read",
        ),
        (body("{\"response\": {\"A_1\": {}}}"), Why::Malformed, "missing field `status`"),
    ];
    for (answer, why, words) in cases {
        let server = MockServer::start().await;
        Mock::given(method("GET")).respond_with(answer).mount(&server).await;
        let error = ask(&source(&server.uri()), &["A"]).await.unwrap_err();
        assert_eq!(error.why, why, "{error:?}");
        assert!(error.detail.contains(words), "{error:?}");
    }
}

#[tokio::test]
async fn the_reason_of_a_failure_is_asked_for_by_the_task() {
    let server = luigi().await;
    let source = source(&format!("{}/luigi", server.uri()));
    given(&server, "/luigi/api/fetch_error", body(ERROR)).await;
    let id = "BrokenExtract_2026_03_01_17fcb2f16f";
    let error = Some("ValueError: 원본 테이블이 비었습니다: source table is empty".to_owned());
    let expected = Failure { task: Some("BrokenExtract".to_owned()), try_number: None, error };
    assert_eq!(source.ask(&failure_of(id), now()).await, Answer::Failure(expected));
    let expected = ("GET".to_owned(), "/luigi/api/fetch_error".to_owned(), json!({"task_id": id}));
    assert_eq!(asked(&server).await, [expected]);
}

#[tokio::test]
async fn a_clock_that_is_off_is_told() {
    for (date, expected) in [("Sun, 22 Nov 2026 12:03:00 GMT", 180), ("Sun, 22 Nov 2026 11:57:00 GMT", -180)] {
        let server = MockServer::start().await;
        given(&server, "/api/graph", body(GRAPH).insert_header("date", date)).await;
        let ahead = ask(&source(&server.uri()), &["DailySales"]).await.unwrap().clock_ahead_s.unwrap();
        assert!((ahead - expected).abs() <= 1, "{ahead}");
    }
}

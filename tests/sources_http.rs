//! Asking any JSON endpoint: one answer for many checks, or one for each.

use chrono::TimeDelta;
use dawnwatch::config::wiring::{HeaderValue, HttpWiring, Secret, SourceWiring, SourceWiringKind};
use dawnwatch::core::observation::{Answer, Ask, Fact, Failure, Item, RunState, Scheduler, Sweep, Why};
use dawnwatch::core::plan::Id;
use dawnwatch::core::time::Instant;
use dawnwatch::sources::{Pace, Part, Source};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

fn now() -> Instant {
    "2026-11-23T00:00:00Z".parse().unwrap()
}

fn wiring(url: String, list: bool) -> HttpWiring {
    let text = |text: &str| Some(text.to_owned());
    HttpWiring {
        url,
        headers: BTreeMap::from([
            ("x-api-key".to_owned(), HeaderValue::Secret(Secret::Value("key-hunter2".into()))),
            ("x-team".to_owned(), HeaderValue::Plain("mart".to_owned())),
        ]),
        items: list.then(|| "$.jobs[*]".to_owned()),
        id: list.then(|| "$.name".to_owned()),
        state: text("$.state"),
        started_at: text("$.started"),
        ended_at: None,
        timestamp: text("$.newest"),
        error: text("$.message"),
        states: BTreeMap::new(),
    }
}

fn build(http: HttpWiring) -> Result<Source, String> {
    let kind = SourceWiringKind::Http(Box::new(http));
    Source::build(&Id::from("jobs"), &SourceWiring { timeout: TimeDelta::seconds(10), ca_file: None, kind })
}

async fn ask(source: &Source, subjects: &[&str]) -> Answer {
    let subjects = subjects.iter().copied().map(Id::from).collect();
    source
        .ask(
            &Ask::Sweep { source: Id::from("jobs"), subjects, dates: Default::default(), since: now() - TimeDelta::days(1) },
            now(),
        )
        .await
}

async fn items(source: &Source, subjects: &[&str]) -> Vec<Item> {
    match ask(source, subjects).await {
        Answer::Sweep(Sweep { items, scheduler: Scheduler::NotSaid, .. }) => items,
        other => panic!("{other:?}"),
    }
}

fn words(items: &[Item]) -> Vec<String> {
    let word = |item: &Item| match &item.fact {
        Fact::Dated(_) => unreachable!("an HTTP source knows no dates"),
        Fact::Runs(runs) => format!("{} {:?}", item.subject, runs.iter().map(|run| &run.state).collect::<Vec<_>>()),
        Fact::Timestamp(at) => format!("{} {}", item.subject, at.is_some()),
        Fact::Suspicious(reason) => format!("{} ? {reason}", item.subject),
    };
    items.iter().map(word).collect()
}

#[tokio::test]
async fn one_answer_serves_all_checks() {
    let server = MockServer::start().await;
    let jobs = json!({"jobs": [
        {"name": "sales", "state": "ok", "started": "2026-11-22T20:00:00Z"},
        {"name": "orders", "state": "failed", "started": 1_795_377_600, "message": "no space left\non device"},
        {"name": "raw", "newest": "2026-11-22T23:00:00+09:00"},
        {"name": "unasked", "state": "?"},
    ]});
    // Only with both headers there is an answer.
    Mock::given(method("GET"))
        .and(path("/jobs"))
        .and(header("x-api-key", "key-hunter2"))
        .and(header("x-team", "mart"))
        // A label that lies does no harm where the content is what was asked for.
        .respond_with(ResponseTemplate::new(200).set_body_raw(jobs.to_string(), "text/plain"))
        .mount(&server)
        .await;
    let source = build(wiring(format!("{}/jobs?key=x", server.uri()), true)).unwrap();
    let items = items(&source, &["sales", "orders", "raw", "gone"]).await;
    assert_eq!(words(&items), ["sales [Success]", "orders [Failed]", "raw true"]);
    assert_eq!(source.traffic().requests, 1);
    let Fact::Runs(runs) = &items[1].fact else { panic!() };
    assert_eq!((runs[0].id.as_str(), &runs[0].state), ("2026-11-22T20:00:00+00:00", &RunState::Failed));
    let why = Ask::Failure { source: Id::from("jobs"), subject: Id::from("orders"), run: runs[0].id.clone() };
    let expected = Failure { error: Some("no space left on device".to_owned()), ..Failure::default() };
    assert_eq!(source.ask(&why, now()).await, Answer::Failure(expected));
    assert_eq!(source.traffic().requests, 1, "an error is remembered, not asked for");
}

#[tokio::test]
async fn one_endpoint_for_each_check() {
    let server = MockServer::start().await;
    let give = async |at: &str, answer: ResponseTemplate| Mock::given(path(at)).respond_with(answer).mount(&server).await;
    let state = |state: &str| ResponseTemplate::new(200).set_body_json(json!({"state": state, "started": "2026-11-22T20:00:00Z"}));
    give("/jobs/a/last", state("running")).await;
    give("/jobs/b%2Fc%20%25%3F/last", state("ok")).await;
    give("/jobs/broken/last", ResponseTemplate::new(500)).await;
    give("/jobs/odd/last", ResponseTemplate::new(200).set_body_string("<html>")).await;
    let source = build(wiring(format!("{}/jobs/{{id}}/last", server.uri()), false)).unwrap();
    let mut told = words(&items(&source, &["a", "b/c %?", "broken", "odd", "unknown", ".."]).await);
    told.sort();
    let host = source.host();
    assert_eq!(told[0], "a [Running]");
    assert_eq!(told[1], "b/c %? [Success]");
    assert_eq!(told[2], format!("broken ? {host} answered 500"));
    assert!(told[3].starts_with("odd ? the answer is not JSON"), "{told:?}");
    // 404 is "not known"; dots would climb to another place.
    assert_eq!(told.len(), 4);
    let Answer::Unreachable(unreachable) = ask(&source, &["broken", "odd"]).await else { panic!() };
    assert_eq!(unreachable.why, Why::Status);
}

/// What is told of a round, in its order: subjects in order of name, or "all asked".
async fn round(source: &Source, subjects: &[&str]) -> (Vec<String>, Answer) {
    let (parts, mut told) = tokio::sync::mpsc::channel(16);
    let ids = subjects.iter().copied().map(Id::from).collect();
    let ask = Ask::Sweep { source: Id::from("jobs"), subjects: ids, dates: BTreeMap::new(), since: now() };
    let pace = Pace { per_second: 2, parts: Some(parts) };
    let answer = source.ask_at(&ask, now(), &pace).await;
    drop(pace);
    let mut lines = Vec::new();
    while let Some(part) = told.recv().await {
        lines.push(match part {
            Part::AllAsked => "all asked".to_owned(),
            Part::Told { mut subjects, sweep } => {
                assert_eq!(subjects.len(), sweep.items.len());
                subjects.sort();
                subjects.iter().map(Id::as_str).collect::<Vec<_>>().join(" ")
            }
        });
    }
    (lines, answer)
}

#[tokio::test]
async fn one_that_hangs_delays_nobody_and_is_asked_beside_the_others_from_then_on() {
    let server = MockServer::start().await;
    let ok = || ResponseTemplate::new(200).set_body_json(json!({"newest": "2026-11-22T20:00:00Z"}));
    let hang = Duration::from_secs(60);
    Mock::given(path("/hangs")).respond_with(ok().set_delay(hang)).up_to_n_times(2).mount(&server).await;
    Mock::given(method("GET")).respond_with(ok()).mount(&server).await;
    let kind = SourceWiringKind::Http(Box::new(wiring(format!("{}/{{id}}", server.uri()), false)));
    let wiring = SourceWiring { timeout: TimeDelta::milliseconds(1200), ca_file: None, kind };
    let source = Source::build(&Id::from("jobs"), &wiring).unwrap();
    let (told, answer) = round(&source, &["hangs", "a", "b"]).await;
    assert!(matches!(&answer, Answer::Sweep(sweep) if sweep.items.is_empty()), "all was told in parts: {answer:?}");
    assert_eq!(told.iter().position(|line| line == "a"), Some(0), "{told:?}");
    let all = || ["all asked", "a b", "hangs"].map(str::to_owned);
    assert!(told.contains(&all()[0]), "{told:?}");
    // Known by now: both others are asked and told of while it is waited for.
    assert_eq!(round(&source, &["hangs", "a", "b"]).await.0, [&all()[1], &all()[0], &all()[2]].map(String::as_str));
    // It answers again: in its turn, and from then on as one of the others.
    let (told, _) = round(&source, &["hangs", "a", "b"]).await;
    assert_eq!(told.last().unwrap(), "all asked", "{told:?}");
}

#[tokio::test]
async fn when_nobody_answers_it_is_the_source_that_is_out_of_reach() {
    let server = MockServer::start().await;
    Mock::given(method("GET")).respond_with(ResponseTemplate::new(500)).mount(&server).await;
    let source = build(wiring(format!("{}/{{id}}", server.uri()), false)).unwrap();
    let (told, answer) = round(&source, &["a", "b"]).await;
    assert_eq!(told, ["all asked"]);
    assert!(matches!(answer, Answer::Unreachable(gone) if gone.why == Why::Status));
}

#[tokio::test]
async fn more_checks_than_requests_at_a_time() {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_body_json(json!({"newest": "2026-11-22T20:00:00Z"}));
    Mock::given(method("GET")).respond_with(answer).expect(100).mount(&server).await;
    let source = build(wiring(format!("{}/{{id}}", server.uri()), false)).unwrap();
    let names: Vec<String> = (0..100).map(|i| format!("job{i:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let told = items(&source, &names).await;
    let told: BTreeSet<&str> = told.iter().map(|item| item.subject.as_str()).collect();
    assert_eq!(told.into_iter().collect::<Vec<_>>(), names);
}

#[tokio::test]
async fn refusals_have_their_own_reason_and_no_secret() {
    for (status, why) in [(401, Why::Auth), (403, Why::Auth), (404, Why::Status), (500, Why::Status), (304, Why::Status)] {
        let server = MockServer::start().await;
        Mock::given(method("GET")).respond_with(ResponseTemplate::new(status).set_body_string("key-hunter2")).mount(&server).await;
        let source = build(wiring(format!("{}/jobs?key=hunter2", server.uri()), true)).unwrap();
        let Answer::Unreachable(unreachable) = ask(&source, &["a"]).await else { panic!() };
        assert_eq!(unreachable.why, why);
        assert!(!unreachable.detail.contains("hunter2") && !unreachable.detail.contains("jobs"), "{unreachable:?}");
    }
}

#[tokio::test]
async fn it_does_not_list() {
    let source = build(wiring("http://127.0.0.1:9/".to_owned(), true)).unwrap();
    assert!(matches!(source.ask(&Ask::List { source: Id::from("jobs") }, now()).await, Answer::Unreachable(_)));
}

#[test]
fn what_cannot_be_built_is_said_without_the_secret() {
    let good = || wiring("http://127.0.0.1:9/jobs".to_owned(), true);
    let key = |value: HeaderValue| BTreeMap::from([("x-api-key".to_owned(), value)]);
    let cases = [
        (HttpWiring { url: "no url hunter2".to_owned(), ..good() }, "source jobs: its url cannot be read"),
        (HttpWiring { items: Some("jobs[".to_owned()), ..good() }, "source jobs: items is no JSONPath"),
        (
            HttpWiring { headers: key(HeaderValue::Plain("hunter2\n".to_owned())), ..good() },
            "source jobs: the value of header x-api-key has characters that no header may have",
        ),
        (
            HttpWiring { headers: key(HeaderValue::Secret(Secret::File("/no/such/file".into()))), ..good() },
            "source jobs: header x-api-key: secret file /no/such/file cannot be read",
        ),
    ];
    for (wiring, words) in cases {
        let error = build(wiring).err().unwrap();
        assert!(error.starts_with(words) && !error.contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn a_clock_that_is_off_is_told_by_either_kind_of_endpoint() {
    for list in [true, false] {
        let server = MockServer::start().await;
        let late = |text: &str| {
            ResponseTemplate::new(200).set_body_raw(text, "application/json").insert_header("date", "Sun, 22 Nov 2026 23:57:00 GMT")
        };
        Mock::given(path("/jobs")).respond_with(late(r#"{"jobs": []}"#)).mount(&server).await;
        Mock::given(path("/jobs/a")).respond_with(late(r#"{"state": "ok"}"#)).mount(&server).await;
        let url = server.uri() + if list { "/jobs" } else { "/jobs/{id}" };
        let Answer::Sweep(sweep) = ask(&build(wiring(url, list)).unwrap(), &["a"]).await else { panic!() };
        let ahead = sweep.clock_ahead_s.unwrap();
        assert!((ahead + 180).abs() <= 1, "{ahead}");
    }
}

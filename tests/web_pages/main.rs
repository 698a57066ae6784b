//! The pages through a real loopback listener: what each says, who may read it, and when serving ends.

mod doors;

use chrono::{DateTime, TimeDelta};
use dawnwatch::agent::clock::Clock;
use dawnwatch::agent::desk::{Desk, Reloaded, Request};
use dawnwatch::core::state::Verdict;
use dawnwatch::core::time::Instant;
use dawnwatch::web::serve;
use dawnwatch::web::snapshot::{ChatLine, Counts, DashboardLine, IncidentLine, Snapshot, SourceLine};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Mon 23 Nov 2026 06:00 in Seoul.
fn now() -> Instant {
    DateTime::from_timestamp(1_795_381_200, 0).unwrap()
}

fn snapshot() -> Snapshot {
    Snapshot {
        at: now() - TimeDelta::seconds(20),
        zone: chrono_tz::Asia::Seoul,
        started_at: now() - TimeDelta::hours(9),
        ready: true,
        sources: vec![SourceLine {
            id: "airflow".into(),
            swept_at: Some(now() - TimeDelta::minutes(1)),
            dark_since: None,
            trouble: None,
            requests: 12,
            bytes: 34_567,
        }],
        dashboards: vec![DashboardLine {
            id: "exec".into(),
            name: "Executive summary".to_owned(),
            verdict: Verdict::OnTrack,
            deadline: now() + TimeDelta::hours(3),
            arrived: 298,
            checks: 312,
        }],
        incidents: vec![],
        chats: vec![ChatLine { id: "team".into(), broken: None, pending: 0 }],
        checks: vec![(Verdict::Ready, 298), (Verdict::OnTrack, 14)],
        counts: Counts { steps: 5, step_us: 1_500_000, posts_failed: 2, ..Counts::default() },
        store_trouble: None,
        heartbeat: None,
        config_refused: None,
    }
}

fn incident(cause: &str) -> IncidentLine {
    let since = now() - TimeDelta::hours(1);
    IncidentLine { id: 7, cause: cause.to_owned(), verdict: Verdict::Failed, recovering: false, since, waiting: 120 }
}

const HOST: &str = "host: localhost:8606\r\n";

struct Server {
    address: SocketAddr,
    requests: mpsc::Receiver<Request>,
    stop: CancellationToken,
    serving: JoinHandle<std::io::Result<()>>,
    publish: watch::Sender<Arc<Snapshot>>,
}

impl Server {
    async fn start(snapshot: Snapshot, token: Option<&str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (publish, snapshots) = watch::channel(Arc::new(snapshot));
        let stop = CancellationToken::new();
        let (desk, requests) = Desk::new();
        let serving = serve(listener, snapshots, desk, token.map(Into::into), Clock::played(now(), 1.0), stop.clone());
        Self { address, requests, stop, serving: tokio::spawn(serving), publish }
    }

    /// Sends bytes, reads until the server hangs up; the status, and all that came.
    async fn send(&self, request: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8(answer).unwrap();
        (answer.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or_else(|| panic!("{answer:?}")), answer)
    }

    async fn ask(&self, method: &str, path: &str, headers: &str) -> (u16, String) {
        self.send(&format!("{method} {path} HTTP/1.1\r\n{HOST}{headers}\r\n")).await
    }

    async fn get(&self, path: &str) -> (u16, String) {
        self.ask("GET", path, "").await
    }

    async fn health(&self) -> (u16, serde_json::Value) {
        let (status, answer) = self.get("/healthz").await;
        (status, serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap())
    }
}

#[tokio::test]
async fn a_fresh_watch_is_healthy() {
    let server = Server::start(snapshot(), None).await;
    let (status, body) = server.health().await;
    assert_eq!((status, &body["status"], &body["at"]), (200, &"ok".into(), &"2026-11-22T20:59:40Z".into()), "{body}");
    assert_eq!(body["reason"], serde_json::Value::Null);
}

#[tokio::test]
async fn what_stands_still_or_cannot_write_is_not_healthy() {
    let at = |at| Snapshot { at, ..snapshot() };
    for (snapshot, expected) in [
        (at(now() - TimeDelta::minutes(4)), "nothing was judged for 4 min"),
        (at(now() - TimeDelta::minutes(125)), "nothing was judged for 2 h 5 min"),
        (at(now() + TimeDelta::minutes(65)), "the clock was set back"),
        (Snapshot { store_trouble: Some("the disk is full".into()), ..snapshot() }, "the store is in trouble: the disk is full"),
    ] {
        let server = Server::start(snapshot, None).await;
        let (status, body) = server.health().await;
        assert_eq!((status, &body["status"]), (503, &"failing".into()));
        assert!(body["reason"].as_str().unwrap().contains(expected), "{body}");
        let (status, page) = server.get("/").await;
        assert!(status == 200 && page.contains("The watch is in trouble") && page.contains(expected), "{page}");
    }
}

#[tokio::test]
async fn a_broken_chat_shows_but_is_no_reason_to_restart() {
    let chats = vec![ChatLine { id: "team".into(), broken: Some("404 no_team".into()), pending: 1 }];
    let server = Server::start(Snapshot { chats, ..snapshot() }, None).await;
    let (status, body) = server.health().await;
    assert_eq!(status, 200);
    assert_eq!(body["chats_broken"], serde_json::json!([{ "chat": "team", "why": "404 no_team" }]));
    let (_, page) = server.get("/").await;
    assert!(page.contains("1 chat takes no messages") && page.contains("404 no_team") && page.contains("1 post to be confirmed"));
}

#[tokio::test]
async fn readiness_follows_the_snapshots() {
    let server = Server::start(Snapshot { ready: false, ..snapshot() }, None).await;
    assert_eq!(server.get("/readyz").await.0, 503);
    assert!(server.get("/").await.1.contains("Not known yet"), "what was not looked at is not green");
    server.publish.send(Arc::new(snapshot())).unwrap();
    assert_eq!(server.get("/readyz").await.0, 200);
}

#[tokio::test]
async fn metrics_are_openmetrics() {
    let incidents = vec![incident("raw_member_events"), IncidentLine { recovering: true, ..incident("x") }];
    let server = Server::start(Snapshot { incidents, ..snapshot() }, None).await;
    let (status, text) = server.get("/metrics").await;
    assert_eq!(status, 200);
    assert!(text.contains("content-type: application/openmetrics-text; version=1.0.0"), "{text}");
    for line in [
        "dawnwatch_ready 1",
        "dawnwatch_judged_timestamp_seconds 1795381180",
        "dawnwatch_checks{verdict=\"ready\"} 298",
        "dawnwatch_checks{verdict=\"failed\"} 0",
        "dawnwatch_incidents{phase=\"open\"} 1",
        "dawnwatch_dashboard_verdict{dashboard=\"exec\",verdict=\"on_track\"} 1",
        "dawnwatch_dashboard_verdict{dashboard=\"exec\",verdict=\"late\"} 0",
        "dawnwatch_dashboard_arrived{dashboard=\"exec\"} 298",
        "dawnwatch_source_requests_total{source=\"airflow\"} 12",
        "dawnwatch_chat_broken{chat=\"team\"} 0",
        "dawnwatch_posts_failed_total 2",
        "dawnwatch_step_seconds_total 1.5",
        "dawnwatch_store_trouble 0",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
    let samples = text.split("\r\n\r\n").nth(1).unwrap().lines().filter(|l| !l.starts_with('#'));
    assert!(samples.clone().count() > 20 && samples.clone().all(|l| l.starts_with("dawnwatch_")), "{text}");
}

#[tokio::test]
async fn the_page_says_the_worst_first() {
    let server = Server::start(snapshot(), None).await;
    let (status, page) = server.get("/").await;
    assert_eq!(status, 200);
    assert!(page.contains("content-security-policy: default-src 'none'"), "{page}");
    for words in ["OK: 1 dashboard is well", "Executive summary", "298/312 arrived", "Mon 23 Nov 09:00 KST", "airflow", "on track"]
    {
        assert!(page.contains(words), "{words} is not in\n{page}");
    }

    let mut late = snapshot();
    let second = DashboardLine { name: "Ads".into(), verdict: Verdict::Late, ..late.dashboards[0].clone() };
    late.dashboards.push(DashboardLine { deadline: now() + TimeDelta::hours(5), ..second });
    late.incidents.push(incident("raw_member_events"));
    server.publish.send(Arc::new(late)).unwrap();
    let (_, page) = server.get("/").await;
    assert!(page.contains("1 of 2 dashboards in trouble") && page.contains("#7 · since Mon 23 Nov 05:00 KST · 120 checks wait"));
    assert!(page.find("Ads") < page.find("Executive"), "{page}");
}

#[tokio::test]
async fn no_text_from_outside_is_markup() {
    let evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&\u{202e}\u{7}";
    let mut bad = snapshot();
    bad.dashboards[0].name = evil.into();
    bad.incidents.push(incident(evil));
    bad.sources[0].id = evil.into();
    bad.sources[0].trouble = Some(evil.into());
    bad.chats = vec![ChatLine { id: evil.into(), broken: Some(evil.into()), pending: 3 }];
    bad.store_trouble = Some(evil.into());
    let server = Server::start(bad, None).await;
    let (_, page) = server.get("/").await;
    assert_eq!(page.matches("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&gt;&lt;img").count(), 7, "{page}");
    assert!(!page.contains("<script") && !page.contains("<img") && !page.contains(['\u{202e}', '\u{7}']), "{page}");
    // A label value with quotes stays one label value.
    let (_, text) = server.get("/metrics").await;
    assert!(text.contains("alert(1)</script>\\\"'>"), "{text}");
}

#[tokio::test]
async fn nothing_but_reading_is_allowed() {
    let server = Server::start(snapshot(), None).await;
    for path in ["/", "/healthz", "/readyz", "/metrics"] {
        assert_eq!(server.ask("POST", path, "content-length: 0\r\n").await.0, 405, "{path}");
        assert_eq!(server.ask("DELETE", path, "").await.0, 405, "{path}");
        let (status, answer) = server.ask("HEAD", path, "").await;
        assert!(status == 200 && answer.ends_with("\r\n\r\n"), "{path}: {answer}");
    }
    assert_eq!(server.get("/nowhere").await.0, 404);
    assert_eq!(server.ask("GET", "/", &format!("x: {}\r\n", "y".repeat(10_000))).await.0, 431);
    assert_eq!(server.send("hello\r\n\r\n").await.0, 400);
}

#[tokio::test]
async fn stop_ends_serving_even_for_those_who_never_ask() {
    let server = Server::start(snapshot(), None).await;
    // As many as are served at a time, less one; then one more that proves that these were accepted.
    let mut idle = Vec::new();
    for n in 0..63 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        if n % 2 == 0 {
            stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        }
        idle.push(stream);
    }
    assert_eq!(server.get("/readyz").await.0, 200);
    server.stop.cancel();
    tokio::time::timeout(Duration::from_secs(5), server.serving).await.expect("serving must end").unwrap().unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}

const MUTE: &str = r#"{"nonce":"n","by":"kim","reason":"loud","order":{"retire":{"check":"orders"}}}"#;
const JSON: &str = "content-type: application/json\r\n";

/// Answers as the loop would: a command by `kim` is carried out, another is refused.
fn answering(mut requests: mpsc::Receiver<Request>) -> JoinHandle<()> {
    tokio::spawn(async move {
        while let Some(request) = requests.recv().await {
            match request {
                Request::Reload(answer) => drop(answer.send(Reloaded::Refused(vec!["a.toml:1:2: no such key".to_owned()]))),
                Request::Command(command, answer) if command.by == "kim" => drop(answer.send(Ok("it is retired".to_owned()))),
                Request::Command(_, answer) => drop(answer.send(Err("there is no check orders".to_owned()))),
            }
        }
    })
}

impl Server {
    async fn post(&self, path: &str, headers: &str, body: &str) -> (u16, String) {
        self.send(&format!("POST {path} HTTP/1.1\r\n{HOST}content-length: {}\r\n{headers}\r\n{body}", body.len())).await
    }

    fn requests(&mut self) -> mpsc::Receiver<Request> {
        std::mem::replace(&mut self.requests, mpsc::channel(1).1)
    }
}

#[tokio::test]
async fn commands_are_passed_on_and_answered() {
    let mut server = Server::start(snapshot(), None).await;
    let loop_ = answering(server.requests());
    let large = MUTE.replace("loud", &"x".repeat(9_000));
    for (headers, body, expected, words) in [
        (JSON, MUTE, 200, "it is retired"),
        ("content-type: application/json; charset=utf-8\r\n", MUTE, 200, "it is retired"),
        (JSON, &MUTE.replace("kim", "lee"), 409, "there is no check orders"),
        (JSON, "{", 400, "line 1"),
        (JSON, &MUTE.replace("reason", "raison"), 400, "this is no command"),
        (JSON, &MUTE.replace("retire", "restart"), 400, "this is no command"),
        (JSON, "", 400, "this is no command"),
        ("", MUTE, 415, "application/json"),
        ("content-type: text/plain\r\n", MUTE, 415, "application/json"),
        ("content-type: application/x-www-form-urlencoded\r\n", MUTE, 415, "application/json"),
        (JSON, large.as_str(), 413, ""),
    ] {
        let (status, answer) = server.post("/-/command", headers, body).await;
        assert!(status == expected && answer.contains(words), "{headers}{body:.80}: {answer}");
    }
    for method in ["GET", "PUT", "DELETE", "OPTIONS"] {
        for path in ["/-/command", "/-/reload"] {
            assert_eq!(server.ask(method, path, "").await.0, 405, "{method} {path}");
        }
    }
    let (status, answer) = server.post("/-/reload", "", "").await;
    assert!(status == 422 && answer.contains("a.toml:1:2: no such key"), "{answer}");
    let (status, answer) = server.post("/-/reload", "accept: application/json\r\n", "").await;
    assert!(status == 422 && answer.ends_with(r#"{"findings":["a.toml:1:2: no such key"],"taken":false}"#), "{answer}");
    loop_.abort();
}

#[tokio::test]
async fn no_browser_and_nobody_without_the_token_may_ask_for_anything() {
    let mut server = Server::start(snapshot(), Some("s3cret")).await;
    let open = Server::start(snapshot(), None).await;
    for path in ["/-/command", "/-/reload"] {
        assert_eq!(server.post(path, JSON, MUTE).await.0, 401, "{path}");
        let wrong = format!("{JSON}authorization: Bearer s3cre\r\n");
        assert_eq!(server.post(path, &wrong, MUTE).await.0, 401, "{path}");
        for browser in [
            "origin: http://evil.example\r\n",
            // A name that was pointed to this machine makes any page of the same origin.
            "origin: http://127.0.0.1:8606\r\nsec-fetch-site: same-origin\r\n",
            "origin: null\r\n",
            "sec-fetch-site: cross-site\r\n",
        ] {
            assert_eq!(open.post(path, &format!("{JSON}{browser}"), MUTE).await.0, 403, "{path} {browser}");
        }
    }
    assert!(server.requests().try_recv().is_err(), "nothing of it has reached the loop");
}

#[tokio::test(start_paused = true)]
async fn who_sends_slowly_or_without_end_is_cut_off() {
    let server = Server::start(snapshot(), None).await;
    let head = format!("POST /-/command HTTP/1.1\r\n{HOST}{JSON}");
    for rest in ["content-length: 500\r\n\r\n{\"nonce\"", "transfer-encoding: chunked\r\n\r\n5\r\n{\"non", "content-le"] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(format!("{head}{rest}").as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut answer)).await;
        assert!(ended.is_ok(), "{rest}");
    }
    let endless = "transfer-encoding: chunked\r\n\r\n".to_owned() + &format!("400\r\n{}\r\n", "x".repeat(1024)).repeat(20);
    assert_eq!(server.send(&format!("{head}{endless}")).await.0, 413);
}

#[tokio::test(start_paused = true)]
async fn a_loop_that_does_not_answer_keeps_nobody_and_takes_no_more_than_it_can() {
    let server = Server::start(snapshot(), None).await;
    let asks = (0..50).map(|_| server.post("/-/command", JSON, MUTE));
    let answers = futures_util::future::join_all(asks).await;
    let count = |status: u16| answers.iter().filter(|(got, _)| *got == status).count();
    assert_eq!((count(202), count(503)), (16, 34));
}

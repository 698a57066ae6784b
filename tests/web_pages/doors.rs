//! Who may read what: with the token, without it, and by a foreign name.

use crate::{Server, snapshot};
use dawnwatch::web::snapshot::{ChatLine, Snapshot};

#[tokio::test]
async fn without_the_token_only_the_probes_answer() {
    let server = Server::start(snapshot(), Some("s3cret")).await;
    for (path, headers, expected) in [
        ("/", "", 401),
        ("/metrics", "", 401),
        ("/nowhere", "", 401),
        ("/", "authorization: Bearer s3cre\r\n", 401),
        ("/?token=s3cret", "", 401),
        ("/healthz", "", 200),
        ("/readyz", "", 200),
        ("/", "authorization: Bearer s3cret\r\n", 200),
        ("/metrics", "authorization: Bearer s3cret\r\n", 200),
        ("/nowhere", "authorization: Bearer s3cret\r\n", 404),
        // What a browser sends for the name "me" and the password "s3cret".
        ("/", "authorization: Basic bWU6czNjcmV0\r\n", 200),
    ] {
        let (status, answer) = server.ask("GET", path, headers).await;
        assert_eq!(status, expected, "{path} {headers}");
        assert!(!answer.contains("s3cret"), "{path}");
        assert!(status != 401 || !answer.contains("Executive") && answer.contains("www-authenticate"), "{path}: {answer}");
    }
}

#[tokio::test]
async fn without_the_token_health_says_whether_and_not_why() {
    let ill = || Snapshot {
        chats: vec![ChatLine { id: "team".into(), broken: Some("404 no_team".into()), pending: 1 }],
        store_trouble: Some("/srv/secret-place: the disk is full".into()),
        config_refused: Some("a.toml:1:2: no such key hunter2".into()),
        ..snapshot()
    };
    let server = Server::start(ill(), Some("s3cret")).await;
    for headers in ["", "authorization: Bearer s3cre\r\n"] {
        let (status, answer) = server.ask("GET", "/healthz", headers).await;
        assert_eq!(status, 503);
        let body: serde_json::Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
        let keys: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["at", "now", "ready", "reason", "started_at", "status"]);
        assert_eq!((&body["status"], &body["ready"]), (&"failing".into(), &true.into()));
        assert!(body["reason"].as_str().unwrap().starts_with("the watch cannot be relied on now"), "{body}");
    }
    let told = "authorization: Bearer s3cret\r\n";
    let open = Server::start(ill(), None).await;
    for (status, answer) in [server.ask("GET", "/healthz", told).await, open.get("/healthz").await] {
        let all = ["no_team", "secret-place", "hunter2"].iter().all(|words| answer.contains(words));
        assert!(status == 503 && all, "{answer}");
    }
    let well = Server::start(snapshot(), Some("s3cret")).await;
    let (status, body) = well.health().await;
    assert_eq!((status, &body["status"], &body["reason"]), (200, &"ok".into(), &serde_json::Value::Null));
}

#[tokio::test]
async fn a_foreign_name_reads_nothing_without_a_token() {
    let open = Server::start(snapshot(), None).await;
    let guarded = Server::start(snapshot(), Some("s3cret")).await;
    let get = |path: &str, host: &str| format!("GET {path} HTTP/1.1\r\n{host}authorization: Bearer s3cret\r\n\r\n");
    for path in ["/", "/metrics", "/healthz", "/readyz", "/nowhere"] {
        for host in ["host: evil.example:8606\r\n", "host: localhost\r\nhost: evil.example\r\n"] {
            let (status, answer) = open.send(&get(path, host)).await;
            assert!(status == 421 && answer.contains("IP address or localhost"), "{path}: {answer}");
        }
        for host in ["host: 127.0.0.1:8606\r\n", "host: [::1]\r\n", "host: localhost\r\n", ""] {
            assert_ne!(open.send(&get(path, host)).await.0, 421, "{path} {host}");
        }
        assert_ne!(guarded.send(&get(path, "host: watch.example.com\r\n")).await.0, 421, "{path}");
    }
    let post = "POST /-/reload HTTP/1.1\r\nhost: evil.example\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(open.send(post).await.0, 421);
}

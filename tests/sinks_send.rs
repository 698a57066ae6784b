//! What becomes of one attempt, against small servers on loopback.

use dawnwatch::config::wiring::{Address, ChatWiring, Secret};
use dawnwatch::core::plan::Id;
use dawnwatch::core::step::Outcome;
use dawnwatch::core::time::Instant;
use dawnwatch::sinks::{Payload, Sink};
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

fn now() -> Instant {
    "2026-11-23T00:00:00Z".parse().unwrap()
}

fn payload() -> Payload {
    Payload { body: b"{\"version\":1}".to_vec(), idempotency_key: "incident:1/team/1".into() }
}

fn slack(port: u16, timeout_ms: i64) -> Sink {
    let url = format!("http://127.0.0.1:{port}/services/T0/B0/verysecret");
    let wiring = ChatWiring::Slack {
        url: Address::Secret(Secret::Value(url.into())),
        timeout: chrono::TimeDelta::milliseconds(timeout_ms),
        ca_file: None,
    };
    Sink::build(&Id::from("team"), &wiring).unwrap()
}

/// What the server does once it has read the whole request.
#[derive(Clone, Copy)]
enum Then {
    Answer(&'static str),
    Close,
    Hang,
}

/// Serves one request; gives back the port and, later, what was read.
async fn server(then: Then) -> (u16, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut read = Vec::new();
        while !read.ends_with(b"}") {
            let mut chunk = [0; 4096];
            let n = stream.read(&mut chunk).await.unwrap();
            read.extend_from_slice(&chunk[..n]);
        }
        match then {
            Then::Answer(text) => stream.write_all(text.as_bytes()).await.unwrap(),
            Then::Close => {}
            // Until the other side gives up.
            Then::Hang => drop(stream.read(&mut [0; 16]).await),
        }
        String::from_utf8(read).unwrap()
    });
    (port, task)
}

async fn outcome(then: Then) -> Outcome {
    let (port, _task) = server(then).await;
    let outcome = slack(port, 2_000).send(&payload(), now()).await;
    assert!(!format!("{outcome:?}").contains("verysecret"), "{outcome:?}");
    outcome
}

#[tokio::test]
async fn answers_are_definite_except_a_gateways() {
    let confirmed = Outcome::Confirmed { handle: None };
    let failed =
        |why: &str, retry_at: Option<&str>| Outcome::Failed { why: why.into(), retry_at: retry_at.map(|t| t.parse().unwrap()) };
    let refused = |why: &str| Outcome::Refused { why: why.into() };
    let cases = [
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", confirmed.clone()),
        ("HTTP/1.1 204 No Content\r\n\r\n", confirmed),
        ("HTTP/1.1 404 Not Found\r\ncontent-length: 10\r\n\r\nno_service", refused("HTTP 404 no_service")),
        ("HTTP/1.1 400 Bad Request\r\ncontent-length: 14\r\n\r\ninvalid_blocks", refused("HTTP 400 invalid_blocks")),
        // An address that is echoed stays out of the reason.
        ("HTTP/1.1 404 Not Found\r\ncontent-length: 10\r\n\r\nverysecret", refused("HTTP 404")),
        (
            "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/x\r\ncontent-length: 0\r\n\r\n",
            refused("HTTP 302: the address redirects elsewhere, which is not followed"),
        ),
        (
            "HTTP/1.1 429 Too Many Requests\r\nretry-after: 30\r\ncontent-length: 12\r\n\r\nrate_limited",
            failed("HTTP 429 rate_limited", Some("2026-11-23T00:00:30Z")),
        ),
        (
            "HTTP/1.1 429 Too Many Requests\r\nretry-after: Mon, 23 Nov 2026 00:02:00 GMT\r\ncontent-length: 0\r\n\r\n",
            failed("HTTP 429", Some("2026-11-23T00:02:00Z")),
        ),
        ("HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n", failed("HTTP 408", None)),
        ("HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n", failed("HTTP 500", None)),
        ("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n", failed("HTTP 503", None)),
        ("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n", Outcome::Ambiguous { why: "HTTP 502".into() }),
        ("HTTP/1.1 504 Gateway Timeout\r\ncontent-length: 0\r\n\r\n", Outcome::Ambiguous { why: "HTTP 504".into() }),
    ];
    for (answer, expected) in cases {
        assert_eq!(outcome(Then::Answer(answer)).await, expected, "{answer}");
    }
}

#[tokio::test]
async fn a_lost_answer_is_ambiguous() {
    assert!(matches!(outcome(Then::Close).await, Outcome::Ambiguous { .. }));
    let cut = Then::Answer("HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nok");
    assert!(matches!(outcome(cut).await, Outcome::Ambiguous { .. }));
    let (port, _task) = server(Then::Hang).await;
    let hung = slack(port, 500).send(&payload(), now()).await;
    assert_eq!(hung, Outcome::Ambiguous { why: "the receiver did not answer in time".into() });
}

#[tokio::test]
async fn no_connection_is_a_plain_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let refused = slack(port, 2_000).send(&payload(), now()).await;
    assert!(matches!(&refused, Outcome::Failed { why, .. } if why.starts_with("no connection to the receiver: ")), "{refused:?}");
}

/// The time-out for connecting is the shorter one; that of the whole would leave open whether anything was written.
#[tokio::test]
async fn a_connection_that_does_not_come_about_is_a_plain_failure() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    // Nobody accepts: once the queue is full, the system leaves further connections unanswered.
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    while let Ok(stream) = timeout(Duration::from_millis(100), TcpStream::connect(address)).await {
        queue.push(stream.unwrap());
    }
    let outcome = slack(address.port(), 400).send(&payload(), now()).await;
    assert_eq!(outcome, Outcome::Failed { why: "the receiver did not answer in time".into(), retry_at: None });
}

#[tokio::test]
async fn a_webhook_is_signed_and_has_its_key() {
    let (port, task) = server(Then::Answer("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")).await;
    let wiring = ChatWiring::Webhook {
        url: Address::Plain(format!("http://127.0.0.1:{port}/hook").parse().unwrap()),
        secret: Some(Secret::Value("it-is-a-secret".into())),
        timeout: chrono::TimeDelta::seconds(2),
        ca_file: None,
    };
    let sink = Sink::build(&Id::from("backup"), &wiring).unwrap();
    assert_eq!(sink.send(&payload(), now()).await, Outcome::Confirmed { handle: None });
    let request = task.await.unwrap().to_lowercase();
    // printf '1795392000.{"version":1}' | openssl dgst -sha256 -hmac 'it-is-a-secret'
    let signature = "x-signature: v1=dac165b3b65fa0b0044967fa69a1b05e5e4d4b26b5fc6955e35cedfd8b09eed5";
    for header in ["idempotency-key: incident:1/team/1", "x-timestamp: 1795392000", signature] {
        assert!(request.contains(&format!("\r\n{header}\r\n")), "{header} in {request}");
    }
}

#[derive(Clone, Default)]
struct Screen(Arc<Mutex<Vec<u8>>>);

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Write::write(&mut *self.0.lock().unwrap(), bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_console_takes_all_it_can_write() {
    let screen = Screen::default();
    assert_eq!(Sink::console(screen.clone()).send(&payload(), now()).await, Outcome::Confirmed { handle: None });
    assert_eq!(*screen.0.lock().unwrap(), payload().body);
    assert!(matches!(Sink::console(Full).send(&payload(), now()).await, Outcome::Failed { .. }));
}

//! A peer on loopback that answers, closes, hangs or floods as told. It speaks just as much HTTP/1.1 as the agent needs.

use serde_json::Value;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

/// The longest wait for anything that has to happen.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// What a peer does once it has read a whole request.
pub enum Then {
    Answer(u16, String),
    Close,
    /// Until the agent gives up.
    Hang,
    /// Answers with 200 when the test says so.
    HangUntil(Arc<Notify>),
    /// So many bytes without an end.
    Flood(usize),
}

impl Then {
    pub fn ok() -> Self {
        Self::Answer(200, "ok".to_owned())
    }
}

#[derive(Debug)]
pub struct Request {
    /// In lower case.
    pub head: String,
    pub body: String,
}

impl Request {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        let line = self.head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.unwrap_or_else(|| panic!("{name} in {}", self.head))
    }
}

pub struct Peer {
    pub port: u16,
    /// What [`Peer::jobs`] answers.
    said: Arc<Mutex<String>>,
    requests: mpsc::UnboundedReceiver<Request>,
    _serving: JoinSet<()>,
}

impl Peer {
    /// `then`: of the nth request, from 0.
    pub fn start(then: impl Fn(usize, &Request) -> Then + Send + Sync + 'static) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let listener = TcpListener::from_std(listener).unwrap();
        let (seen, requests) = mpsc::unbounded_channel();
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut conversations = JoinSet::new();
            let mut nth = 0;
            while let Ok((mut stream, _)) = listener.accept().await {
                let Some(request) = read(&mut stream).await else { continue };
                let then = then(nth, &request);
                nth += 1;
                let _ = seen.send(request);
                conversations.spawn(answer(stream, then));
            }
        });
        Self { port, said: Arc::default(), requests, _serving: serving }
    }

    /// Answers every request with what was said last.
    pub fn jobs() -> Self {
        let said = Arc::new(Mutex::new(r#"{"jobs":[]}"#.to_owned()));
        let answer = said.clone();
        Self { said, ..Self::start(move |_, _| Then::Answer(200, answer.lock().unwrap().clone())) }
    }

    pub fn say(&self, body: &str) {
        *self.said.lock().unwrap() = body.to_owned();
    }

    pub async fn next(&mut self) -> Request {
        tokio::time::timeout(PATIENCE, self.requests.recv()).await.expect("nothing came").unwrap()
    }

    /// Forgets what has come so far; how many there were.
    pub fn forget(&mut self) -> usize {
        std::iter::from_fn(|| self.requests.try_recv().ok()).count()
    }

    pub fn is_quiet(&mut self) {
        assert!(self.requests.is_empty(), "{:?}", self.requests.try_recv());
    }
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
            if body.len() >= length {
                return Some(Request { body: body.to_owned(), head });
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

async fn answer(mut stream: TcpStream, then: Then) {
    let head = |status, length: &str| {
        format!("HTTP/1.1 {status} .\r\ncontent-type: application/json\r\nconnection: close\r\n{length}\r\n")
    };
    let whole = |status, body: &str| format!("{}{body}", head(status, &format!("content-length: {}\r\n", body.len())));
    // What the agent does not want to read any more is no fault of the peer.
    let _ = match then {
        Then::Answer(status, body) => stream.write_all(whole(status, &body).as_bytes()).await,
        Then::Close => Ok(()),
        Then::Hang => stream.read(&mut [0; 16]).await.map(drop),
        Then::HangUntil(released) => {
            released.notified().await;
            stream.write_all(whole(200, "ok").as_bytes()).await
        }
        Then::Flood(bytes) => {
            let _ = stream.write_all(head(200, "").as_bytes()).await;
            let chunk = vec![b' '; 1 << 20];
            for _ in 0..bytes / chunk.len() {
                if stream.write_all(&chunk).await.is_err() {
                    break;
                }
            }
            Ok(())
        }
    };
    let _ = stream.shutdown().await;
}

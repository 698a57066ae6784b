//! Endpoints that hang, lie, flood or lead astray: each is out of reach for its own reason, never a panic, never green.
//!
//! Every server here speaks to each kind of source; the first request that arrives gets the bad answer.

use chrono::TimeDelta;
use dawnwatch::config::wiring::{AirflowLogin, HttpWiring, Secret, SourceWiring, SourceWiringKind};
use dawnwatch::core::observation::{Answer, Ask, ERROR_CHARS, Why};
use dawnwatch::core::plan::Id;
use dawnwatch::net::{self, Redirects};
use dawnwatch::sources::Source;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

fn http(url: String) -> SourceWiringKind {
    let path = |text: &str| Some(text.to_owned());
    SourceWiringKind::Http(Box::new(HttpWiring {
        url: url + "/jobs?key=hunter2",
        headers: BTreeMap::new(),
        items: path("$.jobs[*]"),
        id: path("$.name"),
        state: path("$.state"),
        started_at: path("$.started"),
        ended_at: None,
        timestamp: None,
        error: None,
        states: BTreeMap::new(),
    }))
}

fn airflow(url: &str) -> SourceWiringKind {
    let password = Secret::Value("hunter2".into());
    SourceWiringKind::Airflow { url: url.parse().unwrap(), login: AirflowLogin::Password { username: "w".to_owned(), password } }
}

fn luigi(url: &str) -> SourceWiringKind {
    SourceWiringKind::Luigi { url: url.parse().unwrap() }
}

async fn ask(kind: SourceWiringKind, timeout_ms: i64, ca_file: Option<PathBuf>) -> Answer {
    let wiring = SourceWiring { timeout: TimeDelta::milliseconds(timeout_ms), ca_file, kind };
    let source = Source::build(&Id::from("s"), &wiring).unwrap();
    let now = "2026-11-23T00:00:00Z".parse().unwrap();
    source
        .ask(
            &Ask::Sweep {
                source: Id::from("s"),
                subjects: [Id::from("a")].into(),
                dates: Default::default(),
                since: now - TimeDelta::days(1),
            },
            now,
        )
        .await
}

/// All kinds of source must give this reason for this endpoint.
async fn check(url: &str, timeout_ms: i64, why: Why, words: &str) {
    for kind in [http(url.to_owned()), airflow(url), luigi(url)] {
        match ask(kind, timeout_ms, None).await {
            Answer::Unreachable(unreachable) => {
                assert_eq!(unreachable.why, why, "{unreachable:?}");
                assert!(unreachable.detail.contains(words), "{unreachable:?}");
                assert!(
                    !unreachable.detail.contains("hunter2") && unreachable.detail.chars().count() <= ERROR_CHARS,
                    "{unreachable:?}"
                );
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Serves every connection on loopback with `answer` after its request's head has come; counts the requests.
async fn serve<F>(answer: F) -> (String, Arc<AtomicUsize>)
where
    F: AsyncFn(&mut tokio::net::TcpStream) -> std::io::Result<()> + Clone + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    tokio::task::spawn_local(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (answer, counted) = (answer.clone(), Arc::clone(&counted));
            tokio::task::spawn_local(async move {
                if read_head(&mut stream).await.is_ok() {
                    counted.fetch_add(1, Ordering::Relaxed);
                    // The client may hang up before all is written; that is its right.
                    let _ = answer(&mut stream).await;
                }
            });
        }
    });
    (url, requests)
}

async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|w| w == b"\r\n\r\n") && head.len() < 64 * 1024 {
        head.push(stream.read_u8().await?);
    }
    Ok(())
}

/// A whole answer with the given head lines.
async fn reply(stream: &mut (impl AsyncWrite + Unpin), status: &str, head: &str, body: &[u8]) -> std::io::Result<()> {
    let start = format!("HTTP/1.1 {status}\r\n{head}content-length: {}\r\nconnection: close\r\n\r\n", body.len());
    stream.write_all(start.as_bytes()).await?;
    stream.write_all(body).await?;
    stream.shutdown().await
}

const JSON: &str = "content-type: application/json\r\n";

/// A current-thread runtime where servers may be started without being `Send`.
fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, test);
}

#[test]
fn one_that_never_answers() {
    run(async {
        let (url, _) = serve(async |_: &mut _| std::future::pending().await).await;
        check(&url, 100, Why::Timeout, "did not answer in time").await;
    });
}

#[test]
fn one_that_stops_in_the_middle_of_its_answer() {
    run(async {
        let (url, _) = serve(async |stream: &mut tokio::net::TcpStream| {
            stream.write_all(format!("HTTP/1.1 200 OK\r\n{JSON}content-length: 100\r\n\r\n{{\"jobs\": [").as_bytes()).await?;
            std::future::pending().await
        })
        .await;
        check(&url, 100, Why::Timeout, "did not answer in time").await;
    });
}

#[test]
fn one_that_is_not_there() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        drop(listener);
        check(&format!("http://{at}"), 5_000, Why::Connect, &format!("no connection to {at}: Connection refused")).await;
    });
}

#[test]
fn one_that_speaks_no_http() {
    run(async {
        let (url, _) =
            serve(async |stream: &mut tokio::net::TcpStream| stream.write_all(b"220 mail.example.com ESMTP\r\n").await).await;
        check(&url, 5_000, Why::Connect, "").await;
    });
}

#[test]
fn html_under_the_name_of_json_and_json_cut_short() {
    run(async {
        for (head, body) in [
            (JSON, "<html>Please log in</html>"),
            ("content-type: text/html\r\n", "<html>Please log in</html>"),
            (JSON, "{\"jobs\": [{\"name\": \"a\", \"state\": \"succ"),
            (JSON, ""),
            (JSON, "{\"jobs\": \"\u{fffd}"),
            (JSON, "[[[[[[[[[[[[[[[[[[[["),
        ] {
            let (url, _) =
                serve(async move |stream: &mut tokio::net::TcpStream| reply(stream, "200 OK", head, body.as_bytes()).await).await;
            check(&url, 5_000, Why::Malformed, "").await;
        }
    });
}

#[test]
fn a_connection_that_ends_before_the_promised_length() {
    run(async {
        let (url, _) = serve(async |stream: &mut tokio::net::TcpStream| {
            stream.write_all(format!("HTTP/1.1 200 OK\r\n{JSON}content-length: 100\r\n\r\n{{\"jobs\": []}}").as_bytes()).await?;
            stream.shutdown().await
        })
        .await;
        check(&url, 5_000, Why::Malformed, "").await;
    });
}

/// Writes 100 MB in pieces and counts what it got rid of.
async fn flood(stream: &mut tokio::net::TcpStream, head: &str, written: &AtomicUsize) -> std::io::Result<()> {
    stream.write_all(format!("HTTP/1.1 200 OK\r\n{JSON}{head}connection: close\r\n\r\n").as_bytes()).await?;
    let piece = vec![b' '; 1 << 20];
    for _ in 0..100 {
        stream.write_all(&piece).await?;
        written.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

#[test]
fn a_hundred_megabytes_are_not_read_to_the_end() {
    run(async {
        // With the length told before, and without.
        let told = "content-length: 104857600\r\n";
        for (head, path, most, words) in [(told, "", 16, "8 MiB"), ("", "", 64, "8 MiB"), ("", "/{id}", 64, "1 MiB")] {
            let written: &AtomicUsize = Box::leak(Box::default());
            let (url, _) = serve(async move |stream: &mut tokio::net::TcpStream| flood(stream, head, written).await).await;
            let Answer::Unreachable(unreachable) = ask(http(url + path), 30_000, None).await else { panic!() };
            assert_eq!(unreachable.why, Why::TooLarge);
            assert!(unreachable.detail.ends_with(&format!("sent more than {words} in one answer")), "{unreachable:?}");
            assert!(written.load(Ordering::Relaxed) < most, "{written:?} MB");
        }
    });
}

#[test]
fn a_small_body_that_unpacks_to_a_large_one() {
    run(async {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let piece = vec![b' '; 1 << 20];
        (0..40).for_each(|_| gzip.write_all(&piece).unwrap());
        let packed: &[u8] = gzip.finish().unwrap().leak();
        assert!(packed.len() < 1 << 20);
        let (url, _) = serve(async move |stream: &mut tokio::net::TcpStream| {
            reply(stream, "200 OK", &format!("{JSON}content-encoding: gzip\r\n"), packed).await
        })
        .await;
        check(&url, 30_000, Why::TooLarge, " MiB in one answer").await;
        let (url, _) = serve(async |stream: &mut tokio::net::TcpStream| {
            reply(stream, "200 OK", &format!("{JSON}content-encoding: gzip\r\n"), b"this is no gzip").await
        })
        .await;
        check(&url, 5_000, Why::Malformed, "decompressed").await;
    });
}

#[test]
fn redirects_in_a_loop_and_to_elsewhere() {
    run(async {
        let (url, requests) = serve(async |stream: &mut tokio::net::TcpStream| {
            reply(stream, "307 Temporary Redirect", "location: /again\r\n", b"").await
        })
        .await;
        check(&url, 5_000, Why::Redirect, "redirects in a loop").await;
        // The first question and five redirects, by each of the three kinds.
        assert_eq!(requests.load(Ordering::Relaxed), 18);

        let (other, visits) =
            serve(async |stream: &mut tokio::net::TcpStream| reply(stream, "200 OK", JSON, b"{\"jobs\": []}").await).await;
        let head: &str = format!("location: {other}/hunter2\r\n").leak();
        let (url, _) = serve(async move |stream: &mut tokio::net::TcpStream| reply(stream, "302 Found", head, b"").await).await;
        check(&url, 5_000, Why::Redirect, "redirects to another host").await;
        assert_eq!(visits.load(Ordering::Relaxed), 0);
    });
}

/// An HTTPS server with a certificate of its own making, for `localhost`; and the certificate.
async fn serve_tls() -> (String, tempfile::NamedTempFile) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    tokio::task::spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(mut stream) = acceptor.accept(stream).await
                && read_head(&mut stream).await.is_ok()
            {
                let _ = reply(&mut stream, "200 OK", JSON, b"{\"jobs\": []}").await;
            }
        }
    });
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(cert.pem().as_bytes()).unwrap();
    (url, file)
}

#[test]
fn a_certificate_that_nobody_vouches_for() {
    run(async {
        let (url, certificate) = serve_tls().await;
        check(&url, 5_000, Why::Tls, "no trusted connection to localhost").await;
        // Named as `ca_file` it is trusted, for its name only.
        let answer = ask(http(url.clone()), 5_000, Some(certificate.path().to_owned())).await;
        assert!(matches!(answer, Answer::Sweep(_)), "{answer:?}");
        let other_name = url.replace("localhost", "127.0.0.1");
        let Answer::Unreachable(unreachable) = ask(http(other_name), 5_000, Some(certificate.path().to_owned())).await else {
            panic!()
        };
        assert_eq!(unreachable.why, Why::Tls);
    });
}

#[test]
fn plain_http_where_https_was_expected() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        tokio::task::spawn_local(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read_u8().await;
                let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n").await;
            }
        });
        check(&url, 5_000, Why::Tls, "no trusted connection").await;
    });
}

#[test]
fn an_error_tells_whether_the_request_was_written() {
    run(async {
        let sent = async |url: &str| {
            let url = url.parse().unwrap();
            let client = net::client(&url, TimeDelta::seconds(5), None, Redirects::Never).unwrap();
            client.post(url).body("{}").send().await.unwrap_err()
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let nobody = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        assert!(!net::is_ambiguous(&sent(&nobody).await));
        let (tls, _) = serve_tls().await;
        assert!(!net::is_ambiguous(&sent(&tls).await));
        let (hangs_up, _) = serve(async |_: &mut _| Ok(())).await;
        assert!(net::is_ambiguous(&sent(&hangs_up).await));
    });
}

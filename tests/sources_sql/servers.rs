//! Servers that cannot be asked: each is out of reach for its own reason, and never shows the address.

use crate::{source, unreachable};
use chrono::TimeDelta;
use dawnwatch::config::wiring::{Database, Secret, SourceWiring, SourceWiringKind, SqlWiring};
use dawnwatch::core::observation::Why;
use dawnwatch::core::plan::Id;
use dawnwatch::sources::Source;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// What a server answers to the first message, by length and code; then it hangs up, or says nothing more.
async fn pretender(answers: &[&[u8]], hangs: bool) -> Source {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let answers: Vec<Vec<u8>> = answers.iter().map(|answer| answer.to_vec()).collect();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            for answer in &answers {
                exchange(&mut stream, answer).await;
            }
            if hangs {
                open.push(stream);
            }
        }
    });
    postgres(&format!("127.0.0.1:{port}"), "")
}

fn postgres(place: &str, query: &str) -> Source {
    let url = Secret::Value(format!("postgres://watch:hunter2@{place}/mart{query}").into());
    source(Database::Secret { url, folder: PathBuf::new() }, None, None, 500).unwrap()
}

/// `ErrorResponse`, as <https://www.postgresql.org/docs/current/protocol-message-formats.html> has it.
fn refusal(code: &str, words: &str) -> Vec<u8> {
    let fields = format!("SFATAL\0VFATAL\0C{code}\0M{words}\0\0");
    [b"E", &(fields.len() as u32 + 4).to_be_bytes()[..], fields.as_bytes()].concat()
}

#[tokio::test]
async fn a_server_that_cannot_be_asked_has_its_own_reason() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let place = format!("127.0.0.1:{port}");
    let wrong_password = refusal("28P01", "password authentication failed for user \"watch\"");
    let too_many = refusal("53300", "sorry, too many clients already");
    let no_database = refusal("3D000", "database \"mart\" does not exist");
    let cases = [
        // Nobody listens.
        (postgres(&place, ""), Why::Connect, "no connection to 127.0.0.1"),
        // Listens and never says a word: about TLS, or at all.
        (pretender(&[], true).await, Why::Timeout, "did not answer in time"),
        (pretender(&[b"N"], true).await, Why::Timeout, "did not answer in time"),
        (pretender(&[b"S"], true).await, Why::Timeout, "did not answer in time"),
        // Hangs up.
        (pretender(&[b"N"], false).await, Why::Connect, "127.0.0.1"),
        (pretender(&[b"N", &wrong_password], false).await, Why::Auth, "password authentication failed"),
        (pretender(&[b"N", &too_many], false).await, Why::Connect, "too many clients"),
        (pretender(&[b"N", &no_database], false).await, Why::Status, "\"mart\" does not exist"),
        (pretender(&[b"S", b"this is no TLS record at all"], false).await, Why::Tls, "no trusted connection"),
        (pretender(&[b"HTTP/1.1 400 Bad Request\r\n\r\n"], false).await, Why::Malformed, "not what a database says"),
    ];
    for (source, why, words) in cases {
        let gone = unreachable(&source, &["select 1"]).await;
        assert_eq!(gone.why, why, "{gone:?}");
        assert!(gone.detail.contains(words) && source.host().starts_with("127.0.0.1:"), "{gone:?}");
    }
}

async fn exchange(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), answer: &[u8]) {
    let mut buffer = [0; 1024];
    let _ = stream.read(&mut buffer).await;
    let _ = stream.write_all(answer).await;
}

/// Speaks TLS with a certificate of its own, and then refuses the password: who hears that has trusted it.
async fn encrypted(pem: &Path) -> u16 {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    fs::write(pem, cert.pem()).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let (acceptor, refused) = (TlsAcceptor::from(Arc::new(config)), refusal("28P01", "password authentication failed"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            exchange(&mut stream, b"S").await;
            if let Ok(mut stream) = acceptor.accept(stream).await {
                exchange(&mut stream, &refused).await;
            }
        }
    });
    port
}

#[tokio::test]
async fn the_certificates_of_ca_file_are_checked_and_the_name_with_them() {
    let folder = TempDir::new().unwrap();
    let (ours, other) = (folder.path().join("ours.pem"), folder.path().join("other.pem"));
    encrypted(&other).await;
    let port = encrypted(&ours).await;
    let cases = [
        ("localhost", "", Some(&ours), Why::Auth),
        ("localhost", "?sslmode=disable", Some(&ours), Why::Auth),
        ("localhost", "", Some(&other), Why::Tls),
        ("127.0.0.1", "", Some(&ours), Why::Tls),
        ("127.0.0.1", "?sslmode=verify-ca", Some(&ours), Why::Auth),
        ("localhost", "?sslmode=verify-full", None, Why::Tls),
        // As libpq: encrypted, and whoever it is.
        ("localhost", "", None, Why::Auth),
    ];
    for (host, query, ca_file, why) in cases {
        let url = Secret::Value(format!("postgres://watch:hunter2@{host}:{port}/mart{query}").into());
        let sql = SqlWiring { database: Database::Secret { url, folder: PathBuf::new() }, timezone: None, rows: None };
        let (timeout, ca_file) = (TimeDelta::seconds(10), ca_file.cloned());
        let wiring = SourceWiring { timeout, ca_file: ca_file.clone(), kind: SourceWiringKind::Sql(sql) };
        let gone = unreachable(&Source::build(&Id::from("warehouse"), &wiring).unwrap(), &["select 1"]).await;
        assert_eq!(gone.why, why, "{host} {query} {ca_file:?}: {gone:?}");
    }
}

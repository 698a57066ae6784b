//! HTTP for sources and sinks: one way to build a client, to read a body within a bound, and to name what went wrong.
//!
//! Never passes on a URL's path, query or user: whoever reads an error sees `host:port` at most. Follows redirects only within the
//! origin that was configured, and never retries; repeating is the core's decision.

use crate::core::message::clean;
use crate::core::observation::{ERROR_CHARS, Unreachable, Why};
use chrono::TimeDelta;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Response};
use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use url::{Host, Url};

/// The longest wait for a connection; the total time-out is the configuration's. Connecting always has to end first: a time-out of
/// the whole cannot tell whether the request was written.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The most redirects followed within one origin.
const REDIRECTS: usize = 5;
/// The most bytes of a body, counted after decompression, where only known keys are kept of it. Airflow's largest honest answer
/// (1,214 runs) has one million, Luigi's with 3,000 tasks 1.6: there is room for ten times as much.
pub const BODY_BYTES: usize = 16 * 1024 * 1024;

/// Why a client cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("the certificates of ca_file {} cannot be read: {reason}", .path.display())]
    CaFile { path: PathBuf, reason: String },
    #[error(
        "the system's certificate authorities cannot be loaded ({reason}); install a CA bundle (ca-certificates), or name one with ca_file"
    )]
    Roots { reason: String },
}

/// What happens to an answer that points elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redirects {
    /// Followed up to a bound while scheme, host and port stay the same.
    SameOrigin,
    /// Handed back as the 3xx that it is: a repeated POST would become a GET, whose 200 says nothing of the POST. For the same
    /// certainty each request has a connection of its own: one that was kept may die while the next request is written to it,
    /// which would look like a lost answer.
    Never,
}

/// A client for one endpoint. Loopback is never asked through a proxy.
pub fn client(url: &Url, timeout: TimeDelta, ca_file: Option<&Path>, redirects: Redirects) -> Result<Client, BuildError> {
    let timeout = timeout.to_std().unwrap_or(CONNECT_TIMEOUT);
    let mut builder = Client::builder()
        .user_agent(concat!("dawnwatch/", env!("CARGO_PKG_VERSION")))
        .timeout(timeout)
        .connect_timeout(CONNECT_TIMEOUT.min(timeout / 2))
        .referer(false);
    builder = match redirects {
        Redirects::SameOrigin => builder.redirect(same_origin()),
        Redirects::Never => builder.redirect(Policy::none()).pool_max_idle_per_host(0),
    };
    if is_loopback(url) {
        builder = builder.no_proxy();
    }
    if let Some(path) = ca_file {
        builder = builder.tls_certs_merge(certificates(path)?);
    }
    // Nothing else of what is set above can fail: reqwest 0.13 builds the verifier here, for plain http as well.
    builder.build().map_err(|e| BuildError::Roots { reason: innermost(&e) })
}

fn same_origin() -> Policy {
    Policy::custom(|attempt| {
        let same = attempt.previous().first().is_some_and(|first| first.origin() == attempt.url().origin());
        match (same, attempt.previous().len() > REDIRECTS) {
            (false, _) => attempt.error("the answer redirects to another host, which is not followed"),
            (true, true) => attempt.error("the answer redirects in a loop"),
            (true, false) => attempt.follow(),
        }
    })
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, BuildError> {
    let refuse = |reason: String| BuildError::CaFile { path: path.to_owned(), reason };
    let pem = std::fs::read(path).map_err(|e| refuse(e.kind().to_string()))?;
    let found = Certificate::from_pem_bundle(&pem).map_err(|e| refuse(innermost(&e)))?;
    if found.is_empty() { Err(refuse("no PEM certificate in it".to_owned())) } else { Ok(found) }
}

/// By its own word: a name that only resolves to this machine is not enough, for it may resolve elsewhere tomorrow.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// Asks the host of a URL for the head of `/`, and takes any answer: the way there works. Says nothing of the URL's own path.
pub async fn reach(client: &Client, url: &Url, host: &str) -> Result<(), Unreachable> {
    let mut root = url.clone();
    root.set_path("/");
    root.set_query(None);
    root.set_fragment(None);
    match client.head(root).send().await {
        Err(error) if !error.is_redirect() => Err(classify(&error, host)),
        // Where it points to is not followed; it has answered.
        _ => Ok(()),
    }
}

/// `host:port`, all of a URL that may be shown.
pub fn host_port(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or("?"), url.port_or_known_default().unwrap_or(0))
}

/// The whole body, or why not. Stops reading at the limit; the connection is dropped with the rest.
pub async fn read_bounded(mut response: Response, limit: usize, host: &str) -> Result<Vec<u8>, Unreachable> {
    let too_large =
        || unreachable(Why::TooLarge, format!("{host} sent more than {} MiB in one answer", limit.div_ceil(1024 * 1024)));
    if response.content_length().is_some_and(|length| usize::try_from(length).is_ok_and(|l| l > limit)) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| classify(&e, host))? {
        if body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Names an error of a request or of its body. Its own text is used only where it cannot hold a URL.
pub fn classify(error: &reqwest::Error, host: &str) -> Unreachable {
    let tls = tls_reason(error);
    if error.is_timeout() {
        return unreachable(Why::Timeout, format!("{host} did not answer in time"));
    }
    if error.is_redirect() {
        return unreachable(Why::Redirect, format!("{host}: {}", innermost(error)));
    }
    if let Some(reason) = tls {
        return unreachable(Why::Tls, format!("no trusted connection to {host}: {reason}"));
    }
    if error.is_decode() {
        return unreachable(Why::Malformed, format!("the answer of {host} cannot be decompressed or read"));
    }
    let reason = causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>()).last().map(ToString::to_string);
    match reason {
        Some(reason) => unreachable(Why::Connect, format!("no connection to {host}: {reason}")),
        None => unreachable(Why::Connect, format!("{host} closed the connection before its answer was complete")),
    }
}

/// Whether the request may have been written before the error: then it is open whether it was taken. A failure to connect, or to
/// build the request, is a plain failure.
pub fn is_ambiguous(error: &reqwest::Error) -> bool {
    !(error.is_connect() || error.is_builder())
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    // The chain of reqwest, hyper, io and rustls has about six links; the bound is against a chain that bites its tail.
    std::iter::successors(Some(error), |&e| e.source()).take(16)
}

/// What TLS says, where the error comes from it.
pub(crate) fn tls_reason(error: &(dyn Error + 'static)) -> Option<String> {
    causes(error).find_map(tls_error)
}

/// A rustls error hides inside an `io::Error`, often inside of two, which do not show it as their source.
fn tls_error(cause: &(dyn Error + 'static)) -> Option<String> {
    fn inside<'a>(error: &&'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
        Some(error.downcast_ref::<io::Error>()?.get_ref()?)
    }
    std::iter::successors(Some(cause), inside).take(4).find_map(|e| e.downcast_ref::<rustls::Error>()).map(ToString::to_string)
}

/// The deepest cause's own words: reqwest writes its URL only into the outermost.
fn innermost(error: &(dyn Error + 'static)) -> String {
    causes(error)
        .last()
        .filter(|last| !last.is::<reqwest::Error>())
        .map_or_else(|| "no reason given".to_owned(), |e| line(&e.to_string()))
}

/// An [`Unreachable`] whose detail is fit to be shown.
pub fn unreachable(why: Why, detail: impl AsRef<str>) -> Unreachable {
    Unreachable { why, detail: line(detail.as_ref()) }
}

/// Text from outside as one bounded line.
pub fn line(text: &str) -> String {
    // A line is surely in so much of it; a body may be megabytes.
    let beginning: String = text.chars().take(16 * ERROR_CHARS).collect();
    clean(&beginning).chars().take(ERROR_CHARS).collect()
}

/// A name as it may stand in a path, a query or a header: all but RFC 3986's unreserved characters are written as `%` and two digits.
pub fn encoded(name: &str) -> String {
    const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    utf8_percent_encode(name, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_bounded_and_clean() {
        let cases = [
            ("  a\tb\r\nc  ", "a b c"),
            ("red\u{1b}[31m \u{0} x", "red [31m x"),
            ("\u{202e}evil\u{2066}", "evil"),
            ("원본 테이블", "원본 테이블"),
        ];
        for (text, expected) in cases {
            assert_eq!(line(text), expected);
        }
        assert_eq!(line(&"ab ".repeat(ERROR_CHARS)).chars().count(), ERROR_CHARS);
        assert_eq!(line(&"가".repeat(5000)).chars().count(), ERROR_CHARS);
    }

    #[test]
    fn only_host_and_port_are_shown() {
        let url = |text: &str| text.parse::<Url>().unwrap();
        assert_eq!(host_port(&url("https://user:pw@example.com/secret?key=1")), "example.com:443");
        assert_eq!(host_port(&url("http://[::1]:8080/x")), "[::1]:8080");
        assert!(is_loopback(&url("http://[::1]:8080/x")) && is_loopback(&url("http://localhost")));
        assert!(!is_loopback(&url("http://127.0.0.1.example.com")));
    }

    #[test]
    fn a_ca_file_without_a_certificate_is_refused_by_name() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let url = "https://example.com".parse().unwrap();
        let error = client(&url, TimeDelta::seconds(1), Some(file.path()), Redirects::Never).unwrap_err();
        assert!(error.to_string().contains("no PEM certificate"), "{error}");
        let error = client(&url, TimeDelta::seconds(1), Some(Path::new("/no/such.pem")), Redirects::Never).unwrap_err();
        assert!(matches!(error, BuildError::CaFile { .. }), "{error}");
    }
}

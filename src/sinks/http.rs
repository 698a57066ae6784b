//! One attempt at an HTTP endpoint, and what became of it.
//!
//! Never repeats, never follows a redirect (a repeated POST would become a GET), never shows an address: a webhook's path is its
//! secret, and servers like to echo it.

use crate::config::wiring::{Address, Secret};
use crate::core::message::clean;
use crate::core::step::Outcome;
use crate::core::time::Instant;
use chrono::{DateTime, TimeDelta};
use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use std::error::Error;
use std::io::Read;
use std::path::Path;
use std::time::Duration;
use url::{Host, Url};

/// The most bytes of an answer that are read; Slack's is two, its errors some twenty.
const ANSWER_BYTES: usize = 64 * 1024;
/// The longest wait that a platform may ask for.
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(24);
const SHORTEST_TIMEOUT: Duration = Duration::from_millis(10);

/// An address to post to. It has no `Debug`: the address may be the secret.
pub(super) struct Endpoint {
    client: Client,
    url: Url,
}

impl Endpoint {
    pub(super) fn new(address: &Address, timeout: TimeDelta, ca_file: Option<&Path>) -> Result<Self, String> {
        let url = match address {
            Address::Plain(url) => url.clone(),
            Address::Secret(secret) => {
                let text = resolve(secret)?;
                text.expose_secret().trim().parse().map_err(|_| "its url is no URL".to_owned())?
            }
        };
        if !matches!(url.scheme(), "http" | "https") {
            return Err("its url must begin with https:// or http://".to_owned());
        }
        Ok(Self { client: client(&url, timeout, ca_file)?, url })
    }

    /// Posts a JSON body once.
    pub(super) async fn post(&self, body: Vec<u8>, headers: &[(&'static str, String)], now: Instant) -> Outcome {
        let mut request = self.client.post(self.url.clone()).header("Content-Type", "application/json; charset=utf-8").body(body);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        match request.send().await {
            Err(e) => lost(&e),
            Ok(response) => {
                let (status, retry_at) = (response.status(), retry_at(&response, now));
                match read(response).await {
                    Err(e) => lost(&e),
                    Ok(answer) => outcome(status, retry_at, &self.reason(&answer)),
                }
            }
        }
    }

    /// The platform's own word for a refusal (`no_service`), where the answer is one; anything longer may echo the address.
    fn reason(&self, answer: &[u8]) -> String {
        const LONGEST: usize = 64;
        let text = std::str::from_utf8(answer).unwrap_or_default().trim();
        let word = (3..=LONGEST).contains(&text.len()) && text.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        if word && !self.url.as_str().contains(text) { format!(" {text}") } else { String::new() }
    }
}

fn outcome(status: StatusCode, retry_at: Option<Instant>, reason: &str) -> Outcome {
    let why = format!("HTTP {}{reason}", status.as_u16());
    match status.as_u16() {
        200..=299 => Outcome::Confirmed { handle: None },
        300..=399 => Outcome::Refused { why: format!("{why}: the address redirects elsewhere, which is not followed") },
        // A gateway speaks here, not the platform: the request may have been taken.
        502 | 504 => Outcome::Ambiguous { why },
        408 | 429 | 500..=599 => Outcome::Failed { why, retry_at },
        _ => Outcome::Refused { why },
    }
}

/// No complete answer.
fn lost(error: &reqwest::Error) -> Outcome {
    let cause = innermost(error);
    if error.is_connect() {
        Outcome::Failed { why: format!("no connection: {cause}"), retry_at: None }
    } else if error.is_builder() {
        Outcome::Refused { why: "the request cannot be made of this address".to_owned() }
    } else if error.is_timeout() {
        Outcome::Ambiguous { why: "no answer in time".to_owned() }
    } else {
        Outcome::Ambiguous { why: format!("the answer was lost: {cause}") }
    }
}

/// The deepest cause's words: reqwest writes its URL only into the outermost.
fn innermost(error: &reqwest::Error) -> String {
    const LONGEST: usize = 160;
    let first: Option<&(dyn Error + 'static)> = error.source();
    // The chain has about six links; the bound is against one that bites its tail.
    let deepest = std::iter::successors(first, |e| (*e).source()).take(16).last();
    let text = deepest.map_or_else(|| "no reason given".to_owned(), |e| clean(&e.to_string()));
    text.chars().take(LONGEST).collect()
}

/// At most [`ANSWER_BYTES`]; what is longer counts as complete, for it is an answer.
async fn read(mut response: Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut answer = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = ANSWER_BYTES - answer.len();
        answer.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() >= room {
            break;
        }
    }
    Ok(answer)
}

/// `Retry-After` in seconds or as a date (RFC 9110, 10.2.3).
fn retry_at(response: &Response, now: Instant) -> Option<Instant> {
    let value = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    let at = match value.parse::<u32>() {
        Ok(seconds) => now + TimeDelta::seconds(i64::from(seconds)),
        Err(_) => DateTime::parse_from_rfc2822(value).ok()?.to_utc(),
    };
    Some(at.clamp(now, now + LONGEST_WAIT))
}

fn client(url: &Url, timeout: TimeDelta, ca_file: Option<&Path>) -> Result<Client, String> {
    let timeout = timeout.to_std().unwrap_or(SHORTEST_TIMEOUT).max(SHORTEST_TIMEOUT);
    let mut builder = Client::builder()
        .user_agent(concat!("dawnwatch/", env!("CARGO_PKG_VERSION")))
        // Connecting must end first: a time-out of the whole cannot tell whether bytes were written.
        .connect_timeout(timeout / 2)
        .timeout(timeout)
        // A connection that was kept may die while a request is written to it, which would look like a lost answer.
        .pool_max_idle_per_host(0)
        .http1_only()
        .referer(false)
        .redirect(Policy::none());
    if is_loopback(url) {
        builder = builder.no_proxy();
    }
    if let Some(path) = ca_file {
        let shown = path.display();
        let pem = std::fs::read(path).map_err(|e| format!("its ca_file {shown} cannot be read: {}", e.kind()))?;
        let found = Certificate::from_pem_bundle(&pem).ok().filter(|found| !found.is_empty());
        builder = builder.tls_certs_merge(found.ok_or_else(|| format!("its ca_file {shown} holds no PEM certificate"))?);
    }
    // reqwest 0.13 looks for the system's certificates even for plain http.
    builder
        .build()
        .map_err(|_| "the system's CA certificates cannot be loaded; install ca-certificates or name a ca_file".to_owned())
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// Looks a secret up; the error names the reference, never the value.
#[expect(clippy::disallowed_methods, reason = "a secret is resolved once, when the sink is built")]
pub(super) fn resolve(secret: &Secret) -> Result<SecretString, String> {
    const FILE_BYTES: u64 = 64 * 1024;
    let text = match secret {
        Secret::Value(value) => return Ok(value.clone()),
        Secret::Env(name) => std::env::var(name).map_err(|_| format!("the environment variable {name} is not set"))?,
        Secret::File(path) => {
            let mut text = String::new();
            let read = std::fs::File::open(path).and_then(|file| file.take(FILE_BYTES).read_to_string(&mut text));
            read.map_err(|e| format!("the secret's file {} cannot be read: {}", path.display(), e.kind()))?;
            text
        }
    };
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() { Err("a secret is empty".to_owned()) } else { Ok(SecretString::from(text)) }
}

//! One attempt at an HTTP endpoint, and what became of it.
//!
//! Never repeats, never follows a redirect, never shows an address: a webhook's path is its secret, its host may be, and servers
//! like to echo both.

use crate::config::wiring::Address;
use crate::core::observation::{Unreachable, Why};
use crate::core::step::Outcome;
use crate::core::time::Instant;
use crate::net::{self, Redirects};
use chrono::{DateTime, TimeDelta};
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, Response, StatusCode};
use std::path::Path;
use url::Url;

/// The most bytes of an answer that are read; Slack's is two, its errors some twenty.
const ANSWER_BYTES: usize = 64 * 1024;
/// The longest wait that a platform may ask for.
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(24);
/// Stands in sentences where a source would show its host.
const RECEIVER: &str = "the receiver";

/// An address to post to. It has no `Debug`: the address may be the secret.
pub(super) struct Endpoint {
    client: Client,
    url: Url,
}

impl Endpoint {
    pub(super) fn new(address: &Address, timeout: TimeDelta, ca_file: Option<&Path>) -> Result<Self, String> {
        let url = address.resolve()?;
        let client = net::client(&url, timeout, ca_file, Redirects::Never).map_err(|error| error.to_string())?;
        Ok(Self { client, url })
    }

    /// Can the host be reached? Sends nothing but the question for the head of `/`.
    pub(super) async fn reach(&self) -> Result<&'static str, String> {
        net::reach(&self.client, &self.url, RECEIVER).await.map_err(|gone| gone.detail)?;
        Ok("its host can be reached; that it takes messages only `drill` proves")
    }

    /// Posts a JSON body once.
    pub(super) async fn post(&self, body: Vec<u8>, headers: &[(&'static str, String)], now: Instant) -> Outcome {
        let mut request = self.client.post(self.url.clone()).header("Content-Type", "application/json; charset=utf-8").body(body);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                let why = net::classify(&error, RECEIVER).detail;
                return if net::is_ambiguous(&error) {
                    Outcome::Ambiguous { why }
                } else {
                    Outcome::Failed { why, retry_at: None }
                };
            }
        };
        let (status, retry_at) = (response.status(), retry_at(&response, now));
        match net::read_bounded(response, ANSWER_BYTES, RECEIVER).await {
            Ok(answer) => outcome(status, retry_at, &self.reason(&answer)),
            // An answer all the same; only its words are not read.
            Err(Unreachable { why: Why::TooLarge, .. }) => outcome(status, retry_at, ""),
            Err(cut) => Outcome::Ambiguous { why: cut.detail },
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

/// `Retry-After` in seconds or as a date (RFC 9110, 10.2.3).
fn retry_at(response: &Response, now: Instant) -> Option<Instant> {
    let value = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    let at = match value.parse::<u32>() {
        Ok(seconds) => now + TimeDelta::seconds(i64::from(seconds)),
        Err(_) => DateTime::parse_from_rfc2822(value).ok()?.to_utc(),
    };
    Some(at.clamp(now, now + LONGEST_WAIT))
}

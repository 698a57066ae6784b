//! One source's HTTP connection: sends a request, reads its bounded answer, counts both. Knows no kind of source.

use super::Traffic;
use crate::config::wiring::SourceWiring;
use crate::core::observation::{Unreachable, Why};
use crate::core::time::Instant;
use crate::net::{self, Redirects, unreachable};
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::{AGE, CONTENT_TYPE, DATE, HeaderMap};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde::de::DeserializeOwned;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::time::Instant as Mono;
use url::Url;

/// Within a slower answer nobody knows when its server looked at its clock.
const CLOCK_TOOK_MAX: TimeDelta = TimeDelta::seconds(4);

pub(super) struct Wire {
    pub(super) client: Client,
    host: String,
    /// Of a body; more is not read.
    bytes_at_most: usize,
    requests: AtomicU64,
    bytes: AtomicU64,
}

/// A complete answer of any status.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    /// As the server says; empty where it says nothing.
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
    /// The server's clock, in whole seconds; `None` also for what a cache answered.
    date: Option<Instant>,
    /// From the question until its answer began.
    took: TimeDelta,
}

impl Wire {
    pub(super) fn build(url: &Url, wiring: &SourceWiring, bytes_at_most: usize) -> Result<Self, String> {
        let client =
            net::client(url, wiring.timeout, wiring.ca_file.as_deref(), Redirects::SameOrigin).map_err(|e| e.to_string())?;
        Ok(Self { client, host: net::host_port(url), bytes_at_most, requests: AtomicU64::new(0), bytes: AtomicU64::new(0) })
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn traffic(&self) -> Traffic {
        Traffic { requests: self.requests.load(Ordering::Relaxed), bytes: self.bytes.load(Ordering::Relaxed) }
    }

    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Reply, Unreachable> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let left = Mono::now();
        let response = request.send().await.map_err(|e| net::classify(&e, &self.host))?;
        let took = TimeDelta::from_std(left.elapsed()).unwrap_or(TimeDelta::MAX);
        let status = response.status();
        let date = date(response.headers());
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        let body = net::read_bounded(response, self.bytes_at_most, &self.host).await?;
        self.bytes.fetch_add(u64::try_from(body.len()).unwrap_or(u64::MAX), Ordering::Relaxed);
        Ok(Reply { status, content_type, body, date, took })
    }
}

impl Reply {
    /// By how many seconds the server's clock is ahead of ours, to about two; the question left at `left_at`.
    pub(super) fn clock_ahead_s(&self, left_at: Instant) -> Option<i64> {
        // Somewhere within its second.
        let theirs = self.date.filter(|_| self.took <= CLOCK_TOOK_MAX)? + TimeDelta::milliseconds(500);
        let ahead_ms = (theirs - (left_at + self.took / 2)).num_milliseconds();
        Some((ahead_ms + 500).div_euclid(1000))
    }

    pub(super) fn is_html(&self) -> bool {
        self.content_type.starts_with("text/html")
    }

    /// The body as JSON of a shape; `what` names it in the sentence.
    pub(super) fn json<T: DeserializeOwned>(&self, what: &str) -> Result<T, Unreachable> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let label = net::line(&self.content_type);
            let label = if label.is_empty() { "no content type".to_owned() } else { label };
            unreachable(Why::Malformed, format!("the answer about {what} ({label}) cannot be read: {error}"))
        })
    }
}

fn date(headers: &HeaderMap) -> Option<Instant> {
    if headers.contains_key(AGE) {
        return None;
    }
    let date = DateTime::parse_from_rfc2822(headers.get(DATE)?.to_str().ok()?).ok()?;
    Some(date.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(date: Option<&str>, took_ms: i64) -> Reply {
        let mut headers = HeaderMap::new();
        date.map(|text| headers.insert(DATE, text.parse().unwrap()));
        let took = TimeDelta::milliseconds(took_ms);
        Reply { status: StatusCode::OK, content_type: String::new(), body: vec![], date: super::date(&headers), took }
    }

    #[test]
    fn the_clock_of_a_server_is_read_from_the_middle_of_the_request() {
        let left_at: Instant = "2026-11-22T16:50:21.000Z".parse().unwrap();
        let cases = [
            ("Sun, 22 Nov 2026 16:50:21 GMT", 0, Some(1)),
            ("Sun, 22 Nov 2026 16:50:21 GMT", 400, Some(0)),
            ("Sun, 22 Nov 2026 16:50:22 GMT", 3000, Some(0)),
            ("Sun, 22 Nov 2026 16:52:21 GMT", 400, Some(120)),
            ("Sun, 22 Nov 2026 16:48:21 GMT", 400, Some(-120)),
            ("Sun, 22 Nov 2026 16:50:21 GMT", 4001, None),
            ("yesterday", 0, None),
            ("", 0, None),
            ("Sun, 22 Nov 99999 16:50:21 GMT", 0, None),
        ];
        for (date, took_ms, expected) in cases {
            assert_eq!(reply(Some(date), took_ms).clock_ahead_s(left_at), expected, "{date} {took_ms}");
        }
        assert_eq!(reply(None, 0).clock_ahead_s(left_at), None);
        let cached = [(AGE, "0"), (DATE, "Sun, 22 Nov 2026 16:50:21 GMT")];
        assert_eq!(super::date(&cached.into_iter().map(|(name, text)| (name, text.parse().unwrap())).collect()), None);
    }
}

//! One source's HTTP connection: sends a request, reads its bounded answer, counts both. Knows no kind of source.

use super::Traffic;
use crate::config::wiring::SourceWiring;
use crate::core::observation::{Unreachable, Why};
use crate::net::{self, BODY_BYTES, Redirects, unreachable};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde::de::DeserializeOwned;
use std::sync::atomic::{AtomicU64, Ordering};
use url::Url;

pub(super) struct Wire {
    pub(super) client: Client,
    host: String,
    requests: AtomicU64,
    bytes: AtomicU64,
}

/// A complete answer of any status.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    /// As the server says; empty where it says nothing.
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
}

impl Wire {
    pub(super) fn build(url: &Url, wiring: &SourceWiring) -> Result<Self, String> {
        let client =
            net::client(url, wiring.timeout, wiring.ca_file.as_deref(), Redirects::SameOrigin).map_err(|e| e.to_string())?;
        Ok(Self { client, host: net::host_port(url), requests: AtomicU64::new(0), bytes: AtomicU64::new(0) })
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn traffic(&self) -> Traffic {
        Traffic { requests: self.requests.load(Ordering::Relaxed), bytes: self.bytes.load(Ordering::Relaxed) }
    }

    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Reply, Unreachable> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let response = request.send().await.map_err(|e| net::classify(&e, &self.host))?;
        let status = response.status();
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        let body = net::read_bounded(response, BODY_BYTES, &self.host).await?;
        self.bytes.fetch_add(u64::try_from(body.len()).unwrap_or(u64::MAX), Ordering::Relaxed);
        Ok(Reply { status, content_type, body })
    }
}

impl Reply {
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

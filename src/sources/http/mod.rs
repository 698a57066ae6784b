//! Any JSON endpoint, read by RFC 9535 paths: one answer that lists many items, or one endpoint for each check (`{id}` in the URL).
//!
//! An item with a state is a pipeline's newest run, one with only a timestamp is a dataset. What an item says that nobody
//! understands makes its check suspicious, never green; the error texts of the last sweep are kept for [`Ask::Failure`].

mod hung;
mod parse;
#[cfg(test)]
mod parse_tests;
mod round;

use super::Pace;
use super::wire::{Reply, Wire};
use crate::config::wiring::{HeaderValue, HttpWiring, SourceWiring};
use crate::core::observation::{Answer, Ask, Failure, Item, Sweep, Unreachable, Why};
use crate::core::plan::Id;
use crate::core::time::Instant;
use crate::net::{encoded, unreachable};
use hung::Hung;
use parse::{Found, Reader};
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderName};
use secrecy::ExposeSecret;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use url::Url;

const PLACEHOLDER: &str = "{id}";
/// The most bytes of an answer that lists many. Nobody knows its keys, so all of it becomes values, with many times its size.
const MANY_BYTES: usize = 8 * 1024 * 1024;
/// The most bytes of an answer about one check: hundreds of them may be under way.
const ONE_BYTES: usize = 1024 * 1024;

/// With the seconds by which the server's clock is ahead.
type Clocked<T> = (T, Option<i64>);

pub(super) struct Http {
    wire: Wire,
    url: String,
    headers: HeaderMap,
    reader: Reader,
    /// The errors that the last sweep brought, by subject.
    errors: Mutex<BTreeMap<Id, String>>,
    hung: Hung,
    /// How long one request may take.
    patience: Duration,
}

impl Http {
    pub(super) fn build(http: &HttpWiring, wiring: &SourceWiring) -> Result<Self, String> {
        // The text is not repeated in the error: a key may be in it.
        let sample: Url = fill(&http.url, "x").parse().map_err(|_| "its url cannot be read".to_owned())?;
        let mut headers = HeaderMap::new();
        for (name, value) in &http.headers {
            let value = match value {
                HeaderValue::Plain(text) => text.clone(),
                HeaderValue::Secret(secret) => {
                    secret.resolve().map_err(|e| format!("header {name}: {e}"))?.expose_secret().to_owned()
                }
            };
            let key: HeaderName = name.parse().map_err(|_| format!("\"{name}\" is no name of a header"))?;
            let mut value: reqwest::header::HeaderValue =
                value.parse().map_err(|_| format!("the value of header {name} has characters that no header may have"))?;
            value.set_sensitive(true);
            headers.insert(key, value);
        }
        let wire = Wire::build(&sample, wiring, if http.url.contains(PLACEHOLDER) { ONE_BYTES } else { MANY_BYTES })?;
        Ok(Self {
            wire,
            url: http.url.clone(),
            headers,
            reader: Reader::build(http)?,
            errors: Mutex::new(BTreeMap::new()),
            hung: Hung::default(),
            patience: wiring.timeout.to_std().unwrap_or_default(),
        })
    }

    pub(super) fn wire(&self) -> &Wire {
        &self.wire
    }

    /// Whether a sweep takes a request for each subject.
    pub(super) fn is_one_by_one(&self) -> bool {
        self.url.contains(PLACEHOLDER)
    }

    pub(super) async fn ask(&self, ask: &Ask, now: Instant, pace: &Pace) -> Result<Answer, Unreachable> {
        match ask {
            Ask::Sweep { subjects, .. } if self.is_one_by_one() => Ok(Answer::Sweep(self.round(subjects, now, pace).await?)),
            Ask::Sweep { subjects, .. } => Ok(Answer::Sweep(self.list(subjects, now).await?)),
            Ask::List { .. } => Err(unreachable(Why::Malformed, "a source of kind http cannot list what it has")),
            Ask::Failure { subject, .. } => {
                Ok(Answer::Failure(Failure { error: self.errors().get(subject).cloned(), ..Failure::default() }))
            }
        }
    }

    /// One answer that lists many.
    async fn list(&self, subjects: &[Id], now: Instant) -> Result<Sweep, Unreachable> {
        let reply = self.fetch(&self.url).await?;
        let mut found = self.reader.many(&reply.body, subjects)?;
        let mut items = Vec::new();
        for subject in subjects {
            if let Some(Found { fact, error }) = found.remove(subject) {
                self.remember(subject, error);
                items.push(Item { subject: subject.clone(), fact });
            }
        }
        Ok(Sweep { items, clock_ahead_s: reply.clock_ahead_s(now), ..Sweep::default() })
    }

    fn errors(&self) -> MutexGuard<'_, BTreeMap<Id, String>> {
        self.errors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what the newest answer says of an error. What is no longer asked for was there once: its error stays, and is never asked for.
    fn remember(&self, subject: &Id, error: Option<String>) {
        let mut errors = self.errors();
        match error {
            Some(error) => drop(errors.insert(subject.clone(), error)),
            None if errors.is_empty() => {}
            None => drop(errors.remove(subject)),
        }
    }

    /// No finding: the endpoint says that it does not know this id. With the clock of a question that left at `now`.
    async fn one(&self, subject: &Id, now: Instant) -> Result<Clocked<Option<Found>>, Unreachable> {
        // A path segment of dots would climb out of its place, encoded or not.
        if matches!(subject.as_str(), "." | "..") {
            return Ok((None, None));
        }
        let reply = self.wire.send(self.request(&fill(&self.url, subject.as_str()))?).await?;
        let ahead = reply.clock_ahead_s(now);
        if matches!(reply.status, StatusCode::NOT_FOUND | StatusCode::GONE) {
            return Ok((None, ahead));
        }
        Ok((self.reader.one(&self.checked(reply)?.body, subject)?, ahead))
    }

    async fn fetch(&self, url: &str) -> Result<Reply, Unreachable> {
        let reply = self.wire.send(self.request(url)?).await?;
        self.checked(reply)
    }

    fn request(&self, url: &str) -> Result<reqwest::RequestBuilder, Unreachable> {
        let url: Url = url.parse().map_err(|_| unreachable(Why::Malformed, "the url with this id in it cannot be read"))?;
        Ok(self.wire.client.get(url).header("accept", "application/json").headers(self.headers.clone()))
    }

    fn checked(&self, reply: Reply) -> Result<Reply, Unreachable> {
        let host = self.wire.host();
        match reply.status {
            status if status.is_success() => Ok(reply),
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                Err(unreachable(Why::Auth, format!("{host} refused the credentials with {}", status.as_u16())))
            }
            status => Err(unreachable(Why::Status, format!("{host} answered {}", status.as_u16()))),
        }
    }
}

fn fill(url: &str, id: &str) -> String {
    url.replace(PLACEHOLDER, &encoded(id))
}

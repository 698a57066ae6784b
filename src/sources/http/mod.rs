//! Any JSON endpoint, read by RFC 9535 paths: one answer that lists many items, or one endpoint for each check (`{id}` in the URL).
//!
//! An item with a state is a pipeline's newest run, one with only a timestamp is a dataset. What an item says that nobody
//! understands makes its check suspicious, never green; the error texts of the last sweep are kept for [`Ask::Failure`].

mod parse;
#[cfg(test)]
mod parse_tests;

use super::wire::{Reply, Wire};
use crate::config::wiring::{HeaderValue, HttpWiring, SourceWiring};
use crate::core::observation::{Answer, Ask, Fact, Failure, Item, Sweep, Unreachable, Why};
use crate::core::plan::Id;
use crate::core::time::Instant;
use crate::net::{encoded, unreachable};
use futures_util::{StreamExt, stream};
use parse::{Found, Reader};
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderName};
use secrecy::ExposeSecret;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use url::Url;

/// Requests of one sweep under way at a time.
const CONCURRENCY: usize = 8;
const PLACEHOLDER: &str = "{id}";

/// With the seconds by which the server's clock is ahead.
type Clocked<T> = (T, Option<i64>);

pub(super) struct Http {
    wire: Wire,
    url: String,
    headers: HeaderMap,
    reader: Reader,
    /// The errors that the last sweep brought, by subject.
    errors: Mutex<BTreeMap<Id, String>>,
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
        let wire = Wire::build(&sample, wiring)?;
        Ok(Self { wire, url: http.url.clone(), headers, reader: Reader::build(http)?, errors: Mutex::new(BTreeMap::new()) })
    }

    pub(super) fn wire(&self) -> &Wire {
        &self.wire
    }

    pub(super) async fn ask(&self, ask: &Ask, now: Instant) -> Result<Answer, Unreachable> {
        match ask {
            Ask::Sweep { subjects, .. } => {
                let (found, clock_ahead_s) = self.sweep(subjects, now).await?;
                let mut errors = BTreeMap::new();
                let mut items = Vec::new();
                for (subject, found) in found {
                    found.error.map(|error| errors.insert(subject.clone(), error));
                    items.push(Item { subject, fact: found.fact });
                }
                *self.errors.lock().unwrap_or_else(PoisonError::into_inner) = errors;
                Ok(Answer::Sweep(Sweep { items, clock_ahead_s, ..Sweep::default() }))
            }
            Ask::List { .. } => Err(unreachable(Why::Malformed, "a source of kind http cannot list what it has")),
            Ask::Failure { subject, .. } => {
                let error = self.errors.lock().unwrap_or_else(PoisonError::into_inner).get(subject).cloned();
                Ok(Answer::Failure(Failure { error, ..Failure::default() }))
            }
        }
    }

    async fn sweep(&self, subjects: &[Id], now: Instant) -> Result<Clocked<Vec<(Id, Found)>>, Unreachable> {
        if self.url.contains(PLACEHOLDER) {
            return self.one_by_one(subjects, now).await;
        }
        let reply = self.fetch(&self.url).await?;
        let mut found = self.reader.many(&reply.body, subjects)?;
        let found = subjects.iter().filter_map(|subject| Some((subject.clone(), found.remove(subject)?))).collect();
        Ok((found, reply.clock_ahead_s(now)))
    }

    /// One endpoint that fails among others that answer makes its own check suspicious; when none answers, the source is out of reach.
    async fn one_by_one(&self, subjects: &[Id], now: Instant) -> Result<Clocked<Vec<(Id, Found)>>, Unreachable> {
        // The futures are made outside the stream: a closure inside it would not be `Send` for the agent's tasks.
        let questions: Vec<_> = subjects.iter().map(|subject| self.one(subject, now)).collect();
        let answers: Vec<Result<Clocked<Option<Found>>, Unreachable>> =
            stream::iter(questions).buffered(CONCURRENCY).collect().await;
        // Only the first question left at once; the others may have waited for their turn.
        let ahead = answers.first().and_then(|first| first.as_ref().ok()).and_then(|(_, ahead)| *ahead);
        let asked: Vec<_> = subjects.iter().zip(answers).collect();
        if asked.iter().all(|(_, result)| result.is_err())
            && let Some((_, Err(first))) = asked.first()
        {
            return Err(first.clone());
        }
        let told = asked.into_iter().filter_map(|(subject, result)| match result {
            Ok((found, _)) => found.map(|found| (subject.clone(), found)),
            Err(error) => Some((subject.clone(), Found { fact: Fact::Suspicious(error.detail), error: None })),
        });
        Ok((told.collect(), ahead))
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

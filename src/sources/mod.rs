//! Sources: systems that can be asked. One folder per kind: fetch (I/O) and parse (pure: bytes → [`Answer`]).
//!
//! Failing to see is an answer, never an error; no text leaves this room unbounded, and no URL beyond its host. A source keeps no
//! verdict and decides no repetition: what it remembers (a token, the last listing) only spares questions.

mod airflow;
mod guard;
mod http;
mod lines;
mod luigi;
mod time;
mod wire;

use crate::config::wiring::{SourceWiring, SourceWiringKind};
use crate::core::observation::{Answer, Ask};
use crate::core::plan::Id;
use crate::core::time::Instant;
use airflow::Airflow;
use guard::Guard;
use http::Http;
use luigi::Luigi;

/// A source, ready to be asked.
pub struct Source {
    kind: Kind,
    guard: Guard,
}

enum Kind {
    Airflow(Box<Airflow>),
    Http(Box<Http>),
    Luigi(Box<Luigi>),
}

/// Requests and bytes of bodies read since the start, after decompression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    pub requests: u64,
    pub bytes: u64,
}

impl Source {
    /// Resolves the secrets and builds the client. The error is a sentence for a person, without any secret.
    pub fn build(id: &Id, wiring: &SourceWiring) -> Result<Self, String> {
        let kind = match &wiring.kind {
            SourceWiringKind::Airflow { url, login } => Airflow::build(url, login, wiring).map(|a| Kind::Airflow(Box::new(a))),
            SourceWiringKind::Http(http) => Http::build(http, wiring).map(|h| Kind::Http(Box::new(h))),
            SourceWiringKind::Luigi { url } => Luigi::build(url, wiring).map(|l| Kind::Luigi(Box::new(l))),
            SourceWiringKind::Sql(_) | SourceWiringKind::File { .. } => Err("not built yet".to_owned()),
        };
        kind.map(|kind| Self { kind, guard: Guard::new(wiring) }).map_err(|error| format!("source {id}: {error}"))
    }

    /// `host:port`, for the limit of requests per host.
    pub fn host(&self) -> &str {
        match &self.kind {
            Kind::Airflow(airflow) => airflow.wire().host(),
            Kind::Http(http) => http.wire().host(),
            Kind::Luigi(luigi) => luigi.wire().host(),
        }
    }

    /// Asks. Never fails: not being able to see is an answer. `now` is the agent's clock, for the end of tokens.
    pub async fn ask(&self, ask: &Ask, now: Instant) -> Answer {
        let answer = match &self.kind {
            Kind::Airflow(airflow) => airflow.ask(ask, now).await,
            Kind::Http(http) => http.ask(ask, now).await,
            Kind::Luigi(luigi) => luigi.ask(ask, now).await,
        };
        self.guard.masked(answer.unwrap_or_else(Answer::Unreachable))
    }

    pub fn traffic(&self) -> Traffic {
        match &self.kind {
            Kind::Airflow(airflow) => airflow.wire().traffic(),
            Kind::Http(http) => http.wire().traffic(),
            Kind::Luigi(luigi) => luigi.wire().traffic(),
        }
    }
}

//! Sources: systems that can be asked. One folder per kind: fetch (I/O) and parse (pure: bytes → [`Answer`]).
//!
//! Failing to see is an answer, never an error; no text leaves this room unbounded, and no URL beyond its host. A source keeps no
//! verdict and decides no repetition: what it remembers (a token, the last listing) only spares questions.

mod airflow;
mod budget;
pub(crate) mod file;
mod guard;
mod http;
mod lines;
mod luigi;
pub(crate) mod sql;
mod time;
mod wire;

use crate::config::wiring::{SourceWiring, SourceWiringKind};
use crate::core::observation::{Answer, Ask};
use crate::core::plan::Id;
use crate::core::time::Instant;
use airflow::Airflow;
use file::Files;
use guard::Guard;
use http::Http;
use luigi::Luigi;
use sql::Sql;

/// A source, ready to be asked.
pub struct Source {
    kind: Kind,
    guard: Guard,
}

enum Kind {
    Airflow(Box<Airflow>),
    Http(Box<Http>),
    Luigi(Box<Luigi>),
    Sql(Box<Sql>),
    File(Box<Files>),
}

/// Requests (or queries) and bytes of bodies (or values) read since the start, after decompression.
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
            SourceWiringKind::Sql(sql) => Sql::build(sql, wiring).map(|s| Kind::Sql(Box::new(s))),
            SourceWiringKind::File { root } => Ok(Kind::File(Box::new(Files::build(root, wiring)))),
        };
        kind.map(|kind| Self { kind, guard: Guard::new(wiring) }).map_err(|error| format!("source {id}: {error}"))
    }

    /// `host:port`, for the limit of requests per host; the path of what lies on this machine.
    pub fn host(&self) -> &str {
        match &self.kind {
            Kind::Airflow(airflow) => airflow.wire().host(),
            Kind::Http(http) => http.wire().host(),
            Kind::Luigi(luigi) => luigi.wire().host(),
            Kind::Sql(sql) => sql.host(),
            Kind::File(files) => files.host(),
        }
    }

    /// Asks. Never fails: not being able to see is an answer. `now` is the agent's clock, for the end of tokens.
    pub async fn ask(&self, ask: &Ask, now: Instant) -> Answer {
        let answer = match &self.kind {
            Kind::Airflow(airflow) => airflow.ask(ask, now).await,
            Kind::Http(http) => http.ask(ask, now).await,
            Kind::Luigi(luigi) => luigi.ask(ask, now).await,
            Kind::Sql(sql) => sql.ask(ask, now).await,
            Kind::File(files) => files.ask(ask).await,
        };
        self.guard.masked(answer.unwrap_or_else(Answer::Unreachable))
    }

    pub fn traffic(&self) -> Traffic {
        match &self.kind {
            Kind::Airflow(airflow) => airflow.wire().traffic(),
            Kind::Http(http) => http.wire().traffic(),
            Kind::Luigi(luigi) => luigi.wire().traffic(),
            Kind::Sql(sql) => sql.traffic(),
            Kind::File(files) => files.traffic(),
        }
    }
}

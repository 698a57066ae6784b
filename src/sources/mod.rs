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
use crate::core::observation::{Answer, Ask, Sweep};
use crate::core::plan::Id;
use crate::core::time::Instant;
use airflow::Airflow;
use file::Files;
use guard::Guard;
use http::Http;
use luigi::Luigi;
use sql::Sql;
use tokio::sync::mpsc;

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

/// How a sweep goes about it that takes a request for each subject. Others are one question, and have no pace.
#[derive(Debug, Clone)]
pub struct Pace {
    /// The most requests that begin within one second.
    pub per_second: usize,
    /// Where parts of the answer are told as they come in. `None`: all of it at the end.
    pub parts: Option<mpsc::Sender<Part>>,
}

/// What is told of a sweep while it goes on.
#[derive(Debug)]
pub enum Part {
    /// The answer about these subjects.
    Told { subjects: Vec<Id>, sweep: Sweep },
    /// All have been asked; what is missing hangs, and the next sweep need not wait for it.
    AllAsked,
}

/// So many requests a second are no burden to anybody.
pub const DECENT: usize = 300;

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

    /// Whether a sweep takes a request for each subject, and so has a [`Pace`].
    pub fn is_one_by_one(&self) -> bool {
        match &self.kind {
            Kind::Http(http) => http.is_one_by_one(),
            Kind::Airflow(_) | Kind::Luigi(_) | Kind::Sql(_) | Kind::File(_) => false,
        }
    }

    /// Asks. Never fails: not being able to see is an answer. `now` is the agent's clock, for the end of tokens.
    pub async fn ask(&self, ask: &Ask, now: Instant) -> Answer {
        self.ask_at(ask, now, &Pace { per_second: DECENT, parts: None }).await
    }

    /// The same at another pace. What was told in parts is not in the answer again.
    pub async fn ask_at(&self, ask: &Ask, now: Instant, pace: &Pace) -> Answer {
        let answer = match &self.kind {
            Kind::Airflow(airflow) => airflow.ask(ask, now).await,
            Kind::Http(http) => http.ask(ask, now, pace).await,
            Kind::Luigi(luigi) => luigi.ask(ask, now).await,
            Kind::Sql(sql) => sql.ask(ask, now).await,
            Kind::File(files) => files.ask(ask).await,
        };
        self.masked(answer.unwrap_or_else(Answer::Unreachable))
    }

    /// The runs that began from an instant until before another, all of them, as they stand now: a sweep with an item for each subject
    /// that has any. The source must have been asked what it lists before. `None`: sources of this kind keep no runs.
    pub async fn past(&self, subjects: &[Id], from: Instant, to: Instant, now: Instant) -> Option<Answer> {
        let Kind::Airflow(airflow) = &self.kind else { return None };
        let answer = airflow.past(subjects, from, to, now).await;
        Some(self.masked(answer.unwrap_or_else(Answer::Unreachable)))
    }

    /// The answer, or a part of it, without any secret that it gives back.
    pub fn masked(&self, answer: Answer) -> Answer {
        self.guard.masked(answer)
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

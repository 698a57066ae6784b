//! Sinks: chats that take messages. One file per kind: render (pure: message → payload) and send (I/O).
//!
//! A sink never retries and never decides whether a message is due; it says what became of one attempt.

mod console;
mod http;
pub mod limits;
mod plain;
mod slack;
mod webhook;

use crate::config::wiring::ChatWiring;
use crate::core::message::Message;
use crate::core::plan::{Chat, Id};
use crate::core::step::Outcome;
use crate::core::time::Instant;
use std::fmt;
use std::io::Write;

/// A chat's platform, ready to be sent to.
pub struct Sink {
    kind: Kind,
}

enum Kind {
    Slack(http::Endpoint),
    Webhook(webhook::Webhook),
    Console(console::Console),
}

/// What is sent: bytes that were made once, so that a repeated send is the same send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    pub body: Vec<u8>,
    /// The same for every attempt at the same post, and fit for a header.
    pub idempotency_key: String,
}

/// Only the kind: addresses and keys are secrets.
impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            Kind::Slack(_) => "Sink(slack)",
            Kind::Webhook(_) => "Sink(webhook)",
            Kind::Console(_) => "Sink(console)",
        })
    }
}

impl Sink {
    /// Resolves the secrets and builds the client. The error is a sentence for a person, without any secret.
    pub fn build(id: &Id, wiring: &ChatWiring) -> Result<Self, String> {
        let kind = match wiring {
            ChatWiring::Slack { url, timeout, ca_file } => http::Endpoint::new(url, *timeout, ca_file.as_deref()).map(Kind::Slack),
            ChatWiring::Webhook { url, secret, timeout, ca_file } => http::Endpoint::new(url, *timeout, ca_file.as_deref())
                .and_then(|endpoint| webhook::Webhook::new(endpoint, secret.as_ref()))
                .map(Kind::Webhook),
            ChatWiring::Console => Ok(Kind::Console(console::Console::stdout())),
        };
        kind.map(|kind| Self { kind }).map_err(|why| format!("chat {id}: {why}"))
    }

    /// A console that writes elsewhere than to stdout.
    pub fn console(out: impl Write + Send + 'static) -> Self {
        Self { kind: Kind::Console(console::Console::to(out)) }
    }

    pub fn render(&self, message: &Message, chat: &Chat, idempotency_key: &str) -> Payload {
        let body = match &self.kind {
            Kind::Slack(_) => slack::render(message, chat),
            Kind::Webhook(_) => webhook::render(message, chat),
            Kind::Console(_) => console::render(message, chat),
        };
        Payload { body, idempotency_key: idempotency_key.to_owned() }
    }

    /// Can it be reached? Posts nothing. The answer is one clause, without any secret.
    pub async fn reach(&self) -> Result<&'static str, String> {
        match &self.kind {
            Kind::Slack(endpoint) => endpoint.reach().await,
            Kind::Webhook(webhook) => webhook.reach().await,
            Kind::Console(_) => Ok("writes to this terminal"),
        }
    }

    /// Sends once; retrying is the core's decision. `now` is the agent's clock, for signatures and `Retry-After`.
    pub async fn send(&self, payload: &Payload, now: Instant) -> Outcome {
        match &self.kind {
            Kind::Slack(endpoint) => endpoint.post(payload.body.clone(), &[], now).await,
            Kind::Webhook(webhook) => webhook.send(payload, now).await,
            Kind::Console(console) => console.send(payload),
        }
    }
}

//! Sinks: chats that take messages. One file per kind: render (pure: message → payload) and send (I/O).

use crate::config::wiring::ChatWiring;
use crate::core::message::Message;
use crate::core::plan::{Chat, Id};
use crate::core::step::Outcome;
use crate::core::time::Instant;

/// A chat's platform, ready to be sent to.
pub struct Sink {}

/// What is sent: bytes that were made once, so that a repeated send is the same send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    pub body: Vec<u8>,
    /// The same for every attempt at the same post: `<topic>/<chat>/<revision>`.
    pub idempotency_key: String,
}

impl Sink {
    /// Resolves the secrets and builds the client. The error is a sentence for a person, without any secret.
    pub fn build(_id: &Id, _wiring: &ChatWiring) -> Result<Self, String> {
        unimplemented!()
    }

    pub fn render(&self, _message: &Message, _chat: &Chat, _idempotency_key: &str) -> Payload {
        unimplemented!()
    }

    /// Sends once; retrying is the core's decision. `now` is the agent's clock, for signatures and `Retry-After`.
    pub async fn send(&self, _payload: &Payload, _now: Instant) -> Outcome {
        unimplemented!()
    }
}

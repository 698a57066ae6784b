//! Sources: systems that can be asked. One file or folder per kind: fetch (I/O) and parse (pure: bytes → [`Answer`]).

use crate::config::wiring::SourceWiring;
use crate::core::observation::{Answer, Ask};
use crate::core::plan::Id;
use crate::core::time::Instant;

/// A source, ready to be asked.
pub struct Source {}

/// Requests and bytes of bodies read since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    pub requests: u64,
    pub bytes: u64,
}

impl Source {
    /// Resolves the secrets and builds the client. The error is a sentence for a person, without any secret.
    pub fn build(_id: &Id, _wiring: &SourceWiring) -> Result<Self, String> {
        unimplemented!()
    }

    /// `host:port`, for the limit of requests per host.
    pub fn host(&self) -> &str {
        unimplemented!()
    }

    /// Asks. Never fails: not being able to see is an answer. `now` is the agent's clock, for the end of tokens.
    pub async fn ask(&self, _ask: &Ask, _now: Instant) -> Answer {
        unimplemented!()
    }

    pub fn traffic(&self) -> Traffic {
        unimplemented!()
    }
}

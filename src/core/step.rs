//! The first door: one input in, one commit out.

use super::observation::Heard;
use super::plan::Plan;
use super::state::{Commit, PostId, State};
use super::time::Instant;
use serde::{Deserialize, Serialize};

/// Everything that can happen to the core.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    /// Time has passed.
    Tick,
    Heard(Heard),
    /// These posts are about to be sent; from this commit on their sending has begun.
    Claim(Vec<PostId>),
    Sent {
        post: PostId,
        outcome: Outcome,
    },
}

/// What became of a send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    Confirmed {
        handle: Option<String>,
    },
    /// Nothing was delivered: no connection, 408, 429, 5xx but 502 and 504. `retry_at`: the platform named a time.
    Failed {
        why: String,
        retry_at: Option<Instant>,
    },
    /// No complete answer after bytes were written, or 502 or 504: perhaps delivered.
    Ambiguous {
        why: String,
    },
    /// A permanent error: the address is gone, the payload was refused.
    Refused {
        why: String,
    },
}

/// Takes one input in and returns the one effect. `state` is ahead of the store until the commit is written; if writing fails, drop
/// `state` and restore it from the store.
pub fn step(_state: &mut State, _plan: &Plan, _at: Instant, _input: Input) -> Commit {
    unimplemented!()
}

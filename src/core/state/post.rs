//! A post: a message wanted in a chat, with the state of its sending.

use super::words::{IncidentId, PostId};
use crate::core::message::Message;
use crate::core::plan::Id;
use crate::core::time::Instant;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// What a post is about: two posts of one topic are never in flight at once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Topic {
    Incident(IncidentId),
    Digest { digest: Id, date: NaiveDate },
    Watch(String),
}

/// A message wanted in a chat, with the state of its sending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    pub id: PostId,
    pub chat: Id,
    pub topic: Topic,
    /// Counts the posts of the topic in this chat, from 1. With the topic it is the idempotency key.
    pub revision: u32,
    pub message: Message,
    pub wanted_at: Instant,
    /// Not sent any more from then on.
    pub not_after: Instant,
    pub attempt: Attempt,
    /// Attempts that ended in a plain failure.
    pub failures: u32,
    /// Attempts whose answer was lost.
    pub ambiguities: u32,
    pub next_try_at: Instant,
    /// The chat for which this one stands in.
    pub stands_in_for: Option<Id>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Attempt {
    Idle,
    /// Durable before any byte leaves.
    Started {
        at: Instant,
    },
    /// With the platform's handle for later edits, where it gives one.
    Confirmed {
        at: Instant,
        handle: Option<String>,
    },
    /// The answer was lost too often, or never came: handed to the fallback where there is one.
    Ambiguous {
        at: Instant,
    },
    /// A permanent error.
    Refused {
        at: Instant,
        why: String,
    },
    /// No longer true, or too late, before it could be sent.
    Withdrawn {
        at: Instant,
        why: Withdrawn,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Withdrawn {
    TooLate,
    Superseded,
}

impl Attempt {
    pub fn is_settled(&self) -> bool {
        !matches!(self, Self::Idle | Self::Started { .. })
    }
}

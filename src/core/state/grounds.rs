//! What a line of the ledger rests on: small and typed, so that it can be read years later by itself. Plain data; nothing here decides.

use super::post::{Attempt, Topic};
use super::records::{Arrival, CycleState, Dark, Pause};
use super::words::{Attention, Cause, CycleKey, PostId, Verdict};
use crate::core::command::Muted;
use crate::core::forecast::Moved;
use crate::core::message::DigestVerdict;
use crate::core::observation::Failure;
use crate::core::time::Instant;
use serde::{Deserialize, Serialize};

/// The most cycles that a line about an incident names.
pub const CYCLES_SHOWN: usize = 8;

/// Bounded: no list but the cycles of a [`Trouble`], and of texts only names, an error line (`ERROR_CHARS`) and what a person wrote
/// (300 characters each): some 3 KiB at most, a few hundred bytes as a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grounds {
    /// About an incident.
    Trouble(Trouble),
    /// About a cycle: its result so far.
    Cycle {
        result: CycleState,
        /// Checks that have arrived, of those that are due; `None`: the plan has no such cycle any more.
        arrived: Option<(usize, usize)>,
    },
    /// About a check that has arrived.
    Arrival(Arrival),
    /// About a check whose schedule has moved.
    Moved(Moved),
    /// About a source that goes dark, is back, or is in the plan no more: the darkness that begins or ends.
    Dark(Dark),
    /// About the watch: its last question before it was away.
    Away { since: Instant },
    /// About a digest. Between the two instants it waited for answers.
    Digest { verdict: DigestVerdict, due_at: Instant },
    /// About a post.
    Sending(Sending),
    /// A chat's permanent error, in one line.
    Refused { why: String },
    /// What a person asked for; `what`: of a mute.
    Order { pause: Pause, what: Option<Muted> },
}

/// An incident as it was when the line was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    pub cause: Cause,
    pub verdict: Verdict,
    /// When the cause itself began.
    pub since: Instant,
    /// When the cause was gone, if it is.
    pub recovered_at: Option<Instant>,
    /// When it began, its cause was in maintenance: that it goes is no healing.
    pub expected: bool,
    /// Checks that wait now, the cause and those alike counted; and the most that ever did.
    pub waiting: usize,
    pub waited: usize,
    /// Cycles with an audience: those in danger, or those that were, once it is over. At most [`CYCLES_SHOWN`], by deadline.
    pub cycles: Vec<Endangered>,
    /// How many more there are.
    pub more: usize,
    /// The last moment at which a person can still save the first of them.
    pub act_by: Option<Instant>,
    /// The chat is in its quiet hours now: to ask there is to wake somebody.
    pub quiet: bool,
    /// What is said.
    pub post: Option<PostId>,
    /// As far as it was fetched.
    pub failure: Option<Failure>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endangered {
    pub cycle: CycleKey,
    pub deadline: Instant,
}

/// A post as it was when the line was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sending {
    pub topic: Topic,
    pub revision: u32,
    pub attempt: Attempt,
    pub attention: Attention,
    /// When it was decided, in whichever chat it was delivered and when.
    pub said_at: Instant,
    /// Of an incident.
    pub cause: Option<Cause>,
    /// The last word about an incident.
    pub last_word: bool,
    /// The chat is in its quiet hours now.
    pub quiet: bool,
}

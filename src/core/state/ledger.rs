//! The ledger: every decision with its reason, also the decision to say nothing.

use super::words::{Attention, CycleKey, IncidentId, PostId};
use crate::core::plan::Id;
use crate::core::time::Instant;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// One line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub at: Instant,
    pub about: About,
    pub chat: Option<Id>,
    pub decision: Decision,
    pub reason: Reason,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum About {
    Incident(IncidentId),
    Cycle(CycleKey),
    Digest {
        digest: Id,
        date: NaiveDate,
    },
    Post(PostId),
    Chat,
    Source(Id),
    Check(Id),
    /// What a person asked for, in their own words.
    Order {
        by: String,
        reason: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decision {
    Say(Attention),
    Hold {
        until: Instant,
    },
    StaySilent,
    /// A fact that decisions rest on: an incident opened, a verdict changed.
    Note,
}

/// Why a decision was taken. The ledger, `explain` and the tests read the same value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    // Say
    FirstWord,
    /// A person is asked now: quiet hours have ended, or the deadline came.
    QuietEnded,
    DeadlineReached,
    /// `wake`: the last moment at which acting helps.
    ActByReached,
    Worse,
    NewCycle,
    NotAnswered,
    Resolved,
    DigestDue,
    DigestTrouble,
    StandsIn,
    // Hold
    QuietHours,
    /// Unknown is told before act-by, not at the first timeout.
    MayComeBack,
    /// What is known is from before a start or a suspend; an answer is on its way.
    SightAwaited,
    /// The failure is being fetched.
    FailureAwaited,
    // Hold, and the note that a person asked for it
    Acked,
    Snoozed,
    Muted,
    /// It is in maintenance, and no deadline is in danger.
    Maintenance,
    // StaySilent
    AlreadyTold,
    NoAudience,
    HealedUntold,
    Better,
    AllGreen,
    DigestMissed,
    NobodyToTell,
    // Note
    Opened,
    Recovering,
    Arrived,
    CycleReady,
    CycleMissed,
    CycleClosed,
    Deepened,
    /// Its cause proved to be one of many alike.
    Merged,
    Retired,
    SourceDark,
    SourceBack,
    ChatBroken,
    ChatBack,
    Delivered,
    Undelivered,
    TooLate,
}

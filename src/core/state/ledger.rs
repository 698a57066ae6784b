//! The ledger: every decision with its reason, also the decision to say nothing.

use super::grounds::Grounds;
use super::words::{Attention, CycleKey, IncidentId, PostId};
use crate::core::plan::Id;
use crate::core::time::Instant;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One line of the ledger. It can be read by itself: what it speaks of may have left the state long ago.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub at: Instant,
    pub about: About,
    pub chat: Option<Id>,
    pub decision: Decision,
    pub reason: Reason,
    /// What it rests on; `None` where the line says it all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Box<Grounds>>,
    /// Of the plan under which it was decided.
    pub fingerprint: Arc<str>,
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
    /// The watch itself.
    Watch,
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
    /// Its cause was gone, and all that it endangered arrived, before anybody was told.
    HealedUntold,
    /// It ended unrepaired (with its cycles, or by `retire`), and nobody was told.
    EndedUntold,
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
    /// What was noted as a miss proves to be none: all had arrived in time, and could not be seen.
    DeadlineMet,
    CycleClosed,
    /// A word about the cycle was delivered only when it had closed.
    ToldLate,
    Deepened,
    /// What had hidden its cause can be seen again, and the cause is there still.
    Surfaced,
    /// Its cause proved to be one of many alike.
    Merged,
    Retired,
    ScheduleMoved,
    SourceDark,
    SourceBack,
    ChatBroken,
    ChatBack,
    /// It was off, or its machine asleep.
    WatchBack,
    Delivered,
    Undelivered,
    TooLate,
    /// It never left: a newer word took its place, or it was no longer true.
    Superseded,
}

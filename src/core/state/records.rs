//! What is stored of sources, checks, cycles, incidents and digests. Plain data; nothing here decides.

use super::words::{Attention, Cause, CycleKey, IncidentId, PostId, Verdict};
use super::{Decision, Reason};
use crate::core::forecast::{Habits, Moved};
use crate::core::observation::{Fact, Failure, Listing, Run, Scheduler, Unreachable};
use crate::core::plan::Id;
use crate::core::time::Instant;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What is known of one source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct SourceState {
    /// When the last sweep left that was answered, and when the last one that was not.
    pub swept_at: Option<Instant>,
    pub asked_at: Option<Instant>,
    pub listed_at: Option<Instant>,
    pub list_asked_at: Option<Instant>,
    pub scheduler: Scheduler,
    /// Since when the scheduler is said to be dead.
    pub scheduler_dead_since: Option<Instant>,
    pub dark: Option<Dark>,
    pub clock: Clock,
    /// It has never listed what it has, and fails to; its sweeps may work all the same.
    pub list_dark: Option<Dark>,
    /// The last listing; a row of its own, as it is large and seldom changes. A pipeline that left it is kept in the groups' memory, not
    /// here.
    #[serde(skip)]
    pub members: Listing,
}

/// A source's clock, held against ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
pub enum Clock {
    /// Its answers do not tell.
    #[default]
    NotSaid,
    Right,
    /// So many seconds ahead of ours (negative: behind), in steps of ten.
    Off {
        ahead_s: i64,
        since: Instant,
    },
}

impl SourceState {
    /// Has it failed to list what it has from the beginning, or again and again? Its sweeps may work all the same.
    pub fn fails_to_list(&self) -> bool {
        self.list_dark.as_ref().is_some_and(|dark| self.listed_at.is_none() || dark.tries >= LIST_TRIES)
    }

    /// What decisions rest on: all but when it was asked, and what it listed (whoever looks at that is judged anew); that it has listed,
    /// not when.
    pub(in crate::core) fn outlook(&self) -> Self {
        Self {
            swept_at: None,
            asked_at: None,
            listed_at: self.listed_at.map(|_| Instant::MIN_UTC),
            list_asked_at: None,
            scheduler: self.scheduler.clone(),
            scheduler_dead_since: self.scheduler_dead_since,
            dark: self.dark.clone(),
            list_dark: self.list_dark.clone(),
            clock: self.clock,
            members: Listing::default(),
        }
    }
}

/// The source does not answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dark {
    pub since: Instant,
    /// Unanswered sweeps in a row.
    pub tries: u32,
    pub last: Unreachable,
}

/// What is known of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckState {
    /// Source and subject: when the configuration points the name elsewhere, the observation is dropped, the history kept.
    pub fingerprint: (Id, Id),
    /// When dawnwatch first knew the check.
    pub known_since: Instant,
    /// The groups of which it is a member: it stays one when it vanishes from the source.
    pub groups: BTreeSet<Id>,
    /// A member that joined a group that was known already: silent until its first success.
    pub silent_until_success: bool,
    pub seen: Option<Seen>,
    /// The newest data or success that was ever seen: `max_age` counts from it, also when it can no longer be seen.
    pub newest: Option<Instant>,
    /// Arrivals stick. Those of open cycles, and of closed ones as long as there are not more than [`ARRIVALS_KEPT`].
    pub arrivals: Vec<Arrival>,
    /// Its nights.
    pub habits: Habits,
    /// Its schedule has moved, as last noticed; and was a digest with it posted?
    pub moved: Option<(Moved, bool)>,
    /// The run that was seen to stop waiting for its input, and when: its own run time begins there.
    pub resumed: Option<(String, Instant)>,
    /// The failures of runs, once fetched; newest last, at most [`FAILURES_KEPT`].
    pub failures: Vec<(String, Failure)>,
}

/// Listings are asked for every ten minutes: one that fails is no news.
const LIST_TRIES: u32 = 3;

pub const ARRIVALS_KEPT: usize = 8;
pub const FAILURES_KEPT: usize = 4;

/// The last answer about a check; changes only when its content does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Seen {
    /// Newest first by `scheduled_at`; backfills left out.
    Runs(Vec<Run>),
    Timestamp {
        newest: Option<Instant>,
        first_seen_at: Instant,
    },
    /// By date, when its data arrived; `seen_at`: when that was last another.
    Dated {
        arrived: BTreeMap<NaiveDate, Option<Instant>>,
        seen_at: Instant,
    },
    Suspicious(String),
    /// The source answered and does not know it.
    Absent {
        since: Instant,
    },
}

impl Seen {
    pub fn says(&self, fact: &Fact) -> bool {
        match (self, fact) {
            (Self::Runs(had), Fact::Runs(new)) => had == new,
            (Self::Timestamp { newest, .. }, Fact::Timestamp(new)) => newest == new,
            (Self::Dated { arrived, .. }, Fact::Dated(new)) => arrived == new,
            (Self::Suspicious(had), Fact::Suspicious(new)) => had == new,
            _ => false,
        }
    }
}

/// A check arrived in a cycle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    pub cycle: CycleKey,
    pub at: Instant,
    /// The run that brought it.
    pub run: Option<String>,
}

/// The result of one dashboard cycle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CycleState {
    pub deadline: Instant,
    pub audience: bool,
    pub opened_at: Instant,
    pub closed_at: Option<Instant>,
    /// When it was first looked at since its window had ended, not ready: somebody is to see and tell that before it is closed.
    pub closing_at: Option<Instant>,
    pub verdict: Verdict,
    pub ready_at: Option<Instant>,
    /// The deadline passed and it was not ready.
    pub missed: bool,
    /// When a word that names it was first delivered, of an incident that was not over before the deadline; a digest is none. What was
    /// told of trouble that was over by then says nothing of a miss that has another cause.
    pub told_at: Option<Instant>,
    /// When a word that names it first asked a person, of whatever incident.
    pub asked_at: Option<Instant>,
    /// Before it was ready, a run that counts for it was seen to have failed; also when the success behind it was seen at once.
    pub failed: bool,
}

impl CycleState {
    /// Ready at its deadline.
    pub fn was_met(&self) -> bool {
        !self.was_missed() && self.ready_at.is_some()
    }

    /// Its deadline passed and it was not ready. (Neither of the two: nobody knows, or it is not over.)
    pub fn was_missed(&self) -> bool {
        self.missed || self.ready_at.is_some_and(|ready| ready > self.deadline)
    }
}

/// A cause with its impact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    pub id: IncidentId,
    pub cause: Cause,
    /// The check that was its cause until nobody could see it any more.
    pub hidden: Option<Id>,
    pub opened_at: Instant,
    /// When the cause itself began.
    pub since: Instant,
    /// The verdict of the cause now.
    pub verdict: Verdict,
    pub phase: Phase,
    /// Checks with the same source and the same trouble, the cause not counted.
    pub alike: BTreeSet<Id>,
    /// Recovering, but what waited for it will miss its deadline all the same; since when it looks so.
    pub lagging: Option<Instant>,
    #[serde(with = "crate::core::pairs")]
    pub impact: BTreeMap<CycleKey, Impact>,
    /// The check is stale by `max_age`, or stands outside any dashboard.
    pub outside: bool,
    /// By chat.
    pub told: BTreeMap<Id, Told>,
    /// Chats that were asked as the next rung: each once.
    pub escalated: BTreeSet<Id>,
    /// The last decision for each chat (`None`: for nobody), so that only a change is written down.
    pub decided: Vec<(Option<Id>, Decision, Reason)>,
    /// When a person was first asked, in any chat.
    pub asked_at: Option<Instant>,
    pub failure: Option<Failure>,
    /// Somebody has it.
    pub ack: Option<Pause>,
    /// Nothing is to be said of it for a while.
    pub snooze: Option<Pause>,
    /// Who retired its cause: then it is over, but not well again.
    pub retired_by: Option<String>,
}

/// What a person asked for, until it ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    pub by: String,
    pub reason: String,
    pub at: Instant,
    pub until: Instant,
    /// Of the command: the same one twice is one.
    pub nonce: String,
}

impl Incident {
    /// Was it over before this instant?
    pub fn was_over_before(&self, at: Instant) -> bool {
        matches!(self.phase, Phase::Resolved { at: over, .. } if over < at)
    }

    /// Is it over because its cause is gone? One that ended with its cycles, or by `retire`, has not healed.
    pub fn has_recovered(&self) -> bool {
        matches!(self.phase, Phase::Resolved { recovered_at: Some(_), .. }) && self.retired_by.is_none()
    }
}

impl Pause {
    /// Its end, while it holds. One from "the future" was made before the clock was set back, and holds all the same.
    pub fn holds(&self, at: Instant) -> Option<Instant> {
        (at < self.until).then_some(self.until)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    Open,
    /// The cause is gone; what waited for it is not all ready.
    Recovering {
        since: Instant,
    },
    /// `recovered_at`: when the cause was gone; `None`: never, every deadline was over.
    Resolved {
        at: Instant,
        recovered_at: Option<Instant>,
    },
}

/// What an incident does to one dashboard cycle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Impact {
    /// Checks of the dashboard that wait now, the cause counted.
    pub waiting: BTreeSet<Id>,
    /// The most that waited.
    pub waited: usize,
    pub state: ImpactState,
    /// When a word of the incident that names the cycle was first delivered.
    pub told_at: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ImpactState {
    Waiting,
    Ready(Instant),
    /// The cycle closed without.
    Over,
}

/// What a chat was told of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The loudest word.
    pub attention: Attention,
    /// The worst that was told of it.
    pub verdict: Verdict,
    pub at: Instant,
    pub post: PostId,
    /// Cycles with an audience that were told of, each with the loudest word that named it.
    #[serde(with = "crate::core::pairs")]
    pub cycles: BTreeMap<CycleKey, Attention>,
}

/// What is known of one chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct ChatState {
    /// A permanent error, with when and why in one line.
    pub broken: Option<(Instant, String)>,
}

/// The last occurrence of a digest, as done, not as due: clocks jump.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestState {
    pub date: NaiveDate,
    pub done_at: Instant,
    /// Those done before it, newest last, at most [`DIGESTS_KEPT`]: a clock that is set back repeats none of them.
    pub before: Vec<NaiveDate>,
}

pub const DIGESTS_KEPT: usize = 8;

impl DigestState {
    /// Was the digest of this date given, or silence recorded in its place?
    pub fn has(&self, date: NaiveDate) -> bool {
        self.date == date || self.before.contains(&date)
    }
}

/// What is known of the watch itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct WatchState {
    /// When the outward proof of life was last taken.
    pub beaten_at: Option<Instant>,
    /// When it was last noted that it had been away.
    pub back_at: Option<Instant>,
    /// The newest configuration was refused on a reload; the one before it is still in force.
    pub refused: Option<RefusedReload>,
}

/// A reload that changed nothing, because its configuration was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedReload {
    pub at: Instant,
    /// How many findings there were, and the first of them, with its place.
    pub findings: usize,
    pub first: String,
}

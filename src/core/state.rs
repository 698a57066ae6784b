//! What is known: all that must survive a restart, row by row, and the one effect that changes it.
//!
//! Every [`Row`] is one row of the store. [`State`] holds the rows in memory beside what is derived from them and the plan
//! (the roster, the verdicts), which is never stored: a state that was read back says and does the same as one that was kept.

use super::judge::View;
use super::message::Message;
use super::observation::{Fact, Failure, Member, Run, Scheduler, Unreachable};
use super::plan::{Id, Plan};
use super::roster::Roster;
use super::time::Instant;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The version of the stored rows. A store with another one is refused with a sentence.
pub const FORMAT: u32 = 1;

/// The judgement of one check or dashboard in one cycle; ordered from best to worst for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    NotDue,
    NotWatched,
    Ready,
    OnTrack,
    AtRisk,
    Late,
    Unknown,
    Failed,
}

impl Verdict {
    /// Does it call for a word?
    pub fn is_trouble(self) -> bool {
        self >= Self::AtRisk
    }

    /// DESIGN's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotDue => "not_due",
            Self::NotWatched => "not_watched",
            Self::Ready => "ready",
            Self::OnTrack => "on_track",
            Self::AtRisk => "at_risk",
            Self::Late => "late",
            Self::Unknown => "unknown",
            Self::Failed => "failed",
        }
    }
}

/// How loud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attention {
    /// Recorded only.
    Silent,
    /// No push where the platform can.
    Post,
    /// Asks a person.
    Notify,
    /// Asks the next one.
    Escalate,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Cause {
    Check(Id),
    /// A source that cannot be seen.
    Source(Id),
    /// The scheduler of a source that itself answers.
    Scheduler(Id),
    Calendar(Id),
}

/// `orders_raw`, `source:airflow`, `scheduler:airflow`, `calendar:kr`.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Check(id) => write!(f, "{id}"),
            Self::Source(id) => write!(f, "source:{id}"),
            Self::Scheduler(id) => write!(f, "scheduler:{id}"),
            Self::Calendar(id) => write!(f, "calendar:{id}"),
        }
    }
}

pub type IncidentId = u64;
pub type PostId = u64;

/// One due day of a dashboard, or one of its several deadlines on that day. `date` is the business date.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CycleKey {
    pub dashboard: Id,
    pub date: NaiveDate,
    /// Counts the deadlines of the day from 0.
    pub nth: u32,
}

/// `exec_summary 2026-11-23`, with ` #2` for the second deadline of the day.
impl fmt::Display for CycleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.dashboard, self.date)?;
        if self.nth > 0 { write!(f, " #{}", self.nth + 1) } else { Ok(()) }
    }
}

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
    /// The last listing, by subject. A pipeline that left it is kept in the groups' memory, not here.
    pub members: BTreeMap<Id, Member>,
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
    /// The group by which it is a check, if by one: it stays one when it vanishes from the source.
    pub group: Option<Id>,
    pub seen: Option<Seen>,
    /// Arrivals of cycles that are still open, or closed last: they stick. At most [`ARRIVALS_KEPT`].
    pub arrivals: Vec<Arrival>,
    /// Successful nights, oldest first, at most [`NIGHTS_KEPT`].
    pub nights: Vec<Night>,
    /// The failure of the run that it belongs to, once fetched.
    pub failure: Option<(String, Failure)>,
}

pub const ARRIVALS_KEPT: usize = 8;
pub const NIGHTS_KEPT: usize = 60;

/// The last answer about a check; changes only when its content does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Seen {
    /// Newest first by `scheduled_at`; backfills left out.
    Runs(Vec<Run>),
    Timestamp {
        newest: Option<Instant>,
        first_seen_at: Instant,
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

/// One successful night in a check's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Night {
    pub date: NaiveDate,
    /// Seconds after local midnight of `date`, on the wall; negative: the evening before.
    pub arrived_s: i64,
    /// Run time; `None` for datasets.
    pub took_s: Option<i64>,
}

/// The result of one dashboard cycle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CycleState {
    pub deadline: Instant,
    pub audience: bool,
    pub opened_at: Instant,
    pub closed_at: Option<Instant>,
    pub verdict: Verdict,
    pub ready_at: Option<Instant>,
    /// The deadline passed and it was not ready.
    pub missed: bool,
}

/// A cause with its impact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    pub id: IncidentId,
    pub cause: Cause,
    pub opened_at: Instant,
    /// When the cause itself began.
    pub since: Instant,
    /// The verdict of the cause, worst so far.
    pub verdict: Verdict,
    pub phase: Phase,
    /// Checks with the same source, error and time, the cause not counted.
    pub alike: BTreeSet<Id>,
    #[serde(with = "super::pairs")]
    pub impact: BTreeMap<CycleKey, Impact>,
    /// The check is stale by `max_age`, or stands outside any dashboard.
    pub outside: bool,
    /// By chat.
    pub told: BTreeMap<Id, Told>,
    /// When a person was first asked, in any chat.
    pub asked_at: Option<Instant>,
    /// When the failure was first wanted for a message: it is waited for only so long.
    pub failure_wanted_at: Option<Instant>,
    pub failure: Option<Failure>,
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
    pub attention: Attention,
    pub verdict: Verdict,
    pub at: Instant,
    pub post: PostId,
    /// Cycles with an audience that the words counted.
    pub cycles: BTreeSet<CycleKey>,
}

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
    /// Incidents up to this id that were over untold are already counted as healed.
    pub healed_through: IncidentId,
}

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
    Digest { digest: Id, date: NaiveDate },
    Post(PostId),
    Chat,
    Source(Id),
    Check(Id),
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
    /// The failure is being fetched.
    FailureAwaited,
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
    CycleReady,
    CycleMissed,
    CycleClosed,
    Deepened,
    SourceDark,
    SourceBack,
    ChatBroken,
    ChatBack,
    Delivered,
    Undelivered,
    TooLate,
}

/// One row of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Row {
    Source(Id, SourceState),
    Check(Id, CheckState),
    Cycle(CycleKey, CycleState),
    Incident(Incident),
    Post(Post),
    Chat(Id, ChatState),
    Digest(Id, DigestState),
    Counters(Counters),
}

/// Names a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Key {
    Source(Id),
    Check(Id),
    Cycle(CycleKey),
    Incident(IncidentId),
    Post(PostId),
    Chat(Id),
    Digest(Id),
    Counters,
}

impl Row {
    pub fn key(&self) -> Key {
        match self {
            Self::Source(id, _) => Key::Source(id.clone()),
            Self::Check(id, _) => Key::Check(id.clone()),
            Self::Cycle(key, _) => Key::Cycle(key.clone()),
            Self::Incident(incident) => Key::Incident(incident.id),
            Self::Post(post) => Key::Post(post.id),
            Self::Chat(id, _) => Key::Chat(id.clone()),
            Self::Digest(id, _) => Key::Digest(id.clone()),
            Self::Counters(_) => Key::Counters,
        }
    }
}

/// The last ids given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Counters {
    pub incident: IncidentId,
    pub post: PostId,
}

/// The one effect of a step, written in one transaction.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Commit {
    pub put: Vec<Row>,
    pub delete: Vec<Key>,
    pub ledger: Vec<Entry>,
}

impl Commit {
    pub fn is_empty(&self) -> bool {
        self.put.is_empty() && self.delete.is_empty() && self.ledger.is_empty()
    }
}

/// All that is known, in memory.
#[derive(Debug, Clone)]
pub struct State {
    pub sources: BTreeMap<Id, SourceState>,
    /// In the order of [`Roster::checks`].
    pub checks: Vec<CheckState>,
    pub cycles: BTreeMap<CycleKey, CycleState>,
    pub incidents: BTreeMap<IncidentId, Incident>,
    pub posts: BTreeMap<PostId, Post>,
    pub chats: BTreeMap<Id, ChatState>,
    pub digests: BTreeMap<Id, DigestState>,
    pub counters: Counters,
    /// Derived: which checks there are and who needs whom.
    pub roster: Roster,
    /// Derived: the verdicts of the open cycles and until when they hold.
    pub view: View,
}

impl State {
    /// Builds the state from the store's rows, in any order. Rows of names that the plan no longer has are left alone in the store.
    /// A new store is the empty list. This is the one way after a start, a reload, and a commit that failed.
    pub fn restore(rows: impl IntoIterator<Item = Row>, plan: &Plan) -> Self {
        let mut state = Self {
            sources: BTreeMap::new(),
            checks: Vec::new(),
            cycles: BTreeMap::new(),
            incidents: BTreeMap::new(),
            posts: BTreeMap::new(),
            chats: BTreeMap::new(),
            digests: BTreeMap::new(),
            counters: Counters::default(),
            roster: Roster::default(),
            view: View::default(),
        };
        let mut checks = BTreeMap::new();
        for row in rows {
            match row {
                Row::Source(id, source) if plan.sources.contains_key(&id) => drop(state.sources.insert(id, source)),
                Row::Check(id, check) => drop(checks.insert(id, check)),
                Row::Cycle(key, cycle) if plan.dashboards.contains_key(&key.dashboard) => drop(state.cycles.insert(key, cycle)),
                Row::Incident(incident) => drop(state.incidents.insert(incident.id, incident)),
                Row::Post(post) => drop(state.posts.insert(post.id, post)),
                Row::Chat(id, chat) if plan.chats.contains_key(&id) => drop(state.chats.insert(id, chat)),
                Row::Digest(id, digest) if plan.digests.contains_key(&id) => drop(state.digests.insert(id, digest)),
                Row::Counters(counters) => state.counters = counters,
                Row::Source(..) | Row::Cycle(..) | Row::Chat(..) | Row::Digest(..) => {}
            }
        }
        let _ = checks;
        state
    }
}

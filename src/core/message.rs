//! Messages as facts: what is to be told, before any words. `wording` turns one into words of a language, a sink into a payload.
//!
//! A message is stored with its post, so it must be whole: nothing here is looked up again later.

mod fit;
mod text;
mod week;

pub use fit::{clean, fit, shorten_end, shorten_middle};
pub use text::{Line, Span, Text, Tone, lines, plain};
pub use week::{WeekFacts, WeekSums};

use super::command::Muted;
use super::forecast::Moved;
use super::observation::{Failure, Why};
use super::plan::Id;
use super::state::{Attention, Cause, IncidentId, RefusedReload, Verdict};
use super::time::Instant;
use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// What is to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub at: Instant,
    /// The zone of every time that people read in it.
    pub zone: Tz,
    pub attention: Attention,
    pub body: Body,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Body {
    /// The first unscheduled word about an incident, or a later one.
    Incident {
        update: bool,
        about: Box<IncidentFacts>,
    },
    /// The last word.
    Resolved(Box<ResolvedFacts>),
    Digest(Box<DigestFacts>),
    /// A digest that looks back.
    Week(Box<WeekFacts>),
    /// `sink_broken` and the like: trouble of the watch itself that has no cause in the pipelines.
    Watch(WatchFacts),
}

/// An open incident, as of `Message::at`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentFacts {
    pub incident: IncidentId,
    pub cause: Cause,
    /// Of the cause: failed, late, at_risk or unknown.
    pub verdict: Verdict,
    pub situation: Situation,
    /// When the cause began: the failure's end, the first unanswered poll, …
    pub since: Instant,
    /// Checks of the same source with the same trouble (failed: the same error and time) that are folded in, the cause itself not
    /// counted.
    pub alike: usize,
    /// Checks that wait for the cause, the cause itself not counted.
    pub waiting: usize,
    /// Of all checks that some dashboard needs today: how many there are, and how many of them this incident does not touch.
    pub checks: usize,
    pub untouched: usize,
    /// Those that the incident endangers, by deadline; at least one, unless the check stands outside any dashboard.
    pub dashboards: Vec<DashboardFacts>,
    pub owner: Option<OwnerFacts>,
    pub runbook: Option<String>,
    /// When the cause usually has arrived, and out of how many nights that is known.
    pub usual: Option<Usual>,
    pub last_good: Option<Instant>,
    /// Who has it, and until when.
    pub taken: Option<Taken>,
    pub next: Next,
}

/// What is the matter with the cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Situation {
    Failed {
        at: Option<Instant>,
        doomed: bool,
        failure: Failure,
    },
    /// Runs longer than fits.
    RunningLong {
        started_at: Instant,
        usual_s: Option<i64>,
    },
    Queued {
        since: Instant,
    },
    /// The cause is gone, but what waited for it will be late all the same.
    CatchingUp {
        recovered_at: Instant,
    },
    Retrying {
        task: String,
    },
    Waiting {
        task: String,
    },
    NotStarted(NotStarted),
    /// Nothing is wrong with it but that it comes too late as a rule: about then.
    AsEver {
        comes_at: Instant,
    },
    /// A dataset whose newest data is this old.
    NoData {
        newest: Option<Instant>,
    },
    Stale {
        newest: Instant,
        max_age_s: i64,
    },
    SourceDark {
        why: Why,
        detail: String,
        tries: u32,
        last_seen: Option<LastSeen>,
        others_answer: usize,
        others: usize,
    },
    SchedulerDead {
        heartbeat: Option<Instant>,
    },
    /// So many of all sources, on so many hosts, went dark together.
    SelfSuspected {
        silent: usize,
        sources: usize,
        hosts: usize,
        why: Why,
        last_seen: Option<Instant>,
    },
    /// The source's clock is so much ahead of the watch's (negative: behind).
    ClockOff {
        ahead_s: i64,
    },
    /// So many sources agree that the watch's clock is so much behind theirs (negative: ahead).
    OwnClockOff {
        behind_s: i64,
        sources: usize,
    },
    /// The check vanished from its source, or its answer makes no sense.
    NotSeen {
        why: NotSeen,
    },
    /// A group that matches nothing of what its source lists.
    NoMembers,
    /// The calendar has no data for this day.
    CalendarEnded {
        calendar: Id,
        last: NaiveDate,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum NotStarted {
    Paused,
    ImportError,
    /// The source knows when it would start.
    Scheduled(Instant),
    /// Its source forgets what is done, and does not know it: not started, or done and forgotten.
    Forgotten,
    NoReason,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum NotSeen {
    Vanished,
    NeverSeen,
    Suspicious(String),
    FutureData(Instant),
}

/// What was known when a source was last seen: of so many checks, so many in each state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastSeen {
    pub at: Instant,
    pub checks: usize,
    pub arrived: usize,
    pub running: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DashboardFacts {
    pub id: Id,
    pub name: String,
    pub deadline: Instant,
    /// Is there anybody to miss it in this cycle?
    pub audience: bool,
    pub verdict: Verdict,
    /// Its checks that wait for the cause, the cause itself counted where the dashboard needs it directly.
    pub waiting: usize,
    pub checks: usize,
    pub arrived: usize,
    pub unknown: usize,
    /// `None`: no run time is known that it could be computed from, or nothing is left to do.
    pub act_by: Option<Instant>,
    pub eta: Option<Eta>,
    /// How likely it misses its deadline, in percent: whole tens, 5 for less, 95 for more. `None`: nobody knows, or it is over.
    pub chance: Option<u8>,
    pub ready_at: Option<Instant>,
    /// All that is wrong with it is in maintenance, and its deadline is in no danger (digests).
    pub in_maintenance: bool,
    /// Its last arrival so far.
    pub latest: Option<(Id, Instant)>,
    pub url: Option<String>,
    /// Shown, but no reason to break the silence.
    pub muted: bool,
}

/// When something will arrive, in whole five minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Eta {
    pub at: Instant,
    pub low: Instant,
    pub high: Instant,
    pub basis: Basis,
}

/// What an ETA rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Basis {
    /// So many nights' own history.
    Observed { nights: u32 },
    /// The configuration's `duration`.
    Declared,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usual {
    pub arrives: Instant,
    pub latest: Instant,
    pub nights: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerFacts {
    pub name: String,
    pub contact: Option<String>,
}

/// Somebody has taken an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    pub by: String,
    pub until: Instant,
}

/// When the next word comes, and from what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Next {
    /// A person is asked then: quiet hours end, or the deadline comes.
    AskedAt {
        at: Instant,
        because: AskedBecause,
    },
    /// The next rung is asked then, unless it is repaired.
    EscalatesAt(Instant),
    WhenResolved,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AskedBecause {
    QuietEnds,
    Deadline,
    /// `wake = true`: acting can still save the deadline.
    ActBy,
    /// Whoever has it has it until then.
    AckEnds,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolvedFacts {
    pub incident: IncidentId,
    pub cause: Cause,
    pub failure: Option<Failure>,
    pub since: Instant,
    /// When the cause was gone; `None`: it never was, but every deadline is over.
    pub recovered_at: Option<Instant>,
    pub resolved_at: Instant,
    /// Who retired the cause, if that ended it.
    pub retired_by: Option<String>,
    /// The most checks that waited at any time, the cause counted.
    pub waited: usize,
    pub dashboards: Vec<DashboardFacts>,
    /// Deadlines with an audience that it made miss, and all with an audience that it touched.
    pub missed: usize,
    pub deadlines: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestFacts {
    pub digest: Id,
    pub verdict: DigestVerdict,
    /// By deadline.
    pub dashboards: Vec<DashboardFacts>,
    pub incidents: Vec<DigestIncident>,
    /// Incidents that were over before anybody was told, since the digest before.
    pub healed: usize,
    pub sources_answering: usize,
    pub sources: usize,
    /// Chats that no longer take messages, with the reason in one line.
    pub broken_chats: Vec<(Id, String)>,
    /// Calendars whose data ends within the next days, or has ended.
    pub calendars_ending: Vec<(Id, NaiveDate)>,
    /// What is muted, by whom and until when.
    pub muted: Vec<(Muted, Taken)>,
    pub next_at: Option<Instant>,
    pub notes: DigestNotes,
}

/// What else a digest tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct DigestNotes {
    /// What is in maintenance now, and until when.
    pub maintenance: Vec<(Cause, Instant)>,
    /// Sources whose clocks are off, by how many seconds they are ahead (negative: behind).
    pub clocks: Vec<(Id, i64)>,
    /// The newest configuration was refused; the one before it is in force.
    pub refused: Option<RefusedReload>,
    /// Checks whose schedule seems to have moved, the farthest first.
    pub moved: Vec<(Id, Moved)>,
    /// The next one comes as soon as all is ready, and at `next_at` at the latest.
    pub next_when_ready: bool,
}

/// The worst that a digest tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DigestVerdict {
    /// Every dashboard that is due is ready.
    Ready,
    /// None is in danger, some are still under way.
    OnTrack,
    /// No dashboard is due.
    NothingDue,
    /// Every deadline was over when the watch first looked: neither good nor bad.
    NotWatched,
    Trouble(Verdict),
    /// Nothing is wrong but what is in maintenance.
    Maintenance,
    /// The pipelines are green, the watch itself is not whole: a broken chat, a calendar at its end.
    WatchTrouble,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestIncident {
    pub incident: IncidentId,
    pub cause: Cause,
    pub verdict: Verdict,
    pub recovering: bool,
    pub waiting: usize,
    pub failure: Option<Failure>,
    pub owner: Option<OwnerFacts>,
    pub eta: Option<Eta>,
    pub taken: Option<Taken>,
    /// Muted or snoozed: shown, but no reason to break the silence.
    pub hushed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchFacts {
    pub chat: Id,
    pub why: String,
}

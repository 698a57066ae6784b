//! What the agent publishes after each commit.

use crate::core::plan::Id;
use crate::core::state::Verdict;
use crate::core::time::Instant;
use chrono_tz::Tz;

/// The watch at one instant, as far as the outside may know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub at: Instant,
    /// The zone of the times that people read.
    pub zone: Tz,
    pub started_at: Instant,
    /// Every source that is asked at all was swept since the start, or just before it, and answered or was found dark.
    pub ready: bool,
    pub sources: Vec<SourceLine>,
    pub dashboards: Vec<DashboardLine>,
    pub incidents: Vec<IncidentLine>,
    pub chats: Vec<ChatLine>,
    /// Checks by verdict over the open cycles.
    pub checks: Vec<(Verdict, usize)>,
    pub counts: Counts,
    /// A failed write to the store, in one sentence; the state was read anew and the step repeated.
    pub store_trouble: Option<String>,
    /// The outward proof of life; `None`: none is configured.
    pub heartbeat: Option<HeartbeatLine>,
    /// Why the newest configuration was refused on a reload, in one line; the one before it is in force.
    pub config_refused: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceLine {
    pub id: Id,
    pub swept_at: Option<Instant>,
    pub dark_since: Option<Instant>,
    /// One line, without secrets.
    pub trouble: Option<String>,
    pub requests: u64,
    pub bytes: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DashboardLine {
    pub id: Id,
    pub name: String,
    pub verdict: Verdict,
    pub deadline: Instant,
    pub arrived: usize,
    pub checks: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentLine {
    pub id: u64,
    pub cause: String,
    pub verdict: Verdict,
    pub recovering: bool,
    pub since: Instant,
    pub waiting: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatLine {
    pub id: Id,
    pub broken: Option<String>,
    /// Posts that are wanted and not yet confirmed.
    pub pending: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeartbeatLine {
    /// When one was last taken.
    pub beaten_at: Option<Instant>,
    /// Why the last one was not, with no more of its address than the host; or why the next one is withheld.
    pub trouble: Option<String>,
}

/// Totals since the start of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub steps: u64,
    pub commits: u64,
    pub polls: u64,
    pub polls_unanswered: u64,
    pub posts_confirmed: u64,
    pub posts_failed: u64,
    /// Proofs of life that were taken.
    pub beats: u64,
    /// Decisions to say nothing, or not yet.
    pub silences: u64,
    /// Microseconds spent in `step`.
    pub step_us: u64,
}

//! What a source can say. Failing to see is a value here, never an error.
//!
//! A source adapter turns an [`Ask`] into a [`Heard`]; nothing else passes from the outside about pipelines and data. All text in
//! these types comes from the outside and is data: it is bounded by the adapter ([`ERROR_CHARS`]) and escaped by the sinks.

use super::plan::Id;
use super::time::Instant;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::Arc;

/// The most characters of an error line that an adapter passes on.
pub const ERROR_CHARS: usize = 300;
/// The most runs of one subject that a sweep carries: the newest by `scheduled_at`.
pub const RUNS_PER_SUBJECT: usize = 32;

/// One question to one source; the core derives it, the shell carries it out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ask {
    /// What has happened to these subjects since? Serves all checks of the source at once, and is asked again and again for the same:
    /// `subjects` are in order, and a clone of them is the same list. `dates`: for those that hold `{date:…}`, the dates to look at.
    Sweep { source: Id, subjects: Arc<[Id]>, dates: BTreeMap<Id, BTreeSet<NaiveDate>>, since: Instant },
    /// What is there at all? Only for sources whose kind lists.
    List { source: Id },
    /// Why did this run fail? Asked once for a run that is about to be named as a cause.
    Failure { source: Id, subject: Id, run: String },
}

impl Ask {
    pub fn source(&self) -> &Id {
        match self {
            Self::Sweep { source, .. } | Self::List { source } | Self::Failure { source, .. } => source,
        }
    }
}

/// The answer to an [`Ask`]. `asked_at` is when the question left: what is told was true then or later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    pub ask: Ask,
    pub asked_at: Instant,
    pub answer: Answer,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    Sweep(Sweep),
    /// A part of a sweep that goes on: says all of these subjects, and of the source no more than that it was asked.
    Part(Sweep),
    Listing(Listing),
    Failure(Failure),
    Unreachable(Unreachable),
}

/// The answer of one source to one question, for all the checks that it serves. A subject that was asked for and has no item is
/// absent: the source does not know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Sweep {
    pub items: Vec<Item>,
    /// Whether what starts the runs is alive, where the source says so.
    pub scheduler: Scheduler,
    /// By how many seconds the source's clock is ahead of ours (negative: behind), as far as its answer tells; exact to about two.
    pub clock_ahead_s: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub enum Scheduler {
    Healthy,
    /// The source answers, but nothing new will start; with its last sign of life where known.
    Dead {
        heartbeat: Option<Instant>,
    },
    #[default]
    NotSaid,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    pub subject: Id,
    pub fact: Fact,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fact {
    /// The runs scheduled since the asked instant, at most [`RUNS_PER_SUBJECT`], in any order. None: known, but has not run.
    Runs(Vec<Run>),
    /// The newest data: its arrival time, or its data time. `None`: there is no data at all.
    Timestamp(Option<Instant>),
    /// For each date that was asked for, when its data arrived. `None`: it is not there.
    Dated(BTreeMap<NaiveDate, Option<Instant>>),
    /// The answer about this subject makes no sense (a state that nobody knows, a time that is none): never green.
    Suspicious(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    pub id: String,
    pub kind: RunKind,
    /// The instant for which it was scheduled: it puts the run into a cycle. Airflow 3: `run_after`, but for a manual run its
    /// `data_interval_end` or `logical_date` where it has one. Else its start.
    pub scheduled_at: Instant,
    pub started_at: Option<Instant>,
    pub ended_at: Option<Instant>,
    pub state: RunState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RunKind {
    Scheduled,
    /// Started by hand or by another system's call.
    Manual,
    /// Started by the arrival of data.
    Triggered,
    /// One of several tasks that are the pipeline together: all that count must have succeeded.
    Part,
    /// Never counts.
    Backfill,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RunState {
    Queued,
    Running,
    /// Running, and a task of it waits for its next try.
    Retrying {
        task: String,
    },
    /// Running, and all that it does is wait in a sensor for its own input.
    Waiting {
        task: String,
    },
    /// Running, and a task of it has finally failed: the run will fail.
    Doomed {
        task: String,
    },
    /// It was under way when its source last knew it, and has been forgotten since: it may be done.
    Lost,
    Success,
    Failed,
}

impl RunState {
    pub fn is_failed(&self) -> bool {
        matches!(self, Self::Failed | Self::Doomed { .. })
    }
}

/// Why a run failed, as far as the source says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Failure {
    pub task: Option<String>,
    /// Counted from 1.
    pub try_number: Option<u32>,
    /// The last error line, at most [`ERROR_CHARS`] characters.
    pub error: Option<String>,
}

/// One pipeline in a source's listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub subject: Id,
    pub tags: Vec<String>,
    pub owners: Vec<String>,
    pub paused: bool,
    pub import_error: bool,
    /// When the source itself will schedule the next run. `None`: it has no schedule.
    pub next_run_at: Option<Instant>,
}

/// All that a source lists, in order of subject, each once. It is large and seldom changes: a clone is the same listing, and to compare
/// it with that costs nothing.
#[derive(Debug, Clone, Serialize, Deserialize, Default)]
#[serde(from = "Vec<Member>")]
pub struct Listing(Arc<[Member]>);

/// By hand, as the library looks at every member also of two that are one.
impl PartialEq for Listing {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl Eq for Listing {}

impl Listing {
    pub fn of(&self, subject: &Id) -> Option<&Member> {
        self.0.binary_search_by(|member| member.subject.cmp(subject)).ok().map(|at| &self.0[at])
    }
}

impl Deref for Listing {
    type Target = [Member];

    fn deref(&self) -> &[Member] {
        &self.0
    }
}

impl From<Vec<Member>> for Listing {
    fn from(mut members: Vec<Member>) -> Self {
        members.sort_by(|a, b| a.subject.cmp(&b.subject));
        members.dedup_by(|a, b| a.subject == b.subject);
        Self(members.into())
    }
}

impl FromIterator<Member> for Listing {
    fn from_iter<T: IntoIterator<Item = Member>>(members: T) -> Self {
        members.into_iter().collect::<Vec<_>>().into()
    }
}

/// The source could not be asked, or its answer could not be believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreachable {
    pub why: Why,
    /// One line for people, with no secret and no URL beyond the host; at most [`ERROR_CHARS`] characters.
    pub detail: String,
}

/// The kinds of not being able to see; each has its own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Why {
    /// Refused, reset, no route, unknown host.
    Connect,
    Timeout,
    /// A certificate that cannot be trusted, or no TLS at all.
    Tls,
    /// The credentials were refused.
    Auth,
    /// An HTTP status that is no answer to the question.
    Status,
    /// More than the body limit.
    TooLarge,
    /// Not JSON, the wrong content type, missing fields.
    Malformed,
    /// A loop or a redirect to elsewhere.
    Redirect,
}

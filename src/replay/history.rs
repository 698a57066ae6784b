//! Where a replay's history comes from: one stream of what was seen, in order of time, whatever its origin. Judges nothing, and never
//! holds more than a page and what is under way, however long the span is.

use super::csv::CsvHistory;
use super::fetched::FetchedHistory;
use super::stored::StoredHistory;
use crate::config::Finding;
use crate::core::observation::Unreachable;
use crate::core::plan::{Id, Plan};
use crate::core::state::Observed;
use crate::core::time::Instant;
use crate::error::Exit;
use crate::sources::Source;
use crate::store::StoreError;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// About so many things that were seen are handed out at once.
pub(super) const PAGE: usize = 4096;
/// When that was seen which holds from the beginning: before anything else can have been.
pub const BEGINNING: Instant = Instant::UNIX_EPOCH;

/// A history that is being read. Opened anew for each plan that it is played through: the names in it are the plan's.
pub enum History {
    Csv(Box<CsvHistory>),
    Stored(Box<StoredHistory>),
    Fetched(Box<FetchedHistory>),
}

impl History {
    /// A file of CSV, or a folder: its `*.csv` in order of name. Reads all of it once: what is wrong in it is found here.
    pub fn csv(path: &Path, plan: &Arc<Plan>) -> Result<Self, HistoryError> {
        CsvHistory::open(path, plan).map(|csv| Self::Csv(Box::new(csv)))
    }

    /// What the store in this file recorded, at most `retention` back from its last line; an agent may be running on it.
    pub async fn stored(path: &Path, plan: &Plan) -> Result<Self, HistoryError> {
        StoredHistory::open(path, plan).await.map(|stored| Self::Stored(Box::new(stored)))
    }

    /// What the Airflow `id` still knows of its runs from one instant until before another. Asks that source alone, and twice when it is
    /// opened twice: first what it lists, then day by day as pages are wanted. `now` is the clock, for the end of tokens.
    pub async fn fetched(
        source: Source,
        id: &Id,
        plan: &Plan,
        (from, to): (Instant, Instant),
        now: Instant,
    ) -> Result<Self, HistoryError> {
        FetchedHistory::open(source, id, plan, (from, to), now).await.map(|fetched| Self::Fetched(Box::new(fetched)))
    }

    /// What was seen next, in order of time; `None` after the last. The first page holds what is so from the [`BEGINNING`].
    pub async fn next_page(&mut self) -> Result<Option<Vec<Observed>>, HistoryError> {
        match self {
            Self::Csv(csv) => csv.next_page(),
            Self::Stored(stored) => stored.next_page().await,
            Self::Fetched(fetched) => fetched.next_page().await,
        }
    }

    /// The first and the last instant at which anything was seen, or for runs that are fetched the span that is asked for; `None`: nothing was
    /// seen. Known as soon as the history is open.
    pub fn span(&self) -> Option<(Instant, Instant)> {
        match self {
            Self::Csv(csv) => csv.span(),
            Self::Stored(stored) => stored.span(),
            Self::Fetched(fetched) => fetched.span(),
        }
    }

    /// After this instant nothing is known, not even that nothing happened; `None`: the history tells all that ever was.
    pub fn ends_at(&self) -> Option<Instant> {
        match self {
            Self::Csv(_) => None,
            Self::Stored(stored) => stored.ends_at(),
            Self::Fetched(fetched) => Some(fetched.asked_at()),
        }
    }
}

/// Why there is no history to play.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// Each finding begins a line, so that an editor or a terminal can jump to its place.
    #[error("the history cannot be played{}", .0.iter().map(|finding| format!("\n{finding}")).collect::<String>())]
    Refused(Vec<Finding>),
    #[error("the history {} cannot be read", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("the folder {} holds no file *.csv", path.display())]
    NoFile { path: PathBuf },
    #[error("the history {} tells of no check of this configuration and of no member of its groups; it has {examples}", path.display())]
    Strangers { path: PathBuf, examples: String },
    #[error("there is no store {} yet: an agent that runs records what it sees there; or name a history with --history", path.display())]
    NoStore { path: PathBuf },
    #[error("the store's history cannot be read")]
    Store(#[from] StoreError),
    #[error("the source {id} keeps no runs that could be asked for: only an Airflow does; name its history with --history")]
    KeepsNoRuns { id: Id },
    #[error("the source {id} could not be asked for its {what}: {}", why.detail)]
    NotAsked { id: Id, what: String, why: Unreachable },
    #[error("the history cannot be sorted: no room for temporary files in {}", folder.display())]
    NoRoom { folder: PathBuf, source: io::Error },
}

impl HistoryError {
    pub fn exit(&self) -> Exit {
        match self {
            Self::Refused(_)
            | Self::Unreadable { .. }
            | Self::NoFile { .. }
            | Self::Strangers { .. }
            | Self::KeepsNoRuns { .. } => Exit::Usage,
            Self::NoStore { .. } | Self::Store(_) | Self::NotAsked { .. } | Self::NoRoom { .. } => Exit::CouldNotLook,
        }
    }

    pub(super) fn no_room(source: io::Error) -> Self {
        Self::NoRoom { folder: std::env::temp_dir(), source }
    }
}

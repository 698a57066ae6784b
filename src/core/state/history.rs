//! The history: what was seen, one entry for each change, so that a night can be played again.

use crate::core::observation::{Fact, Failure, Member, Scheduler, Unreachable};
use crate::core::plan::Id;
use crate::core::time::Instant;
use serde::{Deserialize, Serialize};

/// One thing that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// When the question left.
    pub at: Instant,
    pub news: News,
}

/// What was new. A line may come twice (after a crash): what is known already is no news.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum News {
    /// Of runs only those that are new or have changed. `None`: the source answered and does not know it.
    Subject { source: Id, subject: Id, fact: Option<Fact> },
    /// Why the run failed, once that was asked for.
    Failure { source: Id, subject: Id, run: String, failure: Failure },
    /// The source no longer answers, or (`None`) answers again.
    Source { source: Id, dark: Option<Unreachable> },
    /// Of what the source lists: what is new or has changed, and what is there no more.
    Listing { source: Id, changed: Vec<Member>, gone: Vec<Id> },
    /// The source does not list what it has; the next [`News::Listing`] ends it.
    Unlisted { source: Id, why: Unreachable },
    /// What starts the source's runs has died, or lives again.
    Scheduler { source: Id, scheduler: Scheduler },
    /// The source's clock, as its answers tell: so many seconds ahead of ours.
    Clock { source: Id, ahead_s: Option<i64> },
}

//! The history: what was seen, one entry for each change, so that a night can be played again.

use crate::core::observation::{Fact, Why};
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

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum News {
    /// Of runs only those that are new or have changed. `None`: its source answered and does not know it.
    Check { check: Id, fact: Option<Fact> },
    /// The source no longer answers, or (`None`) answers again.
    Source { source: Id, dark: Option<Why> },
}

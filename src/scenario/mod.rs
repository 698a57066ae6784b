//! Golden nights: files that say what happens in a night and what is to be said of it, played through the two doors like a replay.
//! Asks nobody, sends nothing, reads no clock; what was expected is never learned from what came.
//!
//! ```text
//! file ─▶ raw ─▶ read ─▶ Scenario ─▶ play (plainly · read back from its rows before every step) ─▶ hold ─▶ faults ─▶ text, JSON, JUnit
//!                 ▲ times, words, happens: a piece of a configuration is the configuration's own to read, rows are a history's
//! ```

mod happens;
mod hold;
mod junit;
mod names;
mod play;
mod raw;
mod read;
mod rows;
mod show;
mod times;
mod words;

pub use junit::junit;
pub use read::{FILES_MAX, files, read};
pub use words::words_of;

use crate::config::Finding;
use crate::core::plan::{Id, Plan};
use crate::core::state::{Attention, Reason, Verdict};
use crate::core::time::Instant;
use crate::replay::csv::There;
use crate::replay::line::Kind;
use happens::Event;
use std::path::PathBuf;
use std::sync::Arc;
use times::Moment;

/// A golden night, understood.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub file: PathBuf,
    /// One sentence: what it shows.
    pub name: String,
    /// The situations of the design that it is about.
    pub situations: Vec<String>,
    plan: Arc<Plan>,
    /// What lies before `from` is known past: the play begins there.
    known_from: Instant,
    from: Instant,
    to: Instant,
    /// What is there before anything happens, and has not run.
    there: Vec<There>,
    /// In order of time.
    events: Vec<(Instant, Event)>,
    expect: Vec<Expect>,
    decides: Vec<Decides>,
    silences: Vec<Silence>,
}

/// One message, as far as it is said what it is like.
#[derive(Debug, Clone)]
struct Expect {
    place: String,
    at: Moment,
    chat: Option<Id>,
    kind: Option<Kind>,
    attention: Option<Attention>,
    verdict: Option<Verdict>,
    incident: Option<u64>,
    cause: Option<String>,
    dashboards: Option<Vec<String>>,
    checks: Option<Vec<String>>,
    says: Vec<String>,
}

/// One line that the ledger must hold.
#[derive(Debug, Clone)]
struct Decides {
    place: String,
    at: Moment,
    decision: Option<Word>,
    reason: Reason,
    until: Option<Moment>,
    about: Option<String>,
    chat: Option<Id>,
}

/// The kinds of decisions, without what they carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    Say,
    Hold,
    Silent,
    Note,
}

/// A span, both ends included, in which nothing is said.
#[derive(Debug, Clone)]
struct Silence {
    place: String,
    from: Instant,
    to: Instant,
    /// Nor does the proof of life go out.
    heartbeat: bool,
}

/// What became of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    pub file: PathBuf,
    pub name: String,
    pub outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Holds,
    /// In sentences and tables for people.
    Fails(Vec<String>),
    /// The file, or a configuration that it names, makes no sense.
    Refused(Vec<Finding>),
}

impl Scenario {
    /// The reasons of which it says that the ledger must hold them.
    pub fn reasons(&self) -> impl Iterator<Item = &Reason> {
        self.decides.iter().map(|decides| &decides.reason)
    }

    /// Plays it twice, and says what does not hold.
    pub fn run(&self) -> Ended {
        let plain = play::play(self, false);
        let mut faults = hold::faults(self, &plain);
        if faults.is_empty() {
            let anew = play::play(self, true);
            faults = hold::differs(self, &plain, &anew);
        }
        let outcome = if faults.is_empty() { Outcome::Holds } else { Outcome::Fails(faults) };
        Ended { file: self.file.clone(), name: self.name.clone(), outcome }
    }
}

//! What is known: all that must survive a restart, row by row, and the one effect that changes it.
//!
//! Every [`Row`] is one row of the store. [`State`] holds the rows in memory beside what is derived from them and the plan
//! (the roster, the verdicts), which is never stored: a state that was read back says and does the same as one that was kept.

mod grounds;
mod history;
mod ledger;
mod post;
mod records;
mod words;

pub use grounds::{CYCLES_SHOWN, Endangered, Grounds, Sending, Trouble};
pub use history::{News, Observed};
pub use ledger::{About, Decision, Entry, Reason};
pub use post::{Attempt, Post, Topic, Withdrawn};
pub use records::{
    ARRIVALS_KEPT, Arrival, ChatState, CheckState, Clock, CycleState, DIGESTS_KEPT, Dark, DigestState, FAILURES_KEPT, Impact,
    ImpactState, Incident, Pause, Phase, RefusedReload, Seen, SourceState, Told, WatchState,
};
pub use words::{Attention, Cause, CycleKey, IncidentId, Own, PostId, Verdict};

use super::command::Muted;
use super::judge::View;
use super::observation::Listing;
use super::plan::{Id, Plan};
use super::roster::Roster;
use super::tally::{Days, Tally};
use super::time::Instant;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The version of the stored rows. A store with another one is refused with a sentence.
pub const FORMAT: u32 = 6;

/// One row of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Row {
    Source(Id, Box<SourceState>),
    /// What a source listed last.
    Members(Id, Listing),
    /// Thousands of them may be written at once: the list of them is kept small.
    Check(Id, Box<CheckState>),
    Cycle(CycleKey, CycleState),
    Incident(Box<Incident>),
    Post(Box<Post>),
    Chat(Id, ChatState),
    Digest(Id, DigestState),
    Counters(Counters),
    Watch(WatchState),
    Mute(Muted, Box<Pause>),
    /// What a local day has come to so far.
    Day(NaiveDate, Box<Tally>),
}

/// Names a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Key {
    Source(Id),
    Members(Id),
    Check(Id),
    Cycle(CycleKey),
    Incident(IncidentId),
    Post(PostId),
    Chat(Id),
    Digest(Id),
    Counters,
    Watch,
    Mute(Muted),
    Day(NaiveDate),
}

impl Row {
    pub fn key(&self) -> Key {
        match self {
            Self::Source(id, _) => Key::Source(id.clone()),
            Self::Members(id, _) => Key::Members(id.clone()),
            Self::Check(id, _) => Key::Check(id.clone()),
            Self::Cycle(key, _) => Key::Cycle(key.clone()),
            Self::Incident(incident) => Key::Incident(incident.id),
            Self::Post(post) => Key::Post(post.id),
            Self::Chat(id, _) => Key::Chat(id.clone()),
            Self::Digest(id, _) => Key::Digest(id.clone()),
            Self::Counters(_) => Key::Counters,
            Self::Watch(_) => Key::Watch,
            Self::Mute(what, _) => Key::Mute(what.clone()),
            Self::Day(date, _) => Key::Day(*date),
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
    /// What was seen anew, for the history; the rows hold only the last of it.
    pub observed: Vec<Observed>,
}

impl Commit {
    pub fn is_empty(&self) -> bool {
        self.put.is_empty() && self.delete.is_empty() && self.ledger.is_empty() && self.observed.is_empty()
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
    pub watch: WatchState,
    pub mutes: BTreeMap<Muted, Pause>,
    /// What the last days came to, for a digest that tells a week.
    pub days: Days,
    /// Derived: which checks there are and who needs whom.
    pub roster: Roster,
    /// Derived: the verdicts of the open cycles and until when they hold.
    pub view: View,
    /// Checks that no row was there for: the next step says since when they are known.
    pub unmet: BTreeSet<Id>,
    /// Sources that were dark, and that the plan no longer has: the next step says that nobody waits for them any more.
    pub lost: BTreeMap<Id, Dark>,
    /// The last step since the state was read.
    pub stepped_at: Option<Instant>,
}

impl State {
    /// Builds the state from the store's rows, in any order. Rows of names that the plan no longer has are left alone in the store
    /// (but of a source that was dark it is said that this is over).
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
            watch: WatchState::default(),
            mutes: BTreeMap::new(),
            days: Days::default(),
            roster: Roster::default(),
            view: View::default(),
            unmet: BTreeSet::new(),
            lost: BTreeMap::new(),
            stepped_at: None,
        };
        let mut members = BTreeMap::new();
        let mut checks = BTreeMap::new();
        for row in rows {
            match row {
                Row::Source(id, source) if plan.sources.contains_key(&id) => drop(state.sources.insert(id, *source)),
                Row::Members(id, listed) => drop(members.insert(id, listed)),
                Row::Check(id, check) => drop(checks.insert(id, *check)),
                Row::Cycle(key, cycle) if plan.dashboards.contains_key(&key.dashboard) => drop(state.cycles.insert(key, cycle)),
                Row::Incident(incident) => drop(state.incidents.insert(incident.id, *incident)),
                Row::Post(post) if plan.chats.contains_key(&post.chat) => drop(state.posts.insert(post.id, *post)),
                Row::Chat(id, chat) if plan.chats.contains_key(&id) => drop(state.chats.insert(id, chat)),
                Row::Digest(id, digest) if plan.digests.contains_key(&id) => drop(state.digests.insert(id, digest)),
                Row::Counters(counters) => state.counters = counters,
                Row::Watch(watch) => state.watch = watch,
                Row::Mute(what, pause) => drop(state.mutes.insert(what, *pause)),
                Row::Day(date, day) => state.days.restore(date, *day),
                Row::Source(id, source) => state.lost.extend(source.dark.map(|dark| (id, dark))),
                Row::Post(_) | Row::Cycle(..) | Row::Chat(..) | Row::Digest(..) => {}
            }
        }
        for id in plan.sources.keys() {
            state.sources.entry(id.clone()).or_default().members = members.remove(id).unwrap_or_default();
        }
        state.adopt(checks, plan);
        state
    }

    /// Builds the roster anew and puts every check's state at its place; `known` are the states by name.
    pub(in crate::core) fn adopt(&mut self, mut known: BTreeMap<Id, CheckState>, plan: &Plan) {
        let memory = known.iter().map(|(id, check)| (id.clone(), (check.groups.clone(), check.fingerprint.clone()))).collect();
        self.roster = Roster::build(plan, &self.sources, &memory);
        self.checks = Vec::with_capacity(self.roster.checks.len());
        // The same thing under another name: a second source has taken its name, say.
        let gone = known.extract_if(.., |id, _| self.roster.place(id).is_none());
        let mut renamed: BTreeMap<(Id, Id), CheckState> = gone.map(|(_, check)| (check.fingerprint.clone(), check)).collect();
        for check in &self.roster.checks {
            let fingerprint = (check.check.source.clone(), check.check.subject.clone());
            let state = match known.remove(&check.id).or_else(|| renamed.remove(&fingerprint)) {
                Some(had) if had.fingerprint == fingerprint => CheckState { groups: check.groups.clone(), ..had },
                had => {
                    self.unmet.insert(check.id.clone());
                    CheckState {
                        fingerprint,
                        known_since: had.as_ref().map_or(Instant::MIN_UTC, |had| had.known_since),
                        groups: check.groups.clone(),
                        silent_until_success: false,
                        seen: None,
                        newest: None,
                        arrivals: Vec::new(),
                        // The history belongs to the name: it was the same thing to people.
                        moved: had.as_ref().and_then(|had| had.moved),
                        habits: had.map(|had| had.habits).unwrap_or_default(),
                        resumed: None,
                        failures: Vec::new(),
                    }
                }
            };
            self.checks.push(state);
        }
        self.view = View::default();
    }

    /// The states of all checks by name, taken out to be adopted anew.
    pub(in crate::core) fn take_checks(&mut self) -> BTreeMap<Id, CheckState> {
        self.roster.checks.iter().map(|check| check.id.clone()).zip(std::mem::take(&mut self.checks)).collect()
    }
}

//! Drives the two doors over a past: from one wake instant to the next, every question answered from what had been seen by then,
//! every post delivered at once, unless its chat is said to be out of order. Reads no clock and asks nobody.

use super::line;
use super::past::Past;
use crate::core::due::{Due, due};
use crate::core::plan::{Id, Plan};
use crate::core::state::{CheckState, Entry, Key, Observed, Post, PostId, Row, State};
use crate::core::step::{Input, Outcome, step};
use crate::core::time::Instant;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What came out of a played night, in order of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    Said(Box<Said>),
    /// Of a decision to say nothing the checks that it is about; `None` for others, and where the word was said at that very instant.
    Decided(Entry, Option<Vec<Id>>),
    /// The outward proof of life went out.
    Beat(Instant),
}

/// One message as it was delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub at: Instant,
    pub post: Post,
    /// The checks that waited or failed then, of what it tells; a message itself only counts them.
    pub checks: Vec<Id>,
}

/// So many rounds at one instant (a listing, its sweep, the failures behind it, their posts) are enough for anything; what then
/// still is due waits for a minute.
const ROUNDS: usize = 100;
const LATER: chrono::TimeDelta = chrono::TimeDelta::minutes(1);

/// How a chat takes what is sent to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answers {
    #[default]
    Works,
    /// Asks to be left alone for now (503).
    Busy,
    /// Delivers, and its answer is lost.
    Loses,
    /// Does not deliver, and nobody learns of it.
    Drops,
    /// Takes nothing any more (404).
    Refuses,
}

/// The store's part, for nights in which the state is read anew.
struct Rows {
    kept: BTreeMap<Key, Row>,
    /// Before every step.
    read_always: bool,
}

/// A night under way.
pub struct Player {
    plan: Arc<Plan>,
    state: State,
    past: Past,
    /// Where the play stands; before the first wake, where it begins.
    at: Instant,
    wake_at: Option<Instant>,
    came: Vec<Came>,
    chats: BTreeMap<Id, Answers>,
    /// Posts that were delivered and whose answer was lost.
    lost: BTreeSet<PostId>,
    /// Kept only when asked for.
    rows: Option<Rows>,
}

impl Player {
    /// Nothing is known but `past`; the first wake is at `from`.
    pub fn new(plan: Arc<Plan>, past: Past, from: Instant) -> Self {
        let state = State::restore([], &plan);
        let (chats, lost) = (BTreeMap::new(), BTreeSet::new());
        Self { plan, state, past, at: from, wake_at: Some(from), came: Vec::new(), chats, lost, rows: None }
    }

    /// Keeps the rows as a store does, so that the state can be read back from them: when asked to ([`Player::forget`],
    /// [`Player::reload`]), or (`read_always`) before every step. To be called before anything is played, or before it begins.
    pub fn keep_rows(&mut self, read_always: bool) {
        self.rows = Some(Rows { kept: BTreeMap::new(), read_always });
    }

    /// Forgets all but how long things usually take and who is new: what was played until now becomes the known past, and nobody was
    /// told of anything. The next wake is at `from`.
    pub fn begin(&mut self, from: Instant) {
        let known = self.state.roster.checks.iter().zip(&self.state.checks).map(|(known, check)| {
            let check = CheckState {
                known_since: from,
                seen: None,
                arrivals: Vec::new(),
                resumed: None,
                failures: Vec::new(),
                ..check.clone()
            };
            Row::Check(known.id.clone(), Box::new(check))
        });
        let rows: Vec<Row> = known.collect();
        if let Some(store) = &mut self.rows {
            store.kept = rows.iter().map(|row| (row.key(), row.clone())).collect();
        }
        self.state = State::restore(rows, &self.plan);
        self.past.tell_all();
        self.came.clear();
        self.lost.clear();
        (self.at, self.wake_at) = (from, Some(from));
    }

    pub fn state(&self) -> &State {
        &self.state
    }

    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What has come out since this was called last.
    pub fn came(&mut self) -> Vec<Came> {
        std::mem::take(&mut self.came)
    }

    /// Takes in what was seen at an instant; everything before it must have been played.
    pub fn learn(&mut self, observed: Observed) {
        self.past.learn(observed.news);
    }

    /// From now on this chat takes messages so.
    pub fn answer_in(&mut self, chat: Id, answers: Answers) {
        self.chats.insert(chat, answers);
    }

    /// Reads the state back from its rows, as a start and a failed commit do. Without rows nothing happens.
    pub fn forget(&mut self) {
        if let Some(rows) = &self.rows {
            self.state = State::restore(rows.kept.values().cloned(), &self.plan);
        }
    }

    /// Goes over to another plan at `at`, whatever is due there; everything before it must have been played. Rows must be kept.
    pub fn reload(&mut self, at: Instant, plan: Arc<Plan>) {
        self.plan = plan;
        self.forget();
        self.past.tell_all();
        self.act(at, Input::Reloaded(None));
    }

    /// Takes one input in at `at`, and does whatever is due there; everything before it must have been played.
    pub fn act(&mut self, at: Instant, input: Input) {
        self.at = at;
        self.take(input);
        self.settle();
    }

    /// The machine sleeps: nothing is played before `until`.
    pub fn sleep_until(&mut self, until: Instant) {
        self.wake_at = Some(until);
    }

    /// Plays everything before `to`.
    pub fn play_to(&mut self, to: Instant) {
        while let Some(wake) = self.wake_at.filter(|wake| *wake < to) {
            self.wake(wake);
        }
    }

    /// Plays the instant `at` itself, whatever is due there.
    pub fn wake(&mut self, at: Instant) {
        self.at = at;
        self.take(Input::Tick);
        self.settle();
    }

    /// Takes one input in, at the instant where the play stands.
    pub fn take(&mut self, input: Input) {
        if self.rows.as_ref().is_some_and(|rows| rows.read_always) {
            self.forget();
        }
        let commit = step(&mut self.state, &self.plan, self.at, input);
        if let Some(rows) = &mut self.rows {
            rows.kept.extend(commit.put.into_iter().map(|row| (row.key(), row)));
            commit.delete.iter().for_each(|key| drop(rows.kept.remove(key)));
        }
        let state = &self.state;
        self.came.extend(commit.ledger.into_iter().map(|entry| {
            let checks = line::left_unsaid(state, &entry);
            Came::Decided(entry, checks)
        }));
    }

    /// Does all that is due, until nothing is.
    fn settle(&mut self) {
        for _ in 0..ROUNDS {
            let Due { asks, posts, beat, wake_at } = due(&self.state, &self.plan, self.at);
            if asks.is_empty() && posts.is_empty() && !beat {
                self.wake_at = wake_at;
                return;
            }
            if beat {
                self.came.push(Came::Beat(self.at));
                self.take(Input::Beat);
            }
            for ask in asks {
                let heard = self.past.answer(ask, self.at);
                self.take(Input::Heard(heard));
            }
            if !posts.is_empty() {
                self.take(Input::Claim(posts.clone()));
                posts.into_iter().for_each(|post| self.send(post));
            }
        }
        self.wake_at = Some(self.at + LATER);
    }

    fn send(&mut self, id: PostId) {
        let Some(post) = self.state.posts.get(&id).cloned() else { return };
        let answers = self.chats.get(&post.chat).copied().unwrap_or_default();
        let outcome = match answers {
            Answers::Works => Outcome::Confirmed { handle: None },
            Answers::Busy => Outcome::Failed { why: "503 busy".to_owned(), retry_at: None },
            Answers::Loses | Answers::Drops => Outcome::Ambiguous { why: "the connection was closed".to_owned() },
            Answers::Refuses => Outcome::Refused { why: "404 gone".to_owned() },
        };
        // A platform that drops repetitions by their key shows them once.
        let is_dropped = self.lost.contains(&id) && self.plan.chats.get(&post.chat).is_some_and(|chat| chat.idempotent);
        if matches!(answers, Answers::Works | Answers::Loses) && !is_dropped {
            let checks = line::checks(&self.state, &post.message);
            self.came.push(Came::Said(Box::new(Said { at: self.at, post, checks })));
        }
        if answers == Answers::Loses {
            self.lost.insert(id);
        }
        self.take(Input::Sent { post: id, outcome });
    }
}

//! Drives the two doors over a past: from one wake instant to the next, every question answered from what had been seen by then,
//! every post delivered at once. Reads no clock and asks nobody.

use super::line;
use super::past::Past;
use crate::core::due::{Due, due};
use crate::core::plan::{Id, Plan};
use crate::core::state::{CheckState, Entry, Observed, Post, PostId, Row, State};
use crate::core::step::{Input, Outcome, step};
use crate::core::time::Instant;
use std::sync::Arc;

/// What came out of a played night, in order of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    Said(Box<Said>),
    Decided(Entry),
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

/// A night under way.
pub struct Player {
    plan: Arc<Plan>,
    state: State,
    past: Past,
    /// Where the play stands; before the first wake, where it begins.
    at: Instant,
    wake_at: Option<Instant>,
    came: Vec<Came>,
}

impl Player {
    /// Nothing is known but `past`; the first wake is at `from`.
    pub fn new(plan: Arc<Plan>, past: Past, from: Instant) -> Self {
        let state = State::restore([], &plan);
        Self { plan, state, past, at: from, wake_at: Some(from), came: Vec::new() }
    }

    /// Forgets all but how long things usually take: what was played until now becomes the known past, and nobody was told of
    /// anything. The next wake is at `from`.
    pub fn begin(&mut self, from: Instant) {
        let known = self.state.roster.checks.iter().zip(&self.state.checks).map(|(known, check)| {
            let check = CheckState {
                known_since: from,
                silent_until_success: false,
                seen: None,
                arrivals: Vec::new(),
                resumed: None,
                failures: Vec::new(),
                ..check.clone()
            };
            Row::Check(known.id.clone(), Box::new(check))
        });
        let rows: Vec<Row> = known.collect();
        self.state = State::restore(rows, &self.plan);
        self.past.tell_all();
        self.came.clear();
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
        let commit = step(&mut self.state, &self.plan, self.at, input);
        self.came.extend(commit.ledger.into_iter().map(Came::Decided));
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
        let checks = line::checks(&self.state, &post.message);
        self.came.push(Came::Said(Box::new(Said { at: self.at, post, checks })));
        self.take(Input::Sent { post: id, outcome: Outcome::Confirmed { handle: None } });
    }
}

//! Plays a script through the two doors, as the agent would: asks what is due, sends what is claimed, dies where it is told to, and
//! writes down what was really seen and delivered. Judges nothing; what must hold at every step is asserted on the way.

use super::rng::Rng;
use super::script::{Crash, Script, Span};
use chrono::TimeDelta;
use dawnwatch::core::due::{Due, due};
use dawnwatch::core::observation::{Answer, Ask, Heard};
use dawnwatch::core::plan::Id;
use dawnwatch::core::state::*;
use dawnwatch::core::step::{Input, Outcome, step};
use dawnwatch::core::time::Instant;
use std::collections::{BTreeMap, BTreeSet};

/// How the same script is played another time.
#[derive(Debug, Clone, Default)]
pub struct Manner {
    /// The state is read back from the rows before every step.
    pub amnesia: bool,
    /// Ticks at instants that nobody asked for.
    pub extra_ticks: Option<u64>,
}

/// One message in front of people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub at: Instant,
    pub post: Post,
}

pub struct Player<'a> {
    pub script: &'a Script,
    pub at: Instant,
    pub rows: BTreeMap<Key, Row>,
    pub ledger: Vec<Entry>,
    pub said: Vec<Said>,
    /// When each source answered a sweep.
    pub swept: BTreeMap<Id, Vec<Instant>>,
    /// When each source was asked, answered or not, and when the proof of life went out.
    pub asked: BTreeMap<Id, Vec<Instant>>,
    pub beats: Vec<Instant>,
    /// When nobody was at home.
    pub away: Vec<Span>,
    /// Every post that was ever written, as it was last.
    pub posts: BTreeMap<PostId, Post>,
    /// Attempts whose answer was lost, by post.
    pub lost: BTreeMap<PostId, u32>,
    state: State,
    manner: Manner,
    chance: Rng,
    crashes: Vec<(Instant, Crash, TimeDelta)>,
    /// Posts whose outcome is known and waits to be written.
    sending: BTreeSet<PostId>,
    /// Keys that an idempotent chat has taken.
    taken: BTreeSet<PostId>,
}

/// More rounds at one instant than any night needs.
const ROUNDS: usize = 60;

pub fn play(script: &Script, manner: Manner) -> Player<'_> {
    let mut player = Player {
        script,
        at: script.from,
        rows: BTreeMap::new(),
        ledger: Vec::new(),
        said: Vec::new(),
        swept: BTreeMap::new(),
        asked: BTreeMap::new(),
        beats: Vec::new(),
        away: Vec::new(),
        posts: BTreeMap::new(),
        lost: BTreeMap::new(),
        state: State::restore([], &script.plan),
        chance: Rng::new(manner.extra_ticks.unwrap_or_default()),
        manner,
        crashes: script.crashes.clone(),
        sending: BTreeSet::new(),
        taken: BTreeSet::new(),
    };
    player.until(script.to);
    player
}

impl Player<'_> {
    fn due(&self) -> Due {
        due(&self.state, &self.script.plan, self.at)
    }

    pub fn until(&mut self, to: Instant) {
        self.take(Input::Tick);
        self.settle();
        while self.at < to {
            let wake = self.due().wake_at.expect("there is always a next look");
            assert!(wake > self.at, "the next look lies in the past: {wake} at {}", self.at);
            let next = wake.min(to);
            self.tick_without_need(next);
            self.at = match self.script.naps.iter().find(|nap| self.at < nap.from && nap.from <= next) {
                Some(nap) => {
                    self.away.push(*nap);
                    nap.to
                }
                None => next,
            };
            self.take(Input::Tick);
            self.settle();
        }
    }

    /// Between two instants that the core named, time alone changes nothing.
    fn tick_without_need(&mut self, next: Instant) {
        if self.manner.extra_ticks.is_none() || !self.chance.chance(20) {
            return;
        }
        let at = self.at + TimeDelta::milliseconds(self.chance.within(1, 1.max((next - self.at).num_milliseconds() - 1)));
        if at >= next || self.script.naps.iter().any(|nap| self.at < nap.from && nap.from <= next) {
            return;
        }
        self.at = at;
        let commit = step(&mut self.state, &self.script.plan, self.at, Input::Tick);
        assert!(commit.is_empty(), "a tick at {at} that nobody asked for changes something: {commit:?}");
        let due = self.due();
        assert!(
            due.asks.is_empty() && due.posts.is_empty() && !due.beat,
            "something is due at {at}, and nobody was told to wake: {due:?}"
        );
    }

    /// Does all that is due now, until nothing is.
    fn settle(&mut self) {
        for _ in 0..ROUNDS {
            if let Some(down) = self.crash(Crash::BeforeClaim) {
                self.start_again(down);
            }
            let now = self.due();
            if now.asks.is_empty() && now.posts.is_empty() && !now.beat {
                return;
            }
            if now.beat {
                self.beats.push(self.at);
                self.take(Input::Beat);
            }
            for ask in now.asks {
                let answer = self.script.answer(&ask, self.at);
                if matches!(ask, Ask::Sweep { .. }) {
                    self.asked.entry(ask.source().clone()).or_default().push(self.at);
                }
                if matches!(answer, Answer::Sweep(_)) {
                    self.swept.entry(ask.source().clone()).or_default().push(self.at);
                }
                self.take(Input::Heard(Heard { ask, asked_at: self.at, answer }));
            }
            self.deliver();
        }
        panic!("something stays due for ever at {}: {:?}", self.at, self.due());
    }

    fn deliver(&mut self) {
        let posts = self.due().posts;
        if posts.is_empty() {
            return;
        }
        self.take(Input::Claim(posts.clone()));
        if let Some(down) = self.crash(Crash::AfterClaim) {
            return self.start_again(down);
        }
        for id in posts {
            if !matches!(self.state.posts[&id].attempt, Attempt::Started { .. }) {
                continue;
            }
            let outcome = self.send(id);
            if let Some(down) = self.crash(Crash::AfterSend) {
                return self.start_again(down);
            }
            self.sending.insert(id);
            self.take(Input::Sent { post: id, outcome });
            self.sending.remove(&id);
        }
    }

    fn send(&mut self, id: PostId) -> Outcome {
        let Some(Row::Post(post)) = self.rows.get(&Key::Post(id)).cloned() else { panic!("post {id} is sent, but not durable") };
        assert!(matches!(post.attempt, Attempt::Started { .. }), "post {id} leaves before its beginning is durable: {post:?}");
        let (outcome, seen) = self.script.send(&post.chat, self.at);
        let again = self.script.plan.chats[&post.chat].idempotent && self.taken.contains(&id);
        if seen && !again {
            self.taken.insert(id);
            self.said.push(Said { at: self.at, post: *post });
        }
        outcome
    }

    fn crash(&mut self, place: Crash) -> Option<TimeDelta> {
        let ix = self.crashes.iter().position(|(at, crash, _)| *at <= self.at && *crash == place)?;
        Some(self.crashes.remove(ix).2)
    }

    /// The process dies and is started again after a while: it reports what had begun as ambiguous.
    fn start_again(&mut self, down: TimeDelta) {
        let from = self.at;
        self.at += down;
        self.away.push(Span { from, to: self.at });
        self.restore();
        self.sending = self.begun().into_iter().collect();
        for post in self.begun() {
            self.take(Input::Sent { post, outcome: Outcome::Ambiguous { why: "the program was ended while sending".to_owned() } });
        }
        self.sending.clear();
        self.take(Input::Tick);
    }

    fn restore(&mut self) {
        self.state = State::restore(self.rows.values().cloned(), &self.script.plan);
    }

    fn begun(&self) -> Vec<PostId> {
        let begun = self.state.posts.values().filter(|post| matches!(post.attempt, Attempt::Started { .. }));
        begun.map(|post| post.id).collect()
    }

    fn take(&mut self, input: Input) {
        if self.manner.amnesia {
            self.restore();
        }
        let commit = step(&mut self.state, &self.script.plan, self.at, input.clone());
        let fails = !commit.is_empty() && self.crash(Crash::CommitFails).is_some();
        if !fails {
            self.write(&input, commit.clone());
        }
        if !fails && (commit.is_empty() || self.crash(Crash::CommitLies).is_none()) {
            return;
        }
        // The agent reads the state again, disowns claims of which not a byte has left, and retries what it had to say.
        self.restore();
        let sending = self.sending.clone();
        for post in self.begun().into_iter().filter(|post| !sending.contains(post)) {
            self.take(Input::Sent { post, outcome: Outcome::Failed { why: "the store failed".to_owned(), retry_at: None } });
        }
        if !matches!(input, Input::Claim(_)) {
            self.take(input);
        }
    }

    fn write(&mut self, input: &Input, commit: Commit) {
        if let Input::Sent { post, outcome: Outcome::Ambiguous { .. } } = input {
            *self.lost.entry(*post).or_default() += 1;
        }
        for row in commit.put {
            if let Row::Post(post) = &row {
                self.posts.insert(post.id, (**post).clone());
            }
            self.rows.insert(row.key(), row);
        }
        for key in commit.delete {
            self.rows.remove(&key);
        }
        self.ledger.extend(commit.ledger);
    }
}

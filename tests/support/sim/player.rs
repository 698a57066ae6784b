//! Plays a script through the two doors, as the agent would: asks what is due, sends what is claimed, dies where it is told to, and
//! writes down what was really seen and delivered. Judges nothing; the oracle looks on at every commit.

mod asking;

use self::asking::{Slot, slot};
use super::conf::Conf;
use super::oracle::Oracle;
use super::past;
use super::record::{Granted, Record, Said};
use super::rng::Rng;
use super::script::{Crash, Script, Wish};
use super::store::Kept;
use super::tally::Tally;
use super::things::Span;
use chrono::TimeDelta;
use dawnwatch::core::command::{self, Command, Muted, Order};
use dawnwatch::core::due::{Due, due};
use dawnwatch::core::observation::{Ask, Heard};
use dawnwatch::core::plan::{Id, Plan};
use dawnwatch::core::state::*;
use dawnwatch::core::step::{Input, Outcome, step};
use dawnwatch::core::time::Instant;
use std::collections::{BTreeMap, BTreeSet};

/// How the same script is played another time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Manner {
    /// The state is read back from the rows before every step.
    pub amnesia: bool,
    /// Ticks at instants that nobody asked for, and every second for some minutes here and there.
    pub extra_ticks: Option<u64>,
    /// What a source lists comes in another order each time.
    pub shuffled: bool,
    /// Commits go through the real store.
    pub real_store: bool,
}

pub struct Player<'a> {
    pub script: &'a Script,
    pub record: Record,
    pub tally: Tally,
    pub(super) oracle: Oracle,
    real: Instant,
    at: Instant,
    conf: &'a Conf,
    plan: Plan,
    kept: Kept,
    state: State,
    manner: Manner,
    chance: Rng,
    crashes: Vec<(Instant, Crash, TimeDelta)>,
    /// How many of the script's orders, changes and refusals were played.
    orders: usize,
    changes: usize,
    refused: usize,
    /// Answers that are on their way, by question.
    coming: BTreeMap<Slot, Vec<(Instant, Heard)>>,
    /// Posts whose outcome is known and waits to be written.
    sending: BTreeSet<PostId>,
    /// Posts that an idempotent chat has taken.
    taken: BTreeSet<PostId>,
}

/// More rounds at one instant than any night needs.
const ROUNDS: usize = 400;
/// A clock that goes back by less stands still instead.
const STANDS_STILL: TimeDelta = TimeDelta::minutes(2);

pub fn play(script: &Script, manner: Manner) -> Player<'_> {
    let plan = script.conf.plan();
    let mut kept = Kept::new(manner.real_store);
    kept.write(&past::seen(script, &plan));
    let mut player = Player {
        script,
        record: Record::default(),
        tally: Tally::new(script),
        oracle: Oracle::new(script),
        real: script.from,
        at: script.from + script.ahead(script.from),
        conf: &script.conf,
        state: State::restore(kept.rows(), &plan),
        plan,
        kept,
        chance: Rng::new(manner.extra_ticks.unwrap_or(script.seed)),
        manner,
        crashes: script.crashes.clone(),
        orders: 0,
        changes: 0,
        refused: 0,
        coming: BTreeMap::new(),
        sending: BTreeSet::new(),
        taken: BTreeSet::new(),
    };
    player.until(script.to);
    player.oracle.end(script, &player.record);
    player
}

impl Player<'_> {
    /// What breaks a promise, with the promise's number first.
    pub fn violations(&self) -> &[(u8, String)] {
        &self.oracle.found
    }

    fn due(&self) -> Due {
        due(&self.state, &self.plan, self.at)
    }

    fn until(&mut self, to: Instant) {
        self.take(Input::Tick);
        self.settle();
        while self.real < to {
            let wake = self.due().wake_at.expect("there is always a next look");
            assert!(wake > self.at, "the next look lies in the past: {wake} at {}", self.at);
            let next = (self.real + (wake - self.at)).min(self.next_happening()).min(to);
            self.tick_without_need(next);
            match self.script.naps.iter().find(|nap| self.real < nap.from && nap.from <= next) {
                Some(nap) => {
                    self.record.away.push(*nap);
                    self.set_clock(nap.to);
                }
                None => self.set_clock(next),
            }
            self.happen();
            self.take(Input::Tick);
            self.settle();
        }
    }

    fn set_clock(&mut self, real: Instant) {
        self.real = real;
        let shown = real + self.script.ahead(real);
        let back = self.at - shown;
        self.at = if back > TimeDelta::zero() && back <= STANDS_STILL { self.at } else { shown };
    }

    /// When something comes by itself: an answer, a person, another configuration, another time on the clock.
    fn next_happening(&self) -> Instant {
        let coming = self.coming.values().filter_map(|answers| answers.first()).map(|(at, _)| *at);
        let orders = self.script.orders.get(self.orders).map(|(at, ..)| *at);
        let changes = self.script.changes.get(self.changes).map(|change| change.at);
        let refused = self.script.refused.get(self.refused).copied();
        let jumps = self.script.jumps.iter().flat_map(|(span, _)| [span.from, span.to]);
        let all = coming.chain(orders).chain(changes).chain(refused).chain(jumps);
        all.filter(|at| *at > self.real).min().unwrap_or(Instant::MAX_UTC)
    }

    fn happen(&mut self) {
        while let Some((.., wish, lasts)) = self.script.orders.get(self.orders).filter(|(at, ..)| *at <= self.real) {
            self.orders += 1;
            self.order(wish, *lasts);
        }
        if self.script.refused.get(self.refused).is_some_and(|at| *at <= self.real) {
            self.refused += 1;
            let refused = RefusedReload { at: self.at, findings: 1, first: "dawnwatch.toml:1:1: not so".to_owned() };
            self.take(Input::Reloaded(Some(refused)));
        }
        while let Some(change) = self.script.changes.get(self.changes).filter(|change| change.at <= self.real) {
            self.changes += 1;
            self.conf = &change.conf;
            self.plan = change.conf.plan();
            self.coming.clear();
            if change.restart {
                self.start_again(TimeDelta::seconds(2));
            } else {
                self.restore();
                self.take(Input::Reloaded(None));
            }
        }
    }

    fn order(&mut self, wish: &Wish, lasts: TimeDelta) {
        let until = self.at + lasts;
        let open = |incident: &&Incident| !matches!(incident.phase, Phase::Resolved { .. });
        let open: Vec<IncidentId> = self.state.incidents.values().filter(open).map(|incident| incident.id).collect();
        let nth = |n: usize| open.get(n % open.len().max(1)).copied();
        let vanished = |id: &&Id| self.state.incidents.values().any(|incident| incident.cause == Cause::Check((*id).clone()));
        let members: Vec<&Id> =
            self.script.things.keys().filter(|id| !self.conf.checks.contains_key(*id)).filter(vanished).collect();
        let order = match wish {
            Wish::Ack(n) => nth(*n).map(|incident| Order::Ack { incident, until }),
            Wish::Snooze(n) => nth(*n).map(|incident| Order::Snooze { incident, until }),
            Wish::MuteCheck(id) => Some(Order::Mute { what: Muted::Check(id.clone()), until }),
            Wish::MuteDashboard(id) => Some(Order::Mute { what: Muted::Dashboard(id.clone()), until }),
            Wish::MuteSource(id) => Some(Order::Mute { what: Muted::Source(id.clone()), until }),
            Wish::Retire(n) => members.get(n % members.len().max(1)).map(|id| Order::Retire { check: (*id).clone() }),
        };
        let Some(order) = order else { return };
        let (nonce, by) = (format!("nonce {}", self.orders), "kim".to_owned());
        let command = Command { nonce, by, reason: "because".to_owned(), order: order.clone() };
        if command::answer(&self.state, &self.plan, self.at, &command).is_ok() {
            self.record.granted.push(Granted { span: Span { from: self.real, to: self.real + lasts }, order });
            self.take(Input::Command(command));
        }
    }

    /// Between two instants that the core named, time alone changes nothing.
    fn tick_without_need(&mut self, next: Instant) {
        if self.manner.extra_ticks.is_none() || self.script.naps.iter().any(|nap| self.real < nap.from && nap.from <= next) {
            return;
        }
        let span = next - self.real;
        if self.chance.chance(3) && span <= TimeDelta::minutes(10) {
            (1..span.num_seconds()).for_each(|second| self.tick_in_vain(TimeDelta::seconds(second)));
        } else if self.chance.chance(20) {
            let after = TimeDelta::milliseconds(self.chance.within(1, 1.max(span.num_milliseconds() - 1)));
            if after < span {
                self.tick_in_vain(after);
            }
        }
    }

    fn tick_in_vain(&mut self, after: TimeDelta) {
        let at = self.at + after;
        let commit = step(&mut self.state, &self.plan, at, Input::Tick);
        assert!(commit.is_empty(), "a tick at {at} that nobody asked for changes something: {commit:?}");
        let due = due(&self.state, &self.plan, at);
        let asks = due.asks.iter().any(|ask| !self.coming.contains_key(&slot(ask)));
        assert!(!asks && due.posts.is_empty() && !due.beat, "something is due at {at}, and nobody was told to wake: {due:?}");
    }

    /// Does all that is due now, until nothing is.
    fn settle(&mut self) {
        for _ in 0..ROUNDS {
            if let Some(down) = self.crash(Crash::BeforeClaim) {
                self.start_again(down);
            }
            self.hear();
            let now = self.due();
            let asks: Vec<Ask> = now.asks.into_iter().filter(|ask| !self.coming.contains_key(&slot(ask))).collect();
            if asks.is_empty() && now.posts.is_empty() && !now.beat {
                return;
            }
            if now.beat {
                self.record.beats.push(self.real);
                self.oracle.beat(self.script, &self.record, self.real);
                self.take(Input::Beat);
            }
            for ask in asks {
                self.ask(ask);
            }
            self.hear();
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
            if !self.state.posts.get(&id).is_some_and(|post| matches!(post.attempt, Attempt::Started { .. })) {
                continue;
            }
            let outcome = self.send(id);
            if let Some(down) = self.crash(Crash::AfterSend) {
                return self.start_again(down);
            }
            self.sending.insert(id);
            self.take(Input::Sent { post: id, outcome });
            self.sending.remove(&id);
            if let Some(down) = self.crash(Crash::AfterOutcome) {
                return self.start_again(down);
            }
        }
    }

    fn send(&mut self, id: PostId) -> Outcome {
        let durable = self.record.posts.get(&id).cloned();
        let Some(post) = durable.filter(|post| matches!(post.attempt, Attempt::Started { .. })) else {
            panic!("post {id} leaves before its beginning is durable");
        };
        let (outcome, seen) = self.script.send(&post.chat, self.real);
        let again = self.conf.chats.get(&post.chat).is_some_and(|chat| chat.webhook) && self.taken.contains(&id);
        if seen && !again {
            self.taken.insert(id);
            self.record.said.push(Said { real: self.real, at: self.at, post });
        }
        outcome
    }

    fn crash(&mut self, place: Crash) -> Option<TimeDelta> {
        let ix = self.crashes.iter().position(|(at, crash, _)| *at <= self.real && *crash == place)?;
        Some(self.crashes.remove(ix).2)
    }

    /// The process dies and is started again after a while: it reports what had begun as ambiguous.
    fn start_again(&mut self, down: TimeDelta) {
        let from = self.real;
        self.coming.clear();
        self.set_clock(from + down);
        self.record.away.push(Span { from, to: self.real });
        self.kept.die();
        self.restore();
        self.sending = self.begun().into_iter().collect();
        for post in self.begun() {
            self.take(Input::Sent { post, outcome: Outcome::Ambiguous { why: "the program was ended while sending".to_owned() } });
        }
        self.sending.clear();
        self.take(Input::Tick);
    }

    fn restore(&mut self) {
        self.state = State::restore(self.kept.rows(), &self.plan);
    }

    fn begun(&self) -> Vec<PostId> {
        let begun = self.state.posts.values().filter(|post| matches!(post.attempt, Attempt::Started { .. }));
        begun.map(|post| post.id).collect()
    }

    fn take(&mut self, input: Input) {
        if self.manner.amnesia {
            self.restore();
        }
        let commit = step(&mut self.state, &self.plan, self.at, input.clone());
        let fails = !commit.is_empty() && self.crash(Crash::CommitFails).is_some();
        let empty = commit.is_empty();
        if !fails {
            self.write(&input, commit);
        }
        if !fails && (empty || self.crash(Crash::CommitLies).is_none()) {
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
        if commit.is_empty() {
            return;
        }
        self.kept.write(&commit);
        if let Input::Sent { post, outcome: Outcome::Ambiguous { .. } } = input {
            *self.record.lost.entry(*post).or_default() += 1;
        }
        self.tally.count(self.real, &commit);
        self.oracle.commit(self.script, &self.record, (self.real, self.at), &commit);
        for row in commit.put {
            match row {
                Row::Post(post) => {
                    self.record.wanted.entry(post.id).or_insert(self.real);
                    self.record.posts.insert(post.id, *post);
                }
                Row::Incident(incident) => drop(self.record.incidents.insert(incident.id, *incident)),
                _ => {}
            }
        }
        self.record.ledger.extend(commit.ledger);
    }
}

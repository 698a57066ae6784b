//! The poll pool: asks sources and brings their answers back to the inbox.
//!
//! It never decides what to ask, and never loses a question: a time-out and a panic are answers too. Bounds: one question of a
//! kind to a source at a time, `PER_HOST` requests to a host, `POOL` in all, and a total time-out for each.

use super::clock::Clock;
use super::inbox::Event;
use crate::config::wiring::SourceWiring;
use crate::core::observation::{Answer, Ask, Heard, Why};
use crate::core::plan::Id;
use crate::core::time::Instant;
use crate::net::unreachable;
use crate::sources::{DECENT, Pace, Part, Source, Traffic};
use chrono::TimeDelta;
use futures_util::FutureExt;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant as Mono;
use tokio_util::sync::CancellationToken;

/// Questions under way at the same time.
const POOL: usize = 16;
/// Questions under way to one `host:port` at the same time.
const PER_HOST: usize = 4;
/// A question may take as long as this many requests that each just stay within the source's own time-out: an Airflow's first
/// listing is at most 16 requests. A host that hangs is given up by the request's time-out long before.
const REQUESTS_PER_ASK: u32 = 16;
const LONGEST_ASK: Duration = Duration::from_secs(300);
const SHORTEST_ASK: Duration = Duration::from_secs(1);
/// Between the beginnings of two sweeps or listings of a source at least this much passes on the agent's clock, whatever the core
/// says: no judgement and no clock may turn the pool into a flood.
const SPACING: Duration = Duration::from_secs(1);

/// With a request's time-out as long as the rhythm, a sweep waits for its last answers while the next one asks and ends.
const TRAILING: u32 = 2;
/// Parts of answers that wait to be passed on, for each question.
const PARTS: usize = 8;

/// A source, how often it is asked, and how long one question to it may take in all.
pub struct Polled {
    source: Source,
    every: Duration,
    patience: Duration,
}

impl Polled {
    /// The error is a sentence for a person, without any secret.
    pub fn build(id: &Id, wiring: &SourceWiring, every: TimeDelta) -> Result<Self, String> {
        let source = Source::build(id, wiring)?;
        let patience = patience(wiring.timeout.to_std().unwrap_or_default());
        Ok(Self { source, every: every.to_std().unwrap_or_default(), patience })
    }

    /// How long the question may take: a sweep of many requests also takes its time to ask.
    fn patience_for(&self, ask: &Ask, per_second: usize) -> Duration {
        match ask {
            Ask::Sweep { subjects, .. } if self.source.is_one_by_one() => {
                self.patience + Duration::from_secs(subjects.len().div_ceil(per_second.max(1)) as u64)
            }
            _ => self.patience,
        }
    }
}

fn patience(timeout: Duration) -> Duration {
    timeout.saturating_mul(REQUESTS_PER_ASK).clamp(SHORTEST_ASK, LONGEST_ASK)
}

/// All sources, with the bounds on asking them.
pub struct Pool {
    sources: BTreeMap<Id, Polled>,
    hosts: BTreeMap<String, Semaphore>,
    all: Semaphore,
}

impl Pool {
    pub fn new(sources: BTreeMap<Id, Polled>) -> Self {
        let hosts = sources.values().map(|s| (s.source.host().to_owned(), Semaphore::new(PER_HOST))).collect();
        Self { sources, hosts, all: Semaphore::new(POOL) }
    }

    pub fn traffic(&self, id: &Id) -> Traffic {
        self.sources.get(id).map(|s| s.source.traffic()).unwrap_or_default()
    }

    /// Asks when its turn has come, and brings the whole answer. Always answers. `wanted_at`: the asker's reading of the clock; the
    /// question does not count as asked before it, even where the clock has stepped back a little since.
    pub async fn ask(&self, ask: Ask, wanted_at: Instant, clock: &Clock) -> Heard {
        let per_second = self.per_second(&ask, true);
        self.ask_at(ask, wanted_at, clock, per_second, None).await
    }

    /// The most requests of this question that begin in one second.
    fn per_second(&self, ask: &Ask, hurried: bool) -> usize {
        match (ask, self.sources.get(ask.source())) {
            (Ask::Sweep { subjects, .. }, Some(polled)) => per_second(subjects.len(), polled.every, hurried),
            _ => 1,
        }
    }

    /// `tell`: who takes the parts of an answer that is told in parts.
    async fn ask_at(&self, mut ask: Ask, wanted_at: Instant, clock: &Clock, per_second: usize, tell: Option<&Teller>) -> Heard {
        let Some(polled) = self.sources.get(ask.source()) else {
            let detail = format!("the source {} is not configured", ask.source());
            return Heard { ask, asked_at: wanted_at, answer: Answer::Unreachable(unreachable(Why::Connect, detail)) };
        };
        // First the host, then the pool: those who wait for a slow host must not hold the places of others. The semaphores are
        // never closed, so an error cannot come; if it did, asking without a permit is the lesser harm.
        let _host = match self.hosts.get(polled.source.host()) {
            Some(host) => host.acquire().await.ok(),
            None => None,
        };
        let _place = self.all.acquire().await.ok();
        let asked_at = clock.now().max(wanted_at);
        let Some(tell) = tell.filter(|_| polled.source.is_one_by_one()) else {
            let answer = polled.ask(&ask, asked_at, &Pace { per_second, parts: None }).await;
            return Heard { ask, asked_at, answer };
        };
        let (parts, mut told) = mpsc::channel(PARTS);
        let pace = Pace { per_second, parts: Some(parts) };
        let asking = async {
            let answer = polled.ask(&ask, asked_at, &pace).await;
            drop(pace);
            answer
        };
        let telling = async {
            while let Some(part) = told.recv().await {
                tell.part(&polled.source, &ask, asked_at, part).await;
            }
        };
        let (answer, ()) = futures_util::join!(asking, telling);
        if let Ask::Sweep { subjects, .. } = &mut ask {
            *subjects = Arc::default();
        }
        Heard { ask, asked_at, answer }
    }
}

impl Polled {
    /// Asks the source; a time-out and a panic are answers too.
    async fn ask(&self, ask: &Ask, asked_at: Instant, pace: &Pace) -> Answer {
        let patience = self.patience_for(ask, pace.per_second);
        let asking = AssertUnwindSafe(self.source.ask_at(ask, asked_at, pace)).catch_unwind();
        match tokio::time::timeout(patience, asking).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_panic)) => {
                tracing::error!(source = %ask.source(), "asking the source {} failed inside dawnwatch: this is a bug", ask.source());
                Answer::Unreachable(unreachable(Why::Malformed, "its answer could not be read: a fault inside dawnwatch"))
            }
            Err(_) => {
                let detail = format!("no complete answer within {} s", patience.as_secs());
                Answer::Unreachable(unreachable(Why::Timeout, detail))
            }
        }
    }
}

/// In rhythm fewer than these are not worth a wake-up of their own.
const WORTH_WAKING: usize = 30;
/// In rhythm a sweep is spread over the time until the next one, but no longer than this, so that its news stay news.
const SPREAD_AT_MOST: Duration = Duration::from_secs(60);

/// In a hurry (the first sweep, one at a deadline) a sweep takes what is decent, or half as much again as in rhythm.
fn per_second(subjects: usize, every: Duration, hurried: bool) -> usize {
    let spread_s = usize::try_from(every.min(SPREAD_AT_MOST).as_secs()).unwrap_or(1).max(1);
    if hurried { (subjects * 3).div_ceil(spread_s * 2).max(DECENT) } else { subjects.div_ceil(spread_s).max(WORTH_WAKING) }
}

/// Brings the parts of one answer to the loop.
struct Teller {
    inbox: mpsc::Sender<Event>,
    round: Round,
}

impl Teller {
    async fn part(&self, of: &Source, ask: &Ask, asked_at: Instant, part: Part) {
        let event = match (ask, part) {
            (Ask::Sweep { source, dates, since, .. }, Part::Told { subjects, sweep }) => {
                let ask = Ask::Sweep { source: source.clone(), subjects: subjects.into(), dates: dates.clone(), since: *since };
                Event::Heard(Heard { ask, asked_at, answer: of.masked(Answer::Part(sweep)) }, self.round)
            }
            (ask, _) => Event::AllAsked(ask.source().clone(), self.round),
        };
        // Waits while the inbox is full; the loop being gone means that nobody wants it any more.
        let _ = self.inbox.send(event).await;
    }
}

/// Two questions of one slot are never under way together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Sweep,
    List,
    Failure,
}

fn slot(ask: &Ask) -> (Id, Kind) {
    let kind = match ask {
        Ask::Sweep { .. } => Kind::Sweep,
        Ask::List { .. } => Kind::List,
        Ask::Failure { .. } => Kind::Failure,
    };
    (ask.source().clone(), kind)
}

/// Counts the configurations that were in force. A name may mean another system in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Round(u64);

/// The questions under way, as the loop knows them.
pub(super) struct Polls {
    pool: Arc<Pool>,
    round: Round,
    /// Ends the questions of this round.
    over: CancellationToken,
    under_way: BTreeSet<(Id, Kind)>,
    /// Sweeps of a source that have asked all and wait for answers that hang, at most [`TRAILING`]: beside them one more may begin.
    trailing: BTreeMap<Id, u32>,
    /// When the slots were last used; failures are asked for one after the other.
    begun: BTreeMap<(Id, Kind), Mono>,
    inbox: mpsc::Sender<Event>,
    stop: CancellationToken,
}

impl Polls {
    pub(super) fn new(pool: Arc<Pool>, inbox: mpsc::Sender<Event>, stop: CancellationToken) -> Self {
        let over = stop.child_token();
        let (under_way, trailing, begun) = (BTreeSet::new(), BTreeMap::new(), BTreeMap::new());
        Self { pool, round: Round::default(), over, under_way, trailing, begun, inbox, stop }
    }

    /// Asks these sources from now on. Questions under way are given up, and due again at once: what another address answers under
    /// the same name must not be taken for the new one's word.
    pub(super) fn take_over(&mut self, pool: Arc<Pool>) {
        self.over.cancel();
        self.over = self.stop.child_token();
        self.round = Round(self.round.0 + 1);
        self.under_way.clear();
        self.trailing.clear();
        self.pool = pool;
    }

    /// Starts those whose slot is free; the core asks for the others again. Returns how many were started.
    pub(super) fn start(&mut self, asks: Vec<Ask>, at: Instant, clock: &Clock) -> u64 {
        let mut started = 0;
        for ask in asks {
            if !self.under_way.insert(slot(&ask)) {
                continue;
            }
            started += 1;
            let per_second = self.pool.per_second(&ask, !self.is_in_rhythm(&ask, clock));
            let rest = self.rest(slot(&ask), clock);
            let (pool, inbox, over, clock) = (self.pool.clone(), self.inbox.clone(), self.over.clone(), clock.clone());
            let round = self.round;
            tokio::spawn(async move {
                let bring = async {
                    tokio::time::sleep(rest).await;
                    let tell = Teller { inbox: inbox.clone(), round };
                    let heard = pool.ask_at(ask, at, &clock, per_second, Some(&tell)).await;
                    // Waits while the inbox is full; the loop being gone means that nobody wants the answer any more.
                    let _ = inbox.send(Event::Heard(heard, round)).await;
                };
                tokio::select! {
                    () = over.cancelled() => {}
                    () = bring => {}
                }
            });
        }
        started
    }

    /// How long the source is still left in peace, in real time.
    fn rest(&mut self, slot: (Id, Kind), clock: &Clock) -> Duration {
        if slot.1 == Kind::Failure {
            return Duration::ZERO;
        }
        let now = Mono::now();
        let rest = self.begun.get(&slot).map_or(Duration::ZERO, |begun| rest(now.saturating_duration_since(*begun), clock));
        self.begun.insert(slot, now + rest);
        rest
    }

    /// Does this sweep come when its turn has come, and not for the first time or at a deadline?
    fn is_in_rhythm(&self, ask: &Ask, clock: &Clock) -> bool {
        let every = self.pool.sources.get(ask.source()).map_or(Duration::ZERO, |polled| clock.takes(polled.every));
        // Wake-ups are late by some milliseconds, and early by none.
        self.begun.get(&slot(ask)).is_some_and(|begun| begun.elapsed() >= every.mul_f64(0.9))
    }

    /// An answer, or a part of one, has come: after the whole its slot is free again. False: it belongs to a configuration that is no
    /// longer in force.
    pub(super) fn heard(&mut self, heard: &Heard, round: Round) -> bool {
        if round != self.round || matches!(heard.answer, Answer::Part(_)) {
            return round == self.round;
        }
        let slot = slot(&heard.ask);
        match self.trailing.get_mut(&slot.0).filter(|trailing| slot.1 == Kind::Sweep && **trailing > 0) {
            Some(trailing) => {
                *trailing -= 1;
                true
            }
            None => self.under_way.remove(&slot),
        }
    }

    /// A sweep has asked all that it had to ask: the next one may begin.
    pub(super) fn all_asked(&mut self, source: Id, round: Round) {
        let slot = (source, Kind::Sweep);
        let trailing = self.trailing.entry(slot.0.clone()).or_default();
        if round == self.round && *trailing < TRAILING && self.under_way.remove(&slot) {
            *trailing += 1;
        }
    }
}

fn rest(since_begun: Duration, clock: &Clock) -> Duration {
    clock.takes(SPACING).saturating_sub(since_begun)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_has_bounds() {
        let s = Duration::from_secs;
        let cases = [(s(10), s(160)), (s(0), s(1)), (s(60), s(300)), (Duration::MAX, s(300))];
        for (timeout, expected) in cases {
            assert_eq!(patience(timeout), expected, "{timeout:?}");
        }
    }

    #[test]
    fn a_source_is_left_in_peace_between_two_questions() {
        let ms = Duration::from_millis;
        let night = Clock::played(Instant::UNIX_EPOCH, 100.0);
        let cases = [(Clock::real(), ms(0), ms(1000)), (Clock::real(), ms(1500), ms(0)), (night, ms(4), ms(6))];
        for (clock, since_begun, expected) in cases {
            assert_eq!(rest(since_begun, &clock), expected, "{clock:?} {since_begun:?}");
        }
    }

    #[test]
    fn a_slot_is_a_source_and_a_kind() {
        let failure = |run: &str| Ask::Failure { source: "airflow".into(), subject: "orders".into(), run: run.to_owned() };
        let list = |source: &str| Ask::List { source: source.into() };
        assert_eq!(slot(&failure("a")), slot(&failure("b")));
        assert_ne!(slot(&failure("a")), slot(&list("airflow")));
        assert_ne!(slot(&list("airflow")), slot(&list("luigi")));
    }

    #[tokio::test]
    async fn a_source_that_is_not_there_is_unreachable() {
        let pool = Pool::new(BTreeMap::new());
        let at = Instant::UNIX_EPOCH;
        let heard = pool.ask(Ask::List { source: "gone".into() }, at, &Clock::real()).await;
        assert!(matches!(heard.answer, Answer::Unreachable(gone) if gone.why == Why::Connect));
    }
}

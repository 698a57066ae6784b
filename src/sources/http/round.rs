//! One sweep of a source with an endpoint for each check: many requests, spread over slots of a second, told of in parts.
//!
//! An endpoint that hangs delays nobody but itself: it is waited for while the others are asked, and from the next round on it is
//! asked beside them, in its turn. Nothing here repeats a request; a round asks each subject at most once.

use super::parse::Found;
use super::{Clocked, Http};
use crate::core::observation::{Fact, Item, Sweep, Unreachable, Why};
use crate::core::plan::Id;
use crate::core::time::Instant;
use crate::sources::{Pace, Part};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use tokio::time::{Instant as Mono, sleep_until};

/// The requests of one second leave together: a wake-up costs more than a request.
const SLOT: Duration = Duration::from_secs(1);
/// Requests of this second and the last one under way at a time; what is older hangs, and is in nobody's way.
const QUICK: usize = 32;
/// Requests of one round under way at a time, with those that hang. Three rounds of a source may overlap, and a process may have
/// 1,024 files open at the least.
const UNDER_WAY: usize = 320;
/// Of these, requests to endpoints that hung before.
const HUNG: usize = 256;
/// In a slot at most one request to an endpoint that hung before for so many to the others.
const OTHERS_PER_HUNG: usize = 8;

struct Answered {
    subject: Id,
    /// The slot in which it was asked; `None`: it hung before.
    slot: Option<u64>,
    result: Result<Clocked<Option<Found>>, Unreachable>,
}

/// What a round knows while it goes on.
struct Round<'a> {
    http: &'a Http,
    pace: &'a Pace,
    /// Our clock when the round began, and when that was.
    now: Instant,
    began: Mono,
    /// The server's clock, by the first answer that tells.
    clock_ahead_s: Option<i64>,
    slot: u64,
    /// Requests under way, by the slot in which they were asked; those to endpoints that hung before are counted apart.
    in_slot: BTreeMap<u64, usize>,
    hung: usize,
    answered: bool,
    /// Subjects that were told of since the last part, and their items.
    told: Vec<Id>,
    items: Vec<Item>,
    /// Kept back until somebody answers: when nobody does, that is the source's trouble and not theirs.
    unanswered: Vec<(Id, Unreachable)>,
}

impl Http {
    /// Asks for all subjects. What was not told of in parts is in the answer; who hung before and had no turn is in neither.
    pub(super) async fn round(&self, subjects: &[Id], now: Instant, pace: &Pace) -> Result<Sweep, Unreachable> {
        let apart = self.hung.of(subjects);
        let mut others: VecDeque<Id> = subjects.iter().filter(|subject| !apart.contains(*subject)).cloned().collect();
        let mut round = Round::new(self, now, pace);
        let mut under_way = FuturesUnordered::new();
        let mut next_slot = Mono::now();
        let mut of_slot = 0;
        while (!others.is_empty() || round.slot == 0 || round.quick() > 0) && !round.is_vain() {
            while of_slot > 0 && round.has_room() {
                let Some(subject) = others.pop_front() else { break };
                of_slot -= 1;
                under_way.push(round.ask(subject, false));
            }
            tokio::select! {
                biased;
                Some(answered) = under_way.next(), if !under_way.is_empty() => round.take(answered),
                () = sleep_until(next_slot) => {
                    round.tell().await;
                    round.slot += 1;
                    (of_slot, next_slot) = (pace.per_second, next_slot + SLOT);
                    for subject in round.turns_of_hung() {
                        under_way.push(round.ask(subject, true));
                    }
                }
            }
        }
        round.tell().await;
        if let Some(parts) = &pace.parts {
            // Whoever wanted it may be gone: then nobody wants the end either.
            let _ = parts.send(Part::AllAsked).await;
        }
        while !under_way.is_empty() && !round.is_vain() {
            tokio::select! {
                biased;
                Some(answered) = under_way.next() => round.take(answered),
                () = sleep_until(next_slot) => {
                    round.tell().await;
                    next_slot += SLOT;
                }
            }
        }
        round.end().await
    }

    async fn answered(&self, subject: Id, slot: Option<u64>, left_at: Instant) -> Answered {
        let result = self.one(&subject, left_at).await;
        Answered { subject, slot, result }
    }
}

impl<'a> Round<'a> {
    fn new(http: &'a Http, now: Instant, pace: &'a Pace) -> Self {
        Self {
            http,
            pace,
            now,
            began: Mono::now(),
            clock_ahead_s: None,
            slot: 0,
            in_slot: BTreeMap::new(),
            hung: 0,
            answered: false,
            told: Vec::new(),
            items: Vec::new(),
            unanswered: Vec::new(),
        }
    }

    fn ask(&mut self, subject: Id, hung: bool) -> impl Future<Output = Answered> + use<'a> {
        let slot = (!hung).then_some(self.slot);
        match slot {
            Some(slot) => *self.in_slot.entry(slot).or_default() += 1,
            None => self.hung += 1,
        }
        let left_at = self.now + self.began.elapsed();
        self.http.answered(subject, slot, left_at)
    }

    fn turns_of_hung(&self) -> Vec<Id> {
        let most = self.pace.per_second.div_ceil(OTHERS_PER_HUNG).min(HUNG.saturating_sub(self.hung)).min(self.room());
        self.http.hung.next(most, Mono::now(), self.http.patience)
    }

    /// Requests that are still young.
    fn quick(&self) -> usize {
        self.in_slot.range(self.slot.saturating_sub(1)..).map(|(_, count)| count).sum()
    }

    fn room(&self) -> usize {
        UNDER_WAY.saturating_sub(self.in_slot.values().sum::<usize>() + self.hung)
    }

    fn has_room(&self) -> bool {
        self.quick() < QUICK && self.room() > 0
    }

    /// So many waited in vain and nobody was answered: the rest need not be asked.
    fn is_vain(&self) -> bool {
        !self.answered
            && self.unanswered.len() >= QUICK
            && self.unanswered.iter().all(|(_, unanswered)| unanswered.why == Why::Timeout)
    }

    fn take(&mut self, Answered { subject, slot, result }: Answered) {
        match slot {
            None => self.hung -= 1,
            Some(slot) => {
                if let Some(count) = self.in_slot.get_mut(&slot) {
                    *count -= 1;
                }
                self.in_slot.retain(|_, count| *count > 0);
            }
        }
        match result {
            Err(why) if why.why == Why::Timeout => {
                self.http.hung.timed_out(&subject, Mono::now());
                self.unanswered.push((subject, why));
            }
            Err(why) => {
                self.http.hung.answered(&subject);
                self.unanswered.push((subject, why));
            }
            Ok((found, clock_ahead_s)) => {
                self.clock_ahead_s = self.clock_ahead_s.or(clock_ahead_s);
                self.http.hung.answered(&subject);
                self.answered = true;
                self.note(subject, found);
            }
        }
    }

    fn note(&mut self, subject: Id, found: Option<Found>) {
        if let Some(found) = found {
            self.http.remember(&subject, found.error);
            self.items.push(Item { subject: subject.clone(), fact: found.fact });
        }
        self.told.push(subject);
    }

    /// Passes on what has come in, where somebody wants it in parts.
    async fn tell(&mut self) {
        self.blame();
        let Some(parts) = self.pace.parts.as_ref().filter(|_| !self.told.is_empty()) else { return };
        let sweep = Sweep { items: std::mem::take(&mut self.items), ..Sweep::default() };
        let _ = parts.send(Part::Told { subjects: std::mem::take(&mut self.told), sweep }).await;
    }

    /// One endpoint that fails among others that answer makes its own check suspicious.
    fn blame(&mut self) {
        if self.answered {
            for (subject, why) in std::mem::take(&mut self.unanswered) {
                self.note(subject, Some(Found { fact: Fact::Suspicious(why.detail), error: None }));
            }
        }
    }

    /// When none answers, the source is out of reach.
    async fn end(mut self) -> Result<Sweep, Unreachable> {
        self.tell().await;
        match self.unanswered.into_iter().min_by(|a, b| a.0.cmp(&b.0)) {
            Some((_, first)) => Err(first),
            None => Ok(Sweep { items: self.items, clock_ahead_s: self.clock_ahead_s, ..Sweep::default() }),
        }
    }
}

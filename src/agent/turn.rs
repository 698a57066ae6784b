//! The loop: one owner of the state that takes one event after the other and carries out what the core says is due.
//!
//! It chooses nothing but the order: inputs first, made durable one by one, then questions and posts, then the snapshot. It does
//! no I/O but the store's; everything slow runs beside it and reports back through the inbox.

use super::Report;
use super::clock::Reading;
use super::deliver::Deliveries;
use super::desk::Request;
use super::heartbeat::Beats;
use super::inbox::Event;
use super::keeper::{self, Keeper, NotTaken};
use super::pause::{sleep, wait};
use super::poll::{Polls, Pool};
use super::publish::{Shell, snapshot, status};
use super::reload::Reloads;
use super::supervisor::Supervisor;
use crate::core::command::{self, Command};
use crate::core::due::due;
use crate::core::observation::{Answer, Ask, Heard};
use crate::core::plan::{Id, Plan};
use crate::core::proof;
use crate::core::state::{Attempt, PostId};
use crate::core::step::{Input, Outcome};
use crate::core::time::Instant;
use crate::net::line;
use crate::web::snapshot::{Counts, Snapshot};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant as Mono;
use tokio_util::sync::CancellationToken;

/// Events taken in one turn, before what is due is looked at.
const BATCH: usize = 32;
/// So often the store is tried with the same answer of a source; with the keeper's back-off about a minute.
const TRIES_PER_ANSWER: u32 = 12;
/// Deliveries under way may take this long to end once the agent is stopped. With the store's patience, before and after, and
/// the closing of the store it stays within 10 s.
const LAST_DELIVERIES: Duration = Duration::from_secs(5);

pub(super) struct Turns {
    pub(super) plan: Arc<Plan>,
    pub(super) reading: Reading,
    pub(super) keeper: Keeper,
    pub(super) pool: Arc<Pool>,
    pub(super) polls: Polls,
    pub(super) deliveries: Deliveries,
    pub(super) beats: Beats,
    pub(super) reloads: Reloads,
    pub(super) supervisor: Supervisor,
    pub(super) inbox: mpsc::Receiver<Event>,
    pub(super) requests: mpsc::Receiver<Request>,
    pub(super) snapshots: watch::Sender<Arc<Snapshot>>,
    pub(super) started_at: Instant,
    pub(super) carried: Carried,
}

/// What the loop carries from turn to turn.
#[derive(Default)]
pub(super) struct Carried {
    /// Inputs that are not durable yet, oldest first.
    pub(super) inputs: VecDeque<Input>,
    /// Sources that were swept since the start: they answered or did not, and what came of it is durable.
    pub(super) heard: BTreeSet<Id>,
    /// Commands of people that wait for this turn's answer.
    pub(super) commands: Vec<(Command, oneshot::Sender<Result<String, String>>)>,
    pub(super) counts: Counts,
    prune: bool,
    pub(super) wake_at: Option<Instant>,
    /// Looks in a row after which the core wanted to be woken in the past.
    hasty: u32,
}

impl Turns {
    /// Posts whose sending had begun when the last process ended: nobody knows whether they arrived.
    pub(super) fn own_up(&mut self) {
        let why = "dawnwatch stopped while it was sending";
        for post in self.keeper.begun() {
            self.carried.inputs.push_back(Input::Sent { post, outcome: Outcome::Ambiguous { why: why.to_owned() } });
        }
        // What was refused while the last process ran was accepted at the start of this one.
        if self.keeper.state().watch.refused.is_some() {
            self.carried.inputs.push_back(Input::Reloaded(None));
        }
    }

    /// Turns until it is stopped.
    pub(super) async fn run(&mut self, stop: &CancellationToken) {
        self.turn(None, None).await;
        while !stop.is_cancelled() {
            let (event, request) = if self.keeper.is_stale() {
                // While the store fails nothing more is taken in: those who have news wait at the inbox.
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = tokio::time::sleep(self.keeper.retry_in()) => (None, None),
                }
            } else {
                let timer = wait(self.carried.wake_at, self.reading.now(), self.carried.hasty);
                let sooner =
                    [self.beats.retry_at(), self.supervisor.hungry_at(), self.keeper.seen_due()].into_iter().flatten().min();
                tokio::select! {
                    biased;
                    () = stop.cancelled() => break,
                    Some(request) = self.requests.recv() => (None, Some(request)),
                    event = self.inbox.recv() => (event, None),
                    () = sleep(self.reading.clock(), timer, sooner) => (None, None),
                }
            };
            self.turn(event, request).await;
        }
    }

    /// One turn. Without an event it is a look at what time alone has changed.
    async fn turn(&mut self, event: Option<Event>, request: Option<Request>) {
        let at = self.reading.now();
        if let Some(event) = event {
            self.note(event, at);
        }
        match request {
            None => {}
            Some(Request::Reload(answer)) => self.reloads.ask(answer),
            Some(Request::Command(command, answer)) => self.carried.commands.push((command, answer)),
        }
        while !self.keeper.is_stale() && self.carried.inputs.len() < BATCH {
            let Ok(event) = self.inbox.try_recv() else { break };
            self.note(event, at);
        }
        let time_came = self.carried.inputs.is_empty() || self.carried.wake_at.is_none_or(|wake_at| wake_at <= at);
        // What fails here is said by the keeper, and done again in the next turn: the state is stale then.
        if self.take_in_and_act(at, time_came).await.is_ok() {
            self.supervisor.progress();
        }
        // Who gets no answer is told that it was not taken.
        self.carried.commands.clear();
        let hasty = self.carried.wake_at.is_some_and(|wake_at| wake_at <= at);
        self.carried.hasty = if hasty { self.carried.hasty.saturating_add(1) } else { 0 };
        self.publish(at);
    }

    async fn take_in_and_act(&mut self, at: Instant, time_came: bool) -> Result<(), NotTaken> {
        self.take_in(at).await?;
        self.take_over(at).await?;
        self.obey(at).await?;
        if time_came {
            self.keeper.take(at, Input::Tick, &mut self.carried.counts).await?;
        }
        self.keeper.write_seen(at, keeper::SEEN_WAITS, &mut self.carried.counts).await?;
        if std::mem::take(&mut self.carried.prune) {
            self.keeper.prune(at).await;
            self.take_in(at).await?;
        }
        self.act(at).await
    }

    /// Books an event; its input waits until it is durable.
    fn note(&mut self, event: Event, at: Instant) {
        match event {
            Event::Heard(heard, round) if !self.polls.heard(&heard, round) => {
                let source = heard.ask.source();
                tracing::debug!(%source, "an answer of the source {source} came after the configuration had changed; it is asked again");
            }
            Event::Heard(heard, _) => {
                self.carried.counts.polls_unanswered += u64::from(matches!(heard.answer, Answer::Unreachable(_)));
                if let Answer::Unreachable(gone) = &heard.answer {
                    let (source, why) = (heard.ask.source(), gone.why);
                    tracing::debug!(%source, ?why, detail = gone.detail, "the source {source} could not be asked: {}", gone.detail);
                }
                self.carried.inputs.push_back(Input::Heard(heard));
            }
            Event::AllAsked(source, round) => self.polls.all_asked(source, round),
            Event::Sent { post, chat, outcome } => {
                log_outcome(post, &chat, &outcome);
                self.carried.inputs.push_back(Input::Sent { post, outcome });
            }
            Event::Loaded(read) => self.carried.inputs.extend(self.reloads.loaded(*read, at)),
            Event::Beaten(taken) => {
                if self.beats.ended(taken, self.plan.heartbeat_every, self.reading.clock()) {
                    self.carried.inputs.push_back(Input::Beat);
                }
            }
            Event::Tick => self.carried.wake_at = None,
            Event::Prune => self.carried.prune = true,
        }
    }

    /// Makes the waiting inputs durable, in their order.
    pub(super) async fn take_in(&mut self, at: Instant) -> Result<(), NotTaken> {
        if self.keeper.is_stale() {
            self.keeper.restore(at).await?;
            self.disown();
        }
        while let Some(input) = self.carried.inputs.front() {
            if let Err(not_taken) = self.keeper.take(at, input.clone(), &mut self.carried.counts).await {
                self.give_up_stale_answer();
                return Err(not_taken);
            }
            match self.carried.inputs.pop_front() {
                Some(Input::Sent { post, outcome }) => {
                    self.deliveries.finished(post);
                    let counts = &mut self.carried.counts;
                    let counter = match outcome {
                        Outcome::Confirmed { .. } => &mut counts.posts_confirmed,
                        _ => &mut counts.posts_failed,
                    };
                    *counter += 1;
                }
                Some(Input::Heard(Heard { answer: Answer::Part(_), .. })) => {}
                // A listing alone says nothing of the pipelines; after it a sweep is due at once, also of an empty list.
                Some(Input::Beat) => self.carried.counts.beats += 1,
                Some(Input::Heard(Heard { ask: Ask::Sweep { source, .. }, .. })) => drop(self.carried.heard.insert(source)),
                _ => {}
            }
        }
        Ok(())
    }

    /// An answer that the store refuses again and again must not stand in the way of all that comes after it; the source is asked
    /// again anyway. The outcome of a send is never given up.
    fn give_up_stale_answer(&mut self) {
        if self.keeper.tries() > TRIES_PER_ANSWER
            && let Some(Input::Heard(heard)) = self.carried.inputs.pop_front_if(|input| matches!(input, Input::Heard(_)))
        {
            let source = heard.ask.source();
            tracing::warn!(%source, "an answer of the source {source} could not be stored and is dropped; it is asked again");
        }
    }

    /// Carries out what people ask for, each once it is durable.
    async fn obey(&mut self, at: Instant) -> Result<(), NotTaken> {
        for (command, waiting) in std::mem::take(&mut self.carried.commands) {
            let answer = command::answer(self.keeper.state(), &self.plan, at, &command);
            if let Ok(sentence) = &answer {
                let by = line(&command.by);
                tracing::info!(by, "{by}: {sentence}");
                self.keeper.take(at, Input::Command(command), &mut self.carried.counts).await?;
            }
            // Who does not listen any more needs no answer.
            let _ = waiting.send(answer);
        }
        Ok(())
    }

    /// A claim whose commit was reported as failed, but was written: not a byte of it has left.
    fn disown(&mut self) {
        for post in self.keeper.begun() {
            if !self.deliveries.is_under_way(post) && !self.carried.inputs.iter().any(|i| is_outcome_of(i, post)) {
                let outcome = Outcome::Failed { why: "the store failed before anything was sent".to_owned(), retry_at: None };
                self.carried.inputs.push_front(Input::Sent { post, outcome });
            }
        }
    }

    /// Carries out what is due: questions, and posts once their beginning is durable.
    async fn act(&mut self, at: Instant) -> Result<(), NotTaken> {
        let wanted = due(self.keeper.state(), &self.plan, at);
        self.carried.wake_at = wanted.wake_at;
        self.carried.counts.polls += self.polls.start(wanted.asks, at, self.reading.clock());
        let beat_at = proof::beat_at(self.keeper.state(), &self.plan, at);
        let lapses = match beat_at {
            Some(beat_at) if beat_at <= at && !wanted.beat => proof::lapses(self.keeper.state(), &self.plan, at),
            _ => Vec::new(),
        };
        self.beats.look(wanted.beat, lapses.first());
        let mut posts = self.deliveries.admitted(&wanted.posts, self.keeper.state());
        if let Some(next) = self.reloads.plan() {
            // A chat that is about to go is not sent to any more, or it would never be idle.
            posts.retain(|id| self.keeper.state().posts.get(id).is_some_and(|post| next.chats.contains_key(&post.chat)));
        }
        if posts.is_empty() {
            return Ok(());
        }
        self.keeper.take(at, Input::Claim(posts.clone()), &mut self.carried.counts).await?;
        let state = self.keeper.state();
        for post in posts.iter().filter_map(|id| state.posts.get(id)) {
            if matches!(post.attempt, Attempt::Started { .. }) {
                self.deliveries.start(post, &self.plan, self.reading.clock());
            }
        }
        self.carried.wake_at = due(state, &self.plan, at).wake_at;
        Ok(())
    }

    /// While the state is stale the last good snapshot stays, with its instant, and with the store's trouble in it.
    fn publish(&mut self, at: Instant) {
        let store_trouble = self.keeper.trouble();
        let shown = if self.keeper.is_stale() {
            let last = self.snapshots.borrow().clone();
            Snapshot { counts: self.carried.counts, store_trouble, ..(*last).clone() }
        } else {
            let shell = Shell {
                at,
                started_at: self.started_at,
                heard: &self.carried.heard,
                pool: &self.pool,
                counts: self.carried.counts,
                store_trouble,
                heartbeat: self.beats.state(),
            };
            snapshot(self.keeper.state(), &self.plan, &shell)
        };
        self.supervisor.reloading(self.reloads.is_under_way());
        self.supervisor.status(&status(&shown));
        self.snapshots.send_replace(Arc::new(shown));
    }

    /// Lets the deliveries under way end and makes their outcomes durable, then closes the store. What does not end in time stays
    /// begun in the store, and is owned up to at the next start.
    pub(super) async fn finish(mut self) -> Report {
        let end = Mono::now() + LAST_DELIVERIES;
        self.carried.inputs.retain(|input| matches!(input, Input::Sent { .. }));
        loop {
            let at = self.reading.now();
            let durable = self.take_in(at).await.is_ok();
            if (durable && self.deliveries.is_idle()) || Mono::now() >= end {
                break;
            }
            tokio::select! {
                () = tokio::time::sleep_until(end) => {}
                () = tokio::time::sleep(self.keeper.retry_in()), if !durable => {}
                Some(event) = self.inbox.recv(), if durable => {
                    if matches!(event, Event::Sent { .. }) {
                        self.note(event, at);
                    }
                }
            }
        }
        let at = self.reading.now();
        // Should it fail, it is as if nobody had looked in the last seconds.
        let _ = self.keeper.write_seen(at, Duration::ZERO, &mut self.carried.counts).await;
        self.publish(at);
        let unsettled = self.keeper.state().posts.values().filter(|post| !post.attempt.is_settled()).count();
        let traffic = self.plan.sources.keys().map(|id| (id.clone(), self.pool.traffic(id))).collect();
        let closed = self.keeper.close().await;
        Report { counts: self.carried.counts, traffic, unsettled, closed }
    }
}

fn is_outcome_of(input: &Input, of: PostId) -> bool {
    matches!(input, Input::Sent { post, .. } if *post == of)
}

fn log_outcome(post: PostId, chat: &Id, outcome: &Outcome) {
    match outcome {
        Outcome::Confirmed { .. } => tracing::info!(post, %chat, "post {post} was delivered to {chat}"),
        Outcome::Failed { why, retry_at } => {
            let retry_at = retry_at.map(|at| at.to_rfc3339());
            tracing::warn!(post, %chat, why, retry_at, "post {post} was not delivered to {chat}, it is tried again: {why}");
        }
        Outcome::Ambiguous { why } => {
            tracing::warn!(post, %chat, why, "post {post} was perhaps delivered to {chat}, its answer is lost: {why}");
        }
        Outcome::Refused { why } => tracing::error!(post, %chat, why, "post {post} was refused by {chat} for good: {why}"),
    }
}

//! Reload: another configuration is read and built whole beside the running one, and only then gone over to, between two inputs.
//!
//! One at a time. A bad one leaves everything as it was. The agent knows no files: whoever starts it gives it a [`Load`].

use super::build::{Built, sizes};
use super::desk::Reloaded;
use super::inbox::Event;
use super::keeper::NotTaken;
use super::poll::Pool;
use super::turn::Turns;
use crate::core::plan::Plan;
use crate::core::state::RefusedReload;
use crate::core::step::{Input, Outcome};
use crate::core::time::Instant;
use crate::net::line;
use std::sync::{Arc, Mutex, TryLockError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Reading and building take well under a second; a folder on a network that hangs is given up.
const PATIENCE: Duration = Duration::from_secs(30);
/// Findings that are logged and given back; a file with more has one fault that makes them all.
const FINDINGS: usize = 200;

/// Reads the configuration and builds it. May block. The errors are sentences for a person, without any secret.
pub type Load = Box<dyn Fn() -> Result<Fresh, Vec<String>> + Send + Sync>;

/// A configuration to go over to.
pub struct Fresh {
    pub built: Built,
    /// What has changed and cannot be taken over by a running agent, each in a few words: `[store] path`.
    pub needs_restart: Vec<String>,
}

type Answer = oneshot::Sender<Reloaded>;

/// The reloads under way, as the loop knows them.
pub(super) struct Reloads {
    load: Option<Arc<Mutex<Load>>>,
    /// Who waits for the one under way; `None`: none is.
    waiting: Option<Vec<Answer>>,
    /// Who asked since it began: the files may have changed after they were read, so they are read once more for these.
    next: Vec<Answer>,
    /// Read, and not gone over to yet.
    fresh: Option<Fresh>,
    inbox: mpsc::Sender<Event>,
}

impl Reloads {
    pub(super) fn new(load: Option<Load>, inbox: mpsc::Sender<Event>) -> Self {
        Self { load: load.map(|load| Arc::new(Mutex::new(load))), waiting: None, next: Vec::new(), fresh: None, inbox }
    }

    /// Reads the configuration, or reads it again after the reading that is under way.
    pub(super) fn ask(&mut self, answer: Answer) {
        match (&self.load, &self.waiting) {
            // Who does not listen any more needs no answer.
            (None, _) => drop(answer.send(Reloaded::Refused(vec!["this watch has no configuration to read again".to_owned()]))),
            (Some(_), Some(_)) => {
                // Bounds it; the one that asks now stays, whether it listens to the end or not.
                self.next.retain(|waiting| !waiting.is_closed());
                self.next.push(answer);
            }
            (Some(_), None) => self.begin(vec![answer]),
        }
    }

    fn begin(&mut self, waiting: Vec<Answer>) {
        let Some(load) = self.load.clone() else { return };
        self.waiting = Some(waiting);
        tracing::info!("the configuration is read again");
        let inbox = self.inbox.clone();
        tokio::spawn(async move {
            let reading = tokio::task::spawn_blocking(move || match load.try_lock() {
                Ok(load) => load(),
                Err(TryLockError::WouldBlock) => {
                    Err(vec!["the reading before this one still hangs: look at its folder".to_owned()])
                }
                Err(TryLockError::Poisoned(load)) => load.into_inner()(),
            });
            let read = match tokio::time::timeout(PATIENCE, reading).await {
                Ok(Ok(read)) => read,
                Ok(Err(_panic)) => Err(vec!["reading it failed inside dawnwatch: this is a bug".to_owned()]),
                Err(_) => Err(vec![format!("it could not be read within {} s", PATIENCE.as_secs())]),
            };
            // The loop being gone means that nobody wants it any more.
            let _ = inbox.send(Event::Loaded(Box::new(read))).await;
        });
    }

    /// The configuration that was read waits to be gone over to, or (`Some`) the refusal is to be written down.
    pub(super) fn loaded(&mut self, read: Result<Fresh, Vec<String>>, at: Instant) -> Option<Input> {
        let mut findings = match read {
            Ok(fresh) => {
                self.fresh = Some(fresh);
                return None;
            }
            Err(findings) => findings,
        };
        let count = findings.len();
        tracing::error!(findings = count, "the configuration was read again and refused, the one before it stays in force");
        findings.truncate(FINDINGS);
        for finding in &findings {
            tracing::error!(finding, "{finding}");
        }
        let refused = RefusedReload { at, findings: count, first: findings.first().map(|first| line(first)).unwrap_or_default() };
        self.answer(&Reloaded::Refused(findings));
        Some(Input::Reloaded(Some(refused)))
    }

    pub(super) fn is_under_way(&self) -> bool {
        self.waiting.is_some()
    }

    /// The plan that waits to be gone over to.
    pub(super) fn plan(&self) -> Option<&Arc<Plan>> {
        self.fresh.as_ref().map(|fresh| &fresh.built.plan)
    }

    /// Tells who asked, and begins the next for those who asked since.
    fn answer(&mut self, answer: &Reloaded) {
        for waiting in self.waiting.take().into_iter().flatten() {
            // Who does not listen any more needs no answer.
            let _ = waiting.send(answer.clone());
        }
        if !self.next.is_empty() {
            let next = std::mem::take(&mut self.next);
            self.begin(next);
        }
    }
}

impl Turns {
    /// Goes over to the configuration that was read, if there is one and nothing is on its way to a chat that it does not have: the
    /// outcome would have no post to be written to. Everything heard so far has been taken in. When the store cannot be read,
    /// nothing has changed, and the next turn tries again.
    pub(super) async fn take_over(&mut self, at: Instant) -> Result<(), NotTaken> {
        let Some(plan) = self.reloads.plan().cloned() else { return Ok(()) };
        if self.deliveries.is_under_way_beyond(&plan.chats) {
            return Ok(());
        }
        self.keeper.adopt(at, plan.clone()).await?;
        let Some(Fresh { built: Built { plan: _, sources, sinks, heartbeat }, needs_restart }) = self.reloads.fresh.take() else {
            return Ok(());
        };
        self.pool = Arc::new(Pool::new(sources));
        self.polls.take_over(self.pool.clone());
        self.deliveries.take_over(sinks);
        self.beats.take_over(heartbeat);
        self.carried.heard.retain(|id| plan.sources.contains_key(id));
        self.carried.wake_at = None;
        // Of a chat that was away for a while: how its last post went nobody has written down.
        for post in self.keeper.begun() {
            if !self.deliveries.is_under_way(post) {
                let why = "the chat was taken out of the configuration while it was being sent".to_owned();
                self.carried.inputs.push_back(Input::Sent { post, outcome: Outcome::Ambiguous { why } });
            }
        }
        self.carried.inputs.push_back(Input::Reloaded(None));
        let sentence = sentence(&plan, &needs_restart);
        self.plan = plan;
        if needs_restart.is_empty() {
            tracing::info!("{sentence}");
        } else {
            tracing::warn!(needs_restart = needs_restart.join(", "), "{sentence}");
        }
        self.reloads.answer(&Reloaded::Taken(sentence));
        self.take_in(at).await
    }
}

fn sentence(plan: &Plan, needs_restart: &[String]) -> String {
    let taken = format!("the configuration was taken over: {}", sizes(plan));
    match needs_restart {
        [] => taken,
        [one] => format!("{taken}; {one} has changed as well, which needs a restart"),
        more => format!("{taken}; {} have changed as well, which needs a restart", more.join(" and ")),
    }
}

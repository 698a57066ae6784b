//! The shell around the core: clock, inbox, loop, poll pool, delivery, shutdown.
//!
//! One loop ([`turn`](self)) owns the state and the store; polls and deliveries run beside it and report through one bounded inbox.
//! Nothing leaves before the commit that wanted it is durable. The shell judges nothing and words nothing. It knows no signals
//! and no environment: whoever starts it gives it a clock and a stop token, so `run` and `demo` are the same agent.
//!
//! While the store fails, nothing is asked, decided or sent, because none of it could be remembered: the log says so, and
//! `/healthz` through [`Snapshot::store_trouble`]; answers and outcomes that are under way wait, and nothing of them is lost.

pub mod clock;
pub(crate) mod deliver;
mod inbox;
mod keeper;
pub mod poll;
mod publish;
mod schedule;
mod turn;

use crate::config::wiring::{ChatWiring, SourceWiring, Wiring};
use crate::core::plan::{Id, Plan};
use crate::sinks::Sink;
use crate::sources::Traffic;
use crate::store::{Store, StoreError};
use crate::web;
use crate::web::snapshot::{Counts, Snapshot};
use chrono::TimeDelta;
use clock::{Clock, Reading};
use deliver::Deliveries;
use keeper::Keeper;
use poll::{Polled, Polls, Pool};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_cron_scheduler::{JobScheduler, JobSchedulerError};
use tokio_util::sync::CancellationToken;
use turn::{Carried, Turns};

/// Requests of the status page that are under way when the agent ends get this long.
const LAST_REQUESTS: Duration = Duration::from_millis(500);

/// All that an agent is made of.
pub struct Setup {
    pub plan: Arc<Plan>,
    /// One for each of the plan's sources.
    pub sources: BTreeMap<Id, Polled>,
    /// One for each of the plan's chats.
    pub sinks: BTreeMap<Id, Arc<Sink>>,
    pub store: Store,
    pub clock: Clock,
    /// `None`: no status page.
    pub page: Option<Page>,
}

/// Where the status page listens, already bound, and what it wants to see before it answers.
pub struct Page {
    pub listener: TcpListener,
    pub token: Option<SecretString>,
}

/// What an agent did, from its start to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub counts: Counts,
    pub traffic: BTreeMap<Id, Traffic>,
    /// Posts that were wanted and not settled at the end; the next start goes on with them.
    pub unsettled: usize,
    /// The store was closed cleanly.
    pub closed: bool,
}

/// Why an agent could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the store could not be read")]
    Store(#[source] StoreError),
    #[error("the scheduler of the backstop tick could not be started")]
    Schedule(#[source] JobSchedulerError),
}

/// An agent that is ready to run.
pub struct Agent {
    turns: Turns,
    jobs: JobScheduler,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    page: Option<JoinHandle<()>>,
    stop: CancellationToken,
}

impl Agent {
    /// Reads the state, starts the backstop and the status page. Nothing is asked or sent before [`Agent::run`].
    pub async fn start(setup: Setup, stop: CancellationToken) -> Result<Self, StartError> {
        let Setup { plan, sources, sinks, store, clock, page } = setup;
        let (news, inbox) = mpsc::channel(inbox::CAPACITY);
        let keeper = Keeper::open(store, plan.clone(), stop.clone()).await.map_err(StartError::Store)?;
        let jobs = schedule::start(&news).await.map_err(StartError::Schedule)?;
        let reading = Reading::new(clock);
        let started_at = reading.clock().now();
        let pool = Arc::new(Pool::new(sources));
        let first = publish::Shell {
            at: started_at,
            started_at,
            heard: &Default::default(),
            pool: &pool,
            counts: Counts::default(),
            store_trouble: None,
        };
        let (sender, snapshots) = watch::channel(Arc::new(publish::snapshot(keeper.state(), &plan, &first)));
        let page = page.map(|page| serve(page, snapshots.clone(), reading.clock().clone(), stop.clone()));
        let turns = Turns {
            polls: Polls::new(pool.clone(), news.clone(), stop.clone()),
            deliveries: Deliveries::new(sinks, news),
            snapshots: sender,
            carried: Carried::default(),
            plan,
            reading,
            keeper,
            pool,
            inbox,
            started_at,
        };
        Ok(Self { turns, jobs, snapshots, page, stop })
    }

    /// What the agent publishes after each turn.
    pub fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.clone()
    }

    /// Watches until the stop token is cancelled; then ends within 10 s, with what was in flight finished where that is possible.
    pub async fn run(mut self) -> Report {
        self.turns.own_up();
        self.turns.run(&self.stop).await;
        tracing::info!("stopping: deliveries under way are finished, polls are not");
        if let Err(error) = self.jobs.shutdown().await {
            tracing::debug!(%error, "the scheduler of the backstop tick did not stop: {error}");
        }
        let report = self.turns.finish().await;
        if let Some(mut page) = self.page.take()
            && tokio::time::timeout(LAST_REQUESTS, &mut page).await.is_err()
        {
            page.abort();
        }
        report
    }
}

fn serve(page: Page, snapshots: watch::Receiver<Arc<Snapshot>>, clock: Clock, stop: CancellationToken) -> JoinHandle<()> {
    tokio::spawn(async move {
        if let Err(error) = web::serve(page.listener, snapshots, page.token, clock, stop).await {
            tracing::error!(%error, "the status page has ended: {error}");
        }
    })
}

/// All sources of the plan, ready to be asked. The errors are sentences for a person, all of them at once, without any secret.
pub fn build_sources(plan: &Plan, wiring: &Wiring) -> Result<BTreeMap<Id, Polled>, Vec<String>> {
    build_all("source", plan.sources.keys(), &wiring.sources, |id, wiring: &SourceWiring| {
        let every = plan.sources.get(id).map_or(TimeDelta::zero(), |source| source.every);
        Polled::build(id, wiring, every)
    })
}

/// These chats, ready to be sent to; errors as with [`build_sources`].
pub fn build_sinks<'a>(chats: impl Iterator<Item = &'a Id>, wiring: &Wiring) -> Result<BTreeMap<Id, Arc<Sink>>, Vec<String>> {
    build_all("chat", chats, &wiring.chats, |id, wiring: &ChatWiring| Sink::build(id, wiring).map(Arc::new))
}

fn build_all<'a, W, T>(
    what: &str,
    ids: impl Iterator<Item = &'a Id>,
    wirings: &BTreeMap<Id, W>,
    build: impl Fn(&Id, &W) -> Result<T, String>,
) -> Result<BTreeMap<Id, T>, Vec<String>> {
    let (mut built, mut errors) = (BTreeMap::new(), Vec::new());
    for id in ids {
        let made = match wirings.get(id) {
            Some(wiring) => build(id, wiring),
            None => Err(format!("{what} {id}: nothing is configured for it")),
        };
        match made {
            Ok(made) => drop(built.insert(id.clone(), made)),
            Err(why) => errors.push(why),
        }
    }
    if errors.is_empty() { Ok(built) } else { Err(errors) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_cannot_be_built_is_said_at_once() {
        let ids: Vec<Id> = ["a", "b", "c"].map(Id::from).into();
        let wirings = BTreeMap::from([(ids[0].clone(), 1), (ids[1].clone(), 2)]);
        let odd = |id: &Id, n: &i32| if n % 2 == 1 { Ok(*n) } else { Err(format!("chat {id}: TOKEN is not set")) };
        assert_eq!(
            build_all("chat", ids.iter(), &wirings, odd),
            Err(vec!["chat b: TOKEN is not set".to_owned(), "chat c: nothing is configured for it".to_owned()])
        );
        assert_eq!(build_all("chat", ids.iter().take(1), &wirings, odd), Ok(BTreeMap::from([(ids[0].clone(), 1)])));
    }
}

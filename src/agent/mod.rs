//! The shell around the core: clock, inbox, desk, loop, poll pool, delivery, heartbeat, reload, supervisor, shutdown.
//!
//! One loop ([`turn`](self)) owns the state and the store; polls, deliveries, beats and the reading of another configuration run
//! beside it and report through one bounded inbox; people come to the [`desk`]. Nothing leaves before the commit that wanted it is
//! durable. The shell judges nothing and words nothing. It knows no signals, no files and no environment: whoever starts it gives it a
//! clock, a stop token and a [`Load`], so `run` and `demo` are the same agent.
//!
//! While the store fails, nothing is asked, decided or sent, because none of it could be remembered: the log says so, and
//! `/healthz` through [`Snapshot::store_trouble`]; answers and outcomes that are under way wait, and nothing of them is lost.

mod build;
pub mod clock;
pub(crate) mod deliver;
pub mod desk;
mod heartbeat;
mod inbox;
mod keeper;
mod pause;
pub mod poll;
mod publish;
mod reload;
mod schedule;
mod seen;
mod supervisor;
mod turn;

pub use build::{Built, build_sinks, build_sources, sizes};
pub use heartbeat::Pulse;
pub use reload::{Fresh, Load};
pub use supervisor::Supervisor;

use crate::core::plan::Id;
use crate::sources::Traffic;
use crate::store::{Store, StoreError};
use crate::web;
use crate::web::snapshot::{Counts, Snapshot};
use clock::{Clock, Reading};
use deliver::Deliveries;
use desk::Desk;
use heartbeat::Beats;
use keeper::Keeper;
use poll::{Polls, Pool};
use reload::Reloads;
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
    pub config: Built,
    pub store: Store,
    pub clock: Clock,
    /// `None`: no status page.
    pub page: Option<Page>,
    /// Reads the configuration again; `None`: it stays as it is.
    pub load: Option<Load>,
    pub supervisor: Supervisor,
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
    desk: Desk,
    page: Option<JoinHandle<()>>,
    stop: CancellationToken,
}

impl Agent {
    /// Reads the state, starts the backstop and the status page. Nothing is asked or sent before [`Agent::run`].
    pub async fn start(setup: Setup, stop: CancellationToken) -> Result<Self, StartError> {
        let Setup { config: Built { plan, sources, sinks, heartbeat }, store, clock, page, load, supervisor } = setup;
        let (news, inbox) = mpsc::channel(inbox::CAPACITY);
        let (desk, requests) = Desk::new();
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
            heartbeat: heartbeat.as_ref().map(|_| None),
        };
        let (sender, snapshots) = watch::channel(Arc::new(publish::snapshot(keeper.state(), &plan, &first)));
        let page = page.map(|page| serve(page, snapshots.clone(), desk.clone(), reading.clock().clone(), stop.clone()));
        let turns = Turns {
            polls: Polls::new(pool.clone(), news.clone(), stop.clone()),
            deliveries: Deliveries::new(sinks, news.clone()),
            beats: Beats::new(heartbeat, news.clone(), stop.clone()),
            reloads: Reloads::new(load, news),
            supervisor,
            requests,
            snapshots: sender,
            carried: Carried::default(),
            plan,
            reading,
            keeper,
            pool,
            inbox,
            started_at,
        };
        Ok(Self { turns, jobs, snapshots, desk, page, stop })
    }

    /// How people reach the agent once it runs.
    pub fn desk(&self) -> Desk {
        self.desk.clone()
    }

    /// What the agent publishes after each turn.
    pub fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.clone()
    }

    /// Watches until the stop token is cancelled; then ends within 10 s, with what was in flight finished where that is possible.
    pub async fn run(mut self) -> Report {
        self.turns.own_up();
        self.turns.supervisor.ready();
        self.turns.run(&self.stop).await;
        self.turns.supervisor.stopping();
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

fn serve(
    page: Page,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    desk: Desk,
    clock: Clock,
    stop: CancellationToken,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        if let Err(error) = web::serve(page.listener, snapshots, desk, page.token, clock, stop).await {
            tracing::error!(%error, "the status page has ended: {error}");
        }
    })
}

//! A folder with a configuration and a store, and agents that are started on it one after the other.

use crate::peer::{PATIENCE, Peer};
use chrono::TimeDelta;
use dawnwatch::agent::clock::Clock;
use dawnwatch::agent::desk::Desk;
use dawnwatch::agent::{Agent, Built, Fresh, Load, Report, Setup, Supervisor};
use dawnwatch::config::wiring::Address;
use dawnwatch::config::{self, Loaded};
use dawnwatch::core::time::Instant;
use dawnwatch::store::Store;
use dawnwatch::web::snapshot::Snapshot;
use serde_json::{Value, json};
use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A played minute is a tenth of a second.
const SPEED: f64 = 600.0;

pub struct House {
    pub folder: TempDir,
    pub clock: Clock,
    pub jobs: Peer,
    pub team: Peer,
    pub config: String,
    /// The port of a peer that takes the outward heartbeat, every five minutes.
    pub beats: Option<u16>,
}

/// A job as the peer lists it: begun a minute ago, and over unless it is running.
pub fn job(name: &str, state: &str, now: Instant) -> Value {
    let started = now - TimeDelta::minutes(1);
    let ended = (state != "running").then_some(now);
    json!({"name": name, "state": state, "started": started, "ended": ended, "error": "disk full"})
}

/// `sources.NAME`, of kind http.
pub fn source(name: &str, port: u16, more: &str) -> String {
    format!(
        r#"
[sources.{name}]
kind       = "http"
url        = "http://127.0.0.1:{port}/jobs"
items      = "$.jobs[*]"
id         = "$.name"
state      = "$.state"
started_at = "$.started"
ended_at   = "$.ended"
error      = "$.error"
{more}
"#
    )
}

pub fn chat(name: &str, kind: &str, port: u16, more: &str) -> String {
    format!("\n[chats.{name}]\nkind = \"{kind}\"\nurl = {{ value = \"http://127.0.0.1:{port}/hook/verysecret\" }}\n{more}\n")
}

pub const DASHBOARD: &str = r#"
[dashboards.exec]
needs    = ["orders"]
ready_by = "23:00"
tell     = ["team"]
"#;

impl House {
    /// One job `orders` for one dashboard at 23:00, told to one chat of this kind; it is six in the morning.
    pub async fn new(jobs: Peer, team: Peer, kind: &str) -> Self {
        let config = [
            "timezone = \"UTC\"\ntell = [\"team\"]\n[web]\nlisten = \"off\"\n",
            &source("jobs", jobs.port, "every = \"60s\""),
            "[checks.orders]\nsource = \"jobs\"\n",
            DASHBOARD,
            &chat("team", kind, team.port, ""),
        ];
        let clock = Clock::played("2026-11-23T06:00:00Z".parse().unwrap(), SPEED);
        Self { folder: TempDir::new().unwrap(), clock, config: config.concat(), beats: None, jobs, team }
    }

    pub fn job(&self, name: &str, state: &str) {
        self.jobs.say(&json!({"jobs": [job(name, state, self.clock.now())]}).to_string());
    }

    pub fn store(&self) -> PathBuf {
        self.folder.path().join("dawnwatch.db")
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("dawnwatch.toml")
    }

    pub fn write(&self) {
        std::fs::write(self.file(), &self.config).unwrap();
    }

    pub fn load(&self) -> Loaded {
        self.write();
        config::load(&self.file(), None, &[]).unwrap_or_else(|refused| panic!("{:#?}", refused.errors))
    }

    pub async fn start(&self) -> Running {
        let Loaded { mut plan, mut wiring, .. } = self.load();
        if let Some(port) = self.beats {
            plan.heartbeat_every = Some(TimeDelta::minutes(5));
            wiring.heartbeat = Some(Address::Plain(format!("http://127.0.0.1:{port}/verysecret").parse().unwrap()));
        }
        let config = Built::new(plan, &wiring).unwrap();
        let store = Store::open(&wiring.store).await.unwrap();
        let setup = Setup {
            config,
            store,
            clock: self.clock.clone(),
            page: None,
            load: Some(self.loader()),
            supervisor: Supervisor::none(),
        };
        let stop = CancellationToken::new();
        let agent = Agent::start(setup, stop.clone()).await.unwrap();
        Running { snapshots: agent.snapshots(), desk: agent.desk(), stop, agent: tokio::spawn(agent.run()) }
    }

    /// Reads what stands in the file by then.
    fn loader(&self) -> Load {
        let file = self.file();
        Box::new(move || match config::load(&file, None, &[]) {
            Ok(Loaded { plan, wiring, .. }) => Ok(Fresh { built: Built::new(plan, &wiring)?, needs_restart: vec![] }),
            Err(refused) => Err(refused.errors.iter().map(ToString::to_string).collect()),
        })
    }

    /// Another program at the store's file.
    pub async fn meddle(&self, sql: &'static str) {
        let mut connection = SqliteConnectOptions::new().filename(self.store()).connect().await.unwrap();
        sqlx::query(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }
}

pub struct Running {
    pub desk: Desk,
    pub stop: CancellationToken,
    pub snapshots: watch::Receiver<Arc<Snapshot>>,
    agent: JoinHandle<Report>,
}

impl Running {
    pub async fn until(&mut self, what: impl Fn(&Snapshot) -> bool) -> Arc<Snapshot> {
        let found = tokio::time::timeout(PATIENCE, self.snapshots.wait_for(|snapshot| what(snapshot))).await;
        let found = found.map(|found| found.unwrap().clone());
        found.unwrap_or_else(|_| panic!("it did not come to this: {:#?}", *self.snapshots.borrow()))
    }

    /// So many further questions: time enough to say a thing again.
    pub async fn polls(&mut self, more: u64) {
        let before = self.snapshots.borrow().counts.polls;
        self.until(|snapshot| snapshot.counts.polls >= before + more).await;
    }

    pub async fn stop(self) -> Report {
        self.stop.cancel();
        self.ended().await
    }

    pub async fn ended(self) -> Report {
        tokio::time::timeout(PATIENCE, self.agent).await.expect("it does not stop").unwrap()
    }

    /// As `kill -9` would: what is on its way to a chat stays on its way.
    pub async fn kill(self) {
        self.agent.abort();
        assert!(self.agent.await.unwrap_err().is_cancelled());
    }
}

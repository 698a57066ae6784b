//! The demo: one whole night on loopback, around the real agent.
//!
//! The stand-ins here play an Airflow, a partner's file API and a chat; [`set_up`] starts them and writes the configuration by
//! which the agent finds them. Nothing here polls, judges or words anything: that is the agent's, with another clock.

pub mod airflow;
pub mod blocks;
pub mod chat;
pub mod config;
pub mod night;
pub mod partner;
pub mod summary;

use crate::agent::clock::Clock;
use crate::core::plan::Language;
use crate::core::time::Instant;
use axum::Router;
use axum::http::{HeaderValue, header};
use axum::middleware;
use axum::response::Response;
use axum::serve::Listener;
use chat::Posted;
use chrono::TimeDelta;
use config::Addresses;
use night::{Night, Script};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// How long after the night's end the stand-ins go on, on the played clock, when nobody stops them.
const AFTERWARDS: TimeDelta = TimeDelta::hours(2);
/// How long [`Stage::stop`] waits for open connections, in real time.
const STOP_WAIT: Duration = Duration::from_secs(2);

/// The demo's surroundings. Dropping it stops the servers and removes the folder.
#[derive(Debug)]
pub struct Stage {
    pub script: Arc<Script>,
    pub addresses: Addresses,
    /// Each message as the chat took it.
    pub messages: mpsc::Receiver<Posted>,
    pub starts_at: Instant,
    pub ends_at: Instant,
    folder: TempDir,
    servers: TaskTracker,
    stop: CancellationToken,
    _stops_when_dropped: DropGuard,
}

impl Stage {
    /// The folder with `dawnwatch.toml`, for `config::load`; the store's file is put beside it.
    pub fn config(&self) -> &Path {
        self.folder.path()
    }

    /// Where a person can read along.
    pub fn page(&self) -> String {
        format!("http://{}/", self.addresses.chat)
    }

    /// Stops the servers, and waits a little for what is in flight.
    pub async fn stop(self) {
        self.stop.cancel();
        self.servers.close();
        // Whatever is still open then is dropped with the runtime.
        let _ = tokio::time::timeout(STOP_WAIT, self.servers.wait()).await;
    }
}

/// Starts the stand-ins on loopback and writes the configuration. `clock` is to be played from `night.starts_at()`, and the same
/// one that the agent runs on.
pub async fn set_up(night: Night, clock: Clock, language: Language) -> io::Result<Stage> {
    let script = Arc::new(Script::new(night));
    let (airflow, airflow_at) = door().await?;
    let (partner, partner_at) = door().await?;
    let (chat_door, chat_at) = door().await?;
    let addresses = Addresses { airflow: airflow_at, partner: partner_at, chat: chat_at };

    let folder = tempfile::Builder::new().prefix("dawnwatch-demo-").tempdir()?;
    std::fs::write(folder.path().join("dawnwatch.toml"), config::text(addresses, language))?;

    let stop = CancellationToken::new();
    let servers = TaskTracker::new();
    let (chat, messages) = chat::router(clock.clone(), language);
    servers.spawn(serve(airflow, airflow::router(script.clone(), clock.clone()), stop.clone()));
    let partner = partner::GoesDark { door: partner, night, clock: clock.clone() };
    servers.spawn(serve(partner, partner::router(clock.clone()), stop.clone()));
    servers.spawn(serve(chat_door, chat, stop.clone()));
    servers.spawn(stop_by_itself(clock, night.ends_at() + AFTERWARDS, stop.clone()));

    Ok(Stage {
        script,
        addresses,
        messages,
        starts_at: night.starts_at(),
        ends_at: night.ends_at(),
        folder,
        servers,
        _stops_when_dropped: stop.clone().drop_guard(),
        stop,
    })
}

/// A door on loopback, at a port that is free.
async fn door() -> io::Result<(TcpListener, SocketAddr)> {
    let door = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let at = door.local_addr()?;
    Ok((door, at))
}

async fn serve<L: Listener>(door: L, router: Router, stop: CancellationToken)
where
    L::Addr: std::fmt::Debug,
{
    // The night has a clock of its own, hundreds of times as fast: without this, each answer would carry the date of the real one.
    let router = router.layer(middleware::map_response(async |mut response: Response| {
        response.headers_mut().insert(header::DATE, HeaderValue::from_static(""));
        response
    }));
    // It ends when it is stopped, and in no other way.
    let _ = axum::serve(door, router).with_graceful_shutdown(stop.cancelled_owned()).await;
}

async fn stop_by_itself(clock: Clock, at: Instant, stop: CancellationToken) {
    while clock.now() < at && !stop.is_cancelled() {
        tokio::select! {
            () = clock.sleep_until(at) => {}
            () = stop.cancelled() => {}
        }
    }
    stop.cancel();
}

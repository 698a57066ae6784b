//! `run`: the agent, until a signal ends it. SIGHUP reads the configuration again.

use super::{Common, output};
use crate::agent::clock::Clock;
use crate::agent::desk::Desk;
use crate::agent::{Agent, Built, Fresh, Load, Page, Setup, Supervisor, sizes};
use crate::config::wiring::{Secret, Web, Wiring};
use crate::config::{self, Loaded};
use crate::error::{Error, Exit};
use crate::store::Store;
use secrecy::{ExposeSecret, SecretString};
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The exit code of a process that a second SIGINT ended, as shells count: 128 + 2.
const ENDED_AT_ONCE: i32 = 130;

pub(super) async fn run(common: &Common, environment: &[(String, String)]) -> Result<Exit, Error> {
    let Loaded { plan, wiring, .. } = super::load(common, environment)?;
    let (config, kept) = match (Built::new(plan, &wiring), Kept::of(&wiring)) {
        (Ok(config), Ok(kept)) => (config, kept),
        (config, kept) => {
            let all = [config.err(), kept.err().map(|why| vec![why])];
            return Err(Error::Unusable(all.into_iter().flatten().flatten().collect()));
        }
    };
    // Before anything that takes its time: a SIGHUP that nobody waits for ends the process.
    let hangups = signal(SignalKind::hangup()).map_err(Error::Signals)?;
    let stop = stop_on_signals()?;
    // Before the page's address: for a second agent on the same store "in use" is the sentence that helps.
    let store = Store::open(&wiring.store).await.map_err(Error::Store)?;
    let page = match &wiring.web {
        Some(web) => Some(Page { listener: listen(web).await?, token: kept.token.clone() }),
        None => None,
    };
    let ready = format!("dawnwatch is watching: {}; store {}, {}", sizes(&config.plan), wiring.store.display(), at(page.as_ref()));
    let load = loader(common, environment, kept);
    let supervisor = Supervisor::of(environment);
    let agent = Agent::start(Setup { config, store, clock: Clock::real(), page, load: Some(load), supervisor }, stop).await?;
    reload_on(hangups, agent.desk());
    output::write(&ready)?;
    let report = agent.run().await;
    tracing::info!(
        polls = report.counts.polls,
        delivered = report.counts.posts_confirmed,
        unsettled = report.unsettled,
        "stopped after {} polls and {} delivered posts; {} posts wait for the next start",
        report.counts.polls,
        report.counts.posts_confirmed,
        report.unsettled
    );
    Ok(Exit::Fine)
}

/// What a running agent keeps, whatever the configuration says meanwhile.
struct Kept {
    store: PathBuf,
    listen: Option<SocketAddr>,
    token: Option<SecretString>,
}

impl Kept {
    fn of(wiring: &Wiring) -> Result<Self, String> {
        let token = wiring.web.as_ref().and_then(|web| web.token.as_ref()).map(Secret::resolve).transpose();
        let token = token.map_err(|why| format!("the status page cannot be served: {why}"))?;
        Ok(Self { store: wiring.store.clone(), listen: wiring.web.as_ref().map(|web| web.listen), token })
    }

    /// What `other` has otherwise, in a few words each.
    fn needs_restart(&self, other: &Self) -> Vec<String> {
        let token = |kept: &Self| kept.token.as_ref().map(|token| token.expose_secret().to_owned());
        let changed = [
            ("[store] path", self.store != other.store),
            ("[web] listen", self.listen != other.listen),
            ("[web] token", token(self) != token(other)),
        ];
        changed.into_iter().filter(|(_, changed)| *changed).map(|(what, _)| what.to_owned()).collect()
    }
}

/// Reads the same files with the same environment again.
fn loader(common: &Common, environment: &[(String, String)], kept: Kept) -> Load {
    let (path, profile, environment) = (common.config.clone(), common.profile.clone(), environment.to_vec());
    Box::new(move || {
        let loaded = config::load(&path, profile.as_deref(), &environment);
        let Loaded { plan, wiring, warnings, .. } =
            loaded.map_err(|refused| refused.errors.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        super::warn(&warnings);
        match (Built::new(plan, &wiring), Kept::of(&wiring)) {
            (Ok(built), Ok(now)) => Ok(Fresh { built, needs_restart: kept.needs_restart(&now) }),
            (built, now) => Err([built.err(), now.err().map(|why| vec![why])].into_iter().flatten().flatten().collect()),
        }
    })
}

fn reload_on(mut hangups: tokio::signal::unix::Signal, desk: Desk) {
    tokio::spawn(async move {
        while hangups.recv().await.is_some() {
            // The loop logs what comes of it; what it never saw has to be said here.
            if let Err(none) = desk.reload().await {
                tracing::warn!("SIGHUP: {none}");
            }
        }
    });
}

async fn listen(web: &Web) -> Result<TcpListener, Error> {
    TcpListener::bind(web.listen).await.map_err(|source| Error::Listen { listen: web.listen, source })
}

fn at(page: Option<&Page>) -> String {
    match page.and_then(|page| page.listener.local_addr().ok()) {
        Some(address) => format!("status page http://{address}/"),
        None => "no status page".to_owned(),
    }
}

/// The first SIGTERM or SIGINT cancels the token, a second one ends the process at once: whoever sends two does not want to wait.
fn stop_on_signals() -> Result<CancellationToken, Error> {
    let mut term = signal(SignalKind::terminate()).map_err(Error::Signals)?;
    let mut int = signal(SignalKind::interrupt()).map_err(Error::Signals)?;
    let stop = CancellationToken::new();
    let cancelled = stop.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = term.recv() => {}
                _ = int.recv() => {}
            }
            if cancelled.is_cancelled() {
                // Safe at any instant: what was decided is durable, and what was being sent is owned up to at the next start.
                std::process::exit(ENDED_AT_ONCE);
            }
            cancelled.cancel();
        }
    });
    Ok(stop)
}

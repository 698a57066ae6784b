//! `run`: the agent, until a signal ends it.

use super::{Common, output};
use crate::agent::clock::Clock;
use crate::agent::{Agent, Page, Setup, build_sinks, build_sources};
use crate::config::Loaded;
use crate::config::wiring::{Secret, Web};
use crate::core::plan::Plan;
use crate::error::{Error, Exit};
use crate::store::Store;
use secrecy::SecretString;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The exit code of a process that a second SIGINT ended, as shells count: 128 + 2.
const ENDED_AT_ONCE: i32 = 130;

pub(super) async fn run(common: &Common, environment: &[(String, String)]) -> Result<Exit, Error> {
    let Loaded { plan, wiring, .. } = super::load(common, environment)?;
    let token = page_token(wiring.web.as_ref());
    let (sources, sinks, token) = match (build_sources(&plan, &wiring), build_sinks(plan.chats.keys(), &wiring), token) {
        (Ok(sources), Ok(sinks), Ok(token)) => (sources, sinks, token),
        (sources, sinks, token) => {
            let all = [sources.err(), sinks.err(), token.err().map(|why| vec![why])];
            return Err(Error::Unusable(all.into_iter().flatten().flatten().collect()));
        }
    };
    let stop = stop_on_signals()?;
    // Before the page's address: for a second agent on the same store "in use" is the sentence that helps.
    let store = Store::open(&wiring.store).await.map_err(Error::Store)?;
    let page = match &wiring.web {
        Some(web) => Some(Page { listener: listen(web).await?, token }),
        None => None,
    };
    let ready = ready_line(&plan, page.as_ref(), &wiring.store);
    let setup = Setup { plan: Arc::new(plan), sources, sinks, store, clock: Clock::real(), page };
    let agent = Agent::start(setup, stop).await?;
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

fn page_token(web: Option<&Web>) -> Result<Option<SecretString>, String> {
    let token = web.and_then(|web| web.token.as_ref()).map(Secret::resolve).transpose();
    token.map_err(|why| format!("the status page cannot be served: {why}"))
}

async fn listen(web: &Web) -> Result<TcpListener, Error> {
    TcpListener::bind(web.listen).await.map_err(|source| Error::Listen { listen: web.listen, source })
}

fn ready_line(plan: &Plan, page: Option<&Page>, store: &Path) -> String {
    let page = match page.and_then(|page| page.listener.local_addr().ok()) {
        Some(address) => format!("status page http://{address}/"),
        None => "no status page".to_owned(),
    };
    format!(
        "dawnwatch is watching: {} sources, {} checks and {} groups for {} dashboards; store {}, {page}",
        plan.sources.len(),
        plan.checks.len(),
        plan.groups.len(),
        plan.dashboards.len(),
        store.display()
    )
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

//! `demo`: one whole night on loopback, in about a minute: real polls, a real store, real posts; only the clock is faster.

use super::output;
use crate::agent::clock::Clock;
use crate::agent::{Agent, Built, Report, Setup, Supervisor};
use crate::config::{self, Loaded};
use crate::core::plan::Language;
use crate::core::state::{Attempt, Row};
use crate::demo::chat::Posted;
use crate::demo::summary::{self, Kind};
use crate::demo::{self, Stage};
use crate::error::{Error, Exit};
use crate::store::Store;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often the progress line is drawn, in real time.
const FRAME: Duration = Duration::from_millis(250);

pub(super) async fn run(args: &super::Demo) -> Result<Exit, Error> {
    let language = args.language.into();
    let clock = Clock::played(args.night.starts_at(), args.speed);
    let mut stage = demo::set_up(args.night, clock.clone(), language).await.map_err(Error::Demo)?;
    let Loaded { plan, wiring, .. } = config::load(stage.config(), None, &[]).map_err(Error::Refused)?;
    let dashboards = plan.dashboards.len();
    let config = Built::new(plan, &wiring).map_err(Error::Unusable)?;
    let store = Store::open(&wiring.store).await.map_err(Error::Store)?;
    output::write(&summary::opening(&stage.script, &stage.page(), dashboards, args.speed, language))?;

    let stop = CancellationToken::new();
    let setup = Setup { config, store, clock: clock.clone(), page: None, load: None, supervisor: Supervisor::none() };
    let agent = tokio::spawn(Agent::start(setup, stop.clone()).await?.run());
    let mut posted = watch(&mut stage, &clock, language).await?;
    stop.cancel();
    let report = agent.await.map_err(|error| Error::Demo(io::Error::other(error)))?;
    while let Ok(last) = stage.messages.try_recv() {
        show(&last, false)?;
        posted.push(last);
    }
    let counts = counts(&report, &wiring.store).await?;
    output::write(&summary::text(&stage.script, &posted, &counts, language))?;
    stage.stop().await;
    Ok(Exit::Fine)
}

/// Shows each message as the chat takes it, until the night is over or somebody has seen enough.
async fn watch(stage: &mut Stage, clock: &Clock, language: Language) -> Result<Vec<Posted>, Error> {
    let terminal = io::stdout().is_terminal();
    let mut posted = Vec::new();
    let mut frames = tokio::time::interval(FRAME);
    let interrupted = tokio::signal::ctrl_c();
    tokio::pin!(interrupted);
    while clock.now() < stage.ends_at {
        tokio::select! {
            Some(message) = stage.messages.recv() => {
                show(&message, terminal)?;
                posted.push(message);
            }
            _ = frames.tick() => {
                if terminal {
                    draw(&summary::progress(&stage.script, clock.now(), posted.len(), language))?;
                }
            }
            _ = &mut interrupted => break,
        }
    }
    if terminal {
        draw("")?;
    }
    Ok(posted)
}

fn show(message: &Posted, over_progress: bool) -> Result<(), Error> {
    if over_progress {
        draw("")?;
    }
    output::write(&message.plain())
}

/// Draws over the line that the cursor is in, and stays in it.
fn draw(line: &str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    write!(out, "\r\x1b[2K{line}").and_then(|()| out.flush()).map_err(Error::Output)
}

async fn counts(report: &Report, store: &Path) -> Result<summary::Counts, Error> {
    let rows = Store::peek(store).await.map_err(Error::Store)?.unwrap_or_default();
    let confirmed = rows.iter().filter_map(|row| match row {
        Row::Post(post) if matches!(post.attempt, Attempt::Confirmed { .. }) => Some(Kind::of(&post.message.body)),
        _ => None,
    });
    Ok(summary::Counts {
        kinds: confirmed.collect(),
        polls: report.counts.polls,
        polls_unanswered: report.counts.polls_unanswered,
        requests: report.traffic.values().map(|traffic| traffic.requests).sum(),
        bytes: report.traffic.values().map(|traffic| traffic.bytes).sum(),
        held_or_silent: report.counts.silences,
    })
}

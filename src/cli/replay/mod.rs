//! `replay`: plays past nights through a configuration, and prints what would have been said. Asks nobody but the source whose runs are
//! wanted, sends nothing, and writes nothing to the store.

mod diff;
mod text;

use super::output::{self, Stream};
use super::{Common, Format, Replay as Args, nights};
use crate::config::wiring::Wiring;
use crate::config::{self, Loaded};
use crate::core::plan::Plan;
use crate::core::tally::Summary;
use crate::error::{Error, Exit};
use crate::replay::Play;
use serde::Serialize;
use std::path::Path;

pub(super) async fn run(common: &Common, args: &Args, environment: &[(String, String)]) -> Result<Exit, Error> {
    nights::ordered((args.from, args.to))?;
    let Loaded { plan, wiring, .. } = super::load(common, environment)?;
    let play = open(plan, &wiring, args).await?;
    if let Some(other) = &args.diff {
        // Of the other configuration only its rules: both play one history.
        let other = open(other_config(other, common, environment)?.plan, &wiring, args).await?;
        return diff::run(common.format, play, other).await;
    }
    show(common.format, play).await?;
    Ok(Exit::Fine)
}

fn other_config(path: &Path, common: &Common, environment: &[(String, String)]) -> Result<Loaded, Error> {
    let loaded = config::load(path, common.profile.as_deref(), environment).map_err(Error::Refused)?;
    super::warn(&loaded.warnings);
    Ok(loaded)
}

async fn open(plan: Plan, wiring: &Wiring, args: &Args) -> Result<Play, Error> {
    let days = (args.from, args.to);
    let (plan, history) = nights::history(plan, wiring, &args.origin, days).await?;
    nights::play(plan, history, days).await
}

/// The last line.
#[derive(Serialize)]
struct Last {
    kind: &'static str,
    #[serde(flatten)]
    summary: Summary,
}

/// Prints the days as they go by, and what they come to.
async fn show(format: Format, mut play: Play) -> Result<(), Error> {
    let mut out = match format {
        Format::Text => return show_text(play).await,
        Format::Jsonl => Stream::lines(),
        Format::Json | Format::Markdown => Stream::document("messages"),
    };
    while let Some(day) = play.day().await? {
        day.lines.iter().try_for_each(|line| out.item(line))?;
    }
    out.end(&Last { kind: "summary", summary: play.counts().summary() })
}

async fn show_text(mut play: Play) -> Result<(), Error> {
    while let Some(day) = play.day().await? {
        text::day(&day).map_or(Ok(()), |text| output::write(&text))?;
    }
    output::write(&text::end(&play.counts()))
}

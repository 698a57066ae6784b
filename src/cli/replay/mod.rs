//! `replay`: plays past nights through a configuration, and prints what would have been said. Asks nobody but the source whose runs are
//! wanted, sends nothing, and writes nothing to the store.

mod diff;
mod text;

use super::{Common, Format, Replay as Args, output};
use crate::config::{self, Loaded};
use crate::core::plan::Plan;
use crate::core::tally::Summary;
use crate::error::{Error, Exit};
use crate::replay::{Day, History, Play};
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;

pub(super) async fn run(common: &Common, args: &Args, environment: &[(String, String)]) -> Result<Exit, Error> {
    if args.to < args.from {
        return Err(Error::Usage(format!("{} to {} is no span of days: --to lies before --from", args.from, args.to)));
    }
    let mut play = open(super::load(common, environment)?, args).await?;
    if let Some(other) = &args.diff {
        let other = other_config(other, common, environment)?;
        let other = open(other, args).await?;
        return diff::run(common.format, play, other).await;
    }
    let mut out = Out::new(common.format);
    while let Some(day) = play.day().await? {
        out.day(&day)?;
    }
    out.end(&mut play)?;
    Ok(Exit::Fine)
}

fn other_config(path: &Path, common: &Common, environment: &[(String, String)]) -> Result<Loaded, Error> {
    let loaded = config::load(path, common.profile.as_deref(), environment).map_err(Error::Refused)?;
    super::warn(&loaded.warnings);
    Ok(loaded)
}

async fn open(loaded: Loaded, args: &Args) -> Result<Play, Error> {
    let plan: Arc<Plan> = Arc::new(loaded.plan);
    let history = match &args.history {
        Some(path) => History::csv(path, &plan)?,
        None => return Err(Error::Usage("--history is wanted".to_owned())),
    };
    Ok(Play::open(plan, history, args.from, args.to).await?)
}

/// What is printed as the days go by.
struct Out {
    format: Format,
    first: bool,
}

/// The last line.
#[derive(Serialize)]
struct Last {
    kind: &'static str,
    #[serde(flatten)]
    summary: Summary,
}

impl Out {
    fn new(format: Format) -> Self {
        Self { format, first: true }
    }

    fn day(&mut self, day: &Day) -> Result<(), Error> {
        match self.format {
            Format::Text => text::day(day).map_or(Ok(()), |text| output::write(&text)),
            Format::Jsonl => day.lines.iter().try_for_each(output::json),
            Format::Json | Format::Markdown => day.lines.iter().try_for_each(|line| {
                output::write(if std::mem::take(&mut self.first) { "{\"messages\":[" } else { "," })?;
                output::json(line)
            }),
        }
    }

    fn end(&mut self, play: &mut Play) -> Result<(), Error> {
        let counts = play.counts();
        let last = Last { kind: "summary", summary: counts.summary() };
        match self.format {
            Format::Text => output::write(&text::end(&counts)),
            Format::Jsonl => output::json(&last),
            Format::Json | Format::Markdown => {
                output::write(if self.first { "{\"messages\":[],\"summary\":" } else { "],\"summary\":" })?;
                output::json(&last)?;
                output::write("}")
            }
        }
    }
}

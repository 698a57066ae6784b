//! `replay`: plays past nights through a configuration, and prints what would have been said. Asks nobody but the source whose runs are
//! wanted, sends nothing, and writes nothing to the store.

mod diff;
mod text;

use super::output::{self, Stream};
use super::{Common, Format, Replay as Args};
use crate::agent::clock::Clock;
use crate::config::wiring::Wiring;
use crate::config::{self, Loaded};
use crate::core::plan::{Id, Plan};
use crate::core::tally::Summary;
use crate::core::time::{Instant, local_date};
use crate::error::{Error, Exit};
use crate::replay::{self, History, Play};
use crate::sources::Source;
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;

pub(super) async fn run(common: &Common, args: &Args, environment: &[(String, String)]) -> Result<Exit, Error> {
    if args.to < args.from {
        return Err(Error::Usage(format!("{} to {} is no span of days: --to lies before --from", args.from, args.to)));
    }
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
    let (plan, history) = match (&args.history, &args.from_source) {
        (Some(path), _) => {
            let plan = Arc::new(plan);
            let history = History::csv(path, &plan)?;
            (plan, history)
        }
        (None, Some(id)) => fetched(plan, wiring, id, args).await?,
        (None, None) => {
            let history = History::stored(&wiring.store, &plan).await?;
            (Arc::new(plan), history)
        }
    };
    let (from, to) = replay::days(&plan, args.from, args.to);
    let local = |at: Instant| at.with_timezone(&plan.timezone).format("%F %R").to_string();
    let span = history.span();
    let within = span.is_some_and(|(first, last)| from <= last && first < to);
    let told = match span {
        Some((first, last)) => format!("the history goes from {} to {}", local(first), local(last)),
        None => "the history is empty".to_owned(),
    };
    // What an agent saw says nothing of other days; what is written down says that nothing ran in them.
    if !within && history.ends_at().is_some() {
        return Err(Error::Usage(format!("{told}: nothing is known of these days")));
    }
    if !within || span.is_some_and(|(first, _)| from < first && local_date(first, plan.timezone) > args.from) {
        tracing::warn!("{told}: nothing ran on the days outside of it, if that is all");
    }
    if let Some(ends) = history.ends_at().filter(|ends| *ends < to) {
        tracing::warn!("the history ends at {}: the play ends there", local(ends));
    }
    Ok(Play::open(plan, history, args.from, args.to).await?)
}

/// What this Airflow knows of its runs, also of those from which is learned how long they take; and the part of the plan that is played
/// with it.
async fn fetched(plan: Plan, wiring: &Wiring, id: &str, args: &Args) -> Result<(Arc<Plan>, History), Error> {
    let Some((id, wiring)) = wiring.sources.get_key_value(id) else {
        let known: Vec<&str> = plan.sources.keys().map(Id::as_str).collect();
        return Err(Error::Usage(format!("there is no source {id:?}; expected one of {}", known.join(", "))));
    };
    let source = Source::build(id, wiring).map_err(|why| Error::Unusable(vec![why]))?;
    let (from, to) = replay::days(&plan, args.from, args.to);
    let (plan, left_out) = replay::of_source(plan, id);
    if let Some(first) = left_out.first() {
        let count = left_out.len();
        tracing::warn!("{id} can tell nothing of checks of other sources: {count} are left out, the first of them {first}");
    }
    let history = History::fetched(source, id, &plan, (from - replay::KNOWN, to), Clock::real().now()).await?;
    Ok((Arc::new(plan), history))
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

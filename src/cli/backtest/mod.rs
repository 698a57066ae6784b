//! `backtest`: what would have been foreseen. Over the nights of the configuration's own checks a score card for a person; over feeds whose
//! arrivals are known the answers to questions in a file. Sends nothing, and asks nobody but the source whose runs are wanted.

mod text;

use super::nights::{self, Days, Origin};
use super::{Common, Format, output};
use crate::agent::clock::Clock;
use crate::backtest::card::{self, Card};
use crate::backtest::{self, Files};
use crate::config::Loaded;
use crate::core::time::{local_date, shift};
use crate::error::{Error, Exit};
use crate::replay::History;
use chrono::NaiveDate;
use chrono_tz::Tz;
use serde_json::json;
use std::path::PathBuf;

/// Of so many nights, where nothing else is said.
const NIGHTS: i32 = 90;
/// The most that is looked at: ten years.
const NIGHTS_MAX: i64 = 3_660;

pub(super) const AFTER_HELP: &str = "\
The history is what the store has recorded, or imported, as for replay. Each night is looked at from six hours before the deadline on,
and each look knows only what was known then.

With --feeds, --deadlines, --predictions and --eta it answers instead how likely each of many known deadlines was to be missed. DIR
holds feeds.csv and arrivals/FEED.csv; all files are CSV, times RFC 3339.

Exit codes: 0 told, 2 the history or a file makes no sense, 3 the store, the source or a file cannot be read or written.";

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The first day, in the configuration's timezone; default: 90 nights up to the last.
    #[arg(long, value_name = "DATE")]
    pub from: Option<NaiveDate>,
    /// The last day; default: the last of which anything is known.
    #[arg(long, value_name = "DATE")]
    pub to: Option<NaiveDate>,
    #[command(flatten)]
    pub origin: Origin,
    #[command(flatten)]
    pub files: FeedFiles,
}

/// All or none.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Over feeds")]
pub struct FeedFiles {
    /// The folder with feeds.csv and arrivals/.
    #[arg(long, value_name = "DIR", requires_all = ["deadlines", "predictions", "eta"])]
    #[arg(conflicts_with_all = ["from", "to", "history", "from_source"])]
    pub feeds: Option<PathBuf>,
    /// The cycles with their windows and deadlines: feed, cycle, local_date, opens_at, ends_at, deadline_slack_0, …_60, …_180, scored.
    #[arg(long, value_name = "FILE", requires = "feeds")]
    pub deadlines: Option<PathBuf>,
    /// Written: feed, cycle, slack, minutes_before, p_miss.
    #[arg(long, value_name = "FILE", requires = "feeds")]
    pub predictions: Option<PathBuf>,
    /// Written: feed, cycle, p10 to p95.
    #[arg(long, value_name = "FILE", requires = "feeds")]
    pub eta: Option<PathBuf>,
}

pub(super) async fn run(common: &Common, args: &Args, environment: &[(String, String)]) -> Result<Exit, Error> {
    let FeedFiles { feeds, deadlines, predictions, eta } = &args.files;
    if let (Some(feeds), Some(deadlines), Some(predictions), Some(eta)) = (feeds, deadlines, predictions, eta) {
        return over_feeds(common, Files { feeds, deadlines, predictions, eta });
    }
    if let (Some(from), Some(to)) = (args.from, args.to) {
        nights::ordered((from, to))?;
    }
    let Loaded { plan, wiring, .. } = super::load(common, environment)?;
    let today = local_date(Clock::real().now(), plan.timezone);
    let asked = days(args, None, today)?;
    let (plan, history) = nights::history(plan, &wiring, &args.origin, asked).await?;
    let known = if args.origin.from_source.is_some() { None } else { known(&history, plan.timezone) };
    let play = nights::play(plan.clone(), history, days(args, known, today)?).await?;
    let card = Card::of(&card::look(play).await?, &plan);
    match common.format {
        Format::Text => output::write(&text::card(&card))?,
        _ => output::json(&card)?,
    }
    Ok(Exit::Fine)
}

/// The first and the last day that a history says anything of.
fn known(history: &History, zone: Tz) -> Option<Days> {
    let (first, last) = history.span()?;
    let last = history.ends_at().map_or(last, |ends| ends.max(last));
    Some((local_date(first, zone), local_date(last, zone)))
}

/// The days that are wanted, of those that are known (`None`: nobody can tell before they are asked for).
fn days(args: &Args, known: Option<Days>, today: NaiveDate) -> Result<Days, Error> {
    let to = args.to.unwrap_or_else(|| known.map_or(today, |(_, last)| last).max(args.from.unwrap_or(NaiveDate::MIN)));
    let from = args.from.unwrap_or_else(|| {
        let from = shift(to, 1 - NIGHTS);
        known.map_or(from, |(first, _)| from.max(first)).min(to)
    });
    let (from, to) = nights::ordered((from, to))?;
    if (to - from).num_days() >= NIGHTS_MAX {
        return Err(Error::Usage(format!("{from} to {to} is too long; expected at most {NIGHTS_MAX} days")));
    }
    Ok((from, to))
}

fn over_feeds(common: &Common, files: Files<'_>) -> Result<Exit, Error> {
    let answered = backtest::run(files).map_err(Error::Backtest)?;
    let (feeds, cycles, predictions) = (answered.feeds, answered.cycles, answered.predictions);
    output::write(&match common.format {
        Format::Text => format!("{predictions} predictions for {cycles} cycles of {feeds} feeds\n"),
        _ => json!({"feeds": feeds, "cycles": cycles, "predictions": predictions}).to_string(),
    })?;
    Ok(Exit::Fine)
}

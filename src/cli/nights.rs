//! The nights that `replay` and `backtest` play: where their history comes from, and of which days. Asks nobody but the source whose runs
//! are wanted, and writes nothing.

use crate::agent::clock::Clock;
use crate::config::wiring::Wiring;
use crate::core::plan::{Id, Plan};
use crate::core::time::{Instant, local_date};
use crate::error::Error;
use crate::replay::{self, History, Play};
use crate::sources::Source;
use chrono::NaiveDate;
use std::path::PathBuf;
use std::sync::Arc;

/// Where the history comes from.
#[derive(Debug, clap::Args)]
pub struct Origin {
    /// A file of CSV, or a folder of them; left out: what the store has recorded.
    #[arg(long, value_name = "PATH")]
    pub history: Option<PathBuf>,
    /// Asks this Airflow for its runs. Nothing else is asked.
    #[arg(long, value_name = "SOURCE", conflicts_with = "history")]
    pub from_source: Option<String>,
}

/// The first and the last day, both played.
pub(super) type Days = (NaiveDate, NaiveDate);

pub(super) fn ordered(days: Days) -> Result<Days, Error> {
    if days.1 < days.0 {
        return Err(Error::Usage(format!("{} to {} is no span of days: --to lies before --from", days.0, days.1)));
    }
    Ok(days)
}

/// The history, and the plan that is played with it. `days`: of them an Airflow is asked for its runs; the others tell all that they know.
pub(super) async fn history(plan: Plan, wiring: &Wiring, origin: &Origin, days: Days) -> Result<(Arc<Plan>, History), Error> {
    match (&origin.history, &origin.from_source) {
        (Some(path), _) => {
            let plan = Arc::new(plan);
            let history = History::csv(path, &plan)?;
            Ok((plan, history))
        }
        (None, Some(id)) => fetched(plan, wiring, id, days).await,
        (None, None) => {
            let history = History::stored(&wiring.store, &plan).await?;
            Ok((Arc::new(plan), history))
        }
    }
}

/// Plays a history over these days, and warns of those that it says nothing of.
pub(super) async fn play(plan: Arc<Plan>, history: History, days: Days) -> Result<Play, Error> {
    let (from, to) = replay::days(&plan, days.0, days.1);
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
    if !within || span.is_some_and(|(first, _)| from < first && local_date(first, plan.timezone) > days.0) {
        tracing::warn!("{told}: nothing ran on the days outside of it, if that is all");
    }
    if let Some(ends) = history.ends_at().filter(|ends| *ends < to) {
        tracing::warn!("the history ends at {}: the play ends there", local(ends));
    }
    Ok(Play::open(plan, history, days.0, days.1).await?)
}

/// What this Airflow knows of its runs, also of those from which is learned how long they take; and the part of the plan that is played
/// with it.
async fn fetched(plan: Plan, wiring: &Wiring, id: &str, days: Days) -> Result<(Arc<Plan>, History), Error> {
    let Some((id, wiring)) = wiring.sources.get_key_value(id) else {
        let known: Vec<&str> = plan.sources.keys().map(Id::as_str).collect();
        return Err(Error::Usage(format!("there is no source {id:?}; expected one of {}", known.join(", "))));
    };
    let source = Source::build(id, wiring).map_err(|why| Error::Unusable(vec![why]))?;
    let (from, to) = replay::days(&plan, days.0, days.1);
    let (plan, left_out) = replay::of_source(plan, id);
    if let Some(first) = left_out.first() {
        let count = left_out.len();
        tracing::warn!("{id} can tell nothing of checks of other sources: {count} are left out, the first of them {first}");
    }
    let history = History::fetched(source, id, &plan, (from - replay::KNOWN, to), Clock::real().now()).await?;
    Ok((Arc::new(plan), history))
}

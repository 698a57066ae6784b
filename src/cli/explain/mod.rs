//! `explain`: why a check or a dashboard stands as it does, and what was said, held or left silent about it. Reads the store beside
//! the agent; asks no source and writes nothing.

mod ledger;
#[cfg(test)]
mod tests;
mod words;

use super::{Common, Explain as Args, Format, output};
use crate::agent::clock::Clock;
use crate::config::{self, Loaded};
use crate::core::plan::{Id, Plan};
use crate::core::roster::Roster;
use crate::core::state::{Entry, State};
use crate::core::step::{Input, step};
use crate::core::time::{Instant, resolve};
use crate::error::{Error, Exit};
use crate::explain::{Story, Subject, begins, story};
use crate::replay::{self, History};
use crate::store::{Store, StoreError};
use chrono::{DateTime, NaiveDateTime, TimeDelta};
use chrono_tz::Tz;
use std::path::Path;
use std::sync::Arc;

pub(super) async fn run(common: &Common, args: &Args, environment: &[(String, String)]) -> Result<Exit, Error> {
    let Loaded { plan, wiring, .. } = super::load(common, environment)?;
    let now = Clock::real().now();
    let then = args.at.as_deref().map(|text| time(text, plan.timezone, now)).transpose()?;
    let rows = Store::peek(&wiring.store).await.map_err(Error::Store)?;
    let rows = rows.ok_or_else(|| Error::NoStore(wiring.store.display().to_string()))?;
    let mut state = State::restore(rows, &plan);
    // Judged as of now; the commit is let go: nothing is written.
    step(&mut state, &plan, now, Input::Tick);
    let subject = Subject::named(&args.name, &state.roster, &plan).ok_or_else(|| unknown(&args.name, &state.roster, &plan))?;
    let (known, at) = match then {
        None => (Some(&state), now),
        // As far as the store kept what was seen; else the ledger alone tells.
        Some(at) => {
            let history = History::stored(&wiring.store, &plan).await?;
            let seen = replay::state_at(Arc::new(plan.clone()), history, at).await?;
            let known = seen.map(|seen| state = seen).is_some();
            (known.then_some(&state), at)
        }
    };
    let entries = read(&wiring.store, begins(known, &state.roster, &subject, at), at).await.map_err(Error::Store)?;
    let story = story(known, &state.roster, &plan, &entries, &subject, at);
    output::write(&match common.format {
        Format::Text => words::text(&story, &state, &plan),
        _ => words::json(&story, &state, &plan).to_string(),
    })?;
    Ok(Exit::Fine)
}

/// Until `at`, that instant with it.
async fn read(store: &Path, from: Instant, at: Instant) -> Result<Vec<Entry>, StoreError> {
    let mut entries = Vec::new();
    let mut lines = Store::ledger(store, from, at + TimeDelta::microseconds(1));
    while let Some(page) = lines.page().await? {
        entries.extend(page);
    }
    Ok(entries)
}

fn unknown(name: &str, roster: &Roster, plan: &Plan) -> Error {
    let names = plan.dashboards.keys().chain(roster.checks.iter().map(|known| &known.id)).map(Id::as_str);
    Error::Usage(format!("there is no check and no dashboard {name:?}{}", config::hint(name, names)))
}

/// RFC 3339, or a local date and time.
fn time(text: &str, zone: Tz, now: Instant) -> Result<Instant, Error> {
    let local = || {
        let forms = ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"];
        let local = forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())?;
        Some(resolve(local.date(), local.time(), zone))
    };
    let at = DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc()).or_else(local);
    let at = at.ok_or_else(|| {
        Error::Usage(format!("--at {text:?} is no time; expected one such as \"2026-11-23 06:00\" or 2026-11-23T06:00:00+09:00"))
    })?;
    if at > now { Err(Error::Usage(format!("--at {text} has not come yet: nothing is known of it"))) } else { Ok(at) }
}

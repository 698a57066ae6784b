//! `report`: what the ledger says of some days: deadlines met and missed, who was asked and when, what healed by itself, and how
//! quiet it was. Counts nothing itself (`core::tally` does), and asks nobody.

mod layout;
mod sheet;

use super::{Common, Format, Report as Args, output};
use crate::agent::clock::Clock;
use crate::config::Loaded;
use crate::core::plan::Plan;
use crate::core::state::State;
use crate::core::tally::{Counts, Deadlines, Span, Tally};
use crate::core::time::{Instant, local_date, midnight, shift};
use crate::error::{Error, Exit};
use crate::store::{Store, StoreError};
use chrono::{NaiveDate, TimeDelta};
use chrono_tz::Tz;
use serde_json::{Value, json};
use std::path::Path;

const DAYS: i32 = 7;
/// The most that is counted: ten years.
const DAYS_MAX: i64 = 3_660;
/// A cycle whose deadline lies in the span closes later; so does a darkness end.
const AFTER: TimeDelta = TimeDelta::days(3);

pub(super) async fn run(common: &Common, args: &Args, environment: &[(String, String)]) -> Result<Exit, Error> {
    let Loaded { plan, wiring, .. } = super::load(common, environment)?;
    let now = Clock::real().now();
    let days = days(args, local_date(now, plan.timezone))?;
    let rows = Store::peek(&wiring.store).await.map_err(Error::Store)?;
    let rows = rows.ok_or_else(|| Error::NoStore(wiring.store.display().to_string()))?;
    let told = gather(&wiring.store, &State::restore(rows, &plan), &plan, days, now).await.map_err(Error::Store)?;
    output::write(&match common.format {
        Format::Json | Format::Jsonl => json(&told).to_string(),
        Format::Markdown => layout::markdown(&sheet::sheet(&told)),
        Format::Text => layout::text(&sheet::sheet(&told)),
    })?;
    Ok(Exit::Fine)
}

/// First and last day, both counted.
fn days(args: &Args, today: NaiveDate) -> Result<(NaiveDate, NaiveDate), Error> {
    let to = args.to.unwrap_or_else(|| shift(today, -1).max(args.from.unwrap_or(NaiveDate::MIN)));
    let from = args.from.unwrap_or_else(|| shift(to, 1 - DAYS));
    let length = (to - from).num_days() + 1;
    if !(1..=DAYS_MAX).contains(&length) {
        return Err(Error::Usage(format!("{from} to {to} is no span of days; expected 1 to {DAYS_MAX} of them")));
    }
    if from > today {
        return Err(Error::Usage(format!("{from} has not come yet: there is nothing to report of it")));
    }
    Ok((from, to))
}

/// What a report tells.
struct Told {
    days: (NaiveDate, NaiveDate),
    zone: Tz,
    counts: Counts,
    /// Of as many days before, where the ledger reaches back so far.
    before: Option<Counts>,
    /// When the ledger begins; `None`: there is nothing in it.
    begins: Option<Instant>,
    /// It begins after the first of the days did.
    is_short: bool,
}

async fn gather(store: &Path, state: &State, plan: &Plan, days: (NaiveDate, NaiveDate), now: Instant) -> Result<Told, StoreError> {
    let zone = plan.timezone;
    let length = i32::try_from((days.1 - days.0).num_days()).unwrap_or(i32::MAX) + 1;
    let (first, last) = (midnight(days.0, zone), midnight(shift(days.1, 1), zone));
    let begins = Store::ledger_begins(store).await?;
    // Of before its beginning nothing is known, also not that it was quiet.
    let is_short = begins.is_none_or(|begins| begins > first);
    let from = begins.map_or(first, |begins| begins.max(first)).min(last);
    let earlier = Span { from: midnight(shift(days.0, -length), zone), to: first };
    let compares = begins.is_some_and(|begins| begins <= earlier.from);
    let (mut tally, mut before) = (Tally::new(Span { from, to: last }), Tally::new(earlier));
    let mut lines = Store::ledger(store, earlier.from, last + AFTER);
    while let Some(entries) = lines.page().await? {
        for entry in &entries {
            tally.take(entry);
            before.take(entry);
        }
    }
    tally.look(state, plan, now);
    before.look(state, plan, now);
    let before = compares.then(|| before.counts(now));
    Ok(Told { days, zone, counts: tally.counts(now), before, begins, is_short })
}

fn json(told: &Told) -> Value {
    let begins = told.begins.map(|begins| begins.with_timezone(&told.zone).to_rfc3339());
    json!({
        "from": told.days.0,
        "to": told.days.1,
        "timezone": told.zone.name(),
        "ledger_begins": begins,
        "complete": !told.is_short,
        "counts": counts(&told.counts),
        "before": told.before.as_ref().map(counts),
    })
}

fn counts(counts: &Counts) -> Value {
    let named = |deadlines: &Deadlines| {
        let mut named = json!(deadlines);
        named["due"] = json!(deadlines.due());
        named["median_lead_minutes"] = json!(deadlines.median_lead_minutes());
        named
    };
    let dashboards: serde_json::Map<String, Value> = counts.dashboards.iter().map(|(id, of)| (id.to_string(), named(of))).collect();
    let causes: serde_json::Map<String, Value> = counts.causes.iter().map(|(cause, of)| (cause.to_string(), json!(of))).collect();
    let blind: serde_json::Map<String, Value> =
        counts.blind.iter().map(|(id, blind)| (id.to_string(), json!(blind.num_minutes()))).collect();
    json!({
        "deadlines": named(&counts.deadlines),
        "words": counts.words,
        "messages": counts.messages,
        "digests": counts.digests,
        "blind_minutes": blind,
        "hours": counts.hours,
        "quiet_hours": counts.quiet_hours,
        "unwatched_hours": counts.unwatched_hours,
        "dashboards": dashboards,
        "causes": causes,
    })
}

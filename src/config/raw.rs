//! The configuration as it is written: names and types of keys, nothing checked, nothing filled in. The JSON Schema is made from these.
//!
//! Every key is optional here, so that what is missing is found by the check, with its own sentence, beside all other errors. None
//! of these types has `Debug`: a value may be a secret.

use super::values::{ClockOrReady, OneOrMany, Reference, TextOrReference};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

type Map<T> = BTreeMap<String, T>;

/// The configuration of dawnwatch.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct Raw {
    /// Zone of all clock times: "Asia/Seoul".
    pub(super) timezone: Option<String>,
    /// Language of messages: en or ko. A chat may have its own.
    pub(super) language: Option<String>,
    /// How long what was seen, and the ledger, are kept: "400d".
    pub(super) retention: Option<String>,
    /// Chats for trouble of the watch itself, and for checks outside any dashboard.
    pub(super) tell: Vec<String>,
    pub(super) store: RawStore,
    pub(super) web: RawWeb,
    pub(super) heartbeat: Option<RawHeartbeat>,
    pub(super) calendars: Map<RawCalendar>,
    pub(super) owners: Map<RawOwner>,
    pub(super) maintenance: Map<RawMaintenance>,
    pub(super) sources: Map<RawSource>,
    pub(super) templates: Map<RawCheck>,
    pub(super) groups: Map<RawGroup>,
    // Each by itself: there may be thousands, and most keys of most are not there.
    pub(super) checks: Map<Box<RawCheck>>,
    pub(super) dashboards: Map<RawDashboard>,
    pub(super) chats: Map<RawChat>,
    pub(super) digests: Map<RawDigest>,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct RawStore {
    /// The SQLite file; default "dawnwatch.db" beside the main file.
    pub(super) path: Option<String>,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct RawWeb {
    /// Where the status page listens, or "off".
    pub(super) listen: Option<String>,
    /// Required where `listen` is not loopback.
    pub(super) token: Option<Reference>,
}

/// Outward proof of life: a dead man's switch elsewhere speaks up when it stays away.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct RawHeartbeat {
    pub(super) url: Option<TextOrReference>,
    /// Default "5m".
    pub(super) every: Option<String>,
}

/// Workdays and days off.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct RawCalendar {
    /// Default sat and sun.
    pub(super) weekend: Option<Vec<String>>,
    /// "builtin:KR", or the path of an .ics file.
    pub(super) holidays: Vec<String>,
    /// More days off.
    pub(super) off: Vec<String>,
    /// Days of work that would otherwise be off.
    pub(super) work: Vec<String>,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct RawOwner {
    pub(super) name: Option<String>,
    /// Shown, never used.
    pub(super) contact: Option<String>,
}

/// Hours in which these are expected to be dark: no word about them, unless a deadline is in danger.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct RawMaintenance {
    pub(super) sources: Vec<String>,
    pub(super) checks: Vec<String>,
    /// Days on which it begins; default daily.
    pub(super) on: Option<String>,
    /// "02:00-04:30"; over midnight they end on the day after. Default: the whole day.
    pub(super) hours: Option<String>,
}

/// A system that can be asked.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct RawSource {
    /// airflow, luigi, http, sql or file.
    pub(super) kind: Option<String>,
    /// http: with {id} in it, one request for each check. sql: "sqlite:PATH" or "postgres://…", by reference if a password is in it.
    pub(super) url: Option<TextOrReference>,
    /// How often to ask; default "60s".
    pub(super) every: Option<String>,
    /// For one request; default "10s".
    pub(super) timeout: Option<String>,
    /// Certificates to trust, PEM.
    pub(super) ca_file: Option<String>,
    pub(super) username: Option<String>,
    pub(super) password: Option<Reference>,
    pub(super) token: Option<Reference>,
    pub(super) headers: Option<Map<TextOrReference>>,
    /// JSONPath (RFC 9535) of the items; left out: the whole body is the one item.
    pub(super) items: Option<String>,
    pub(super) id: Option<String>,
    pub(super) state: Option<String>,
    pub(super) started_at: Option<String>,
    pub(super) ended_at: Option<String>,
    pub(super) timestamp: Option<String>,
    pub(super) error: Option<String>,
    /// Globs added to the usual words of each state.
    pub(super) states: Option<RawStates>,
    /// sql: the zone of timestamps without one.
    pub(super) timezone: Option<String>,
    /// sql: one query for all checks, which yields rows of an id and a timestamp.
    pub(super) query: Option<String>,
    /// file: the folder beneath which everything lies.
    pub(super) root: Option<String>,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct RawStates {
    pub(super) success: Vec<String>,
    pub(super) failed: Vec<String>,
    pub(super) running: Vec<String>,
    pub(super) queued: Vec<String>,
    pub(super) retrying: Vec<String>,
}

/// One thing that must arrive; a template has any of these keys.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct RawCheck {
    pub(super) source: Option<String>,
    /// What the source calls it; default: the check's own name.
    pub(super) id: Option<String>,
    /// The template whose keys are taken where this table has none.
    pub(super) extends: Option<String>,
    /// Checks, or "group:NAME".
    pub(super) needs: Vec<String>,
    pub(super) owner: Option<String>,
    pub(super) runbook: Option<String>,
    /// Declared run time.
    pub(super) duration: Option<String>,
    /// Days on which it is due.
    pub(super) on: Option<String>,
    /// Its own window; default: the dashboard's.
    pub(super) counts_from: Option<String>,
    /// Of several runs a day, the one scheduled at or after this must be done.
    pub(super) run: Option<String>,
    /// The timestamp is data time and must reach this.
    pub(super) through: Option<String>,
    /// Stale past this at any hour.
    pub(super) max_age: Option<String>,
    /// sql: yields the one timestamp.
    pub(super) query: Option<String>,
    /// file: beneath the source's root; may hold globs and {date:%Y-%m-%d}.
    pub(super) path: Option<String>,
    /// file: the date in the path, from the business date: "-1d", or "-1 CAL:workdays".
    pub(super) date: Option<String>,
    /// file: the unique id of a node in dbt's sources.json or run_results.json.
    pub(super) dbt: Option<String>,
}

/// Every matching pipeline of a source is a check named by its own id.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct RawGroup {
    pub(super) source: Option<String>,
    #[serde(rename = "match")]
    pub(super) matches: Option<RawMatcher>,
    pub(super) exclude: Option<RawMatcher>,
    pub(super) extends: Option<String>,
    pub(super) needs: Vec<String>,
    pub(super) owner: Option<String>,
    pub(super) runbook: Option<String>,
    pub(super) duration: Option<String>,
    pub(super) on: Option<String>,
    pub(super) counts_from: Option<String>,
    pub(super) run: Option<String>,
    pub(super) max_age: Option<String>,
}

/// Each given list: any of; all given lists must hold.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct RawMatcher {
    pub(super) tags: Vec<String>,
    /// Globs.
    pub(super) ids: Vec<String>,
    pub(super) owners: Vec<String>,
}

/// What people look at.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct RawDashboard {
    pub(super) name: Option<String>,
    pub(super) needs: Vec<String>,
    /// The deadline, or a list of them in ascending order.
    pub(super) ready_by: Option<OneOrMany>,
    /// Days on which it is due; default daily.
    pub(super) on: Option<String>,
    /// Days on which a miss matters to somebody; default: `on`.
    pub(super) audience: Option<String>,
    pub(super) audience_also: Vec<String>,
    /// The window opens; default "00:00".
    pub(super) counts_from: Option<String>,
    /// From being told to acting; default "20m".
    pub(super) reaction: Option<String>,
    /// Not ready so long before the deadline is at risk; default "15m".
    pub(super) at_latest: Option<String>,
    /// The chance to miss from which on it is said early, of 1; default 0.8.
    pub(super) warn_at: Option<f64>,
    /// May quiet hours be broken for it?
    pub(super) wake: bool,
    pub(super) tell: Vec<String>,
    /// Chats asked when nobody has answered or repaired.
    pub(super) escalate: Vec<String>,
    /// Default "30m".
    pub(super) escalate_after: Option<String>,
    pub(super) url: Option<String>,
}

/// Where messages go.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct RawChat {
    /// slack, webhook or console.
    pub(super) kind: Option<String>,
    pub(super) url: Option<TextOrReference>,
    /// webhook: signs the body with HMAC-SHA256.
    pub(super) secret: Option<Reference>,
    pub(super) timeout: Option<String>,
    pub(super) ca_file: Option<String>,
    /// Nobody is asked for in these hours: "22:00-07:00".
    pub(super) quiet: Option<String>,
    /// The whole of such a day is quiet.
    pub(super) quiet_days: Option<String>,
    /// Who is asked, in the platform's own notation.
    pub(super) mention: Option<String>,
    pub(super) language: Option<String>,
    /// The chat that takes over when this one is broken.
    pub(super) fallback: Option<String>,
}

/// A scheduled summary.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct RawDigest {
    /// "now" (the default): how all stands; "week": what the last 7 whole days came to.
    pub(super) about: Option<String>,
    /// A clock time, or { when = "ready", latest = "08:30" }.
    pub(super) at: Option<ClockOrReady>,
    /// Default daily.
    pub(super) on: Option<String>,
    /// Says what a workday is for `when_all_green`; without one Monday to Friday are.
    pub(super) calendar: Option<String>,
    pub(super) to: Vec<String>,
    pub(super) when_all_green: Option<RawGreen>,
}

/// post, quiet or silent.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a table such as { workdays = \"post\", otherwise = \"silent\" }")]
pub(super) struct RawGreen {
    pub(super) workdays: Option<String>,
    pub(super) otherwise: Option<String>,
}

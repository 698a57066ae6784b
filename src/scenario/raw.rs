//! A golden night as it is written: names and types of keys, nothing understood yet.

use serde::Deserialize;

/// Keys of which at least one stands at the top of a golden night, and never at the top of a configuration.
pub(super) const MARKS: [&str; 9] = ["from", "to", "name", "situations", "rows", "usually", "happens", "expect", "decides"];

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct Head {
    pub(super) name: Option<String>,
    pub(super) situations: Vec<String>,
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
    pub(super) config: Option<String>,
    pub(super) rows: Option<String>,
}

/// How a check ran in the nights before.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct Usually {
    pub(super) check: Option<String>,
    pub(super) started_at: Option<String>,
    pub(super) arrived_at: Option<String>,
    pub(super) nights: Option<u32>,
    pub(super) on: Option<String>,
    pub(super) until: Option<String>,
    pub(super) spread: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct Happens {
    pub(super) at: Option<String>,
    pub(super) until: Option<String>,
    pub(super) dark: Option<String>,
    pub(super) unlisted: Option<String>,
    pub(super) why: Option<String>,
    pub(super) scheduler: Option<String>,
    pub(super) dead: Option<bool>,
    pub(super) heartbeat: Option<String>,
    pub(super) clock: Option<String>,
    pub(super) ahead: Option<String>,
    pub(super) run: Option<String>,
    pub(super) state: Option<String>,
    pub(super) task: Option<String>,
    pub(super) error: Option<String>,
    pub(super) gone: Option<String>,
    pub(super) strange: Option<String>,
    pub(super) says: Option<String>,
    pub(super) member: Option<String>,
    pub(super) paused: bool,
    pub(super) import_error: bool,
    pub(super) next_run: Option<String>,
    pub(super) tags: Vec<String>,
    pub(super) owners: Vec<String>,
    pub(super) chat: Option<String>,
    pub(super) answers: Option<String>,
    pub(super) order: Option<String>,
    pub(super) incident: Option<u64>,
    pub(super) check: Option<String>,
    pub(super) dashboard: Option<String>,
    pub(super) source: Option<String>,
    pub(super) by: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) restart: Option<bool>,
    pub(super) asleep: Option<String>,
    pub(super) reload: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct Expect {
    pub(super) at: Option<String>,
    pub(super) chat: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) attention: Option<String>,
    pub(super) verdict: Option<String>,
    pub(super) incident: Option<u64>,
    pub(super) cause: Option<String>,
    pub(super) dashboards: Option<Vec<String>>,
    pub(super) checks: Option<Vec<String>>,
    pub(super) says: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct Decides {
    pub(super) at: Option<String>,
    pub(super) decision: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) until: Option<String>,
    pub(super) about: Option<String>,
    pub(super) chat: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct Silence {
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
    pub(super) heartbeat: bool,
}

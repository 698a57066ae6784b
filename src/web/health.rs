//! Is the watch itself well? Pure: a snapshot and the time in, words out.
//!
//! `/healthz` answers 503 for what a restart or an operator must mend at once: the loop stands still, or the store takes no writes.
//! A chat that refuses messages is told in the body and stays 200: the posts went to its fallback, and a restart, which is what
//! orchestrators do at 503, would not mend it. A dark source stays 200 as well: that is the pipelines' trouble, told in chat.

use super::snapshot::Snapshot;
use crate::core::time::Instant;
use chrono::{SecondsFormat, TimeDelta};
use serde_json::{Value, json};

/// The loop publishes at every wake, and wakes at least once a minute.
const FRESH: TimeDelta = TimeDelta::minutes(3);

/// Why the watch cannot be relied on now; `None`: it can.
pub(super) fn trouble(snapshot: &Snapshot, now: Instant) -> Option<String> {
    let age = now - snapshot.at;
    let stale = if age > FRESH {
        Some(format!("nothing was judged for {}", words(age)))
    } else if age < -FRESH {
        Some(format!("the last judgement lies {} in the future: the clock was set back", words(-age)))
    } else {
        None
    };
    let store = snapshot.store_trouble.as_ref().map(|trouble| format!("the store is in trouble: {trouble}"));
    let found: Vec<_> = stale.into_iter().chain(store).collect();
    if found.is_empty() { None } else { Some(found.join("; ")) }
}

/// The body of `/healthz` for anybody: what the configuration, the store or a chat said stays inside.
pub(super) fn brief(snapshot: &Snapshot, now: Instant) -> Value {
    let failing = trouble(snapshot, now).is_some();
    json!({
        "status": status(failing),
        "reason": failing.then_some("the watch cannot be relied on now; the status page, /healthz with the token and the log say why"),
        "at": text(snapshot.at),
        "now": text(now),
        "started_at": text(snapshot.started_at),
        "ready": snapshot.ready,
    })
}

/// The body of `/healthz` for who may see all.
pub(super) fn report(snapshot: &Snapshot, now: Instant) -> Value {
    let trouble = trouble(snapshot, now);
    let broken = snapshot.chats.iter().filter_map(|chat| Some(json!({ "chat": chat.id, "why": chat.broken.as_ref()? })));
    let dark = snapshot.sources.iter().filter(|source| source.dark_since.is_some()).map(|source| &source.id);
    json!({
        "status": status(trouble.is_some()),
        "reason": trouble,
        "at": text(snapshot.at),
        "now": text(now),
        "started_at": text(snapshot.started_at),
        "version": env!("CARGO_PKG_VERSION"),
        "ready": snapshot.ready,
        "chats_broken": broken.collect::<Vec<_>>(),
        "sources_dark": dark.collect::<Vec<_>>(),
        "store_trouble": snapshot.store_trouble,
        "config_refused": snapshot.config_refused,
    })
}

fn status(failing: bool) -> &'static str {
    if failing { "failing" } else { "ok" }
}

fn text(at: Instant) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// `4 min`, `3 h 5 min`.
fn words(span: TimeDelta) -> String {
    match (span.num_hours(), span.num_minutes() % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

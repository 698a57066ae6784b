//! The generic webhook: one stable JSON for machines and mail gateways, signed where a secret is given.
//!
//! The body (`version` 1; fields are added, never changed): `version`, `kind` (incident, update, resolved, digest, watch),
//! `incident` (id or null), `cause`, `verdict`, `attention`, `asks`, `mention`, `at`, `zone`, `language`, `preview`, `title`,
//! `lead`, `text` (all of it, plain), `facts` [{label, value}], `lines`, `foot`, `links` [{label, url}], `dashboards`, `checks`
//! {waiting, alike, total, untouched}, `incidents` (of a digest). By kind also: `since` (incident, update, resolved);
//! `recovered_at`, `resolved_at`, `missed`, `deadlines` (resolved); `digest`, `sources` {answering, total}, `healed` (digest);
//! `week`, without `sources` (a digest that tells a week); `chat` (watch). Times are RFC 3339 with the zone's offset.
//!
//! Headers: `Idempotency-Key` (the same for every attempt at a post), `X-Timestamp` (Unix seconds), and with a secret
//! `X-Signature: v1=` + hex(HMAC-SHA256(secret, timestamp + "." + body)).

use super::http::Endpoint;
use super::{Payload, plain};
use crate::config::wiring::Secret;
use crate::core::message::{Basis, Body, DashboardFacts, DigestVerdict, Eta, Message, Text, WeekFacts, WeekSums, fit, shorten_end};
use crate::core::plan::Chat;
use crate::core::step::Outcome;
use crate::core::time::Instant;
use crate::core::wording::word;
use chrono::SecondsFormat;
use chrono_tz::Tz;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use sha2::Sha256;
use std::fmt::Write as _;

/// The most dashboards and incidents in one body, and the most characters of a name.
const ITEMS: usize = 100;
const NAME_CHARS: usize = 200;
/// The most characters of the plain text.
const TEXT_CHARS: usize = 8_000;

pub(super) struct Webhook {
    endpoint: Endpoint,
    secret: Option<SecretString>,
}

impl Webhook {
    pub(super) async fn reach(&self) -> Result<&'static str, String> {
        self.endpoint.reach().await
    }

    pub(super) fn new(endpoint: Endpoint, secret: Option<&Secret>) -> Result<Self, String> {
        Ok(Self { endpoint, secret: secret.map(Secret::resolve).transpose()? })
    }

    pub(super) async fn send(&self, payload: &Payload, now: Instant) -> Outcome {
        let timestamp = now.timestamp().to_string();
        let mut headers = vec![("Idempotency-Key", payload.idempotency_key.clone()), ("X-Timestamp", timestamp.clone())];
        if let Some(secret) = &self.secret {
            headers.push(("X-Signature", sign(secret.expose_secret().as_bytes(), &timestamp, &payload.body)));
        }
        self.endpoint.post(payload.body.clone(), &headers, now).await
    }
}

fn sign(secret: &[u8], timestamp: &str, body: &[u8]) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return String::new() };
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac.finalize().into_bytes().iter().fold(String::from("v1="), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

pub(super) fn render(message: &Message, chat: &Chat) -> Vec<u8> {
    let text = fit(word(message, chat.language), |text| plain::text(text).chars().count() <= TEXT_CHARS);
    body(message, &text, chat.mention.as_deref()).to_string().into_bytes()
}

fn body(message: &Message, text: &Text, mention: Option<&str>) -> Value {
    let zone = message.zone;
    let mut body = json!({
        "version": 1,
        "attention": message.attention,
        "asks": text.asks,
        "mention": mention.filter(|_| text.asks),
        "at": time(message.at, zone),
        "zone": zone.name(),
        "language": text.language,
        "preview": plain::line(&text.preview),
        "title": text.title.as_ref().map(plain::line),
        "lead": plain::line(&text.lead),
        "text": plain::text(text),
        "facts": text.facts.iter().map(|(label, value)| json!({"label": label, "value": plain::line(value)})).collect::<Vec<_>>(),
        "lines": text.section.iter().flat_map(|(_, lines)| lines).map(plain::line).collect::<Vec<_>>(),
        "foot": plain::line(&text.foot),
        "links": text.links.iter().map(|(label, url)| json!({"label": label, "url": url})).collect::<Vec<_>>(),
        "incident": null,
        "cause": null,
        "dashboards": [],
        "checks": null,
        "incidents": [],
    });
    if let (Value::Object(body), Value::Object(facts)) = (&mut body, facts(message)) {
        body.extend(facts);
    }
    body
}

/// The facts of each kind, as a machine wants them.
fn facts(message: &Message) -> Value {
    let boards = |list: &[DashboardFacts]| list.iter().take(ITEMS).map(|d| dashboard(d, message.zone)).collect::<Vec<_>>();
    match &message.body {
        Body::Incident { update, about } => json!({
            "kind": if *update { "update" } else { "incident" },
            "incident": about.incident,
            "cause": name(&about.cause.to_string()),
            "verdict": about.verdict.word(),
            "since": time(about.since, message.zone),
            "dashboards": boards(&about.dashboards),
            "checks": {"waiting": about.waiting, "alike": about.alike, "total": about.checks, "untouched": about.untouched},
        }),
        Body::Resolved(about) => json!({
            "kind": "resolved",
            "incident": about.incident,
            "cause": name(&about.cause.to_string()),
            "verdict": if about.recovered_at.is_some() { "resolved" } else { "over" },
            "since": time(about.since, message.zone),
            "recovered_at": about.recovered_at.map(|t| time(t, message.zone)),
            "resolved_at": time(about.resolved_at, message.zone),
            "missed": about.missed,
            "deadlines": about.deadlines,
            "dashboards": boards(&about.dashboards),
        }),
        Body::Digest(about) => json!({
            "kind": "digest",
            "digest": name(about.digest.as_str()),
            "verdict": verdict(about.verdict),
            "dashboards": boards(&about.dashboards),
            "incidents": about.incidents.iter().take(ITEMS).map(|i| json!({
                "incident": i.incident,
                "cause": name(&i.cause.to_string()),
                "verdict": i.verdict.word(),
                "recovering": i.recovering,
                "waiting": i.waiting,
            })).collect::<Vec<_>>(),
            "sources": {"answering": about.sources_answering, "total": about.sources},
            "healed": about.healed,
        }),
        Body::Week(about) => json!({
            "kind": "digest",
            "digest": name(about.digest.as_str()),
            "verdict": verdict(about.verdict),
            "healed": about.sums.words.healed,
            "week": week(about, message.zone),
        }),
        Body::Watch(about) => json!({"kind": "watch", "verdict": "watch_trouble", "chat": name(about.chat.as_str())}),
    }
}

fn verdict(verdict: DigestVerdict) -> &'static str {
    match verdict {
        DigestVerdict::Ready => "ready",
        DigestVerdict::OnTrack => "on_track",
        DigestVerdict::NothingDue => "nothing_due",
        DigestVerdict::NotWatched => "not_watched",
        DigestVerdict::Trouble(verdict) => verdict.word(),
        DigestVerdict::Maintenance => "maintenance",
        DigestVerdict::WatchTrouble => "watch_trouble",
    }
}

fn week(about: &WeekFacts, zone: Tz) -> Value {
    let sums = |sums: &WeekSums| {
        json!({
            "deadlines": sums.deadlines,
            "words": sums.words,
            "digests": sums.digests,
            "hours": sums.hours,
            "quiet_hours": sums.quiet_hours,
        })
    };
    json!({
        "from": about.from,
        "to": about.to,
        "since": about.since.map(|t| time(t, zone)),
        "unwatched": about.unwatched,
        "counts": sums(&about.sums),
        "before": about.before.as_ref().map(sums),
    })
}

fn dashboard(d: &DashboardFacts, zone: Tz) -> Value {
    json!({
        "id": name(d.id.as_str()),
        "name": name(&d.name),
        "deadline": time(d.deadline, zone),
        "audience": d.audience,
        "verdict": d.verdict.word(),
        "checks": d.checks,
        "arrived": d.arrived,
        "waiting": d.waiting,
        "unknown": d.unknown,
        "act_by": d.act_by.map(|t| time(t, zone)),
        "ready_at": d.ready_at.map(|t| time(t, zone)),
        "eta": d.eta.map(|eta| estimate(&eta, zone)),
        "p_miss": d.chance.map(|percent| f64::from(percent) / 100.0),
    })
}

fn estimate(eta: &Eta, zone: Tz) -> Value {
    let nights = match eta.basis {
        Basis::Observed { nights } => Some(nights),
        Basis::Declared => None,
    };
    json!({"at": time(eta.at, zone), "low": time(eta.low, zone), "high": time(eta.high, zone), "nights": nights})
}

fn name(text: &str) -> String {
    shorten_end(text, NAME_CHARS)
}

fn time(t: Instant, zone: Tz) -> String {
    t.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Secs, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_openssl() {
        // printf '1795384800.{"version":1}' | openssl dgst -sha256 -hmac 'it-is-a-secret'
        let signature = sign(b"it-is-a-secret", "1795384800", br#"{"version":1}"#);
        assert_eq!(signature, "v1=8500b3d8c91bdd8b2b8fea590fbb8d4584a7fbb984c4f1f208add350c2025b44");
    }
}

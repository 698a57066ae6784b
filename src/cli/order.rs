//! `ack`, `snooze`, `mute`, `retire`: what a person asks of the running agent. Sends one command to it and prints its sentence; what
//! makes sense, the agent decides.

use super::{Common, Format, agent_call, output};
use crate::agent::clock::Clock;
use crate::config::wiring::Secret;
use crate::config::{self, Loaded};
use crate::core::command::{Command, Muted, Order};
use crate::core::plan::Id;
use crate::core::time::{ClockTime, Instant, local_date, shift};
use crate::error::{Error, Exit};
use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;
use clap::{Args, ValueEnum};
use serde_json::json;

/// Who says it and why.
#[derive(Debug, Args)]
pub struct Said {
    /// Why; it stands in the ledger, and in the messages that speak of it.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Who says so; default: the user's name (USER).
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
}

/// How long.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Lasts {
    /// So long from now on: 30m, 2h, 1d.
    #[arg(long = "for", value_name = "DURATION", value_parser = span)]
    pub span: Option<TimeDelta>,
    /// Until then: 07:30 (the next one, in the configuration's zone), or 2026-11-23T07:30:00+09:00.
    #[arg(long, value_name = "TIME")]
    pub until: Option<End>,
}

#[derive(Debug, Args)]
pub struct OnIncident {
    /// The incident's number, as the messages have it (#12).
    #[arg(value_parser = incident)]
    pub incident: u64,
    #[command(flatten)]
    pub lasts: Lasts,
    #[command(flatten)]
    pub said: Said,
}

#[derive(Debug, Args)]
pub struct Mute {
    /// What kind of thing.
    #[arg(value_enum)]
    pub kind: MutedKind,
    /// Its name in the configuration.
    pub id: String,
    #[command(flatten)]
    pub lasts: Lasts,
    #[command(flatten)]
    pub said: Said,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MutedKind {
    Check,
    Dashboard,
    Source,
}

#[derive(Debug, Args)]
pub struct Retire {
    /// The check, a member of a group that its source no longer has.
    pub check: String,
    #[command(flatten)]
    pub said: Said,
}

/// An end as a person writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    At(Instant),
    /// The next time at which this is on the wall.
    Clock(ClockTime),
}

impl std::str::FromStr for End {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(at) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self::At(at.to_utc()));
        }
        let clock = text.parse::<ClockTime>().ok().filter(|clock| clock.day_offset == 0);
        clock.map(Self::Clock).ok_or("expected a time such as 07:30, or 2026-11-23T07:30:00+09:00")
    }
}

fn span(text: &str) -> Result<TimeDelta, String> {
    config::duration(text).map_err(|expected| format!("not {expected}"))
}

/// `12` or `#12`.
fn incident(text: &str) -> Result<u64, String> {
    text.trim_start_matches('#').parse().map_err(|_| "expected the incident's number, such as 12".to_owned())
}

impl Lasts {
    fn ends(&self, now: Instant, zone: Tz) -> Instant {
        match (self.span, self.until) {
            (Some(span), _) => now.checked_add_signed(span).unwrap_or(now),
            (None, Some(End::At(at))) => at,
            (None, Some(End::Clock(clock))) => {
                let today = local_date(now, zone);
                let next = |days| Some(clock.on(shift(today, days), zone)).filter(|at| *at > now);
                // Two days are enough even where a day has no such time, or has it twice.
                (0..=2).find_map(next).unwrap_or(now)
            }
            // clap wants one of the two.
            (None, None) => now,
        }
    }
}

/// What one of the four commands wants.
pub(super) enum Wanted<'a> {
    Ack(&'a OnIncident),
    Snooze(&'a OnIncident),
    Mute(&'a Mute),
    Retire(&'a Retire),
}

impl Wanted<'_> {
    fn said(&self) -> &Said {
        match self {
            Self::Ack(on) | Self::Snooze(on) => &on.said,
            Self::Mute(mute) => &mute.said,
            Self::Retire(retire) => &retire.said,
        }
    }

    fn order(&self, now: Instant, zone: Tz) -> Order {
        match self {
            Self::Ack(on) => Order::Ack { incident: on.incident, until: on.lasts.ends(now, zone) },
            Self::Snooze(on) => Order::Snooze { incident: on.incident, until: on.lasts.ends(now, zone) },
            Self::Mute(mute) => {
                let id = Id::from(mute.id.as_str());
                let what = match mute.kind {
                    MutedKind::Check => Muted::Check(id),
                    MutedKind::Dashboard => Muted::Dashboard(id),
                    MutedKind::Source => Muted::Source(id),
                };
                Order::Mute { what, until: mute.lasts.ends(now, zone) }
            }
            Self::Retire(retire) => Order::Retire { check: Id::from(retire.check.as_str()) },
        }
    }
}

pub(super) async fn run(common: &Common, wanted: Wanted<'_>, environment: &[(String, String)]) -> Result<Exit, Error> {
    let Loaded { plan, wiring, .. } =
        config::load(&common.config, common.profile.as_deref(), environment).map_err(Error::Refused)?;
    let to = agent_call::address(wiring.web.as_ref())?;
    let token = wiring.web.as_ref().and_then(|web| web.token.as_ref()).map(Secret::resolve).transpose();
    let token = token.map_err(|why| Error::Unusable(vec![format!("the agent wants a token: {why}")]))?;
    let now = Clock::real().now();
    let command = Command {
        // One command each time that somebody gives it, however often it arrives.
        nonce: format!("cli-{}-{}", now.timestamp_micros(), std::process::id()),
        by: by(wanted.said(), environment)?,
        reason: wanted.said().reason.clone(),
        order: wanted.order(now, plan.timezone),
    };
    let body = serde_json::to_string(&command).map_err(|error| Error::Output(error.into()))?;
    let (status, answer) = agent_call::ask(to, "/-/command", token.as_ref(), Some(body), agent_call::PATIENCE).await?;
    let sentence = crate::net::line(&answer);
    let (exit, taken) = match status {
        StatusCode::OK => (Exit::Fine, true),
        StatusCode::CONFLICT => (Exit::Findings, false),
        StatusCode::UNAUTHORIZED => return Err(Error::NoAgent(format!("the agent at {to} wants another token than [web] token"))),
        other => return Err(Error::NoAgent(format!("the agent at {to} answers {}: {sentence}", other.as_u16()))),
    };
    output::write(&match common.format {
        Format::Text if taken => sentence,
        Format::Text => format!("refused: {sentence}"),
        _ => json!({"taken": taken, "sentence": sentence}).to_string(),
    })?;
    Ok(exit)
}

fn by(said: &Said, environment: &[(String, String)]) -> Result<String, Error> {
    let user = ["USER", "LOGNAME"].iter().find_map(|name| environment.iter().find(|(n, value)| n == name && !value.is_empty()));
    let by = said.by.clone().or_else(|| user.map(|(_, value)| value.clone()));
    by.ok_or_else(|| Error::Usage("who says so? USER is not set: give --by NAME".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_a_span_an_instant_or_the_next_such_time() {
        let lasts = |span: Option<&str>, until: Option<&str>| Lasts {
            span: span.map(|text| super::span(text).unwrap()),
            until: until.map(|text| text.parse().unwrap()),
        };
        let (seoul, berlin) = (chrono_tz::Asia::Seoul, chrono_tz::Europe::Berlin);
        let cases = [
            ("2026-11-23T06:00:00+09:00", seoul, lasts(Some("2h"), None), "2026-11-23T08:00:00+09:00"),
            ("2026-11-23T06:00:00+09:00", seoul, lasts(None, Some("07:30")), "2026-11-23T07:30:00+09:00"),
            ("2026-11-23T07:30:00+09:00", seoul, lasts(None, Some("07:30")), "2026-11-24T07:30:00+09:00"),
            ("2026-11-23T23:00:00+09:00", seoul, lasts(None, Some("00:10")), "2026-11-24T00:10:00+09:00"),
            ("2026-11-23T06:00:00Z", berlin, lasts(None, Some("2026-11-23T07:30:00+09:00")), "2026-11-22T22:30:00Z"),
            // 02:30 does not exist on this morning: it moves forward by the gap.
            ("2026-03-29T00:00:00+01:00", berlin, lasts(None, Some("02:30")), "2026-03-29T03:30:00+02:00"),
        ];
        for (now, zone, lasts, expected) in cases {
            let ends = lasts.ends(now.parse().unwrap(), zone);
            assert_eq!(ends, expected.parse::<Instant>().unwrap(), "{now} {lasts:?}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for text in ["7:30", "25:00", "-1d 07:30", "tomorrow", "2026-11-23", ""] {
            assert!(text.parse::<End>().is_err(), "{text}");
        }
        assert!(span("2 hours").is_err() && incident("twelve").is_err());
        assert_eq!(incident("#12"), Ok(12));
    }

    #[test]
    fn somebody_says_it() {
        let said = |by: Option<&str>| Said { reason: "x".to_owned(), by: by.map(str::to_owned) };
        let env = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        assert_eq!(by(&said(Some("kim")), &env("USER", "root")).unwrap(), "kim");
        assert_eq!(by(&said(None), &env("LOGNAME", "lee")).unwrap(), "lee");
        assert!(by(&said(None), &env("USER", "")).is_err());
    }
}

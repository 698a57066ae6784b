//! What else happens in a golden night: one `[[happens]]` as events in time.

use super::names::{Names, Subject};
use super::raw::Happens;
use super::times::Times;
use super::words::value_of;
use crate::config::{duration, hint};
use crate::core::command::{Command, Muted, Order};
use crate::core::observation::{Fact, Member, RunState, Scheduler, Unreachable, Why};
use crate::core::plan::{Id, Plan};
use crate::core::state::{News, RefusedReload};
use crate::core::time::Instant;
use crate::replay::Answers;
use serde::Deserialize;
use std::sync::Arc;

pub(super) type Events = Vec<(Instant, Event)>;

/// One thing that happens.
#[derive(Debug, Clone)]
pub(super) enum Event {
    /// A source shows it from now on.
    News(News),
    /// The newest run is like this from now on; where there is none, one begins.
    Run {
        subject: Subject,
        state: RunState,
        error: Option<String>,
    },
    /// The source shows this instead of what is so (`None`: it does not know it), until it is shown again.
    Hidden(Subject, Option<Fact>),
    Shown(Subject),
    Member(Id, Member),
    Answers(Id, Answers),
    /// With the place where it stands.
    Order(Command, String),
    Restart,
    Asleep {
        until: Instant,
    },
    Reload(Arc<Plan>),
    ReloadRefused(RefusedReload),
}

/// What can happen, each with the keys that say more.
const KINDS: [(&str, &[&str]); 13] = [
    ("dark", &["until", "why"]),
    ("unlisted", &["until", "why"]),
    ("scheduler", &["until", "dead", "heartbeat"]),
    ("clock", &["until", "ahead"]),
    ("run", &["state", "task", "error"]),
    ("gone", &["until"]),
    ("strange", &["until", "says"]),
    ("member", &["paused", "import_error", "next_run", "tags", "owners"]),
    ("chat", &["until", "answers"]),
    ("order", &["until", "incident", "check", "dashboard", "source", "by", "reason"]),
    ("restart", &[]),
    ("asleep", &[]),
    ("reload", &[]),
];

/// Which kind the keys of a table make it; the errors name the key that is wrong.
pub(super) fn kind(keys: &[String]) -> Result<&'static str, (String, String)> {
    let is = |kind: &str| keys.iter().any(|key| key == kind);
    let Some((kind, more)) = KINDS.iter().find(|(kind, _)| is(kind)) else {
        let kinds: Vec<&str> = KINDS.iter().map(|(kind, _)| *kind).collect();
        return Err((String::new(), format!("nothing happens here; expected one of {}", kinds.join(", "))));
    };
    let stray = keys.iter().find(|key| *key != kind && *key != "at" && !more.contains(&key.as_str()));
    match stray {
        Some(key) if KINDS.iter().any(|(other, _)| other == key) => {
            Err((key.clone(), format!("{key} and {kind} stand in one [[happens]]; expected one of them in each")))
        }
        Some(key) => {
            let expected = if more.is_empty() { String::new() } else { hint(key, more.iter().copied()) };
            Err((key.clone(), format!("{key} means nothing to {kind}{expected}")))
        }
        None => Ok(kind),
    }
}

/// Where a `[[happens]]` stands.
pub(super) struct Here<'a> {
    pub(super) names: &'a Names,
    pub(super) times: &'a Times,
    /// `night.toml:12:1`
    pub(super) place: String,
    /// The configuration that a reload goes over to.
    pub(super) plan: Option<Arc<Plan>>,
}

/// (key, what is wrong with it)
type Wrong = (&'static str, String);

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Queued,
    Running,
    Waiting,
    Retrying,
    Doomed,
    Failed,
    Success,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum WhyWord {
    Connect,
    Timeout,
    Tls,
    Auth,
    Status,
    TooLarge,
    Malformed,
    Redirect,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum OrderWord {
    Ack,
    Snooze,
    Mute,
    Retire,
}

impl Here<'_> {
    /// The events of one table of this kind.
    pub(super) fn read(&self, kind: &str, raw: &Happens) -> Result<Events, Wrong> {
        let at = self.needed("at", raw.at.as_ref())?;
        let until = self.time("until", raw.until.as_ref())?;
        if until.is_some_and(|until| until <= at) {
            return Err(("until", "until is not after at".to_owned()));
        }
        let span = |from: Event, to: Event| {
            let ends = until.map(|until| (until, to));
            Ok([(at, from)].into_iter().chain(ends).collect())
        };
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let once = |event| Ok(vec![(at, event)]);
        match kind {
            "dark" => {
                let source = self.source("dark", &raw.dark)?;
                let (why, back) = (self.why(raw)?, News::Source { source: source.clone(), dark: None });
                span(Event::News(News::Source { source, dark: Some(why) }), Event::News(back))
            }
            "unlisted" => {
                let source = self.source("unlisted", &raw.unlisted)?;
                let (why, back) = (self.why(raw)?, News::Listing { source: source.clone(), changed: vec![], gone: vec![] });
                span(Event::News(News::Unlisted { source, why }), Event::News(back))
            }
            "scheduler" => {
                let source = self.source("scheduler", &raw.scheduler)?;
                let news = |scheduler| Event::News(News::Scheduler { source: source.clone(), scheduler });
                let heartbeat = self.time("heartbeat", raw.heartbeat.as_ref())?;
                let dead = raw.dead.ok_or(("scheduler", "dead is missing; expected dead = true or false".to_owned()))?;
                let now = if dead { Scheduler::Dead { heartbeat } } else { Scheduler::Healthy };
                span(news(now), news(Scheduler::Healthy))
            }
            "clock" => {
                let source = self.source("clock", &raw.clock)?;
                let news = |ahead_s| Event::News(News::Clock { source: source.clone(), ahead_s: Some(ahead_s) });
                span(news(ahead_s(&text(&raw.ahead)).map_err(|why| ("ahead", why))?), news(0))
            }
            "run" => {
                let subject = self.subject("run", &raw.run)?;
                once(Event::Run { subject, state: self.state(raw)?, error: raw.error.clone() })
            }
            "gone" => {
                let subject = self.subject("gone", &raw.gone)?;
                span(Event::Hidden(subject.clone(), None), Event::Shown(subject))
            }
            "strange" => {
                let subject = self.subject("strange", &raw.strange)?;
                let says = raw.says.clone().unwrap_or_else(|| "the state \"?\" is unknown".to_owned());
                span(Event::Hidden(subject.clone(), Some(Fact::Suspicious(says))), Event::Shown(subject))
            }
            "member" => self.member(raw).and_then(once),
            "chat" => {
                let chat = self.names.chat(&text(&raw.chat)).map_err(|why| ("chat", why))?;
                let answers = value_of("answer", &text(&raw.answers)).map_err(|why| ("answers", why))?;
                span(Event::Answers(chat.clone(), answers), Event::Answers(chat, Answers::Works))
            }
            "order" => once(Event::Order(self.command(raw, until)?, self.place.clone())),
            "restart" if raw.restart == Some(false) => Err(("restart", "restart is false; expected true".to_owned())),
            "restart" => once(Event::Restart),
            "asleep" => {
                let until = self.needed("asleep", raw.asleep.as_ref())?;
                if until <= at { Err(("asleep", "asleep is not after at".to_owned())) } else { once(Event::Asleep { until }) }
            }
            _ => once(self.reload(raw, at)?),
        }
    }

    fn time(&self, key: &'static str, text: Option<&String>) -> Result<Option<Instant>, Wrong> {
        let read = |text: &String| {
            self.times.instant(text).map_err(|expected| (key, format!("{key}: {text:?} is no time; expected {expected}")))
        };
        text.map(read).transpose()
    }

    fn needed(&self, key: &'static str, text: Option<&String>) -> Result<Instant, Wrong> {
        self.time(key, text)?.ok_or_else(|| (key, format!("{key} is missing; expected a time such as \"03:10\"")))
    }

    fn source(&self, key: &'static str, name: &Option<String>) -> Result<Id, Wrong> {
        self.names.source(name.as_deref().unwrap_or_default()).map_err(|why| (key, why))
    }

    fn subject(&self, key: &'static str, name: &Option<String>) -> Result<Subject, Wrong> {
        self.names.subject(name.as_deref().unwrap_or_default()).map_err(|why| (key, why))
    }

    fn why(&self, raw: &Happens) -> Result<Unreachable, Wrong> {
        let word = raw.why.as_deref().unwrap_or("timeout");
        let (why, detail) = match value_of("why", word).map_err(|why| ("why", why))? {
            WhyWord::Connect => (Why::Connect, "connection refused"),
            WhyWord::Timeout => (Why::Timeout, "no answer within 10s"),
            WhyWord::Tls => (Why::Tls, "the certificate cannot be trusted"),
            WhyWord::Auth => (Why::Auth, "401"),
            WhyWord::Status => (Why::Status, "500"),
            WhyWord::TooLarge => (Why::TooLarge, "more than 16 MiB"),
            WhyWord::Malformed => (Why::Malformed, "not JSON"),
            WhyWord::Redirect => (Why::Redirect, "a redirect to elsewhere"),
        };
        Ok(Unreachable { why, detail: detail.to_owned() })
    }

    fn state(&self, raw: &Happens) -> Result<RunState, Wrong> {
        let word = raw.state.as_deref().unwrap_or_default();
        let task = raw.task.clone().unwrap_or_else(|| "load".to_owned());
        Ok(match value_of("state", word).map_err(|why| ("state", why))? {
            State::Queued => RunState::Queued,
            State::Running => RunState::Running,
            State::Waiting => RunState::Waiting { task },
            State::Retrying => RunState::Retrying { task },
            State::Doomed => RunState::Doomed { task },
            State::Failed => RunState::Failed,
            State::Success => RunState::Success,
        })
    }

    fn member(&self, raw: &Happens) -> Result<Event, Wrong> {
        let Subject { source, id } = self.subject("member", &raw.member)?;
        if !self.names.lists(&source) {
            return Err(("member", format!("the source {source} does not list what it has")));
        }
        let member = Member {
            subject: id,
            tags: raw.tags.clone(),
            owners: raw.owners.clone(),
            paused: raw.paused,
            import_error: raw.import_error,
            next_run_at: self.time("next_run", raw.next_run.as_ref())?,
        };
        Ok(Event::Member(source, member))
    }

    fn command(&self, raw: &Happens, until: Option<Instant>) -> Result<Command, Wrong> {
        let missing = |key: &str| ("order", format!("{key} is missing beside order"));
        let until = || until.ok_or_else(|| missing("until"));
        let incident = || raw.incident.ok_or_else(|| missing("incident"));
        let order = match value_of("order", raw.order.as_deref().unwrap_or_default()).map_err(|why| ("order", why))? {
            OrderWord::Ack => Order::Ack { incident: incident()?, until: until()? },
            OrderWord::Snooze => Order::Snooze { incident: incident()?, until: until()? },
            OrderWord::Mute => Order::Mute { what: self.muted(raw)?, until: until()? },
            OrderWord::Retire => Order::Retire { check: raw.check.as_deref().map(Id::from).ok_or_else(|| missing("check"))? },
        };
        let or = |text: &Option<String>, other: &str| text.clone().unwrap_or_else(|| other.to_owned());
        Ok(Command { nonce: self.place.clone(), by: or(&raw.by, "somebody"), reason: or(&raw.reason, "it is known"), order })
    }

    fn muted(&self, raw: &Happens) -> Result<Muted, Wrong> {
        match (&raw.check, &raw.dashboard, &raw.source) {
            (Some(check), None, None) => Ok(Muted::Check(Id::from(check.as_str()))),
            (None, Some(name), None) => self.names.dashboard(name).map(Muted::Dashboard).map_err(|why| ("dashboard", why)),
            (None, None, Some(name)) => self.names.source(name).map(Muted::Source).map_err(|why| ("source", why)),
            _ => Err(("order", "a mute is of one thing; expected check, dashboard or source beside order".to_owned())),
        }
    }

    fn reload(&self, raw: &Happens, at: Instant) -> Result<Event, Wrong> {
        match (&self.plan, raw.reload.as_deref()) {
            (Some(plan), _) => Ok(Event::Reload(plan.clone())),
            (None, Some("refused")) => {
                let first = "dawnwatch.toml:1:1: there is no check".to_owned();
                Ok(Event::ReloadRefused(RefusedReload { at, findings: 1, first }))
            }
            (None, _) => Err(("reload", "reload is not a piece of a configuration, nor \"refused\"".to_owned())),
        }
    }
}

fn ahead_s(text: &str) -> Result<i64, String> {
    if text == "0s" {
        return Ok(0);
    }
    let (sign, span) = text.strip_prefix('-').map_or((1, text), |span| (-1, span));
    duration(span).map(|span| sign * span.num_seconds()).map_err(|expected| format!("ahead: {text:?} is not {expected}"))
}

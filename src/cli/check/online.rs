//! `check --online`: does every source answer, does it know what is asked of it, can every chat be reached? Judges nothing, posts
//! nothing.

use crate::agent::clock::Clock;
use crate::agent::poll::Pool;
use crate::agent::{Built, Pulse};
use crate::cli::once::collect::{Collected, collect};
use crate::core::observation::{Answer, Ask};
use crate::core::plan::{Id, Plan};
use crate::core::state::{Seen, State};
use crate::error::Exit;
use crate::sinks::Sink;
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Names that a line repeats.
const NAMES: usize = 10;

/// What one of them had to say.
pub(super) struct Line {
    /// `source airflow`, `chat team`, `heartbeat`.
    what: String,
    /// One clause, of good or bad.
    said: String,
    exit: Exit,
}

impl Line {
    pub(super) fn text(&self) -> String {
        format!("{}: {}", self.what, self.said)
    }

    pub(super) fn json(&self) -> Value {
        json!({"what": self.what, "ok": self.exit == Exit::Fine, "said": self.said})
    }
}

/// The worst of them: not being able to look is worse than a finding.
pub(super) fn exit(lines: &[Line]) -> Exit {
    lines.iter().map(|line| line.exit).max_by_key(|exit| exit.code()).unwrap_or(Exit::Fine)
}

pub(super) async fn ask(built: Built) -> Vec<Line> {
    let Built { plan, sources, sinks, heartbeat } = built;
    let (mut lines, chats, beats) =
        tokio::join!(of_sources(&plan, Pool::new(sources)), of_chats(&sinks), of_heartbeat(heartbeat.as_deref()));
    lines.extend(chats);
    lines.extend(beats);
    lines
}

/// Each is asked as `once` asks it.
async fn of_sources(plan: &Plan, pool: Pool) -> Vec<Line> {
    let clock = Clock::real();
    let Collected { state, mut unseen, .. } = collect(plan, &pool, &clock, State::restore([], plan)).await;
    for id in plan.sources.iter().filter(|(id, source)| !state.roster.is_asked(id, source.kind)).map(|(id, _)| id) {
        // Nothing is needed of it; whether it answers is told all the same.
        let at = clock.now();
        let ask = Ask::Sweep { source: id.clone(), subjects: Default::default(), dates: BTreeMap::new(), since: at };
        if let Answer::Unreachable(gone) = pool.ask(ask, at, &clock).await.answer {
            unseen.insert(id.clone(), gone);
        }
    }
    let line = |id: &Id| {
        let (said, exit) = match unseen.get(id) {
            Some(gone) => (gone.detail.clone(), Exit::CouldNotLook),
            None => known(plan, &state, id),
        };
        Line { what: format!("source {id}"), said, exit }
    };
    plan.sources.keys().map(line).collect()
}

/// It answers: but does it know what is asked of it, and can each question be answered?
fn known(plan: &Plan, state: &State, source: &Id) -> (String, Exit) {
    let forgets = plan.sources.get(source).is_some_and(|source| source.kind.forgets());
    let (mut fine, mut absent, mut broken) = (0, Vec::new(), Vec::new());
    for (known, check) in state.roster.checks.iter().zip(&state.checks).filter(|(known, _)| known.check.source == *source) {
        match &check.seen {
            Some(Seen::Absent { .. }) => absent.push(known.id.to_string()),
            Some(Seen::Suspicious(why)) => broken.push(format!("{} ({why})", known.id)),
            _ => fine += 1,
        }
    }
    let mut clauses = Vec::new();
    if !broken.is_empty() {
        clauses.push(format!("cannot tell about {}", named(&broken)));
    }
    let trouble = !broken.is_empty() || !(absent.is_empty() || forgets);
    if !absent.is_empty() && forgets {
        // Whoever is told only of what is under way may still have misspelt a name.
        let forgotten = named(&absent);
        clauses.push(format!(
            "has not heard of {forgotten} lately, which is normal where the names are right: it forgets what is done"
        ));
    } else if !absent.is_empty() {
        clauses.push(format!("does not know {}", named(&absent)));
    }
    if !trouble && (fine > 0 || clauses.is_empty()) {
        clauses.insert(0, format!("knows {fine} check{}", if fine == 1 { "" } else { "s" }));
    }
    let joined = clauses.join(", and ");
    if trouble { (format!("answers, but {joined}"), Exit::Findings) } else { (format!("answers, and {joined}"), Exit::Fine) }
}

/// The first of them; the text is bounded, however many there are.
fn named(all: &[String]) -> String {
    let more = all.len().saturating_sub(NAMES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", all.iter().take(NAMES).map(String::as_str).collect::<Vec<_>>().join(", "))
}

async fn of_chats(sinks: &BTreeMap<Id, Arc<Sink>>) -> Vec<Line> {
    join_all(sinks.iter().map(async |(id, sink)| reached(format!("chat {id}"), sink.reach().await))).await
}

async fn of_heartbeat(pulse: Option<&Pulse>) -> Option<Line> {
    let reached_it = pulse?.reach().await;
    Some(reached("heartbeat".to_owned(), reached_it))
}

fn reached(what: String, reached: Result<&'static str, String>) -> Line {
    match reached {
        Ok(said) => Line { what, said: said.to_owned(), exit: Exit::Fine },
        Err(said) => Line { what, said, exit: Exit::CouldNotLook },
    }
}

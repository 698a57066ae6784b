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
            None => known(&state, id),
        };
        Line { what: format!("source {id}"), said, exit }
    };
    plan.sources.keys().map(line).collect()
}

/// It answers: but does it know what is asked of it?
fn known(state: &State, source: &Id) -> (String, Exit) {
    let of_source = || state.roster.checks.iter().zip(&state.checks).filter(|(known, _)| known.check.source == *source);
    let absent = of_source().filter(|(_, check)| matches!(check.seen, Some(Seen::Absent { .. })));
    let absent: Vec<&str> = absent.map(|(known, _)| known.id.as_str()).collect();
    if absent.is_empty() {
        let checks = of_source().count();
        return (format!("answers, and knows {checks} check{}", if checks == 1 { "" } else { "s" }), Exit::Fine);
    }
    let more = absent.len().saturating_sub(NAMES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let named = absent.iter().take(NAMES).copied().collect::<Vec<_>>().join(", ");
    (format!("answers, but does not know {named}{more}"), Exit::Findings)
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

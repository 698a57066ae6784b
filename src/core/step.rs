//! The first door: one input in, one commit out.

use super::absence::away_since;
use super::command::Command;
use super::observation::{Answer, Ask, Heard};
use super::plan::{Id, Plan};
use super::state::{
    About, Cause, Commit, CycleKey, Grounds, IncidentId, News, Phase, PostId, Reason, RefusedReload, SourceState, State,
};
use super::time::Instant;
use super::tx::Tx;
use super::{command, digest, incident, observe, policy, posts, standing, turn};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// Everything that can happen to the core.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    /// Time has passed.
    Tick,
    Heard(Heard),
    /// These posts are about to be sent; from this commit on their sending has begun.
    Claim(Vec<PostId>),
    Sent {
        post: PostId,
        outcome: Outcome,
    },
    /// A person asks for something; `command::answer` was given back.
    Command(Command),
    /// The outward proof of life went out and was taken.
    Beat,
    /// The configuration was read anew: taken over (`None`), or refused, and all is as it was.
    Reloaded(Option<RefusedReload>),
}

/// What became of a send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    Confirmed {
        handle: Option<String>,
    },
    /// Nothing was delivered: no connection, 408, 429, 5xx but 502 and 504. `retry_at`: the platform named a time.
    Failed {
        why: String,
        retry_at: Option<Instant>,
    },
    /// No complete answer after bytes were written, or 502 or 504: perhaps delivered.
    Ambiguous {
        why: String,
    },
    /// A permanent error: the address is gone, the payload was refused.
    Refused {
        why: String,
    },
}

/// What is over is kept so long, for the next digest; then the ledger alone remembers it.
const KEEP_OVER: TimeDelta = TimeDelta::days(3);

/// Takes one input in and returns the one effect. `state` is ahead of the store until the commit is written; if writing fails, drop
/// `state` and restore it from the store.
pub fn step(state: &mut State, plan: &Plan, at: Instant, input: Input) -> Commit {
    let quiet = quiet_before(state, plan, at, &input);
    let away_since = away_since(state, plan, at);
    let mut tx = Tx::new(state, plan, at);
    if let Some(since) = away_since {
        tx.watch_mut().back_at = Some(at);
        tx.note(About::Watch, Reason::WatchBack, Grounds::Away { since });
    }
    match input {
        Input::Tick => {}
        Input::Heard(heard) => observe::hear(&mut tx, heard),
        Input::Claim(ids) => posts::claim(&mut tx, &ids),
        Input::Sent { post, outcome } => posts::sent(&mut tx, post, outcome),
        Input::Command(command) => command::carry_out(&mut tx, command),
        Input::Beat => tx.watch_mut().beaten_at = Some(at),
        Input::Reloaded(refused) => tx.watch_mut().refused = refused,
    }
    meet(&mut tx);
    part(&mut tx);
    let judged = turn::turn(&mut tx);
    if judged || !quiet.is_some_and(|quiet| quiet.holds(&tx)) {
        incident::fold(&mut tx);
        let decide_at = policy::decide(&mut tx);
        let digest_at = digest::occur(&mut tx);
        tx.state.view.decide_at = [decide_at, digest_at].into_iter().flatten().min();
        tx.state.view.decided_at = Some(at);
    }
    if posts::expire(&mut tx) {
        tx.state.view.decided_at = None;
    }
    forget(&mut tx);
    tx.state.stepped_at = Some(at);
    tx.commit()
}

/// Nothing but time has passed, or a source was heard that had been heard before.
struct Quiet {
    source: Option<(Id, SourceState)>,
}

/// Most inputs change nothing: a poll that brings no news, a wake-up. The decisions of the step before hold then, until the instant
/// that came with them. `None`: not so.
fn quiet_before(state: &State, plan: &Plan, at: Instant, input: &Input) -> Option<Quiet> {
    let view = &state.view;
    // A clock that was set back may have made other occurrences the next ones.
    let holds = view.decided_at.is_some_and(|decided| decided <= at) && view.decide_at.is_none_or(|until| at < until);
    let source = match input {
        Input::Tick => None,
        Input::Heard(Heard { ask, answer: Answer::Sweep(_) | Answer::Part(_), .. }) => {
            let source = state.sources.get(ask.source()).filter(|_| plan.sources.contains_key(ask.source()))?;
            // The end of a sweep that was told in parts releases what waited for it.
            let ends = standing::is_being_swept(source) && matches!(input, Input::Heard(Heard { answer: Answer::Sweep(_), .. }));
            if ends {
                return None;
            }
            Some((ask.source().clone(), source.outlook()))
        }
        // The same listing as before.
        Input::Heard(Heard { ask: Ask::List { source: id }, answer: Answer::Listing(listing), .. }) => {
            let source = state.sources.get(id).filter(|source| source.listed_at.is_some() && source.members == *listing)?;
            Some((id.clone(), source.outlook()))
        }
        _ => return None,
    };
    // What the watch suspects of itself hangs on who was heard when.
    let suspects =
        state.incidents.values().any(|incident| matches!(incident.cause, Cause::Watch(_)) && incident.phase == Phase::Open);
    (holds && !suspects && state.unmet.is_empty() && state.lost.is_empty()).then_some(Quiet { source })
}

impl Quiet {
    /// Is it so still, now that the input was taken in and everything judged that had to be?
    fn holds(&self, tx: &Tx<'_>) -> bool {
        let same = |(id, before): &(Id, SourceState)| tx.state.sources.get(id).is_some_and(|now| now.outlook() == *before);
        tx.has_written_nothing_down() && self.source.as_ref().is_none_or(same)
    }
}

/// Checks that no row was there for are known from now on.
fn meet(tx: &mut Tx<'_>) {
    for id in std::mem::take(&mut tx.state.unmet) {
        let Some(ix) = tx.state.roster.place(&id) else { continue };
        let at = tx.at;
        let check = tx.check_mut(ix);
        if check.known_since == Instant::MIN_UTC {
            check.known_since = at;
        }
        tx.note(About::Check(id), Reason::Opened, None);
    }
}

/// Sources that were dark, and that the plan no longer has: nobody is blind for want of them. Should one come back, it is a new one.
fn part(tx: &mut Tx<'_>) {
    for (id, dark) in std::mem::take(&mut tx.state.lost) {
        tx.drop_source(&id);
        tx.note(About::Source(id.clone()), Reason::Retired, Grounds::Dark(dark));
        tx.observe(tx.at, News::Source { source: id, dark: None });
    }
}

/// Keeps the state bounded: lets go of what has been over for days.
fn forget(tx: &mut Tx<'_>) {
    let before = tx.at - KEEP_OVER;
    let over = |incident: &&super::state::Incident| matches!(incident.phase, Phase::Resolved { at, .. } if at < before);
    let incidents: Vec<IncidentId> = tx.state.incidents.values().filter(over).map(|incident| incident.id).collect();
    for id in incidents {
        tx.drop_incident(id);
    }
    let settled = |post: &&super::state::Post| post.attempt.is_settled() && post.wanted_at < before;
    let posts: Vec<PostId> = tx.state.posts.values().filter(settled).map(|post| post.id).collect();
    for id in posts {
        tx.drop_post(id);
    }
    let mutes: Vec<_> = tx.state.mutes.iter().filter(|(_, mute)| mute.until < before).map(|(what, _)| what.clone()).collect();
    for what in mutes {
        tx.drop_mute(&what);
    }
    // A cycle stays as long as an incident speaks of it.
    let spoken_of = |key: &CycleKey| tx.state.incidents.values().any(|incident| incident.impact.contains_key(key));
    let closed = tx.state.cycles.iter().filter(|(_, cycle)| cycle.closed_at.is_some_and(|closed| closed < before));
    let cycles: Vec<CycleKey> = closed.map(|(key, _)| key.clone()).filter(|key| !spoken_of(key)).collect();
    for key in cycles {
        tx.drop_cycle(&key);
    }
}

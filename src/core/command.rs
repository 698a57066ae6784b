//! What a person asks of the watch, from the shell or from chat: ack, snooze, mute, retire. Each with a reason, and all but a
//! retirement with an end.
//!
//! Whoever brings a command asks [`answer`] first and gives the sentence back; a command that makes no sense changes nothing.

use super::plan::{Id, Plan};
use super::state::{About, Cause, Grounds, Incident, IncidentId, Pause, Phase, Reason, State};
use super::time::Instant;
use super::tx::Tx;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// One command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// Made by whoever brings it: the same one twice is one command.
    pub nonce: String,
    /// Who says so, for the ledger and the messages.
    pub by: String,
    pub reason: String,
    pub order: Order,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Order {
    /// Somebody has it: no next rung is asked before `until`.
    Ack { incident: IncidentId, until: Instant },
    /// Nothing is said of it before `until`; then it is decided anew.
    Snooze { incident: IncidentId, until: Instant },
    /// No word about it before `until`, but that it is over.
    Mute { what: Muted, until: Instant },
    /// A member that has vanished from its source for good is forgotten; it joins anew when the source lists it again.
    Retire { check: Id },
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Muted {
    Check(Id),
    Dashboard(Id),
    Source(Id),
}

/// Longer than this is no pause but a change of the configuration.
const UNTIL_AT_MOST: TimeDelta = TimeDelta::days(31);
/// What a person may write.
const TEXT_CHARS: usize = 300;

/// The sentence for whoever gave the command: what it does, or (an error) why it cannot be carried out.
pub fn answer(state: &State, plan: &Plan, at: Instant, command: &Command) -> Result<String, String> {
    for (what, text, least) in
        [("who says so", &command.by, 1), ("the reason", &command.reason, 1), ("the nonce", &command.nonce, 1)]
    {
        let chars = text.trim().chars().count();
        if chars < least {
            return Err(format!("{what} is missing"));
        }
        if chars > TEXT_CHARS {
            return Err(format!("{what} is longer than {TEXT_CHARS} characters"));
        }
    }
    let clock = |until: Instant| until.with_timezone(&plan.timezone).format("%a %d %b %H:%M %Z").to_string();
    let ends = |until: Instant| {
        if until <= at {
            return Err(format!("it would end at {}, which is past", clock(until)));
        }
        if until > at + UNTIL_AT_MOST {
            return Err(format!("it would end at {}; at most {} days are taken", clock(until), UNTIL_AT_MOST.num_days()));
        }
        Ok(clock(until))
    };
    let open = |id: &IncidentId| match state.incidents.get(id) {
        Some(incident) if !matches!(incident.phase, Phase::Resolved { .. }) => Ok(incident),
        Some(_) => Err(format!("incident {id} is resolved already")),
        None => Err(format!("there is no incident {id}{}", open_ones(state))),
    };
    match &command.order {
        Order::Ack { incident, until } => {
            let (incident, until) = (open(incident)?, ends(*until)?);
            Ok(format!("incident {} ({}) is {}'s: nobody else is asked before {until}", incident.id, incident.cause, command.by))
        }
        Order::Snooze { incident, until } => {
            let (incident, until) = (open(incident)?, ends(*until)?);
            Ok(format!("incident {} ({}): no word before {until}, but that it is over", incident.id, incident.cause))
        }
        Order::Mute { what, until } => {
            let until = ends(*until)?;
            let (kind, id, known) = match what {
                Muted::Check(id) => ("check", id, state.roster.place(id).is_some()),
                Muted::Dashboard(id) => ("dashboard", id, plan.dashboards.contains_key(id)),
                Muted::Source(id) => ("source", id, plan.sources.contains_key(id)),
            };
            if !known {
                return Err(format!("there is no {kind} {id}"));
            }
            Ok(format!("{kind} {id} is muted until {until}: no word about it, but that something told before is over"))
        }
        Order::Retire { check } => {
            let Some(ix) = state.roster.place(check) else { return Err(format!("there is no check {check}")) };
            let known = &state.roster.checks[ix];
            let Some(group) = &known.group else {
                return Err(format!("check {check} stands in the configuration: take [checks.{check}] out and reload"));
            };
            let listed =
                state.sources.get(&known.check.source).is_some_and(|source| source.members.of(&known.check.subject).is_some());
            if listed {
                return Err(format!(
                    "{} still lists {check}: to leave it out, add it to `exclude` of [groups.{group}]",
                    known.check.source
                ));
            }
            Ok(format!("check {check} is retired: nothing waits for it any more"))
        }
    }
}

/// Carries out a command that makes sense; one that does not, or that was carried out already, changes nothing.
pub(super) fn carry_out(tx: &mut Tx<'_>, command: Command) {
    if answer(tx.state, tx.plan, tx.at, &command).is_err() {
        return;
    }
    let Command { nonce, by, reason, order } = command;
    let pause = |at: Instant, until: Instant| Pause { by: by.clone(), reason: reason.clone(), at, until, nonce: nonce.clone() };
    match order {
        Order::Ack { incident, until } => {
            let ack = pause(tx.at, until);
            on_incident(tx, incident, Reason::Acked, ack, |incident| &mut incident.ack);
        }
        Order::Snooze { incident, until } => {
            let snooze = pause(tx.at, until);
            on_incident(tx, incident, Reason::Snoozed, snooze, |incident| &mut incident.snooze);
        }
        Order::Mute { what, until } => {
            if tx.state.mutes.get(&what).is_none_or(|had| had.nonce != nonce) {
                let pause = pause(tx.at, until);
                let evidence = Grounds::Order { pause: pause.clone(), what: Some(what.clone()) };
                tx.note(About::Order { by, reason }, Reason::Muted, evidence);
                tx.put_mute(what, pause);
            }
        }
        Order::Retire { check } => retire(tx, &check, by, reason),
    }
}

/// True when it was not there already.
fn put(slot: &mut Option<Pause>, pause: Pause) -> bool {
    let new = slot.as_ref().is_none_or(|had| had.nonce != pause.nonce);
    if new {
        *slot = Some(pause);
    }
    new
}

fn on_incident(
    tx: &mut Tx<'_>,
    id: IncidentId,
    reason: Reason,
    pause: Pause,
    slot: impl FnOnce(&mut Incident) -> &mut Option<Pause>,
) {
    let Some(mut incident) = tx.state.incidents.get(&id).cloned() else { return };
    if put(slot(&mut incident), pause.clone()) {
        tx.note(About::Incident(id), reason, Grounds::Order { pause, what: None });
        tx.put_incident(incident);
    }
}

fn retire(tx: &mut Tx<'_>, check: &Id, by: String, reason: String) {
    let Some(ix) = tx.state.roster.place(check) else { return };
    let cause = Cause::Check(check.clone());
    let over = |incident: &&Incident| incident.cause == cause && !matches!(incident.phase, Phase::Resolved { .. });
    let incidents: Vec<Incident> = tx.state.incidents.values().filter(over).cloned().collect();
    for incident in incidents {
        tx.put_incident(Incident { retired_by: Some(by.clone()), ..incident });
    }
    tx.note(About::Check(check.clone()), Reason::Retired, None);
    tx.note(About::Order { by, reason }, Reason::Retired, None);
    tx.drop_check(ix);
}

fn open_ones(state: &State) -> String {
    let open = state.incidents.values().filter(|incident| !matches!(incident.phase, Phase::Resolved { .. }));
    let open: Vec<String> = open.map(|incident| format!("{} ({})", incident.id, incident.cause)).take(5).collect();
    if open.is_empty() { "; none is open".to_owned() } else { format!("; open are {}", open.join(", ")) }
}

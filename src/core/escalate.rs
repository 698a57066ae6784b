//! The rungs: who is asked next when nobody has answered or repaired. Each once, and not while somebody has it.

use super::plan::Id;
use super::rungs::rungs;
use super::say::say_or_hold;
use super::state::{Attention, CycleKey, Incident, Reason};
use super::time::{Instant, earliest};
use super::tx::Tx;
use super::wanted::wanted;
use std::collections::{BTreeMap, BTreeSet};

/// The next rung: asked when nobody has repaired it so long after a person was asked. `only`: only if this chat is one.
pub(super) fn escalate(
    tx: &mut Tx<'_>,
    incident: &mut Incident,
    cycles: &BTreeSet<CycleKey>,
    addressed: &BTreeMap<Id, BTreeSet<CycleKey>>,
    only: Option<&Id>,
) -> Option<Instant> {
    let mut rungs = rungs(tx.plan, incident, cycles);
    rungs.retain(|chat, _| only.is_none_or(|only| only == chat));
    let mut wake = None;
    for (chat, (from, mut cycles)) in rungs {
        // A chat may be a rung of one dashboard and be told of another: its one message names both.
        let told_anyway = addressed.get(&chat);
        cycles.extend(told_anyway.into_iter().flatten().cloned());
        if incident.escalated.contains(&chat) {
            continue;
        }
        if tx.at < from {
            wake = earliest(wake, Some(from));
            continue;
        }
        let Some(setup) = tx.plan.chats.get(&chat) else { continue };
        let mut wanted = wanted(tx, incident, (&chat, setup), &cycles, Attention::Escalate);
        if let Some((_, reason)) = &mut wanted.now {
            *reason = Reason::NotAnswered;
        }
        // The rung is there to be asked; a note without asking helps nobody.
        wanted.now = wanted.now.filter(|(attention, _)| *attention >= Attention::Escalate);
        // Its decision is written down already; two in turns would be written at every look.
        if told_anyway.is_some() && wanted.now.is_none() {
            wake = earliest(wake, wanted.hold.map(|(until, _)| until));
            continue;
        }
        if wanted.now.is_some() {
            incident.escalated.insert(chat.clone());
        }
        let holds = say_or_hold(tx, incident, &chat, &cycles, &wanted);
        wake = earliest(wake, holds);
    }
    wake
}

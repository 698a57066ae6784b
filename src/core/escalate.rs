//! The rungs: who is asked next when nobody has answered or repaired. Each once, and not while somebody has it.

use super::plan::{Id, Plan};
use super::say::say_or_hold;
use super::state::{Attention, CycleKey, Incident, Reason};
use super::time::{Instant, earliest};
use super::tx::Tx;
use super::wanted::wanted;
use std::collections::{BTreeMap, BTreeSet};

/// Chats to be asked when nobody has answered, from when on, and for which cycles.
type Rungs = BTreeMap<Id, (Instant, BTreeSet<CycleKey>)>;

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

/// When the next rung is asked; `None`: all have been, or there is none.
pub(super) fn next_rung(tx: &Tx<'_>, incident: &Incident, cycles: &BTreeSet<CycleKey>) -> Option<Instant> {
    let left = rungs(tx.plan, incident, cycles).into_iter().filter(|(chat, _)| !incident.escalated.contains(chat));
    left.map(|(_, (from, _))| from).filter(|from| tx.at < *from).min()
}

fn rungs(plan: &Plan, incident: &Incident, cycles: &BTreeSet<CycleKey>) -> Rungs {
    let mut rungs = Rungs::new();
    let Some(asked_at) = incident.asked_at else { return rungs };
    // Whoever had it had their time, and what was snoozed its rest.
    let pauses = [&incident.ack, &incident.snooze].into_iter().flatten();
    let set_aside = pauses.map(|pause| pause.until).max().unwrap_or(Instant::MIN_UTC);
    for key in cycles {
        let Some(dashboard) = plan.dashboards.get(&key.dashboard) else { continue };
        for (above, chat) in (0..).zip(&dashboard.escalate) {
            let from = (asked_at + dashboard.escalate_after).max(set_aside) + dashboard.escalate_after * above;
            let rung = rungs.entry(chat.clone()).or_insert((from, BTreeSet::new()));
            rung.0 = rung.0.min(from);
            rung.1.insert(key.clone());
        }
    }
    rungs
}

//! Which rungs there are, and from when on each is asked. Asks nobody.

use super::plan::{Id, Plan};
use super::state::{CycleKey, Incident};
use super::time::Instant;
use super::tx::Tx;
use std::collections::{BTreeMap, BTreeSet};

/// Chats to be asked when nobody has answered, from when on, and for which cycles.
pub(super) type Rungs = BTreeMap<Id, (Instant, BTreeSet<CycleKey>)>;

/// When the next rung is asked; `None`: all have been, or there is none.
pub(super) fn next_rung(tx: &Tx<'_>, incident: &Incident, cycles: &BTreeSet<CycleKey>) -> Option<Instant> {
    let left = rungs(tx.plan, incident, cycles).into_iter().filter(|(chat, _)| !incident.escalated.contains(chat));
    left.map(|(_, (from, _))| from).filter(|from| tx.at < *from).min()
}

pub(super) fn rungs(plan: &Plan, incident: &Incident, cycles: &BTreeSet<CycleKey>) -> Rungs {
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

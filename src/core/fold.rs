//! Folding: many checks of one source in the same trouble are one cause. Changes only which cause stands for which check.

use super::incident::{Active, current_failure, own};
use super::message::NotStarted;
use super::observation::{Failure, RunState};
use super::plan::Id;
use super::standing::{Standing, Unseen};
use super::state::{Cause, CycleKey, Incident, IncidentId, Phase, Verdict};
use super::time::Instant;
use super::tx::Tx;
use chrono::TimeDelta;
use std::collections::BTreeMap;

/// So many causes alike are one.
const MANY: usize = 3;
/// Causes alike began within this of the first.
const TOGETHER: TimeDelta = TimeDelta::minutes(15);

/// What was folded into an incident stays with it while its own trouble lasts; when the one that stood for all is well again, the
/// next one does.
pub(super) fn hold_together(tx: &mut Tx<'_>, active: &mut BTreeMap<Cause, Active>) {
    // Before the first word nothing is settled: causes that look alike may turn out not to be.
    let told = |i: &&Incident| !matches!(i.phase, Phase::Resolved { .. }) && !i.alike.is_empty() && !i.told.is_empty();
    let open = tx.state.incidents.values().filter(told);
    let told_failed = |i: &Incident| i.told.values().any(|told| told.verdict == Verdict::Failed);
    let folded: Vec<(IncidentId, Cause, Vec<Id>, bool)> =
        open.map(|i| (i.id, i.cause.clone(), i.alike.iter().cloned().collect(), told_failed(i))).collect();
    for (incident, cause, alike, told_failed) in folded {
        let troubled = |id: &Id| active.contains_key(&Cause::Check(id.clone()));
        let mut members: Vec<Id> = alike.into_iter().filter(troubled).collect();
        let anchor = if active.contains_key(&cause) || members.is_empty() { cause } else { Cause::Check(members.remove(0)) };
        let failed = |cause: &Cause| active.get(cause).is_some_and(|now| now.verdict == Verdict::Failed);
        // What only did not start and has failed now is told for what it is: where all have, their errors say who belongs together.
        members.retain(|member| failed(&Cause::Check(member.clone())) == failed(&anchor) && (told_failed || !failed(&anchor)));
        // Nor does one stay whose reason has come since, and is another.
        let reason = |id: &Id| current_failure(tx.state, id).map(reason);
        if let Cause::Check(anchor) = &anchor
            && let Some(known) = reason(anchor)
        {
            members.retain(|member| reason(member).is_none_or(|other| other == known));
        }
        for member in members {
            join(active, &anchor, &member);
        }
        let moved = tx.state.incidents.get(&incident).filter(|i| i.cause != anchor).cloned();
        if let Some(moved) = moved {
            tx.put_incident(Incident { cause: anchor, failure: None, retired_by: None, ..moved });
        }
    }
}

fn join(active: &mut BTreeMap<Cause, Active>, anchor: &Cause, id: &Id) {
    let Some(other) = active.remove(&Cause::Check(id.clone())) else { return };
    let Some(now) = active.get_mut(anchor) else { return };
    for (key, waiting) in other.waiting {
        now.waiting.entry(key).or_default().extend(waiting);
    }
    now.alike.insert(id.clone());
    now.outside |= other.outside;
}

/// Many checks of one source in the same trouble are one cause: the first of them stands for all.
pub(super) fn fold_alike(tx: &Tx<'_>, active: &mut BTreeMap<Cause, Active>) {
    let mut roots: BTreeMap<&Id, Vec<Root<'_>>> = BTreeMap::new();
    for (cause, now) in active.iter().filter(|(_, now)| !(now.outside && now.verdict == Verdict::Late)) {
        let Cause::Check(id) = cause else { continue };
        let Some(ix) = tx.state.roster.place(id) else { continue };
        // A failure without an end of its own (a doomed run) began when it was first seen.
        let since = own(tx, id).map_or(now.since, |incident| incident.since.min(now.since));
        // What was set aside was set aside as it was: nothing new joins it.
        if own(tx, id).and_then(|incident| incident.snooze.as_ref()).is_some_and(|snooze| snooze.holds(tx.at).is_some()) {
            continue;
        }
        let told = own(tx, id).is_some_and(|incident| !incident.told.is_empty());
        let root = Root { id, since, told, kind: kind(tx, id, now.verdict), now };
        roots.entry(&tx.state.roster.checks[ix].check.source).or_default().push(root);
    }
    let mut joins: Vec<(Id, Id)> = Vec::new();
    for list in roots.values_mut().filter(|list| list.len() >= MANY) {
        // One that was told of already stands for the others; else the first in time.
        list.sort_by_key(|root| (!root.told, root.since));
        let mut left = std::mem::take(list);
        while !left.is_empty() {
            let anchor = left.remove(0);
            let like = || left.iter().filter(|root| root.is_like(&anchor));
            let (alike, untold) = (like().count(), like().filter(|root| !root.told).count());
            // Those that were told of one by one keep their words; but they are enough for the next to be one of many, where it
            // endangers no deadline that was not told of.
            let one_more = |root: &Root<'_>| alike + 1 >= MANY && root.adds_nothing_to(own(tx, anchor.id));
            let joins_it = |root: &Root<'_>| root.is_like(&anchor) && !root.told && (untold + 1 >= MANY || one_more(root));
            let (with, others): (Vec<_>, Vec<_>) = left.into_iter().partition(joins_it);
            left = others;
            joins.extend(with.into_iter().map(|root| (anchor.id.clone(), root.id.clone())));
        }
    }
    for (anchor, id) in joins {
        join(active, &Cause::Check(anchor), &id);
    }
}

/// A check that is a cause of its own, as far as folding compares it.
struct Root<'a> {
    id: &'a Id,
    since: Instant,
    told: bool,
    kind: Kind,
    now: &'a Active,
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    /// With its error, digits blanked: ids and times differ between runs of one cause. `None`: not fetched yet.
    Failed(Option<String>),
    RunningLong,
    Queued,
    Waiting,
    NotStarted,
    NoData,
    Forgotten,
    Vanished,
    /// With what the source said, digits blanked.
    Suspicious(String),
    FutureData,
}

impl Root<'_> {
    fn adds_nothing_to(&self, incident: Option<&Incident>) -> bool {
        let told =
            |key: &CycleKey| incident.is_some_and(|incident| incident.told.values().any(|told| told.cycles.contains_key(key)));
        !self.now.outside && self.now.waiting.keys().all(told)
    }

    fn is_like(&self, anchor: &Root<'_>) -> bool {
        match (&anchor.kind, &self.kind) {
            // One that is not known yet counts as alike until it is; but a word that was said cannot be taken apart again.
            (Kind::Failed(a), Kind::Failed(b)) => {
                let known = a.is_some() && b.is_some();
                (if known { a == b } else { !anchor.told }) && (self.since - anchor.since).abs() <= TOGETHER
            }
            (a, b) => a == b,
        }
    }
}

/// Ids and times differ between answers of one cause.
fn blanked(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_digit() { '#' } else { c }).collect()
}

/// Why it failed, as far as two failures are compared.
fn reason(failure: Failure) -> String {
    blanked(&failure.error.unwrap_or_default())
}

fn kind(tx: &Tx<'_>, id: &Id, verdict: Verdict) -> Kind {
    if verdict == Verdict::Failed {
        return Kind::Failed(current_failure(tx.state, id).map(reason));
    }
    let place = tx.state.roster.place(id);
    let outstanding = |view: &'_ super::judge::CycleView| {
        place.and_then(|ix| view.of(ix)).filter(|judged| judged.verdict.is_trouble()).map(|judged| match &judged.standing {
            Standing::Running { state: RunState::Queued, .. } => Kind::Queued,
            Standing::Running { state: RunState::Waiting { .. }, .. } => Kind::Waiting,
            Standing::Running { .. } => Kind::RunningLong,
            Standing::NoData { .. } => Kind::NoData,
            Standing::NotStarted(NotStarted::Forgotten) => Kind::Forgotten,
            Standing::Unseen(Unseen::Vanished) => Kind::Vanished,
            Standing::Unseen(Unseen::Suspicious(said)) => Kind::Suspicious(blanked(said)),
            Standing::Unseen(Unseen::FutureData(_)) => Kind::FutureData,
            _ => Kind::NotStarted,
        })
    };
    tx.state.view.cycles.values().find_map(outstanding).unwrap_or(Kind::NotStarted)
}

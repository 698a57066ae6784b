//! Incidents: the causes behind all verdicts, folded, with their impact; open → recovering → resolved.
//!
//! Who is told, and how loud, is `policy`'s.

use super::observation::Failure;
use super::plan::Id;
use super::standing::Standing;
use super::state::{About, Attention, Cause, CycleKey, Impact, ImpactState, Incident, IncidentId, Phase, Reason, Told, Verdict};
use super::time::Instant;
use super::tx::Tx;
use chrono::TimeDelta;
use std::collections::{BTreeMap, BTreeSet};

/// A cause as the verdicts show it now.
#[derive(Debug, Clone)]
struct Active {
    verdict: Verdict,
    since: Instant,
    waiting: BTreeMap<CycleKey, BTreeSet<Id>>,
    alike: BTreeSet<Id>,
    outside: bool,
}

/// So many causes alike are one.
const MANY: usize = 3;
/// Causes alike began within this of the first.
const TOGETHER: TimeDelta = TimeDelta::minutes(15);
/// The failures of so many of them are asked for; the rest are taken to be like these.
pub const SAMPLE: usize = 4;

pub(super) fn fold(tx: &mut Tx<'_>) {
    let mut active = active(tx);
    fold_alike(tx, &mut active);
    let open: Vec<IncidentId> = tx
        .state
        .incidents
        .values()
        .filter(|incident| !matches!(incident.phase, Phase::Resolved { .. }))
        .map(|incident| incident.id)
        .collect();
    for id in &open {
        carry_on(tx, *id, &mut active);
    }
    deepen(tx, &open, &mut active);
    go_on(tx, &open, &mut active);
    for (cause, now) in active {
        open_new(tx, cause, now);
    }
    for id in open {
        close_when_over(tx, id);
    }
}

fn active(tx: &Tx<'_>) -> BTreeMap<Cause, Active> {
    let mut active: BTreeMap<Cause, Active> = BTreeMap::new();
    let blank =
        |since| Active { verdict: Verdict::OnTrack, since, waiting: BTreeMap::new(), alike: BTreeSet::new(), outside: false };
    for view in tx.state.view.cycles.values() {
        for (ix, judged) in &view.checks {
            let Some(cause) = &judged.cause else { continue };
            let id = &tx.state.roster.checks[*ix].id;
            let now = active.entry(cause.clone()).or_insert_with(|| blank(judged.since));
            let own =
                *cause == Cause::Check(id.clone()) || judged.verdict == Verdict::Unknown || matches!(cause, Cause::Scheduler(_));
            if own {
                now.verdict = now.verdict.max(judged.verdict);
                now.since = now.since.min(judged.since);
            }
            now.waiting.entry(view.cycle.key.clone()).or_default().insert(id.clone());
        }
        if let Some(calendar) = &view.cycle.calendar_ended {
            let now = active.entry(Cause::Calendar(calendar.clone())).or_insert_with(|| blank(tx.at));
            now.verdict = Verdict::Unknown;
            now.outside = true;
        }
    }
    for (ix, newest) in &tx.state.view.stale {
        let known = &tx.state.roster.checks[*ix];
        let since = *newest + known.check.max_age.unwrap_or_default();
        let now = active.entry(Cause::Check(known.id.clone())).or_insert_with(|| blank(since));
        now.verdict = now.verdict.max(Verdict::Late);
        now.outside = true;
    }
    active
}

/// Many failures with one source, error and time are one cause: the first of them stands for all. A failure that is not known yet
/// counts as alike until it is.
fn fold_alike(tx: &Tx<'_>, active: &mut BTreeMap<Cause, Active>) {
    let mut roots: BTreeMap<&Id, Vec<(Instant, &Id)>> = BTreeMap::new();
    for (cause, now) in active.iter().filter(|(_, now)| now.verdict == Verdict::Failed) {
        let Cause::Check(id) = cause else { continue };
        let Some(ix) = tx.state.roster.place(id) else { continue };
        roots.entry(&tx.state.roster.checks[ix].check.source).or_default().push((now.since, id));
    }
    let mut joins: Vec<(Id, Id)> = Vec::new();
    for list in roots.values_mut().filter(|list| list.len() >= MANY) {
        // One that was told of already stands for the others; else the first to fail.
        list.sort_by_key(|(since, id)| (!is_told(tx, id), *since));
        let mut left: Vec<(Instant, &Id)> = std::mem::take(list);
        while !left.is_empty() {
            let (since, anchor) = left.remove(0);
            let error = error_of(tx, anchor);
            let joins_anchor = |(began, id): &(Instant, &Id)| {
                let alike = match (&error, error_of(tx, id)) {
                    (Some(a), Some(b)) => *a == b,
                    _ => true,
                };
                alike && (*began - since).abs() <= TOGETHER && !is_told(tx, id)
            };
            let (with, others): (Vec<_>, Vec<_>) = left.into_iter().partition(joins_anchor);
            left = others;
            if with.len() + 1 >= MANY {
                joins.extend(with.into_iter().map(|(_, id)| (anchor.clone(), id.clone())));
            }
        }
    }
    for (anchor, id) in joins {
        let Some(other) = active.remove(&Cause::Check(id.clone())) else { continue };
        let Some(now) = active.get_mut(&Cause::Check(anchor)) else { continue };
        for (key, waiting) in other.waiting {
            now.waiting.entry(key).or_default().extend(waiting);
        }
        now.outside |= other.outside;
        now.alike.insert(id);
    }
}

fn is_told(tx: &Tx<'_>, id: &Id) -> bool {
    tx.state.incidents.values().any(|incident| {
        incident.cause == Cause::Check(id.clone()) && !matches!(incident.phase, Phase::Resolved { .. }) && !incident.told.is_empty()
    })
}

/// The error that is known of the failed run, with its digits blanked: ids and times differ between runs of one cause.
fn error_of(tx: &Tx<'_>, id: &Id) -> Option<String> {
    let failure = current_failure(tx, id)?;
    let error = failure.error.unwrap_or_default();
    Some(error.chars().map(|c| if c.is_ascii_digit() { '#' } else { c }).collect())
}

/// What was fetched of the run that failed now.
fn current_failure(tx: &Tx<'_>, id: &Id) -> Option<Failure> {
    let check = &tx.state.checks[tx.state.roster.place(id)?];
    let (run, failure) = check.failure.as_ref()?;
    failed_run(tx, id).is_some_and(|failed| failed == *run).then(|| failure.clone())
}

/// The failed run of a check in any open cycle.
fn failed_run(tx: &Tx<'_>, id: &Id) -> Option<String> {
    let ix = tx.state.roster.place(id)?;
    tx.state.view.cycles.values().find_map(|view| match &view.of(ix)?.standing {
        Standing::Failed { run, .. } => Some(run.clone()),
        _ => None,
    })
}

/// Brings an open incident to now: takes its cause out of `active` where it still holds.
fn carry_on(tx: &mut Tx<'_>, id: IncidentId, active: &mut BTreeMap<Cause, Active>) {
    let Some(mut incident) = tx.state.incidents.get(&id).cloned() else { return };
    let now = active.remove(&incident.cause);
    let before = incident.clone();
    match now {
        Some(now) => {
            if matches!(incident.phase, Phase::Recovering { .. }) {
                incident.phase = Phase::Open;
            }
            take_in(tx, &mut incident, now);
        }
        None => recover(tx, &mut incident),
    }
    settle_impact(tx, &mut incident);
    if incident != before {
        tx.put_incident(incident);
    }
}

fn take_in(tx: &Tx<'_>, incident: &mut Incident, now: Active) {
    incident.verdict = now.verdict;
    incident.outside = now.outside;
    incident.alike = now.alike;
    if let Cause::Check(check) = &incident.cause
        && now.verdict == Verdict::Failed
    {
        incident.failure_wanted_at = incident.failure_wanted_at.or(Some(tx.at));
        incident.failure = current_failure(tx, check).or_else(|| incident.failure.take());
    }
    for impact in incident.impact.values_mut() {
        impact.waiting.clear();
    }
    for (key, waiting) in now.waiting {
        let impact =
            incident.impact.entry(key).or_insert(Impact { waiting: BTreeSet::new(), waited: 0, state: ImpactState::Waiting });
        impact.waited = impact.waited.max(waiting.len());
        impact.waiting = waiting;
    }
}

/// The cause is gone; what waited for it may not be ready yet.
fn recover(tx: &mut Tx<'_>, incident: &mut Incident) {
    if incident.phase == Phase::Open {
        incident.phase = Phase::Recovering { since: tx.at };
        tx.note(About::Incident(incident.id), Reason::Recovering);
    }
    incident.outside = false;
    for (key, impact) in &mut incident.impact {
        let view = tx.state.view.cycles.get(&key.dashboard).filter(|view| view.cycle.key == *key);
        let roster = &tx.state.roster;
        let outstanding =
            |id: &Id| roster.place(id).and_then(|ix| view?.of(ix)).is_some_and(|judged| judged.verdict > Verdict::Ready);
        impact.waiting.retain(outstanding);
    }
}

fn settle_impact(tx: &Tx<'_>, incident: &mut Incident) {
    for (key, impact) in &mut incident.impact {
        impact.state = match tx.state.cycles.get(key) {
            Some(cycle) if cycle.ready_at.is_some() => ImpactState::Ready(cycle.ready_at.unwrap_or(tx.at)),
            Some(cycle) if cycle.closed_at.is_some() => ImpactState::Over,
            Some(_) => ImpactState::Waiting,
            None => ImpactState::Over,
        };
    }
}

/// The cause of an incident proves to lie deeper: what was its cause now waits for another. It keeps its id.
fn deepen(tx: &mut Tx<'_>, open: &[IncidentId], active: &mut BTreeMap<Cause, Active>) {
    let causes: Vec<Cause> = active.keys().cloned().collect();
    for cause in causes {
        let Some(now) = active.get(&cause) else { continue };
        let shallower = open.iter().filter_map(|id| tx.state.incidents.get(id)).find(|incident| {
            let Cause::Check(was) = &incident.cause else { return false };
            matches!(incident.phase, Phase::Recovering { since } if since == tx.at)
                && now.waiting.values().any(|waiting| waiting.contains(was))
        });
        let Some(mut incident) = shallower.cloned() else { continue };
        let Some(now) = active.remove(&cause) else { continue };
        incident.cause = cause;
        incident.phase = Phase::Open;
        incident.since = incident.since.min(now.since);
        (incident.failure, incident.failure_wanted_at) = (None, None);
        take_in(tx, &mut incident, now);
        settle_impact(tx, &mut incident);
        tx.note(About::Incident(incident.id), Reason::Deepened);
        tx.put_incident(incident);
    }
}

/// The cause is gone, but what waited for it will be late all the same: that is the same trouble. Where a person was asked about
/// each of these cycles, nothing new is to be said; else the incident goes on under the check that now holds things up.
fn go_on(tx: &mut Tx<'_>, open: &[IncidentId], active: &mut BTreeMap<Cause, Active>) {
    let lagging = |now: &Active| matches!(now.verdict, Verdict::AtRisk | Verdict::Late) && !now.outside;
    let causes: Vec<Cause> = active.iter().filter(|(_, now)| lagging(now)).map(|(cause, _)| cause.clone()).collect();
    for cause in causes {
        let Cause::Check(check) = &cause else { continue };
        let Some(now) = active.get(&cause) else { continue };
        let waits_in = |incident: &&Incident| {
            let waits = |key: &CycleKey| incident.impact.get(key).is_some_and(|impact| impact.waiting.contains(check));
            matches!(incident.phase, Phase::Recovering { .. }) && now.waiting.keys().all(waits)
        };
        let Some(mut incident) = open.iter().filter_map(|id| tx.state.incidents.get(id)).find(waits_in).cloned() else { continue };
        let Some(now) = active.remove(&cause) else { continue };
        if now.waiting.keys().all(|key| is_asked(tx, &incident, key)) {
            continue;
        }
        incident.cause = cause;
        incident.phase = Phase::Open;
        (incident.failure, incident.failure_wanted_at) = (None, None);
        // Whoever was asked about the former cause has repaired it: the next rung waits for this one's own time.
        incident.asked_at = None;
        take_in(tx, &mut incident, now);
        settle_impact(tx, &mut incident);
        tx.put_incident(incident);
    }
}

/// Was a person asked about this very cycle, or does nobody look at it?
fn is_asked(tx: &Tx<'_>, incident: &Incident, key: &CycleKey) -> bool {
    let asked = |told: &Told| told.attention >= Attention::Notify && told.cycles.contains(key);
    incident.told.values().any(asked)
        || (incident.asked_at.is_some() && tx.state.cycles.get(key).is_some_and(|cycle| !cycle.audience))
}

fn open_new(tx: &mut Tx<'_>, cause: Cause, now: Active) {
    let mut incident = Incident {
        id: tx.next_incident(),
        cause,
        opened_at: tx.at,
        since: now.since,
        verdict: now.verdict,
        phase: Phase::Open,
        alike: BTreeSet::new(),
        impact: BTreeMap::new(),
        outside: false,
        told: BTreeMap::new(),
        decided: Vec::new(),
        asked_at: None,
        failure_wanted_at: None,
        failure: None,
    };
    take_in(tx, &mut incident, now);
    settle_impact(tx, &mut incident);
    tx.note(About::Incident(incident.id), Reason::Opened);
    tx.put_incident(incident);
}

/// Resolved: the cause is gone and every impacted deadline is ready, or over.
fn close_when_over(tx: &mut Tx<'_>, id: IncidentId) {
    let Some(incident) = tx.state.incidents.get(&id) else { return };
    let Phase::Recovering { since } = incident.phase else { return };
    if incident.impact.values().any(|impact| impact.state == ImpactState::Waiting) {
        return;
    }
    let Some(mut incident) = tx.state.incidents.get(&id).cloned() else { return };
    // "Gone" by the closing of its last cycle is no recovery.
    let over = incident.impact.values().all(|impact| impact.state == ImpactState::Over) && !incident.impact.is_empty();
    let recovered_at = (!(over && since == tx.at)).then_some(since);
    incident.phase = Phase::Resolved { at: tx.at, recovered_at };
    tx.put_incident(incident);
}

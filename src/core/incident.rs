//! Incidents: the causes behind all verdicts, folded, with their impact; open → recovering → resolved.
//!
//! Who is told, and how loud, is `policy`'s.

use super::clocks;
use super::fold;
use super::observation::Failure;
use super::outside::Outside;
use super::plan::Id;
use super::state::{Cause, CycleKey, CycleState, Impact, ImpactState, Incident, IncidentId, Phase, Reason, State, Verdict};
use super::suspicion;
use super::time::Instant;
use super::tx::Tx;
use chrono::TimeDelta;
use std::collections::{BTreeMap, BTreeSet};

/// A cause as the verdicts show it now.
#[derive(Debug, Clone)]
pub(super) struct Active {
    pub(super) verdict: Verdict,
    pub(super) since: Instant,
    pub(super) waiting: BTreeMap<CycleKey, BTreeSet<Id>>,
    pub(super) alike: BTreeSet<Id>,
    pub(super) outside: bool,
}

impl Active {
    pub(super) fn new(since: Instant) -> Self {
        Self { verdict: Verdict::OnTrack, since, waiting: BTreeMap::new(), alike: BTreeSet::new(), outside: false }
    }
}

/// The failures of so many of them are asked for; the rest are taken to be like these.
pub const SAMPLE: usize = 4;

/// Trouble that comes back after so long is to be told to a person anew.
const ANEW_AFTER: TimeDelta = TimeDelta::minutes(30);

pub(super) fn fold(tx: &mut Tx<'_>) {
    let mut active = active(tx);
    suspicion::suspect(tx, &mut active);
    fold::hold_together(tx, &mut active);
    fold::fold_alike(tx, &mut active);
    let open: Vec<IncidentId> = tx
        .state
        .incidents
        .values()
        .filter(|incident| !matches!(incident.phase, Phase::Resolved { .. }))
        .map(|incident| incident.id)
        .collect();
    let open = without_merged(tx, open, &active);
    for id in &open {
        carry_on(tx, *id, &mut active);
    }
    deepen(tx, &open, &mut active);
    lag(tx, &open, &mut active);
    for (cause, now) in active {
        open_new(tx, cause, now);
    }
    for id in open {
        close_when_over(tx, id);
    }
}

/// An incident that nobody was told of, and whose cause proves to be one of many alike, was none of its own.
fn without_merged(tx: &mut Tx<'_>, open: Vec<IncidentId>, active: &BTreeMap<Cause, Active>) -> Vec<IncidentId> {
    let alike: BTreeSet<&Id> = active.values().flat_map(|now| &now.alike).collect();
    let merged = |incident: &Incident| match &incident.cause {
        Cause::Check(id) => incident.told.is_empty() && alike.contains(id),
        _ => false,
    };
    let (gone, kept): (Vec<_>, Vec<_>) = open.into_iter().partition(|id| tx.state.incidents.get(id).is_some_and(merged));
    for id in gone {
        if let Some(incident) = tx.state.incidents.get(&id).cloned() {
            tx.note_of(&incident, Reason::Merged);
        }
        tx.drop_incident(id);
    }
    kept
}

fn active(tx: &Tx<'_>) -> BTreeMap<Cause, Active> {
    let mut active: BTreeMap<Cause, Active> = BTreeMap::new();
    for view in tx.state.view.cycles.values() {
        for (ix, judged) in &view.checks {
            let Some(cause) = &judged.cause else { continue };
            let id = &tx.state.roster.checks[*ix].id;
            let now = active.entry(cause.clone()).or_insert_with(|| Active::new(judged.since));
            let own =
                *cause == Cause::Check(id.clone()) || judged.verdict == Verdict::Unknown || matches!(cause, Cause::Scheduler(_));
            if own {
                now.verdict = now.verdict.max(judged.verdict);
                now.since = now.since.min(judged.since);
            }
            now.waiting.entry(view.cycle.key.clone()).or_default().insert(id.clone());
        }
        if let Some(calendar) = &view.cycle.calendar_ended {
            let now = active.entry(Cause::Calendar(calendar.clone())).or_insert_with(|| Active::new(tx.at));
            now.verdict = Verdict::Unknown;
            now.outside = true;
        }
    }
    hollow(tx, &mut active);
    clocks::doubt(tx, &mut active);
    for (ix, trouble) in &tx.state.view.outside {
        let known = &tx.state.roster.checks[*ix];
        let max_age = known.check.max_age.unwrap_or_default();
        let (cause, verdict, since) = match trouble {
            Outside::Stale { newest } => (Cause::Check(known.id.clone()), Verdict::Late, *newest + max_age),
            Outside::Blind { newest } => (Cause::Source(known.check.source.clone()), Verdict::Unknown, *newest + max_age),
            Outside::NeverSeen { since } => (Cause::Check(known.id.clone()), Verdict::Unknown, *since),
            Outside::Failed { at, .. } => (Cause::Check(known.id.clone()), Verdict::Failed, at.unwrap_or(tx.at)),
        };
        let now = active.entry(cause).or_insert_with(|| Active::new(since));
        now.verdict = now.verdict.max(verdict);
        now.outside = true;
    }
    active
}

/// A dashboard that needs a group of which nothing is known waits for the source that cannot be asked; or, where that lists what it
/// has, for the group, which matches nothing.
fn hollow(tx: &Tx<'_>, active: &mut BTreeMap<Cause, Active>) {
    for view in tx.state.view.cycles.values() {
        for (group, source) in &view.hollow {
            let known = tx.state.sources.get(source);
            let never_listed = known.filter(|source| source.listed_at.is_none()).and_then(|source| source.list_dark.as_ref());
            let dark = never_listed.or(known.and_then(|source| source.dark.as_ref()));
            let (cause, since) = match (dark, known.and_then(|source| source.listed_at)) {
                (Some(dark), _) => (Cause::Source(source.clone()), dark.since),
                (None, Some(_)) => (Cause::Group(group.clone()), tx.at),
                // Nobody has asked yet.
                (None, None) => continue,
            };
            let now = active.entry(cause).or_insert_with(|| Active::new(since));
            now.verdict = now.verdict.max(Verdict::Unknown);
            let waiting = now.waiting.entry(view.cycle.key.clone()).or_default();
            waiting.insert(Id::from(format!("group:{group}")));
        }
    }
}

/// The open incident of which this check is the cause.
pub(super) fn own<'a>(tx: &'a Tx<'_>, id: &Id) -> Option<&'a Incident> {
    let open = tx.state.incidents.values().filter(|incident| !matches!(incident.phase, Phase::Resolved { .. }));
    open.into_iter().find(|incident| matches!(&incident.cause, Cause::Check(cause) if cause == id))
}

/// What was fetched of the run that failed now.
pub(super) fn current_failure(state: &State, id: &Id) -> Option<Failure> {
    let ix = state.roster.place(id)?;
    let run = state.view.failed_run(ix)?;
    state.checks[ix].failures.iter().find(|(known, _)| known == run).map(|(_, failure)| failure.clone())
}

/// Brings an open incident to now: takes its cause out of `active` where it still holds.
fn carry_on(tx: &mut Tx<'_>, id: IncidentId, active: &mut BTreeMap<Cause, Active>) {
    let Some(mut incident) = tx.state.incidents.get(&id).cloned() else { return };
    let before = incident.clone();
    surface(tx, &mut incident, active);
    let now = active.remove(&incident.cause);
    match now {
        Some(now) => {
            if let Phase::Recovering { since } = incident.phase {
                incident.phase = Phase::Open;
                // Another spell of the same trouble.
                incident.since = now.since;
                incident.retired_by = None;
                if incident.lagging.unwrap_or(tx.at) - since >= ANEW_AFTER {
                    ask_anew(&mut incident, since);
                }
            }
            take_in(tx, &mut incident, now);
            forget_misjudged(&mut incident);
        }
        None => recover(tx, &mut incident),
    }
    settle_impact(tx, &mut incident);
    if incident != before {
        tx.put_incident(incident);
    }
}

/// What hid its cause is gone, and the cause is not: that is no new trouble. It keeps its id, and who was told knows of it.
fn surface(tx: &mut Tx<'_>, incident: &mut Incident, active: &BTreeMap<Cause, Active>) {
    if active.contains_key(&incident.cause) {
        return;
    }
    let Some(cause) = incident.hidden.take().filter(|id| own(tx, id).is_none()).map(Cause::Check) else { return };
    let Some(now) = active.get(&cause) else { return };
    incident.cause = cause;
    // What waited for no more than to be seen is not held up by the check.
    incident.impact.retain(|key, impact| impact.state != ImpactState::Waiting || now.waiting.contains_key(key));
    tx.note_of(incident, Reason::Surfaced);
}

/// After a while of health, who was asked before was asked about something else; not so who was asked since, about what lagged.
fn ask_anew(incident: &mut Incident, since: Instant) {
    for told in incident.told.values_mut().filter(|told| told.at <= since) {
        told.quieten();
        incident.asked_at = None;
        incident.escalated.clear();
        incident.ack = None;
    }
}

fn take_in(tx: &Tx<'_>, incident: &mut Incident, now: Active) {
    incident.verdict = now.verdict;
    // Where the clock was set back it has begun now at the latest.
    incident.since = incident.since.min(tx.at);
    incident.outside = now.outside;
    incident.alike = now.alike;
    if let Cause::Check(check) = &incident.cause
        && now.verdict == Verdict::Failed
    {
        incident.failure = current_failure(tx.state, check).or_else(|| incident.failure.take());
    }
    for impact in incident.impact.values_mut() {
        impact.waiting.clear();
    }
    for (key, waiting) in now.waiting {
        let new = Impact { waiting: BTreeSet::new(), waited: 0, state: ImpactState::Waiting, told_at: None };
        let impact = incident.impact.entry(key).or_insert(new);
        impact.waited = impact.waited.max(waiting.len());
        impact.waiting = waiting;
    }
}

/// What was taken to be alike until its error was known is an incident of its own now: its deadlines must not hold this one open.
fn forget_misjudged(incident: &mut Incident) {
    let told = &incident.told;
    let is_told = |key: &CycleKey| told.values().any(|told| told.cycles.contains_key(key));
    incident.impact.retain(|key, impact| !impact.waiting.is_empty() || impact.state != ImpactState::Waiting || is_told(key));
}

/// The cause is gone; what waited for it may not be ready yet.
fn recover(tx: &mut Tx<'_>, incident: &mut Incident) {
    if incident.phase == Phase::Open {
        incident.phase = Phase::Recovering { since: tx.at };
        tx.note_of(incident, Reason::Recovering);
    }
    incident.outside = false;
    for (key, impact) in &mut incident.impact {
        let view = tx.state.view.of(key);
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
        incident.hidden = match std::mem::replace(&mut incident.cause, cause) {
            Cause::Check(was) if !matches!(incident.cause, Cause::Check(_)) => Some(was),
            _ => None,
        };
        incident.phase = Phase::Open;
        incident.since = incident.since.min(now.since);
        incident.failure = None;
        // Who wanted no word of the one has not heard of the other.
        (incident.snooze, incident.retired_by) = (None, None);
        take_in(tx, &mut incident, now);
        settle_impact(tx, &mut incident);
        tx.note_of(&incident, Reason::Deepened);
        tx.put_incident(incident);
    }
}

/// The cause is gone, but what waited for it will be late all the same: that is the same trouble, and the same incident.
fn lag(tx: &mut Tx<'_>, open: &[IncidentId], active: &mut BTreeMap<Cause, Active>) {
    let lagging = |now: &Active| matches!(now.verdict, Verdict::AtRisk | Verdict::Late) && !now.outside;
    let causes: Vec<Cause> = active.iter().filter(|(_, now)| lagging(now)).map(|(cause, _)| cause.clone()).collect();
    let mut lags: BTreeMap<IncidentId, Verdict> = BTreeMap::new();
    for cause in causes {
        let Cause::Check(check) = &cause else { continue };
        let Some(now) = active.get(&cause) else { continue };
        let held_up = open.iter().filter_map(|id| tx.state.incidents.get(id)).find(|incident| {
            let waits = |key: &CycleKey| incident.impact.get(key).is_some_and(|impact| impact.waiting.contains(check));
            // What a source was hiding is a cause of its own, now that it can be seen.
            let behind_a_check = matches!(incident.cause, Cause::Check(_));
            behind_a_check && matches!(incident.phase, Phase::Recovering { .. }) && now.waiting.keys().all(waits)
        });
        if let Some(incident) = held_up.map(|incident| incident.id) {
            let verdict = lags.entry(incident).or_insert(now.verdict);
            *verdict = now.verdict.max(*verdict);
            active.remove(&cause);
        }
    }
    for id in open {
        let Some(incident) = tx.state.incidents.get(id) else { continue };
        let verdict = lags.get(id).copied().unwrap_or(incident.verdict);
        let lagging = lags.contains_key(id).then(|| incident.lagging.unwrap_or(tx.at));
        if incident.lagging != lagging || incident.verdict != verdict {
            let incident = Incident { lagging, verdict, ..incident.clone() };
            tx.put_incident(incident);
        }
    }
}

fn open_new(tx: &mut Tx<'_>, cause: Cause, now: Active) {
    let mut incident = Incident {
        id: tx.next_incident(),
        cause,
        hidden: None,
        opened_at: tx.at,
        since: now.since,
        verdict: now.verdict,
        phase: Phase::Open,
        alike: BTreeSet::new(),
        lagging: None,
        impact: BTreeMap::new(),
        outside: false,
        told: BTreeMap::new(),
        escalated: BTreeSet::new(),
        decided: Vec::new(),
        asked_at: None,
        failure: None,
        ack: None,
        snooze: None,
        retired_by: None,
    };
    take_in(tx, &mut incident, now);
    settle_impact(tx, &mut incident);
    tx.note_of(&incident, Reason::Opened);
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
    let told: Vec<CycleKey> =
        incident.impact.iter().filter(|(_, impact)| impact.told_at.is_some()).map(|(key, _)| key.clone()).collect();
    tx.put_incident(incident);
    for key in told {
        take_back_words(tx, &key);
    }
}

/// Of a cycle whose deadline is still ahead only what incidents tell that go on counts as told: its miss would have another cause.
fn take_back_words(tx: &mut Tx<'_>, key: &CycleKey) {
    let Some(cycle) = tx.state.cycles.get(key).filter(|cycle| tx.at < cycle.deadline).cloned() else { return };
    let going_on = tx.state.incidents.values().filter(|incident| !incident.was_over_before(cycle.deadline));
    let told_at = going_on.filter_map(|incident| incident.impact.get(key)?.told_at).min();
    if told_at != cycle.told_at {
        tx.put_cycle(key.clone(), CycleState { told_at, ..cycle });
    }
}

//! Facts for messages: reads the state and the verdicts, and gathers what the words will need. Decides nothing, words nothing.

use super::clocks;
use super::judge::{CycleView, Judged};
use super::message::{
    DashboardFacts, IncidentFacts, LastSeen, Next, NotSeen, NotStarted, OwnerFacts, ResolvedFacts, Situation, Taken, Usual,
};
use super::observation::{RunState, Why};
use super::outside::Outside;
use super::plan::{Id, Plan};
use super::roster::Ix;
use super::standing::{Standing, Unseen};
use super::state::{Cause, Clock, CycleKey, Impact, Incident, Own, Phase, Seen, State, Verdict};
use super::suspicion;
use super::time::Instant;
use std::collections::{BTreeMap, BTreeSet};

/// The last moment at which a person can still save this cycle from this incident.
pub(super) fn act_by(state: &State, incident: &Incident, key: &CycleKey) -> Option<Instant> {
    let view = state.view.of(key)?;
    let waiting = &incident.impact.get(key)?.waiting;
    let outstanding =
        view.checks.iter().filter(|(ix, judged)| judged.verdict > Verdict::Ready && waiting.contains(&state.roster.checks[*ix].id));
    outstanding.map(|(_, judged)| judged.act_by).min()
}

/// When it is time to wake a person who may: not for what is as ever by then, as nobody can mend that.
pub(super) fn wakes_at(state: &State, incident: &Incident, key: &CycleKey) -> Option<Instant> {
    let cause = match &incident.cause {
        Cause::Check(id) => state.roster.place(id).and_then(|ix| state.view.of(key)?.of(ix)),
        _ => None,
    };
    act_by(state, incident, key).filter(|act_by| cause.is_none_or(|cause| cause.as_ever(*act_by).is_none()))
}

pub(super) fn incident(
    state: &State,
    plan: &Plan,
    incident: &Incident,
    cycles: &BTreeSet<CycleKey>,
    next: Next,
    at: Instant,
) -> IncidentFacts {
    let cause = match &incident.cause {
        Cause::Check(id) => state.roster.place(id),
        _ => None,
    };
    let mut waiting: BTreeSet<&Id> = incident.impact.values().flat_map(|impact| &impact.waiting).collect();
    if let Cause::Check(id) = &incident.cause {
        waiting.remove(id);
    }
    waiting.retain(|id| !incident.alike.contains(*id));
    let due: BTreeSet<Ix> = state
        .view
        .cycles
        .values()
        .flat_map(|view| view.checks.iter())
        .filter(|(_, judged)| judged.verdict > Verdict::NotWatched)
        .map(|(ix, _)| *ix)
        .collect();
    let is_touched = |id: &Id| waiting.contains(&id) || incident.alike.contains(id) || incident.cause == Cause::Check(id.clone());
    // What is late for itself is well by nobody's word.
    let late_s = |judged: &Judged| judged.habit()?.arrives?.late_s;
    let seen_at = |ix: Ix| state.sources.get(&state.roster.checks[ix].check.source)?.swept_at;
    let late_in =
        |view: &CycleView, ix| view.of(ix).and_then(late_s).is_some_and(|s| Some(view.cycle.at_wall(s as i64, plan)) < seen_at(ix));
    let is_late = |ix: Ix| state.view.cycles.values().any(|view| late_in(view, ix));
    let untouched = due.iter().filter(|ix| !is_touched(&state.roster.checks[**ix].id) && !is_late(**ix)).count();
    let judged = cause.and_then(|ix| judged(state, cycles, ix));
    let known = cause.map(|ix| &state.roster.checks[ix].check);
    let first = cycles.iter().next().and_then(|key| state.view.of(key));
    IncidentFacts {
        incident: incident.id,
        cause: incident.cause.clone(),
        verdict: incident.verdict,
        situation: situation(state, plan, incident, cause, judged, at),
        since: incident.since,
        alike: incident.alike.len(),
        waiting: waiting.len(),
        checks: due.len(),
        untouched,
        dashboards: dashboards(state, plan, incident, cycles, at),
        owner: known.and_then(|check| check.owner.as_deref()).and_then(|owner| owner_facts(plan, owner)),
        runbook: known.and_then(|check| check.runbook.clone()),
        usual: cause.zip(first).and_then(|(ix, view)| {
            let rule = view.as_a_rule(ix, state, plan)?;
            let [arrives, latest] = [rule.usual_s, rule.late_s].map(|s| view.cycle.at_wall(s, plan));
            Some(Usual { arrives, latest, nights: rule.nights })
        }),
        last_good: cause.and_then(|ix| last_good(state, ix)),
        taken: taken(incident, at),
        next,
    }
    .dated(at)
}

/// Who has it now.
pub(super) fn taken(incident: &Incident, at: Instant) -> Option<Taken> {
    let ack = incident.ack.as_ref().filter(|ack| ack.holds(at).is_some())?;
    Some(Taken { by: ack.by.clone(), until: ack.until })
}

impl IncidentFacts {
    /// A cause that is only feared has begun now at the latest.
    fn dated(mut self, at: Instant) -> Self {
        self.since = self.since.min(at);
        self
    }
}

fn judged<'a>(state: &'a State, cycles: &BTreeSet<CycleKey>, ix: Ix) -> Option<&'a Judged> {
    cycles.iter().filter_map(|key| state.view.of(key)).chain(state.view.cycles.values()).find_map(|view| view.of(ix))
}

/// The newest success that is known of, whatever its cycle.
fn last_good(state: &State, ix: Ix) -> Option<Instant> {
    let check = &state.checks[ix];
    match &check.seen {
        Some(Seen::Runs(runs)) => runs.iter().filter(|run| run.state == RunState::Success).filter_map(|run| run.ended_at).max(),
        Some(Seen::Timestamp { newest, .. }) => *newest,
        Some(Seen::Dated { arrived, .. }) => arrived.values().flatten().max().copied(),
        _ => None,
    }
    .or_else(|| check.arrivals.iter().map(|arrival| arrival.at).max())
}

/// Nobody's owner (`airflow`, empty) is unknown.
pub(super) fn owner_facts(plan: &Plan, owner: &str) -> Option<OwnerFacts> {
    if owner.is_empty() || owner == "airflow" {
        return None;
    }
    let known = plan.owners.get(owner);
    Some(OwnerFacts {
        name: known.map_or_else(|| owner.to_owned(), |known| known.name.clone()),
        contact: known.and_then(|known| known.contact.clone()),
    })
}

fn situation(
    state: &State,
    plan: &Plan,
    incident: &Incident,
    cause: Option<Ix>,
    judged: Option<&Judged>,
    at: Instant,
) -> Situation {
    if let Phase::Recovering { since } = incident.phase {
        return Situation::CatchingUp { recovered_at: since };
    }
    match &incident.cause {
        Cause::Source(id) => source_dark(state, plan, id),
        Cause::Scheduler(id) => {
            let heartbeat = match state.sources.get(id).map(|source| &source.scheduler) {
                Some(super::observation::Scheduler::Dead { heartbeat }) => *heartbeat,
                _ => None,
            };
            Situation::SchedulerDead { heartbeat }
        }
        Cause::Group(_) => Situation::NoMembers,
        Cause::Calendar(id) => {
            let last = plan.calendars.get(id).and_then(|calendar| calendar.covered).map(|(_, last)| last).unwrap_or_default();
            Situation::CalendarEnded { calendar: id.clone(), last }
        }
        Cause::Clock(id) => {
            let ahead_s = match state.sources.get(id).map(|source| source.clock) {
                Some(Clock::Off { ahead_s, .. }) => ahead_s,
                _ => 0,
            };
            Situation::ClockOff { ahead_s }
        }
        Cause::Watch(Own::Clock) => {
            let (behind_s, sources) = clocks::own(state, plan).unwrap_or_default();
            Situation::OwnClockOff { behind_s, sources }
        }
        Cause::Watch(Own::Network) => {
            let (silent, hosts, why, last_seen) = suspicion::cut_off(state, plan);
            Situation::SelfSuspected { silent, sources: plan.sources.len(), hosts, why: why.unwrap_or(Why::Timeout), last_seen }
        }
        Cause::Check(_) => {
            let outside = cause.and_then(|ix| Some((state.view.outside.get(&ix)?, &state.roster.checks[ix].check)));
            let outside = outside.map(|(trouble, check)| match trouble {
                Outside::Stale { newest } => {
                    Situation::Stale { newest: *newest, max_age_s: check.max_age.unwrap_or_default().num_seconds() }
                }
                Outside::Failed { at, doomed, .. } => failed(incident, *at, doomed.as_ref()),
                Outside::Blind { .. } | Outside::NeverSeen { .. } => {
                    never_seen(cause.and_then(|ix| state.checks[ix].seen.as_ref()))
                }
            });
            let own = judged.filter(|judged| judged.verdict > Verdict::Ready).map(|judged| of_standing(incident, judged, at));
            own.or(outside).unwrap_or(Situation::NotStarted(NotStarted::NoReason))
        }
    }
}

fn never_seen(seen: Option<&Seen>) -> Situation {
    match seen {
        Some(Seen::Suspicious(why)) => Situation::NotSeen { why: NotSeen::Suspicious(why.clone()) },
        Some(Seen::Timestamp { newest: None, .. } | Seen::Dated { .. }) => Situation::NoData { newest: None },
        _ => Situation::NotSeen { why: NotSeen::NeverSeen },
    }
}

fn failed(incident: &Incident, at: Option<Instant>, doomed: Option<&String>) -> Situation {
    let mut failure = incident.failure.clone().unwrap_or_default();
    failure.task = failure.task.or_else(|| doomed.cloned());
    Situation::Failed { at, doomed: doomed.is_some(), failure }
}

fn of_standing(incident: &Incident, judged: &Judged, at: Instant) -> Situation {
    let not_yet =
        matches!(judged.standing, Standing::NotStarted(NotStarted::NoReason | NotStarted::Scheduled(_)) | Standing::NoData { .. });
    if let Some(comes_at) = judged.as_ever(at).filter(|_| not_yet) {
        return Situation::AsEver { comes_at };
    }
    match &judged.standing {
        Standing::Failed { at, doomed, .. } => failed(incident, *at, doomed.as_ref()),
        Standing::Running { state: run, since, .. } => match run {
            RunState::Retrying { task } => Situation::Retrying { task: task.clone() },
            RunState::Waiting { task } => Situation::Waiting { task: task.clone() },
            RunState::Queued => Situation::Queued { since: *since },
            _ => {
                let usual_s = judged.habit().and_then(|habit| habit.run).map(|run| run.usual.num_seconds());
                Situation::RunningLong { started_at: judged.works_since.unwrap_or(*since), usual_s }
            }
        },
        Standing::NoData { newest } => Situation::NoData { newest: *newest },
        Standing::NotStarted(why) => Situation::NotStarted(*why),
        Standing::Unseen(Unseen::Vanished) => Situation::NotSeen { why: NotSeen::Vanished },
        Standing::Unseen(Unseen::Suspicious(why)) => Situation::NotSeen { why: NotSeen::Suspicious(why.clone()) },
        Standing::Unseen(Unseen::FutureData(at)) => Situation::NotSeen { why: NotSeen::FutureData(*at) },
        Standing::Unseen(_) => Situation::NotSeen { why: NotSeen::NeverSeen },
        Standing::NotDue | Standing::NotWatched | Standing::Arrived(_) => Situation::NotStarted(NotStarted::NoReason),
    }
}

fn source_dark(state: &State, plan: &Plan, id: &Id) -> Situation {
    let source = state.sources.get(id);
    let dark = source.and_then(|source| source.dark.as_ref().or(source.list_dark.as_ref()));
    let others = plan.sources.keys().filter(|other| *other != id);
    let answers = |other: &&Id| state.sources.get(*other).is_some_and(|other| other.dark.is_none() && other.swept_at.is_some());
    // Each check once, at its best: what has arrived for one dashboard has arrived.
    let mut best: BTreeMap<Ix, (bool, bool)> = BTreeMap::new();
    for (ix, judged) in state.view.cycles.values().flat_map(|view| &view.checks) {
        if state.roster.checks[*ix].check.source == *id && judged.verdict > Verdict::NotWatched {
            let entry = best.entry(*ix).or_default();
            entry.0 |= judged.verdict == Verdict::Ready;
            let running = |run: &super::observation::Run| run.started_at.is_some() && run.ended_at.is_none();
            entry.1 |= matches!(&state.checks[*ix].seen, Some(Seen::Runs(runs)) if runs.first().is_some_and(running));
        }
    }
    Situation::SourceDark {
        why: dark.map_or(super::observation::Why::Timeout, |dark| dark.last.why),
        detail: dark.map(|dark| dark.last.detail.clone()).unwrap_or_default(),
        tries: dark.map_or(0, |dark| dark.tries),
        last_seen: source.and_then(|source| source.swept_at).map(|at| LastSeen {
            at,
            checks: best.len(),
            arrived: best.values().filter(|(arrived, _)| *arrived).count(),
            running: best.values().filter(|(arrived, running)| *running && !arrived).count(),
        }),
        others_answer: others.clone().filter(answers).count(),
        others: others.count(),
    }
}

/// The dashboards of these cycles, by deadline.
fn dashboards(state: &State, plan: &Plan, incident: &Incident, cycles: &BTreeSet<CycleKey>, at: Instant) -> Vec<DashboardFacts> {
    let mut all: Vec<DashboardFacts> =
        cycles.iter().filter_map(|key| dashboard(state, plan, key, incident.impact.get(key), Some(incident), at)).collect();
    all.sort_by(|a, b| (a.deadline, &a.id).cmp(&(b.deadline, &b.id)));
    all
}

/// One dashboard cycle; `impact` and `incident` where it is told as part of one.
pub(super) fn dashboard(
    state: &State,
    plan: &Plan,
    key: &CycleKey,
    impact: Option<&Impact>,
    incident: Option<&Incident>,
    at: Instant,
) -> Option<DashboardFacts> {
    let setup = plan.dashboards.get(&key.dashboard)?;
    let result = state.cycles.get(key)?;
    let view = state.view.of(key);
    let (arrived, checks) = view.map_or((0, 0), CycleView::arrived);
    let prospect = view.and_then(|view| view.prospect(state, plan, setup, at));
    let unknown =
        view.map_or(0, |view| view.checks.iter().filter(|(_, judged)| judged.live && judged.verdict == Verdict::Unknown).count());
    let arrivals = view.into_iter().flat_map(|view| &view.checks).filter_map(|(ix, judged)| match &judged.standing {
        Standing::Arrived(arrival) => Some((state.roster.checks[*ix].id.clone(), arrival.at)),
        _ => None,
    });
    Some(DashboardFacts {
        id: key.dashboard.clone(),
        name: setup.name.clone(),
        deadline: result.deadline,
        audience: result.audience,
        verdict: result.verdict,
        waiting: impact.map_or(0, |impact| impact.waiting.len()),
        checks,
        arrived,
        unknown,
        act_by: incident.and_then(|incident| act_by(state, incident, key)),
        eta: prospect.and_then(|prospect| prospect.eta),
        chance: prospect.and_then(|prospect| prospect.p_miss).map(tens),
        ready_at: result.ready_at,
        in_maintenance: false,
        latest: arrivals.max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(&a.0))),
        url: setup.url.clone(),
        muted: false,
    })
}

/// A chance as people see it: in tens of percent, and never as if it were sure.
fn tens(chance: f32) -> u8 {
    let tens = (chance * 10.0).round().clamp(0.0, 10.0) as u8 * 10;
    tens.clamp(5, 95)
}

pub(super) fn resolved(state: &State, plan: &Plan, incident: &Incident, told: &BTreeSet<CycleKey>, at: Instant) -> ResolvedFacts {
    let recovered_at = match incident.phase {
        Phase::Resolved { recovered_at, .. } => recovered_at,
        Phase::Recovering { since } => Some(since),
        Phase::Open => None,
    };
    let mut dashboards: Vec<DashboardFacts> =
        told.iter().filter_map(|key| dashboard(state, plan, key, incident.impact.get(key), None, at)).collect();
    dashboards.sort_by(|a, b| (a.deadline, &a.id).cmp(&(b.deadline, &b.id)));
    let with_audience = || incident.impact.keys().filter_map(|key| state.cycles.get(key)).filter(|cycle| cycle.audience);
    ResolvedFacts {
        incident: incident.id,
        cause: incident.cause.clone(),
        failure: incident.failure.clone(),
        since: incident.since,
        recovered_at,
        resolved_at: at,
        retired_by: incident.retired_by.clone(),
        waited: incident.impact.values().map(|impact| impact.waited).max().unwrap_or(0),
        dashboards,
        missed: with_audience().filter(|cycle| cycle.missed).count(),
        deadlines: with_audience().count(),
    }
}

//! The JSON of `once --format json`: the verdicts as they stand, one for each check in each dashboard's cycle, and one for each check
//! that no dashboard needs.

use super::apart::ApartLine;
use crate::core::judge::{CycleView, Judged};
use crate::core::message::NotStarted;
use crate::core::observation::RunState;
use crate::core::plan::{Id, Plan};
use crate::core::roster::Roster;
use crate::core::standing::{Standing, Unseen};
use crate::core::state::{Cause, CycleKey, Incident, Phase, SourceState, State, Verdict};
use crate::core::time::Instant;
use chrono_tz::Tz;
use serde::Serialize;
use std::collections::BTreeSet;

/// Times are RFC 3339 with the offset of the plan's zone.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    at: String,
    verdicts: Vec<CheckLine>,
    dashboards: Vec<DashboardLine>,
    incidents: Vec<IncidentLine>,
    /// Checks that no dashboard needs.
    outside: Vec<ApartLine>,
    /// Sources that could not be asked.
    pub(super) unseen: Vec<UnseenLine>,
}

#[derive(Debug, Serialize)]
struct CheckLine {
    check: Id,
    dashboard: Id,
    /// The business date, with ` #2` for the second deadline of the day.
    cycle: String,
    verdict: Verdict,
    reason: String,
    arrived_at: Option<String>,
    deadline: String,
    eta: Option<String>,
    cause: Option<String>,
}

#[derive(Debug, Serialize)]
struct DashboardLine {
    id: Id,
    cycle: String,
    verdict: Verdict,
    deadline: String,
    act_by: Option<String>,
    cause: Option<String>,
    audience: bool,
    arrived: usize,
    checks: usize,
}

#[derive(Debug, Serialize)]
struct IncidentLine {
    id: u64,
    cause: String,
    verdict: Verdict,
    checks: Vec<Id>,
    dashboards: Vec<Id>,
}

#[derive(Debug, Serialize)]
pub(super) struct UnseenLine {
    pub(super) source: Id,
    pub(super) why: String,
    pub(super) detail: String,
}

pub(super) fn report(state: &State, plan: &Plan, at: Instant, outside: Vec<ApartLine>) -> Report {
    let zone = plan.timezone;
    let views = || state.view.cycles.values();
    Report {
        at: shown(at, zone),
        verdicts: views()
            .flat_map(|view| view.checks.iter().map(|(ix, judged)| check_line(state, view, *ix, judged, zone)))
            .collect(),
        dashboards: views().map(|view| dashboard_line(view, zone)).collect(),
        incidents: state.incidents.values().filter(|i| !matches!(i.phase, Phase::Resolved { .. })).map(incident_line).collect(),
        outside,
        unseen: Vec::new(),
    }
}

pub(in crate::cli) fn shown(at: Instant, zone: Tz) -> String {
    at.with_timezone(&zone).to_rfc3339()
}

fn name(key: &CycleKey) -> String {
    if key.nth > 0 { format!("{} #{}", key.date, key.nth + 1) } else { key.date.to_string() }
}

fn check_line(state: &State, view: &CycleView, ix: usize, judged: &Judged, zone: Tz) -> CheckLine {
    let known = &state.roster.checks[ix];
    let arrived_at = match &judged.standing {
        Standing::Arrived(arrival) => Some(shown(arrival.at, zone)),
        _ => None,
    };
    let source = state.sources.get(&known.check.source);
    let own = Cause::Check(known.id.clone());
    let waits_for = judged.cause.as_ref().filter(|cause| **cause != own);
    let mut reason = reason(&judged.standing, source, &state.roster, ix, zone);
    match judged.verdict {
        Verdict::Late => reason = format!("the deadline has passed; {reason}"),
        Verdict::AtRisk => reason = format!("the deadline is in danger; {reason}"),
        _ => {}
    }
    if let Some(cause) = waits_for {
        reason = format!("{reason}; waits for {cause}");
    }
    CheckLine {
        check: known.id.clone(),
        dashboard: view.cycle.key.dashboard.clone(),
        cycle: name(&view.cycle.key),
        verdict: judged.verdict,
        reason,
        arrived_at,
        deadline: shown(view.cycle.deadline, zone),
        eta: judged.forecast.map(|forecast| shown(forecast.shown().at, zone)),
        cause: judged.cause.as_ref().map(Cause::to_string),
    }
}

/// One clause for a person.
pub(in crate::cli) fn reason(standing: &Standing, source: Option<&SourceState>, roster: &Roster, ix: usize, zone: Tz) -> String {
    let time = |at: &Instant| at.with_timezone(&zone).format("%a %H:%M").to_string();
    match standing {
        Standing::NotDue => "not due in this cycle".to_owned(),
        Standing::NotWatched => "its deadline had passed, or it had never succeeded, when the watch first knew it".to_owned(),
        Standing::Arrived(arrival) => match &arrival.run {
            Some(run) => format!("run {run} succeeded"),
            None => "its data has arrived".to_owned(),
        },
        Standing::Failed { run, doomed: Some(task), .. } => format!("run {run} is bound to fail: task {task} has failed"),
        Standing::Failed { run, .. } => format!("run {run} failed"),
        Standing::Unseen(Unseen::Dark) => {
            let detail = source.and_then(|source| source.dark.as_ref()).map(|dark| dark.last.detail.clone()).unwrap_or_default();
            format!("source {} cannot be seen: {detail}", roster.checks[ix].check.source)
        }
        Standing::Unseen(Unseen::NotAsked) => "its source has not been asked yet".to_owned(),
        Standing::Unseen(Unseen::Vanished) => format!("source {} does not know it", roster.checks[ix].check.source),
        Standing::Unseen(Unseen::Suspicious(why)) => why.clone(),
        Standing::Unseen(Unseen::CalendarEnded(calendar)) => format!("calendar {calendar} has no data for the date in its path"),
        Standing::Unseen(Unseen::FutureData(at)) => format!("its newest data lies in the future ({})", time(at)),
        Standing::Running { state, since, rerun, .. } => {
            let what = match state {
                RunState::Queued => format!("queued since {}", time(since)),
                RunState::Retrying { task } => format!("running since {}, task {task} is being retried", time(since)),
                RunState::Waiting { task } => format!("waiting for {task} since {}", time(since)),
                _ => format!("running since {}", time(since)),
            };
            if *rerun { format!("rerun: {what}") } else { what }
        }
        Standing::NotStarted(NotStarted::Paused) => "not started: it is paused".to_owned(),
        Standing::NotStarted(NotStarted::ImportError) => "not started: its file has an import error".to_owned(),
        Standing::NotStarted(NotStarted::Scheduled(at)) => format!("not started: scheduled for {}", time(at)),
        Standing::NotStarted(NotStarted::Forgotten) => {
            format!("source {} does not know it now: not started, or done and forgotten there", roster.checks[ix].check.source)
        }
        Standing::NotStarted(NotStarted::NoReason) => "no run yet".to_owned(),
        Standing::NoData { newest: Some(at) } => format!("no new data: the newest is of {}", time(at)),
        Standing::NoData { newest: None } => "there is no data".to_owned(),
    }
}

fn dashboard_line(view: &CycleView, zone: Tz) -> DashboardLine {
    let (arrived, checks) = view.arrived();
    let trouble = view.checks.iter().map(|(_, judged)| judged).filter(|judged| judged.live && judged.cause.is_some());
    let cause =
        trouble.min_by_key(|judged| (std::cmp::Reverse(judged.verdict), judged.since)).and_then(|judged| judged.cause.as_ref());
    DashboardLine {
        id: view.cycle.key.dashboard.clone(),
        cycle: name(&view.cycle.key),
        verdict: view.verdict,
        deadline: shown(view.cycle.deadline, zone),
        act_by: view.act_by().map(|at| shown(at, zone)),
        cause: cause.map(Cause::to_string),
        audience: view.cycle.audience,
        arrived,
        checks,
    }
}

fn incident_line(incident: &Incident) -> IncidentLine {
    let waiting = incident.impact.values().flat_map(|impact| &impact.waiting).chain(&incident.alike);
    let checks: BTreeSet<&Id> = waiting.collect();
    let dashboards: BTreeSet<&Id> = incident.impact.keys().map(|key| &key.dashboard).collect();
    IncidentLine {
        id: incident.id,
        cause: incident.cause.to_string(),
        verdict: incident.verdict,
        checks: checks.into_iter().cloned().collect(),
        dashboards: dashboards.into_iter().cloned().collect(),
    }
}

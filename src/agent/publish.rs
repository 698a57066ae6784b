//! What the outside may see: the state after a turn of the loop, as a snapshot for the web. It reads, and judges nothing.

use super::poll::Pool;
use crate::core::judge::CycleView;
use crate::core::observation::Scheduler;
use crate::core::plan::{Id, Plan, Source};
use crate::core::state::{Cause, ImpactState, Incident, Phase, RefusedReload, State, Verdict};
use crate::core::time::Instant;
use crate::web::snapshot::{ChatLine, Counts, DashboardLine, HeartbeatLine, IncidentLine, Snapshot, SourceLine};
use std::collections::{BTreeMap, BTreeSet};

/// What the loop knows beside the state.
pub(super) struct Shell<'a> {
    pub(super) at: Instant,
    pub(super) started_at: Instant,
    /// Sources that were swept since the start, with an answer or without.
    pub(super) heard: &'a BTreeSet<Id>,
    pub(super) pool: &'a Pool,
    pub(super) counts: Counts,
    pub(super) store_trouble: Option<String>,
    /// It is configured, and (`Some`) was not taken last.
    pub(super) heartbeat: Option<Option<String>>,
}

/// How it stands, in one line for the supervisor.
pub(super) fn status(snapshot: &Snapshot) -> String {
    if let Some(trouble) = &snapshot.store_trouble {
        return trouble.clone();
    }
    let troubled = snapshot.dashboards.iter().filter(|dashboard| dashboard.verdict.is_trouble()).count();
    let open = snapshot.incidents.iter().filter(|incident| !incident.recovering).count();
    let of = snapshot.dashboards.len();
    let ready = if snapshot.ready { "" } else { "not every source has been asked yet; " };
    let refused = if snapshot.config_refused.is_some() { "; the newest configuration was refused" } else { "" };
    format!("{ready}{troubled} of {of} dashboards in trouble, {open} open incident{}{refused}", if open == 1 { "" } else { "s" })
}

pub(super) fn snapshot(state: &State, plan: &Plan, shell: &Shell<'_>) -> Snapshot {
    Snapshot {
        at: shell.at,
        zone: plan.timezone,
        started_at: shell.started_at,
        ready: plan
            .sources
            .iter()
            .all(|(id, source)| !state.roster.is_asked(id, source.kind) || is_known(id, source, state, shell)),
        sources: plan.sources.keys().map(|id| source_line(id, state, shell.pool)).collect(),
        dashboards: state.view.cycles.values().map(|view| dashboard_line(view, plan)).collect(),
        incidents: state.incidents.values().filter_map(incident_line).collect(),
        chats: plan.chats.keys().map(|id| chat_line(id, state)).collect(),
        checks: by_verdict(state),
        counts: shell.counts,
        store_trouble: shell.store_trouble.clone(),
        heartbeat: shell.heartbeat.clone().map(|trouble| HeartbeatLine { beaten_at: state.watch.beaten_at, trouble }),
        config_refused: state.watch.refused.as_ref().map(refused),
    }
}

fn refused(refused: &RefusedReload) -> String {
    let more = refused.findings.saturating_sub(1);
    format!("{}{}", refused.first, if more > 0 { format!(" (and {more} more)") } else { String::new() })
}

/// Swept since the start, or so shortly before it, by the process before, that the next sweep is not due yet.
fn is_known(id: &Id, source: &Source, state: &State, shell: &Shell<'_>) -> bool {
    let asked_at = state.sources.get(id).and_then(|known| known.asked_at);
    let lately = |at: Instant| at <= shell.started_at && shell.started_at - at < source.every;
    shell.heard.contains(id) || asked_at.is_some_and(lately)
}

fn dashboard_line(view: &CycleView, plan: &Plan) -> DashboardLine {
    let id = &view.cycle.key.dashboard;
    let (arrived, checks) = view.arrived();
    DashboardLine {
        id: id.clone(),
        name: plan.dashboards.get(id).map(|dashboard| dashboard.name.clone()).unwrap_or_default(),
        verdict: view.verdict,
        deadline: view.cycle.deadline,
        arrived,
        checks,
    }
}

fn by_verdict(state: &State) -> Vec<(Verdict, usize)> {
    let mut counts: BTreeMap<Verdict, usize> = BTreeMap::new();
    for (_, judged) in state.view.cycles.values().flat_map(|view| &view.checks) {
        *counts.entry(judged.verdict).or_default() += 1;
    }
    counts.into_iter().collect()
}

fn source_line(id: &Id, state: &State, pool: &Pool) -> SourceLine {
    let known = state.sources.get(id);
    let dark = known.and_then(|s| s.dark.as_ref().or(s.list_dark.as_ref()));
    let dead = known.is_some_and(|s| matches!(s.scheduler, Scheduler::Dead { .. }));
    let traffic = pool.traffic(id);
    SourceLine {
        id: id.clone(),
        swept_at: known.and_then(|s| s.swept_at),
        dark_since: dark.map(|d| d.since),
        trouble: dark.map(|d| d.last.detail.clone()).or_else(|| dead.then(|| "its scheduler is not running".to_owned())),
        requests: traffic.requests,
        bytes: traffic.bytes,
    }
}

fn incident_line(incident: &Incident) -> Option<IncidentLine> {
    let recovering = match incident.phase {
        Phase::Open => false,
        Phase::Recovering { .. } => true,
        Phase::Resolved { .. } => return None,
    };
    let still = incident.impact.values().filter(|impact| matches!(impact.state, ImpactState::Waiting));
    let waiting: BTreeSet<&Id> = still.flat_map(|impact| &impact.waiting).collect();
    let itself = usize::from(matches!(&incident.cause, Cause::Check(id) if waiting.contains(id)));
    Some(IncidentLine {
        id: incident.id,
        cause: incident.cause.to_string(),
        verdict: incident.verdict,
        recovering,
        since: incident.since,
        waiting: waiting.len() - itself,
    })
}

fn chat_line(id: &Id, state: &State) -> ChatLine {
    ChatLine {
        id: id.clone(),
        broken: state.chats.get(id).and_then(|chat| chat.broken.as_ref()).map(|(_, why)| why.clone()),
        pending: state.posts.values().filter(|post| post.chat == *id && !post.attempt.is_settled()).count(),
    }
}

//! What the outside may see: the state after a turn of the loop, as a snapshot for the web. It reads, and judges nothing.

use super::poll::Pool;
use crate::core::observation::Scheduler;
use crate::core::plan::{Id, Plan};
use crate::core::state::ImpactState;
use crate::core::state::{Cause, Incident, Phase, State};
use crate::core::time::Instant;
use crate::web::snapshot::{ChatLine, Counts, IncidentLine, Snapshot, SourceLine};
use std::collections::BTreeSet;

/// What the loop knows beside the state.
pub(super) struct Shell<'a> {
    pub(super) at: Instant,
    pub(super) started_at: Instant,
    /// Sources from which an answer, or none, has come since the start.
    pub(super) heard: &'a BTreeSet<Id>,
    pub(super) pool: &'a Pool,
    pub(super) counts: Counts,
    pub(super) store_trouble: Option<String>,
}

pub(super) fn snapshot(state: &State, plan: &Plan, shell: &Shell<'_>) -> Snapshot {
    let wanted = plan.checks.values().map(|c| &c.source).chain(plan.groups.values().map(|g| &g.source));
    Snapshot {
        at: shell.at,
        started_at: shell.started_at,
        zone: plan.timezone,
        ready: wanted.collect::<BTreeSet<_>>().is_subset(&shell.heard.iter().collect()),
        sources: plan.sources.keys().map(|id| source_line(id, state, shell.pool)).collect(),
        dashboards: Vec::new(),
        incidents: state.incidents.values().filter_map(incident_line).collect(),
        chats: plan.chats.keys().map(|id| chat_line(id, state)).collect(),
        checks: Vec::new(),
        counts: shell.counts,
        store_trouble: shell.store_trouble.clone(),
    }
}

fn source_line(id: &Id, state: &State, pool: &Pool) -> SourceLine {
    let known = state.sources.get(id);
    let dark = known.and_then(|s| s.dark.as_ref());
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

//! Suspicion: when hosts that have nothing to do with each other go dark together, or all tell another time, the watch suspects itself,
//! and its own trouble stands for theirs. Changes only which cause stands for which, as `fold` does.

use super::aside;
use super::clocks;
use super::incident::Active;
use super::maintenance;
use super::message::Body;
use super::observation::Why;
use super::plan::{Id, Plan};
use super::state::{Cause, Incident, IncidentId, Own, Phase, Post, Reason, SourceState, State, Told, Verdict};
use super::time::Instant;
use super::tx::Tx;
use chrono::TimeDelta;
use std::collections::{BTreeMap, BTreeSet};

/// Sources that may have gone dark within so short a time of each other went dark together.
const TOGETHER: TimeDelta = TimeDelta::minutes(2);

/// Puts the watch's own trouble in the place of what it explains, and takes it back where it no longer does.
pub(super) fn suspect(tx: &mut Tx<'_>, active: &mut BTreeMap<Cause, Active>) {
    let parts = network(tx).into_iter().map(Cause::Source).collect();
    settle(tx, Own::Network, parts, active);
    let ongoing = of_cause(tx.state, &Cause::Watch(Own::Clock)).is_some_and(|incident| incident.phase == Phase::Open);
    let parts = clocks::explained_by_ours(tx, ongoing);
    settle(tx, Own::Clock, parts, active);
}

fn settle(tx: &mut Tx<'_>, own: Own, parts: Vec<Cause>, active: &mut BTreeMap<Cause, Active>) {
    let whole = Cause::Watch(own);
    // What was told in its own name stays so: nobody is told twice of it.
    let parts: Vec<Cause> = parts.into_iter().filter(|part| of_cause(tx.state, part).is_none_or(|i| i.told.is_empty())).collect();
    let explained: Vec<Active> = parts.iter().filter_map(|part| active.remove(part)).collect();
    let Some(since) = explained.iter().map(|now| now.since).min() else { return hand_back(tx, own, active) };
    let mut now = Active::new(since);
    (now.verdict, now.outside) = (Verdict::Unknown, true);
    for part in explained {
        for (key, waiting) in part.waiting {
            now.waiting.entry(key).or_default().extend(waiting);
        }
    }
    active.insert(whole.clone(), now);
    let mut known = of_cause(tx.state, &whole).is_some();
    let untold: Vec<IncidentId> = parts.iter().filter_map(|part| of_cause(tx.state, part)).map(|incident| incident.id).collect();
    for id in untold {
        let Some(incident) = tx.state.incidents.get(&id).cloned() else { continue };
        if known {
            tx.note_of(&incident, Reason::Merged);
            tx.drop_incident(id);
        } else {
            let incident = Incident { cause: whole.clone(), ..incident };
            tx.note_of(&incident, Reason::Deepened);
            tx.put_incident(incident);
            known = true;
        }
    }
}

/// The suspicion is over, and something of what it explained is not: the incident goes on under the first of these that has none of its
/// own, and says so where it was told. The others are incidents of their own.
fn hand_back(tx: &mut Tx<'_>, own: Own, active: &BTreeMap<Cause, Active>) {
    let whole = Cause::Watch(own);
    let Some(mut incident) = of_cause(tx.state, &whole).filter(|i| i.phase == Phase::Open).cloned() else { return };
    let explained = |cause: &&Cause| match own {
        Own::Network => matches!(cause, Cause::Source(_)),
        Own::Clock => matches!(cause, Cause::Clock(_)),
    };
    let left = active.keys().filter(explained).find(|cause| of_cause(tx.state, cause).is_none());
    let Some(left) = left else { return };
    incident.cause = left.clone();
    // Who was told of the watch's own trouble has not heard of this one; who was told of neither knows of these deadlines already.
    let posts = &tx.state.posts;
    let of_the_watch = |told: &&mut Told| posts.get(&told.post).is_none_or(|post| is_about(post, &whole));
    incident.told.values_mut().filter(of_the_watch).for_each(|told| told.cycles.clear());
    (incident.ack, incident.snooze) = (None, None);
    tx.note_of(&incident, Reason::Deepened);
    tx.put_incident(incident);
}

fn is_about(post: &Post, cause: &Cause) -> bool {
    matches!(&post.message.body, Body::Incident { about, .. } if about.cause == *cause)
}

fn of_cause<'a>(state: &'a State, cause: &Cause) -> Option<&'a Incident> {
    let open = state.incidents.values().filter(|incident| !matches!(incident.phase, Phase::Resolved { .. }));
    open.into_iter().find(|incident| incident.cause == *cause)
}

/// A source on a host that could not be reached when it was asked last.
struct Silent<'a> {
    id: &'a Id,
    host: usize,
    /// It went dark after the first and until the second.
    between: (Option<Instant>, Instant),
    asked_at: Instant,
}

impl Silent<'_> {
    fn together(&self, other: &Self) -> bool {
        let after = self.between.0.max(other.between.0);
        let until = self.between.1.min(other.between.1);
        after.is_none_or(|after| after <= until + TOGETHER)
    }
}

/// No byte of the host came back; any answer, also a refusal, shows that the way to it works.
fn is_cut_off(source: &SourceState) -> bool {
    source.dark.as_ref().is_some_and(|dark| matches!(dark.last.why, Why::Connect | Why::Timeout | Why::Tls))
}

/// The sources whose silence is the network's, as far as anybody can tell.
fn network(tx: &Tx<'_>) -> Vec<Id> {
    let (silent, heard) = hosts(tx);
    // A suspicion lasts for a source until it was asked again in vain after another host had answered.
    if let Some(incident) = of_cause(tx.state, &Cause::Watch(Own::Network)).filter(|incident| incident.phase == Phase::Open) {
        let proof = heard.into_iter().flatten().max().filter(|heard| *heard > incident.since);
        let unproven = silent.iter().filter(|source| proof.is_none_or(|proof| source.asked_at < proof));
        let own = |id: &Id| of_cause(tx.state, &Cause::Source(id.clone())).is_some();
        return unproven.map(|source| source.id).filter(|id| !own(id)).cloned().collect();
    }
    // One that has been dark for long says nothing of now; one that answers, or was never asked, excludes it.
    let Some(newest) = silent.iter().max_by_key(|source| source.between.1).filter(|_| heard.is_empty()) else { return Vec::new() };
    let together: Vec<&Silent<'_>> = silent.iter().filter(|source| source.together(newest)).collect();
    let hosts: BTreeSet<usize> = together.iter().map(|source| source.host).collect();
    if hosts.len() < 2 { Vec::new() } else { together.into_iter().map(|source| source.id.clone()).collect() }
}

/// All sources on hosts: those that are cut off, and when each other one was heard last. What is in maintenance, or muted, says nothing.
fn hosts<'a>(tx: &'a Tx<'_>) -> (Vec<Silent<'a>>, Vec<Option<Instant>>) {
    let (mut silent, mut heard) = (Vec::new(), Vec::new());
    for (id, setup) in &tx.plan.sources {
        let Some(host) = setup.host.filter(|_| tx.state.roster.is_asked(id, setup.kind)) else { continue };
        let source = tx.state.sources.get(id);
        let dark =
            source.filter(|source| is_cut_off(source)).and_then(|source| Some((source.dark.as_ref()?.since, source.asked_at?)));
        match dark {
            Some(_) if maintenance::of_source(tx.plan, id, tx.at).is_some() || aside::is_muted(tx.state, id, tx.at) => {}
            Some((since, asked_at)) => {
                let swept_at = source.and_then(|source| source.swept_at);
                silent.push(Silent { id, host, between: (swept_at, since), asked_at });
            }
            None => heard.push(source.and_then(|source| if source.dark.is_some() { source.asked_at } else { source.swept_at })),
        }
    }
    (silent, heard)
}

/// How many sources are cut off, on how many hosts, why, and when any of them was seen last.
pub(super) fn cut_off(state: &State, plan: &Plan) -> (usize, usize, Option<Why>, Option<Instant>) {
    let on_hosts = plan.sources.iter().filter_map(|(id, setup)| Some((setup.host?, state.sources.get(id)?)));
    let silent: Vec<(usize, &SourceState)> = on_hosts.filter(|(_, source)| is_cut_off(source)).collect();
    let hosts: BTreeSet<usize> = silent.iter().map(|(host, _)| *host).collect();
    let why = silent.iter().find_map(|(_, source)| source.dark.as_ref()).map(|dark| dark.last.why);
    (silent.len(), hosts.len(), why, silent.iter().filter_map(|(_, source)| source.swept_at).max())
}

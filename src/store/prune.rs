//! What may be forgotten: rows of which nothing can come any more. Pure.

use crate::core::state::{Attempt, IncidentId, Key, Phase, Post, Row, Topic};
use crate::core::time::Instant;
use std::collections::BTreeSet;

/// Collects the rows that are over since before an instant. What is open never is; an incident stays as long as one of its posts
/// does, and a post as long as its incident does, because a later word would build on both.
pub(super) struct Expiry {
    before: Instant,
    cycles: Vec<Key>,
    incidents: BTreeSet<IncidentId>,
    kept_incidents: BTreeSet<IncidentId>,
    posts: Vec<(Key, Option<IncidentId>)>,
}

impl Expiry {
    pub(super) fn new(before: Instant) -> Self {
        Self { before, cycles: vec![], incidents: BTreeSet::new(), kept_incidents: BTreeSet::new(), posts: vec![] }
    }

    /// Looks at one row; every row must be shown, in any order.
    pub(super) fn see(&mut self, row: &Row) {
        match row {
            Row::Cycle(_, cycle) if cycle.closed_at.is_some_and(|at| at < self.before) => self.cycles.push(row.key()),
            Row::Incident(incident) => match incident.phase {
                Phase::Resolved { at, .. } if at < self.before => drop(self.incidents.insert(incident.id)),
                _ => drop(self.kept_incidents.insert(incident.id)),
            },
            Row::Post(post) => {
                let incident = match post.topic {
                    Topic::Incident(id) => Some(id),
                    Topic::Digest { .. } | Topic::Watch(_) => None,
                };
                if settled_at(post).is_some_and(|at| at < self.before) {
                    self.posts.push((row.key(), incident));
                } else if let Some(id) = incident {
                    self.kept_incidents.insert(id);
                }
            }
            Row::Source(..) | Row::Check(..) | Row::Cycle(..) | Row::Chat(..) | Row::Digest(..) | Row::Counters(_) => {}
        }
    }

    pub(super) fn keys(self) -> Vec<Key> {
        let kept = self.kept_incidents;
        let incidents = self.incidents.into_iter().filter(|id| !kept.contains(id)).map(Key::Incident);
        let posts = self.posts.into_iter().filter(|(_, id)| id.is_none_or(|id| !kept.contains(&id))).map(|(key, _)| key);
        self.cycles.into_iter().chain(posts).chain(incidents).collect()
    }
}

fn settled_at(post: &Post) -> Option<Instant> {
    match post.attempt {
        Attempt::Idle | Attempt::Started { .. } => None,
        Attempt::Confirmed { at, .. } | Attempt::Ambiguous { at } | Attempt::Refused { at, .. } | Attempt::Withdrawn { at, .. } => {
            Some(at)
        }
    }
}

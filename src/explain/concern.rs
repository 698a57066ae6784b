//! Which lines of the ledger concern one check or dashboard: what it needs, where that comes from, and the incidents of all that.

use super::Subject;
use crate::core::command::Muted;
use crate::core::plan::Id;
use crate::core::roster::{Ix, Roster};
use crate::core::state::{About, Cause, Entry, Grounds, Incident, IncidentId, Reason, State, Topic, Trouble};
use std::collections::BTreeSet;

pub(super) struct Concern {
    subject: Subject,
    /// Itself or its members, and all that these need in turn; their sources; the dashboards that it is, or that wait for it.
    checks: BTreeSet<Id>,
    sources: BTreeSet<Id>,
    dashboards: BTreeSet<Id>,
    /// Those of which it is known that they are about it.
    incidents: BTreeSet<IncidentId>,
}

impl Concern {
    pub(super) fn new(subject: &Subject, roster: &Roster) -> Self {
        let (places, dashboards): (BTreeSet<Ix>, BTreeSet<Id>) = match subject {
            Subject::Check(id) => {
                let ix = roster.place(id);
                let dashboards = ix.map(|ix| roster.checks[ix].dashboards.iter().cloned().collect()).unwrap_or_default();
                (with_needs(roster, ix.into_iter().collect()), dashboards)
            }
            Subject::Dashboard(id) => {
                let wanted = roster.dashboards.get(id);
                (wanted.map(|wanted| wanted.closure.iter().copied().collect()).unwrap_or_default(), BTreeSet::from([id.clone()]))
            }
        };
        let known = || places.iter().map(|ix| &roster.checks[*ix]);
        Self {
            subject: subject.clone(),
            checks: known().map(|known| known.id.clone()).collect(),
            sources: known().map(|known| known.check.source.clone()).collect(),
            dashboards,
            incidents: BTreeSet::new(),
        }
    }

    /// The state says exactly who waits for what.
    pub(super) fn know(&mut self, state: &State) {
        let about_it = state.incidents.values().filter(|incident| self.is_held_up_by(incident)).map(|incident| incident.id);
        let about_it: Vec<IncidentId> = about_it.collect();
        self.incidents.extend(about_it);
    }

    pub(super) fn is_held_up_by(&self, incident: &Incident) -> bool {
        let waits = match &self.subject {
            Subject::Check(id) => incident.alike.contains(id) || incident.impact.values().any(|impact| impact.waiting.contains(id)),
            Subject::Dashboard(id) => incident.impact.keys().any(|key| key.dashboard == *id),
        };
        waits || self.has_cause(&incident.cause, incident.impact.keys().map(|key| &key.dashboard))
    }

    fn has_cause<'a>(&self, cause: &Cause, mut endangered: impl Iterator<Item = &'a Id>) -> bool {
        match cause {
            Cause::Check(id) => self.checks.contains(id),
            Cause::Source(id) | Cause::Scheduler(id) | Cause::Clock(id) => self.sources.contains(id),
            Cause::Calendar(_) | Cause::Group(_) | Cause::Watch(_) => endangered.any(|id| self.dashboards.contains(id)),
        }
    }

    /// In order of time: what is learned from one line holds for those behind it.
    pub(super) fn has(&mut self, entry: &Entry) -> bool {
        match (&entry.about, entry.evidence.as_deref()) {
            (About::Incident(id), Some(Grounds::Trouble(trouble))) => self.is_of_incident(*id, trouble),
            (About::Incident(id), _) => self.incidents.contains(id),
            (About::Post(_), Some(Grounds::Sending(sending))) => match &sending.topic {
                Topic::Incident(id) => self.incidents.contains(id),
                Topic::Digest { .. } => matches!(self.subject, Subject::Dashboard(_)) && entry.reason != Reason::Delivered,
                Topic::Watch(_) => false,
            },
            (About::Order { .. }, Some(Grounds::Order { what: Some(what), .. })) => match what {
                Muted::Check(id) => self.checks.contains(id),
                Muted::Source(id) => self.sources.contains(id),
                Muted::Dashboard(id) => self.dashboards.contains(id),
            },
            (About::Source(id), _) => self.sources.contains(id),
            (About::Check(id), _) => self.subject == Subject::Check(id.clone()),
            (About::Cycle(key), _) => self.subject == Subject::Dashboard(key.dashboard.clone()),
            (About::Watch, _) => true,
            (About::Digest { .. }, _) => matches!(self.subject, Subject::Dashboard(_)),
            _ => false,
        }
    }

    fn is_of_incident(&mut self, id: IncidentId, trouble: &Trouble) -> bool {
        let names = |cycle: &crate::core::state::Endangered| self.subject == Subject::Dashboard(cycle.cycle.dashboard.clone());
        let is = self.incidents.contains(&id)
            || trouble.cycles.iter().any(names)
            || self.has_cause(&trouble.cause, trouble.cycles.iter().map(|cycle| &cycle.cycle.dashboard));
        if is {
            self.incidents.insert(id);
        }
        is
    }
}

fn with_needs(roster: &Roster, mut places: BTreeSet<Ix>) -> BTreeSet<Ix> {
    let mut open: Vec<Ix> = places.iter().copied().collect();
    while let Some(ix) = open.pop() {
        open.extend(roster.checks[ix].needs.iter().copied().filter(|need| places.insert(*need)));
    }
    places
}

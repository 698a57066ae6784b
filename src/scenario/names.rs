//! Names of a golden night: which source is asked for a check, and by which name.

use crate::config::hint;
use crate::core::plan::{Evidence, Id, Plan};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a source is asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Subject {
    pub(super) source: Id,
    pub(super) id: Id,
}

/// The names of the configuration, and of those that a night goes over to.
pub(super) struct Names(pub(super) Vec<Arc<Plan>>);

impl Names {
    /// A check by its name; a member of a group by its id in the source (`SOURCE/ID` where groups of several sources could be meant).
    pub(super) fn subject(&self, name: &str) -> Result<Subject, String> {
        if let Some(check) = self.0.iter().find_map(|plan| plan.checks.get(name)) {
            return Ok(Subject { source: check.source.clone(), id: check.subject.clone() });
        }
        if let Some((source, id)) = name.split_once('/')
            && let Ok(source) = self.source(source)
        {
            return Ok(Subject { source, id: Id::from(id) });
        }
        let sources: BTreeSet<&Id> = self.0.iter().flat_map(|plan| plan.groups.values()).map(|group| &group.source).collect();
        let mut sources = sources.into_iter();
        match (sources.next(), sources.next()) {
            (Some(source), None) => Ok(Subject { source: source.clone(), id: Id::from(name) }),
            (Some(_), Some(_)) => Err(format!("there is no check {name:?}, and groups of several sources; expected SOURCE/ID")),
            (None, _) => Err(self.unknown("check", name, |plan| plan.checks.keys().collect())),
        }
    }

    /// The evidence by which the check stands, and whether its path has a date.
    pub(super) fn evidence(&self, name: &str) -> (Evidence, bool) {
        let check = self.0.iter().find_map(|plan| plan.checks.get(name));
        check.map_or((Evidence::Pipeline, false), |check| (check.evidence, check.dated.is_some()))
    }

    pub(super) fn source(&self, name: &str) -> Result<Id, String> {
        self.known("source", name, |plan| plan.sources.keys().collect())
    }

    pub(super) fn chat(&self, name: &str) -> Result<Id, String> {
        self.known("chat", name, |plan| plan.chats.keys().collect())
    }

    pub(super) fn dashboard(&self, name: &str) -> Result<Id, String> {
        self.known("dashboard", name, |plan| plan.dashboards.keys().collect())
    }

    /// Every check that stands in the configuration by name, and what it is asked for.
    pub(super) fn all(&self) -> BTreeMap<Subject, (Evidence, bool)> {
        let checks = self.0.iter().flat_map(|plan| plan.checks.values());
        let subject = |source: &Id, id: &Id| Subject { source: source.clone(), id: id.clone() };
        checks.map(|check| (subject(&check.source, &check.subject), (check.evidence, check.dated.is_some()))).collect()
    }

    /// Does the source list what it has?
    pub(super) fn lists(&self, source: &Id) -> bool {
        self.0.iter().find_map(|plan| plan.sources.get(source)).is_some_and(|source| source.kind.lists())
    }

    fn known(&self, what: &str, name: &str, of: impl Fn(&Plan) -> Vec<&Id>) -> Result<Id, String> {
        let known = self.0.iter().any(|plan| of(plan).iter().any(|id| id.as_str() == name));
        if known { Ok(Id::from(name)) } else { Err(self.unknown(what, name, of)) }
    }

    fn unknown(&self, what: &str, name: &str, of: impl Fn(&Plan) -> Vec<&Id>) -> String {
        let all: BTreeSet<&str> = self.0.iter().flat_map(|plan| of(plan)).map(Id::as_str).collect();
        format!("there is no {what} {name:?}{}", hint(name, all.iter().copied()))
    }
}

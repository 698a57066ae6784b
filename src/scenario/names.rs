//! Names of a golden night: which source is asked for a check, and by which name.

use crate::config::hint;
use crate::core::plan::{Id, Plan};
use crate::replay::csv::{Meant, meant, nobody};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a source is asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Subject {
    pub(super) source: Id,
    pub(super) id: Id,
}

/// The names of the configuration, and of those that a night goes over to.
pub(super) struct Names {
    pub(super) plans: Vec<Arc<Plan>>,
    /// Pipelines whose line in a listing is told of, or why it is not known which.
    pub(super) announced: BTreeMap<String, Result<Subject, String>>,
}

impl Names {
    /// A pipeline that a source lists: a check by its name, or any of the only source with groups (`SOURCE/ID` where there are others).
    pub(super) fn announce(&mut self, name: &str) {
        let subject = self.subject(name).or_else(|why| self.listed(name)?.ok_or(why));
        self.announced.insert(name.to_owned(), subject);
    }

    fn listed(&self, name: &str) -> Result<Option<Subject>, String> {
        if let Some((source, id)) = name.split_once('/')
            && let Ok(source) = self.source(source)
        {
            return Ok(Some(Subject { source, id: Id::from(id) }));
        }
        let sources: BTreeSet<&Id> = self.plans.iter().flat_map(|plan| plan.groups.values()).map(|group| &group.source).collect();
        let mut sources = sources.into_iter();
        match (sources.next(), sources.next()) {
            (Some(_), Some(_)) => Err(format!("there is no check {name:?}, and groups of several sources; expected SOURCE/ID")),
            (one, _) => Ok(one.map(|source| Subject { source: source.clone(), id: Id::from(name) })),
        }
    }

    /// What is announced, and what rows mean by this name.
    pub(super) fn subject(&self, name: &str) -> Result<Subject, String> {
        if let Some(subject) = self.announced.get(name) {
            return subject.clone();
        }
        match meant(&self.plans, name) {
            Meant::Check(source, id, _) => Ok(Subject { source, id }),
            Meant::Unclear(why) => Err(why),
            Meant::Source(_) => Err(format!("{name:?} is a source; expected a check")),
            Meant::Nobody => Err(nobody(&self.plans, name)),
        }
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

    /// Does the source list what it has?
    pub(super) fn lists(&self, source: &Id) -> bool {
        self.plans.iter().find_map(|plan| plan.sources.get(source)).is_some_and(|source| source.kind.lists())
    }

    fn known(&self, what: &str, name: &str, of: impl Fn(&Plan) -> Vec<&Id>) -> Result<Id, String> {
        let known = self.plans.iter().any(|plan| of(plan).iter().any(|id| id.as_str() == name));
        if known { Ok(Id::from(name)) } else { Err(self.unknown(what, name, of)) }
    }

    fn unknown(&self, what: &str, name: &str, of: impl Fn(&Plan) -> Vec<&Id>) -> String {
        let all: BTreeSet<&str> = self.plans.iter().flat_map(|plan| of(plan)).map(Id::as_str).collect();
        format!("there is no {what} {name:?}{}", hint(name, all.iter().copied()))
    }
}

//! What a name in rows means to a plan: a check, a member of groups, a source, nothing, or more than one thing. Asks nobody, and guesses
//! nothing that a row does not tell.

use super::SOURCE;
use crate::config::hint;
use crate::core::observation::Fact;
use crate::core::plan::{Check, DateShift, Evidence, Group, Id, Matcher, Plan, glob};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a source says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Form {
    Runs,
    Timestamp,
    Dated(DateShift),
    /// It is a source itself.
    Source,
}

impl Form {
    pub(super) fn of(check: &Check) -> Self {
        match (&check.evidence, &check.dated) {
            (Evidence::Pipeline, _) => Self::Runs,
            (_, Some(shift)) => Self::Dated(shift.clone()),
            (_, None) => Self::Timestamp,
        }
    }

    /// Known, and nothing has come yet.
    pub(super) fn nothing(&self) -> Option<Fact> {
        match self {
            Self::Runs => Some(Fact::Runs(Vec::new())),
            Self::Timestamp => Some(Fact::Timestamp(None)),
            Self::Dated(_) => Some(Fact::Dated(BTreeMap::new())),
            Self::Source => None,
        }
    }
}

/// What a name means.
#[derive(Debug, PartialEq)]
pub(crate) enum Meant {
    Source(Id),
    /// A check, or a member of groups: by its source, and what that calls it.
    Check(Id, Id, Form),
    Nobody,
    /// More than one thing; a sentence that says how to tell them apart.
    Unclear(String),
}

/// What a name means, to the first of these plans that knows it.
///
/// In this order: `source:ID`; a check by its name; a check or a member of groups by its id in its source, as `SOURCE/ID` or plain.
pub(crate) fn meant(plans: &[Arc<Plan>], name: &str) -> Meant {
    plans.iter().map(|plan| meant_in(plan, name)).find(|meant| *meant != Meant::Nobody).unwrap_or(Meant::Nobody)
}

fn meant_in(plan: &Plan, name: &str) -> Meant {
    if let Some(source) = name.strip_prefix(SOURCE) {
        return plan.sources.get_key_value(source).map_or(Meant::Nobody, |(source, _)| Meant::Source(source.clone()));
    }
    if let Some(check) = plan.checks.get(name) {
        return Meant::Check(check.source.clone(), check.subject.clone(), Form::of(check));
    }
    let of_source = name.split_once('/').filter(|(source, _)| plan.sources.contains_key(*source));
    // An id may hold a stroke of its own.
    let of_source = of_source.map_or(Meant::Nobody, |(source, id)| by_id(plan, Some(source), id));
    if of_source == Meant::Nobody { by_id(plan, None, name) } else { of_source }
}

fn by_id(plan: &Plan, source: Option<&str>, id: &str) -> Meant {
    let here = |of: &Id| source.is_none_or(|source| of.as_str() == source);
    let named = plan.checks.values().filter(|check| here(&check.source) && check.subject.as_str() == id);
    let mut found: BTreeMap<&Id, &Check> = named.map(|check| (&check.source, &**check)).collect();
    if found.is_empty() {
        let groups = groups_of(plan, here, id);
        found.extend(groups.iter().rev().map(|(_, group)| (&group.source, &group.each)));
        if let ([(one, group), (other, _), ..], 1) = (groups.as_slice(), found.len())
            && group.matches.ids.is_empty()
        {
            return Meant::Unclear(format!(
                "{id:?} could be a member of {one} or of {other}: these groups select by tags or owners, which no row tells; give them ids in \
                 match, or name it under [checks]"
            ));
        }
    }
    match (found.pop_first(), found.pop_first()) {
        (None, _) => Meant::Nobody,
        (Some((source, check)), None) => Meant::Check(source.clone(), Id::from(id), Form::of(check)),
        (Some((one, _)), Some((other, _))) => {
            Meant::Unclear(format!("{id:?} could be of {one} or of {other}; expected {one}/{id} or {other}/{id}"))
        }
    }
}

/// The groups that a pipeline without tags and owners belongs to: all whose `ids` fit it. Only where none do, one that gives no `ids`: what
/// nothing else accounts for is taken to have its tags, and more than one such group makes it unclear.
pub(super) fn groups_of<'a>(plan: &'a Plan, here: impl Fn(&Id) -> bool, id: &str) -> Vec<(&'a Id, &'a Group)> {
    let (mut fitting, mut open) = (Vec::new(), Vec::new());
    for (name, group) in &plan.groups {
        let Matcher { ids, .. } = &group.matches;
        if !here(&group.source) || group.exclude.holds(id, &[], &[]) {
            continue;
        }
        if ids.is_empty() {
            open.push((name, group));
        } else if ids.iter().any(|pattern| glob(pattern, id)) {
            fitting.push((name, group));
        }
    }
    if fitting.is_empty() { open } else { fitting }
}

/// A sentence about a name that means nothing.
pub(crate) fn nobody(plans: &[Arc<Plan>], name: &str) -> String {
    let (what, name, known): (_, _, BTreeSet<&str>) = match name.strip_prefix(SOURCE) {
        Some(source) => ("source", source, plans.iter().flat_map(|plan| plan.sources.keys()).map(Id::as_str).collect()),
        None => ("check", name, plans.iter().flat_map(|plan| plan.checks.keys()).map(Id::as_str).collect()),
    };
    let shown: String = name.chars().take(80).collect();
    format!("there is no {what} {shown:?}{}", hint(name, known.iter().copied()))
}

//! Lints: what is allowed, and probably not meant. Only looked for in a plan without errors, and without a look at the clock or at what
//! was seen; what needs these is in `outlook`.

mod telling;
mod timing;

use super::Checker;
use crate::config::place::nearest;
use crate::config::wiring::ChatWiring;
use crate::core::plan::{Check, Group, Id, Need, Plan, glob};
use chrono::{NaiveDate, TimeDelta};
use std::collections::{BTreeMap, BTreeSet};

impl Checker<'_> {
    pub(super) fn lints(&mut self, plan: &Plan, chats: &BTreeMap<Id, ChatWiring>) {
        self.unneeded(plan);
        self.unknown_owners(plan);
        self.owners_without_contact(plan);
        self.lint_telling(plan, chats);
        self.lint_timing(plan);
    }

    fn unneeded(&mut self, plan: &Plan) {
        let reached = reached(plan);
        for (id, check) in &plan.checks {
            let by_group =
                || plan.groups.iter().any(|(group, g)| reached.contains(&Need::Group(group.clone())) && may_hold(g, check));
            if check.max_age.is_none() && !reached.contains(&Need::Check(id.clone())) && !by_group() {
                let text = format!("no dashboard needs check {id}, and it has no max_age: only its failures are told, to `tell`");
                self.warning(&["checks", id.as_str()], text);
            }
        }
        for (id, group) in &plan.groups {
            if group.each.max_age.is_none() && !reached.contains(&Need::Group(id.clone())) {
                let text = format!(
                    "no dashboard needs group:{id}, and it has no max_age: only the failures of its members are told, to `tell`"
                );
                self.warning(&["groups", id.as_str()], text);
            }
        }
    }

    fn unknown_owners(&mut self, plan: &Plan) {
        let checks = plan.checks.iter().map(|(id, check)| ("checks", id, &**check));
        let groups = plan.groups.iter().map(|(id, group)| ("groups", id, &group.each));
        for (section, id, check) in checks.chain(groups) {
            let Some(owner) = check.owner.as_deref().filter(|owner| !plan.owners.contains_key(*owner)) else { continue };
            let near = nearest(owner, self.names.of_section("owners"));
            let hint = near.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
            let text = format!("owner {owner:?} has no [owners.{owner}]: messages name the owner without a contact{hint}");
            self.warning(&[section, id.as_str(), "owner"], text);
        }
    }

    fn owners_without_contact(&mut self, plan: &Plan) {
        let checks = plan.checks.values().map(|check| &**check).chain(plan.groups.values().map(|group| &group.each));
        let named: BTreeSet<&str> = checks.filter_map(|check| check.owner.as_deref()).collect();
        for (id, _) in plan.owners.iter().filter(|(id, owner)| owner.contact.is_none() && named.contains(id.as_str())) {
            let text = format!("owner {id} has no contact: messages name the owner, and not how to reach anybody");
            self.warning(&["owners", id.as_str()], text);
        }
    }
}

/// Everything that some dashboard needs, directly or not.
fn reached(plan: &Plan) -> BTreeSet<Need> {
    reached_from(plan, plan.dashboards.values().flat_map(|dashboard| &dashboard.needs))
}

/// `needs` and all that they need.
pub(in crate::config) fn reached_from<'a>(plan: &'a Plan, needs: impl IntoIterator<Item = &'a Need>) -> BTreeSet<Need> {
    let mut waiting: Vec<&Need> = needs.into_iter().collect();
    let mut reached = BTreeSet::new();
    while let Some(need) = waiting.pop() {
        if reached.insert(need.clone()) {
            waiting.extend(match need {
                Need::Check(id) => plan.checks.get(id).map(|check| check.needs.as_slice()).unwrap_or_default(),
                Need::Group(id) => plan.groups.get(id).map(|group| group.each.needs.as_slice()).unwrap_or_default(),
            });
        }
    }
    reached
}

/// Four years of days, a leap year among them, on which a rule of days is tried. They are always the same ones: a lint must not come
/// and go with the date on which it is looked for.
fn span() -> impl Iterator<Item = NaiveDate> {
    NaiveDate::from_ymd_opt(2025, 1, 1).unwrap_or_default().iter_days().take(4 * 365 + 1)
}

/// A span of time as people say it: "1 h 30 min".
fn hours_word(length: TimeDelta) -> String {
    match (length.num_hours(), length.num_minutes() % 60, length.num_seconds() % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, _) => format!("{minutes} min"),
        (hours, 0, _) => format!("{hours} h"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// Might the check be a member? Its tags and owners are the source's to say, so only its id can rule it out.
fn may_hold(group: &Group, check: &Check) -> bool {
    let any = |globs: &[String]| globs.iter().any(|pattern| glob(pattern, check.subject.as_str()));
    let (matches, exclude) = (&group.matches, &group.exclude);
    let surely_out = exclude.tags.is_empty() && exclude.owners.is_empty() && any(&exclude.ids);
    group.source == check.source && (matches.ids.is_empty() || any(&matches.ids)) && !surely_out
}

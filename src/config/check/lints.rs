//! Lints: what is allowed, and probably not meant. Only looked for in a plan without errors.

use super::Checker;
use crate::config::place::{keys, nearest};
use crate::core::plan::{Check, Group, Id, Need, Plan, glob};
use std::collections::BTreeSet;

impl Checker<'_> {
    pub(super) fn lints(&mut self, plan: &Plan) {
        self.unneeded(plan);
        self.unknown_owners(plan);
        self.untold(plan);
        self.unused_chats(plan);
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
        let checks = plan.checks.iter().map(|(id, check)| ("checks", id, check));
        let groups = plan.groups.iter().map(|(id, group)| ("groups", id, &group.each));
        for (section, id, check) in checks.chain(groups) {
            let Some(owner) = check.owner.as_deref().filter(|owner| !plan.owners.contains_key(*owner)) else { continue };
            let near = nearest(owner, self.names.of_section("owners"));
            let hint = near.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
            let text = format!("owner {owner:?} has no [owners.{owner}]: messages name the owner without a contact{hint}");
            self.warning(&[section, id.as_str(), "owner"], text);
        }
    }

    fn untold(&mut self, plan: &Plan) {
        if plan.tell.is_empty() {
            let place = self.origins.value(&keys(&["tell"]));
            self.report.warning(place, "there is no tell at the top: trouble of the watch itself is told to nobody");
        }
        for (id, dashboard) in &plan.dashboards {
            if dashboard.tell.is_empty() {
                self.warning(
                    &["dashboards", id.as_str()],
                    format!("dashboard {id} has no tell: nobody is told when it will be late"),
                );
            }
        }
        if plan.dashboards.is_empty() {
            for id in plan.digests.keys() {
                self.warning(&["digests", id.as_str()], format!("there are no dashboards: digest {id} has nothing to sum up"));
            }
        }
    }

    fn unused_chats(&mut self, plan: &Plan) {
        let dashboards = plan.dashboards.values().flat_map(|dashboard| dashboard.tell.iter().chain(&dashboard.escalate));
        let digests = plan.digests.values().flat_map(|digest| &digest.to);
        let fallbacks = plan.chats.values().filter_map(|chat| chat.fallback.as_ref());
        let used: BTreeSet<&Id> = plan.tell.iter().chain(dashboards).chain(digests).chain(fallbacks).collect();
        for id in plan.chats.keys().filter(|id| !used.contains(id)) {
            self.warning(&["chats", id.as_str()], format!("nothing is ever told to chat {id}"));
        }
    }
}

/// Everything that some dashboard needs, directly or not.
fn reached(plan: &Plan) -> BTreeSet<Need> {
    let mut waiting: Vec<&Need> = plan.dashboards.values().flat_map(|dashboard| &dashboard.needs).collect();
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

/// Might the check be a member? Its tags and owners are the source's to say, so only its id can rule it out.
fn may_hold(group: &Group, check: &Check) -> bool {
    let any = |globs: &[String]| globs.iter().any(|pattern| glob(pattern, check.subject.as_str()));
    let (matches, exclude) = (&group.matches, &group.exclude);
    let surely_out = exclude.tags.is_empty() && exclude.owners.is_empty() && any(&exclude.ids);
    group.source == check.source && (matches.ids.is_empty() || any(&matches.ids)) && !surely_out
}

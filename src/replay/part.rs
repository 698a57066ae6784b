//! The part of a plan of which one source can tell: what it says nothing of is left out, as nothing is known of it. Changes no rule.

use crate::core::plan::{Id, Need, Plan};
use std::collections::BTreeSet;

/// The plan with the checks of this source alone, and the names of the checks and groups that were left out. What waits for others waits
/// for the rest of what it needs; a dashboard of which nothing is left goes too.
pub fn of_source(mut plan: Plan, source: &Id) -> (Plan, BTreeSet<Id>) {
    let mut left_out = BTreeSet::new();
    plan.sources.retain(|id, _| id == source);
    plan.checks.retain(|id, check| check.source == *source || !left_out.insert(id.clone()));
    plan.groups.retain(|id, group| group.source == *source || !left_out.insert(id.clone()));
    let is_left = |need: &Need| {
        let (Need::Check(id) | Need::Group(id)) = need;
        !left_out.contains(id)
    };
    for check in plan.checks.values_mut().filter(|check| !check.needs.iter().all(is_left)) {
        let mut part = (**check).clone();
        part.needs.retain(is_left);
        *check = part.into();
    }
    plan.groups.values_mut().for_each(|group| group.each.needs.retain(is_left));
    plan.dashboards.values_mut().for_each(|dashboard| dashboard.needs.retain(is_left));
    plan.dashboards.retain(|_, dashboard| !dashboard.needs.is_empty());
    (plan, left_out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn what_another_source_would_have_to_tell_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let text = "timezone = \"UTC\"\ntell = [\"room\"]\n[chats.room]\nkind = \"console\"\n\
                    [sources.web]\nkind = \"http\"\nurl = \"http://127.0.0.1:1/{id}\"\ntimestamp = \"$.t\"\n\
                    [sources.landing]\nkind = \"file\"\nroot = \"data\"\n\
                    [checks.raw]\nsource = \"landing\"\npath = \"raw\"\n[checks.mart]\nsource = \"web\"\nneeds = [\"raw\"]\n\
                    [dashboards.both]\nneeds = [\"mart\", \"raw\"]\nready_by = \"09:00\"\n\
                    [dashboards.other]\nneeds = [\"raw\"]\nready_by = \"09:00\"\n";
        std::fs::write(folder.path().join("a.toml"), text).unwrap();
        let load = |path: &Path| crate::config::load(path, None, &[]).unwrap().plan;
        let (plan, left_out) = of_source(load(&folder.path().join("a.toml")), &Id::from("web"));
        let names = |ids: Vec<&Id>| ids.iter().map(|id| id.to_string()).collect::<Vec<_>>().join(" ");
        assert_eq!(names(left_out.iter().collect()), "raw");
        let (sources, checks) = (plan.sources.keys().collect(), plan.checks.keys().collect());
        let told = [names(sources), names(checks), names(plan.dashboards.keys().collect())];
        assert_eq!(told, ["web", "mart", "both"]);
        assert!(plan.checks["mart"].needs.is_empty());
        assert_eq!(plan.dashboards["both"].needs, [Need::Check(Id::from("mart"))]);
    }
}

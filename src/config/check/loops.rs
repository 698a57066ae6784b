//! Loops in `needs`: each is named once, at the `needs` of the check or group where it begins.

use super::Checker;
use crate::core::plan::{Need, Plan};
use std::collections::BTreeMap;

impl Checker<'_> {
    pub(super) fn refuse_loops(&mut self, plan: &Plan) {
        let checks = plan.checks.iter().map(|(id, check)| (Need::Check(id.clone()), check.needs.as_slice()));
        let groups = plan.groups.iter().map(|(id, group)| (Need::Group(id.clone()), group.each.needs.as_slice()));
        let mut left: BTreeMap<Need, &[Need]> = checks.chain(groups).collect();
        loop {
            drop_free(&mut left);
            let Some(start) = left.keys().next().cloned() else { return };
            let ring = ring_from(&start, &left);
            let names: Vec<String> = ring.iter().chain(ring.first()).map(name).collect();
            let (section, id) = match ring.first() {
                Some(Need::Group(id)) => ("groups", id),
                Some(Need::Check(id)) => ("checks", id),
                None => return,
            };
            self.error(&[section, id.as_str(), "needs"], format!("needs form a loop: {}", names.join(" → ")));
            for need in &ring {
                left.remove(need);
            }
        }
    }
}

fn name(need: &Need) -> String {
    match need {
        Need::Check(id) => id.to_string(),
        Need::Group(id) => format!("group:{id}"),
    }
}

/// Takes out, until none is left, whatever needs nothing that is left: it is on no loop.
fn drop_free(left: &mut BTreeMap<Need, &[Need]>) {
    loop {
        let free: Vec<Need> = left
            .iter()
            .filter(|(_, needs)| !needs.iter().any(|need| left.contains_key(need)))
            .map(|(need, _)| need.clone())
            .collect();
        if free.is_empty() {
            return;
        }
        for need in free {
            left.remove(&need);
        }
    }
}

/// Everything left needs something that is left, so walking on from anywhere ends in a ring.
fn ring_from(start: &Need, left: &BTreeMap<Need, &[Need]>) -> Vec<Need> {
    let mut way = vec![start.clone()];
    let mut position: BTreeMap<Need, usize> = [(start.clone(), 0)].into();
    while let Some(next) = way.last().and_then(|last| left.get(last)).and_then(|needs| needs.iter().find(|n| left.contains_key(n)))
    {
        if let Some(at) = position.get(next) {
            return way.split_off(*at);
        }
        position.insert(next.clone(), way.len());
        way.push(next.clone());
    }
    way
}

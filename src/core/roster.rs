//! The roster: which checks there are, who needs whom, and which dashboard needs what. Derived from the plan, the sources' listings
//! and the groups' memory; rebuilt when one of these changes, never stored.

use super::plan::{Check, Id, Need, Plan, SourceKind};
use super::state::SourceState;
use chrono::TimeDelta;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The place of a check in [`Roster::checks`], and of its state in `State::checks`.
pub type Ix = usize;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Roster {
    /// In order of name.
    pub checks: Vec<Known>,
    pub dashboards: BTreeMap<Id, Arc<Wanted>>,
    /// Groups with at least one member.
    populated: BTreeSet<Id>,
    /// Checks that may be in trouble outside any cycle: with a `max_age`, or needed by no dashboard.
    pub outside: Vec<Ix>,
    /// By source.
    asked: BTreeMap<Id, Asked>,
}

/// What one source is asked about.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Asked {
    /// Its checks, by what it calls them.
    by_subject: BTreeMap<Id, Vec<Ix>>,
    /// The names of all of these, in order.
    pub subjects: Arc<[Id]>,
    /// Those with a date in their subject.
    pub dated: Vec<Ix>,
    /// Of the checks that wait in the same cycles for windows that open at one time, one.
    pub windows: Vec<Ix>,
    /// The longest of them.
    pub max_age: Option<TimeDelta>,
}

/// One check with its references resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    pub id: Id,
    pub check: Arc<Check>,
    /// The group that made it a check, unless the configuration names it itself.
    pub group: Option<Id>,
    /// All groups of which it is a member, also where the configuration names it itself.
    pub groups: BTreeSet<Id>,
    pub needs: Vec<Ix>,
    /// The dashboards that wait for it, directly or through others.
    pub dashboards: Vec<Id>,
}

/// What one dashboard waits for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// All that it needs, and what that needs in turn, and themselves: a check stands behind everything that it needs.
    pub closure: Vec<Ix>,
    /// Where each stands in `closure`, in order of `Ix`.
    places: Vec<(Ix, usize)>,
    /// By place: does the dashboard need it itself?
    direct: Vec<bool>,
    /// The places of what each one needs, one after the other, and where those of each begin.
    needs: Vec<usize>,
    begins: Vec<usize>,
}

impl Wanted {
    fn new(direct: &BTreeSet<Ix>, closure: Vec<Ix>, checks: &[Known]) -> Self {
        let mut places: Vec<(Ix, usize)> = closure.iter().copied().zip(0..).collect();
        places.sort_unstable();
        let direct = closure.iter().map(|ix| direct.contains(ix)).collect();
        let mut wanted = Self { closure, places, direct, needs: Vec::new(), begins: vec![0] };
        for at in 0..wanted.closure.len() {
            let needs: Vec<usize> = checks[wanted.closure[at]].needs.iter().filter_map(|need| wanted.place(*need)).collect();
            wanted.needs.extend(needs);
            wanted.begins.push(wanted.needs.len());
        }
        wanted
    }

    /// Does the dashboard need what stands at this place itself?
    pub fn is_direct(&self, place: usize) -> bool {
        self.direct[place]
    }

    /// The places of what the one at this place needs.
    pub fn needs(&self, place: usize) -> &[usize] {
        &self.needs[self.begins[place]..self.begins[place + 1]]
    }

    /// The place of a check in `closure`, which is that in `CycleView::checks` too.
    pub fn place(&self, ix: Ix) -> Option<usize> {
        self.places.binary_search_by_key(&ix, |(ix, _)| *ix).ok().map(|at| self.places[at].1)
    }
}

/// Which checks were known as members of which groups, with source and subject, whether or not their source still lists them.
pub type Memory = BTreeMap<Id, (BTreeSet<Id>, (Id, Id))>;

impl Roster {
    /// `memory`: from the check rows.
    pub fn build(plan: &Plan, sources: &BTreeMap<Id, SourceState>, memory: &Memory) -> Self {
        let (named, groups) = name_all(plan, sources, memory);
        let place: BTreeMap<Id, Ix> = named.keys().cloned().zip(0..).collect();
        let resolve = |needs: &[Need]| -> BTreeSet<Ix> {
            needs
                .iter()
                .flat_map(|need| match need {
                    Need::Check(id) => place.get(id).into_iter().copied().collect::<Vec<_>>(),
                    Need::Group(id) => groups.get(id).into_iter().flatten().filter_map(|name| place.get(name).copied()).collect(),
                })
                .collect()
        };
        let mut checks: Vec<Known> = named
            .into_iter()
            .map(|(id, (check, group))| {
                let own = place.get(&id).copied();
                let needs = resolve(&check.needs).into_iter().filter(|need| Some(*need) != own).collect();
                let member_of =
                    groups.iter().filter(|(_, members)| members.contains(&id)).map(|(group, _)| group.clone()).collect();
                Known { id, check, group, groups: member_of, needs, dashboards: Vec::new() }
            })
            .collect();
        let order = untangle(&mut checks);
        let mut dashboards = BTreeMap::new();
        for (id, dashboard) in &plan.dashboards {
            let direct = resolve(&dashboard.needs);
            let mut within = direct.clone();
            for &ix in order.iter().rev() {
                if within.contains(&ix) {
                    within.extend(checks[ix].needs.iter().copied());
                }
            }
            let closure: Vec<Ix> = order.iter().copied().filter(|ix| within.contains(ix)).collect();
            for &ix in &closure {
                // Most are needed by one.
                checks[ix].dashboards.reserve_exact(1);
                checks[ix].dashboards.push(id.clone());
            }
            dashboards.insert(id.clone(), Arc::new(Wanted::new(&direct, closure, &checks)));
        }
        let asked = ask(&checks);
        let populated = groups.into_iter().filter(|(_, members)| !members.is_empty()).map(|(id, _)| id).collect();
        let alone = |known: &Known| known.check.max_age.is_some() || known.dashboards.is_empty();
        let outside = (0..checks.len()).filter(|ix| alone(&checks[*ix])).collect();
        Self { checks, dashboards, populated, outside, asked }
    }

    /// Is any member of the group known?
    pub fn has_members(&self, group: &Id) -> bool {
        self.populated.contains(group)
    }

    pub fn place(&self, id: &Id) -> Option<Ix> {
        self.checks.binary_search_by(|known| known.id.cmp(id)).ok()
    }

    /// The checks of a source, by subject.
    pub fn subjects(&self, source: &Id) -> impl Iterator<Item = (&Id, &Vec<Ix>)> {
        self.asked.get(source).into_iter().flat_map(|asked| &asked.by_subject)
    }

    /// `None`: it is asked about nothing.
    pub fn asked(&self, source: &Id) -> Option<&Asked> {
        self.asked.get(source)
    }

    /// Whether the source is swept at all: one that lists is, also while it has nothing that anybody wants.
    pub fn is_asked(&self, source: &Id, kind: SourceKind) -> bool {
        kind.lists() || self.subjects(source).next().is_some()
    }

    pub fn of_subject(&self, source: &Id, subject: &Id) -> &[Ix] {
        self.asked.get(source).and_then(|asked| asked.by_subject.get(subject)).map_or(&[], Vec::as_slice)
    }
}

/// Gives each check to its source.
fn ask(checks: &[Known]) -> BTreeMap<Id, Asked> {
    let mut all: BTreeMap<Id, Asked> = BTreeMap::new();
    let mut windows = BTreeSet::new();
    for (ix, known) in checks.iter().enumerate() {
        let check = &known.check;
        let asked = all.entry(check.source.clone()).or_default();
        asked.by_subject.entry(check.subject.clone()).or_default().push(ix);
        asked.max_age = asked.max_age.max(check.max_age);
        if check.dated.is_some() {
            asked.dated.push(ix);
        }
        if windows.insert((&check.source, check.counts_from, &known.dashboards)) {
            asked.windows.push(ix);
        }
    }
    for asked in all.values_mut() {
        asked.subjects = asked.by_subject.keys().cloned().collect();
    }
    all
}

type Named = BTreeMap<Id, (Arc<Check>, Option<Id>)>;
type Groups = BTreeMap<Id, BTreeSet<Id>>;

/// Gives every check its name and every group its members.
fn name_all(plan: &Plan, sources: &BTreeMap<Id, SourceState>, memory: &Memory) -> (Named, Groups) {
    let mut named: Named = plan.checks.iter().map(|(id, check)| (id.clone(), (check.clone(), None))).collect();
    let absorbed: BTreeMap<(&Id, &Id), &Id> = plan.checks.iter().map(|(id, check)| ((&check.source, &check.subject), id)).collect();
    let mut groups: Groups = plan.groups.keys().map(|id| (id.clone(), BTreeSet::new())).collect();

    // (source, subject) of every member, with its groups in order of their names: the first one's defaults hold.
    let mut members: BTreeMap<(&Id, Id), Vec<&Id>> = BTreeMap::new();
    for (group_id, group) in &plan.groups {
        let listed = sources.get(&group.source).into_iter().flat_map(|source| source.members.iter());
        let matching = listed
            .filter(|m| {
                group.matches.holds(m.subject.as_str(), &m.tags, &m.owners)
                    && !group.exclude.holds(m.subject.as_str(), &m.tags, &m.owners)
            })
            .map(|m| m.subject.clone());
        // One that has vanished has no tags any more, but an id by which it can be let go.
        let listed_now = |subject: &Id| sources.get(&group.source).is_some_and(|source| source.members.of(subject).is_some());
        let wanted = |subject: &Id| {
            let ids = &group.matches.ids;
            (ids.is_empty() || ids.iter().any(|pattern| super::plan::glob(pattern, subject.as_str())))
                && !group.exclude.holds(subject.as_str(), &[], &[])
        };
        let were = memory.values().filter(|(of, (source, _))| of.contains(group_id) && *source == group.source);
        let remembered = were.map(|(_, (_, subject))| subject.clone());
        let remembered = remembered.filter(|subject| !listed_now(subject) && wanted(subject));
        for subject in matching.chain(remembered).collect::<BTreeSet<_>>() {
            members.entry((&group.source, subject)).or_default().push(group_id);
        }
    }
    let mut sources_of: BTreeMap<&Id, BTreeSet<&Id>> = BTreeMap::new();
    for (source, subject) in members.keys() {
        sources_of.entry(subject).or_default().insert(source);
    }
    for ((source, subject), of) in &members {
        let name = match absorbed.get(&(*source, subject)) {
            Some(name) => (*name).clone(),
            None if plan.checks.contains_key(subject) || sources_of.get(subject).is_some_and(|all| all.len() > 1) => {
                Id::from(format!("{source}/{subject}"))
            }
            None => subject.clone(),
        };
        for group in of {
            groups.entry((*group).clone()).or_default().insert(name.clone());
        }
        if let Some(group) = of.first().and_then(|id| plan.groups.get(*id)) {
            let member = || Arc::new(Check { subject: subject.clone(), ..group.each.clone() });
            named.entry(name).or_insert_with(|| (member(), Some(of[0].clone())));
        }
    }
    (named, groups)
}

/// Orders the checks so that each stands behind what it needs. The configuration refuses loops among names; one that comes about
/// through a group's members is cut where it closes.
fn untangle(checks: &mut [Known]) -> Vec<Ix> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let mut marks = vec![Mark::New; checks.len()];
    let mut order = Vec::with_capacity(checks.len());
    for start in 0..checks.len() {
        if marks[start] != Mark::New {
            continue;
        }
        marks[start] = Mark::Open;
        // A stack of its own: a chain of thousands of checks must not overflow the thread's.
        let mut path = vec![(start, 0)];
        while let Some((ix, next)) = path.pop() {
            match checks[ix].needs.get(next).copied() {
                None => {
                    marks[ix] = Mark::Done;
                    order.push(ix);
                }
                Some(need) => match marks[need] {
                    Mark::Done => path.push((ix, next + 1)),
                    Mark::Open => {
                        checks[ix].needs.remove(next);
                        path.push((ix, next));
                    }
                    Mark::New => {
                        path.push((ix, next + 1));
                        marks[need] = Mark::Open;
                        path.push((need, 0));
                    }
                },
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::plan::{Evidence, Group, Matcher};

    fn plan(exclude: &[&str]) -> Plan {
        let each = Check {
            source: "airflow".into(),
            subject: "".into(),
            evidence: Evidence::Pipeline,
            needs: vec![],
            owner: None,
            runbook: None,
            duration: None,
            on: None,
            counts_from: None,
            run: None,
            max_age: None,
            dated: None,
        };
        let ids = |list: &[&str]| Matcher { ids: list.iter().map(|id| (*id).to_owned()).collect(), ..Matcher::default() };
        let group = Group { source: "airflow".into(), matches: ids(&["mart_*"]), exclude: ids(exclude), each };
        Plan {
            fingerprint: "".into(),
            timezone: chrono_tz::UTC,
            retention: TimeDelta::days(1),
            tell: vec![],
            calendars: BTreeMap::new(),
            owners: BTreeMap::new(),
            sources: BTreeMap::new(),
            groups: BTreeMap::from([("mart".into(), group)]),
            checks: BTreeMap::new(),
            dashboards: BTreeMap::new(),
            chats: BTreeMap::new(),
            digests: BTreeMap::new(),
            maintenance: BTreeMap::new(),
            heartbeat_every: None,
        }
    }

    #[test]
    fn a_member_that_vanished_stays_until_it_is_excluded() {
        let memory = Memory::from([("mart_old".into(), (["mart".into()].into(), ("airflow".into(), "mart_old".into())))]);
        let known = |exclude: &[&str]| Roster::build(&plan(exclude), &BTreeMap::new(), &memory).checks.len();
        assert_eq!((known(&[]), known(&["mart_x*"]), known(&["mart_old"])), (1, 1, 0));
    }
}

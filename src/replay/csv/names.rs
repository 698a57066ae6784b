//! The names in rows, each looked up once: who has rows, what is there from the beginning, and what comes later. Reads plans, asks nobody.

use super::meant::{Form, Meant, groups_of, meant, nobody};
use super::written::There;
use crate::core::observation::Member;
use crate::core::plan::{Group, Id, Matcher, Plan};
use crate::core::state::{News, Observed};
use crate::core::time::Instant;
use crate::replay::history::BEGINNING;
use chrono::TimeDelta;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// More different names than this are no names of checks.
pub(super) const NAMES_MAX: usize = 100_000;
/// Names that nobody knows are told with so many examples.
const EXAMPLES: usize = 3;
/// A member whose first row comes so soon after the first of all was there before the history was: whatever runs daily shows itself in a day.
const SHOWN_WITHIN: TimeDelta = TimeDelta::days(1);

/// What rows are about.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) source: Id,
    /// Empty for a source.
    pub(super) subject: Id,
    pub(super) form: Form,
    /// At times it could not be asked about, so what is known beneath has to be kept.
    pub(super) veiled: bool,
    /// When its first row begins.
    pub(super) first: Option<Instant>,
    /// How its source lists it from its first row on; `None`: it is listed already, or by others.
    pub(super) joins: Option<Member>,
}

/// All names of a history, and all that the plans name.
#[derive(Debug)]
pub(super) struct Names<'a> {
    plans: &'a [Arc<Plan>],
    /// A name that nobody knows is a slip.
    strict: bool,
    known: BTreeMap<String, Option<u32>>,
    targets: Vec<Target>,
    /// Source and subject; a source has the empty subject.
    places: BTreeMap<(Id, Id), u32>,
    /// So many targets are those of the plans' own checks, and stand first.
    named: u32,
    /// Others say when these are listed.
    announced: BTreeSet<u32>,
    /// Rows that are about nothing in the plans.
    strange_rows: u64,
}

impl<'a> Names<'a> {
    pub(super) fn new(plans: &'a [Arc<Plan>], strict: bool) -> Self {
        let mut names = Self {
            plans,
            strict,
            known: BTreeMap::new(),
            targets: Vec::new(),
            places: BTreeMap::new(),
            named: 0,
            announced: BTreeSet::new(),
            strange_rows: 0,
        };
        for check in plans.iter().flat_map(|plan| plan.checks.values()) {
            names.put(check.source.clone(), check.subject.clone(), Form::of(check));
        }
        names.named = names.next();
        names
    }

    /// The place of what `name` means; `None`: nothing in these plans. The error is a sentence, said once of a name.
    pub(super) fn place(&mut self, name: &str) -> Result<Option<u32>, String> {
        if let Some(place) = self.known.get(name).copied() {
            self.strange_rows += u64::from(place.is_none());
            return Ok(place);
        }
        let (place, why) = match meant(self.plans, name) {
            Meant::Source(source) => (Some(self.put(source, Id::from(""), Form::Source)), None),
            Meant::Check(source, subject, form) => (Some(self.put(source, subject, form)), None),
            Meant::Unclear(why) => (None, Some(why)),
            Meant::Nobody => (None, self.strict.then(|| nobody(self.plans, name))),
        };
        self.known.insert(name.to_owned(), place);
        self.strange_rows += u64::from(place.is_none());
        why.map_or(Ok(place), Err)
    }

    /// Others say when this pipeline is listed, and how.
    pub(super) fn announce(&mut self, name: &str, source: Id, subject: Id) {
        let place = self.put(source, subject, Form::Runs);
        self.known.insert(name.to_owned(), Some(place));
        if place >= self.named {
            self.announced.insert(place);
        }
    }

    /// There is this pipeline, though it may have no row.
    pub(super) fn is_there(&mut self, source: Id, subject: Id) {
        self.put(source, subject, Form::Runs);
    }

    pub(super) fn too_many(&self) -> bool {
        self.known.len() > NAMES_MAX
    }

    pub(super) fn target(&mut self, place: u32) -> &mut Target {
        &mut self.targets[place as usize]
    }

    /// Some of the names, where not one of them is in anybody's plan.
    pub(super) fn strangers_alone(&self) -> Option<String> {
        let strangers = self.strangers();
        (!strangers.is_empty() && strangers.len() == self.known.len()).then(|| some(&strangers))
    }

    fn strangers(&self) -> Vec<&str> {
        self.known.iter().filter(|(_, place)| place.is_none()).map(|(name, _)| name.as_str()).collect()
    }

    /// Says once what is in nobody's plan.
    pub(super) fn warn_of_strangers(&self) {
        let strangers = self.strangers();
        if strangers.is_empty() {
            return;
        }
        let examples = some(&strangers);
        tracing::warn!(
            names = strangers.len(),
            rows = self.strange_rows,
            examples,
            "the history has {} rows about names that are no check of this configuration and no member of a group, among them {examples}: they are left out",
            self.strange_rows
        );
    }

    /// Says once what is a member only because nothing else can be said of it.
    pub(super) fn tell_of_the_rest(&self) {
        let open = |target: &Target| {
            let mut groups = self.plans.iter().flat_map(|plan| groups_of(plan, |of| *of == target.source, target.subject.as_str()));
            groups.find(|(_, group)| group.matches.ids.is_empty()).map(|(name, _)| name.clone())
        };
        let others = self.targets.iter().skip(self.named as usize).filter(|target| target.form != Form::Source);
        let rest: Vec<(Id, &str)> = others.filter_map(|target| Some((open(target)?, target.subject.as_str()))).collect();
        let Some((group, example)) = rest.first() else { return };
        let names = rest.len();
        tracing::info!(
            names,
            "{names} names in the history are no check and fit no group's ids, the first of them {example}: they are taken for members of {group}, \
             whose tags or owners no row tells"
        );
    }

    /// What is so from the beginning: sources list what the plan names and what has its first row within a day of the `first` of all, and
    /// nothing has come yet. What shows itself later is listed from then on.
    pub(super) fn finish(mut self, first: Option<Instant>) -> (Vec<Target>, Vec<Observed>) {
        let plans = self.plans.iter();
        let listing = plans.flat_map(|plan| &plan.sources).filter(|(_, setup)| setup.kind.lists());
        let mut lists: BTreeMap<&Id, Vec<Member>> = listing.map(|(id, _)| (id, Vec::new())).collect();
        let mut facts = BTreeMap::new();
        for (place, There { source, subject, fact, member }) in self.there() {
            let target = &mut self.targets[place as usize];
            let later = place >= self.named && target.first.zip(first).is_some_and(|(own, first)| own - first > SHOWN_WITHIN);
            match (member, lists.get_mut(&source)) {
                (Some(member), _) if later => target.joins = Some(member),
                (Some(member), Some(list)) => {
                    list.push(member);
                    facts.insert(place, News::Subject { source, subject, fact: Some(fact) });
                }
                _ => drop(facts.insert(place, News::Subject { source, subject, fact: Some(fact) })),
            }
        }
        let lists = lists.into_iter().map(|(source, changed)| News::Listing { source: source.clone(), changed, gone: Vec::new() });
        let first = lists.chain(facts.into_values()).map(|news| Observed { at: BEGINNING, news }).collect();
        (self.targets, first)
    }

    /// All that is there from the beginning or from its first row on, in order of source and subject; by place.
    pub(super) fn there(&self) -> Vec<(u32, There)> {
        let there = |((source, subject), place): (&(Id, Id), &u32)| {
            let fact = self.targets[*place as usize].form.nothing()?;
            let lists = self.plans.iter().find_map(|plan| plan.sources.get(source)).is_some_and(|setup| setup.kind.lists());
            let member = lists.then(|| self.member(source, subject, *place < self.named));
            Some((*place, There { source: source.clone(), subject: subject.clone(), fact, member }))
        };
        self.places.iter().filter(|(_, place)| !self.announced.contains(place)).filter_map(there).collect()
    }

    pub(super) fn into_targets(self) -> Vec<Target> {
        self.targets
    }

    fn put(&mut self, source: Id, subject: Id, form: Form) -> u32 {
        let next = self.next();
        let place = *self.places.entry((source.clone(), subject.clone())).or_insert(next);
        if place == next {
            self.targets.push(Target { source, subject, form, veiled: false, first: None, joins: None });
        }
        place
    }

    /// Far fewer than four billion: see [`NAMES_MAX`].
    fn next(&self) -> u32 {
        u32::try_from(self.targets.len()).unwrap_or(u32::MAX)
    }

    /// As the source would list it, with what its groups want. One that the configuration names itself stands for itself, and is a member
    /// of those groups alone whose `ids` fit it.
    fn member(&self, source: &Id, subject: &Id, named: bool) -> Member {
        let groups = self.plans.iter().flat_map(|plan| groups_of(plan, |of| of == source, subject.as_str()));
        let groups: Vec<&Group> = groups.map(|(_, group)| group).filter(|group| !(named && group.matches.ids.is_empty())).collect();
        let wanted = |of: fn(&Matcher) -> &Vec<String>| {
            let one = |group: &&Group| of(&group.matches).iter().find(|word| !of(&group.exclude).contains(word)).cloned();
            let mut words: Vec<String> = groups.iter().filter_map(one).collect();
            words.sort();
            words.dedup();
            words
        };
        Member {
            subject: subject.clone(),
            tags: wanted(|matcher| &matcher.tags),
            owners: wanted(|matcher| &matcher.owners),
            paused: false,
            import_error: false,
            next_run_at: None,
        }
    }
}

fn some(names: &[&str]) -> String {
    names[..names.len().min(EXAMPLES)].join(", ")
}

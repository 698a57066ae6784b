//! Who is meant by a name in a history: a check of the plan, a member of a group, a source. Reads the plan, asks nobody.

use super::SOURCE;
use crate::core::observation::{Fact, Member};
use crate::core::plan::{Check, DateShift, Evidence, Group, Id, Matcher, Plan, glob};
use crate::core::state::{News, Observed};
use crate::replay::history::BEGINNING;
use std::collections::BTreeMap;

/// More different names than this are no names of checks.
pub(super) const NAMES_MAX: usize = 100_000;
/// Names that nobody knows are told with so many examples.
const EXAMPLES: usize = 3;

/// What rows are about.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) source: Id,
    /// Empty for a source.
    pub(super) subject: Id,
    pub(super) form: Form,
    /// At times it could not be asked about, so what is known beneath has to be kept.
    pub(super) veiled: bool,
}

/// What a source says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    Runs,
    Timestamp,
    Dated(DateShift),
    /// It is a source itself.
    Source,
}

impl Form {
    fn of(check: &Check) -> Self {
        match (&check.evidence, &check.dated) {
            (Evidence::Pipeline, _) => Self::Runs,
            (_, Some(shift)) => Self::Dated(shift.clone()),
            (_, None) => Self::Timestamp,
        }
    }

    /// Known, and nothing has come yet.
    fn nothing(&self) -> Option<Fact> {
        match self {
            Self::Runs => Some(Fact::Runs(Vec::new())),
            Self::Timestamp => Some(Fact::Timestamp(None)),
            Self::Dated(_) => Some(Fact::Dated(BTreeMap::new())),
            Self::Source => None,
        }
    }
}

/// All names of a history, and all that the plan names.
#[derive(Debug)]
pub(super) struct Names<'a> {
    plan: &'a Plan,
    known: BTreeMap<String, Option<u32>>,
    targets: Vec<Target>,
    /// Source and subject; a source has the empty subject.
    places: BTreeMap<(Id, Id), u32>,
    /// So many targets are those of the plan's own checks, and stand first.
    named: u32,
    /// Rows that are about nothing in the plan.
    strange_rows: u64,
}

impl<'a> Names<'a> {
    pub(super) fn new(plan: &'a Plan) -> Self {
        let mut names =
            Self { plan, known: BTreeMap::new(), targets: Vec::new(), places: BTreeMap::new(), named: 0, strange_rows: 0 };
        for check in plan.checks.values() {
            names.put(check.source.clone(), check.subject.clone(), Form::of(check));
        }
        names.named = names.next();
        names
    }

    /// The place of what `name` means; `None`: nothing in this plan.
    ///
    /// In this order: `source:ID`; a check by its name; a check or a member of a group by its id in its source, plain or as
    /// `SOURCE/ID`. A history has no tags and no owners, so it is the `ids` of a group alone that decide; a group whose `ids` fit goes
    /// before one that gives none, and of equals the first by name.
    pub(super) fn place(&mut self, name: &str) -> Option<u32> {
        let place = match self.known.get(name) {
            Some(place) => *place,
            None => {
                let place = self.look_up(name);
                self.known.insert(name.to_owned(), place);
                place
            }
        };
        self.strange_rows += u64::from(place.is_none());
        place
    }

    pub(super) fn too_many(&self) -> bool {
        self.known.len() > NAMES_MAX
    }

    pub(super) fn target(&mut self, place: u32) -> &mut Target {
        &mut self.targets[place as usize]
    }

    /// Says once what is in nobody's plan.
    pub(super) fn warn_of_strangers(&self) {
        let strangers: Vec<&str> = self.known.iter().filter(|(_, place)| place.is_none()).map(|(name, _)| name.as_str()).collect();
        if strangers.is_empty() {
            return;
        }
        let examples = strangers[..strangers.len().min(EXAMPLES)].join(", ");
        tracing::warn!(
            names = strangers.len(),
            rows = self.strange_rows,
            examples,
            "the history has {} rows about names that are no check of this configuration and no member of a group, among them {examples}: they are left out",
            self.strange_rows
        );
    }

    /// What is so from the beginning: sources that list have all that is ever named, and nothing has come yet.
    pub(super) fn finish(self) -> (Vec<Target>, Vec<Observed>) {
        let mut lists: BTreeMap<&Id, Vec<Member>> =
            self.plan.sources.iter().filter(|(_, setup)| setup.kind.lists()).map(|(id, _)| (id, Vec::new())).collect();
        for (source, subject) in self.places.keys().filter(|(_, subject)| !subject.as_str().is_empty()) {
            if let Some(list) = lists.get_mut(source) {
                list.push(self.member(source, subject));
            }
        }
        let lists = lists.into_iter().map(|(source, changed)| News::Listing { source: source.clone(), changed, gone: Vec::new() });
        let facts = self.targets.iter().filter_map(|target| {
            let (source, subject) = (target.source.clone(), target.subject.clone());
            Some(News::Subject { source, subject, fact: Some(target.form.nothing()?) })
        });
        let first = lists.chain(facts).map(|news| Observed { at: BEGINNING, news }).collect();
        (self.targets, first)
    }

    fn put(&mut self, source: Id, subject: Id, form: Form) -> u32 {
        let next = self.next();
        let place = *self.places.entry((source.clone(), subject.clone())).or_insert(next);
        if place == next {
            self.targets.push(Target { source, subject, form, veiled: false });
        }
        place
    }

    /// Far fewer than four billion: see [`NAMES_MAX`].
    fn next(&self) -> u32 {
        u32::try_from(self.targets.len()).unwrap_or(u32::MAX)
    }

    fn look_up(&mut self, name: &str) -> Option<u32> {
        let plan = self.plan;
        if let Some(source) = name.strip_prefix(SOURCE) {
            let (source, _) = plan.sources.get_key_value(source)?;
            return Some(self.put(source.clone(), Id::from(""), Form::Source));
        }
        if let Some(check) = plan.checks.get(name) {
            return self.places.get(&(check.source.clone(), check.subject.clone())).copied();
        }
        let of_source = name.split_once('/').filter(|(source, _)| plan.sources.contains_key(*source));
        // An id may hold a stroke of its own.
        let place = of_source.and_then(|(source, id)| self.by_id(Some(source), id));
        place.or_else(|| self.by_id(None, name))
    }

    fn by_id(&mut self, source: Option<&str>, id: &str) -> Option<u32> {
        let plan = self.plan;
        let here = |of: &Id| source.is_none_or(|source| of.as_str() == source);
        let checks = plan.checks.values().find(|check| here(&check.source) && check.subject.as_str() == id);
        if let Some(check) = checks {
            return self.places.get(&(check.source.clone(), check.subject.clone())).copied();
        }
        let fitting = || plan.groups.values().filter(|group| here(&group.source) && fits(group, id));
        let group = fitting().find(|group| !group.matches.ids.is_empty()).or_else(|| fitting().next())?;
        Some(self.put(group.source.clone(), Id::from(id), Form::of(&group.each)))
    }

    /// As the source would list it, with what the groups want that it fits by its id. One that the configuration names itself is no
    /// member of a group that says nothing of ids: whether it has the tag nobody knows, and it stands for itself.
    fn member(&self, source: &Id, subject: &Id) -> Member {
        let named = self.places.get(&(source.clone(), subject.clone())).is_some_and(|place| *place < self.named);
        let groups = self.plan.groups.values().filter(|group| group.source == *source && fits(group, subject.as_str()));
        let groups: Vec<&Group> = groups.filter(|group| !(named && group.matches.ids.is_empty())).collect();
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

/// May a pipeline of this id be a member?
fn fits(group: &Group, id: &str) -> bool {
    let Matcher { ids, .. } = &group.matches;
    (ids.is_empty() || ids.iter().any(|pattern| glob(pattern, id))) && !group.exclude.holds(id, &[], &[])
}

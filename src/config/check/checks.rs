//! `[checks.*]`, `[groups.*]`, `[templates.*]` and `[owners.*]`: what must arrive, and whose it is.

use super::sources::kind_of;
use super::{Checker, text};
use crate::config::raw::{Raw, RawCheck, RawGroup, RawMatcher, RawOwner, RawSource};
use crate::core::calendar::DayRule;
use crate::core::plan::{Check, Evidence, Group, Id, Matcher, Owner, SourceKind};
use crate::core::time::ClockTime;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What checks and groups have in common.
struct Common<'a> {
    needs: &'a [String],
    owner: Option<&'a String>,
    runbook: Option<&'a String>,
    duration: Option<&'a String>,
    on: Option<&'a String>,
    counts_from: Option<&'a String>,
    run: Option<&'a String>,
    max_age: Option<&'a String>,
}

impl<'a> From<&'a RawCheck> for Common<'a> {
    fn from(raw: &'a RawCheck) -> Self {
        Self {
            needs: &raw.needs,
            owner: raw.owner.as_ref(),
            runbook: raw.runbook.as_ref(),
            duration: raw.duration.as_ref(),
            on: raw.on.as_ref(),
            counts_from: raw.counts_from.as_ref(),
            run: raw.run.as_ref(),
            max_age: raw.max_age.as_ref(),
        }
    }
}

impl<'a> From<&'a RawGroup> for Common<'a> {
    fn from(raw: &'a RawGroup) -> Self {
        Self {
            needs: &raw.needs,
            owner: raw.owner.as_ref(),
            runbook: raw.runbook.as_ref(),
            duration: raw.duration.as_ref(),
            on: raw.on.as_ref(),
            counts_from: raw.counts_from.as_ref(),
            run: raw.run.as_ref(),
            max_age: raw.max_age.as_ref(),
        }
    }
}

impl Checker<'_> {
    pub(super) fn owners(&mut self, raw: &Raw) -> BTreeMap<Id, Owner> {
        let owner = |(id, owner): (&String, &RawOwner)| {
            let name = owner.name.clone().unwrap_or_else(|| id.clone());
            (Id::from(id.as_str()), Owner { name, contact: owner.contact.clone() })
        };
        raw.owners.iter().map(owner).collect()
    }

    /// `checks`: those of `raw`, taken out of it; each goes as its check comes.
    pub(super) fn checks(&mut self, raw: &Raw, checks: BTreeMap<String, Box<RawCheck>>) -> BTreeMap<Id, Arc<Check>> {
        for (name, template) in &raw.templates {
            // For its errors alone: those of a template that nobody extends count too.
            self.common("templates", name, &template.into());
            self.clock_of("templates", name, "through", template.through.as_ref());
            if let Some(source) = &template.source {
                self.known(&["templates", name, "source"], "sources", "source", source);
            }
        }
        // One name of a source for all of its checks.
        let sources: BTreeSet<Id> = raw.sources.keys().map(|name| Id::from(name.as_str())).collect();
        let built = checks.into_iter().filter_map(|(name, check)| {
            let mut check = self.check(&name, &check, raw)?;
            check.source = sources.get(&check.source)?.clone();
            Some((Id::from(name), Arc::new(check)))
        });
        built.collect()
    }

    fn check(&mut self, name: &str, check: &RawCheck, raw: &Raw) -> Option<Check> {
        let mut built = self.common("checks", name, &check.into());
        let through = self.clock_of("checks", name, "through", check.through.as_ref());
        let source_id = self.source_of("checks", name, check.source.as_ref())?;
        if check.id.as_ref().is_some_and(String::is_empty) {
            self.error(&["checks", name, "id"], "id is empty; expected what the source calls it");
        }
        built.subject = Id::from(check.id.as_deref().unwrap_or(name));
        // A source that is broken itself was reported.
        if let Some((kind, source)) = raw.sources.get(source_id.as_str()).and_then(|source| Some((kind_of(source)?, source))) {
            built.evidence = self.evidence(name, check, kind, source, through);
            self.foreign_keys(name, check, kind);
            match kind {
                SourceKind::Sql => self.sql_check(name, check, source, &mut built),
                SourceKind::File => self.file_check(name, check, &mut built),
                SourceKind::Airflow | SourceKind::Luigi | SourceKind::Http => {}
            }
        }
        if check.run.is_some() && built.evidence != Evidence::Pipeline {
            self.error(&["checks", name, "run"], "run is for pipelines; this check is a dataset and has no runs");
        }
        built.source = source_id;
        Some(built)
    }

    /// Keys that say what to look at belong to the kinds that look so.
    fn foreign_keys(&mut self, name: &str, check: &RawCheck, kind: SourceKind) {
        let keys = [
            ("query", check.query.is_some(), SourceKind::Sql, "sql"),
            ("path", check.path.is_some(), SourceKind::File, "file"),
            ("date", check.date.is_some(), SourceKind::File, "file"),
            ("dbt", check.dbt.is_some(), SourceKind::File, "file"),
        ];
        for (key, _, _, word) in keys.into_iter().filter(|(_, given, of, _)| *given && *of != kind) {
            let source = check.source.as_deref().unwrap_or_default();
            let text = format!("{key} means nothing to source {source:?}; it is for sources of kind {word:?}");
            self.error(&["checks", name, key], text);
        }
    }

    fn evidence(
        &mut self,
        name: &str,
        check: &RawCheck,
        kind: SourceKind,
        source: &RawSource,
        through: Option<ClockTime>,
    ) -> Evidence {
        let path = ["checks", name, "through"];
        match (kind, check.through.is_some()) {
            (SourceKind::Airflow, true) => {
                self.error(&path, "through is for datasets; a pipeline of Airflow has runs and no timestamp");
                Evidence::Pipeline
            }
            (SourceKind::Luigi, true) => {
                self.error(&path, "through is for datasets; a pipeline of Luigi has tasks and no timestamp");
                Evidence::Pipeline
            }
            (SourceKind::Airflow | SourceKind::Luigi, false) => Evidence::Pipeline,
            (SourceKind::Sql, _) => through.map_or(Evidence::ArrivalTime, |through| Evidence::DataTime { through }),
            (SourceKind::File, _) => self.file_evidence(name, check, through),
            (SourceKind::Http, true) => {
                if source.timestamp.is_none() {
                    let id = check.source.as_deref().unwrap_or_default();
                    self.error(&path, format!("through needs a timestamp; expected timestamp = \"$.…\" in [sources.{id}]"));
                }
                through.map_or(Evidence::ArrivalTime, |through| Evidence::DataTime { through })
            }
            (SourceKind::Http, false) if source.state.is_some() => Evidence::Pipeline,
            (SourceKind::Http, false) => Evidence::ArrivalTime,
        }
    }

    pub(super) fn groups(&mut self, raw: &Raw) -> BTreeMap<Id, Group> {
        let mut groups = BTreeMap::new();
        for (name, group) in &raw.groups {
            groups.extend(self.group(name, group, raw).map(|group| (Id::from(name.as_str()), group)));
        }
        groups
    }

    fn group(&mut self, name: &str, group: &RawGroup, raw: &Raw) -> Option<Group> {
        let mut each = self.common("groups", name, &group.into());
        let matches = self.matcher(name, "match", group.matches.as_ref());
        let exclude = self.matcher(name, "exclude", group.exclude.as_ref());
        let given = |raw: &RawMatcher| !(raw.tags.is_empty() && raw.ids.is_empty() && raw.owners.is_empty());
        if !group.matches.as_ref().is_some_and(given) {
            self.missing(&["groups", name], "match", "match = { tags = [\"…\"] }, or ids or owners; ids = [\"*\"] is everything");
        }
        let source = self.source_of("groups", name, group.source.as_ref())?;
        if raw.sources.get(source.as_str()).and_then(kind_of).is_some_and(|kind| !kind.lists()) {
            let text = format!("source {:?} cannot list what it has; expected a source of kind airflow or luigi", source.as_str());
            self.error(&["groups", name, "source"], text);
        }
        each.source = source.clone();
        Some(Group { source, matches, exclude, each })
    }

    fn matcher(&mut self, name: &str, key: &str, raw: Option<&RawMatcher>) -> Matcher {
        let Some(raw) = raw else { return Matcher::default() };
        let path = ["groups", name, key, "ids"];
        let ids = self.each(&path, &raw.ids, |checker, path, glob| checker.read(path, glob, text::glob));
        Matcher { tags: raw.tags.clone(), ids, owners: raw.owners.clone() }
    }

    fn source_of(&mut self, section: &str, name: &str, source: Option<&String>) -> Option<Id> {
        match source {
            Some(source) => self.known(&[section, name, "source"], "sources", "source", source),
            None => {
                self.missing(&[section, name], "source", "the name of a source, such as source = \"airflow\"");
                None
            }
        }
    }

    /// A check without source and subject.
    fn common(&mut self, section: &str, name: &str, raw: &Common<'_>) -> Check {
        let path = |key| [section, name, key];
        Check {
            source: Id::from(""),
            subject: Id::from(""),
            evidence: Evidence::Pipeline,
            needs: self.needs(&path("needs"), raw.needs),
            // Airflow names "airflow" where nobody was named.
            owner: raw.owner.filter(|owner| !matches!(owner.trim(), "" | "airflow")).cloned(),
            runbook: raw.runbook.cloned(),
            duration: self.optional(&path("duration"), raw.duration, text::duration),
            on: self.days(&path("on"), raw.on),
            counts_from: self.clock_of(section, name, "counts_from", raw.counts_from),
            run: self.clock_of(section, name, "run", raw.run),
            max_age: self.optional(&path("max_age"), raw.max_age, text::duration),
            dated: None,
        }
    }

    fn clock_of(&mut self, section: &str, name: &str, key: &str, raw: Option<&String>) -> Option<ClockTime> {
        self.optional(&[section, name, key], raw, text::clock)
    }

    /// An expression of days, its calendar known.
    pub(super) fn days(&mut self, path: &[&str], raw: Option<&String>) -> Option<DayRule> {
        let rule = self.optional(path, raw, text::days)?;
        if let Some(calendar) = rule.calendar() {
            self.known(path, "calendars", "calendar", calendar.as_str())?;
        }
        Some(rule)
    }
}

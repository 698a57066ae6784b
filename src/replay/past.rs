//! The picture of the world as far as it was seen until an instant: answers the questions of `due` in the place of the sources.
//! Judges nothing; what it is told twice it knows once.

use crate::core::observation::{
    Answer, Ask, Fact, Failure, Heard, Item, Listing, Member, RUNS_PER_SUBJECT, Run, Scheduler, Sweep, Unreachable,
};
use crate::core::plan::Id;
use crate::core::state::News;
use crate::core::time::Instant;
use chrono::NaiveDate;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A few more runs are kept than a sweep carries: a cleared one is of long ago.
const RUNS_KEPT: usize = 2 * RUNS_PER_SUBJECT;
const FAILURES_KEPT: usize = 8;
/// Of a path with a date, the newest dates: more than a year of nights.
pub(super) const DATES_KEPT: usize = 400;

/// What was seen of all sources.
#[derive(Debug, Default)]
pub struct Past {
    sources: BTreeMap<Id, SourcePast>,
}

#[derive(Debug, Default)]
struct SourcePast {
    dark: Option<Unreachable>,
    unlisted: Option<Unreachable>,
    scheduler: Scheduler,
    ahead_s: Option<i64>,
    members: BTreeMap<Id, Member>,
    /// The members as they are told, until there is news of them.
    listing: Option<Listing>,
    subjects: BTreeMap<Id, SubjectPast>,
    /// Subjects of which something is known that no sweep has told yet.
    news: BTreeSet<Id>,
    /// Something else than these may be asked for now: the next sweep is told in full.
    whole: bool,
    /// What the last sweep was about.
    asked: Arc<[Id]>,
}

#[derive(Debug, Default)]
struct SubjectPast {
    /// `None`: the source does not know it.
    fact: Option<Fact>,
    failures: Vec<(String, Failure)>,
}

impl Past {
    /// Takes in one thing that was seen.
    pub fn learn(&mut self, news: News) {
        match news {
            News::Subject { source, subject, fact } => {
                let source = self.source(source);
                let known = source.subjects.entry(subject.clone()).or_default();
                known.fact = match (known.fact.take(), fact) {
                    (Some(Fact::Runs(had)), Some(Fact::Runs(new))) => Some(Fact::Runs(merged(had, new))),
                    (Some(Fact::Dated(had)), Some(Fact::Dated(new))) => Some(Fact::Dated(dates(had, new))),
                    (_, Some(Fact::Runs(new))) => Some(Fact::Runs(merged(Vec::new(), new))),
                    (_, fact) => fact,
                };
                source.news.insert(subject);
            }
            News::Failure { source, subject, run, failure } => {
                let known = &mut self.source(source).subjects.entry(subject).or_default().failures;
                known.retain(|(had, _)| *had != run);
                known.push((run, failure));
                let over = known.len().saturating_sub(FAILURES_KEPT);
                known.drain(..over);
            }
            News::Source { source, dark } => self.source(source).dark = dark,
            News::Listing { source, changed, gone } => {
                let source = self.source(source);
                source.unlisted = None;
                source.whole = true;
                source.listing = None;
                source.members.retain(|subject, _| !gone.contains(subject));
                source.members.extend(changed.into_iter().map(|member| (member.subject.clone(), member)));
            }
            News::Unlisted { source, why } => self.source(source).unlisted = Some(why),
            News::Scheduler { source, scheduler } => self.source(source).scheduler = scheduler,
            News::Clock { source, ahead_s } => self.source(source).ahead_s = ahead_s,
        }
    }

    /// From now on others may ask: each source tells all that it knows when it is asked next.
    pub fn tell_all(&mut self) {
        self.sources.values_mut().for_each(|source| source.whole = true);
    }

    /// What a source says at `at`. Of a sweep only what is new: the rest was told before, and an answer that repeats it changes
    /// nothing.
    pub fn answer(&mut self, ask: Ask, at: Instant) -> Heard {
        let source = self.source(ask.source().clone());
        let (ask, answer) = match ask {
            Ask::Failure { ref subject, ref run, .. } => {
                let known = source.subjects.get(subject).into_iter().flat_map(|known| &known.failures);
                let failure = known.into_iter().find(|(had, _)| had == run).map(|(_, failure)| failure.clone());
                (ask, Answer::Failure(failure.unwrap_or_default()))
            }
            _ if let Some(why) = source.dark.clone() => (ask, Answer::Unreachable(why)),
            Ask::List { .. } => match source.unlisted.clone() {
                Some(why) => (ask, Answer::Unreachable(why)),
                None => {
                    let listing = source.listing.get_or_insert_with(|| source.members.values().cloned().collect());
                    (ask, Answer::Listing(listing.clone()))
                }
            },
            Ask::Sweep { source: id, subjects, dates, since } => {
                let (asked, sweep) = source.sweep(subjects, &dates, since);
                (Ask::Sweep { source: id, subjects: asked, dates, since }, Answer::Sweep(sweep))
            }
        };
        Heard { ask, asked_at: at, answer }
    }

    fn source(&mut self, id: Id) -> &mut SourcePast {
        self.sources.entry(id).or_insert_with(|| SourcePast { whole: true, ..SourcePast::default() })
    }
}

impl SourcePast {
    fn sweep(&mut self, subjects: Arc<[Id]>, dates: &BTreeMap<Id, BTreeSet<NaiveDate>>, since: Instant) -> (Arc<[Id]>, Sweep) {
        // What is asked about only now may have had its news before.
        let other = self.asked != subjects;
        self.asked = subjects.clone();
        let asked: Arc<[Id]> = if std::mem::take(&mut self.whole) || other {
            subjects
        } else if self.news.is_empty() && dates.is_empty() {
            Arc::default()
        } else {
            // All are in order of name, and few of them have news.
            let new: BTreeSet<&Id> = self.news.iter().chain(dates.keys()).collect();
            new.into_iter().filter(|subject| subjects.binary_search(subject).is_ok()).cloned().collect()
        };
        self.news.clear();
        let known = |subject: &Id| self.subjects.get(subject).and_then(|known| known.fact.as_ref());
        let item = |subject: &Id| {
            let fact = shown(known(subject)?, dates.get(subject), since);
            Some(Item { subject: subject.clone(), fact })
        };
        let items = asked.iter().filter_map(item).collect();
        (asked, Sweep { items, scheduler: self.scheduler.clone(), clock_ahead_s: self.ahead_s })
    }
}

/// The part of what is known that was asked for.
fn shown(fact: &Fact, dates: Option<&BTreeSet<NaiveDate>>, since: Instant) -> Fact {
    match (fact, dates) {
        (Fact::Runs(runs), _) => Fact::Runs(runs.iter().filter(|run| run.scheduled_at >= since).cloned().collect()),
        (Fact::Dated(arrived), Some(dates)) => {
            Fact::Dated(dates.iter().map(|date| (*date, arrived.get(date).copied().flatten())).collect())
        }
        (other, _) => other.clone(),
    }
}

/// Newest first; of runs of one instant what is new stands first.
fn merged(mut had: Vec<Run>, new: Vec<Run>) -> Vec<Run> {
    let order = |run: &Run| Reverse((run.scheduled_at, run.started_at));
    for run in new.into_iter().rev() {
        if let Some(place) = had.iter().position(|had| had.id == run.id) {
            had.remove(place);
        }
        had.insert(had.partition_point(|had| order(had) < order(&run)), run);
    }
    had.truncate(RUNS_KEPT);
    had
}

/// What is said of a date holds until it is said anew.
fn dates(
    mut had: BTreeMap<NaiveDate, Option<Instant>>,
    new: BTreeMap<NaiveDate, Option<Instant>>,
) -> BTreeMap<NaiveDate, Option<Instant>> {
    had.extend(new);
    while had.len() > DATES_KEPT {
        had.pop_first();
    }
    had
}

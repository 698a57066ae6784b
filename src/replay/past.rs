//! The picture of the world as far as it was seen until an instant: answers the questions of `due` in the place of the sources.
//! Judges nothing; what it is told twice it knows once.

use crate::core::observation::{
    Answer, Ask, Fact, Failure, Heard, Item, Member, RUNS_PER_SUBJECT, Run, Scheduler, Sweep, Unreachable,
};
use crate::core::plan::Id;
use crate::core::state::News;
use crate::core::time::Instant;
use std::collections::{BTreeMap, BTreeSet};

/// A few more runs are kept than a sweep carries: a cleared one is of long ago.
const RUNS_KEPT: usize = 2 * RUNS_PER_SUBJECT;
const FAILURES_KEPT: usize = 8;

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
    subjects: BTreeMap<Id, SubjectPast>,
    /// Subjects of which something is known that no sweep has told yet.
    news: BTreeSet<Id>,
    /// Something else than these may be asked for now: the next sweep is told in full.
    whole: bool,
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
                None => (ask, Answer::Listing(source.members.values().cloned().collect())),
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
    fn sweep(&mut self, subjects: Vec<Id>, dates: &BTreeMap<Id, BTreeSet<chrono::NaiveDate>>, since: Instant) -> (Vec<Id>, Sweep) {
        let asked: Vec<Id> = if std::mem::take(&mut self.whole) {
            subjects
        } else if self.news.is_empty() && dates.is_empty() {
            Vec::new()
        } else {
            subjects.into_iter().filter(|subject| self.news.contains(subject) || dates.contains_key(subject)).collect()
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
fn shown(fact: &Fact, dates: Option<&BTreeSet<chrono::NaiveDate>>, since: Instant) -> Fact {
    match (fact, dates) {
        (Fact::Runs(runs), _) => Fact::Runs(runs.iter().filter(|run| run.scheduled_at >= since).cloned().collect()),
        (Fact::Dated(arrived), Some(dates)) => {
            Fact::Dated(dates.iter().map(|date| (*date, arrived.get(date).copied().flatten())).collect())
        }
        (other, _) => other.clone(),
    }
}

/// Newest first.
fn merged(had: Vec<Run>, new: Vec<Run>) -> Vec<Run> {
    let kept = had.into_iter().filter(|run| new.iter().all(|new| new.id != run.id)).collect::<Vec<_>>();
    let mut all = [new, kept].concat();
    all.sort_by_key(|run| std::cmp::Reverse((run.scheduled_at, run.started_at)));
    all.truncate(RUNS_KEPT);
    all
}

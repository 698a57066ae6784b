//! An Airflow's own memory of its runs as a history: asked for day by day, in order of time, so that no more than a day and what is under
//! way is held. Asks that one source and no other, and for nothing that the runs do not say by themselves.
//!
//! What Airflow does not remember it cannot tell: of a run that was cleared it has the last try alone, of what was paused or broken
//! then nothing. Tags and owners are those of today.

use super::history::{BEGINNING, HistoryError, PAGE};
use super::stored::timeless;
use crate::core::observation::{Answer, Ask, Fact, Item, Listing, Member, Run, RunState, Unreachable, Why};
use crate::core::plan::{Id, Plan};
use crate::core::state::{News, Observed};
use crate::core::time::Instant;
use crate::net::unreachable;
use crate::sources::Source;
use chrono::TimeDelta;
use std::collections::{BTreeMap, BTreeSet};

/// The runs of a large Airflow in such a span are one page of its list.
const AT_ONCE: TimeDelta = TimeDelta::days(1);

/// When something happened to a run, and of one instant ends (0) before beginnings (1); then the DAG and its run.
type Moment = (Instant, u8, Id, String);

/// Runs on their way.
pub struct FetchedHistory {
    source: Source,
    id: Id,
    /// In order of name.
    subjects: Vec<Id>,
    span: (Instant, Instant),
    /// All before it has been asked for.
    asked_to: Instant,
    now: Instant,
    first: Option<Vec<Observed>>,
    /// What has been asked for and not handed out yet: the rest of a day, and the ends of what began in it.
    ahead: BTreeMap<Moment, Run>,
}

impl FetchedHistory {
    pub(super) async fn open(
        source: Source,
        id: &Id,
        plan: &Plan,
        span: (Instant, Instant),
        now: Instant,
    ) -> Result<Self, HistoryError> {
        let what = "list of DAGs".to_owned();
        let not_asked = |why| HistoryError::NotAsked { id: id.clone(), what, why };
        // Of a kind that keeps no runs nothing is asked at all.
        if source.past(&[], span.0, span.0, now).await.is_none() {
            return Err(HistoryError::KeepsNoRuns { id: id.clone() });
        }
        let members = match source.ask(&Ask::List { source: id.clone() }, now).await {
            Answer::Listing(members) => members,
            other => return Err(not_asked(why(other))),
        };
        let subjects = wanted(id, plan, &members);
        let known = members.iter().map(|member| &member.subject).filter(|subject| subjects.contains(*subject));
        let fact =
            |subject: &Id| News::Subject { source: id.clone(), subject: subject.clone(), fact: Some(Fact::Runs(Vec::new())) };
        let facts: Vec<News> = known.map(fact).collect();
        let listing =
            News::Listing { source: id.clone(), changed: members.iter().cloned().map(timeless).collect(), gone: Vec::new() };
        let first = [listing].into_iter().chain(facts).map(|news| Observed { at: BEGINNING, news }).collect();
        let subjects = subjects.into_iter().collect();
        Ok(Self { source, id: id.clone(), subjects, span, asked_to: span.0, now, first: Some(first), ahead: BTreeMap::new() })
    }

    pub(super) async fn next_page(&mut self) -> Result<Option<Vec<Observed>>, HistoryError> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        loop {
            let page = self.seen();
            if !page.is_empty() {
                return Ok(Some(page));
            }
            if self.asked_to >= self.span.1 {
                return Ok(None);
            }
            self.ask().await?;
        }
    }

    /// When it was asked: what it says is of then.
    pub(super) fn asked_at(&self) -> Instant {
        self.now
    }

    pub(super) fn span(&self) -> Option<(Instant, Instant)> {
        Some(self.span)
    }

    /// What happened before all that has not been asked for.
    fn seen(&mut self) -> Vec<Observed> {
        let mut page = Vec::new();
        while page.len() < PAGE {
            let Some(next) = self.ahead.first_entry().filter(|next| next.key().0 < self.asked_to) else { break };
            let ((at, _, subject, _), run) = next.remove_entry();
            let news = News::Subject { source: self.id.clone(), subject, fact: Some(Fact::Runs(vec![run])) };
            page.push(Observed { at, news });
        }
        page
    }

    async fn ask(&mut self) -> Result<(), HistoryError> {
        let (from, to) = (self.asked_to, (self.asked_to + AT_ONCE).min(self.span.1));
        let items = match self.source.past(&self.subjects, from, to, self.now).await {
            Some(Answer::Sweep(sweep)) => sweep.items,
            other => {
                let why = why(other.unwrap_or(Answer::Listing(Listing::default())));
                return Err(HistoryError::NotAsked { id: self.id.clone(), what: format!("runs of {}", from.date_naive()), why });
            }
        };
        for Item { subject, fact } in items {
            let Fact::Runs(runs) = fact else { continue };
            if self.subjects.binary_search(&subject).is_err() {
                continue;
            }
            runs.into_iter().for_each(|run| self.put(&subject, run));
        }
        self.asked_to = to;
        Ok(())
    }

    /// A run is seen when it begins, and again when it ends.
    fn put(&mut self, subject: &Id, run: Run) {
        let Some(started_at) = run.started_at else { return };
        let moment = |at, rank| (at, rank, subject.clone(), run.id.clone());
        let begins = Run { state: RunState::Running, ended_at: None, ..run.clone() };
        let ended_at = run.ended_at.filter(|_| matches!(run.state, RunState::Success | RunState::Failed));
        match ended_at {
            Some(ended_at) if ended_at <= started_at => drop(self.ahead.insert(moment(started_at, 1), run)),
            Some(ended_at) => {
                self.ahead.insert(moment(started_at, 1), begins);
                self.ahead.insert(moment(ended_at, 0), run);
            }
            None => drop(self.ahead.insert(moment(started_at, 1), begins)),
        }
    }
}

/// What this plan would ask the source for, of what it lists now and what the plan names.
fn wanted(id: &Id, plan: &Plan, members: &[Member]) -> BTreeSet<Id> {
    let named = plan.checks.values().filter(|check| check.source == *id).map(|check| check.subject.clone());
    let fits = |member: &&Member| {
        let Member { subject, tags, owners, .. } = member;
        let mut groups = plan.groups.values().filter(|group| group.source == *id);
        groups.any(|group| {
            group.matches.holds(subject.as_str(), tags, owners) && !group.exclude.holds(subject.as_str(), tags, owners)
        })
    };
    named.chain(members.iter().filter(fits).map(|member| member.subject.clone())).collect()
}

fn why(answer: Answer) -> Unreachable {
    match answer {
        Answer::Unreachable(why) => why,
        _ => unreachable(Why::Malformed, "the answer was not to the question"),
    }
}

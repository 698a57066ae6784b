//! What there is in a simulated world, to its end, and how much of it a poll sees: only what had happened by then.

use super::conf::What;
use chrono::TimeDelta;
use dawnwatch::core::observation::{Fact, Item, Member, Run, RunKind, RunState};
use dawnwatch::core::plan::Id;
use dawnwatch::core::time::Instant;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub from: Instant,
    pub to: Instant,
}

impl Span {
    pub fn holds(&self, at: Instant) -> bool {
        self.from <= at && at < self.to
    }

    pub fn touches(&self, from: Instant, to: Instant) -> bool {
        self.from <= to && from < self.to
    }
}

/// One run of a pipeline: the states that it goes through, from when on each.
#[derive(Debug, Clone)]
pub struct Course {
    pub id: String,
    pub kind: RunKind,
    pub scheduled_at: Instant,
    /// In order of time, at least one.
    pub steps: Vec<(Instant, RunState)>,
    pub error: String,
}

/// One pipeline or dataset; its subject is the check's name.
#[derive(Debug, Clone)]
pub struct Thing {
    pub source: Id,
    pub what: What,
    /// The group that it belongs to.
    pub group: Option<Id>,
    pub runs: Vec<Course>,
    /// For datasets: from when on it could be seen, and the timestamp.
    pub data: Vec<(Instant, Instant)>,
    pub paused: Vec<Span>,
    pub import_error: Vec<Span>,
    /// The source does not know it.
    pub gone: Vec<Span>,
    /// The source's answer about it makes no sense.
    pub strange: Vec<Span>,
}

impl Course {
    pub fn began(&self) -> Instant {
        self.steps[0].0
    }

    pub fn succeeded_at(&self) -> Option<Instant> {
        self.steps.iter().rev().find(|(_, state)| *state == RunState::Success).map(|(at, _)| *at)
    }

    /// When it failed for good, or was bound to.
    pub fn failed_at(&self) -> Option<Instant> {
        self.steps.iter().find(|(_, state)| matches!(state, RunState::Failed | RunState::Doomed { .. })).map(|(at, _)| *at)
    }

    fn seen(&self, at: Instant) -> Option<Run> {
        let (since, state) = self.steps.iter().rfind(|(from, _)| *from <= at)?;
        let started = self.steps.iter().find(|(_, state)| *state != RunState::Queued).map(|(at, _)| *at);
        let ended = matches!(state, RunState::Success | RunState::Failed);
        Some(Run {
            id: self.id.clone(),
            kind: self.kind,
            scheduled_at: self.scheduled_at,
            started_at: started.filter(|started| *started <= at),
            ended_at: ended.then_some(*since),
            state: state.clone(),
        })
    }
}

impl Thing {
    pub fn is_there(&self, at: Instant) -> bool {
        !self.gone.iter().any(|span| span.holds(at))
    }

    pub fn item(&self, id: &Id, since: Instant, at: Instant) -> Option<Item> {
        let fact = || match self.what {
            _ if self.strange.iter().any(|span| span.holds(at)) => Fact::Suspicious("state \"?!\" is none".to_owned()),
            What::Pipeline => {
                Fact::Runs(self.runs.iter().filter(|run| run.scheduled_at >= since).filter_map(|run| run.seen(at)).collect())
            }
            What::Arrival | What::Data { .. } => Fact::Timestamp(self.newest(at)),
        };
        self.is_there(at).then(|| Item { subject: id.clone(), fact: fact() })
    }

    /// The newest timestamp that can be seen.
    pub fn newest(&self, at: Instant) -> Option<Instant> {
        self.data.iter().filter(|(visible, _)| *visible <= at).map(|(_, stamp)| *stamp).max()
    }

    pub fn member(&self, id: &Id, at: Instant) -> Member {
        Member {
            subject: id.clone(),
            tags: self.group.iter().map(ToString::to_string).collect(),
            owners: vec![],
            paused: self.paused.iter().any(|span| span.holds(at)),
            import_error: self.import_error.iter().any(|span| span.holds(at)),
            next_run_at: None,
        }
    }

    /// Everything so much later.
    pub fn shift(&mut self, by: TimeDelta) {
        for run in &mut self.runs {
            run.scheduled_at += by;
            run.steps.iter_mut().for_each(|(at, _)| *at += by);
        }
        self.data.iter_mut().for_each(|(visible, stamp)| (*visible, *stamp) = (*visible + by, *stamp + by));
        for spans in [&mut self.paused, &mut self.import_error, &mut self.gone, &mut self.strange] {
            spans.iter_mut().for_each(|span| *span = Span { from: span.from + by, to: span.to + by });
        }
    }
}

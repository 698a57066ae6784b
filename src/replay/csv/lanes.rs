//! What has happened to each target so far, as far as the next row needs it: events in order of time become what was seen. Holds a few
//! words a target, and the newest facts only of those that could not be asked about at times.

use super::event::{Event, Mark, RowKey};
use super::meant::Form;
use super::names::Target;
use super::row::Ended;
use crate::core::observation::{Fact, Failure, RUNS_PER_SUBJECT, Run, RunKind, RunState, Unreachable, Why};
use crate::core::plan::{Id, Plan};
use crate::core::state::{News, Observed};
use crate::core::time::{Instant, local_date};
use crate::net::line;
use crate::replay::past::DATES_KEPT;
use chrono::{NaiveDate, SecondsFormat, TimeDelta};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

const NOT_ASKED: &str = "could not be asked";
const SOURCE_NOT_ASKED: &str = "the history says that it could not be asked";

pub(super) struct Lanes {
    plan: Arc<Plan>,
    lanes: Vec<(Target, Lane)>,
}

/// A row that begins later than this after a try that failed is another run.
const RETRIED_WITHIN: TimeDelta = TimeDelta::hours(12);

#[derive(Default)]
struct Lane {
    /// A try of this run has failed, and when; the next row is the same run going on.
    retrying: Option<(RowKey, Instant)>,
    /// The row by which a run last went on, and the run's first; kept, because another file may hold that row too.
    goes_on: Option<(RowKey, RowKey)>,
    newest: Option<Instant>,
    /// Spans in which it could not be asked about that are open now.
    veils: u32,
    /// Of a target that is veiled at times: what is known beneath, newest first.
    runs: Vec<Run>,
    dates: BTreeMap<NaiveDate, Option<Instant>>,
}

impl Lanes {
    pub(super) fn new(plan: Arc<Plan>, targets: Vec<Target>) -> Self {
        Self { plan, lanes: targets.into_iter().map(|target| (target, Lane::default())).collect() }
    }

    /// Events have to come in order of time.
    pub(super) fn play(&mut self, event: &Event<'_>, out: &mut Vec<Observed>) {
        let Some((target, lane)) = self.lanes.get_mut(event.target as usize) else { return };
        let mut say = |news| out.push(Observed { at: event.at, news });
        if let Some(member) = target.joins.take() {
            say(News::Listing { source: target.source.clone(), changed: vec![member], gone: Vec::new() });
        }
        let fact = match (&target.form, event.ended) {
            (Form::Source, _) => return lane.darken(target, event, say),
            (_, Ended::Unreachable) => lane.veil(target, event),
            (Form::Runs, _) => {
                let run = lane.run(event);
                if run.state == RunState::Failed && !event.error.is_empty() {
                    say(failed(target, &run.id, event.error));
                }
                lane.see_run(run, target.veiled)
            }
            // What has not come says nothing of the data that is there.
            (_, Ended::Failed | Ended::Retrying) => None,
            _ if event.mark == Mark::Begins => None,
            (Form::Timestamp, _) => lane.see_data(event.timestamp.unwrap_or(event.at)),
            (Form::Dated(shift), _) => {
                let local = |at| local_date(at, self.plan.timezone);
                let date = event.timestamp.map(local).or_else(|| shift.from(local(event.at), &self.plan.calendars));
                date.and_then(|date| lane.see_date(date, event.at, target.veiled))
            }
        };
        let (source, subject) = (&target.source, &target.subject);
        fact.into_iter().for_each(|fact| say(news(source, subject, fact)));
    }
}

impl Lane {
    /// A source that could not be asked.
    fn darken(&mut self, target: &Target, event: &Event<'_>, mut say: impl FnMut(News)) {
        let said = |dark| News::Source { source: target.source.clone(), dark };
        match self.veiled_by(event.mark) {
            Some(true) => {
                let detail = if event.error.is_empty() { SOURCE_NOT_ASKED } else { event.error };
                say(said(Some(Unreachable { why: Why::Connect, detail: line(detail) })));
            }
            Some(false) => say(said(None)),
            None => {}
        }
    }

    /// A check that could not be asked about: no answer about it makes sense, and then it is what it has become.
    fn veil(&mut self, target: &Target, event: &Event<'_>) -> Option<Fact> {
        match self.veiled_by(event.mark)? {
            true => Some(Fact::Suspicious(NOT_ASKED.to_owned())),
            false => Some(match &target.form {
                Form::Runs | Form::Source => Fact::Runs(self.runs.clone()),
                Form::Timestamp => Fact::Timestamp(self.newest),
                Form::Dated(_) => Fact::Dated(self.dates.clone()),
            }),
        }
    }

    /// Whether it goes from sight, or (`false`) comes back; spans may overlap.
    fn veiled_by(&mut self, mark: Mark) -> Option<bool> {
        let before = self.veils;
        match mark {
            Mark::Begins => self.veils += 1,
            Mark::Ends => self.veils = self.veils.saturating_sub(1),
            // A span of no length.
            Mark::Is => {}
        }
        match (before, self.veils) {
            (0, 1) => Some(true),
            (1, 0) => Some(false),
            _ => None,
        }
    }

    /// The run of a row, as it now is.
    fn run(&mut self, event: &Event<'_>) -> Run {
        let first = self.first_row(event);
        let ends = event.mark != Mark::Begins;
        let state = match event.ended {
            _ if !ends => RunState::Running,
            Ended::Retrying => RunState::Retrying { task: String::new() },
            Ended::Failed => RunState::Failed,
            Ended::Success | Ended::Unreachable => RunState::Success,
        };
        let over = matches!(state, RunState::Success | RunState::Failed);
        if matches!(state, RunState::Retrying { .. }) {
            self.retrying = Some((first, event.at));
        } else if over {
            self.retrying.take_if(|(tried, _)| *tried == first);
        }
        let RowKey { kind, scheduled_at, started_at } = first;
        let ended_at = over.then_some(event.at);
        Run { id: id(kind, scheduled_at), kind, scheduled_at, started_at: Some(started_at), ended_at, state }
    }

    /// The first row of the run that the row is of: after a try that failed the next row is the same run going on, unless it says that
    /// it is of another time.
    fn first_row(&mut self, event: &Event<'_>) -> RowKey {
        if let Some((_, first)) = self.goes_on.filter(|(row, _)| *row == event.row) {
            return first;
        }
        let same = |(first, failed_at): &mut (RowKey, Instant)| {
            let of_then = !event.says_when || event.row.scheduled_at == first.scheduled_at;
            *first != event.row && of_then && event.row.started_at - *failed_at <= RETRIED_WITHIN
        };
        let begins = event.mark != Mark::Ends;
        let goes_on = begins.then(|| self.retrying.take_if(same)).flatten();
        if let Some((first, _)) = goes_on {
            self.goes_on = Some((event.row, first));
        }
        goes_on.map_or(event.row, |(first, _)| first)
    }

    fn see_run(&mut self, run: Run, keep: bool) -> Option<Fact> {
        if keep {
            self.runs.retain(|known| known.id != run.id);
            self.runs.push(run.clone());
            self.runs.sort_by_key(|run| Reverse((run.scheduled_at, run.started_at)));
            self.runs.truncate(RUNS_PER_SUBJECT);
        }
        (self.veils == 0).then(|| Fact::Runs(vec![run]))
    }

    fn see_data(&mut self, newest: Instant) -> Option<Fact> {
        let newer = self.newest.is_none_or(|had| had < newest);
        self.newest = self.newest.max(Some(newest));
        (newer && self.veils == 0).then_some(Fact::Timestamp(self.newest))
    }

    fn see_date(&mut self, date: NaiveDate, at: Instant, keep: bool) -> Option<Fact> {
        if keep {
            self.dates.insert(date, Some(at));
            while self.dates.len() > DATES_KEPT {
                self.dates.pop_first();
            }
        }
        (self.veils == 0).then(|| Fact::Dated(BTreeMap::from([(date, Some(at))])))
    }
}

fn news(source: &Id, subject: &Id, fact: Fact) -> News {
    News::Subject { source: source.clone(), subject: subject.clone(), fact: Some(fact) }
}

fn failed(target: &Target, run: &str, error: &str) -> News {
    let failure = Failure { error: Some(line(error)), ..Failure::default() };
    News::Failure { source: target.source.clone(), subject: target.subject.clone(), run: run.to_owned(), failure }
}

/// As Airflow names its runs. Rows of one kind for one time are one run: tried again, cleared, or written down twice.
fn id(kind: RunKind, scheduled_at: Instant) -> String {
    let kind = match kind {
        RunKind::Scheduled | RunKind::Part => "scheduled",
        RunKind::Manual => "manual",
        RunKind::Triggered => "triggered",
        RunKind::Backfill => "backfill",
    };
    format!("{kind}__{}", scheduled_at.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

//! What happens to each pipeline on a date: the usual, or its part in the plot.

use super::cast::{self, Pipeline, Sort};
use super::run::{Attempt, Ending, Fault, Run, Task, Try};
use super::{Night, clock, dice};
use crate::core::time::Instant;
use chrono::{NaiveDate, TimeDelta};
use std::collections::BTreeMap;

/// A pipeline's part on one date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Usual,
    /// One try fails; the next one does it.
    Retries,
    /// Every try of the export fails; repaired hours later.
    ExportDown,
    /// The run fails; it is cleared a little later and does it.
    Rerun,
    /// Far slower than usual, until somebody restarts it with more workers.
    Slow,
}

const EXPORT_DOWN: Fault = Fault {
    kind: "OperationalError",
    text: "connection to server at \"member-db-ro\" (10.20.0.14), port 5432 failed: Connection refused",
};
const DEADLOCK: Fault =
    Fault { kind: "DeadlockDetected", text: "deadlock detected while locking partition order_sales/2026-11-22" };
const HICCUP: Fault = Fault { kind: "ReadTimeout", text: "object store did not answer within 60 s" };
const STOPPED: Fault = Fault { kind: "AirflowTaskTerminated", text: "Task received SIGTERM: state was set to failed by a user" };

/// Pipelines of a weekday whose one failing try heals by itself.
const RETRIES: [&str; 3] = ["raw_search_sessions", "mart_product_stock", "report_delivery_ops"];
const RETRIES_WEEKEND: [&str; 1] = ["mart_delivery_quality"];

fn part(id: &str, date: NaiveDate, night: Night) -> Part {
    if date != night.date() {
        return Part::Usual;
    }
    match (night, id) {
        (Night::Weekday, cast::CAUSE) => Part::ExportDown,
        (Night::Weekday, cast::HEALED) => Part::Rerun,
        (Night::Weekday, cast::LONG) => Part::Slow,
        (Night::Weekday, id) if RETRIES.contains(&id) => Part::Retries,
        (Night::Weekend, id) if RETRIES_WEEKEND.contains(&id) => Part::Retries,
        _ => Part::Usual,
    }
}

/// The runs of all pipelines on one date, in their order. Whoever is waited for stands before who waits.
pub(super) fn runs(pipelines: &[Pipeline], date: NaiveDate, night: Night) -> Vec<Run> {
    let mut ends: BTreeMap<&str, Instant> = BTreeMap::new();
    let mut runs = Vec::with_capacity(pipelines.len());
    for (index, pipeline) in pipelines.iter().enumerate() {
        let needed = pipeline.needs.iter().filter_map(|id| ends.get(id.as_str())).max().copied();
        let run = Teller::new(index, pipeline, date).tell(part(&pipeline.id, date, night), needed);
        ends.insert(&pipeline.id, run.ends_at());
        runs.push(run);
    }
    runs
}

/// Writes one run down, moving through time.
struct Teller<'a> {
    pipeline: &'a Pipeline,
    date: NaiveDate,
    now: Instant,
    run: Run,
}

impl<'a> Teller<'a> {
    fn new(index: usize, pipeline: &'a Pipeline, date: NaiveDate) -> Self {
        let run_after = clock(date, pipeline.hour, pipeline.minute);
        let run = Run { pipeline: index, date, run_after, attempts: vec![], tasks: tasks(pipeline), tries: vec![] };
        Self { pipeline, date, now: run_after, run }
    }

    fn tell(mut self, part: Part, needed: Option<Instant>) -> Run {
        self.pass(1, 3);
        self.begin();
        self.wait(needed);
        // Between 82 % and 112 % of the usual.
        let work_s = i64::from(self.pipeline.usual_min * 60 * (82 + self.roll(2, 31)) / 100);
        let work = self.main_task();
        match part {
            Part::Usual => self.does(work, work_s * 4 / 5),
            Part::Retries => {
                self.one_try(work, work_s / 3, Ending::Retry(HICCUP));
                self.now += TimeDelta::minutes(5);
                self.does(work, work_s * 4 / 5);
            }
            Part::ExportDown => self.export_down(work),
            Part::Rerun => {
                self.one_try(work, work_s / 2, Ending::Failed(DEADLOCK));
                self.end(false);
                self.cleared_at(clock(self.date, 3, 52));
                self.does(work, work_s * 4 / 5);
            }
            Part::Slow => {
                let restart = clock(self.date, 7, 24);
                self.one_try(work, (restart - self.now).num_seconds(), Ending::Failed(STOPPED));
                // Set to failed and cleared in one go: nobody can see it failed.
                self.run.attempts.last_mut().into_iter().for_each(|a| a.ended_at = restart);
                self.cleared_at(restart);
                self.does(work, 37 * 60);
            }
        }
        self.does(work + 1, work_s / 5);
        self.end(true);
        self.run
    }

    /// Three tries, the last of which fails at 02:55; the owner repairs it at 06:57.
    fn export_down(&mut self, export: usize) {
        for (hour, minute) in [(2, 37), (2, 46)] {
            let lasts_s = (clock(self.date, hour, minute) - self.now).num_seconds();
            self.one_try(export, lasts_s, Ending::Retry(EXPORT_DOWN));
            self.now += TimeDelta::minutes(3);
        }
        let lasts_s = (clock(self.date, 2, 55) - self.now).num_seconds() + 8;
        self.one_try(export, lasts_s, Ending::Failed(EXPORT_DOWN));
        self.end(false);
        self.cleared_at(clock(self.date, 6, 57));
        self.does(export, 18 * 60);
    }

    fn roll(&self, salt: u32, below: u32) -> u32 {
        dice(&self.pipeline.id, self.date, salt, below)
    }

    /// Moves on by up to `seconds`, at least one, never a whole number of them.
    fn pass(&mut self, salt: u32, seconds: u32) {
        let micros = 1_000_000 + self.roll(salt, seconds * 1_000_000);
        self.now += TimeDelta::microseconds(i64::from(micros | 1));
    }

    /// Queued now, started a moment later. The end is filled in by [`Self::end`].
    fn begin(&mut self) {
        let queued_at = self.now;
        self.pass(10, 4);
        self.run.attempts.push(Attempt { queued_at, started_at: self.now, ended_at: Instant::MAX_UTC, succeeded: false });
        self.pass(11, 3);
    }

    fn end(&mut self, succeeded: bool) {
        self.pass(12, 2);
        let ended_at = self.now;
        self.run.attempts.last_mut().into_iter().for_each(|a| (a.ended_at, a.succeeded) = (ended_at, succeeded));
    }

    fn cleared_at(&mut self, at: Instant) {
        self.now = at;
        self.begin();
    }

    /// The sensor, where there is one: it looks once a minute or so.
    fn wait(&mut self, needed: Option<Instant>) {
        if self.main_task() == 1 {
            let look = i64::from(5 + self.roll(3, 60));
            let free_at = needed.filter(|needed| *needed > self.now).map(|needed| needed + TimeDelta::seconds(look));
            let until_s = free_at.map_or(4, |free_at| (free_at - self.now).num_seconds());
            self.does(0, until_s);
        }
    }

    /// Where in the tasks the work is.
    fn main_task(&self) -> usize {
        usize::from(self.run.tasks[0].sensor)
    }

    fn does(&mut self, task: usize, seconds: i64) {
        self.one_try(task, seconds, Ending::Success);
    }

    /// One try of a task, that ends somehow.
    fn one_try(&mut self, task: usize, seconds: i64, ending: Ending) {
        let number = self.run.tries.iter().rfind(|t| t.task == task).map_or(1, |t| t.number + 1);
        let start = self.now;
        self.now += TimeDelta::seconds(seconds);
        let attempt = self.run.attempts.len().saturating_sub(1);
        self.run.tries.push(Try { task, number, attempt, start, end: self.now, ending });
        if ending == Ending::Success {
            self.pass(20, 2);
        }
    }
}

/// A sensor where something is waited for, the work, and its last step.
fn tasks(pipeline: &Pipeline) -> Vec<Task> {
    let (sensor, work, last) = match pipeline.sort {
        Sort::Ingest => ("wait_for_source", "export", "load"),
        Sort::Mart => ("wait_for_raw", "build", "publish"),
        Sort::Report => ("wait_for_marts", "render", "publish"),
    };
    let sensor = (!pipeline.needs.is_empty()).then_some(Task { id: sensor, sensor: true, max_tries: 0 });
    let steps = [work, last].map(|id| Task { id, sensor: false, max_tries: 2 });
    sensor.into_iter().chain(steps).collect()
}

//! One run of one pipeline, from its creation to its end, and what of it can be seen at an instant.
//!
//! Shaped after what an Airflow stores: a run may be cleared and start again under the same id, and each task counts its tries
//! on through that (measured on Airflow 3.3.2, `models/taskinstance.py: clear_task_instances`).

use crate::core::time::Instant;
use chrono::NaiveDate;

/// The whole story of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its place in the cast.
    pub pipeline: usize,
    pub date: NaiveDate,
    pub run_after: Instant,
    /// At least one, in order of time; a later one means that the run was cleared.
    pub attempts: Vec<Attempt>,
    /// In the order in which they depend on each other.
    pub tasks: Vec<Task>,
    /// Of all tasks, in order of time.
    pub tries: Vec<Try>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    pub queued_at: Instant,
    pub started_at: Instant,
    pub ended_at: Instant,
    pub succeeded: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Task {
    pub id: &'static str,
    /// Waits for another pipeline and does nothing else.
    pub sensor: bool,
    pub max_tries: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Try {
    /// Its place in [`Run::tasks`].
    pub task: usize,
    pub number: u32,
    /// Its place in [`Run::attempts`].
    pub attempt: usize,
    pub start: Instant,
    pub end: Instant,
    pub ending: Ending,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Success,
    /// Failed, and tried again.
    Retry(Fault),
    Failed(Fault),
}

/// The exception that ended a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    pub kind: &'static str,
    pub text: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunWord {
    Queued,
    Running,
    Success,
    Failed,
}

/// A run as seen at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    pub state: RunWord,
    pub queued_at: Instant,
    pub started_at: Option<Instant>,
    pub ended_at: Option<Instant>,
    pub updated_at: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskWord {
    /// Not looked at yet.
    None,
    Running,
    /// A sensor between two looks.
    UpForReschedule,
    UpForRetry,
    Success,
    Failed,
    UpstreamFailed,
}

/// A task instance as seen at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenTask {
    pub task: Task,
    pub state: TaskWord,
    /// 0 before the first try.
    pub try_number: u32,
    pub started_at: Option<Instant>,
    pub ended_at: Option<Instant>,
}

impl Run {
    pub fn id(&self) -> String {
        format!("scheduled__{}", self.run_after.to_rfc3339())
    }

    pub fn exists_at(&self, at: Instant) -> bool {
        self.attempts[0].queued_at <= at
    }

    /// The attempt that is under way at `at`, or over; the first before all of them.
    fn attempt_at(&self, at: Instant) -> usize {
        self.attempts.iter().rposition(|a| a.queued_at <= at).unwrap_or(0)
    }

    pub fn at(&self, at: Instant) -> Seen {
        let attempt = self.attempts[self.attempt_at(at)];
        let over = attempt.ended_at <= at;
        let state = match (over, attempt.succeeded) {
            (true, true) => RunWord::Success,
            (true, false) => RunWord::Failed,
            (false, _) if attempt.started_at <= at => RunWord::Running,
            (false, _) => RunWord::Queued,
        };
        Seen {
            state,
            queued_at: attempt.queued_at,
            started_at: (attempt.started_at <= at).then_some(attempt.started_at),
            ended_at: over.then_some(attempt.ended_at),
            // The scheduler looks at a running run again and again, and each look is an update.
            updated_at: match state {
                RunWord::Queued => attempt.queued_at,
                RunWord::Running => at,
                RunWord::Success | RunWord::Failed => attempt.ended_at,
            },
        }
    }

    pub fn tasks_at(&self, at: Instant) -> impl Iterator<Item = SeenTask> {
        (0..self.tasks.len()).map(move |task| self.task_at(task, at))
    }

    fn task_at(&self, task: usize, at: Instant) -> SeenTask {
        let attempt = self.attempt_at(at);
        let last = self.tries.iter().rfind(|t| t.task == task && t.start <= at);
        let unseen =
            |state, number| SeenTask { task: self.tasks[task], state, try_number: number, started_at: None, ended_at: None };
        let Some(last) = last else {
            let dead = self.attempts[attempt].ended_at <= at && !self.attempts[attempt].succeeded;
            return unseen(if dead { TaskWord::UpstreamFailed } else { TaskWord::None }, 0);
        };
        // Cleared with the run, and not begun again.
        if last.attempt < attempt && self.tries.iter().any(|t| t.task == task && t.attempt == attempt) {
            return unseen(TaskWord::None, last.number);
        }
        let over = last.end <= at;
        let state = match last.ending {
            _ if !over && self.tasks[task].sensor => TaskWord::UpForReschedule,
            _ if !over => TaskWord::Running,
            Ending::Success => TaskWord::Success,
            Ending::Retry(_) => TaskWord::UpForRetry,
            Ending::Failed(_) => TaskWord::Failed,
        };
        SeenTask {
            task: self.tasks[task],
            state,
            try_number: last.number,
            started_at: Some(last.start),
            ended_at: over.then_some(last.end),
        }
    }

    /// Does it only wait in a sensor?
    pub fn waits_at(&self, at: Instant) -> bool {
        self.tasks_at(at).any(|t| t.state == TaskWord::UpForReschedule)
    }

    /// A try of a task that has begun by `at`.
    pub fn try_at(&self, task: &str, number: u32, at: Instant) -> Option<&Try> {
        self.tries.iter().find(|t| self.tasks[t.task].id == task && t.number == number && t.start <= at)
    }

    /// The end of the last attempt.
    pub fn ends_at(&self) -> Instant {
        self.attempts.last().map_or(self.run_after, |a| a.ended_at)
    }
}

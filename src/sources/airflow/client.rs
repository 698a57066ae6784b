//! Asking an Airflow: which questions, in which order, page by page; the rows go to `parse`. What the two generations say differently
//! is in `generation`.

use super::super::wire::{Reply, Wire};
use super::generation::{Generation, Place};
use super::login::Login;
use super::parse;
use super::rows::{Health, RunRow, TaskPage, Version};
use super::window::Window;
use crate::config::wiring::{AirflowLogin, SourceWiring};
use crate::core::observation::{Answer, Ask, Failure, Sweep, Unreachable, Why};
use crate::core::plan::Id;
use crate::core::time::Instant;
use crate::net::{BODY_BYTES, unreachable};
use reqwest::RequestBuilder;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use url::Url;

/// Where a server cuts the pages of the POST lists, so many are enough for a day.
const MAX_PAGES: usize = 100;
/// The most runs of one window that are kept in memory (some 300 bytes each).
const MAX_RUNS: usize = 100_000;

pub(crate) struct Airflow {
    wire: Wire,
    base: Url,
    login: Login,
    /// Which generation answered last.
    generation: Mutex<Generation>,
    /// Whether either generation has ever answered.
    met: AtomicBool,
    /// The DAGs of the last listing; `None` before the first.
    known: Mutex<Option<Arc<BTreeSet<Id>>>>,
    /// Taken out while a sweep uses it, and put back only when that ended well.
    window: Mutex<Option<Window>>,
}

impl Airflow {
    pub(crate) fn build(url: &Url, login: &AirflowLogin, wiring: &SourceWiring) -> Result<Self, String> {
        if url.cannot_be_a_base() {
            return Err("its url is no http address".to_owned());
        }
        let login = Login::build(login)?;
        let wire = Wire::build(url, wiring, BODY_BYTES)?;
        let (generation, met) = (Mutex::new(Generation::Three), AtomicBool::new(false));
        Ok(Self { wire, base: url.clone(), login, generation, met, known: Mutex::new(None), window: Mutex::new(None) })
    }

    pub(crate) fn wire(&self) -> &Wire {
        &self.wire
    }

    /// Where the answer is none of the generation that answered last, the other one is looked for: once, and before anything is said.
    /// As long as neither has answered a refusal is no sign of either: a gateway may let through the paths of one alone.
    pub(crate) async fn ask(&self, ask: &Ask, now: Instant) -> Result<Answer, Unreachable> {
        let generation = *held(&self.generation);
        let error = match (Asking { airflow: self, generation, now }).ask(ask).await {
            Ok(answer) => {
                self.met.store(true, Ordering::Relaxed);
                return Ok(answer);
            }
            Err(error) if matches!(error.why, Why::Status | Why::Malformed) => error,
            Err(error) if error.why == Why::Auth && !self.met.load(Ordering::Relaxed) => error,
            Err(error) => return Err(error),
        };
        let other = generation.other();
        if !self.is(other, now).await {
            return Err(error);
        }
        self.met.store(true, Ordering::Relaxed);
        *held(&self.generation) = other;
        *held(&self.window) = None;
        Asking { airflow: self, generation: other, now }.ask(ask).await
    }

    /// The runs of a span of the past. What answers has been found out by the listing that told the subjects.
    pub(crate) async fn past(&self, subjects: &[Id], from: Instant, to: Instant, now: Instant) -> Result<Answer, Unreachable> {
        let generation = *held(&self.generation);
        Asking { airflow: self, generation, now }.past(subjects, from, to).await
    }

    async fn is(&self, generation: Generation, now: Instant) -> bool {
        let place = self.place();
        let reply = self.login.send_open(&self.wire, place, generation, now, || generation.version(place)).await;
        reply.is_ok_and(|reply| reply.json::<Version>("its version").is_ok())
    }

    fn place(&self) -> Place<'_> {
        Place { client: &self.wire.client, base: &self.base }
    }
}

/// One question to one generation.
struct Asking<'a> {
    airflow: &'a Airflow,
    generation: Generation,
    now: Instant,
}

impl Asking<'_> {
    async fn ask(&self, ask: &Ask) -> Result<Answer, Unreachable> {
        match ask {
            Ask::Sweep { subjects, since, .. } => self.sweep(subjects, *since).await.map(Answer::Sweep),
            Ask::List { .. } => self.list().await,
            Ask::Failure { subject, run, .. } => self.failure(subject, run).await.map(Answer::Failure),
        }
    }

    async fn sweep(&self, subjects: &[Id], since: Instant) -> Result<Sweep, Unreachable> {
        let Airflow { wire, login, window, .. } = self.airflow;
        let place = self.airflow.place();
        let health = login.send_open(wire, place, self.generation, self.now, || self.generation.health(place)).await?;
        let clock_ahead_s = health.clock_ahead_s(self.now);
        let health: Health = health.json("its health")?;
        let scheduler = parse::scheduler(&health)?;
        // No DAG ids in the question would mean all of them.
        if subjects.is_empty() {
            return Ok(Sweep { scheduler, clock_ahead_s, ..Sweep::default() });
        }
        let remembered = held(window).take();
        let heartbeat = health.scheduler.latest_scheduler_heartbeat;
        let (rows, fresh) = match self.updated(remembered, subjects, since, heartbeat).await? {
            Some(window) => (window.rows(since), Some(window)),
            None => {
                let rows = self.runs(subjects, since).await?;
                let window = heartbeat.map(|heartbeat| Window::whole(subjects, since, self.now, heartbeat, rows.clone()));
                (rows, window)
            }
        };
        let running = parse::running(&rows);
        let refined = if running.is_empty() {
            BTreeMap::new()
        } else {
            let page: TaskPage = self.send(|| self.generation.tasks(self.airflow.place(), &running)).await?.json("tasks")?;
            let complete = page.rows.len() >= page.total_entries;
            parse::refined(&running, &page.rows, complete)
        };
        *held(window) = fresh;
        let known = self.known(subjects, &rows).await;
        Ok(Sweep { items: parse::items(subjects, known.as_deref(), rows, &refined), scheduler, clock_ahead_s })
    }

    /// The DAGs of the last listing. Before the first one, after a start, a subject without a run may be a DAG that has not run or none
    /// at all: then they are listed now. Where that fails, every subject might exist.
    async fn known(&self, subjects: &[Id], rows: &[RunRow]) -> Option<Arc<BTreeSet<Id>>> {
        let known = held(&self.airflow.known).clone();
        if known.is_some() {
            return known;
        }
        let ran: BTreeSet<&str> = rows.iter().map(|row| row.dag_id.as_str()).collect();
        if subjects.iter().any(|subject| !ran.contains(subject.as_str())) {
            // Its error is told where the listing itself is asked for.
            let _ = self.list().await;
        }
        held(&self.airflow.known).clone()
    }

    /// The remembered window with what was updated since; `None`: the whole has to be asked for.
    async fn updated(
        &self,
        remembered: Option<Window>,
        subjects: &[Id],
        since: Instant,
        heartbeat: Option<Instant>,
    ) -> Result<Option<Window>, Unreachable> {
        let (Some(mut window), Some(heartbeat)) = (remembered, heartbeat) else { return Ok(None) };
        let Some(from) = window.updates_from(subjects, since, self.now) else { return Ok(None) };
        match self.send(|| self.generation.updated(self.airflow.place(), from, since)).await {
            Ok(reply) => {
                let page = self.generation.read_runs(&reply)?;
                let complete = page.rows.len() >= page.total_entries;
                window.merge(page.rows, heartbeat);
                Ok(complete.then_some(window))
            }
            // Refused as a question (by a gateway with a list of its own, or by an Airflow that is too old for it): the other way may
            // still be open.
            Err(Unreachable { why: Why::Status, .. }) => Ok(None),
            Err(other) => Err(other),
        }
    }

    async fn runs(&self, subjects: &[Id], since: Instant) -> Result<Vec<RunRow>, Unreachable> {
        let mut rows = Vec::new();
        for list in self.generation.runs(subjects, since) {
            rows.extend(self.pages(&list, |row| row.run_after >= since).await?);
        }
        Ok(rows)
    }

    /// All runs that began in a span, whatever became of them, as they stand now.
    async fn past(&self, subjects: &[Id], from: Instant, to: Instant) -> Result<Answer, Unreachable> {
        // No DAG ids in the question would mean all of them.
        if subjects.is_empty() {
            return Ok(Answer::Sweep(Sweep::default()));
        }
        let list = Generation::past(subjects, from, to);
        let rows = self.pages(&list, |row| row.start_date.is_some_and(|start| from <= start && start < to)).await?;
        let items = parse::past(rows).map_err(|reason| unreachable(Why::Malformed, reason))?;
        Ok(Answer::Sweep(Sweep { items, ..Sweep::default() }))
    }

    /// All rows of a list of runs, as far as they are wanted.
    async fn pages(&self, list: &Value, wanted: impl Fn(&RunRow) -> bool) -> Result<Vec<RunRow>, Unreachable> {
        let (mut rows, mut offset) = (Vec::new(), 0);
        for _ in 0..MAX_PAGES {
            let reply = self.send(|| self.generation.run_list(self.airflow.place(), list, offset)).await?;
            let page = self.generation.read_runs(&reply)?;
            let (got, total) = (page.rows.len(), page.total_entries);
            offset += got;
            rows.extend(page.rows.into_iter().filter(|row| wanted(row)));
            if offset >= total {
                return Ok(rows);
            }
            if offset > MAX_RUNS {
                break;
            }
            if got == 0 {
                return Err(ended_early("runs", offset, total));
            }
        }
        Err(unreachable(Why::TooLarge, format!("Airflow has more than {offset} runs in the asked time")))
    }

    async fn list(&self) -> Result<Answer, Unreachable> {
        let mut members = BTreeMap::new();
        let mut offset = 0;
        for _ in 0..MAX_PAGES {
            let reply = self.send(|| self.generation.dags(self.airflow.place(), offset)).await?;
            let page = self.generation.read_dags(&reply)?;
            let (got, total) = (page.rows.len(), page.total_entries);
            offset += got;
            members.extend(page.rows.into_iter().filter_map(parse::member).map(|member| (member.subject.clone(), member)));
            if offset >= total {
                let known = members.keys().cloned().collect();
                *held(&self.airflow.known) = Some(Arc::new(known));
                return Ok(Answer::Listing(members.into_values().collect()));
            }
            if got == 0 {
                return Err(ended_early("DAGs", offset, total));
            }
        }
        Err(unreachable(Why::TooLarge, format!("Airflow has more than {offset} DAGs")))
    }

    /// The task that failed first, and why. A log that cannot be read takes nothing from what is known of the task.
    async fn failure(&self, subject: &Id, run: &str) -> Result<Failure, Unreachable> {
        let place = self.airflow.place();
        let page: TaskPage = self.send(|| self.generation.failed_tasks(place, subject.as_str(), run)).await?.json("tasks")?;
        let rows: Vec<_> = page.rows.iter().collect();
        // Timed out, or only its last state was set by hand: no task says why.
        let Some(task) = parse::first_failed(&rows) else { return Ok(Failure::default()) };
        let log = self.send(|| self.generation.log(place, subject.as_str(), run, task)).await;
        let error = log.ok().and_then(|log| self.generation.last_error(&log));
        Ok(Failure { task: Some(parse::task_name(task)), try_number: Some(task.try_number).filter(|&n| n > 0), error })
    }

    async fn send(&self, request: impl Fn() -> RequestBuilder) -> Result<Reply, Unreachable> {
        let Airflow { wire, login, .. } = self.airflow;
        login.send(wire, self.airflow.place(), self.generation, self.now, request).await
    }
}

/// What these locks guard is replaced whole, so a panic elsewhere cannot have left it half done.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

fn ended_early(what: &str, got: usize, total: usize) -> Unreachable {
    unreachable(Why::Malformed, format!("Airflow promised {total} {what} and gave {got}"))
}

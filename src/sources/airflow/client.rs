//! Asking an Airflow: log in, page through, hand the rows to `parse`. The only file here that does I/O.

use super::super::wire::{Reply, Wire};
use super::parse;
use super::rows::{AccessToken, DagPage, Detail, Health, Log, RunPage, RunRow, TaskPage};
use super::token::Token;
use super::window::Window;
use crate::config::wiring::{AirflowLogin, SourceWiring};
use crate::core::observation::{Answer, Ask, Failure, Sweep, Unreachable, Why};
use crate::core::plan::Id;
use crate::core::time::Instant;
use crate::net::{line, unreachable};
use chrono::SecondsFormat;
use reqwest::{RequestBuilder, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use url::Url;

/// Rows asked for in one POST list. The server does not cut it (3.3.2); where one does, `MAX_PAGES` pages are enough for a day.
const RUNS_PER_PAGE: usize = 10_000;
const MAX_PAGES: usize = 100;
/// The most runs of one window that are kept in memory (some 300 bytes each).
const MAX_RUNS: usize = 100_000;
/// GET lists are cut to `[api] maximum_page_limit`, 100 unless configured.
const GET_PAGE: usize = 100;
/// Unfinished and failed tasks of running runs. More than this are not told apart: such a run is never called waiting.
const TASKS: usize = 5_000;
const LOOKS_LIKE_2: &str = "this looks like Airflow 2, which is not supported yet (or the URL lacks its path)";

pub(crate) struct Airflow {
    wire: Wire,
    base: Url,
    login: Login,
    token: tokio::sync::Mutex<Option<Token>>,
    /// The DAGs of the last listing; `None` before the first.
    known: Mutex<Option<Arc<BTreeSet<Id>>>>,
    /// Taken out while a sweep uses it, and put back only when that ended well.
    window: Mutex<Option<Window>>,
}

enum Login {
    Password { username: String, password: SecretString },
    Token(SecretString),
}

impl Airflow {
    pub(crate) fn build(url: &Url, login: &AirflowLogin, wiring: &SourceWiring) -> Result<Self, String> {
        if url.cannot_be_a_base() {
            return Err("its url is no http address".to_owned());
        }
        let login = match login {
            AirflowLogin::Password { username, password } => {
                Login::Password { username: username.clone(), password: password.resolve()? }
            }
            AirflowLogin::Token(token) => Login::Token(token.resolve()?),
        };
        let wire = Wire::build(url, wiring)?;
        let token = tokio::sync::Mutex::new(None);
        Ok(Self { wire, base: url.clone(), login, token, known: Mutex::new(None), window: Mutex::new(None) })
    }

    pub(crate) fn wire(&self) -> &Wire {
        &self.wire
    }

    pub(crate) async fn ask(&self, ask: &Ask, now: Instant) -> Result<Answer, Unreachable> {
        match ask {
            Ask::Sweep { subjects, since, .. } => self.sweep(subjects, *since, now).await.map(Answer::Sweep),
            Ask::List { .. } => self.list(now).await,
            Ask::Failure { subject, run, .. } => self.failure(subject, run, now).await.map(Answer::Failure),
        }
    }

    async fn sweep(&self, subjects: &[Id], since: Instant, now: Instant) -> Result<Sweep, Unreachable> {
        let health = self.wire.send(self.wire.client.get(self.url(&["api", "v2", "monitor", "health"]))).await?;
        let clock_ahead_s = health.clock_ahead_s(now);
        let health: Health = answered(health, self.wire.host())?.json("its health")?;
        let scheduler = parse::scheduler(&health)?;
        // No DAG ids in the question would mean all of them.
        if subjects.is_empty() {
            return Ok(Sweep { scheduler, clock_ahead_s, ..Sweep::default() });
        }
        let remembered = held(&self.window).take();
        let heartbeat = health.scheduler.latest_scheduler_heartbeat;
        let (rows, window) = match self.updated(remembered, subjects, since, heartbeat, now).await? {
            Some(window) => (window.rows(since), Some(window)),
            None => {
                let rows = self.runs(subjects, since, now).await?;
                let window = heartbeat.map(|heartbeat| Window::whole(subjects, since, now, heartbeat, rows.clone()));
                (rows, window)
            }
        };
        let running = parse::running(&rows);
        let refined = if running.is_empty() {
            BTreeMap::new()
        } else {
            let page = self.tasks(&running, now).await?;
            let complete = page.rows.len() >= page.total_entries;
            parse::refined(&running, &page.rows, complete)
        };
        *held(&self.window) = window;
        let known = held(&self.known).clone();
        Ok(Sweep { items: parse::items(subjects, known.as_deref(), rows, &refined), scheduler, clock_ahead_s })
    }

    /// The remembered window with what was updated since; `None`: the whole has to be asked for.
    async fn updated(
        &self,
        remembered: Option<Window>,
        subjects: &[Id],
        since: Instant,
        heartbeat: Option<Instant>,
        now: Instant,
    ) -> Result<Option<Window>, Unreachable> {
        let (Some(mut window), Some(heartbeat)) = (remembered, heartbeat) else { return Ok(None) };
        let Some(from) = window.updates_from(subjects, since, now) else { return Ok(None) };
        let url = self.url(&["api", "v2", "dags", "~", "dagRuns"]);
        let query = [
            ("updated_at_gte", with_offset(from)),
            ("run_after_gte", with_offset(since)),
            ("order_by", "-run_after".to_owned()),
            ("limit", GET_PAGE.to_string()),
        ];
        match self.authed(now, || self.wire.client.get(url.clone()).query(&query)).await {
            Ok(reply) => {
                let page: RunPage = reply.json("updated runs")?;
                let complete = page.rows.len() >= page.total_entries;
                window.merge(page.rows, heartbeat);
                Ok(complete.then_some(window))
            }
            // Refused as a question (a gateway with a list of its own, say): the other way may still be open.
            Err(Unreachable { why: Why::Status, .. }) => Ok(None),
            Err(other) => Err(other),
        }
    }

    async fn runs(&self, subjects: &[Id], since: Instant, now: Instant) -> Result<Vec<RunRow>, Unreachable> {
        let url = self.url(&["api", "v2", "dags", "~", "dagRuns", "list"]);
        let ids: Vec<&str> = subjects.iter().map(Id::as_str).collect();
        let mut rows = Vec::new();
        for _ in 0..MAX_PAGES {
            let body = json!({
                "dag_ids": ids,
                "run_after_gte": with_offset(since),
                "order_by": "-run_after",
                "page_limit": RUNS_PER_PAGE,
                "page_offset": rows.len(),
            });
            let page: RunPage = self.authed(now, || self.wire.client.post(url.clone()).json(&body)).await?.json("runs")?;
            let (got, total) = (page.rows.len(), page.total_entries);
            rows.extend(page.rows);
            if rows.len() >= total {
                return Ok(rows);
            }
            if rows.len() > MAX_RUNS {
                break;
            }
            if got == 0 {
                return Err(ended_early("runs", rows.len(), total));
            }
        }
        Err(unreachable(Why::TooLarge, format!("Airflow has more than {} runs in the asked time", rows.len())))
    }

    async fn tasks(&self, running: &BTreeSet<parse::RunKey>, now: Instant) -> Result<TaskPage, Unreachable> {
        let url = self.url(&["api", "v2", "dags", "~", "dagRuns", "~", "taskInstances", "list"]);
        let body = json!({
            "dag_ids": running.iter().map(|(dag, _)| dag).collect::<BTreeSet<_>>(),
            "dag_run_ids": running.iter().map(|(_, run)| run).collect::<BTreeSet<_>>(),
            // `state` here, but `states` for runs.
            "state": ["failed", "up_for_retry", "up_for_reschedule", "deferred", "running", "queued", "scheduled", "restarting"],
            "page_limit": TASKS,
        });
        self.authed(now, || self.wire.client.post(url.clone()).json(&body)).await?.json("tasks")
    }

    async fn list(&self, now: Instant) -> Result<Answer, Unreachable> {
        let url = self.url(&["api", "v2", "dags"]);
        let mut members = BTreeMap::new();
        let mut offset = 0;
        for _ in 0..MAX_PAGES {
            let (limit, at) = (GET_PAGE.to_string(), offset.to_string());
            // A DAG whose file breaks becomes stale and leaves the plain listing (seen on 3.3.2): it would look as if it had vanished.
            let query = [("order_by", "dag_id"), ("exclude_stale", "false"), ("limit", &limit), ("offset", &at)];
            let page: DagPage = self.authed(now, || self.wire.client.get(url.clone()).query(&query)).await?.json("DAGs")?;
            let (got, total) = (page.rows.len(), page.total_entries);
            offset += got;
            members.extend(page.rows.into_iter().filter_map(parse::member).map(|member| (member.subject.clone(), member)));
            if offset >= total {
                let known = members.keys().cloned().collect();
                *held(&self.known) = Some(Arc::new(known));
                return Ok(Answer::Listing(members.into_values().collect()));
            }
            if got == 0 {
                return Err(ended_early("DAGs", offset, total));
            }
        }
        Err(unreachable(Why::TooLarge, format!("Airflow has more than {offset} DAGs")))
    }

    /// The task that failed first, and why. A log that cannot be read takes nothing from what is known of the task.
    async fn failure(&self, subject: &Id, run: &str, now: Instant) -> Result<Failure, Unreachable> {
        let tasks_of_run = ["api", "v2", "dags", subject.as_str(), "dagRuns", run, "taskInstances"];
        let query = [("state", "failed"), ("order_by", "end_date"), ("limit", "100")];
        let url = self.url(&tasks_of_run);
        let page: TaskPage = self.authed(now, || self.wire.client.get(url.clone()).query(&query)).await?.json("tasks")?;
        let rows: Vec<_> = page.rows.iter().collect();
        // Timed out, or only its last state was set by hand: no task says why.
        let Some(task) = parse::first_failed(&rows) else { return Ok(Failure::default()) };
        let mut url = self.url(&tasks_of_run);
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend([task.task_id.as_str(), "logs", &task.try_number.to_string()]);
        }
        let query = [("full_content", "true"), ("map_index", &task.map_index.to_string())];
        // Without this a log may come as lines of JSON.
        let log = self.authed(now, || self.wire.client.get(url.clone()).header("accept", "application/json").query(&query)).await;
        let error = log.and_then(|reply| reply.json::<Log>("a log")).ok().as_ref().and_then(parse::last_error);
        Ok(Failure { task: Some(parse::task_name(task)), try_number: Some(task.try_number).filter(|&n| n > 0), error })
    }

    /// Asks with a token, and once more with a new one where it was refused.
    async fn authed(&self, now: Instant, request: impl Fn() -> RequestBuilder) -> Result<Reply, Unreachable> {
        let token = self.token(now, None).await?;
        let reply = self.wire.send(request().bearer_auth(token.expose_secret())).await?;
        if !refuses_token(&reply) {
            return answered(reply, self.wire.host());
        }
        if let Login::Token(_) = self.login {
            return Err(unreachable(Why::Auth, format!("{} refused the configured token: {}", self.wire.host(), said(&reply))));
        }
        let token = self.token(now, Some(&token)).await?;
        answered(self.wire.send(request().bearer_auth(token.expose_secret())).await?, self.wire.host())
    }

    /// The current token; logs in where there is none, it is about to end, or it is the refused one. One login at a time.
    async fn token(&self, now: Instant, refused: Option<&SecretString>) -> Result<SecretString, Unreachable> {
        let (username, password) = match &self.login {
            Login::Token(token) => return Ok(token.clone()),
            Login::Password { username, password } => (username, password),
        };
        let mut held = self.token.lock().await;
        let usable = |token: &&Token| {
            token.is_fresh(now) && refused.is_none_or(|refused| refused.expose_secret() != token.value.expose_secret())
        };
        if let Some(token) = held.as_ref().filter(usable) {
            return Ok(token.value.clone());
        }
        *held = None;
        let value = self.log_in(username, password).await?;
        *held = Some(Token::received(value.clone(), now));
        Ok(value)
    }

    async fn log_in(&self, username: &str, password: &SecretString) -> Result<SecretString, Unreachable> {
        let body = json!({ "username": username, "password": password.expose_secret() });
        let reply = self.wire.send(self.wire.client.post(self.url(&["auth", "token"])).json(&body)).await?;
        let host = self.wire.host();
        match reply.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err(unreachable(Why::Auth, format!("{host} refused the user name or password: {}", said(&reply))))
            }
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
                Err(unreachable(Why::Status, format!("{host} has no /auth/token: {LOOKS_LIKE_2}")))
            }
            _ => {
                let reply = answered(reply, host)?;
                // The reason is left out: it could quote the token.
                let token: AccessToken = serde_json::from_slice(&reply.body)
                    .map_err(|_| unreachable(Why::Malformed, format!("{host} answered a login without an access token")))?;
                Ok(token.access_token.into())
            }
        }
    }

    /// Each segment is encoded for itself, whatever a run's id holds.
    fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.base.clone();
        // `build` has refused what cannot have a path.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }
}

/// A time without offset is refused by the POST lists, and a 500 of the GET ones.
fn with_offset(at: Instant) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// What these locks guard is replaced whole, so a panic elsewhere cannot have left it half done.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// 401 "Token Expired" and the like, or 403 "Invalid JWT token"; other 403s are about permission (facts of 3.3.2).
fn refuses_token(reply: &Reply) -> bool {
    reply.status == StatusCode::UNAUTHORIZED || (reply.status == StatusCode::FORBIDDEN && said(reply).contains("Invalid JWT"))
}

fn answered(reply: Reply, host: &str) -> Result<Reply, Unreachable> {
    match reply.status {
        status if status.is_success() => Ok(reply),
        StatusCode::UNAUTHORIZED => Err(unreachable(Why::Auth, format!("{host} refused a new token: {}", said(&reply)))),
        StatusCode::FORBIDDEN => Err(unreachable(Why::Auth, format!("{host} does not permit this user to look: {}", said(&reply)))),
        StatusCode::NOT_FOUND if reply.is_html() => Err(unreachable(Why::Status, format!("{host} has no /api/v2: {LOOKS_LIKE_2}"))),
        status => Err(unreachable(Why::Status, format!("{host} answered {}: {}", status.as_u16(), said(&reply)))),
    }
}

/// Airflow's own words about an error, or the status' usual ones.
fn said(reply: &Reply) -> String {
    let detail = serde_json::from_slice::<Detail>(&reply.body).ok().and_then(|d| d.detail.as_str().map(line));
    detail.unwrap_or_else(|| reply.status.canonical_reason().unwrap_or("no reason given").to_owned())
}

fn ended_early(what: &str, got: usize, total: usize) -> Unreachable {
    unreachable(Why::Malformed, format!("Airflow promised {total} {what} and gave {got}"))
}

//! Asking a luigid. The only file here that does I/O.

use super::super::wire::{Reply, Wire};
use super::method::Method;
use super::parse;
use super::rows::{Answered, ErrorRow, Tasks};
use crate::config::wiring::SourceWiring;
use crate::core::observation::{Answer, Ask, Failure, Sweep, Unreachable, Why};
use crate::core::time::Instant;
use crate::net::{BODY_BYTES, unreachable};
use reqwest::StatusCode;
use serde_json::{Value, json};
use url::Url;

pub(crate) struct Luigi {
    wire: Wire,
    base: Url,
}

impl Luigi {
    pub(crate) fn build(url: &Url, wiring: &SourceWiring) -> Result<Self, String> {
        if url.cannot_be_a_base() {
            return Err("its url is no http address".to_owned());
        }
        Ok(Self { wire: Wire::build(url, wiring, BODY_BYTES)?, base: url.clone() })
    }

    pub(crate) fn wire(&self) -> &Wire {
        &self.wire
    }

    pub(crate) async fn ask(&self, ask: &Ask, now: Instant) -> Result<Answer, Unreachable> {
        match ask {
            Ask::Sweep { subjects, since, .. } => {
                let (tasks, clock_ahead_s) = self.tasks(now).await?;
                Ok(Answer::Sweep(Sweep { items: parse::items(subjects, &tasks, *since), clock_ahead_s, ..Sweep::default() }))
            }
            Ask::List { .. } => Ok(Answer::Listing(parse::members(&self.tasks(now).await?.0).into())),
            Ask::Failure { run, .. } => self.failure(run).await.map(Answer::Failure),
        }
    }

    /// All tasks; with who waits for whom, if luigid can say that.
    async fn tasks(&self, now: Instant) -> Result<(Tasks, Option<i64>), Unreachable> {
        let graph = match self.call(Method::Graph, &json!({})).await {
            Ok(reply) => {
                let ahead = reply.clock_ahead_s(now);
                reply.json::<Answered<Tasks>>("its tasks").map(|graph| (graph.response, ahead))
            }
            Err(error) => Err(error),
        };
        match graph {
            Ok((tasks, ahead)) if parse::is_whole(&tasks) => return Ok((tasks, ahead)),
            // Cut, too large, or no graph: the plain list may still be had. Whoever does not answer at all is not asked twice.
            Ok(_) | Err(Unreachable { why: Why::TooLarge | Why::Status | Why::Malformed, .. }) => {}
            Err(error) => return Err(error),
        }
        let reply = self.call(Method::TaskList, &json!({})).await?;
        let tasks = reply.json::<Answered<Tasks>>("its tasks")?.response;
        match tasks.only_counted {
            None => Ok((tasks, None)),
            Some(count) => {
                let text = format!("Luigi has {count} tasks, more than it lists (max_shown_tasks in its [scheduler])");
                Err(unreachable(Why::TooLarge, text))
            }
        }
    }

    /// Why a task failed. A worker that was killed leaves no reason.
    async fn failure(&self, task: &str) -> Result<Failure, Unreachable> {
        let reply = self.call(Method::FetchError, &json!({ "task_id": task })).await?;
        Ok(parse::failure(reply.json::<Answered<ErrorRow>>("an error")?.response))
    }

    /// `data`: an object, also where there is nothing to say. (In a JSON body luigid would not see it at all.)
    async fn call(&self, method: Method, data: &Value) -> Result<Reply, Unreachable> {
        let mut url = self.base.clone();
        // `build` has refused what cannot have a path.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["api", method.name()]);
        }
        let reply = self.wire.send(self.wire.client.get(url).query(&[("data", data.to_string())])).await?;
        let host = self.wire.host();
        match reply.status {
            status if status.is_success() => Ok(reply),
            // Luigi itself knows no login, but what stands before it may.
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                Err(unreachable(Why::Auth, format!("{host} refused to be asked without a login, with {}", status.as_u16())))
            }
            StatusCode::NOT_FOUND => {
                let text = format!("{host} has no /api/{}: this is no Luigi scheduler (or the URL lacks its path)", method.name());
                Err(unreachable(Why::Status, text))
            }
            status => Err(unreachable(Why::Status, format!("{host} answered {}", status.as_u16()))),
        }
    }
}

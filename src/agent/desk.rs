//! The desk: how people reach the running loop, from the status page's port, from the shell, by a signal. A closed list of requests,
//! each with its answer.
//!
//! It decides nothing, and waits for nobody for ever: a loop that is busy or whose store fails gives no answer, and that is one.

use crate::core::command::Command;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Requests that may wait for the loop; whoever comes then is told so at once.
const WAITING: usize = 16;
/// A command is answered within a turn; the store's own patience is longer, but a person's is not.
const COMMAND_PATIENCE: Duration = Duration::from_secs(5);
/// Reading a configuration takes well under a second, unless its folder hangs.
const RELOAD_PATIENCE: Duration = Duration::from_secs(8);

/// What a person can ask of the loop.
#[derive(Debug)]
pub enum Request {
    /// Read the configuration again and go over to it.
    Reload(oneshot::Sender<Reloaded>),
    /// Ok: what it does, once that is durable. Err: why it cannot be carried out.
    Command(Command, oneshot::Sender<Result<String, String>>),
}

/// What came of a reload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reloaded {
    /// What is in force now, in one sentence.
    Taken(String),
    /// All findings; everything is as it was.
    Refused(Vec<String>),
}

/// The loop did not answer; whether it still will is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    #[error("too many requests wait already: try again in a moment")]
    Full,
    #[error("it was not taken, because the store fails or the watch is being stopped: try again in a moment")]
    NotTaken,
    #[error("no answer yet: it may still be carried out, the log says what came of it")]
    Late,
}

#[derive(Debug, Clone)]
pub struct Desk {
    requests: mpsc::Sender<Request>,
}

impl Desk {
    /// The desk, and where the loop takes the requests.
    pub fn new() -> (Self, mpsc::Receiver<Request>) {
        let (requests, waiting) = mpsc::channel(WAITING);
        (Self { requests }, waiting)
    }

    pub async fn reload(&self) -> Result<Reloaded, NoAnswer> {
        self.ask(Request::Reload, RELOAD_PATIENCE).await
    }

    pub async fn command(&self, command: Command) -> Result<Result<String, String>, NoAnswer> {
        self.ask(|answer| Request::Command(command, answer), COMMAND_PATIENCE).await
    }

    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> Request, patience: Duration) -> Result<T, NoAnswer> {
        let (answer, answered) = oneshot::channel();
        self.requests.try_send(request(answer)).map_err(|_| NoAnswer::Full)?;
        match tokio::time::timeout(patience, answered).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_dropped)) => Err(NoAnswer::NotTaken),
            Err(_) => Err(NoAnswer::Late),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever_and_not_too_many_at_once() {
        let (desk, mut requests) = Desk::new();
        let late = tokio::join!(desk.reload(), desk.reload());
        assert_eq!(late, (Err(NoAnswer::Late), Err(NoAnswer::Late)));
        while requests.try_recv().is_ok() {}
        let many = futures_util::future::join_all((0..WAITING + 3).map(|_| desk.reload())).await;
        assert_eq!(many.iter().filter(|answer| **answer == Err(NoAnswer::Full)).count(), 3);
        while requests.try_recv().is_ok() {}
        let dropped = async { drop(requests.recv().await) };
        assert_eq!(tokio::join!(desk.reload(), dropped).0, Err(NoAnswer::NotTaken));
    }
}

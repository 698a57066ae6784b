//! The keeper of the state and its store: every input goes through the core's first door and is durable before anybody acts on it.
//!
//! When a write fails, the state in memory is ahead of the store and is dropped; [`Keeper::restore`] reads it again. It never
//! goes on with a state that the store does not know, and keeps no input: the loop holds what was not taken.

use crate::core::plan::{Id, Plan};
use crate::core::state::{About, Attempt, Commit, Decision, Entry, PostId, Reason, State};
use crate::core::step::{Input, step};
use crate::core::time::Instant;
use crate::error::chain;
use crate::store::{Store, StoreError};
use crate::web::snapshot::Counts;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant as Mono;
use tokio_util::sync::CancellationToken;

/// A store that does not answer within this has failed. What it wrote nevertheless shows when the state is read again.
const PATIENCE: Duration = Duration::from_secs(15);
/// The same once the agent is being stopped.
const PATIENCE_WHEN_STOPPED: Duration = Duration::from_secs(1);
const FIRST_RETRY: Duration = Duration::from_millis(100);
const LAST_RETRY: Duration = Duration::from_secs(10);
/// A store that stays broken is said again in the log after this much real time.
const SAID_AGAIN_AFTER: Duration = Duration::from_secs(300);

/// The input was not taken: the store failed.
#[derive(Debug)]
pub(super) struct NotTaken;

#[derive(Debug)]
struct Trouble {
    since: Instant,
    said: Option<Mono>,
    tries: u32,
    why: String,
}

pub(super) struct Keeper {
    plan: Arc<Plan>,
    store: Store,
    state: State,
    /// The state in memory is not the store's.
    stale: bool,
    trouble: Option<Trouble>,
    stop: CancellationToken,
}

impl Keeper {
    pub(super) async fn open(store: Store, plan: Arc<Plan>, stop: CancellationToken) -> Result<Self, StoreError> {
        let state = State::restore(store.rows().await?, &plan);
        Ok(Self { plan, store, state, stale: false, trouble: None, stop })
    }

    pub(super) fn state(&self) -> &State {
        &self.state
    }

    pub(super) fn is_stale(&self) -> bool {
        self.stale
    }

    /// One sentence about the store while it fails.
    pub(super) fn trouble(&self) -> Option<String> {
        let trouble = self.trouble.as_ref()?;
        Some(format!("the store has failed since {}: {}", trouble.since.format("%Y-%m-%dT%H:%M:%SZ"), trouble.why))
    }

    /// How long to wait, in real time, before the store is tried again.
    pub(super) fn retry_in(&self) -> Duration {
        retry_in(self.tries())
    }

    /// How often the store has failed in a row.
    pub(super) fn tries(&self) -> u32 {
        self.trouble.as_ref().map_or(0, |t| t.tries)
    }

    /// Posts whose sending is begun in the state.
    pub(super) fn begun(&self) -> Vec<PostId> {
        self.state.posts.values().filter(|post| matches!(post.attempt, Attempt::Started { .. })).map(|post| post.id).collect()
    }

    /// Takes one input in; when this returns well, its commit is durable. The state must not be stale.
    pub(super) async fn take(&mut self, at: Instant, input: Input, counts: &mut Counts) -> Result<(), NotTaken> {
        let began = Mono::now();
        let commit = step(&mut self.state, &self.plan, at, input);
        counts.steps += 1;
        counts.step_us += u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        if !commit.is_empty() {
            if let Err(why) = patiently(&self.stop, self.store.commit(&commit)).await {
                self.failed(at, why);
                return Err(NotTaken);
            }
            counts.commits += 1;
            counts.silences += silences(&commit);
            log_decisions(&commit);
        }
        self.works_again(at);
        Ok(())
    }

    /// Reads the state again from the store.
    pub(super) async fn restore(&mut self, at: Instant) -> Result<(), NotTaken> {
        self.adopt(at, self.plan.clone()).await
    }

    /// The same for another plan, which is in force from then on. On an error the plan is as it was.
    pub(super) async fn adopt(&mut self, at: Instant, plan: Arc<Plan>) -> Result<(), NotTaken> {
        match patiently(&self.stop, self.store.rows()).await {
            Ok(rows) => {
                self.state = State::restore(rows, &plan);
                self.plan = plan;
                self.stale = false;
                Ok(())
            }
            Err(why) => {
                self.failed(at, why);
                Err(NotTaken)
            }
        }
    }

    /// Deletes lines of the ledger and the history older than the plan's retention.
    pub(super) async fn prune(&mut self, at: Instant) {
        let before = at.checked_sub_signed(self.plan.retention).unwrap_or(Instant::MIN_UTC);
        match patiently(&self.stop, self.store.prune(before)).await {
            Ok(0) => {}
            Ok(rows) => {
                tracing::info!(
                    rows,
                    "housekeeping deleted {rows} lines of the ledger and the history older than {}",
                    before.format("%Y-%m-%d")
                );
            }
            Err(why) => {
                tracing::warn!(why, "housekeeping could not delete old rows, it is tried again tomorrow: {why}");
                self.stale = true;
            }
        }
    }

    /// False: the store could not be closed cleanly. What was committed is safe in its write-ahead log all the same.
    pub(super) async fn close(self) -> bool {
        match patiently(&self.stop, self.store.close()).await {
            Ok(()) => true,
            Err(why) => {
                tracing::warn!(why, "the store could not be closed cleanly, nothing is lost: {why}");
                false
            }
        }
    }

    fn failed(&mut self, at: Instant, why: String) {
        self.stale = true;
        let mut trouble = self.trouble.take().unwrap_or(Trouble { since: at, said: None, tries: 0, why: String::new() });
        trouble.tries = trouble.tries.saturating_add(1);
        if trouble.said.is_none_or(|said| said.elapsed() >= SAID_AGAIN_AFTER) {
            trouble.said = Some(Mono::now());
            let (tries, since) = (trouble.tries, trouble.since.to_rfc3339());
            tracing::error!(
                why,
                tries,
                since,
                "the store does not take what must be remembered, so nothing is asked or sent until it does: {why}"
            );
        }
        trouble.why = why;
        self.trouble = Some(trouble);
    }

    fn works_again(&mut self, at: Instant) {
        if let Some(trouble) = self.trouble.take() {
            let down_s = (at - trouble.since).num_seconds();
            tracing::info!(down_s, tries = trouble.tries, "the store works again after {down_s} s, nothing was lost");
        }
    }
}

fn retry_in(tries: u32) -> Duration {
    FIRST_RETRY.saturating_mul(2_u32.saturating_pow(tries.saturating_sub(1))).min(LAST_RETRY)
}

/// Waits for the store, but not for ever, and hardly at all once the agent is being stopped.
async fn patiently<T>(stop: &CancellationToken, work: impl Future<Output = Result<T, StoreError>>) -> Result<T, String> {
    let stopped = async {
        stop.cancelled().await;
        tokio::time::sleep(PATIENCE_WHEN_STOPPED).await;
    };
    tokio::select! {
        biased;
        done = work => done.map_err(|error| chain(&error)),
        () = stopped => Err(format!("it did not answer within {} s of the stop", PATIENCE_WHEN_STOPPED.as_secs())),
        () = tokio::time::sleep(PATIENCE) => Err(format!("it did not answer within {} s", PATIENCE.as_secs())),
    }
}

fn silences(commit: &Commit) -> u64 {
    let silent = |entry: &&Entry| matches!(entry.decision, Decision::Hold { .. } | Decision::StaySilent);
    commit.ledger.iter().filter(silent).count() as u64
}

fn log_decisions(commit: &Commit) {
    for Entry { at: _, about, chat, decision, reason } in &commit.ledger {
        let (about, chat) = (about_text(about), chat.as_ref().map(Id::as_str));
        match decision {
            Decision::Say(attention) => {
                tracing::info!(about, chat, ?reason, "{about}: say it ({attention:?}) because {reason:?}");
            }
            Decision::Hold { until } => {
                let until = until.to_rfc3339();
                tracing::info!(about, chat, ?reason, until, "{about}: held until {until} because {reason:?}");
            }
            Decision::StaySilent => tracing::info!(about, chat, ?reason, "{about}: stay silent because {reason:?}"),
            // Hundreds at the first start, and of no use but for a trace.
            Decision::Note if *reason == Reason::Opened && about.starts_with("check ") => {
                tracing::debug!(about, ?reason, "{about} is known from now on");
            }
            Decision::Note => tracing::info!(about, chat, ?reason, "{about}: {reason:?}"),
        }
    }
}

fn about_text(about: &About) -> String {
    match about {
        About::Incident(id) => format!("incident {id}"),
        About::Cycle(key) => format!("dashboard cycle {key}"),
        About::Digest { digest, date } => format!("digest {digest} of {date}"),
        About::Post(id) => format!("post {id}"),
        About::Chat => "chat".to_owned(),
        About::Source(id) => format!("source {id}"),
        About::Check(id) => format!("check {id}"),
        About::Order { by, reason } => format!("by order of {by} ({reason})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_back_off_within_bounds() {
        let ms = Duration::from_millis;
        for (tries, expected) in [(0, ms(100)), (1, ms(100)), (2, ms(200)), (5, ms(1600)), (8, ms(10_000)), (u32::MAX, ms(10_000))]
        {
            assert_eq!(retry_in(tries), expected, "{tries}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_blocked_store_is_given_up() {
        let stop = CancellationToken::new();
        let blocked = || std::future::pending::<Result<(), StoreError>>();
        let began = Mono::now();
        assert!(patiently(&stop, blocked()).await.is_err());
        assert_eq!(began.elapsed(), PATIENCE);
        stop.cancel();
        assert!(patiently(&stop, blocked()).await.is_err());
        assert_eq!(began.elapsed(), PATIENCE + PATIENCE_WHEN_STOPPED);
    }
}

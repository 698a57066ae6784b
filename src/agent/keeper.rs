//! The keeper of the state and its store: every input goes through the core's first door and is durable before anybody acts on it.
//!
//! What was merely seen, and led to no decision, is gathered for some seconds and written with the next decision, or then: a crash in
//! between is as if nobody had looked in these seconds. Whatever was decided on it is never written without it.
//!
//! When a write fails, the state in memory is ahead of the store and is dropped; [`Keeper::restore`] reads it again. It never
//! goes on with a state that the store does not know, and keeps no input: the loop holds what was not taken.

use super::seen::{Seen, is_merely_seen};
use crate::core::plan::{Id, Plan};
use crate::core::state::{About, Attempt, Commit, Decision, Entry, PostId, State};
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

/// What was merely seen waits at most so long, in real time, to be written.
pub(super) const SEEN_WAITS: Duration = Duration::from_secs(30);

/// Of what goes into the history so much is held in memory; more is written at once, without its rows: those change again and again,
/// and only their last is kept. After a crash in between, the history may tell of something twice.
const OBSERVED_AT_MOST: usize = 4_096;

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
    seen: Seen,
    /// The state in memory is not the store's.
    stale: bool,
    trouble: Option<Trouble>,
    stop: CancellationToken,
}

impl Keeper {
    pub(super) async fn open(store: Store, plan: Arc<Plan>, stop: CancellationToken) -> Result<Self, StoreError> {
        let state = State::restore(store.rows().await?, &plan);
        Ok(Self { plan, store, state, seen: Seen::default(), stale: false, trouble: None, stop })
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

    /// Takes one input in; when this returns well, all that it decided is durable. The state must not be stale.
    pub(super) async fn take(&mut self, at: Instant, input: Input, counts: &mut Counts) -> Result<(), NotTaken> {
        let began = Mono::now();
        let commit = step(&mut self.state, &self.plan, at, input);
        counts.steps += 1;
        counts.step_us += u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        if commit.is_empty() {
            self.works_again(at);
            return Ok(());
        }
        if is_merely_seen(&commit) && self.trouble.is_none() {
            self.seen.gather(commit);
            if self.seen.observed.len() >= OBSERVED_AT_MOST {
                let observed = std::mem::take(&mut self.seen.observed);
                self.write(at, Commit { observed, ..Commit::default() }, counts).await?;
            }
            return self.write_seen(at, SEEN_WAITS, counts).await;
        }
        let commit = std::mem::take(&mut self.seen).before(commit, &self.state);
        self.write(at, commit, counts).await
    }

    /// Writes what was merely seen, once it has waited so long.
    pub(super) async fn write_seen(&mut self, at: Instant, waited: Duration, counts: &mut Counts) -> Result<(), NotTaken> {
        if self.stale || self.seen.since.is_none_or(|since| since.elapsed() < waited) {
            return Ok(());
        }
        // In parts, so that thousands of rows need not be in memory as text at once.
        while let Some(part) = self.seen.split() {
            let rows = part.before(Commit::default(), &self.state);
            self.write(at, rows, counts).await?;
        }
        let rest = std::mem::take(&mut self.seen).before(Commit::default(), &self.state);
        self.write(at, rest, counts).await
    }

    /// When what was merely seen has waited long enough.
    pub(super) fn seen_due(&self) -> Option<Mono> {
        self.seen.since.map(|since| since + SEEN_WAITS)
    }

    async fn write(&mut self, at: Instant, commit: Commit, counts: &mut Counts) -> Result<(), NotTaken> {
        if let Err(why) = patiently(&self.stop, self.store.commit(&commit)).await {
            self.failed(at, why);
            return Err(NotTaken);
        }
        counts.commits += 1;
        counts.silences += silences(&commit);
        log_decisions(&commit);
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
                self.seen = Seen::default();
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
    for Entry { about, chat, decision, reason, .. } in &commit.ledger {
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
            // Hundreds in a night, and of no use but for a trace.
            Decision::Note if about.starts_with("check ") => tracing::debug!(about, ?reason, "{about}: {reason:?}"),
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
        About::Watch => "the watch".to_owned(),
        About::Order { by, reason } => format!("by order of {by} ({reason})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::observation::{Answer, Ask, Fact, Heard, Item, Sweep};
    use crate::core::state::Key;

    #[tokio::test]
    async fn a_full_history_is_written_and_its_rows_wait_for_what_comes_after() {
        let folder = tempfile::tempdir().unwrap();
        let text = "timezone = \"UTC\"\ntell = [\"room\"]\n[chats.room]\nkind = \"console\"\n[checks.a]\nsource = \"web\"\n\
                    [sources.web]\nkind = \"http\"\nurl = \"http://127.0.0.1:1/{id}\"\ntimestamp = \"$.t\"\n\
                    [dashboards.d]\nneeds = [\"a\"]\nready_by = \"09:00\"\n";
        std::fs::write(folder.path().join("dawnwatch.toml"), text).unwrap();
        let plan = Arc::new(crate::config::load(folder.path(), None, &[]).unwrap().plan);
        let store = Store::open(&folder.path().join("watch.db")).await.unwrap();
        let mut keeper = Keeper::open(store, plan, CancellationToken::new()).await.unwrap();
        let mut counts = Counts::default();
        let at = |second: usize| Instant::from_timestamp(1_795_300_000 + second as i64, 0).unwrap();
        // Data of days ago, newer with each answer: seen, and nothing to decide.
        let answer = |second: usize| {
            let (source, subjects) = (Id::from("web"), [Id::from("a")].into());
            let item = Item { subject: "a".into(), fact: Fact::Timestamp(Some(at(second) - chrono::TimeDelta::days(3))) };
            let ask = Ask::Sweep { source, subjects, dates: Default::default(), since: at(0) };
            Input::Heard(Heard {
                ask,
                asked_at: at(second),
                answer: Answer::Sweep(Sweep { items: vec![item], ..Sweep::default() }),
            })
        };
        keeper.take(at(0), answer(0), &mut counts).await.unwrap();
        let (commits, rows) = (counts.commits, keeper.store.rows().await.unwrap());
        for second in 1..=OBSERVED_AT_MOST {
            assert_eq!(keeper.seen.observed.len(), second - 1);
            keeper.take(at(second), answer(second), &mut counts).await.unwrap();
        }
        assert_eq!((counts.commits - commits, keeper.seen.observed.len()), (1, 0));
        assert_eq!(keeper.store.rows().await.unwrap(), rows);
        keeper.write_seen(at(OBSERVED_AT_MOST), Duration::ZERO, &mut counts).await.unwrap();
        let check = Key::Check("a".into());
        assert!(keeper.store.rows().await.unwrap().contains(&keeper.state.row(&check).unwrap()));
        assert!(keeper.seen.rows.is_empty());
    }

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

//! The cron jobs: a backstop tick every minute, and the daily housekeeping. They only send an event; what is due, the core
//! decides. So all that is wrong with the scheduler's own idea of time (a zone's offset frozen when the job is made, runs
//! lost, runs forgotten while down) costs at most a late look.

use super::inbox::Event;
use tokio::sync::mpsc;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

/// Both in UTC, and never in the same second: tokio-cron-scheduler 0.15 may lose jobs that fall together.
const TICK: &str = "0 * * * * *";
const PRUNE: &str = "30 7 12 * * *";

/// Starts the jobs; they end with [`JobScheduler::shutdown`].
pub(super) async fn start(inbox: &mpsc::Sender<Event>) -> Result<JobScheduler, JobSchedulerError> {
    let jobs = JobScheduler::new().await?;
    let tick = inbox.clone();
    // A full inbox wakes the loop just as well, so the event may be dropped.
    jobs.add(Job::new(TICK, move |_, _| drop(tick.try_send(Event::Tick)))?).await?;
    let prune = inbox.clone();
    jobs.add(Job::new_async(PRUNE, move |_, _| {
        let prune = prune.clone();
        Box::pin(async move { drop(prune.send(Event::Prune).await) })
    })?)
    .await?;
    jobs.start().await?;
    Ok(jobs)
}

//! How likely each of many known deadlines was to be missed, over feeds whose arrivals are known. Plays each feed with one cursor over
//! time, so that no answer can rest on what came after it.

mod play;
mod read;

pub use read::BacktestError;

use read::Feed;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// The files of a backtest over a folder of feeds.
#[derive(Debug, Clone, Copy)]
pub struct Files<'a> {
    /// Holds `feeds.csv` and `arrivals/FEED.csv`.
    pub feeds: &'a Path,
    /// The cycles, their windows and deadlines.
    pub deadlines: &'a Path,
    /// Written: the chance to miss at each poll.
    pub predictions: &'a Path,
    /// Written: when each cycle's data was expected as its window opened.
    pub eta: &'a Path,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Answered {
    pub feeds: usize,
    pub cycles: usize,
    pub predictions: usize,
}

/// Answers all questions of the feeds that are scored.
pub fn run(files: Files<'_>) -> Result<Answered, BacktestError> {
    let feeds = read::read(files.feeds, files.deadlines)?;
    let [mut predictions, mut eta] = [create(files.predictions)?, create(files.eta)?];
    let answers = answer_all(&feeds);
    let mut answered = Answered { feeds: feeds.len(), ..Answered::default() };
    let unwritable = |path: &Path| {
        let path = path.to_owned();
        move |source| BacktestError::Unwritable { path, source }
    };
    writeln!(predictions, "{}", play::PREDICTION_COLUMNS).map_err(unwritable(files.predictions))?;
    writeln!(eta, "{}", play::ETA_COLUMNS).map_err(unwritable(files.eta))?;
    for answers in answers {
        predictions.write_all(answers.predictions.as_bytes()).map_err(unwritable(files.predictions))?;
        eta.write_all(answers.eta.as_bytes()).map_err(unwritable(files.eta))?;
        answered.cycles += answers.cycles;
        answered.predictions += answers.asked;
    }
    predictions.flush().map_err(unwritable(files.predictions))?;
    eta.flush().map_err(unwritable(files.eta))?;
    Ok(answered)
}

/// On all cores; in the order of the feeds.
fn answer_all(feeds: &[Feed]) -> Vec<play::Answers> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mine = std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)).filter(|place| *place < feeds.len()));
        mine.map(|place| (place, play::play(&feeds[place]))).collect::<Vec<_>>()
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut answers: Vec<(usize, play::Answers)> = thread::scope(|scope| {
        let others: Vec<_> = (1..cores).map(|_| scope.spawn(work)).collect();
        let mut all = work();
        for other in others {
            all.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        all
    });
    answers.sort_by_key(|(place, _)| *place);
    answers.into_iter().map(|(_, answers)| answers).collect()
}

fn create(path: &Path) -> Result<BufWriter<File>, BacktestError> {
    File::create(path).map(BufWriter::new).map_err(|source| BacktestError::Unwritable { path: path.to_owned(), source })
}

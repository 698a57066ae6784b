//! Files: when was the newest one modified, under a path, a glob, or a path with a date in it; and what dbt's artifacts say.
//!
//! Never writes and never leaves its root. The looking is done by a thread of its own, because a file system may hang; one look at a
//! time, so that a file system that hangs holds one thread and not all.

mod dbt;
pub(crate) mod pattern;
mod walk;

use super::Traffic;
use super::budget::Budget;
use crate::config::wiring::SourceWiring;
use crate::core::observation::{Answer, Ask, Fact, Failure, Item, Sweep, Unreachable, Why};
use crate::core::plan::Id;
use crate::net::{line, unreachable};
use chrono::NaiveDate;
use dbt::{Document, Said, Trouble};
use pattern::{Artifact, DBT, Pattern};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use walk::Walk;

/// A look ends by itself; so much later a file system hangs.
const GRACE: Duration = Duration::from_secs(2);
/// The most bytes of one of dbt's artifacts, which have the SQL of each node in them; it is not kept.
const ARTIFACT_BYTES: usize = 32 * 1024 * 1024;

pub(super) struct Files {
    root: PathBuf,
    name: String,
    timeout: Duration,
    /// A look is under way, perhaps one that nobody waits for any more.
    looking: Arc<AtomicBool>,
    /// Why runs failed, as the last sweep found it.
    troubles: Mutex<BTreeMap<String, Trouble>>,
    sweeps: AtomicU64,
    bytes: AtomicU64,
}

/// What one look brings.
#[derive(Default)]
struct Seen {
    items: Vec<Item>,
    troubles: BTreeMap<String, Trouble>,
    bytes: u64,
}

impl Files {
    pub(super) fn build(root: &Path, wiring: &SourceWiring) -> Self {
        Self {
            root: root.to_owned(),
            name: root.display().to_string(),
            timeout: wiring.timeout.to_std().unwrap_or_default(),
            looking: Arc::default(),
            troubles: Mutex::default(),
            sweeps: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }
    }

    pub(super) fn host(&self) -> &str {
        &self.name
    }

    pub(super) fn traffic(&self) -> Traffic {
        Traffic { requests: self.sweeps.load(Ordering::Relaxed), bytes: self.bytes.load(Ordering::Relaxed) }
    }

    pub(super) async fn ask(&self, ask: &Ask) -> Result<Answer, Unreachable> {
        match ask {
            Ask::Sweep { subjects, dates, .. } => {
                let Seen { items, troubles, bytes } = self.sweep(subjects.clone(), dates.clone()).await?;
                *self.troubles.lock().unwrap_or_else(PoisonError::into_inner) = troubles;
                self.bytes.fetch_add(bytes, Ordering::Relaxed);
                Ok(Answer::Sweep(Sweep { items, ..Sweep::default() }))
            }
            Ask::List { .. } => Err(unreachable(Why::Malformed, "a source of kind file cannot list what it has")),
            Ask::Failure { run, .. } => {
                let trouble = self.troubles.lock().unwrap_or_else(PoisonError::into_inner).get(run).cloned();
                let failure = trouble.map(|Trouble { node, error }| Failure { task: node, error, try_number: None });
                Ok(Answer::Failure(failure.unwrap_or_default()))
            }
        }
    }

    async fn sweep(&self, subjects: Arc<[Id]>, dates: BTreeMap<Id, BTreeSet<NaiveDate>>) -> Result<Seen, Unreachable> {
        let hangs = || unreachable(Why::Timeout, format!("{} did not answer in time: does its file system hang?", self.name));
        if self.looking.swap(true, Ordering::AcqRel) {
            return Err(hangs());
        }
        self.sweeps.fetch_add(1, Ordering::Relaxed);
        let ended = Flag { flag: self.looking.clone(), at_the_end: false };
        let stop = Arc::new(AtomicBool::new(false));
        let _given_up = Flag { flag: stop.clone(), at_the_end: true };
        let (root, budget) = (self.root.clone(), Budget::new(self.timeout));
        let look = tokio::task::spawn_blocking(move || {
            let _ended = ended;
            look(&root, &subjects, &dates, budget, &stop)
        });
        match tokio::time::timeout(budget.all() + GRACE, look).await {
            Ok(Ok(seen)) => seen,
            Ok(Err(_)) => Err(unreachable(Why::Malformed, "its files could not be read: a fault inside dawnwatch")),
            Err(_) => Err(hangs()),
        }
    }
}

/// Set when it goes out of sight, however that comes about.
struct Flag {
    flag: Arc<AtomicBool>,
    at_the_end: bool,
}

impl Drop for Flag {
    fn drop(&mut self) {
        self.flag.store(self.at_the_end, Ordering::Release);
    }
}

fn look(
    root: &Path,
    subjects: &[Id],
    dates: &BTreeMap<Id, BTreeSet<NaiveDate>>,
    budget: Budget,
    stop: &AtomicBool,
) -> Result<Seen, Unreachable> {
    let unreadable =
        |error: std::io::Error| unreachable(Why::Connect, format!("{} cannot be read: {}", root.display(), error.kind()));
    let root = fs::canonicalize(root).map_err(unreadable)?;
    fs::read_dir(&root).map_err(unreadable)?;
    let mut artifacts = Artifacts { root: &root, stop, read: BTreeMap::new(), bytes: 0 };
    let mut seen = Seen::default();
    for subject in subjects {
        let fact = match (budget.next(), subject.as_str().split_once(DBT)) {
            (None, _) => Some(Fact::Suspicious("it was not looked at: what came before it took too long".to_owned())),
            (Some(limit), Some((path, node))) => artifacts.ask(path, node, limit).map(|(fact, troubles)| {
                seen.troubles.extend(troubles);
                fact
            }),
            (Some(_), None) => Some(plain(&root, subject.as_str(), dates.get(subject), budget, stop)),
        };
        seen.items.extend(fact.map(|fact| Item { subject: subject.clone(), fact }));
    }
    seen.bytes = artifacts.bytes;
    Ok(seen)
}

/// A path; with a date in it, once for each date.
fn plain(root: &Path, path: &str, dates: Option<&BTreeSet<NaiveDate>>, budget: Budget, stop: &AtomicBool) -> Fact {
    let looked = || -> Result<Fact, String> {
        let pattern = Pattern::parse(path).map_err(|expected| format!("its path is not {expected}"))?;
        let newest = |date: NaiveDate| {
            let limit = budget.next().ok_or("looking at it took too long")?;
            Walk::new(root, limit, stop).newest(&pattern.segments(date))
        };
        if !pattern.is_dated() {
            return newest(NaiveDate::default()).map(Fact::Timestamp);
        }
        let arrived: Result<BTreeMap<_, _>, String> = dates.into_iter().flatten().map(|date| Ok((*date, newest(*date)?))).collect();
        arrived.map(Fact::Dated)
    };
    looked().unwrap_or_else(|why| Fact::Suspicious(line(&why)))
}

/// dbt's files, each read once in a look.
struct Artifacts<'a> {
    root: &'a Path,
    stop: &'a AtomicBool,
    read: BTreeMap<String, Result<Option<Document>, String>>,
    bytes: u64,
}

impl Artifacts<'_> {
    /// `None`: the artifact does not know the node.
    fn ask(&mut self, path: &str, node: &str, limit: Duration) -> Option<Said> {
        if !self.read.contains_key(path) {
            let document = self.document(path, limit);
            self.read.insert(path.to_owned(), document);
        }
        let nothing = match Artifact::of(path) {
            Some(Artifact::Runs) => Fact::Runs(Vec::new()),
            Some(Artifact::Sources) | None => Fact::Timestamp(None),
        };
        match self.read.get(path)? {
            Ok(Some(document)) => document.says(node),
            // dbt has not been here yet.
            Ok(None) => Some((nothing, Vec::new())),
            Err(why) => Some((Fact::Suspicious(line(&format!("{path}: {why}"))), Vec::new())),
        }
    }

    fn document(&mut self, path: &str, limit: Duration) -> Result<Option<Document>, String> {
        let way = Pattern::parse(path).map_err(|expected| format!("it is not {expected}"))?.segments(NaiveDate::default());
        let Some(file) = Walk::new(self.root, limit, self.stop).file(&way)? else { return Ok(None) };
        let cannot = |error: std::io::Error| format!("it cannot be read: {}", error.kind());
        // To open a pipe would wait for its writer.
        if !fs::metadata(&file).map_err(cannot)?.is_file() {
            return Err("it is no file".to_owned());
        }
        let mut bytes = Vec::new();
        let most = u64::try_from(ARTIFACT_BYTES).unwrap_or(u64::MAX);
        fs::File::open(&file).and_then(|file| file.take(most + 1).read_to_end(&mut bytes)).map_err(cannot)?;
        self.bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if bytes.len() > ARTIFACT_BYTES {
            return Err(format!("it is larger than {} MiB", ARTIFACT_BYTES / (1024 * 1024)));
        }
        Document::parse(&bytes).map(Some)
    }
}

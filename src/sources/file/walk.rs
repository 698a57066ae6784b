//! The newest modification at a path: goes down from the root, through globs and folders. Blocking; for threads that may wait.
//!
//! Never leaves the root: what a link leads out to does not count. Bounds: [`ENTRIES`] looked at, [`DEPTH`] folders deep, and a time;
//! past any of them nothing is said of the newest, because it may be what was not looked at.

use super::pattern::Segment;
use crate::core::plan::glob;
use crate::core::time::Instant;
use chrono::DateTime;
use std::ffi::{OsStr, OsString};
use std::fs::{self, FileType, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::Instant as Mono;

/// The most entries of folders that are looked at for one path.
const ENTRIES: usize = 100_000;
/// The most folders beneath each other.
const DEPTH: usize = 32;

/// One look at one path.
pub(super) struct Walk<'a> {
    /// Without links.
    root: &'a Path,
    limit: Duration,
    ends: Mono,
    /// Nobody waits any more.
    stop: &'a AtomicBool,
    entries: usize,
    newest: Option<Instant>,
    led_outside: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn new(root: &'a Path, limit: Duration, stop: &'a AtomicBool) -> Self {
        Self { root, limit, ends: Mono::now() + limit, stop, entries: 0, newest: None, led_outside: false }
    }

    /// The newest modification of a file there; `None`: there is none. The error is a sentence.
    pub(super) fn newest(mut self, way: &[Segment]) -> Result<Option<Instant>, String> {
        let root = self.root;
        self.down(root, way, 0)?;
        match self.newest {
            None if self.led_outside => Err("its path is a link that leads out of the source's root".to_owned()),
            newest => Ok(newest),
        }
    }

    /// The one file at a plain way, links resolved.
    pub(super) fn file(mut self, way: &[Segment]) -> Result<Option<PathBuf>, String> {
        let mut at = self.root.to_owned();
        for segment in way {
            let Segment::Plain(name) = segment else { return Err("its path has a glob".to_owned()) };
            match self.enter(at.join(name))? {
                Some((inside, _)) => at = inside,
                None if self.led_outside => return Err("its path is a link that leads out of the source's root".to_owned()),
                None => return Ok(None),
            }
        }
        Ok(Some(at))
    }

    fn down(&mut self, at: &Path, way: &[Segment], depth: usize) -> Result<(), String> {
        match way {
            [] => self.take(at, depth),
            [Segment::Plain(name), rest @ ..] => match self.enter(at.join(name))? {
                Some((inside, _)) => self.down(&inside, rest, depth + 1),
                None => Ok(()),
            },
            [Segment::Glob(pattern), rest @ ..] => {
                for (name, _) in self.list(at, depth)? {
                    // A name that is no text is matched by no pattern, and keeps nobody from seeing the others.
                    let Some(name) = name.to_str() else { continue };
                    // As shells do: a hidden name is only meant by a pattern that begins with its dot.
                    let meant = !is_aside(name.as_ref()) || name.starts_with('.') && pattern.starts_with('.');
                    if meant
                        && glob(pattern, name)
                        && let Some((inside, _)) = self.enter(at.join(name))?
                    {
                        self.down(&inside, rest, depth + 1)?;
                    }
                }
                Ok(())
            }
            [Segment::Folders, rest @ ..] => {
                self.down(at, rest, depth)?;
                for (name, kind) in self.list(at, depth)? {
                    // Links are not followed here: they may lead round in a circle.
                    if kind.is_dir() && !is_aside(&name) {
                        self.down(&at.join(name), way, depth + 1)?;
                    }
                }
                Ok(())
            }
        }
    }

    /// A file counts by itself, a folder by the files in it: its own time changes when something is taken away, too.
    fn take(&mut self, at: &Path, depth: usize) -> Result<(), String> {
        let Some(found) = self.told(at, fs::symlink_metadata(at))? else { return Ok(()) };
        if !found.is_dir() {
            return self.count(at, &found);
        }
        for (name, kind) in self.list(at, depth)? {
            if is_aside(&name) {
                continue;
            }
            let path = at.join(name);
            if kind.is_dir() {
                self.take(&path, depth + 1)?;
            } else if let Some((inside, found)) = self.enter(path)?
                && !found.is_dir()
            {
                self.count(&inside, &found)?;
            }
        }
        Ok(())
    }

    fn count(&mut self, at: &Path, found: &Metadata) -> Result<(), String> {
        // Pipes, sockets and devices hold no data that arrives.
        if !found.is_file() {
            return Ok(());
        }
        let micros = found.mtime().checked_mul(1_000_000).and_then(|us| us.checked_add(found.mtime_nsec() / 1000));
        let modified = micros.and_then(DateTime::from_timestamp_micros);
        let modified = modified.ok_or_else(|| format!("{} was modified at no time that a calendar has", self.shown(at)))?;
        self.newest = self.newest.max(Some(modified));
        Ok(())
    }

    /// The place itself, without links, with what is there; `None`: nothing, or nothing within the root.
    fn enter(&mut self, path: PathBuf) -> Result<Option<(PathBuf, Metadata)>, String> {
        let Some(found) = self.told(&path, fs::symlink_metadata(&path))? else { return Ok(None) };
        if !found.is_symlink() {
            return Ok(Some((path, found)));
        }
        let Some(real) = self.told(&path, fs::canonicalize(&path))? else { return Ok(None) };
        if !real.starts_with(self.root) {
            self.led_outside = true;
            return Ok(None);
        }
        let found = self.told(&path, fs::symlink_metadata(&real))?;
        Ok(found.map(|found| (real, found)))
    }

    /// The names in a folder; none where it is none. Those that are no UTF-8 text can be named by no path, yet count
    /// in a folder.
    fn list(&mut self, at: &Path, depth: usize) -> Result<Vec<(OsString, FileType)>, String> {
        if depth > DEPTH {
            return Err(format!("more than {DEPTH} folders lie beneath each other in {}", self.shown(at)));
        }
        let mut names = Vec::new();
        let Some(entries) = self.told(at, fs::read_dir(at))? else { return Ok(names) };
        for entry in entries {
            self.entries += 1;
            if self.entries > ENTRIES {
                return Err(format!("there are more than {ENTRIES} entries to look at; expected a narrower path"));
            }
            if self.stop.load(Ordering::Relaxed) || Mono::now() > self.ends {
                return Err(format!("looking at it took longer than {} s", self.limit.as_secs_f64()));
            }
            let Some(entry) = self.told(at, entry)? else { continue };
            let Some(kind) = self.told(at, entry.file_type())? else { continue };
            names.push((entry.file_name(), kind));
        }
        Ok(names)
    }

    /// Not there is an answer (it may have gone while we looked); not readable is none.
    fn told<T>(&self, at: &Path, result: io::Result<T>) -> Result<Option<T>, String> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(format!("cannot be read ({}): {}", error.kind(), self.shown(at))),
        }
    }

    fn shown(&self, at: &Path) -> String {
        at.strip_prefix(self.root).unwrap_or(at).display().to_string()
    }
}

/// Not part of the data: hidden names (checksums, what is being copied), and where Hadoop's writers keep what they have not committed.
fn is_aside(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".") || name == "_temporary"
}

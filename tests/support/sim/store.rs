//! Where the rows of a played night are kept: in memory, or by the real store in a file that is opened anew after each crash.

use dawnwatch::core::state::{Commit, Key, Row};
use dawnwatch::store::Store;
use std::collections::BTreeMap;
use std::path::PathBuf;
use tokio::runtime::Runtime;

pub enum Kept {
    Memory(BTreeMap<Key, Row>),
    File(Box<File>),
}

pub struct File {
    store: Option<Store>,
    path: PathBuf,
    runtime: Runtime,
    _folder: tempfile::TempDir,
}

impl Kept {
    pub fn new(real: bool) -> Self {
        if !real {
            return Self::Memory(BTreeMap::new());
        }
        // Where there is one, in memory: what is tried is what is read back, not the disk.
        let memory = std::path::Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.expect("a folder");
        let path = folder.path().join("dawnwatch.db");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let store = Some(runtime.block_on(Store::open(&path)).expect("a new store"));
        Self::File(Box::new(File { store, path, runtime, _folder: folder }))
    }

    pub fn write(&mut self, commit: &Commit) {
        match self {
            Self::Memory(rows) => {
                for row in &commit.put {
                    rows.insert(row.key(), row.clone());
                }
                for key in &commit.delete {
                    rows.remove(key);
                }
            }
            Self::File(file) => {
                let store = file.store.as_mut().expect("open between two steps");
                file.runtime.block_on(store.commit(commit)).expect("the store takes a commit");
            }
        }
    }

    pub fn rows(&self) -> Vec<Row> {
        match self {
            Self::Memory(rows) => rows.values().cloned().collect(),
            Self::File(file) => {
                let store = file.store.as_ref().expect("open between two steps");
                file.runtime.block_on(store.rows()).expect("the store reads what it wrote")
            }
        }
    }

    /// The process is gone, and its file with its claim is found by the next one.
    pub fn die(&mut self) {
        if let Self::File(file) = self {
            drop(file.store.take());
            file.store = Some(file.runtime.block_on(Store::open(&file.path)).expect("the store opens again"));
        }
    }
}

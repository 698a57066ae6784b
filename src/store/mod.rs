//! The store: one transaction per commit, on SQLite.

use crate::core::state::{Commit, Row};
use crate::core::time::Instant;
use std::path::Path;

pub struct Store {}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {}

impl Store {
    /// Opens the file for this process alone, creating it where there is none. Refused while another agent has it.
    pub async fn open(_path: &Path) -> Result<Self, StoreError> {
        unimplemented!()
    }

    /// A look at the rows without opening for writing, also while an agent runs. `None`: there is no store yet.
    pub async fn peek(_path: &Path) -> Result<Option<Vec<Row>>, StoreError> {
        unimplemented!()
    }

    pub async fn rows(&self) -> Result<Vec<Row>, StoreError> {
        unimplemented!()
    }

    /// Writes the commit in one transaction; on an error nothing of it was written.
    pub async fn commit(&mut self, _commit: &Commit) -> Result<(), StoreError> {
        unimplemented!()
    }

    /// Deletes ledger lines and settled rows older than `before`; returns how many.
    pub async fn prune(&mut self, _before: Instant) -> Result<u64, StoreError> {
        unimplemented!()
    }

    /// Closes cleanly, the write-ahead log folded in.
    pub async fn close(self) -> Result<(), StoreError> {
        unimplemented!()
    }
}

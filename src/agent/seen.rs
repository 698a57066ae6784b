//! What was merely seen and is not written yet: the names of the rows, whose content is the state's, and lines for the history.

use crate::core::state::{Commit, Key, Observed, Row, State};
use std::collections::BTreeSet;
use tokio::time::Instant as Mono;

/// So many rows are written in one transaction.
const AT_ONCE: usize = 512;

/// Rows that were seen and are not written yet: the state has them as they were last.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) rows: BTreeSet<Key>,
    /// For the history.
    pub(super) observed: Vec<Observed>,
    pub(super) since: Option<Mono>,
}

impl Seen {
    pub(super) fn gather(&mut self, commit: Commit) {
        self.since = self.since.or_else(|| Some(Mono::now()));
        self.rows.extend(commit.put.iter().map(Row::key));
        self.observed.extend(commit.observed);
    }

    /// Takes some of the rows out, where there are many: those of checks before those of sources, because what a source says of a
    /// sweep must not be written before what the sweep said.
    pub(super) fn split(&mut self) -> Option<Self> {
        if self.rows.len() <= AT_ONCE {
            return None;
        }
        let rows = std::iter::from_fn(|| self.rows.pop_last()).take(AT_ONCE).collect();
        Some(Self { rows, ..Self::default() })
    }

    /// One commit of these and what came after them.
    pub(super) fn before(mut self, commit: Commit, state: &State) -> Commit {
        for key in commit.put.iter().map(Row::key).chain(commit.delete.iter().cloned()) {
            self.rows.remove(&key);
        }
        // What is no longer there was deleted by a commit that came after.
        let rows = self.rows.iter().filter_map(|key| state.row(key));
        self.observed.extend(commit.observed);
        Commit { put: rows.chain(commit.put).collect(), observed: self.observed, ..commit }
    }
}

/// Nothing was decided, and no word of anybody's is in it.
pub(super) fn is_merely_seen(commit: &Commit) -> bool {
    let seen = |row: &Row| matches!(row, Row::Source(..) | Row::Check(..));
    commit.delete.is_empty() && commit.ledger.is_empty() && commit.put.iter().all(seen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::state::{ChatState, SourceState};
    use crate::core::time::Instant;

    #[test]
    fn what_was_seen_is_written_as_it_was_last_and_before_what_was_decided() {
        let plan = crate::config::load(std::path::Path::new("config"), None, &[]).unwrap().plan;
        let mut state = State::restore([], &plan);
        let source = |second: i64| SourceState { asked_at: Instant::from_timestamp(second, 0), ..SourceState::default() };
        let row = |name: &str, second: i64| Row::Source(name.into(), Box::new(source(second)));
        let commit = |put: Vec<Row>| Commit { put, ..Commit::default() };
        let chat = Row::Chat("team".into(), ChatState::default());
        assert!(is_merely_seen(&commit(vec![row("a", 1)])));
        assert!(!is_merely_seen(&commit(vec![row("a", 1), chat.clone()])));
        assert!(!is_merely_seen(&Commit { delete: vec![Key::Watch], ..commit(vec![]) }));
        let mut seen = Seen::default();
        seen.gather(commit(vec![row("a", 1), row("b", 1)]));
        seen.gather(commit(vec![row("c", 2), row("b", 2), row("gone", 2)]));
        state.sources = ["a", "b", "c"].map(|name| (name.into(), source(2))).into();
        assert!(seen.split().is_none());
        let after = Commit { delete: vec![Key::Source("c".into())], ..commit(vec![row("a", 3), chat.clone()]) };
        assert_eq!(seen.before(after.clone(), &state), Commit { put: vec![row("b", 2), row("a", 3), chat], ..after });
    }

    #[test]
    fn many_rows_are_written_in_parts_and_sources_last() {
        let keys = (0..2 * AT_ONCE).map(|at| Key::Check(format!("c{at}").into())).chain([Key::Source("a".into())]);
        let mut seen = Seen { rows: keys.collect(), ..Seen::default() };
        let parts = [seen.split(), seen.split()].map(|part| part.unwrap().rows);
        assert!(parts.iter().all(|part| part.len() == AT_ONCE && !part.contains(&Key::Source("a".into()))));
        assert!(seen.split().is_none() && seen.rows == BTreeSet::from([Key::Source("a".into())]));
    }
}

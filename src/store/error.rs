//! What can go wrong with the store, in sentences for whoever reads them at 6 a.m.

use std::path::Path;

/// Each names the file first. Nothing was written by the call that returned one.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{file} is in use by another dawnwatch{}; stop that one first, or name another file under [store] path", process(*.pid))]
    InUse { file: String, pid: Option<u32> },

    #[error(
        "{file} is damaged: {what}; move {file} away, with the files {file}-wal and {file}-shm where they exist, to start with an \
         empty memory; what was seen and said so far is then lost"
    )]
    Damaged { file: String, what: String },

    #[error("{file} is not a store of dawnwatch: {what}; name another file under [store] path")]
    Foreign { file: String, what: &'static str },

    #[error(
        "{file} was written in format {found}, and this dawnwatch reads format {expected}; run the version that wrote it, or move \
         {file} away to start with an empty memory"
    )]
    Format { file: String, found: i64, expected: u32 },

    #[error(
        "{file} holds a row that this dawnwatch does not know ({row}); run the version that wrote it, or move {file} away to start \
         with an empty memory"
    )]
    UnknownRow { file: String, row: String, source: Option<serde_json::Error> },

    #[error("{file} cannot be written: {why}; the user that runs dawnwatch must be allowed to write the file and its folder")]
    ReadOnly { file: String, why: String },

    #[error("{file} cannot grow: the disk is full; free some space, the next try may succeed")]
    Full { file: String },

    #[error("{file} was changed by another writer since it was last read; it must be read again before the next write")]
    Moved { file: String },

    #[error(
        "{file} was held by another program for more than {} s; is a backup or a database tool at work on it?",
        super::file::BUSY_S
    )]
    Busy { file: String },

    #[error("{file}: {row} cannot be put into words that could be read back")]
    Unwritable { file: String, row: String, source: serde_json::Error },

    #[error("{file} cannot be reached: {why}")]
    Unreachable { file: String, why: String },

    #[error("{file}: SQLite failed")]
    Sqlite { file: String, source: sqlx::Error },
}

fn process(pid: Option<u32>) -> String {
    pid.map_or_else(String::new, |pid| format!(" (process {pid})"))
}

/// The file's name as people configured it.
pub(super) fn name(path: &Path) -> String {
    path.display().to_string()
}

impl StoreError {
    pub(super) fn damaged(path: &Path, what: impl Into<String>) -> Self {
        Self::Damaged { file: name(path), what: what.into() }
    }

    /// Sorts an error of SQLite by its primary result code, <https://www.sqlite.org/rescode.html>.
    pub(super) fn sqlite(path: &Path, error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|e| e.code()).and_then(|c| c.parse::<u32>().ok()).map(|c| c & 0xff);
        let file = name(path);
        if matches!(error, sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)) {
            return Self::Damaged { file, what: "a row of it is no text".to_owned() };
        }
        match code {
            Some(5 | 6) => Self::Busy { file },
            Some(8) => Self::ReadOnly { file, why: "it is read-only".to_owned() },
            Some(11) => Self::Damaged { file, what: "its pages contradict each other".to_owned() },
            Some(13) => Self::Full { file },
            Some(14) => Self::Unreachable { file, why: "SQLite cannot open it".to_owned() },
            Some(26) => Self::Damaged { file, what: "it is no SQLite database".to_owned() },
            _ => Self::Sqlite { file, source: error },
        }
    }

    /// Sorts an error of the file system.
    pub(super) fn io(path: &Path, error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        let file = name(path);
        match error.kind() {
            ErrorKind::NotFound => Self::Unreachable { file, why: "its folder does not exist".to_owned() },
            ErrorKind::NotADirectory => Self::Unreachable { file, why: "what should be its folder is a file".to_owned() },
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { file, why: error.to_string() },
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full { file },
            _ => Self::Unreachable { file, why: error.to_string() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Error, ErrorKind};

    #[test]
    fn errors_of_the_file_system_are_sentences() {
        for (kind, expected) in [
            (ErrorKind::NotFound, "s.db cannot be reached: its folder does not exist"),
            (ErrorKind::PermissionDenied, "s.db cannot be written: permission denied; the user that runs dawnwatch"),
            (ErrorKind::ReadOnlyFilesystem, "s.db cannot be written: read-only filesystem or storage medium; the user"),
            (ErrorKind::StorageFull, "s.db cannot grow: the disk is full"),
        ] {
            let text = StoreError::io(Path::new("s.db"), &Error::from(kind)).to_string();
            assert!(text.starts_with(expected), "{text}");
        }
    }
}

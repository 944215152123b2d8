//! What a storage could not do.

use std::path::PathBuf;

use rusqlite::ErrorCode;

use crate::merkle::TILE_WIDTH;

/// What the storage could not do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// Another log, in this process or another, has it open for writing.
    #[error("the audit log `{}` is in use by another writer; stop that one, or configure another path", path.display())]
    Locked {
        /// The log's file or folder.
        path: PathBuf,
    },
    /// There is nothing to read.
    #[error("there is no audit log at `{}`", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The oldest entries were archived and removed here.
    #[error(
        "entries before {first} are not kept here any more; look for them in the archive, or begin with {}",
        (first / TILE_WIDTH + 1) * TILE_WIDTH
    )]
    Trimmed {
        /// The first entry that is left.
        first: u64,
    },
    /// No space is left.
    #[error("no space is left for the audit log ({0}); free some, then open the log again")]
    Full(String),
    /// The operating system reported an error.
    #[error("reading or writing the audit log failed ({0}); check the disk, then open the log again")]
    Io(String),
    /// What is stored is not what was written.
    #[error("the audit log's storage is damaged ({0}); verify it, and restore a copy")]
    Damaged(String),
    /// Somebody else wrote to it.
    #[error("something else wrote to the audit log; verify it, and see to it that only one host uses it")]
    Overwritten,
    /// Anything else, such as no permission to open a file.
    #[error("the audit log's storage failed ({0})")]
    Other(String),
}

impl From<rusqlite::Error> for StorageError {
    fn from(error: rusqlite::Error) -> Self {
        let message = match &error {
            rusqlite::Error::SqliteFailure(code, _) => format!("{error}, SQLite code {}", code.extended_code),
            _ => error.to_string(),
        };
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full(message),
            Some(ErrorCode::SystemIoFailure) => Self::Io(message),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(message),
            _ => Self::Other(message),
        }
    }
}

impl From<std::io::Error> for StorageError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Full(error.to_string()),
            _ => Self::Io(error.to_string()),
        }
    }
}

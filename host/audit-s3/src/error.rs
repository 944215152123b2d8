//! What can go wrong with a log in a bucket.

use vak_audit::{CheckpointError, StorageError, VerifyError};

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum S3Error {
    /// Something has to be configured otherwise.
    #[error("the audit log's bucket can't be used: {0}")]
    Configuration(String),
    /// The server could not be reached, did not answer in time, or was busy or
    /// broken. Another time it may work; nothing is lost.
    #[error("{what} failed for now ({cause}); check the network and the server, it is tried again")]
    Unavailable {
        /// What was tried.
        what: String,
        /// The last answer.
        cause: String,
    },
    /// The server says that these credentials may not do it.
    #[error("{what} was denied ({cause}); check the credentials, the bucket's policy and its locks")]
    Denied {
        /// What was tried.
        what: String,
        /// The answer.
        cause: String,
    },
    /// The server says that it can't be done this way.
    #[error("{what} was refused ({cause}); check the bucket and the options")]
    Refused {
        /// What was tried.
        what: String,
        /// The answer.
        cause: String,
    },
    /// Another writer moved the log's checkpoint on. This one must stop.
    #[error(
        "another writer moved the log in the bucket from {expected} entries on to {found}; find out which host writes it, and stop the other"
    )]
    Fenced {
        /// How many entries the bucket had when this writer wrote or looked last.
        expected: u64,
        /// How many it says now; 0 also when the checkpoint is gone.
        found: u64,
    },
    /// An object that is never written twice holds something else than this
    /// log has for it: there are two logs under one name.
    #[error("`{key}` in the bucket is not that of this log: two logs have one name, or one was rewritten; verify both")]
    Diverged {
        /// The object.
        key: String,
    },
    /// The bucket has entries that the store on disk has not: it is an old
    /// copy, or an empty one.
    #[error("the bucket has {bucket} entries and the log on disk has {spool}; restore the log from the bucket first")]
    Behind {
        /// How many entries are on disk.
        spool: u64,
        /// How many the bucket has.
        bucket: u64,
    },
    /// An object is missing or is not what was written.
    #[error("`{key}` in the bucket: {what}; verify the log, and restore a copy")]
    Damaged {
        /// The object.
        key: String,
        /// What is wrong with it.
        what: String,
    },
    /// The store on disk failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// What was read is not what was signed.
    #[error(transparent)]
    Unsound(#[from] VerifyError),
    /// A checkpoint is not one of this log.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The store is being closed.
    #[error("the upload was cut short; it goes on when the log is opened again")]
    Interrupted,
    /// No thread for the network.
    #[error("no thread could be started: {0}")]
    Thread(String),
}

impl S3Error {
    /// Whether the same may work another time.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Interrupted)
    }

    /// Whether the bucket and the log contradict each other: what is written on
    /// may be somebody else's log, or an old copy.
    pub fn is_conflict(&self) -> bool {
        match self {
            Self::Fenced { .. }
            | Self::Diverged { .. }
            | Self::Behind { .. }
            | Self::Damaged { .. }
            | Self::Checkpoint(_) => true,
            // The bucket has less than was removed on disk because it had it.
            Self::Storage(StorageError::Trimmed { .. }) => true,
            Self::Unsound(VerifyError::Storage { source: StorageError::Trimmed { .. }, .. }) => true,
            Self::Unsound(error) => !matches!(error, VerifyError::Storage { .. }),
            _ => false,
        }
    }

    pub(crate) fn damaged(key: &str, what: impl Into<String>) -> Self {
        Self::Damaged { key: key.to_owned(), what: what.into() }
    }
}

/// As the log is told.
impl From<S3Error> for StorageError {
    fn from(error: S3Error) -> Self {
        match error {
            S3Error::Storage(error) => error,
            S3Error::Fenced { .. } => Self::Overwritten,
            S3Error::Unavailable { .. } | S3Error::Interrupted => Self::Io(error.to_string()),
            S3Error::Diverged { .. } | S3Error::Damaged { .. } | S3Error::Behind { .. } => {
                Self::Damaged(error.to_string())
            }
            _ => Self::Other(error.to_string()),
        }
    }
}

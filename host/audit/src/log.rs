//! The log as the host writes it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use futures_channel::oneshot;
use vak_types::Digest;

use crate::committer::Committer;
use crate::queue::Queue;
use crate::storage::{StorageError, open_writer};
use crate::{Checkpoint, Draft, Origin, Receipt, Signer, Tier, VerifyError, create};

/// How a log is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// The most entries that wait for the commit after the one under way;
    /// whoever appends more waits for a place. 8,192 is eight times what a busy
    /// host has in flight, and a commit of so many takes some ten milliseconds.
    pub queue_entries_max: usize,
    /// Lets a test run out of space: the most pages of SQLite's.
    #[doc(hidden)]
    pub pages_max: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self { queue_entries_max: 8_192, pages_max: None }
    }
}

/// Why a log could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Another log, in this process or another, has it open for writing.
    #[error("the audit log `{}` is in use by another writer; stop that one, or configure another path", path.display())]
    Locked {
        /// The log's file.
        path: PathBuf,
    },
    /// The file could not be made, locked or opened.
    #[error("`{}`: {source}", path.display())]
    Storage {
        /// The log's file.
        path: PathBuf,
        /// What failed.
        source: StorageError,
    },
    /// What is in the file is not a sound log of this origin and key.
    #[error("the audit log `{}` is not continued: {source}", path.display())]
    Unsound {
        /// The log's file.
        path: PathBuf,
        /// The check it failed.
        source: VerifyError,
    },
}

/// Why a log stopped for good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StopCause {
    /// A commit failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Somebody else wrote to the file.
    #[error("something else wrote to the file; verify it, and see to it that only one host uses it")]
    Overwritten,
    /// A fault in this crate.
    #[error("the committer panicked; report this, and open the log again")]
    Panicked,
}

/// Why an entry was not appended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The log stopped, at this entry or before. Whether the entry is in the
    /// file shows when it is opened again: a commit that failed may have
    /// reached the disk all the same.
    #[error("the audit log has stopped: {0}")]
    Stopped(StopCause),
    /// An outcome for a decision that is not in the log.
    #[error("entry {decision} is not in the log, which has {size}; give the `seq` of the decision's receipt")]
    NoSuchDecision {
        /// The decision the outcome names.
        decision: u64,
        /// How many entries have a place.
        size: u64,
    },
}

/// What the committer tells of an entry.
#[derive(Debug)]
pub(crate) struct Committed {
    pub(crate) leaf: Digest,
    pub(crate) checkpoint: Arc<str>,
}

/// An append-only log with one writer. Dropping it commits what is queued.
///
/// Runs in any executor: it has a thread of its own for the disk.
#[derive(Debug)]
pub struct Log {
    origin: Origin,
    opened_at: Checkpoint,
    queue: Arc<Queue>,
    committer: Option<JoinHandle<Checkpoint>>,
    /// Held until the committer is done.
    _lock: File,
}

impl Log {
    /// Opens the log in the file at `path`, or starts one there that only this
    /// user may read. `signer` signs its checkpoints.
    ///
    /// Before an existing log is continued, its checkpoint's signature is
    /// checked, and that the last entries (up to 1,024, from a multiple of
    /// that) follow from each other and lead to the signed root. Older entries
    /// are left to [`verify`](crate::verify), which reads all of them.
    ///
    /// Blocks while it reads. Waits for nobody: a second writer is refused.
    ///
    /// # Errors
    /// The file can't be used, another writer has it, or what is in it fails
    /// one of the checks.
    pub fn open(path: &Path, origin: Origin, signer: Signer, options: &Options) -> Result<Self, OpenError> {
        let failed = |source: StorageError| OpenError::Storage { path: path.to_owned(), source };
        let file = create::resolve(path).map_err(failed)?;
        let lock = create::lock(&file).map_err(failed)?.ok_or_else(|| OpenError::Locked { path: path.to_owned() })?;
        if !file.exists() {
            create::create(&file, &origin, &signer).map_err(failed)?;
        }
        let connection = open_writer(&file, options.pages_max).map_err(failed)?;
        let committer = Committer::resume(connection, origin.clone(), signer)
            .map_err(|source| OpenError::Unsound { path: path.to_owned(), source })?;
        let opened_at = committer.checkpoint().clone();
        let queue = Arc::new(Queue::new(opened_at.size(), options));
        let committer = std::thread::Builder::new()
            .name("vak-audit".to_owned())
            .spawn({
                let queue = Arc::clone(&queue);
                move || committer.run(&queue)
            })
            .map_err(|error| failed(error.into()))?;
        Ok(Self { origin, opened_at, queue, committer: Some(committer), _lock: lock })
    }

    /// The newest checkpoint when the log was opened. One that was kept
    /// elsewhere and covers more shows that an old copy was put in its place.
    pub fn opened_at(&self) -> &Checkpoint {
        &self.opened_at
    }

    /// Appends an entry, and acknowledges it at `tier`. Waits while the queue
    /// is full.
    ///
    /// Entries get their places in the order in which this is polled first;
    /// with a full queue, in any order. Once an entry has its place it is
    /// committed even if this future is dropped.
    ///
    /// # Errors
    /// The log has stopped: a commit failed, and none is tried again, because
    /// after a failed write the kernel may have forgotten pages that it says
    /// are written. Or the draft is an outcome and its decision is not there.
    pub async fn append(&self, draft: Draft, tier: Tier) -> Result<Receipt, AppendError> {
        let origin = self.origin.clone();
        match tier {
            Tier::Accepted => {
                let seq = self.queue.push(draft, None).await?;
                Ok(Receipt::Accepted { origin, seq })
            }
            Tier::Durable => {
                let (done, committed) = oneshot::channel();
                let seq = self.queue.push(draft, Some(done)).await?;
                let Committed { leaf, checkpoint } = committed.await.unwrap_or_else(|_| Err(self.why_stopped()))?;
                Ok(Receipt::Durable { origin, seq, leaf, checkpoint })
            }
        }
    }

    /// Commits what is queued, ends the committer and gives the last
    /// checkpoint. Blocks until that is done.
    ///
    /// # Errors
    /// The log had stopped; not all that was accepted is in it.
    pub fn close(mut self) -> Result<Checkpoint, AppendError> {
        let checkpoint = self.finish();
        match (self.queue.stopped(), checkpoint) {
            (None, Some(checkpoint)) => Ok(checkpoint),
            _ => Err(self.why_stopped()),
        }
    }

    fn finish(&mut self) -> Option<Checkpoint> {
        self.queue.close();
        self.committer.take()?.join().ok()
    }

    /// A committer that goes without a word has panicked.
    fn why_stopped(&self) -> AppendError {
        AppendError::Stopped(self.queue.stopped().unwrap_or(StopCause::Panicked))
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.finish();
    }
}

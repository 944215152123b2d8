//! The log as the host writes it.

use std::sync::Arc;
use std::thread::JoinHandle;

use futures_channel::oneshot;
use vak_types::{Digest, Timestamp};

use crate::committer::Committer;
use crate::evidence;
use crate::follow::{Follower, Watch};
use crate::ledger::Ledger;
use crate::queue::{Queue, Work};
use crate::resume::resume;
use crate::sealing::Sealing;
use crate::store::{StorageError, Store};
use crate::{Checkpoint, Draft, KindSet, Origin, Receipt, Signer, Tier, VerifyError};

/// How a log is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// The most entries that wait for the commit after the one under way;
    /// whoever appends more waits for a place. 8,192 is eight times what a busy
    /// host has in flight, and a commit of so many takes some ten milliseconds.
    pub queue_entries_max: usize,
    /// Kinds of entries that get a signature of their own, beside the
    /// checkpoint's, which covers all. One takes about 20 µs.
    pub signed: KindSet,
}

impl Default for Options {
    fn default() -> Self {
        Self { queue_entries_max: 8_192, signed: KindSet::default() }
    }
}

/// Why a log could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The storage could not be made, locked or opened.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// No thread for the committer.
    #[error("the audit log's committer could not be started: {0}")]
    Thread(String),
    /// What is stored is not a sound log of this origin and key.
    #[error("the audit log `{place}` is not continued: {source}{}", evidence.as_ref().map(|file| format!("; see `{file}`")).unwrap_or_default())]
    Unsound {
        /// Where the log is.
        place: String,
        /// The check it failed.
        source: Box<VerifyError>,
        /// The file that says more, if it could be written.
        evidence: Option<String>,
    },
}

/// Why a log stopped for good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StopCause {
    /// A commit failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Whoever keeps a copy of it found that it must not go on.
    #[error("{0}")]
    Demanded(String),
    /// A fault in this crate.
    #[error("the committer panicked; report this, and open the log again")]
    Panicked,
}

/// Why an entry was not appended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The log stopped, at this entry or before. Whether the entry is in the
    /// storage shows when it is opened again: a commit that failed may have
    /// reached the disk all the same.
    #[error("the audit log has stopped: {0}")]
    Stopped(StopCause),
    /// An outcome or an answer for a decision that is not in the log, or a verdict
    /// upon an answer that is not.
    #[error("entry {decision} is not in the log, which has {size}; give the `seq` of the decision's receipt")]
    NoSuchDecision {
        /// The entry that is named.
        decision: u64,
        /// How many entries have a place.
        size: u64,
    },
}

/// Stops a log from outside: what is not yet durable is refused, as is all that
/// comes.
#[derive(Debug, Clone)]
pub struct Stopper(Arc<Queue>);

impl Stopper {
    /// Stops it, with `reason` for whoever appends.
    pub fn stop(&self, reason: String) {
        self.0.stop(StopCause::Demanded(reason));
    }
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
    cut_bytes: u64,
    queue: Arc<Queue>,
    watch: Arc<Watch>,
    /// The sealer and the committer.
    threads: Option<(JoinHandle<()>, JoinHandle<Checkpoint>)>,
}

impl Log {
    /// Opens the log in `store`, or starts one there. `signer` signs its
    /// checkpoints.
    ///
    /// Before an existing log is continued, what a crash left half written is
    /// taken back, its checkpoint's signature is checked, and that its last
    /// entries (up to 256) follow from each other and lead to the signed root.
    /// Older entries are left to [`verify_all`](crate::verify_all), which reads
    /// all of them. A log that fails a check is not continued; what was found
    /// is written to a file beside it.
    ///
    /// Blocks while it reads. Waits for nobody: a second writer is refused.
    ///
    /// # Errors
    /// The storage can't be used, another writer has it, or what is in it fails
    /// one of the checks.
    pub fn open(
        mut store: Box<dyn Store>,
        origin: Origin,
        signer: Signer,
        options: &Options,
    ) -> Result<Self, OpenError> {
        if store.is_new() {
            store.start(&Checkpoint::sign(&origin, 0, crate::merkle::empty_root(), &signer))?;
        }
        let place = store.place();
        let unsound = |source: VerifyError, source_of: Option<&dyn crate::Source>| OpenError::Unsound {
            place: place.clone(),
            evidence: evidence::write(&place, &origin, signer.verifier(), &source, source_of),
            source: Box::new(source),
        };
        let recovery = store.recover(&origin, &signer).map_err(|error| match error {
            damaged @ StorageError::Damaged(_) => unsound(VerifyError::Storage { seq: 0, source: damaged }, None),
            other => other.into(),
        })?;
        let opener = store.opener();
        let source = opener()?;
        let (checkpoint, chain) =
            resume(&*source, &origin, signer.verifier()).map_err(|error| unsound(error, Some(&*source)))?;
        // A reader that stays open keeps SQLite's files from being tidied up.
        drop(source);
        let opened_at = checkpoint.clone();
        let queue = Arc::new(Queue::new(opened_at.size(), options));
        let watch = Arc::new(Watch::new(opener, opened_at.size()));
        let sealing = Arc::new(Sealing::new(Ledger::new(signer, chain, options.signed)));
        let committer = Committer::new(store, Arc::clone(&sealing), checkpoint);
        let sealer = spawn("vak-audit-seal", {
            let queue = Arc::clone(&queue);
            move || sealing.run_ahead(&queue)
        })?;
        let committer = spawn("vak-audit-commit", {
            let (queue, watch) = (Arc::clone(&queue), Arc::clone(&watch));
            move || committer.run(&queue, &watch)
        });
        // The sealer's reason to run goes with the other.
        let committer = committer.inspect_err(|_| queue.close())?;
        let cut_bytes = recovery.map_or(0, |recovery| recovery.cut_bytes);
        Ok(Self { origin, opened_at, cut_bytes, queue, watch, threads: Some((sealer, committer)) })
    }

    /// The newest checkpoint when the log was opened. One that was kept
    /// elsewhere and covers more shows that an old copy was put in its place.
    pub fn opened_at(&self) -> &Checkpoint {
        &self.opened_at
    }

    /// Bytes that were cut off when the log was opened, because the last writer
    /// had ended in the middle of them. Nothing in them had been acknowledged.
    pub fn cut_bytes(&self) -> u64 {
        self.cut_bytes
    }

    /// Why it has stopped, if it has.
    pub fn stopped(&self) -> Option<StopCause> {
        self.queue.stopped()
    }

    /// For those who may have to stop this log while others append.
    pub fn stopper(&self) -> Stopper {
        Stopper(Arc::clone(&self.queue))
    }

    /// Follows the log from entry `from` on, through all that is durable now
    /// and all that will be.
    pub fn subscribe(&self, from: u64) -> Follower {
        Follower::new(Arc::clone(&self.watch), from)
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
        match tier {
            Tier::Accepted => {
                let seq = self.queue.push(Work::Append(draft), None).await?;
                Ok(Receipt::Accepted { origin: self.origin.clone(), seq })
            }
            Tier::Durable => self.durably(Work::Append(draft)).await,
        }
    }

    /// Lets another key sign from here on. Appends an entry that both keys
    /// sign; the checkpoint that covers it is the new key's first.
    ///
    /// # Errors
    /// The log has stopped.
    pub async fn rotate_key(&self, new: Signer, time: Timestamp) -> Result<Receipt, AppendError> {
        self.durably(Work::Rotate(Box::new(new), time)).await
    }

    async fn durably(&self, work: Work) -> Result<Receipt, AppendError> {
        let (done, committed) = oneshot::channel();
        let seq = self.queue.push(work, Some(done)).await?;
        let Committed { leaf, checkpoint } = committed.await.unwrap_or_else(|_| Err(self.why_stopped()))?;
        Ok(Receipt::Durable { origin: self.origin.clone(), seq, leaf, checkpoint })
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
        let (sealer, committer) = self.threads.take()?;
        // A panic in it has stopped the queue, which says so.
        sealer.join().unwrap_or(());
        committer.join().ok()
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

fn spawn<T: Send + 'static>(name: &str, run: impl FnOnce() -> T + Send + 'static) -> Result<JoinHandle<T>, OpenError> {
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run);
    thread.map_err(|error| OpenError::Thread(error.to_string()))
}

//! The thread that uploads what is committed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use vak_audit::{Checkpoint, VerifierKey};

use crate::fence::Fence;
use crate::pinned::Pinned;
use crate::retry::pause;
use crate::ship::ship;
use crate::{Bucket, S3Error};

/// How the upload of a log stands: for whoever wants to know, beside the log
/// that owns the store.
#[derive(Debug, Clone)]
pub struct Uploads {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// Gives up the request that is under way.
    cut: AtomicBool,
}

/// What is to be uploaded, and who signed it.
#[derive(Debug, Clone)]
struct Target {
    checkpoint: Checkpoint,
    key: VerifierKey,
}

#[derive(Debug, Default)]
struct State {
    /// The newest checkpoint that is durable on disk.
    target: Option<Target>,
    /// How many entries the bucket has; `None` as long as nobody could ask it.
    uploaded: Option<u64>,
    /// When the first entry that is not uploaded was committed.
    waiting_since: Option<Instant>,
    /// About how many bytes were committed since the last upload.
    waiting_bytes: u64,
    /// Somebody wants everything uploaded now.
    hurry: bool,
    /// Why the last attempt failed, until one succeeds.
    trouble: Option<S3Error>,
    /// Why there will be no more attempts.
    stopped: Option<S3Error>,
}

impl State {
    fn is_done(&self) -> bool {
        self.target.as_ref().is_none_or(|target| self.uploaded >= Some(target.checkpoint.size()))
    }
}

impl Uploads {
    pub(crate) fn new() -> Self {
        Self { shared: Arc::default() }
    }

    /// How many entries the bucket has; `None` as long as it could not be asked.
    pub fn uploaded(&self) -> Option<u64> {
        self.lock().uploaded
    }

    /// Why the last upload failed, if one succeeded since then not; it is tried
    /// again.
    pub fn trouble(&self) -> Option<S3Error> {
        self.lock().trouble.clone()
    }

    /// Why nothing more is uploaded, and the log has stopped or will at its next
    /// commit.
    pub fn stopped(&self) -> Option<S3Error> {
        self.lock().stopped.clone()
    }

    /// Uploads what is committed now and waits for it, up to `timeout`.
    ///
    /// # Errors
    /// Why the upload has stopped, or why the last attempt within the time
    /// failed. In the second case it goes on.
    pub fn flush(&self, timeout: Duration) -> Result<(), S3Error> {
        let mut state = self.lock();
        state.hurry = true;
        self.shared.changed.notify_all();
        let until = Instant::now() + timeout;
        loop {
            if let Some(error) = &state.stopped {
                return Err(error.clone());
            }
            if state.is_done() {
                return Ok(());
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(state.trouble.clone().unwrap_or(S3Error::Interrupted));
            }
            let waited = self.shared.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Tells of a commit of about `bytes`.
    pub(crate) fn commit(&self, checkpoint: Checkpoint, key: VerifierKey, bytes: u64) {
        let mut state = self.lock();
        state.target = Some(Target { checkpoint, key });
        state.waiting_bytes += bytes;
        state.waiting_since.get_or_insert_with(Instant::now);
        drop(state);
        self.shared.changed.notify_all();
    }

    /// Ends the uploader as soon as its request can be given up.
    fn cut(&self) {
        self.shared.cut.store(true, Ordering::Relaxed);
        // Under the lock, so that it is not missed between a look and a wait.
        let _state = self.lock();
        self.shared.changed.notify_all();
    }

    fn is_cut(&self) -> bool {
        self.shared.cut.load(Ordering::Relaxed)
    }

    /// No code that may panic runs while the lock is held.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Uploads until it is cut or can't go on.
    fn run(&self, bucket: &Bucket, source: &Pinned) {
        let _guard = EndOnPanic(self);
        let mut fence = None;
        let mut failed = 0;
        while let Some(target) = self.next(bucket, failed) {
            let ended = self.upload(bucket, source, &mut fence, &target);
            let mut state = self.lock();
            match ended {
                Ok(()) => {
                    failed = 0;
                    state.trouble = None;
                    state.uploaded = fence.as_ref().map(|fence| fence.size);
                    state.hurry &= !state.is_done();
                }
                Err(S3Error::Interrupted) => return,
                Err(error) if error.is_transient() => {
                    failed += 1;
                    state.trouble = Some(error);
                }
                Err(error) => state.stopped = Some(error),
            }
            let stopped = state.stopped.is_some();
            drop(state);
            self.shared.changed.notify_all();
            if stopped {
                return;
            }
        }
    }

    fn upload(
        &self,
        bucket: &Bucket,
        source: &Pinned,
        fence: &mut Option<Fence>,
        Target { checkpoint, key }: &Target,
    ) -> Result<(), S3Error> {
        let cut = &self.shared.cut;
        let fence = match fence {
            Some(fence) => fence,
            none => none.insert(Fence::take(bucket, source, checkpoint.origin(), checkpoint.size(), cut)?),
        };
        // First of all the one that may be there already.
        if let Some(pending) = fence.pending.clone() {
            ship(bucket, source, fence, &pending, cut)?;
        }
        source.verify(checkpoint, key, fence.size..checkpoint.size())?;
        ship(bucket, source, fence, checkpoint, cut)
    }

    /// Waits until there is enough to upload, or it has waited long enough. The
    /// first time there is: the bucket has to be looked at.
    fn next(&self, bucket: &Bucket, failed: u32) -> Option<Target> {
        let options = bucket.options();
        // After a failure there is a pause, whoever is in a hurry.
        let not_before = (failed > 0).then(|| Instant::now() + pause(options, options.attempts.saturating_add(failed)));
        let mut state = self.lock();
        loop {
            if self.is_cut() {
                return None;
            }
            let now = Instant::now();
            let due = match (&state.target, state.uploaded) {
                (None, _) => None,
                (Some(_), None) => Some(now),
                _ if state.is_done() => None,
                _ if state.hurry || state.waiting_bytes >= options.waiting_bytes_max => Some(now),
                _ => Some(state.waiting_since.unwrap_or(now) + options.interval),
            };
            let due = due.map(|due| not_before.map_or(due, |not_before| due.max(not_before)));
            if due.is_some_and(|due| due <= now) {
                state.waiting_bytes = 0;
                state.waiting_since = None;
                return state.target.clone();
            }
            state = match due {
                None => self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(due) => {
                    let waited = self.shared.changed.wait_timeout(state, due - now);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

/// A thread that uploads. Ends when this is dropped, with what it is at.
#[derive(Debug)]
pub(crate) struct Uploader {
    uploads: Uploads,
    thread: Option<JoinHandle<()>>,
}

impl Uploader {
    /// Uploads what [`Uploads::commit`] is told of, from `source`.
    pub(crate) fn start(bucket: Bucket, source: Pinned) -> Result<Self, S3Error> {
        Self::resume(Uploads::new(), bucket, source)
    }

    /// The same for those who ask already how far it is.
    pub(crate) fn resume(uploads: Uploads, bucket: Bucket, source: Pinned) -> Result<Self, S3Error> {
        let thread = std::thread::Builder::new().name("vak-audit-upload".to_owned());
        let thread = thread.spawn({
            let uploads = uploads.clone();
            move || uploads.run(&bucket, &source)
        });
        Ok(Self { uploads, thread: Some(thread.map_err(|error| S3Error::Thread(error.to_string()))?) })
    }

    pub(crate) fn uploads(&self) -> &Uploads {
        &self.uploads
    }
}

impl Drop for Uploader {
    fn drop(&mut self) {
        self.uploads.cut();
        if let Some(thread) = self.thread.take() {
            // A panic in it was noted as the reason why it stopped.
            thread.join().unwrap_or(());
        }
    }
}

/// A panic must not look as if nothing had to be uploaded.
struct EndOnPanic<'u>(&'u Uploads);

impl Drop for EndOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.lock().stopped = Some(S3Error::Thread("the uploader panicked; report this".to_owned()));
            self.0.shared.changed.notify_all();
        }
    }
}

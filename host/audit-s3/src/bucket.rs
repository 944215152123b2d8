//! A bucket for those who are not async: requests run in a thread of their own,
//! so that neither the log's committer nor a verifier needs a runtime.

use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::{self, Handle};
use tokio::sync::oneshot;

use crate::client::Client;
use crate::{Credentials, Location, Options, S3Error};

/// How soon whoever waits for an answer notices that it is not wanted any more.
const CUT_POLL: Duration = Duration::from_millis(50);

/// A log's place in a bucket. Clones share one thread and its connections.
///
/// Reading takes the rights `s3:GetObject`, `s3:ListBucket` and, to verify,
/// `s3:ListBucketVersions`; writing also `s3:PutObject`,
/// `s3:AbortMultipartUpload` and, with a lock, `s3:PutObjectRetention`; erasing
/// payloads `s3:DeleteObject` and `s3:DeleteObjectVersion`, best on `payloads/`
/// alone.
#[derive(Clone)]
pub struct Bucket {
    shared: Arc<Shared>,
}

struct Shared {
    client: Arc<Client>,
    handle: Handle,
    /// Dropped to end the thread.
    alive: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Bucket {
    /// Names a place. Asks nothing of the server yet.
    ///
    /// # Errors
    /// No thread could be started.
    pub fn new(location: Location, credentials: Credentials, options: Options) -> Result<Self, S3Error> {
        let failed = |error: std::io::Error| S3Error::Thread(error.to_string());
        let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let handle = runtime.handle().clone();
        let (alive, ended) = oneshot::channel::<()>();
        let client = Arc::new(Client::new(location, credentials, options)?);
        let thread = std::thread::Builder::new()
            .name("vak-audit-s3".to_owned())
            // Fails when the sender is dropped, which is what it waits for.
            .spawn(move || runtime.block_on(async { ended.await.unwrap_or(()) }))
            .map_err(failed)?;
        Ok(Self { shared: Arc::new(Shared { client, handle, alive: Some(alive), thread: Some(thread) }) })
    }

    pub(crate) fn options(&self) -> &Options {
        self.shared.client.options()
    }

    pub(crate) fn place(&self) -> String {
        let Location { bucket, .. } = self.shared.client.location();
        format!("s3://{bucket}/{}", self.shared.client.location().key(""))
    }

    /// Waits for what `work` does with the bucket.
    pub(crate) fn run<T, F>(&self, work: impl FnOnce(Arc<Client>) -> F) -> Result<T, S3Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, S3Error>> + Send + 'static,
    {
        self.run_until(&AtomicBool::new(false), work)
    }

    /// The same, and gives up when `cut` becomes true.
    pub(crate) fn run_until<T, F>(&self, cut: &AtomicBool, work: impl FnOnce(Arc<Client>) -> F) -> Result<T, S3Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, S3Error>> + Send + 'static,
    {
        let (done, result) = mpsc::sync_channel(1);
        let work = work(Arc::clone(&self.shared.client));
        let task = self.shared.handle.spawn(async move {
            // Fails when nobody waits any more.
            done.send(work.await).unwrap_or(());
        });
        loop {
            match result.recv_timeout(CUT_POLL) {
                Ok(ended) => return ended,
                Err(mpsc::RecvTimeoutError::Timeout) if cut.load(Ordering::Relaxed) => {
                    task.abort();
                    return Err(S3Error::Interrupted);
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    return Err(S3Error::Thread("the network's thread ended within a request".to_owned()));
                }
            }
        }
    }
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bucket").field(&self.place()).finish()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.alive = None;
        if let Some(thread) = self.thread.take() {
            // It has nothing to tell; a panic in it was told by its request.
            thread.join().unwrap_or(());
        }
    }
}

//! How much is worked out at the same time.

use std::sync::Arc;

use tokio::sync::Semaphore;

/// Requests that wait for a place. What comes then is turned away at once, since
/// nobody reads a page that comes after minutes.
const WAITING_MAX: usize = 512;

/// Lets as many work as there are processors, on threads of their own, so that
/// files and `/health` are answered meanwhile.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    waiting: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

/// Too many wait already.
#[derive(Debug)]
pub(crate) struct Busy;

impl Gate {
    pub(crate) fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self { waiting: Arc::new(Semaphore::new(WAITING_MAX)), places: Arc::new(Semaphore::new(processors)) }
    }

    /// Does `work` when there is a place. If nobody waits for it any more it is
    /// not begun.
    pub(crate) async fn pass<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        let _waiting = self.waiting.try_acquire().map_err(|_| Busy)?;
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| Busy)?;
        let work = move || {
            let done = work();
            drop(place);
            done
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| Busy)
    }
}

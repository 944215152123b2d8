//! Waiting, but not for ever.

use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

/// Threads for timers and sockets. What a skill computes runs on its caller's
/// thread, so these have little to do; two, so that one TLS handshake does not
/// hold up another call's time-out.
const THREADS: usize = 2;

/// Threads that look up names, which the system does in a blocking way: a few,
/// because a name server that does not answer holds one for seconds.
const LOOKUP_THREADS_MAX: usize = 16;

/// Why nothing came of waiting.
#[derive(Debug, thiserror::Error)]
pub enum WaitError {
    /// It took too long.
    #[error("waited longer than its wall-time limit")]
    TimedOut,
    /// There are no threads for timers and sockets.
    #[error("the threads that wait for skills could not be started: {0}")]
    Threads(String),
}

/// Runs `work` on this thread, for `limit` at the most. It may be called
/// anywhere, also on the thread of an executor, which it then holds up.
///
/// What waits inside `work` waits on a runtime of this crate's own: so the end
/// of the time does not depend on whether the caller's executor is busy, and
/// everything that was started for `work` ends with it.
///
/// # Errors
/// The time is over, or threads cannot be had.
pub fn wait<T>(limit: Duration, work: impl Future<Output = T>) -> Result<T, WaitError> {
    let runtime = runtime()?;
    let _entered = runtime.enter();
    // An executor whose thread this is has a budget for each of its tasks, which
    // this one would use up and wait for in vain.
    let mut work = pin!(tokio::task::unconstrained(tokio::time::timeout(limit, work)));
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    loop {
        match work.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(done) => return done.map_err(|_| WaitError::TimedOut),
            // A wake-up that comes before is not lost: it makes this return.
            Poll::Pending => std::thread::park(),
        }
    }
}

/// Wakes the thread that waits.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn runtime() -> Result<&'static Runtime, WaitError> {
    static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();
    let started = RUNTIME.get_or_init(|| {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(THREADS).max_blocking_threads(LOOKUP_THREADS_MAX).thread_name("vak-wasi").enable_all();
        builder.build().map_err(|error| error.to_string())
    });
    started.as_ref().map_err(|error| WaitError::Threads(error.clone()))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn ends_in_time_and_not_before() {
        let short = Duration::from_millis(30);
        assert!(matches!(wait(short, std::future::pending::<()>()), Err(WaitError::TimedOut)));
        let long = Duration::from_secs(60);
        let start = Instant::now();
        assert_eq!(wait(long, async { tokio::time::sleep(short).await }).ok(), Some(()));
        assert!(start.elapsed() >= short && start.elapsed() < long);
    }

    #[test]
    fn works_on_the_thread_of_another_executor() {
        let other = Builder::new_current_thread().build().unwrap();
        // More steps than tokio gives a task before it has to let others go.
        let steps = async {
            let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
            (0..1_000).try_for_each(|step| sender.send(step)).unwrap();
            drop(sender);
            let mut received = 0;
            while receiver.recv().await.is_some() {
                received += 1;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
            received
        };
        assert_eq!(other.block_on(async { wait(Duration::from_secs(60), steps) }).ok(), Some(1_000));
    }
}

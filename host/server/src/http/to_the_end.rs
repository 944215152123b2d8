//! Work that goes on when nobody waits for it any more.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

use super::problem::Problem;

/// Work in the task of whoever waits for it: waking another for each request
/// costs as much as a decision. If it is dropped before its end it goes on in a
/// task of `tasks`, and what it gives is dropped there.
pub(crate) struct ToTheEnd<T: Send + 'static> {
    work: Option<BoxFuture<'static, T>>,
    tasks: TaskTracker,
    runtime: Handle,
}

impl<T: Send + 'static> ToTheEnd<T> {
    pub(crate) fn new(work: impl Future<Output = T> + Send + 'static, tasks: &TaskTracker, runtime: &Handle) -> Self {
        Self { work: Some(work.boxed()), tasks: tasks.clone(), runtime: runtime.clone() }
    }
}

impl<T: Send + 'static> Future for ToTheEnd<T> {
    type Output = Result<T, Problem>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(work) = &mut self.work else { return Poll::Ready(Err(Problem::internal("it has ended before"))) };
        let polled = AssertUnwindSafe(|| work.poll_unpin(cx));
        let result = match std::panic::catch_unwind(polled) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(done)) => Ok(done),
            // What it held is whole: whatever it had begun is ended by its parts.
            Err(_) => Err(Problem::internal("it panicked")),
        };
        self.work = None;
        Poll::Ready(result)
    }
}

impl<T: Send + 'static> Drop for ToTheEnd<T> {
    fn drop(&mut self) {
        if let Some(work) = self.work.take() {
            self.tasks.spawn_on(work.map(drop), &self.runtime);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn it_ends_whether_or_not_somebody_waits() {
        let (tasks, runtime) = (TaskTracker::new(), Handle::current());
        assert_eq!(ToTheEnd::new(async { 1 }, &tasks, &runtime).await.unwrap(), 1);
        assert!(tasks.is_empty());
        let (go, gone) = oneshot::channel::<()>();
        let (done, ended) = oneshot::channel();
        let mut work = ToTheEnd::new(async move { done.send(gone.await.is_ok()).unwrap() }, &tasks, &runtime);
        assert!((&mut work).now_or_never().is_none());
        drop(work);
        go.send(()).unwrap();
        assert!(ended.await.unwrap());
        // Not even begun.
        let (done, ended) = oneshot::channel();
        drop(ToTheEnd::new(async move { done.send(()).unwrap() }, &tasks, &runtime));
        ended.await.unwrap();
        let panics = ToTheEnd::new(async { assert!(tasks_are_fine(), "no") }, &tasks, &runtime).await;
        assert!(panics.is_err());
        tasks.close();
        tasks.wait().await;
    }

    fn tasks_are_fine() -> bool {
        false
    }
}

//! Doing something for Python, whether or not it waits.
//!
//! What is begun is ended. It runs in the thread or event loop that asked for it
//! as long as that goes on; when that is interrupted or cancelled, the rest is
//! done in the background and what comes of it is dropped, which undoes what was
//! allowed (see [`Allowed`](crate::allowed::Allowed)).

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use pyo3::IntoPyObjectExt as _;
use pyo3::prelude::*;
use tokio::runtime::Handle;

use crate::awaitable::Awaitable;
use crate::errors::Error;
use crate::runtime::Background;

/// How often a thread that waits looks whether Python has a signal for it, such as
/// that of Ctrl-C.
const SIGNALS: Duration = Duration::from_millis(50);

/// Makes of what was done what Python gets. If it is dropped, Python got nothing.
pub(crate) type Give = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>;

/// What is to be done. Nothing is before it is polled.
pub(crate) type Work = BoxFuture<'static, Result<Give, Error>>;

/// Whether Python waits for what it asks in its thread or in its event loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Blocking,
    Async,
}

/// Something to do, and what Python gets of it.
pub(crate) fn work<T: Send + 'static>(
    future: impl Future<Output = Result<T, Error>> + Send + 'static,
    give: impl FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static,
) -> Work {
    future.map(|done| Ok(Box::new(|py: Python<'_>| give(py, done?)) as Give)).boxed()
}

/// The same for what an object is made of.
pub(crate) fn objects<T, P>(future: impl Future<Output = Result<T, Error>> + Send + 'static, object: fn(T) -> P) -> Work
where
    T: Send + 'static,
    P: for<'py> IntoPyObject<'py> + 'static,
{
    work(future, move |py, done| object(done).into_py_any(py))
}

pub(crate) fn same<T>(value: T) -> T {
    value
}

pub(crate) fn nothing((): ()) -> Option<bool> {
    None
}

impl Mode {
    /// What was done, or an object that can be awaited until it is.
    pub(crate) fn run(self, py: Python<'_>, background: Background, work: Work) -> PyResult<Py<PyAny>> {
        match self {
            Self::Blocking => block(py, &background.handle, work)??(py),
            Self::Async => Ok(Bound::new(py, Awaitable::new(background, work))?.into_any().unbind()),
        }
    }
}

/// Waits for it in this thread, which meanwhile does not hold Python's lock.
pub(crate) fn block<T: Send + 'static>(
    py: Python<'_>,
    runtime: &Handle,
    work: impl Future<Output = T> + Send + 'static,
) -> PyResult<T> {
    let mut work = Box::pin(work);
    if let Poll::Ready(done) = py.detach(|| poll(runtime, work.as_mut(), Waker::noop())) {
        return Ok(done);
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    loop {
        if let Poll::Ready(done) = py.detach(|| poll_for(runtime, work.as_mut(), &waker, SIGNALS)) {
            return Ok(done);
        }
        if let Err(interrupted) = py.check_signals() {
            runtime.spawn(work.map(drop));
            return Err(interrupted);
        }
    }
}

/// Polls it once. Most of what is asked of a host is done then.
pub(crate) fn poll<T>(runtime: &Handle, work: Pin<&mut (impl Future<Output = T> + ?Sized)>, waker: &Waker) -> Poll<T> {
    // Skills and connections are started where they can run.
    let _entered = runtime.enter();
    work.poll(&mut Context::from_waker(waker))
}

fn poll_for<T>(
    runtime: &Handle,
    mut work: Pin<&mut (impl Future<Output = T> + ?Sized)>,
    waker: &Waker,
    time: Duration,
) -> Poll<T> {
    let until = Instant::now() + time;
    loop {
        if let Poll::Ready(done) = poll(runtime, work.as_mut(), waker) {
            return Poll::Ready(done);
        }
        match until.checked_duration_since(Instant::now()) {
            Some(left) if !left.is_zero() => std::thread::park_timeout(left),
            _ => return Poll::Pending,
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

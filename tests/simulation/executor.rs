//! Decisions in flight, polled one at a time by whoever holds them: no threads
//! and no timers, so that the seed alone says what happens when.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};

/// One future and whether it asked to be polled.
pub(crate) struct Task<'a, Output> {
    future: Pin<Box<dyn Future<Output = Output> + 'a>>,
    awake: Arc<Flag>,
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}

impl<'a, Output> Task<'a, Output> {
    pub(crate) fn new(future: impl Future<Output = Output> + 'a) -> Self {
        Self { future: Box::pin(future), awake: Arc::new(Flag(AtomicBool::new(true))) }
    }

    /// False for a task that nothing will ever wake: a real executor would
    /// never poll it again.
    pub(crate) fn is_awake(&self) -> bool {
        self.awake.0.load(Relaxed)
    }

    pub(crate) fn poll(&mut self) -> Poll<Output> {
        self.awake.0.store(false, Relaxed);
        let waker = Waker::from(Arc::clone(&self.awake));
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }
}

//! What is known of a connection: how much of it the system took.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::parcel::Parcel;

/// One connection's answers, from when they are handed over to when the first
/// byte behind that is written.
#[derive(Debug, Default)]
pub(crate) struct Link {
    written: AtomicU64,
    sending: Mutex<Vec<(u64, Vec<Arc<Parcel>>)>>,
}

impl Link {
    /// An answer with these is to be written next.
    pub(crate) fn hand_over(&self, parcels: Vec<Arc<Parcel>>) {
        let written = self.settle();
        if !parcels.is_empty() {
            self.sending.lock().unwrap_or_else(PoisonError::into_inner).push((written, parcels));
        }
    }

    /// Takes note of what has begun to leave. All that has not by the end of the
    /// connection never does.
    fn settle(&self) -> u64 {
        let written = self.written.load(Ordering::Acquire);
        let mut sending = self.sending.lock().unwrap_or_else(PoisonError::into_inner);
        sending.retain(|(before, parcels)| {
            let left = written > *before;
            if left {
                parcels.iter().for_each(|parcel| parcel.left());
            }
            !left
        });
        written
    }
}

/// Also when its task does not come to its end: what has left must not be taken
/// back.
impl Drop for Link {
    fn drop(&mut self) {
        self.settle();
    }
}

/// A stream that counts what the system takes of it, and does not wait forever
/// for a client that does not read.
pub(crate) struct Counted<S> {
    stream: S,
    link: Arc<Link>,
    within: Duration,
    stuck: Option<Pin<Box<Sleep>>>,
}

impl<S> Counted<S> {
    /// A client has to take something of what is written `within` that time.
    pub(crate) fn new(stream: S, link: Arc<Link>, within: Duration) -> Self {
        Self { stream, link, within, stuck: None }
    }

    fn watched<T>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.stuck = None;
            return polled;
        }
        let within = self.within;
        ready!(self.stuck.get_or_insert_with(|| Box::pin(sleep(within))).as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    fn wrote(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = polled {
            self.link.written.fetch_add(bytes as u64, Ordering::Release);
        }
        self.watched(cx, polled)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.wrote(cx, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.wrote(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(cx);
        self.watched(cx, polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.watched(cx, polled)
    }
}

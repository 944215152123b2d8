//! Bodies of responses, bounded.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep, sleep};
use wasmtime_wasi_http::Error;

use super::send::code;
use super::{BODY_BYTES_MAX, Quota};

/// The body of a response. It holds its request's slot until it is read or
/// dropped.
pub(super) struct ResponseBody {
    incoming: Incoming,
    patience: Duration,
    waiting: Pin<Box<Sleep>>,
    quota: Arc<Quota>,
    _slot: OwnedSemaphorePermit,
}

impl ResponseBody {
    /// Gives up when nothing comes for `patience`, or when `quota` is used up.
    pub(super) fn new(incoming: Incoming, patience: Duration, quota: Arc<Quota>, slot: OwnedSemaphorePermit) -> Self {
        Self { incoming, patience, waiting: Box::pin(sleep(patience)), quota, _slot: slot }
    }

    fn take(&self, bytes: usize) -> Result<(), Error> {
        let left = &self.quota.body_bytes_left;
        let taken = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes as u64));
        taken.map(drop).map_err(|_| Error::HttpResponseBodySize(Some(BODY_BYTES_MAX)))
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match Pin::new(&mut self.incoming).poll_frame(cx) {
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(code(&error)))),
            Poll::Ready(Some(Ok(frame))) => {
                let next = Instant::now() + self.patience;
                self.waiting.as_mut().reset(next);
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                Poll::Ready(Some(self.take(bytes).map(|()| frame)))
            }
            Poll::Pending => {
                ready!(self.waiting.as_mut().poll(cx));
                Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

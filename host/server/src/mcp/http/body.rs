//! Answers that hold something until they are out.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::BoxBody;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::seats::Asked;

/// The body of an answer, with what its request takes until it is out.
pub(super) struct Held {
    body: BoxBody<Bytes, Infallible>,
    _taken: Taken,
}

/// A place; for a message, what tells that it is under way; and the id that no other
/// request may have until it is answered.
pub(super) struct Taken {
    _place: OwnedSemaphorePermit,
    _message: Option<TaskTrackerToken>,
    _asked: Option<Arc<Asked>>,
}

impl Taken {
    pub(super) fn new(place: OwnedSemaphorePermit, message: Option<TaskTrackerToken>) -> Self {
        Self { _place: place, _message: message, _asked: None }
    }

    pub(super) fn with(self, asked: Option<Arc<Asked>>) -> Self {
        Self { _asked: asked, ..self }
    }
}

impl Held {
    pub(super) fn new(body: BoxBody<Bytes, Infallible>, taken: Taken) -> Self {
        Self { body, _taken: taken }
    }
}

impl Body for Held {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

//! Answers that hold something until they are out.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::BoxBody;
use tokio::sync::OwnedSemaphorePermit;

use super::seats::Asked;

/// The body of an answer, with the place that its request takes, and the id that
/// no other request may have until it is answered.
pub(super) struct Held {
    body: BoxBody<Bytes, Infallible>,
    _place: OwnedSemaphorePermit,
    _asked: Option<Arc<Asked>>,
}

impl Held {
    pub(super) fn new(
        body: BoxBody<Bytes, Infallible>,
        place: OwnedSemaphorePermit,
        asked: Option<Arc<Asked>>,
    ) -> Self {
        Self { body, _place: place, _asked: asked }
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

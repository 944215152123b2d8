//! Requests of the other side that have no answer yet.

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rmcp::model::{JsonRpcMessage, RequestId};
use serde::Serialize;
use tokio::sync::Notify;

use super::writer::Writer;

/// Requests that may wait for their answer at the same time. The library
/// starts a task for each, so without a bound a peer that sends and does not
/// read fills the memory; with it, no more is read from such a peer. Above
/// twice the calls that run at once, so that a flood of calls is still read
/// and refused.
const REQUESTS_MAX: usize = 1_024;

/// The ids of the requests without an answer.
#[derive(Clone, Default)]
pub(crate) struct Outstanding(Arc<Inner>);

#[derive(Default)]
struct Inner {
    ids: Mutex<HashSet<RequestId>>,
    freed: Notify,
}

impl Outstanding {
    /// Waits until one more request may be read.
    pub(crate) async fn room(&self) {
        loop {
            // Keeps a wake-up that comes between the look and the wait.
            let freed = self.0.freed.notified();
            if self.ids().len() < REQUESTS_MAX {
                return;
            }
            freed.await;
        }
    }

    /// Notes a request. False when its id is in use: the answers of the two
    /// could not be told apart.
    pub(crate) fn asked(&self, id: &RequestId) -> bool {
        self.ids().insert(id.clone())
    }

    /// Forgets a request that was answered or cancelled.
    pub(crate) fn settled(&self, id: &RequestId) {
        self.ids().remove(id);
        self.0.freed.notify_one();
    }

    /// Writes a message and, once it is out or cannot be, forgets the request
    /// that it answers. Without a writer the connection is gone.
    pub(crate) fn write<Req: 'static, Resp: 'static, Not: 'static>(
        &self,
        writer: Option<&Writer>,
        message: &JsonRpcMessage<Req, Resp, Not>,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static + use<Req, Resp, Not>
    where
        JsonRpcMessage<Req, Resp, Not>: Serialize,
    {
        let answered = answered(message);
        let write = writer.map(|writer| writer.write(message));
        let outstanding = self.clone();
        async move {
            let done = match write {
                Some(write) => write.await,
                None => Err(io::ErrorKind::NotConnected.into()),
            };
            if let Some(id) = answered {
                outstanding.settled(&id);
            }
            done
        }
    }

    fn ids(&self) -> MutexGuard<'_, HashSet<RequestId>> {
        self.0.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The id of the request that a message answers.
pub(crate) fn answered<Req, Resp, Not>(message: &JsonRpcMessage<Req, Resp, Not>) -> Option<RequestId> {
    match message {
        JsonRpcMessage::Response(response) => Some(response.id.clone()),
        JsonRpcMessage::Error(error) => error.id.clone(),
        JsonRpcMessage::Request(_) | JsonRpcMessage::Notification(_) => None,
    }
}

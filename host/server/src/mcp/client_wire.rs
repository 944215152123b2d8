//! The connection to the client.

use std::io;
use std::sync::Arc;

use rmcp::RoleServer;
use rmcp::model::{ClientJsonRpcMessage, ClientNotification, ClientRequest, JsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::Transport;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::DropGuard;

use super::lines::Line;
use super::outstanding::Outstanding;
use super::refusals::{Cause, Refusals};
use super::screen;
use super::writer::Writer;

/// Longest line that is read, in bytes. Longer than a message that is acted
/// on: what is read whole can be answered by its id.
pub(crate) const LINE_BYTES_MAX: usize = 16 << 20;

/// Refusals of unreadable lines that may wait to be written. No more is read
/// while that many do.
const REFUSALS_MAX: usize = 16;

/// Lines of the client, screened, and answers to it.
pub(crate) struct ClientWire {
    lines: mpsc::Receiver<Line>,
    writer: Option<Writer>,
    outstanding: Outstanding,
    /// Places for answers to lines that are refused.
    places: Arc<Semaphore>,
    refusals: Arc<Refusals>,
    /// Tells that nothing more comes from the client.
    gone: Option<DropGuard>,
}

impl ClientWire {
    pub(crate) fn new(lines: mpsc::Receiver<Line>, writer: Writer, refusals: Arc<Refusals>, gone: DropGuard) -> Self {
        Self {
            lines,
            writer: Some(writer),
            outstanding: Outstanding::default(),
            places: Arc::new(Semaphore::new(REFUSALS_MAX)),
            refusals,
            gone: Some(gone),
        }
    }

    /// The message, or the answer to a line that is none.
    fn read(&self, line: Line) -> Result<Option<ClientJsonRpcMessage>, Box<ServerJsonRpcMessage>> {
        let message = match line {
            Line::Whole(line) => screen::read(&line).inspect_err(|_| self.refusals.count(Cause::Unreadable))?,
            Line::TooLong => {
                self.refusals.count(Cause::TooLong);
                return Err(screen::too_long(LINE_BYTES_MAX));
            }
        };
        match &message {
            Some(JsonRpcMessage::Request(request)) if !self.outstanding.asked(&request.id) => {
                if let ClientRequest::CallToolRequest(_) = &request.request {
                    self.refusals.count(Cause::RepeatedId);
                }
                Err(screen::repeated(&request.id))
            }
            Some(JsonRpcMessage::Notification(notification)) => {
                if let ClientNotification::CancelledNotification(cancelled) = &notification.notification
                    && let Some(id) = &cancelled.params.request_id
                {
                    self.outstanding.settled(id);
                }
                Ok(message)
            }
            _ => Ok(message),
        }
    }
}

impl Transport<RoleServer> for ClientWire {
    type Error = io::Error;

    fn send(&mut self, message: ServerJsonRpcMessage) -> impl Future<Output = io::Result<()>> + Send + 'static {
        self.outstanding.write(self.writer.as_ref(), &message)
    }

    // May be dropped at every wait: nothing has been taken from `lines` then.
    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        loop {
            self.outstanding.room().await;
            let place = Arc::clone(&self.places).acquire_owned().await.ok()?;
            let Some(line) = self.lines.recv().await else {
                self.gone = None;
                return None;
            };
            match self.read(line) {
                Ok(Some(message)) => return Some(message),
                Ok(None) => {}
                Err(answer) => {
                    let write = self.writer.as_ref().map(|writer| writer.write(&answer));
                    tokio::spawn(async move {
                        if let Some(Err(error)) = futures_util::future::OptionFuture::from(write).await {
                            tracing::debug!(%error, "the client does not take a refusal");
                        }
                        drop(place);
                    });
                }
            }
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        self.writer = None;
        Ok(())
    }
}

//! The connection to the upstream.

use std::io;

use rmcp::RoleClient;
use rmcp::model::{ClientJsonRpcMessage, ErrorData, JsonRpcMessage, RequestId, ServerJsonRpcMessage};
use rmcp::transport::Transport;
use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::sync::{mpsc, watch};

use super::lines::Line;
use super::outstanding::Outstanding;
use super::writer::Writer;

/// Longest line that is read, in bytes. A larger tool result does not fit into
/// any model's context; a screenshot does fit into this.
pub(crate) const LINE_BYTES_MAX: usize = 4 << 20;

/// Lines of the upstream, and requests to it.
pub(crate) struct UpstreamWire {
    lines: mpsc::Receiver<Line>,
    writer: Option<Writer>,
    outstanding: Outstanding,
    dropped: watch::Sender<u64>,
}

/// Stands for an answer that could not be read. An upstream that says the same
/// is believed: nobody knows then what it did.
pub(crate) const UNREADABLE: &str = "its answer is not one that MCP allows";

/// What is left of an answer that is not one.
#[derive(Deserialize)]
struct Remains {
    id: RequestId,
    #[serde(default)]
    method: Option<IgnoredAny>,
}

impl UpstreamWire {
    /// The connection, and how many of the upstream's lines were too long.
    pub(crate) fn new(lines: mpsc::Receiver<Line>, writer: Writer) -> (Self, watch::Receiver<u64>) {
        let (dropped, seen) = watch::channel(0);
        (Self { lines, writer: Some(writer), outstanding: Outstanding::default(), dropped }, seen)
    }

    fn read(&self, line: Line) -> Option<ServerJsonRpcMessage> {
        let Line::Whole(line) = line else {
            self.dropped.send_modify(|dropped| *dropped += 1);
            return None;
        };
        let message = read(&line)?;
        match &message {
            JsonRpcMessage::Request(request) if !self.outstanding.asked(&request.id) => None,
            _ => Some(message),
        }
    }
}

/// An answer that cannot be read becomes an error for whoever waits for it;
/// everything else that cannot be read is noise, such as a greeting.
fn read(line: &[u8]) -> Option<ServerJsonRpcMessage> {
    match serde_json::from_slice(line) {
        Ok(message) => Some(message),
        Err(error) => {
            tracing::debug!(%error, "the upstream sent a line that is not a message");
            let remains: Remains = serde_json::from_slice(line).ok()?;
            let unreadable = ErrorData::internal_error(UNREADABLE, None);
            remains.method.is_none().then(|| JsonRpcMessage::error(unreadable, Some(remains.id)))
        }
    }
}

impl Transport<RoleClient> for UpstreamWire {
    type Error = io::Error;

    fn send(&mut self, message: ClientJsonRpcMessage) -> impl Future<Output = io::Result<()>> + Send + 'static {
        self.outstanding.write(self.writer.as_ref(), &message)
    }

    // May be dropped at every wait: nothing has been taken from `lines` then.
    async fn receive(&mut self) -> Option<ServerJsonRpcMessage> {
        loop {
            self.outstanding.room().await;
            let line = self.lines.recv().await?;
            if let Some(message) = self.read(line) {
                return Some(message);
            }
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        self.writer = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::outstanding::answered;
    use super::*;

    #[test]
    fn a_broken_answer_is_an_error_and_noise_is_nothing() {
        let noise = ["", "hello", "12", "[]", "{\"level\":\"info\"}", "{\"id\":1,\"method\":7}"];
        for line in noise {
            assert!(read(line.as_bytes()).is_none(), "{line}");
        }
        let answer = read(br#"{"jsonrpc":"2.0","id":3,"nope":1}"#).unwrap();
        assert_eq!(answered(&answer), Some(RequestId::Number(3)));
        assert!(matches!(answer, JsonRpcMessage::Error(_)));
    }
}

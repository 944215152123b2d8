//! Standard output as WASI wants it.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

use crate::output::{Output, Stream};

/// Most bytes at a time, as `check-write` tells.
const WRITE_BYTES_MAX: usize = 64 << 10;

/// Makes both outputs of a call lines of the log.
pub(super) fn redirect(builder: &mut WasiCtxBuilder, output: Output) {
    let output = Arc::new(Mutex::new(output));
    builder.stdout(Writer { output: output.clone(), stream: Stream::Out });
    builder.stderr(Writer { output, stream: Stream::Err });
}

#[derive(Clone)]
struct Writer {
    output: Arc<Mutex<Output>>,
    stream: Stream,
}

impl Writer {
    fn take(&self, bytes: &[u8]) -> wasmtime::Result<()> {
        // A panic in between leaves whole lines.
        self.output.lock().unwrap_or_else(PoisonError::into_inner).write(self.stream, bytes)
    }
}

impl IsTerminal for Writer {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Writer {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
}

impl OutputStream for Writer {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.take(&bytes).map_err(StreamError::Trap)
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES_MAX)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Writer {
    async fn ready(&mut self) {}
}

impl AsyncWrite for Writer {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Poll::Ready(self.take(bytes).map(|()| bytes.len()).map_err(std::io::Error::other))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

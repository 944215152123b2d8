//! Messages to a stream.

use std::io::{self, Write};
use std::thread;

use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

struct Job {
    line: Vec<u8>,
    written: oneshot::Sender<io::Result<()>>,
}

/// Writes messages, one a line, on a thread of its own. The stream is closed
/// when the last clone is dropped and what was queued is written.
#[derive(Clone)]
pub(crate) struct Writer {
    // One place: whoever writes waits until the line is out, and that is how
    // a reader that does not read is noticed.
    jobs: mpsc::Sender<Job>,
}

impl Writer {
    /// The writer, and what resolves when the stream is closed.
    pub(crate) fn start(
        output: impl Write + Send + 'static,
        thread: &str,
    ) -> io::Result<(Self, oneshot::Receiver<()>)> {
        let (jobs, queue) = mpsc::channel(1);
        let (closing, closed) = oneshot::channel();
        thread::Builder::new().name(thread.to_owned()).spawn(move || {
            work(output, queue);
            drop(closing);
        })?;
        Ok((Self { jobs }, closed))
    }

    /// Writes one message and waits until it is out.
    pub(crate) fn write<Message: Serialize + 'static>(
        &self,
        message: &Message,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static + use<Message> {
        let line = serde_json::to_vec(message);
        let jobs = self.jobs.clone();
        async move {
            let mut line = line?;
            line.push(b'\n');
            let (written, done) = oneshot::channel();
            jobs.send(Job { line, written }).await.map_err(|_| closed())?;
            done.await.map_err(|_| closed())?
        }
    }
}

fn work(mut output: impl Write, mut queue: mpsc::Receiver<Job>) {
    while let Some(Job { line, written }) = queue.blocking_recv() {
        let done = output.write_all(&line).and_then(|()| output.flush());
        let failed = done.is_err();
        // Nobody waits for it any more: then nobody needs to know.
        written.send(done).unwrap_or_default();
        if failed {
            return;
        }
    }
}

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the other side has closed its input")
}

//! Messages to a stream.

use std::io::{self, IoSlice, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rustix::io::{Errno, ReadWriteFlags, pwritev2};
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

struct Job {
    line: Vec<u8>,
    written: oneshot::Sender<io::Result<()>>,
    turn: Turn,
}

/// Writes messages, one a line. What the stream takes at once is written at
/// once; what it does not is written on a thread of its own, which may wait.
/// The stream is closed when the last clone is dropped and what was queued is
/// written.
#[derive(Clone)]
pub(crate) struct Writer {
    // One place: whoever writes waits until the line is out, and that is how
    // a reader that does not read is noticed.
    jobs: mpsc::Sender<Job>,
    stream: Arc<Stream>,
}

/// The stream, for writes that do not wait. Waking a thread to write a line
/// and being woken by it costs several times the write.
struct Stream {
    output: OwnedFd,
    /// Lines that the thread has or will have. While there are any, every
    /// other line goes behind them.
    queued: Mutex<usize>,
}

/// A line's place among those that the thread has or will have.
struct Turn(Arc<Stream>);

impl Drop for Turn {
    fn drop(&mut self) {
        *self.0.queued.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
    }
}

impl Writer {
    /// The writer, and what resolves when the stream is closed.
    pub(crate) fn start(
        output: impl Write + AsFd + Send + 'static,
        thread: &str,
    ) -> io::Result<(Self, oneshot::Receiver<()>)> {
        let (jobs, queue) = mpsc::channel(1);
        let (closing, closed) = oneshot::channel();
        let stream = Arc::new(Stream { output: output.as_fd().try_clone_to_owned()?, queued: Mutex::default() });
        thread::Builder::new().name(thread.to_owned()).spawn(move || {
            work(output, queue);
            drop(closing);
        })?;
        Ok((Self { jobs, stream }, closed))
    }

    /// Writes one message and waits until it is out.
    pub(crate) fn write<Message: Serialize + 'static>(
        &self,
        message: &Message,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static + use<Message> {
        let line = serde_json::to_vec(message);
        let writer = self.clone();
        async move {
            let mut line = line?;
            line.push(b'\n');
            let (written, done) = oneshot::channel();
            if let Some(job) = writer.write_now(line, written)? {
                writer.jobs.send(job).await.map_err(|_| closed())?;
            }
            done.await.map_err(|_| closed())?
        }
    }

    /// Writes a line without waiting, or gives what is left of it to the
    /// thread; gives it back when others wait for the thread already.
    fn write_now(&self, line: Vec<u8>, written: oneshot::Sender<io::Result<()>>) -> io::Result<Option<Job>> {
        let mut queued = self.stream.queued.lock().unwrap_or_else(PoisonError::into_inner);
        let first = *queued == 0;
        let out = if first { self.stream.write_some(&line)? } else { 0 };
        if out == line.len() {
            written.send(Ok(())).unwrap_or_default();
            return Ok(None);
        }
        *queued += 1;
        let line = if out == 0 { line } else { line[out..].to_vec() };
        let job = Job { line, written, turn: Turn(Arc::clone(&self.stream)) };
        if !first {
            return Ok(Some(job));
        }
        // Before anybody else can: what follows half a line must be its other
        // half, whether or not somebody still waits for it.
        let sent = self.jobs.try_send(job);
        // What comes back when the thread is gone has a turn to give up.
        drop(queued);
        sent.map(|()| None).map_err(|_| closed())
    }
}

impl Stream {
    /// As many bytes as the stream takes at once. None, where the system or
    /// the kind of stream has no such write.
    fn write_some(&self, line: &[u8]) -> io::Result<usize> {
        // The offset means the stream's own position.
        match pwritev2(&self.output, &[IoSlice::new(line)], u64::MAX, ReadWriteFlags::NOWAIT) {
            Ok(bytes) => Ok(bytes),
            Err(Errno::AGAIN | Errno::INTR | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL | Errno::SPIPE) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }
}

fn work(mut output: impl Write, mut queue: mpsc::Receiver<Job>) {
    while let Some(Job { line, written, turn }) = queue.blocking_recv() {
        let done = output.write_all(&line).and_then(|()| output.flush());
        let failed = done.is_err();
        drop(turn);
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::{BufRead as _, BufReader};

    use futures_util::FutureExt as _;
    use futures_util::future::join_all;

    use super::*;

    /// More than any pipe holds.
    const LONG: usize = 4 << 20;

    #[test]
    fn what_the_stream_takes_at_once_is_written_at_once() {
        let (output, input) = io::pipe().unwrap();
        let (writer, _closed) = Writer::start(input, "test").unwrap();
        writer.write(&1).now_or_never().unwrap().unwrap();
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).unwrap();
        assert_eq!(line, "1\n");
    }

    #[tokio::test]
    async fn lines_stay_whole_and_in_order() {
        let (output, input) = io::pipe().unwrap();
        let (writer, closed) = Writer::start(input, "test").unwrap();
        let long = "x".repeat(LONG);
        // Half a line is out when nobody waits for the other half any more.
        assert!(writer.write(&long).now_or_never().is_none());
        let reader = thread::spawn(|| BufReader::new(output).lines().map(Result::unwrap).collect::<Vec<_>>());
        for written in join_all((0..20).map(|number| writer.write(&number))).await {
            written.unwrap();
        }
        drop(writer);
        closed.await.unwrap_err();
        let expected: Vec<_> = [format!("\"{long}\"")].into_iter().chain((0..20).map(|n| n.to_string())).collect();
        assert!(reader.join().unwrap() == expected);
    }

    #[tokio::test]
    async fn a_closed_stream_is_an_error() {
        let (output, input) = io::pipe().unwrap();
        let (writer, _closed) = Writer::start(input, "test").unwrap();
        let waiting = "x".repeat(LONG);
        let waiting = writer.write(&waiting);
        tokio::pin!(waiting);
        assert!(waiting.as_mut().now_or_never().is_none());
        let behind = writer.write(&1);
        drop(output);
        assert_eq!(waiting.await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(behind.await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(writer.write(&2).await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}

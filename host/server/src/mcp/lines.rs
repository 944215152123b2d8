//! Lines of a stream, each no longer than a limit.
//!
//! Streams are read on threads of their own and not by the runtime: a read of
//! standard input cannot be given up, and a runtime that waits for one does not
//! end before the client has closed it.

use std::io::{self, BufRead, BufReader, Read};
use std::thread;

use tokio::sync::mpsc;

/// Lines that are read ahead of whoever takes them. Some overlap is enough;
/// each may be as long as the limit.
const QUEUED_MAX: usize = 4;

/// One line without its newline.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// All of it.
    Whole(Vec<u8>),
    /// It was longer than the limit and is gone.
    TooLong,
}

/// Reads lines on a thread until the stream ends or nobody takes them.
pub(crate) fn follow(
    input: impl Read + Send + 'static,
    bytes_max: usize,
    thread: &str,
) -> io::Result<mpsc::Receiver<Line>> {
    let (sender, receiver) = mpsc::channel(QUEUED_MAX);
    let mut lines = Lines::new(input, bytes_max);
    thread::Builder::new().name(thread.to_owned()).spawn(move || {
        while let Ok(Some(line)) = lines.next() {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    })?;
    Ok(receiver)
}

/// Splits a stream into lines.
pub(crate) struct Lines<R> {
    input: BufReader<R>,
    bytes_max: usize,
    skip: bool,
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(input: R, bytes_max: usize) -> Self {
        Self { input: BufReader::with_capacity(64 << 10, input), bytes_max, skip: false }
    }

    /// The next line; `None` at the end. A line that is too long is reported
    /// at once, since its end may never come, and skipped after that.
    pub(crate) fn next(&mut self) -> io::Result<Option<Line>> {
        if std::mem::take(&mut self.skip) {
            self.input.skip_until(b'\n')?;
        }
        let mut line = Vec::new();
        let bytes_read_max = self.bytes_max as u64 + 1;
        self.input.by_ref().take(bytes_read_max).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(None);
        }
        let ended = line.pop_if(|byte| *byte == b'\n').is_some();
        if ended || line.len() <= self.bytes_max {
            return Ok(Some(Line::Whole(line)));
        }
        self.skip = true;
        Ok(Some(Line::TooLong))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn keeps_the_limit_and_finds_the_next_line() {
        let whole = |text: &str| Line::Whole(text.into());
        let cases = [
            ("", vec![]),
            ("ab\ncd\n", vec![whole("ab"), whole("cd")]),
            ("abcd\n\nab", vec![whole("abcd"), whole(""), whole("ab")]),
            ("abcde\nab\n", vec![Line::TooLong, whole("ab")]),
            ("abcdefghijk\nab\nabcde", vec![Line::TooLong, whole("ab"), Line::TooLong]),
        ];
        for (text, expected) in cases {
            let mut lines = Lines::new(text.as_bytes(), 4);
            let read: Vec<_> = std::iter::from_fn(|| lines.next().unwrap()).collect();
            assert_eq!(read, expected, "{text:?}");
        }
    }
}

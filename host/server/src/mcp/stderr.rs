//! What the upstream writes to its standard error.

use std::io::{self, Read, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;
use vak_types::{Name, printable};

use super::lines::{Line, Lines};

/// Longest line, in bytes: room for a stack frame with its path.
const LINE_BYTES_MAX: usize = 4_096;

/// How much of the end is kept for error messages, in bytes: the last line or
/// two say why a program gave up.
const TAIL_BYTES_MAX: usize = 512;

/// How long to wait for the end of the stream when the last words are asked
/// for: a process can be seen to end before its last words are read.
const LAG: Duration = Duration::from_millis(100);

/// Passes lines on to our standard error, under the upstream's name and with
/// nothing in them that could forge a line, and remembers the last ones.
#[derive(Clone)]
pub(crate) struct Stderr {
    tail: Arc<Mutex<String>>,
    /// Fails when the stream has ended.
    open: watch::Receiver<()>,
}

impl Stderr {
    pub(crate) fn follow(input: impl Read + Send + 'static, upstream: &Name) -> io::Result<Self> {
        let (ended, open) = watch::channel(());
        let stderr = Self { tail: Arc::default(), open };
        let (copy, prefix) = (stderr.clone(), format!("[{upstream}] "));
        thread::Builder::new().name("vak-mcp-stderr".to_owned()).spawn(move || {
            copy.work(input, &prefix);
            drop(ended);
        })?;
        Ok(stderr)
    }

    fn work(&self, input: impl Read, prefix: &str) {
        let mut lines = Lines::new(input, LINE_BYTES_MAX);
        while let Ok(Some(line)) = lines.next() {
            let line = match line {
                Line::Whole(line) => printable(String::from_utf8_lossy(&line).trim_end(), LINE_BYTES_MAX),
                Line::TooLong => format!("(a line of more than {LINE_BYTES_MAX} bytes)"),
            };
            self.keep(&line);
            // Reading must go on when our own standard error is closed: the
            // upstream would block.
            io::stderr().write_all(format!("{prefix}{line}\n").as_bytes()).unwrap_or_default();
        }
    }

    fn keep(&self, line: &str) {
        if line.is_empty() {
            return;
        }
        let mut tail = self.lock();
        if !tail.is_empty() {
            tail.push_str(" | ");
        }
        tail.push_str(line);
        let excess = tail.len().saturating_sub(TAIL_BYTES_MAX);
        let excess = tail.ceil_char_boundary(excess);
        tail.drain(..excess);
    }

    /// The last lines, to end a sentence with; empty when there were none.
    pub(crate) async fn last_words(&self) -> String {
        let mut open = self.open.clone();
        timeout(LAG, open.changed()).await.map(drop).unwrap_or_default();
        self.read()
    }

    fn read(&self) -> String {
        let tail = self.lock();
        match tail.as_str() {
            "" => String::new(),
            tail => format!("; its last words: {tail}"),
        }
    }

    fn lock(&self) -> MutexGuard<'_, String> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_end() {
        let stderr = Stderr { tail: Arc::default(), open: watch::channel(()).1 };
        assert_eq!(stderr.read(), "");
        stderr.keep("starting");
        stderr.keep("bad config");
        assert_eq!(stderr.read(), "; its last words: starting | bad config");
        stderr.keep(&"é".repeat(TAIL_BYTES_MAX));
        assert_eq!(stderr.lock().as_str(), "é".repeat(TAIL_BYTES_MAX / 2));
    }
}

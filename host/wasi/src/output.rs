//! Standard output and error, as lines of the host's log.

use std::sync::Arc;

use vak_engine::HostCalls;
use wasmtime::Result;

/// One of a component's two outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// Where lines go. It gets each without its line break, at most 512 KiB of it.
pub type Sink = Arc<dyn Fn(Stream, &[u8]) + Send + Sync>;

/// Bytes of a line that are kept. Whoever takes it cuts it much shorter, but
/// has to see whole what must not be in it, and the longest of that, a secret
/// written as JSON, is shorter than this.
const LINE_BYTES_MAX: usize = 512 << 10;

/// What a call has written, up to the last line break. Its default drops
/// everything.
#[derive(Default)]
pub struct Output {
    to: Option<To>,
    out: Vec<u8>,
    err: Vec<u8>,
}

struct To {
    sink: Sink,
    /// A line is a call into the host, however many came in one piece.
    lines: HostCalls,
}

impl Output {
    /// At most `lines_max` lines to `sink`.
    pub fn new(sink: Sink, lines_max: u32) -> Self {
        let lines = HostCalls::at_most(lines_max);
        Self { to: Some(To { sink, lines }), out: Vec::new(), err: Vec::new() }
    }

    /// Takes what a component writes.
    ///
    /// # Errors
    /// There were more lines than a call may write.
    pub(crate) fn write(&mut self, stream: Stream, bytes: &[u8]) -> Result<()> {
        let Some(to) = &mut self.to else { return Ok(()) };
        let line = match stream {
            Stream::Out => &mut self.out,
            Stream::Err => &mut self.err,
        };
        let mut pieces = bytes.split(|byte| *byte == b'\n');
        keep(line, pieces.next().unwrap_or_default());
        for piece in pieces {
            to.line(stream, line)?;
            line.clear();
            keep(line, piece);
        }
        Ok(())
    }
}

impl To {
    /// Nothing but a line break says nothing, and is not worth a line.
    fn line(&mut self, stream: Stream, line: &[u8]) -> Result<()> {
        if !line.is_empty() {
            self.lines.count()?;
            (self.sink)(stream, line);
        }
        Ok(())
    }
}

fn keep(line: &mut Vec<u8>, bytes: &[u8]) {
    let room = LINE_BYTES_MAX - line.len();
    line.extend_from_slice(&bytes[..bytes.len().min(room)]);
}

/// The last line counts too, above all when it says why the call ended.
impl Drop for Output {
    fn drop(&mut self) {
        if let Some(to) = &mut self.to {
            for (stream, line) in [(Stream::Out, &self.out), (Stream::Err, &self.err)] {
                // One line too many is left out: there is no call left to end.
                if to.line(stream, line).is_err() {
                    tracing::debug!("a component's last line was one too many");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn written(pieces: &[&str], lines_max: u32) -> (Vec<String>, bool) {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let to = lines.clone();
        let sink: Sink = Arc::new(move |_, line| to.lock().unwrap().push(String::from_utf8_lossy(line).into_owned()));
        let mut output = Output::new(sink, lines_max);
        let ended = pieces.iter().any(|piece| output.write(Stream::Out, piece.as_bytes()).is_err());
        drop(output);
        (Arc::into_inner(lines).unwrap().into_inner().unwrap(), ended)
    }

    #[test]
    fn lines_are_whole_and_counted() {
        let cases: &[(&[&str], u32, &[&str], bool)] = &[
            (&["a", "b\nc", "\n\n", "d"], 9, &["ab", "c", "d"], false),
            (&["a\nb\nc\n"], 2, &["a", "b"], true),
            (&["a\n", "b"], 1, &["a"], false),
            (&["\n\n\n\n"], 1, &[], false),
        ];
        for (pieces, max, expected, ends) in cases {
            let (lines, ended) = written(pieces, *max);
            assert_eq!((lines, ended), (expected.iter().map(ToString::to_string).collect(), *ends), "{pieces:?}");
        }
    }

    #[test]
    fn a_line_is_kept_to_its_limit() {
        let piece = "x".repeat(LINE_BYTES_MAX - 1);
        let (lines, _) = written(&[&piece, "yz", "z\nend"], 9);
        assert_eq!((lines[0].len(), lines[1].as_str()), (LINE_BYTES_MAX, "end"));
        assert!(lines[0].ends_with("xy"));
    }
}

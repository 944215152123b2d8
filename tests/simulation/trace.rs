//! What happened, line by line, and how to see it again.

use std::fmt;

/// How many lines are shown of a failed run.
const TAIL_LINES: usize = 40;

/// The lines of one run. Dropped by a panic it prints how to repeat the run.
#[derive(Debug)]
pub(crate) struct Trace {
    seed: u64,
    lines: Vec<String>,
}

impl Trace {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, lines: Vec::new() }
    }

    pub(crate) fn line(&mut self, line: fmt::Arguments<'_>) {
        self.lines.push(line.to_string());
    }

    pub(crate) fn text(&self) -> String {
        self.lines.join("\n")
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let from = self.lines.len().saturating_sub(TAIL_LINES);
            eprintln!("{}", self.lines[from..].join("\n"));
            eprintln!("VAK_SEED={} cargo test -p vak-simulation", self.seed);
        }
    }
}

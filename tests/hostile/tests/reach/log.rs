//! What the host logs, caught.

use std::io::Write;
use std::sync::{Mutex, Once};

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Catch;

impl Write for Catch {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LINES.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// From here on every line of this process is kept.
pub(crate) fn catch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing_subscriber::fmt().with_ansi(false).without_time().with_writer(|| Catch).init();
    });
}

/// The lines about the component `name` so far.
pub(crate) fn lines(name: &str) -> Vec<String> {
    let lines = String::from_utf8_lossy(&LINES.lock().unwrap()).into_owned();
    let mark = format!("component=\"{name}\"");
    lines.lines().filter(|line| line.contains(&mark)).map(str::to_owned).collect()
}

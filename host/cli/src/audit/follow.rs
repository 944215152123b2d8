//! `vak audit tail --follow`

use std::path::Path;
use std::time::Duration;

use vak_audit::LogReader;

use super::print;

/// How often the log is looked at. The writer is another process, which tells
/// nobody.
const PAUSE: Duration = Duration::from_millis(200);

/// Prints entries from `next` on as they come.
pub(super) fn follow(log: &Path, mut next: u64, json: bool) -> anyhow::Result<()> {
    loop {
        // Opened anew: a host may have begun to write since.
        let reader = LogReader::open(log)?;
        let size = reader.size()?;
        for entry in reader.entries(next, size.saturating_sub(next)) {
            print::entry(&entry?, json)?;
            next += 1;
        }
        std::thread::sleep(PAUSE);
    }
}

//! The one place where the host reads the time and makes ids.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use vak_types::{ActionId, Timestamp};

/// What time it is, as the system says.
pub(crate) fn system() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_nanos(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

/// Makes ids that no other run of any host makes: 64 random bits a run, then a
/// counter.
#[derive(Debug)]
pub(crate) struct ActionIds {
    run: u64,
    next: AtomicU64,
}

impl ActionIds {
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        Ok(Self { run: getrandom::u64()?, next: AtomicU64::new(1) })
    }

    pub(crate) fn next(&self) -> Result<ActionId, vak_types::TextError> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        format!("{:016x}-{number}", self.run).parse()
    }
}

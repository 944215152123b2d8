//! `[approvals]`

use std::time::Duration;

use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize};

/// A week: longer than anybody is away, and what waits is found again in so much
/// of the log when a host starts.
const WAIT_S_MAX: u64 = 7 * 24 * 60 * 60;

/// Actions that persons decide.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Approvals {
    /// Seconds that an action waits for an answer, and a yes for its use.
    #[serde(default = "wait_s", deserialize_with = "within")]
    pub wait_s: u64,
}

impl Approvals {
    /// How long an action waits for an answer, and a yes for its use.
    pub fn wait(&self) -> Duration {
        Duration::from_secs(self.wait_s)
    }
}

impl Default for Approvals {
    fn default() -> Self {
        Self { wait_s: wait_s() }
    }
}

/// A quarter of an hour: whoever is asked can be at lunch's end, and what was
/// asked is still what is the matter.
fn wait_s() -> u64 {
    15 * 60
}

fn within<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    match u64::deserialize(deserializer)? {
        wait @ 1..=WAIT_S_MAX => Ok(wait),
        wait => Err(D::Error::custom(format!("`wait_s` is {wait}; it is from 1 to {WAIT_S_MAX}"))),
    }
}

//! `[sharing]`

use serde::{Deserialize, Serialize};

/// Where shared limits are counted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Sharing {
    /// `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]`. A password is better
    /// in the environment, with the whole address in `VAK__SHARING__REDIS`.
    pub redis: String,
    /// All keys begin with it.
    #[serde(default = "prefix")]
    pub prefix: String,
    /// Milliseconds that a decision waits for Redis at the most.
    #[serde(default = "timeout_ms")]
    pub timeout_ms: u64,
}

fn prefix() -> String {
    "vak".to_owned()
}

/// A hundred times what Redis takes nearby, and not yet felt by a person.
fn timeout_ms() -> u64 {
    50
}

//! What a component may touch.

use std::fmt;

/// One right beyond computing on its input. A component asks for grants in its
/// manifest; the operator gives them; what is not both is not linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grant {
    /// Write lines to the host's log, through `vak:host/log`.
    Log,
}

impl Grant {
    /// The grant that links `import`, an interface name such as
    /// `vak:host/log@0.1.0`; `None` when no grant can.
    pub fn for_import(import: &str) -> Option<Self> {
        match import {
            "vak:host/log@0.1.0" => Some(Self::Log),
            _ => None,
        }
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log => f.write_str("log"),
        }
    }
}

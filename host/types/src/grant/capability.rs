//! Kinds of rights, as imports need them.

use std::collections::BTreeSet;
use std::fmt;

use crate::Kind;

/// A kind of right. What exactly of it is granted, such as which directory, is
/// in [`Effective`](crate::Effective).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// Lines in the host's log.
    Log,
    /// The time.
    Clock,
    /// Unpredictable numbers.
    Randomness,
    /// Environment variables.
    Environment,
    /// Secrets.
    Secrets,
    /// What agents remember.
    Memory,
    /// Directories.
    Directories,
    /// HTTP requests.
    Http,
}

/// What it takes to link an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing: it gives no access to anything.
    Nothing,
    /// To be of this kind. Others have no use for it.
    BeingA(Kind),
    /// This right, if the component asks for it; otherwise a stand-in that gives
    /// no access, such as a clock that stands still.
    OrStandIn(Capability),
    /// This right.
    Right(Capability),
}

impl Capability {
    /// What it takes to link `import`, an interface name such as
    /// `vak:host/log@0.1.0`; `None` when no grant can.
    pub fn for_import(import: &str) -> Option<Need> {
        match import {
            "vak:host/log@0.1.0" => return Some(Need::Right(Self::Log)),
            "vak:host/secrets@0.1.0" => return Some(Need::Right(Self::Secrets)),
            "vak:host/memory@0.1.0" => return Some(Need::Right(Self::Memory)),
            "vak:host/session@0.1.0" => return Some(Need::BeingA(Kind::Policy)),
            _ => {}
        }
        // Releases of WASI 0.2 only add to each other.
        let (interface, version) = import.split_once('@')?;
        version.strip_prefix("0.2.")?.parse::<u32>().ok()?;
        let (package, name) = interface.split_once('/')?;
        Some(match (package, name) {
            ("wasi:cli", "environment") => Need::OrStandIn(Self::Environment),
            ("wasi:io" | "wasi:cli", _) => Need::Nothing,
            ("wasi:clocks", _) => Need::OrStandIn(Self::Clock),
            ("wasi:random", _) => Need::OrStandIn(Self::Randomness),
            ("wasi:filesystem", _) => Need::OrStandIn(Self::Directories),
            ("wasi:http", "types" | "outgoing-handler") => Need::Right(Self::Http),
            _ => return None,
        })
    }

    /// Whether a component of this kind may have it. What policies, scorers and
    /// adapters answer must depend on their input alone.
    pub fn is_for(self, kind: Kind) -> bool {
        self == Self::Log || kind == Kind::Skill
    }

    pub(super) fn of<const N: usize>(flags: [(Self, bool); N]) -> BTreeSet<Self> {
        flags.into_iter().filter(|(_, given)| *given).map(|(capability, _)| capability).collect()
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Log => "log",
            Self::Clock => "clock",
            Self::Randomness => "randomness",
            Self::Environment => "environment",
            Self::Secrets => "secrets",
            Self::Memory => "memory",
            Self::Directories => "directories",
            Self::Http => "http",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_interfaces_can_be_linked() {
        for known in ["vak:host/log@0.1.0", "wasi:cli/stdout@0.2.0", "wasi:io/poll@0.2.6", "wasi:http/types@0.2.6"] {
            assert!(Capability::for_import(known).is_some(), "{known}");
        }
        let unknown = [
            "vak:host/log@0.2.0",
            "wasi:sockets/tcp@0.2.0",
            "wasi:http/incoming-handler@0.2.0",
            "wasi:cli/stdout@0.3.0",
            "wasi:cli/stdout@0.2.x",
            "wasi:cli/stdout",
            "wasi:clibs/stdout@0.2.0",
            "wasi:config/store@0.2.0",
            "run",
        ];
        for unknown in unknown {
            assert_eq!(Capability::for_import(unknown), None, "{unknown}");
        }
    }
}

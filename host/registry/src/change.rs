//! What replacing an installed package would change that somebody has to agree
//! to.

use std::fmt;

use semver::Version;
use vak_types::{KeyId, Name, Right};

/// A package that would be replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its name.
    pub name: Name,
    /// The installed version.
    pub from: Version,
    /// The new one.
    pub to: Version,
    /// What somebody has to agree to. Not empty.
    pub concerns: Vec<Concern>,
}

/// What somebody has to agree to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Concern {
    /// It asks for more than the installed version.
    Widens(Vec<Right>),
    /// It is an older version: it may have faults that were mended.
    Older {
        /// The installed version.
        from: Version,
        /// The new one.
        to: Version,
    },
    /// It is by somebody else, who may be taking over the name.
    OtherSigner {
        /// Who signed the installed one.
        from: KeyId,
        /// Who signed the new one.
        to: KeyId,
    },
}

impl Change {
    pub(crate) fn concerns_in_words(&self) -> String {
        self.concerns.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }
}

impl fmt::Display for Concern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Widens(rights) => {
                let rights: Vec<_> = rights.iter().map(|right| format!("it may {right}")).collect();
                write!(f, "it asks for more than the installed version: {}", rights.join(", "))
            }
            Self::Older { from, to } => write!(f, "{to} is older than the installed {from}"),
            Self::OtherSigner { from, to } => write!(
                f,
                "the installed version was signed by `{from}`, this one is by `{to}`, who may be taking over the name"
            ),
        }
    }
}

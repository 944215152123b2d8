//! Names for components and their signers.

use std::fmt;
use std::str::FromStr;

use crate::{Digest, DigestError, Name};

/// The four kinds of component. The kind is the interface a component exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Says whether an action may happen: `vak:policy/policy`.
    Policy,
    /// Says how good a step is: `vak:scorer/scorer`.
    Scorer,
    /// Says what a framework's message means: `vak:adapter/adapter`.
    Adapter,
    /// A tool an agent can call: `vak:skill/skill`.
    Skill,
}

impl Kind {
    /// The interface a component of this kind exports.
    pub const fn interface(self) -> &'static str {
        match self {
            Self::Policy => "vak:policy/policy@0.1.0",
            Self::Scorer => "vak:scorer/scorer@0.1.0",
            Self::Adapter => "vak:adapter/adapter@0.1.0",
            Self::Skill => "vak:skill/skill@0.1.0",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Policy => "policy",
            Self::Scorer => "scorer",
            Self::Adapter => "adapter",
            Self::Skill => "skill",
        })
    }
}

/// Names a public key: the SHA-256 of its 32 raw bytes, so that a key cannot
/// take another's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct KeyId(Digest);

impl KeyId {
    /// The id of the Ed25519 public key `key`.
    pub fn of(key: &[u8; 32]) -> Self {
        Self(Digest::of(key))
    }

    /// The id that was recorded as `digest`.
    pub const fn from_digest(digest: Digest) -> Self {
        Self(digest)
    }

    /// The digest behind the id.
    pub const fn digest(&self) -> &Digest {
        &self.0
    }
}

impl FromStr for KeyId {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        text.parse().map(Self)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Exactly which component spoke: what it is called, which bytes it is, which
/// configuration was baked into it and who vouched for it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComponentRef {
    /// Its name in the host's configuration.
    pub name: Name,
    /// SHA-256 of the component's bytes, before configuration.
    pub digest: Digest,
    /// SHA-256 of the configuration text, where it takes one.
    pub config: Option<Digest>,
    /// The key that signed it. `None` means it was loaded unsigned.
    pub signer: Option<KeyId>,
}

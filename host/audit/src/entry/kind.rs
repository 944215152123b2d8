//! The kinds of entries.

use std::fmt;
use std::str::FromStr;

/// What an entry tells about, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EntryKind {
    /// An action was judged.
    Decision,
    /// An allowed action came to an end.
    Outcome,
    /// Another key signs from here on.
    KeyRotation,
    /// Another configuration decides from here on.
    Configuration,
    /// Something is not, or no longer, in the log.
    Drop,
    /// A policy without a say judged an action.
    Shadow,
    /// A person answered an action that was escalated.
    Approval,
    /// How an MCP server describes something counts from here on.
    Acceptance,
}

const ALL: [EntryKind; 8] = [
    EntryKind::Decision,
    EntryKind::Outcome,
    EntryKind::KeyRotation,
    EntryKind::Configuration,
    EntryKind::Drop,
    EntryKind::Shadow,
    EntryKind::Approval,
    EntryKind::Acceptance,
];

impl EntryKind {
    /// The byte that stands for it in an entry.
    pub(crate) fn tag(self) -> u8 {
        match self {
            Self::Decision => 1,
            Self::Outcome => 2,
            Self::KeyRotation => 3,
            Self::Configuration => 4,
            Self::Drop => 5,
            Self::Shadow => 6,
            Self::Approval => 7,
            Self::Acceptance => 8,
        }
    }

    pub(crate) fn from_tag(tag: u8) -> Option<Self> {
        ALL.into_iter().find(|kind| kind.tag() == tag)
    }

    fn bit(self) -> u8 {
        1 << (self.tag() - 1)
    }
}

impl fmt::Display for EntryKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Decision => "decision",
            Self::Outcome => "outcome",
            Self::KeyRotation => "key-rotation",
            Self::Configuration => "configuration",
            Self::Drop => "drop",
            Self::Shadow => "shadow",
            Self::Approval => "approval",
            Self::Acceptance => "acceptance",
        })
    }
}

/// A word that names no kind of entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a kind of entry; the kinds are decision, outcome, key-rotation, configuration, drop, shadow, approval and \
     acceptance"
)]
pub struct KindError(String);

impl FromStr for EntryKind {
    type Err = KindError;

    fn from_str(text: &str) -> Result<Self, KindError> {
        ALL.into_iter().find(|kind| kind.to_string() == text).ok_or_else(|| KindError(text.to_owned()))
    }
}

/// Some kinds of entries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KindSet(u8);

impl KindSet {
    /// Whether `kind` is one of them.
    pub fn contains(self, kind: EntryKind) -> bool {
        self.0 & kind.bit() != 0
    }
}

impl FromIterator<EntryKind> for KindSet {
    fn from_iter<I: IntoIterator<Item = EntryKind>>(kinds: I) -> Self {
        Self(kinds.into_iter().fold(0, |bits, kind| bits | kind.bit()))
    }
}

//! The name of a log.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The longest [`Origin`], in bytes: a host name's length, which is what C2SP
/// suggests an origin looks like.
pub const ORIGIN_BYTES_MAX: usize = 255;

/// Why a text can't name a log or a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// Empty or longer than [`ORIGIN_BYTES_MAX`].
    #[error("the name of a log or key has 1 to {ORIGIN_BYTES_MAX} bytes, this has {bytes}")]
    Length {
        /// Its length.
        bytes: usize,
    },
    /// A character that signed notes don't allow in a name.
    #[error("the name of a log or key can't hold {character:?}; use something like `example.org/audit`")]
    Character {
        /// The character.
        character: char,
    },
}

/// The name of a log, or of a key that signs for it, such as
/// `example.org/audit`. It stands in every entry and every checkpoint, so that
/// one log can't be passed off as another.
///
/// Neither white space, nor control characters, nor `+`: the rules that
/// [C2SP signed-note](https://c2sp.org/signed-note) has for key names, which by
/// [C2SP tlog-checkpoint](https://c2sp.org/tlog-checkpoint) are the same as origins.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin(Arc<str>);

impl Origin {
    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        if text.is_empty() || text.len() > ORIGIN_BYTES_MAX {
            return Err(OriginError::Length { bytes: text.len() });
        }
        match text.chars().find(|c| c.is_whitespace() || c.is_control() || *c == '+') {
            Some(character) => Err(OriginError::Character { character }),
            None => Ok(Self(text.into())),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

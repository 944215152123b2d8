//! Checked text: ids, names, operations and resources.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::parsed::Parsed;

/// Why a text was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// The text has no characters.
    #[error("{what} is empty; give it at least one character")]
    Empty {
        /// The kind of text, such as `agent id`.
        what: &'static str,
    },
    /// The text is longer than its kind allows.
    #[error("{what} has {bytes} bytes; the most is {bytes_max}")]
    TooLong {
        /// The kind of text.
        what: &'static str,
        /// Its length in bytes.
        bytes: usize,
        /// The longest allowed.
        bytes_max: usize,
    },
    /// The text has a character its kind does not allow.
    #[error("{what} has the character {character:?} at byte {at}, which is not allowed there")]
    Character {
        /// The kind of text.
        what: &'static str,
        /// The offending character.
        character: char,
        /// Its offset in bytes.
        at: usize,
    },
}

/// Control characters would let a name forge lines in a log or a terminal;
/// bidirectional overrides would let it read as another name.
fn is_plain(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Names end up in file names and rule ids: letters and digits of ASCII only,
/// so that no two names look alike.
fn is_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.')
}

fn check(what: &'static str, text: &str, bytes_max: usize, allowed: fn(char) -> bool) -> Result<(), TextError> {
    if text.is_empty() {
        return Err(TextError::Empty { what });
    }
    if text.len() > bytes_max {
        return Err(TextError::TooLong { what, bytes: text.len(), bytes_max });
    }
    match text.char_indices().find(|(_, character)| !allowed(*character)) {
        Some((at, character)) => Err(TextError::Character { what, character, at }),
        None => Ok(()),
    }
}

/// Untrusted text made fit for one line of a log, a terminal or a verdict:
/// characters that could forge lines or hide text are escaped, and what is
/// longer than `bytes_max` is cut at a character and ends in `…`.
pub fn printable(text: &str, bytes_max: usize) -> String {
    let mut line = String::with_capacity(text.len().min(bytes_max));
    for character in text.chars() {
        let before = line.len();
        match is_plain(character) {
            true => line.push(character),
            false => line.extend(character.escape_default()),
        }
        if line.len() > bytes_max {
            line.truncate(before);
            line.truncate(line.floor_char_boundary(bytes_max.saturating_sub('…'.len_utf8())));
            line.push('…');
            break;
        }
    }
    line
}

macro_rules! checked_text {
    ($(#[$doc:meta])* $type:ident, $what:literal, $bytes_max:expr, $allowed:path) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(Arc<str>);

        impl $type {
            /// The longest allowed, in bytes.
            pub const BYTES_MAX: usize = $bytes_max;

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = TextError;

            fn from_str(text: &str) -> Result<Self, TextError> {
                check($what, text, Self::BYTES_MAX, $allowed)?;
                Ok(Self(text.into()))
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> String {
                value.as_str().to_owned()
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Parsed::new($what))
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
    };
}

checked_text!(
    /// Names one action. A retry of the same action carries the same id.
    ActionId, "action id", 128, is_plain
);
checked_text!(
    /// Names one session of an agent: a conversation or a task.
    SessionId, "session id", 128, is_plain
);
checked_text!(
    /// Names the agent that acts. Chosen by the operator, not by the agent.
    AgentId, "agent id", 128, is_plain
);
checked_text!(
    /// Names a person who answers for an action, as a surface vouches for it.
    Person, "person's name", 128, is_plain
);
checked_text!(
    /// What is to be done, such as `files/write_file`.
    Operation, "operation", 256, is_plain
);
checked_text!(
    /// What it is to be done to, such as `mcp:files/write_file` or a URL.
    Resource, "resource", 2_048, is_plain
);
checked_text!(
    /// A provenance label on an action, such as `untrusted-input`.
    Label, "label", 128, is_plain
);
checked_text!(
    /// Names a component or an upstream.
    Name, "name", 64, is_name
);
checked_text!(
    /// Names a limit in the configuration.
    LimitName, "limit name", 64, is_name
);
checked_text!(
    /// Names what somebody published about a fault, such as `GHSA-7xq5-54jp-2mfg`.
    AdvisoryId, "advisory id", 64, is_name
);
checked_text!(
    /// Why something was withdrawn, in one line for a person.
    Grounds, "reason of a withdrawal", 512, is_plain
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_could_deceive_a_reader() {
        let cases = [
            ("", "agent id is empty; give it at least one character"),
            ("a\nb", "agent id has the character '\\n' at byte 1, which is not allowed there"),
            ("a\u{202e}b", "agent id has the character '\\u{202e}' at byte 1, which is not allowed there"),
        ];
        for (text, error) in cases {
            assert_eq!(text.parse::<AgentId>().unwrap_err().to_string(), error);
        }
        assert!("a".repeat(129).parse::<AgentId>().is_err());
        assert!("späte Anfrage 7".parse::<AgentId>().is_ok());
    }

    #[test]
    fn printable_text_is_one_short_line() {
        let cases =
            [("fine", 10, "fine"), ("a\nb\u{202e}", 20, "a\\nb\\u{202e}"), ("ééééé", 9, "ééé…"), ("\n\n\n", 5, "\\n…")];
        for (text, bytes_max, line) in cases {
            assert_eq!(printable(text, bytes_max), line);
        }
    }

    #[test]
    fn names_are_ascii_without_separators() {
        for bad in ["../x", "a/b", "а", "a b", ""] {
            assert!(bad.parse::<Name>().is_err(), "{bad:?} was taken");
        }
        assert!("rules-2.0_x".parse::<Name>().is_ok());
    }
}

//! Checked texts in grants.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest path or variable name: longer than any that people write.
const BYTES_MAX: usize = 256;

/// Why a text is no path or name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not {what}", crate::printable(.text, 100))]
pub struct GrantTextError {
    text: String,
    what: &'static str,
}

impl GrantTextError {
    pub(super) fn new(text: &str, what: &'static str) -> Self {
        Self { text: text.to_owned(), what }
    }
}

macro_rules! grant_text {
    ($(#[$doc:meta])* $type:ident, $what:literal, $valid:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl $type {
            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $type {
            type Error = GrantTextError;

            fn try_from(text: String) -> Result<Self, GrantTextError> {
                match text.len() <= BYTES_MAX && $valid(&text) {
                    true => Ok(Self(text)),
                    false => Err(GrantTextError::new(&text, $what)),
                }
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> String {
                value.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

grant_text!(
    /// The path at which a component sees a directory, such as `/notes`.
    GuestPath,
    "a path such as `/notes`, which starts with a slash and has no `.`, `..` or empty part",
    is_path
);
grant_text!(
    /// The name of an environment variable.
    VariableName,
    "the name of an environment variable: letters, digits and `_`, not a digit first",
    is_variable
);

/// One spelling for each path, so that two requests for it are seen to be one.
fn is_path(text: &str) -> bool {
    let part = |part: &str| !matches!(part, "" | "." | "..") && part.chars().all(is_plain_path);
    text.strip_prefix('/').is_some_and(|rest| rest.is_empty() || rest.split('/').all(part))
}

/// ASCII, because two paths that look alike must be the same.
fn is_plain_path(character: char) -> bool {
    character.is_ascii_graphic() && !matches!(character, '\\' | '`' | '"')
}

fn is_variable(text: &str) -> bool {
    let word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    text.chars().all(word) && text.chars().next().is_some_and(|first| !first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_one_spelling() {
        for good in ["/", "/a", "/a/b.c", "/..a"] {
            assert!(GuestPath::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for bad in ["", "a", "/a/", "//a", "/a/../b", "/a/./b", "/..", "/a\n", "/ä", "/a\\b"] {
            assert!(GuestPath::try_from(bad.to_owned()).is_err(), "{bad}");
        }
        assert!(GuestPath::try_from(format!("/{}", "a".repeat(BYTES_MAX))).is_err());
    }

    #[test]
    fn variables_are_names() {
        for bad in ["", "1A", "A=B", "A B", "Ä", "A\0"] {
            assert!(VariableName::try_from(bad.to_owned()).is_err(), "{bad}");
        }
        assert!(VariableName::try_from("_A1".to_owned()).is_ok());
    }
}

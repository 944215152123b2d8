//! Names for projects.

use std::fmt;
use std::str::FromStr;

/// Longest name. Component names have the same limit.
const BYTES_MAX: usize = 64;

/// The package beside an author's own. Cargo tells packages apart by their names.
const SDK: &str = "vak-sdk";

/// Why a name was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProjectNameError {
    /// It is too long.
    #[error("the name has {0} bytes; the most is {BYTES_MAX}")]
    TooLong(usize),
    /// It has a character that names do not have.
    #[error(
        "the name `{name}` has the character {character:?}; use lower-case letters a to z, digits and single hyphens"
    )]
    Character {
        /// The name, fit to be printed.
        name: String,
        /// The first character at fault.
        character: char,
    },
    /// It starts, ends or goes on in the wrong way.
    #[error(
        "the name `{0}` is not words between single hyphens, the first starting with a letter, such as `no-secrets`"
    )]
    Shape(String),
    /// It is what a part of every Rust project is called.
    #[error("the name `{SDK}` is that of the guest SDK, which is part of every Rust project; choose another")]
    Sdk,
}

/// What a project, its component and its folder are called. Narrower than the
/// name of a component: every tool of every language takes it as it is, and it
/// can be neither a path nor an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectName(String);

impl ProjectName {
    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ProjectName {
    type Err = ProjectNameError;

    fn from_str(name: &str) -> Result<Self, ProjectNameError> {
        let printable = || vak_types::printable(name, BYTES_MAX);
        let allowed = |character: &char| matches!(character, 'a'..='z' | '0'..='9' | '-');
        if name.len() > BYTES_MAX {
            return Err(ProjectNameError::TooLong(name.len()));
        }
        if let Some(character) = name.chars().find(|character| !allowed(character)) {
            return Err(ProjectNameError::Character { name: printable(), character });
        }
        if name == SDK {
            return Err(ProjectNameError::Sdk);
        }
        let words = name.split('-').all(|word| !word.is_empty());
        match words && name.starts_with(|first: char| first.is_ascii_lowercase()) {
            true => Ok(Self(name.to_owned())),
            false => Err(ProjectNameError::Shape(printable())),
        }
    }
}

impl fmt::Display for ProjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_paths_options_and_look_alikes() {
        let cases = [
            ("..", "the name `..` has the character '.'"),
            ("a/b", "the name `a/b` has the character '/'"),
            ("a\\b", "has the character '\\\\'"),
            ("/etc", "the character '/'"),
            // The second letter is Cyrillic.
            ("n\u{43e}-shell", "the character 'о'"),
            ("a\u{202e}b", "the name `a\\u{202e}b` has the character '\\u{202e}'"),
            ("No-Shell", "the character 'N'"),
            ("a b", "the character ' '"),
            ("--force", "is not words between single hyphens"),
            ("", "is not words between single hyphens"),
            ("7zip", "the first starting with a letter"),
            ("a-", "is not words between single hyphens"),
            ("a--b", "is not words between single hyphens"),
            ("vak-sdk", "is that of the guest SDK"),
        ];
        for (name, part) in cases {
            let error = name.parse::<ProjectName>().unwrap_err().to_string();
            assert!(error.contains(part), "{name:?}: {error}");
        }
        let long = "a".repeat(65).parse::<ProjectName>().unwrap_err().to_string();
        assert_eq!(long, "the name has 65 bytes; the most is 64");
        for name in ["a", "no-secrets", "rules2", "a-1-b"] {
            assert_eq!(name.parse::<ProjectName>().unwrap().as_str(), name);
        }
    }
}

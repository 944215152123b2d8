//! Names of notes.

/// Common file systems take 255 bytes, and a new version has a longer name while
/// it is written.
const NAME_BYTES_MAX: usize = 200;

/// The name of a note: no path, not hidden, nothing that prints strangely.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct NoteName(String);

impl NoteName {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for NoteName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let odd = |character: char| !(character.is_alphanumeric() || matches!(character, ' ' | '-' | '_' | '.'));
        if name.is_empty() || name.len() > NAME_BYTES_MAX {
            return Err(format!("`name` has {} bytes, and has to have from 1 to {NAME_BYTES_MAX}", name.len()));
        }
        if let Some(character) = name.chars().find(|character| odd(*character)) {
            return Err(format!("`name` has {character:?} in it; take letters, digits, spaces and `-`, `_`, `.`"));
        }
        match name.starts_with(['.', ' ', '-']) || name.ends_with(['.', ' ']) {
            true => Err("`name` must not begin with `.`, `-` or a space, or end with `.` or a space".to_owned()),
            false => Ok(Self(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_paths() {
        for name in ["a", "plan.md", "Größe 2", "2026-01-01_x", "a..b"] {
            assert!(NoteName::try_from(name.to_owned()).is_ok(), "{name}");
        }
        let long = "x".repeat(201);
        for name in [
            "",
            ".",
            "..",
            "../a",
            "a/b",
            "/etc/passwd",
            "a\\b",
            ".hidden",
            "a\0",
            "a\n",
            "C:a",
            "a.",
            " a",
            "-rf",
            "\u{202e}a",
            "~",
            "*",
            &long,
        ] {
            assert!(NoteName::try_from(name.to_owned()).is_err(), "{name:?}");
        }
    }
}

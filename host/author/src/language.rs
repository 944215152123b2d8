//! The languages that components are written in.

use std::path::Path;

/// A language with templates and a way to build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Through cargo and the guest SDK.
    Rust,
    /// Through npm and `componentize-js`.
    JavaScript,
    /// Through pip and `componentize-py`.
    Python,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Rust, Self::JavaScript, Self::Python];

    /// The file that a project in this language is known by.
    pub const fn marker(self) -> &'static str {
        match self {
            Self::Rust => "Cargo.toml",
            Self::JavaScript => "package.json",
            Self::Python => "pyproject.toml",
        }
    }

    /// The languages whose markers are in `project`.
    pub(crate) fn found_in(project: &Path) -> Vec<Self> {
        Self::ALL.into_iter().filter(|language| project.join(language.marker()).is_file()).collect()
    }
}

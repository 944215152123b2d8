//! A configuration that a component refuses, and where.

use std::fmt;
use std::path::PathBuf;

use vak_types::printable;

/// Longest line that is shown, in bytes.
const LINE_BYTES_MAX: usize = 160;

/// What a component says of its configuration, with the line it speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedConfig {
    pub(crate) path: PathBuf,
    pub(crate) message: String,
    /// From 1.
    pub(crate) line: Option<u32>,
    /// From 1, in characters.
    pub(crate) column: Option<u32>,
    /// The line itself.
    pub(crate) text: Option<String>,
}

impl RefusedConfig {
    pub(crate) fn new(path: PathBuf, config: &str, message: String, line: Option<u32>, column: Option<u32>) -> Self {
        let number = line.and_then(|line| usize::try_from(line).ok()?.checked_sub(1));
        let text = number.and_then(|number| config.lines().nth(number)).map(str::to_owned);
        Self { path, message, line, column, text }
    }

    /// The line with a caret below the column, as compilers show it.
    fn excerpt(&self) -> Option<String> {
        let (line, text) = (self.line?, self.text.as_ref()?);
        let before: String = text.chars().take(usize::try_from(self.column?).ok()?.saturating_sub(1)).collect();
        // As wide as it is printed, with what is escaped and what is cut.
        let indent = printable(&before, LINE_BYTES_MAX).chars().count();
        let number = line.to_string();
        let margin = " ".repeat(number.len());
        let shown = printable(text, LINE_BYTES_MAX);
        Some(format!("\n{margin} |\n{number} | {shown}\n{margin} | {}^", " ".repeat(indent)))
    }
}

impl fmt::Display for RefusedConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        for number in [self.line, self.column].into_iter().flatten() {
            write!(f, ":{number}")?;
        }
        write!(f, ": {}{}", self.message, self.excerpt().unwrap_or_default())
    }
}

impl std::error::Error for RefusedConfig {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_where() {
        let config = "a = 1\n\tb = 'é' + \"x\"\nlast";
        let cases = [
            (Some(1), Some(5), "rules.toml:1:5: no\n  |\n1 | a = 1\n  |     ^"),
            // What is not plain is shown as it is printed, and the caret is below it.
            (Some(2), Some(6), "rules.toml:2:6: no\n  |\n2 | \\tb = 'é' + \"x\"\n  |       ^"),
            (Some(3), Some(9), "rules.toml:3:9: no\n  |\n3 | last\n  |     ^"),
            (Some(4), Some(1), "rules.toml:4:1: no"),
            (Some(1), None, "rules.toml:1: no"),
            (None, None, "rules.toml: no"),
        ];
        for (line, column, expected) in cases {
            let refused = RefusedConfig::new("rules.toml".into(), config, "no".to_owned(), line, column);
            assert_eq!(refused.to_string(), expected);
        }
    }
}

//! Labels on the left, lines on the right.

use std::fmt;

/// Lines under labels. What has no lines is not shown.
#[derive(Default)]
pub(crate) struct Table(Vec<(String, Vec<String>)>);

impl Table {
    /// With one more label and its lines.
    pub(crate) fn add<L: Into<String>>(&mut self, label: &str, lines: impl IntoIterator<Item = L>) {
        let lines: Vec<_> = lines.into_iter().map(Into::into).collect();
        if !lines.is_empty() {
            self.0.push((label.to_owned(), lines));
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.0.iter().map(|(label, _)| label.len()).max().unwrap_or_default() + 2;
        for (label, lines) in &self.0 {
            let labels = std::iter::once(label.as_str()).chain(std::iter::repeat(""));
            for (label, line) in labels.zip(lines) {
                writeln!(f, "{label:width$}{line}")?;
            }
        }
        Ok(())
    }
}

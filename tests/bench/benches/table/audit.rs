//! The audit log by itself.

mod appending;
mod large;
mod sample;

use crate::print::Row;

/// Appending.
pub(crate) fn writing() -> Vec<Row> {
    appending::rows(tempfile::tempdir().unwrap().path())
}

/// Verifying, proving and finding.
pub(crate) fn reading() -> Vec<Row> {
    large::rows(tempfile::tempdir().unwrap().path())
}

//! The audit log by itself.

mod appending;
mod large;
mod sample;

use crate::print::Row;

/// Appending, verifying, proving and finding.
pub(crate) fn rows() -> Vec<Row> {
    let folder = tempfile::tempdir().unwrap();
    let mut rows = appending::rows(folder.path());
    rows.extend(large::rows(folder.path()));
    rows
}

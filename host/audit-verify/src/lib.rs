//! The offline verifier of audit logs as a command, for `vak audit verify` and
//! for auditors who want a program that can do nothing else: it links neither
//! the engine nor an async runtime, opens nothing for writing but what `--keep`
//! names, and knows no network.
//!
//! ```
//! let key = vak_audit_verify::verifier_key(
//!     "example.org/audit+1b459cf6+AepKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs",
//! )?;
//! assert_eq!(key.name().as_str(), "example.org/audit");
//! # Ok::<(), anyhow::Error>(())
//! ```

#![forbid(unsafe_code)]

mod times;
mod verify;

use std::path::Path;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use vak_audit::{VerifierKey, WitnessPolicy};

pub use times::Times;
pub use verify::Verify;

/// Reads a verifier key, or a file with one. What is a key is never looked for
/// among the files: one that came with a log must not stand in for it.
///
/// # Errors
/// It is neither.
pub fn verifier_key(text: &str) -> anyhow::Result<VerifierKey> {
    match text.parse::<VerifierKey>() {
        Ok(key) => Ok(key),
        Err(not_a_key) => match std::fs::read_to_string(text) {
            Ok(file) => file.trim().parse().with_context(|| format!("the file `{text}`")),
            Err(_) => Err(not_a_key).context("`--key` is neither a verifier key nor a file with one"),
        },
    }
}

/// Reads a witness policy.
///
/// # Errors
/// The file is not there, or is none.
pub fn witness_policy(path: &Path) -> anyhow::Result<WitnessPolicy> {
    let text = std::fs::read_to_string(path).with_context(|| format!("reading `{}`", path.display()))?;
    text.parse().with_context(|| format!("`{}`", path.display()))
}

/// A bar over entries. On standard error, and only on a terminal.
///
/// # Errors
/// None in practice: its template is fixed.
pub fn bar() -> anyhow::Result<ProgressBar> {
    let bar = ProgressBar::new(0);
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} entries, {per_sec}")?);
    Ok(bar)
}

/// Tells a bar how far something is.
pub fn progress(bar: &ProgressBar) -> impl FnMut(u64, u64) + '_ {
    |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    }
}

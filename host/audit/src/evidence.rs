//! What was found in a log that is not continued.

use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::bundle::Bundle;
use crate::merkle::leaf_hash;
use crate::store::Source;
use crate::store::lock::{MODE, beside};
use crate::{Entry, Origin, VerifierKey, VerifyError};

/// How much of an entry's bytes is quoted.
const QUOTED_BYTES: usize = 4_096;

/// Reports that are kept beside a log.
const REPORTS_MAX: u32 = 100;

/// Writes a report on a failed check to a new file beside the log at `place`;
/// gives its name. `None` when the log has no place on disk or the file cannot
/// be written: the check has failed either way.
pub(crate) fn write(
    place: &str,
    origin: &Origin,
    key: &VerifierKey,
    error: &VerifyError,
    source: Option<&dyn Source>,
) -> Option<String> {
    if !Path::new(place).exists() {
        return None;
    }
    let report = report(place, origin, key, error, source).ok()?;
    (1..=REPORTS_MAX).find_map(|number| {
        let path = beside(Path::new(place), &format!(".evidence-{number}.txt"));
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(MODE).open(&path).ok()?;
        file.write_all(report.as_bytes()).ok()?;
        Some(path.display().to_string())
    })
}

fn report(
    place: &str,
    origin: &Origin,
    key: &VerifierKey,
    error: &VerifyError,
    source: Option<&dyn Source>,
) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    writeln!(text, "log:     {place}\norigin:  {origin}\nkey:     {key}\ncheck:   {error}")?;
    let Some(source) = source else { return Ok(text) };
    if let Ok(Some(note)) = source.head() {
        writeln!(text, "\ncheckpoint as stored:\n{note}")?;
    }
    let seq = match error {
        VerifyError::Entry { seq, .. } | VerifyError::Missing { seq, .. } | VerifyError::Storage { seq, .. } => *seq,
        _ => return Ok(text),
    };
    for seq in [seq.checked_sub(1), Some(seq), seq.checked_add(1)].into_iter().flatten() {
        let mut bundle = Bundle::default();
        match source.entries(seq, 1, &mut bundle) {
            Ok(()) => match bundle.iter().next() {
                None => writeln!(text, "entry {seq}: not there")?,
                Some(bytes) => entry(&mut text, seq, bytes)?,
            },
            Err(error) => writeln!(text, "entry {seq}: {error}")?,
        }
    }
    Ok(text)
}

fn entry(text: &mut String, seq: u64, bytes: &[u8]) -> std::fmt::Result {
    writeln!(text, "entry {seq}: {} bytes, leaf hash {}", bytes.len(), leaf_hash(bytes))?;
    match Entry::decode(bytes) {
        Ok(entry) => writeln!(text, "  says it is entry {} of `{}`, after {}", entry.seq, entry.origin, entry.prev)?,
        Err(error) => writeln!(text, "  {error}")?,
    }
    text.push_str("  bytes: ");
    for byte in &bytes[..bytes.len().min(QUOTED_BYTES)] {
        write!(text, "{byte:02x}")?;
    }
    writeln!(text)
}

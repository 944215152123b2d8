//! Entries of a time, from few objects.

use std::ops::Range;

use vak_audit::{Entry, Expected, VerifyError, verify_signatures};
use vak_types::Timestamp;

use crate::names::{Span, TIMES, Times};
use crate::{S3Error, S3Source};

/// Gives `visit` the entries with a time in `times`, in order, with their
/// sequence numbers. Reads the segments that have some, and what it takes to
/// prove that they are the log's: every entry is verified against
/// `expected` before it is given. `expected.range` is not looked at.
///
/// That none is left out rests on the names under `times/`, which
/// [`verify_all`](vak_audit::verify_all) checks. Gives the first entry with a
/// signature of its own that is not by `expected.key`: it may be by an earlier
/// one, which that checks too.
///
/// # Errors
/// The bucket can't be read, or what is in it fails a check.
pub fn query(
    source: &S3Source,
    expected: &Expected<'_>,
    times: Range<Timestamp>,
    mut visit: impl FnMut(u64, Entry),
) -> Result<Option<u64>, S3Error> {
    let mut foreign = None;
    for span in spans(source, &times)? {
        let range = span.first..span.last + 1;
        source.keep(range.clone());
        let expected = Expected { range: Some(range), ..expected.clone() };
        let verified = verify_signatures(source, &expected, |_, _| ());
        let kept = source.kept();
        foreign = foreign.or(verified?.foreign);
        for (seq, bytes) in kept {
            let entry = Entry::decode(&bytes);
            let entry = entry.map_err(|error| VerifyError::Entry { seq, source: error.into() })?;
            if times.contains(&entry.time) {
                visit(seq, entry);
            }
        }
    }
    Ok(foreign)
}

/// The segments that have entries of `times`, in order.
pub(crate) fn spans(source: &S3Source, times: &Range<Timestamp>) -> Result<Vec<Span>, S3Error> {
    source.locate(source.size().saturating_sub(1))?;
    let names = source.bucket().run(|client| async move { client.list(TIMES, None).await })?;
    let overlap = |said: &Times| said.earliest < times.end && said.latest >= times.start;
    let said = names.iter().filter_map(|name| Times::of_name(name)).filter(overlap).map(|said| said.span);
    let layout = source.layout();
    // What was left behind has its times there too.
    let mut spans: Vec<_> = said.filter(|span| layout.segment(span.first) == Some(*span)).collect();
    spans.sort_unstable();
    spans.dedup();
    Ok(spans)
}

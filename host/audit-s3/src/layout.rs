//! Which objects make up the log.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use crate::names::{self, Span};

/// The segments that the log consists of. Others may lie there: of an upload
/// that was cut short and then went further, or of a writer that was fenced.
/// Which belong to the log follows from where uploads ended: the sizes of the
/// checkpoints, which only the one writer puts.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    /// By their first entries.
    segments: BTreeMap<u64, Span>,
    end: u64,
}

impl Layout {
    /// From the names of the segments and of the copies of checkpoints, for a
    /// log of `size`. Ends before the first entry that no segment leads to.
    pub(crate) fn of(segments: &[String], checkpoints: &[String], size: u64) -> Self {
        let mut ends: BTreeSet<u64> = checkpoints.iter().filter_map(|name| names::size_of(name)).collect();
        ends.insert(size);
        let spans: BTreeSet<Span> = segments.iter().filter_map(|name| Span::of_segment(name)).collect();
        let mut layout = Self::default();
        for end in ends.into_iter().filter(|end| (1..=size).contains(end)) {
            let Some(path) = path(&spans, layout.end, end) else { continue };
            layout.segments.extend(path.into_iter().map(|span| (span.first, span)));
            layout.end = end;
        }
        layout
    }

    /// How many entries there are.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// The segment with an entry.
    pub(crate) fn segment(&self, seq: u64) -> Option<Span> {
        let (_, span) = self.segments.range(..=seq).next_back()?;
        (seq <= span.last).then_some(*span)
    }

    pub(crate) fn segments(&self) -> impl Iterator<Item = Span> {
        self.segments.values().copied()
    }
}

/// Segments that follow each other from entry `from` to the one before `to`,
/// the longest first: a short one may be left from an upload that was cut short.
/// Each is tried once, so this takes no longer than there are segments.
fn path(spans: &BTreeSet<Span>, from: u64, to: u64) -> Option<Vec<Span>> {
    let mut path = Vec::new();
    let mut dead = BTreeSet::new();
    let mut at = from;
    while at < to {
        let (start, end) = (Span { first: at, last: at }, Span { first: at, last: to - 1 });
        let starting = spans.range((Bound::Included(start), Bound::Included(end)));
        match starting.rev().find(|span| !dead.contains(*span)) {
            Some(span) => {
                path.push(*span);
                at = span.last + 1;
            }
            None => {
                let last = path.pop()?;
                dead.insert(last);
                at = last.first;
            }
        }
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(spans: &[(u64, u64)], checkpoints: &[u64], size: u64, expected: &[(u64, u64)]) {
        let segments: Vec<_> =
            spans.iter().map(|(first, last)| Span { first: *first, last: *last }.segment()).collect();
        let checkpoints: Vec<_> = checkpoints.iter().map(|size| names::checkpoint_copy(*size)).collect();
        let layout = Layout::of(&segments, &checkpoints, size);
        let found: Vec<_> = layout.segments().map(|span| (span.first, span.last)).collect();
        assert_eq!(found, expected, "{spans:?}");
        assert_eq!(layout.end(), expected.last().map_or(0, |(_, last)| last + 1));
    }

    #[test]
    fn the_log_is_found_among_what_was_left_behind() {
        check(&[], &[0], 0, &[]);
        check(&[(0, 4), (5, 9)], &[5, 10], 10, &[(0, 4), (5, 9)]);
        // The copy of the newest checkpoint, or one before, is not yet there.
        check(&[(0, 4), (5, 9)], &[], 10, &[(0, 4), (5, 9)]);
        // A fenced writer's segment goes over the end of an upload.
        check(&[(0, 0), (0, 1), (1, 2)], &[1, 3], 3, &[(0, 0), (1, 2)]);
        // An upload was cut short, and the next one went further.
        check(&[(0, 4), (5, 6), (5, 8), (9, 9)], &[10], 10, &[(0, 4), (5, 8), (9, 9)]);
        // The longest leads nowhere.
        check(&[(0, 3), (0, 4), (4, 9)], &[10], 10, &[(0, 3), (4, 9)]);
        // Past the checkpoint there is nothing yet.
        check(&[(0, 4), (5, 9)], &[5], 5, &[(0, 4)]);
        // One is gone.
        check(&[(0, 4), (7, 9)], &[5, 10], 10, &[(0, 4)]);
        check(&[(5, 9)], &[5, 10], 10, &[]);
    }
}

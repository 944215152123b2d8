//! Names of objects, under the log's prefix.

use vak_types::{Digest, Timestamp};

/// The newest checkpoint: the one object that is written again.
pub(crate) const CHECKPOINT: &str = "checkpoint";

/// A copy of each checkpoint that was the newest.
pub(crate) const CHECKPOINTS: &str = "checkpoints/";

/// Entries with their signatures.
pub(crate) const SEGMENTS: &str = "segments/";

/// When the entries of each segment are from: empty objects, whose names say it.
pub(crate) const TIMES: &str = "times/";

/// Payloads, which can be erased.
pub(crate) const PAYLOADS: &str = "payloads/";

/// Tiles, as C2SP tlog-tiles names them.
const TILES: &str = "tile/";

/// Whether an object with this name belongs to the log.
pub(crate) fn is_of_log(name: &str) -> bool {
    name == CHECKPOINT || [CHECKPOINTS, SEGMENTS, TIMES, PAYLOADS, TILES].iter().any(|folder| name.starts_with(folder))
}

const SEGMENT_SUFFIX: &str = ".log.zst";

/// As many as the largest number has.
const DIGITS: usize = 20;

pub(crate) fn checkpoint_copy(size: u64) -> String {
    format!("{CHECKPOINTS}{size:020}")
}

pub(crate) fn size_of(name: &str) -> Option<u64> {
    number(name.strip_prefix(CHECKPOINTS)?)
}

pub(crate) fn payload(commitment: &Digest) -> String {
    format!("{PAYLOADS}{}", commitment.to_hex())
}

/// Which entries a segment has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    pub(crate) first: u64,
    pub(crate) last: u64,
}

impl Span {
    pub(crate) fn segment(self) -> String {
        format!("{SEGMENTS}{:020}-{:020}{SEGMENT_SUFFIX}", self.first, self.last)
    }

    pub(crate) fn of_segment(name: &str) -> Option<Self> {
        let (first, last) = name.strip_prefix(SEGMENTS)?.strip_suffix(SEGMENT_SUFFIX)?.split_once('-')?;
        Some(Self { first: number(first)?, last: number(last)? })
    }
}

/// When a segment's entries are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) span: Span,
    pub(crate) earliest: Timestamp,
    pub(crate) latest: Timestamp,
}

impl Times {
    pub(crate) fn name(self) -> String {
        let Self { span: Span { first, last }, earliest, latest } = self;
        format!("{TIMES}{first:020}-{last:020}-{:020}-{:020}", earliest.as_nanos(), latest.as_nanos())
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        let numbers = name.strip_prefix(TIMES)?.split('-').map(number).collect::<Option<Vec<_>>>()?;
        let [first, last, earliest, latest] = <[u64; 4]>::try_from(numbers).ok()?;
        let (earliest, latest) = (Timestamp::from_nanos(earliest), Timestamp::from_nanos(latest));
        Some(Self { span: Span { first, last }, earliest, latest })
    }
}

/// Exactly as it is written, so that nothing has two names.
fn number(digits: &str) -> Option<u64> {
    let plain = digits.len() == DIGITS && digits.bytes().all(|digit| digit.is_ascii_digit());
    digits.parse().ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written_and_no_other_way() {
        let span = Span { first: 0, last: 1_000 };
        assert_eq!(span.segment(), "segments/00000000000000000000-00000000000000001000.log.zst");
        assert_eq!(Span::of_segment(&span.segment()), Some(span));
        let times = Times { span, earliest: Timestamp::from_nanos(5), latest: Timestamp::from_nanos(u64::MAX) };
        assert_eq!(Times::of_name(&times.name()), Some(times));
        assert_eq!(size_of(&checkpoint_copy(7)), Some(7));
        for bad in ["checkpoints/7", "checkpoints/+0000000000000000007", "checkpoints/99999999999999999999"] {
            assert_eq!(size_of(bad), None, "{bad}");
        }
        assert_eq!(Span::of_segment("segments/00000000000000000000.log.zst"), None);
        assert_eq!(Times::of_name("times/00000000000000000000"), None);
    }
}

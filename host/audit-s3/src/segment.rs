//! Segments: consecutive entries and their signatures in one compressed object.

use std::io::{self, Read as _, Write as _};

use vak_audit::{Bundle, Source, StorageError};

use crate::S3Error;

/// Begins every segment; the last byte is the version.
const MAGIC: &[u8; 18] = b"vak/audit/segment\x01";

/// zstd's own default: stronger ones take three times as long for a tenth less.
const LEVEL: i32 = 3;

/// The most a segment may have when it is unpacked: 512 MiB, far above what is
/// written, so that a small object can't take all memory.
const UNPACKED_BYTES_MAX: u64 = 512 << 20;

const SIGNATURE_BYTES: usize = 64;

/// The entries from `first` on, up to `end` and to the one that gives them
/// `bytes`. Which those are depends on nothing else, so that an upload that is
/// done again makes the same segments.
pub(crate) fn cut(source: &dyn Source, first: u64, end: u64, bytes: usize) -> Result<Bundle, StorageError> {
    let mut segment = Bundle::default();
    segment.clear(first);
    let (mut read, mut length) = (Bundle::default(), 0);
    while segment.end() < end && length < bytes {
        source.entries(segment.end(), end - segment.end(), &mut read)?;
        if read.is_empty() {
            return Err(StorageError::Damaged(format!("entry {} is missing", segment.end())));
        }
        for (_, entry, signature) in read.signed() {
            segment.push(entry);
            if let Some(signature) = signature {
                segment.sign_last(*signature);
            }
            length += entry.len();
            if length >= bytes {
                break;
            }
        }
    }
    Ok(segment)
}

pub(crate) fn pack(segment: &Bundle) -> Result<Vec<u8>, S3Error> {
    let failed = |error: io::Error| S3Error::Storage(error.into());
    let mut encoder = zstd::Encoder::new(Vec::new(), LEVEL).map_err(failed)?;
    encoder.include_checksum(true).map_err(failed)?;
    encoder.write_all(&plain(segment)?).map_err(failed)?;
    encoder.finish().map_err(failed)
}

fn plain(segment: &Bundle) -> Result<Vec<u8>, S3Error> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&segment.first().to_be_bytes());
    bytes.extend_from_slice(&(segment.len() as u64).to_be_bytes());
    for (seq, entry, signature) in segment.signed() {
        let length = u16::try_from(entry.len());
        let length = length.map_err(|_| StorageError::Damaged(format!("entry {seq} is too long")))?;
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(entry);
        bytes.push(u8::from(signature.is_some()));
        bytes.extend_from_slice(signature.map_or(&[], |signature| signature));
    }
    Ok(bytes)
}

fn unzip(packed: &[u8]) -> Result<Vec<u8>, &'static str> {
    let decoder = zstd::Decoder::new(packed).map_err(|_| "it is not compressed with zstd")?;
    let mut bytes = Vec::new();
    let read = decoder.take(UNPACKED_BYTES_MAX + 1).read_to_end(&mut bytes);
    match read {
        Ok(read) if read as u64 <= UNPACKED_BYTES_MAX => Ok(bytes),
        Ok(_) => Err("it is longer than a segment may be"),
        Err(_) => Err("it is cut off, or its checksum does not fit"),
    }
}

/// Whether two segments have the same contents. Another version of zstd may
/// have packed them otherwise.
pub(crate) fn is_same(left: &[u8], right: &[u8]) -> bool {
    left == right || matches!((unzip(left), unzip(right)), (Ok(left), Ok(right)) if left == right)
}

/// Reads a segment. Takes what [`pack`] made and nothing after it.
pub(crate) fn unpack(packed: &[u8]) -> Result<Bundle, &'static str> {
    let bytes = unzip(packed)?;
    let mut reader = Reader(bytes.strip_prefix(MAGIC).ok_or("it does not begin as a segment does")?);
    let mut segment = Bundle::default();
    segment.clear(u64::from_be_bytes(reader.array()?));
    let count = u64::from_be_bytes(reader.array()?);
    for _ in 0..count {
        let length = u16::from_be_bytes(reader.array()?);
        segment.push(reader.take(usize::from(length))?);
        match reader.array::<1>()? {
            [0] => {}
            [1] => segment.sign_last(reader.array::<SIGNATURE_BYTES>()?),
            _ => return Err("an entry is neither signed nor not signed"),
        }
    }
    if reader.0.is_empty() { Ok(segment) } else { Err("more follows than it says") }
}

struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn take(&mut self, length: usize) -> Result<&'b [u8], &'static str> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or("it ends within an entry")?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        self.take(N)?.try_into().map_err(|_| "it ends within an entry")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn segment() -> Bundle {
        let mut segment = Bundle::default();
        segment.clear(7);
        segment.push(b"one");
        segment.push(b"");
        segment.sign_last([9; SIGNATURE_BYTES]);
        segment.push(&[3; 1_000]);
        segment
    }

    #[test]
    fn what_was_packed_is_unpacked() {
        let packed = pack(&segment()).unwrap();
        let unpacked = unpack(&packed).unwrap();
        assert!(unpacked.signed().eq(segment().signed()));
        assert_eq!((unpacked.first(), unpacked.end()), (7, 10));
    }

    #[test]
    fn nothing_else_is() {
        let packed = pack(&segment()).unwrap();
        for end in 0..packed.len() {
            assert!(unpack(&packed[..end]).is_err(), "cut at {end}");
        }
        let unsound = |change: fn(&mut Vec<u8>)| {
            let mut bytes = plain(&segment()).unwrap();
            change(&mut bytes);
            unpack(&zstd::encode_all(&bytes[..], LEVEL).unwrap()).is_err()
        };
        assert!(unsound(|bytes| bytes.push(0)));
        assert!(unsound(|bytes| bytes[17] = 2));
        assert!(unsound(|bytes| bytes[33] += 1));
        assert!(unsound(|bytes| bytes[39] = 2));
    }

    #[test]
    fn packing_otherwise_makes_no_other_segment() {
        let other = zstd::encode_all(&plain(&segment()).unwrap()[..], 19).unwrap();
        let packed = pack(&segment()).unwrap();
        assert!(packed != other && is_same(&packed, &other));
        let mut altered = segment();
        altered.push(b"more");
        assert!(!is_same(&packed, &pack(&altered).unwrap()));
        assert!(!is_same(&packed, b"nothing of the kind"));
    }
}

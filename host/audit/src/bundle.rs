//! Consecutive entries in one buffer.

use crate::store::EntrySignature;

/// About how many bytes of entries are read at a time: enough that reading
/// costs little beside hashing, and memory stays flat.
pub const BUNDLE_BYTES: usize = 1 << 20;

/// Consecutive entries, as bytes, with the signatures that some of them have of
/// their own. Its memory is used again and again.
#[derive(Debug, Clone, Default)]
pub struct Bundle {
    first: u64,
    bytes: Vec<u8>,
    /// Where each entry ends in `bytes`.
    ends: Vec<usize>,
    signatures: Vec<(u64, EntrySignature)>,
}

impl Bundle {
    /// Empties it; the next entry has sequence number `first`.
    pub fn clear(&mut self, first: u64) {
        self.first = first;
        self.bytes.clear();
        self.ends.clear();
        self.signatures.clear();
    }

    /// The sequence number of the first entry.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// The sequence number after the last entry.
    pub fn end(&self) -> u64 {
        self.first + self.ends.len() as u64
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Whether as much is in it as should be read at a time.
    pub fn is_full(&self) -> bool {
        self.bytes.len() >= BUNDLE_BYTES
    }

    /// Adds an entry.
    pub fn push(&mut self, entry: &[u8]) {
        self.push_with(|bytes| bytes.extend_from_slice(entry));
    }

    /// Adds the entry that `write` appends; gives it.
    pub(crate) fn push_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> &[u8] {
        let start = self.bytes.len();
        write(&mut self.bytes);
        self.ends.push(self.bytes.len());
        &self.bytes[start..]
    }

    /// Adds the signature of the last entry.
    pub fn sign_last(&mut self, signature: [u8; 64]) {
        if let Some(seq) = self.end().checked_sub(1) {
            self.signatures.push((seq, signature));
        }
    }

    /// Whether the last entry has its signature.
    pub(crate) fn is_last_signed(&self) -> bool {
        self.signatures.last().is_some_and(|(seq, _)| Some(*seq) == self.end().checked_sub(1))
    }

    /// The entry with sequence number `seq`.
    pub fn get(&self, seq: u64) -> Option<&[u8]> {
        let at = usize::try_from(seq.checked_sub(self.first)?).ok()?;
        let end = *self.ends.get(at)?;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some(&self.bytes[start..end])
    }

    /// The entries in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.bytes[start..*end])
    }

    /// The entries in order with their sequence numbers and signatures.
    pub fn signed(&self) -> impl Iterator<Item = (u64, &[u8], Option<&[u8; 64]>)> {
        let mut signatures = self.signatures.iter().peekable();
        (self.first..).zip(self.iter()).map(move |(seq, bytes)| {
            let signature = signatures.next_if(|(signed, _)| *signed == seq).map(|(_, signature)| signature);
            (seq, bytes, signature)
        })
    }
}

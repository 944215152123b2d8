//! The bytes of an entry, written and read by hand: fixed-width big-endian
//! integers, and a 32-bit length before everything that varies. There is one
//! way to write a value, so that equal values hash alike and nothing else does.

use std::str::FromStr;

use vak_types::{Digest, ObligationError, TextError};

/// Why bytes are not an entry of this format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end before the entry does.
    #[error("{what} needs {need} bytes at byte {at}, and {left} are left")]
    Truncated {
        /// What was being read.
        what: &'static str,
        /// Where, in bytes from the start of the entry or of its part.
        at: usize,
        /// How many bytes it takes.
        need: usize,
        /// How many there are.
        left: usize,
    },
    /// Bytes follow the end of the entry.
    #[error("{left} bytes follow the end, at byte {at}")]
    Trailing {
        /// Where the entry ends.
        at: usize,
        /// How many bytes follow.
        left: usize,
    },
    /// More than [`ENTRY_BYTES_MAX`](crate::ENTRY_BYTES_MAX).
    #[error("an entry has at most {} bytes, this has {bytes}", crate::ENTRY_BYTES_MAX)]
    TooLarge {
        /// How many bytes there are.
        bytes: usize,
    },
    /// The bytes don't begin as an entry does.
    #[error("this doesn't begin as an entry of an audit log does")]
    Magic,
    /// An entry of a later format.
    #[error("entry format {version} is not known; verify with a newer version")]
    Version {
        /// The version it says.
        version: u8,
    },
    /// A byte that stands for a choice stands for none.
    #[error("{what} can't be {tag:#04x}, as at byte {at}")]
    Tag {
        /// What was being read.
        what: &'static str,
        /// The byte.
        tag: u8,
        /// Where it is.
        at: usize,
    },
    /// Text that is not UTF-8.
    #[error("{what} is not UTF-8, at byte {at}")]
    Utf8 {
        /// What was being read.
        what: &'static str,
        /// Where the text starts.
        at: usize,
    },
    /// Text that breaks the rules of its kind.
    #[error(transparent)]
    Text(#[from] TextError),
    /// What has to be done with an action breaks the rules for it.
    #[error(transparent)]
    Obligation(#[from] ObligationError),
    /// The log's name breaks the rules for one.
    #[error(transparent)]
    Origin(#[from] crate::OriginError),
    /// A verifier key that is none.
    #[error(transparent)]
    Key(#[from] crate::KeyError),
    /// Attributes that are not in strictly rising order of their keys.
    #[error("the attribute {key:?} is out of order or stands twice")]
    Unsorted {
        /// The key that is out of order.
        key: String,
    },
    /// A part that is written out though it is long.
    #[error("{what} of {bytes} bytes is written out; that is for up to {} bytes", crate::PART_BYTES_MAX)]
    Form {
        /// Which part.
        what: &'static str,
        /// Its length.
        bytes: u64,
    },
    /// An outcome, a finding or an answer that names a decision which isn't before
    /// it, or a decision that names such an answer.
    #[error("entry {seq} is about entry {after}, which is not before it")]
    Order {
        /// The entry.
        seq: u64,
        /// The entry it names.
        after: u64,
    },
}

/// Why an entry can't be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// More than [`ENTRY_BYTES_MAX`](crate::ENTRY_BYTES_MAX).
    #[error("the entry has {bytes} bytes; the most is {bytes_max}; shorten the texts of its reasons or its detail")]
    TooLarge {
        /// Its length.
        bytes: usize,
        /// The most it can have.
        bytes_max: usize,
    },
    /// Arguments, attributes or labels longer than
    /// [`PAYLOAD_BYTES_MAX`](crate::PAYLOAD_BYTES_MAX).
    #[error("arguments, attributes or labels have {bytes} bytes; the most that is recorded is {bytes_max}")]
    PayloadTooLarge {
        /// Their length.
        bytes: usize,
        /// The most it can be.
        bytes_max: usize,
    },
    /// No salt for a payload's commitment.
    #[error("the system gave no randomness to hide a payload with")]
    Randomness,
}

/// Appends values to a buffer. Infallible until the end: [`Writer::finish`]
/// checks the length.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    pub(crate) bytes: Vec<u8>,
    /// Set by a length past 32 bits, which was therefore written wrong.
    overlong: bool,
}

impl Writer {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), overlong: false }
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    pub(crate) fn bool(&mut self, value: bool) {
        self.u8(u8::from(value));
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.raw(&value.to_be_bytes());
    }

    /// A length or a count.
    pub(crate) fn i64(&mut self, value: i64) {
        self.raw(&value.to_be_bytes());
    }

    pub(crate) fn length(&mut self, length: usize) {
        let field = u32::try_from(length).unwrap_or_else(|_| {
            self.overlong = true;
            u32::MAX
        });
        self.raw(&field.to_be_bytes());
    }

    pub(crate) fn digest(&mut self, digest: &Digest) {
        self.raw(digest.as_bytes());
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.length(text.len());
        self.raw(text.as_bytes());
    }

    /// `0` for nothing; `1` and the value otherwise.
    pub(crate) fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.bool(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }

    /// A count and that many values.
    pub(crate) fn list<T>(&mut self, values: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.length(values.len());
        for value in values {
            write(self, value);
        }
    }

    /// The bytes, if there are at most `bytes_max`.
    pub(crate) fn finish(self, bytes_max: usize) -> Result<Vec<u8>, EncodeError> {
        let bytes = self.bytes.len();
        if bytes > bytes_max || self.overlong {
            return Err(EncodeError::TooLarge { bytes, bytes_max });
        }
        Ok(self.bytes)
    }
}

/// Takes values off the front of some bytes.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.at == self.bytes.len()
    }

    pub(crate) fn take(&mut self, what: &'static str, need: usize) -> Result<&'a [u8], DecodeError> {
        let rest = &self.bytes[self.at..];
        let taken = rest.get(..need).ok_or(DecodeError::Truncated { what, at: self.at, need, left: rest.len() })?;
        self.at += need;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], DecodeError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(what, N)?);
        Ok(array)
    }

    pub(crate) fn u8(&mut self, what: &'static str) -> Result<u8, DecodeError> {
        self.array::<1>(what).map(|[byte]| byte)
    }

    pub(crate) fn bool(&mut self, what: &'static str) -> Result<bool, DecodeError> {
        match self.u8(what)? {
            0 => Ok(false),
            1 => Ok(true),
            tag => Err(self.bad_tag(what, tag)),
        }
    }

    pub(crate) fn u64(&mut self, what: &'static str) -> Result<u64, DecodeError> {
        self.array(what).map(u64::from_be_bytes)
    }

    pub(crate) fn i64(&mut self, what: &'static str) -> Result<i64, DecodeError> {
        self.array(what).map(i64::from_be_bytes)
    }

    pub(crate) fn length(&mut self, what: &'static str) -> Result<usize, DecodeError> {
        let length = u32::from_be_bytes(self.array(what)?);
        Ok(usize::try_from(length).unwrap_or(usize::MAX))
    }

    pub(crate) fn digest(&mut self, what: &'static str) -> Result<Digest, DecodeError> {
        self.array(what).map(Digest::from_bytes)
    }

    pub(crate) fn text(&mut self, what: &'static str) -> Result<&'a str, DecodeError> {
        let length = self.length(what)?;
        let at = self.at;
        std::str::from_utf8(self.take(what, length)?).map_err(|_| DecodeError::Utf8 { what, at })
    }

    /// All that is left, as text.
    pub(crate) fn rest_as_text(&mut self, what: &'static str) -> Result<&'a str, DecodeError> {
        let at = self.at;
        std::str::from_utf8(self.take(what, self.bytes.len() - at)?).map_err(|_| DecodeError::Utf8 { what, at })
    }

    /// Text of a kind that `vak-types` checks.
    pub(crate) fn checked<T: FromStr>(&mut self, what: &'static str) -> Result<T, DecodeError>
    where
        DecodeError: From<T::Err>,
    {
        Ok(self.text(what)?.parse()?)
    }

    pub(crate) fn option<T>(
        &mut self,
        what: &'static str,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        if self.bool(what)? { read(self).map(Some) } else { Ok(None) }
    }

    /// A count and that many values. Memory follows the bytes that are there,
    /// not the count that is claimed.
    pub(crate) fn list<T>(
        &mut self,
        what: &'static str,
        mut read: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let count = self.length(what)?;
        let mut values = Vec::new();
        for _ in 0..count {
            values.push(read(self)?);
        }
        Ok(values)
    }

    /// The error for the byte that was just read.
    pub(crate) fn bad_tag(&self, what: &'static str, tag: u8) -> DecodeError {
        DecodeError::Tag { what, tag, at: self.at - 1 }
    }

    /// Nothing may be left.
    pub(crate) fn end(&self) -> Result<(), DecodeError> {
        match self.bytes.len() - self.at {
            0 => Ok(()),
            left => Err(DecodeError::Trailing { at: self.at, left }),
        }
    }
}

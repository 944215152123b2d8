//! Numbers and texts in a row of bytes.

use std::time::Duration;

use crate::Error;

#[derive(Debug, Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn u8(&mut self, number: u8) {
        self.0.push(number);
    }

    pub(crate) fn u64(&mut self, number: u64) {
        self.bytes(&number.to_le_bytes());
    }

    /// A number that is mostly small: seven bits a byte, the lowest first, and
    /// the eighth says that there are more.
    pub(crate) fn count(&mut self, count: usize) {
        let mut rest = count;
        while rest > 0x7f {
            self.u8(rest.to_le_bytes()[0] | 0x80);
            rest >>= 7;
        }
        self.u8(rest.to_le_bytes()[0]);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.count(text.len());
        self.bytes(text.as_bytes());
    }

    /// Below 584 years, as all of ours are.
    pub(crate) fn duration(&mut self, span: Duration) {
        self.u64(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX));
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Reads what a [`Writer`] wrote. Believes no length: it allocates nothing that
/// is not there.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    all: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(all: &'a [u8]) -> Self {
        Self { all, at: 0 }
    }

    pub(crate) fn damaged(&self, what: &'static str) -> Error {
        Error::Snapshot { at: self.at, what }
    }

    /// The same place, with a checksum of all before it checked and cut off.
    pub(crate) fn without_checksum(self, hash: impl FnOnce(&[u8]) -> u64) -> Result<Self, Error> {
        let (all, checksum) = self.all.split_last_chunk().ok_or_else(|| self.damaged("it ends too early"))?;
        if all.len() < self.at || u64::from_le_bytes(*checksum) != hash(all) {
            return Err(self.damaged("its checksum is another"));
        }
        Ok(Self { all, at: self.at })
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let rest = self.all.get(self.at..).and_then(|rest| rest.first_chunk());
        let bytes = *rest.ok_or_else(|| self.damaged("it ends too early"))?;
        self.at += N;
        Ok(bytes)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Error> {
        self.bytes().map(|[byte]| byte)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Error> {
        self.bytes().map(u64::from_le_bytes)
    }

    pub(crate) fn count(&mut self) -> Result<usize, Error> {
        let mut count = 0;
        for shift in (0..56).step_by(7) {
            let byte = self.u8()?;
            count |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(count);
            }
        }
        Err(self.damaged("a count is too large"))
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Error> {
        let length = self.count()?;
        let bytes = self.all.get(self.at..).and_then(|rest| rest.get(..length));
        let bytes = bytes.ok_or_else(|| self.damaged("it ends too early"))?;
        let text = std::str::from_utf8(bytes).map_err(|_| self.damaged("a text is not UTF-8"))?;
        self.at += length;
        Ok(text)
    }

    pub(crate) fn duration(&mut self) -> Result<Duration, Error> {
        self.u64().map(Duration::from_nanos)
    }

    pub(crate) fn flag(&mut self) -> Result<bool, Error> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.damaged("a flag is neither on nor off")),
        }
    }

    pub(crate) fn end(self) -> Result<(), Error> {
        if self.at == self.all.len() { Ok(()) } else { Err(self.damaged("there is more than belongs to it")) }
    }
}

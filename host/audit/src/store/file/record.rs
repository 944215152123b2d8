//! The records of a segment: written into a buffer, read from a file.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use ed25519_dalek::SIGNATURE_LENGTH;
use vak_types::Digest;

use crate::store::{EntrySignature, StorageError};
use crate::{Checkpoint, Origin, Signer, VerifierKey};

/// Begins every segment; the last byte is the version. The first entry's
/// sequence number and a CRC-32C follow.
const MAGIC: &[u8; 16] = b"vak/audit/log\0\0\x01";
const HEADER_BYTES: usize = 16 + 8 + 4;

/// What the signature in a trailer is over, before origin, size and root. The
/// last byte is the version.
const TRAILER_DOMAIN: &[u8; 18] = b"vak/audit/trailer\x01";

const ENTRY: u8 = 1;
const SIGNATURE: u8 = 2;
const TRAILER: u8 = 3;

const CRC_BYTES: usize = 4;
const TRAILER_BYTES: usize = 8 + 32 + SIGNATURE_LENGTH;

/// How much is read at a time: a few of the longest records, or hundreds of
/// usual ones.
const READ_BYTES: usize = 256 << 10;

/// Records that are written at once.
#[derive(Debug, Default)]
pub(super) struct Frames {
    bytes: Vec<u8>,
}

impl Frames {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    pub(super) fn header(&mut self, first: u64) {
        self.sealed(|bytes| {
            bytes.extend_from_slice(MAGIC);
            bytes.extend_from_slice(&first.to_be_bytes());
        });
    }

    /// An entry, and its own signature if it has one.
    pub(super) fn entry(&mut self, entry: &[u8], signature: Option<&EntrySignature>) {
        // An entry has at most 65,535 bytes.
        let length = u16::try_from(entry.len()).unwrap_or(u16::MAX);
        self.sealed(|bytes| {
            bytes.push(ENTRY);
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(entry);
        });
        if let Some(signature) = signature {
            self.sealed(|bytes| {
                bytes.push(SIGNATURE);
                bytes.extend_from_slice(signature);
            });
        }
    }

    /// The end of a commit: how far the log is with it.
    pub(super) fn trailer(&mut self, checkpoint: &Checkpoint, signer: &Signer) {
        let (size, root) = (checkpoint.size(), checkpoint.root());
        let signature = signer.sign(&statement(checkpoint.origin(), size, &root));
        self.sealed(|bytes| {
            bytes.push(TRAILER);
            bytes.extend_from_slice(&size.to_be_bytes());
            bytes.extend_from_slice(root.as_bytes());
            bytes.extend_from_slice(&signature);
        });
    }

    fn sealed(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        write(&mut self.bytes);
        let crc = crc32c::crc32c(&self.bytes[start..]);
        self.bytes.extend_from_slice(&crc.to_be_bytes());
    }
}

fn statement(origin: &Origin, size: u64, root: &Digest) -> Vec<u8> {
    let length = u32::try_from(origin.as_str().len()).unwrap_or(u32::MAX).to_be_bytes();
    [TRAILER_DOMAIN, &length[..], origin.as_str().as_bytes(), &size.to_be_bytes(), root.as_bytes()].concat()
}

/// The end of a commit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trailer {
    pub(super) size: u64,
    pub(super) root: Digest,
    signature: [u8; SIGNATURE_LENGTH],
}

impl Trailer {
    pub(super) fn is_signed(&self, origin: &Origin, key: &VerifierKey) -> bool {
        key.verifies(&statement(origin, self.size, &self.root), &self.signature)
    }
}

/// A record of a segment.
#[derive(Debug)]
pub(super) enum Record<'b> {
    Entry(&'b [u8]),
    Signature(EntrySignature),
    Trailer(Trailer),
}

/// Why there is no record where one should be.
#[derive(Debug)]
pub(super) enum NoRecord {
    /// The segment ends here.
    End,
    /// It ends, or something else begins, within a record.
    Broken(&'static str),
    Storage(StorageError),
}

/// Reads records of a segment one after the other.
#[derive(Debug)]
pub(super) struct Scan {
    file: File,
    buffer: Vec<u8>,
    /// Where in the file the buffer begins.
    start: u64,
    /// Where in the buffer the next record begins.
    at: usize,
}

impl Scan {
    /// From the record at `offset` on.
    pub(super) fn new(file: File, offset: u64) -> Self {
        Self { file, buffer: Vec::new(), start: offset, at: 0 }
    }

    /// Where the next record begins.
    pub(super) fn offset(&self) -> u64 {
        self.start + self.at as u64
    }

    /// The segment's header, at its start: the sequence number of its first
    /// entry.
    pub(super) fn header(&mut self) -> Result<u64, NoRecord> {
        let bytes = self.sealed(HEADER_BYTES, "the header")?;
        let first = bytes.strip_prefix(MAGIC).and_then(|rest| rest.first_chunk());
        first.map(|first| u64::from_be_bytes(*first)).ok_or(NoRecord::Broken("the header is not a segment's"))
    }

    pub(super) fn next(&mut self) -> Result<Record<'_>, NoRecord> {
        let tag = match self.peek(1)? {
            [] => return Err(NoRecord::End),
            bytes => bytes[0],
        };
        match tag {
            ENTRY => {
                let length = match self.peek(3)? {
                    [_, high, low, ..] => usize::from(u16::from_be_bytes([*high, *low])),
                    _ => return Err(NoRecord::Broken("an entry's length is cut off")),
                };
                let bytes = self.sealed(3 + length + CRC_BYTES, "an entry")?;
                Ok(Record::Entry(&bytes[3..]))
            }
            SIGNATURE => {
                let bytes = self.sealed(1 + SIGNATURE_LENGTH + CRC_BYTES, "a signature")?;
                bytes[1..].try_into().map(Record::Signature).map_err(|_| NoRecord::Broken("a signature"))
            }
            TRAILER => {
                let bytes = self.sealed(1 + TRAILER_BYTES + CRC_BYTES, "a trailer")?;
                trailer(&bytes[1..]).map(Record::Trailer).ok_or(NoRecord::Broken("a trailer"))
            }
            _ => Err(NoRecord::Broken("no record begins with this byte")),
        }
    }

    /// Goes on one byte further, to look for a record after damage.
    pub(super) fn skip_byte(&mut self) {
        self.at += 1;
    }

    /// The next `length` bytes without the checksum that ends them.
    fn sealed(&mut self, length: usize, what: &'static str) -> Result<&[u8], NoRecord> {
        if self.peek(length)?.len() < length {
            return Err(NoRecord::Broken(what));
        }
        let bytes = &self.buffer[self.at..self.at + length];
        let (content, crc) = bytes.split_at(length - CRC_BYTES);
        if crc32c::crc32c(content).to_be_bytes() != crc {
            return Err(NoRecord::Broken("a checksum does not fit"));
        }
        self.at += length;
        Ok(content)
    }

    /// The next bytes: `length` of them or more, or what is left of the file.
    fn peek(&mut self, length: usize) -> Result<&[u8], NoRecord> {
        if self.buffer.len() - self.at < length {
            self.buffer.drain(..self.at);
            self.start += self.at as u64;
            self.at = 0;
            while self.buffer.len() < length {
                let filled = self.buffer.len();
                self.buffer.resize(filled + READ_BYTES, 0);
                let read = self.file.read_at(&mut self.buffer[filled..], self.start + filled as u64);
                let read = read.map_err(|error| NoRecord::Storage(error.into()))?;
                self.buffer.truncate(filled + read);
                if read == 0 {
                    break;
                }
            }
        }
        Ok(&self.buffer[self.at..])
    }
}

fn trailer(bytes: &[u8]) -> Option<Trailer> {
    let (size, rest) = bytes.split_first_chunk()?;
    let (root, signature) = rest.split_first_chunk()?;
    Some(Trailer {
        size: u64::from_be_bytes(*size),
        root: Digest::from_bytes(*root),
        signature: signature.try_into().ok()?,
    })
}

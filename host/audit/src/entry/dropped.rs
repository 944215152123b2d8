//! What is not, or no longer, in the log.

use vak_types::Digest;

use crate::codec::{DecodeError, Reader, Writer};

/// What is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The payload with this commitment was erased. What the log says of it
    /// still holds; what it said cannot be read any more.
    Payload {
        /// The commitment, as the entry that had it says.
        commitment: Digest,
    },
    /// Calls were refused before they were an action that could be judged.
    Calls {
        /// How many.
        count: u64,
    },
    /// Actions were not judged by a policy without a say.
    Shadows {
        /// How many.
        count: u64,
    },
    /// Bytes at the end of the storage that were never acknowledged were cut
    /// off when the log was opened after a crash.
    Tail {
        /// How many bytes.
        bytes: u64,
    },
}

/// The body of a drop notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// What is missing.
    pub what: What,
    /// Why, for a person.
    pub reason: String,
}

impl Dropped {
    pub(crate) fn write(&self, writer: &mut Writer) {
        match &self.what {
            What::Payload { commitment } => {
                writer.u8(1);
                writer.digest(commitment);
            }
            What::Calls { count } => {
                writer.u8(2);
                writer.u64(*count);
            }
            What::Tail { bytes } => {
                writer.u8(3);
                writer.u64(*bytes);
            }
            What::Shadows { count } => {
                writer.u8(4);
                writer.u64(*count);
            }
        }
        writer.text(&self.reason);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let what = match reader.u8("what was dropped")? {
            1 => What::Payload { commitment: reader.digest("commitment")? },
            2 => What::Calls { count: reader.u64("calls")? },
            3 => What::Tail { bytes: reader.u64("bytes")? },
            4 => What::Shadows { count: reader.u64("findings")? },
            tag => return Err(reader.bad_tag("what was dropped", tag)),
        };
        Ok(Self { what, reason: reader.text("reason")?.to_owned() })
    }
}

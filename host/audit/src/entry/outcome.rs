//! How an action ended.

use super::Contents;
use crate::codec::{DecodeError, Reader, Writer};

/// Whether an action that was allowed did what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It was carried out.
    Succeeded,
    /// It was not carried out, or reported an error.
    Failed,
    /// Nobody knows: the connection broke, or the caller never said.
    Unknown,
}

/// The body of an outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The [`seq`](crate::Entry::seq) of the decision it belongs to.
    pub decision: u64,
    /// How it ended.
    pub status: Status,
    /// Digest and length of what came back; `None` when nothing did.
    pub result: Option<Contents>,
    /// A sentence for a person, such as the error; may be empty.
    pub detail: String,
    /// How long it took, in nanoseconds.
    pub duration_ns: u64,
}

impl Outcome {
    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.u64(self.decision);
        writer.u8(match self.status {
            Status::Succeeded => 1,
            Status::Failed => 2,
            Status::Unknown => 3,
        });
        writer.option(self.result.as_ref(), |writer, contents| contents.write(writer));
        writer.text(&self.detail);
        writer.u64(self.duration_ns);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let decision = reader.u64("decision")?;
        let status = match reader.u8("status")? {
            1 => Status::Succeeded,
            2 => Status::Failed,
            3 => Status::Unknown,
            tag => return Err(reader.bad_tag("status", tag)),
        };
        Ok(Self {
            decision,
            status,
            result: reader.option("result", |reader| Contents::read(reader, "result"))?,
            detail: reader.text("detail")?.to_owned(),
            duration_ns: reader.u64("duration")?,
        })
    }
}

//! What a person said to an action that was escalated.

use std::fmt;

use vak_types::{Action, Digest, Person, Timestamp};

use super::part::{self, Kept, Part};
use crate::codec::{DecodeError, EncodeError, Reader, Writer};

/// A person's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The action may be decided again with this, once, before then.
    Approved {
        /// From when on it can't.
        until: Timestamp,
    },
    /// It may not happen.
    Rejected,
}

/// In one word.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Approved { .. } => "approved",
            Self::Rejected => "rejected",
        })
    }
}

/// The body of an approval: the one answer to a decision that escalated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// The [`seq`](crate::Entry::seq) of the decision.
    pub decision: u64,
    /// The decision's leaf hash: what was answered is every byte of it.
    pub leaf: Digest,
    /// The answer.
    pub answer: Answer,
    /// Who gave it.
    pub by: Person,
    /// What they had to say about it; may be empty.
    pub note: Part<String>,
}

impl Approval {
    pub(crate) fn write(&self, writer: &mut Writer) {
        write(writer, &Given { decision: self.decision, leaf: &self.leaf, answer: self.answer, by: &self.by });
        part::write(writer, &self.note);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            decision: reader.u64("decision")?,
            leaf: reader.digest("decision's hash")?,
            answer: match reader.u8("answer")? {
                1 => Answer::Approved { until: Timestamp::from_nanos(reader.u64("until")?) },
                2 => Answer::Rejected,
                tag => return Err(reader.bad_tag("answer", tag)),
            },
            by: reader.checked("person")?,
            note: part::read(reader, "note")?,
        })
    }
}

/// An answer before it has its place in the log.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// The `seq` of the decision.
    pub decision: u64,
    /// Its leaf hash.
    pub leaf: &'a Digest,
    /// The answer.
    pub answer: Answer,
    /// Who gave it.
    pub by: &'a Person,
}

/// Writes the body that [`Approval::read`] reads.
pub(crate) fn write_approval(
    writer: &mut Writer,
    action: &Action,
    given: &Given<'_>,
    note: &str,
    kept: &mut Kept,
) -> Result<(), EncodeError> {
    super::write_about(writer, action);
    write(writer, given);
    part::write_value::<String>(writer, note, kept)
}

fn write(writer: &mut Writer, given: &Given<'_>) {
    writer.u64(given.decision);
    writer.digest(given.leaf);
    match given.answer {
        Answer::Approved { until } => {
            writer.u8(1);
            writer.u64(until.as_nanos());
        }
        Answer::Rejected => writer.u8(2),
    }
    writer.text(given.by.as_str());
}

//! What a policy says of an action that has no say in it.

use vak_types::{Obligation, Reason};

use super::verdict::{read_obligation, read_reason, write_obligation, write_reason};
use crate::codec::{DecodeError, Reader, Writer};

/// The body of a shadow finding: what a policy that is only tried would have
/// said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shadow {
    /// The [`seq`](crate::Entry::seq) of the decision it is about.
    pub decision: u64,
    /// Its voice, as it would stand in the verdict.
    pub reason: Reason,
    /// What it would have had done.
    pub obligations: Vec<Obligation>,
}

impl Shadow {
    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.u64(self.decision);
        write_reason(writer, &self.reason);
        writer.list(&self.obligations, write_obligation);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            decision: reader.u64("decision")?,
            reason: read_reason(reader)?,
            obligations: reader.list("obligations", read_obligation)?,
        })
    }
}

//! An action and the verdict on it.

use std::collections::BTreeMap;

use vak_types::{Action, AttributeValue, Label, Operation, Resource, Verdict};

use super::part::{self, Kept, Part};
use super::verdict::{read_verdict, write_verdict};
use crate::codec::{DecodeError, EncodeError, Reader, Writer};

/// The body of a decision: what was asked and what was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What was to be done.
    pub operation: Operation,
    /// What it was to be done to.
    pub resource: Resource,
    /// The arguments' JSON text.
    pub arguments: Part<String>,
    /// Facts the surface added.
    pub attributes: Part<BTreeMap<String, AttributeValue>>,
    /// Where the arguments came from.
    pub labels: Part<Vec<Label>>,
    /// The answer, with every voice in it.
    pub verdict: Verdict,
}

impl Decision {
    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.text(self.operation.as_str());
        writer.text(self.resource.as_str());
        part::write(writer, &self.arguments);
        part::write(writer, &self.attributes);
        part::write(writer, &self.labels);
        write_verdict(writer, &self.verdict);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            operation: reader.checked("operation")?,
            resource: reader.checked("resource")?,
            arguments: part::read(reader, "arguments")?,
            attributes: part::read(reader, "attributes")?,
            labels: part::read(reader, "labels")?,
            verdict: read_verdict(reader)?,
        })
    }
}

/// Writes the body that [`Decision::read`] reads, without cloning what it is
/// made from.
pub(crate) fn write_decision(
    writer: &mut Writer,
    action: &Action,
    verdict: &Verdict,
    kept: &mut Kept,
) -> Result<(), EncodeError> {
    writer.text(action.operation.as_str());
    writer.text(action.resource.as_str());
    part::write_value::<String>(writer, action.arguments.as_str(), kept)?;
    part::write_value::<BTreeMap<_, _>>(writer, &action.attributes, kept)?;
    part::write_value::<Vec<Label>>(writer, &action.labels, kept)?;
    write_verdict(writer, verdict);
    Ok(())
}

//! What a host ran with.

use std::sync::Arc;

use vak_types::{ComponentRef, Digest};

use super::verdict::{read_component, write_component};
use crate::codec::{DecodeError, Reader, Writer};

/// The body of a configuration change: what decides from here on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// The SHA-256 of the effective configuration's text, by which a kept copy
    /// is recognised.
    pub digest: Digest,
    /// The program and its version.
    pub software: String,
    /// The components that are loaded, in the order they are asked.
    pub components: Vec<Arc<ComponentRef>>,
}

impl Configuration {
    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.digest(&self.digest);
        writer.text(&self.software);
        writer.list(&self.components, |writer, component| write_component(writer, component));
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            digest: reader.digest("configuration digest")?,
            software: reader.text("software")?.to_owned(),
            components: reader.list("components", |reader| read_component(reader).map(Arc::new))?,
        })
    }
}

//! How something that agents are told of may be described.

use std::fmt;

use vak_types::{Digest, Name};

use crate::codec::{DecodeError, Reader, Writer};

/// What is described.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Described {
    /// A tool.
    Tool,
    /// A prompt.
    Prompt,
}

impl fmt::Display for Described {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tool => "tool",
            Self::Prompt => "prompt",
        })
    }
}

/// The body of an acceptance: how an MCP server describes something counts from
/// here on, and no other way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// The server's name in the configuration.
    pub upstream: Name,
    /// What is described.
    pub what: Described,
    /// What the server calls it.
    pub name: String,
    /// The digest of the definition that counted before. None where it was seen for
    /// the first time, and so was accepted by nobody but the host.
    pub before: Option<Digest>,
    /// The digest of the definition that counts.
    pub accepted: Digest,
}

impl Acceptance {
    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.text(self.upstream.as_str());
        writer.u8(match self.what {
            Described::Tool => 1,
            Described::Prompt => 2,
        });
        writer.text(&self.name);
        writer.option(self.before.as_ref(), Writer::digest);
        writer.digest(&self.accepted);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let upstream = reader.checked("upstream")?;
        let what = match reader.u8("what is described")? {
            1 => Described::Tool,
            2 => Described::Prompt,
            tag => return Err(reader.bad_tag("what is described", tag)),
        };
        let name = reader.text("name")?.to_owned();
        let before = reader.option("before", |reader| reader.digest("before"))?;
        Ok(Self { upstream, what, name, before, accepted: reader.digest("accepted")? })
    }
}

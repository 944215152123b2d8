//! One entry of the log.

mod about;
mod acceptance;
mod approval;
mod configuration;
mod decision;
mod dropped;
mod kind;
mod outcome;
mod part;
mod rotation;
mod shadow;
mod verdict;

use vak_types::{Digest, Timestamp};

pub use about::About;
pub(crate) use about::write_about;
pub use acceptance::{Acceptance, Described};
pub(crate) use approval::write_approval;
pub use approval::{Answer, Approval, Given};
pub use configuration::Configuration;
pub use decision::Decision;
pub(crate) use decision::write_decision;
pub use dropped::{Dropped, What};
pub use kind::{EntryKind, KindError, KindSet};
pub use outcome::{Outcome, Status};
pub use part::{Contents, PART_BYTES_MAX, Part};
pub(crate) use part::{Encoding, Kept, decode, written};
pub use rotation::KeyRotation;
pub(crate) use rotation::Turn;
pub use shadow::Shadow;

use crate::codec::{DecodeError, EncodeError, Reader, Writer};
use crate::{Commitment, Origin};

/// The longest entry, in bytes. Entry bundles of C2SP tlog-tiles give the
/// length of an entry in 16 bits.
pub const ENTRY_BYTES_MAX: usize = 65_535;

/// Says what the bytes are, so that no other thing that is hashed or signed
/// can be taken for an entry. The last byte is the version.
const DOMAIN: &[u8; 16] = b"vak/audit/entry\x01";

/// What an entry tells about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// An action was judged.
    Decision(About, Box<Decision>),
    /// An action that was allowed came to an end.
    Outcome(About, Outcome),
    /// Another key signs from here on.
    KeyRotation(Box<KeyRotation>),
    /// Another configuration decides from here on.
    Configuration(Configuration),
    /// Something is not, or no longer, in the log.
    Drop(Dropped),
    /// A policy without a say judged an action.
    Shadow(About, Box<Shadow>),
    /// A person answered an action that was escalated.
    Approval(About, Box<Approval>),
    /// How an MCP server describes something counts from here on.
    Acceptance(Acceptance),
}

impl Body {
    /// In one word.
    pub fn kind(&self) -> EntryKind {
        match self {
            Self::Decision(..) => EntryKind::Decision,
            Self::Outcome(..) => EntryKind::Outcome,
            Self::KeyRotation(_) => EntryKind::KeyRotation,
            Self::Configuration(_) => EntryKind::Configuration,
            Self::Drop(_) => EntryKind::Drop,
            Self::Shadow(..) => EntryKind::Shadow,
            Self::Approval(..) => EntryKind::Approval,
            Self::Acceptance(_) => EntryKind::Acceptance,
        }
    }

    /// Whose action this is about; `None` when it is about the log itself.
    pub fn about(&self) -> Option<&About> {
        match self {
            Self::Decision(about, _) | Self::Outcome(about, _) | Self::Shadow(about, _) | Self::Approval(about, _) => {
                Some(about)
            }
            Self::KeyRotation(_) | Self::Configuration(_) | Self::Drop(_) | Self::Acceptance(_) => None,
        }
    }

    /// The [`seq`](Entry::seq) of the entry that has to be before this: the
    /// decision that it is about, or the answer that a verdict counts on.
    pub(crate) fn after(&self) -> Option<u64> {
        match self {
            Self::Decision(_, decision) => decision.verdict.approval,
            Self::Outcome(_, outcome) => Some(outcome.decision),
            Self::Shadow(_, shadow) => Some(shadow.decision),
            Self::Approval(_, approval) => Some(approval.decision),
            _ => None,
        }
    }

    /// What this commits to that is kept beside the log.
    pub fn commitments(&self) -> impl Iterator<Item = &Commitment> {
        let parts = match self {
            Self::Decision(_, decision) => {
                [decision.arguments.commitment(), decision.attributes.commitment(), decision.labels.commitment()]
            }
            Self::Approval(_, approval) => [approval.note.commitment(), None, None],
            _ => [None; 3],
        };
        parts.into_iter().flatten()
    }

    /// The commitment to the payload that this says was erased.
    pub fn erases(&self) -> Option<Digest> {
        match self {
            Self::Drop(Dropped { what: What::Payload { commitment }, .. }) => Some(*commitment),
            _ => None,
        }
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        if let Some(about) = self.about() {
            about.write(writer);
        }
        match self {
            Self::Decision(_, decision) => decision.write(writer),
            Self::Outcome(_, outcome) => outcome.write(writer),
            Self::KeyRotation(rotation) => rotation.write(writer),
            Self::Configuration(configuration) => configuration.write(writer),
            Self::Drop(dropped) => dropped.write(writer),
            Self::Shadow(_, shadow) => shadow.write(writer),
            Self::Approval(_, approval) => approval.write(writer),
            Self::Acceptance(acceptance) => acceptance.write(writer),
        }
    }

    fn read(kind: EntryKind, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match kind {
            EntryKind::Decision => Self::Decision(About::read(reader)?, Box::new(Decision::read(reader)?)),
            EntryKind::Outcome => Self::Outcome(About::read(reader)?, Outcome::read(reader)?),
            EntryKind::KeyRotation => Self::KeyRotation(Box::new(KeyRotation::read(reader)?)),
            EntryKind::Configuration => Self::Configuration(Configuration::read(reader)?),
            EntryKind::Drop => Self::Drop(Dropped::read(reader)?),
            EntryKind::Shadow => Self::Shadow(About::read(reader)?, Box::new(Shadow::read(reader)?)),
            EntryKind::Approval => Self::Approval(About::read(reader)?, Box::new(Approval::read(reader)?)),
            EntryKind::Acceptance => Self::Acceptance(Acceptance::read(reader)?),
        })
    }
}

/// One entry of the log, as decoded from its bytes. `FORMAT.md` describes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The log it belongs to.
    pub origin: Origin,
    /// Its place in the log, from 0.
    pub seq: u64,
    /// The leaf hash of the entry before; zeros in the first.
    pub prev: Digest,
    /// Whether the log keeps a signature of this entry alone. As the entry says
    /// so itself, the signature can't be taken away unnoticed.
    pub signed: bool,
    /// When the action was asked, or when it ended; for other kinds, when it
    /// happened.
    pub time: Timestamp,
    /// What happened.
    pub body: Body,
}

impl Entry {
    /// Reads an entry. Takes exactly the bytes that [`Entry::encode`] gives for
    /// it and no others; never panics, and needs memory in proportion to `bytes`.
    ///
    /// # Errors
    /// The bytes are not the one encoding of an entry.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > ENTRY_BYTES_MAX {
            return Err(DecodeError::TooLarge { bytes: bytes.len() });
        }
        let mut reader = Reader::new(bytes);
        let (version, magic) = (DOMAIN[15], &DOMAIN[..15]);
        if reader.take("magic", magic.len())? != magic {
            return Err(DecodeError::Magic);
        }
        match reader.u8("version")? {
            known if known == version => {}
            version => return Err(DecodeError::Version { version }),
        }
        let origin = reader.checked("origin")?;
        let seq = reader.u64("seq")?;
        let prev = reader.digest("prev")?;
        let signed = reader.bool("signed")?;
        let time = Timestamp::from_nanos(reader.u64("time")?);
        let kind = reader.u8("kind")?;
        let kind = EntryKind::from_tag(kind).ok_or_else(|| reader.bad_tag("kind", kind))?;
        let body = Body::read(kind, &mut reader)?;
        reader.end()?;
        if let Some(after) = body.after()
            && after >= seq
        {
            return Err(DecodeError::Order { seq, after });
        }
        Ok(Self { origin, seq, prev, signed, time, body })
    }

    /// The one encoding of this entry.
    ///
    /// # Errors
    /// It is longer than [`ENTRY_BYTES_MAX`].
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let mut writer = Writer::default();
        write_start(&mut writer, self.time, self.body.kind());
        self.body.write(&mut writer);
        let sealer = Sealer::new(&self.origin);
        let rest = writer.finish(ENTRY_BYTES_MAX - sealer.header_bytes())?;
        let mut bytes = Vec::new();
        sealer.seal(Place { seq: self.seq, prev: self.prev, signed: self.signed }, &rest, &mut bytes);
        Ok(bytes)
    }
}

/// Writes what follows an entry's place in the log.
pub(crate) fn write_start(writer: &mut Writer, time: Timestamp, kind: EntryKind) {
    writer.u64(time.as_nanos());
    writer.u8(kind.tag());
}

/// Puts an entry's place in the log before the rest of it.
#[derive(Debug)]
pub(crate) struct Sealer {
    /// Domain, version and origin.
    start: Vec<u8>,
}

/// What of an entry is known only when it is committed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) seq: u64,
    pub(crate) prev: Digest,
    pub(crate) signed: bool,
}

const PLACE_BYTES: usize = 8 + 32 + 1;

/// The header's length without the characters of the origin.
pub(crate) const HEADER_BYTES_MIN: usize = DOMAIN.len() + 4 + PLACE_BYTES;

impl Sealer {
    pub(crate) fn new(origin: &Origin) -> Self {
        let mut writer = Writer::default();
        writer.raw(DOMAIN);
        writer.text(origin.as_str());
        Self { start: writer.bytes }
    }

    fn header_bytes(&self) -> usize {
        self.start.len() + PLACE_BYTES
    }

    /// Appends the whole entry to `bytes`.
    pub(crate) fn seal(&self, place: Place, rest: &[u8], bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.start);
        bytes.extend_from_slice(&place.seq.to_be_bytes());
        bytes.extend_from_slice(place.prev.as_bytes());
        bytes.push(u8::from(place.signed));
        bytes.extend_from_slice(rest);
    }
}

/// What is signed of an entry that has a signature of its own. The last byte of
/// the domain is the version.
pub(crate) fn signed_statement(leaf: &Digest) -> Vec<u8> {
    [&b"vak/audit/entry-signature\x01"[..], leaf.as_bytes()].concat()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

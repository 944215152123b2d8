//! One entry of the log.

use vak_types::{ActionId, AgentId, Digest, SessionId, Timestamp};

use crate::codec::{DecodeError, EncodeError, Reader, Writer};
use crate::{Decision, Origin, Outcome};

/// The longest entry, in bytes. Entry bundles of C2SP tlog-tiles give the
/// length of an entry in 16 bits.
pub const ENTRY_BYTES_MAX: usize = 65_535;

/// Says what the bytes are, so that no other thing that is hashed or signed
/// can be taken for an entry. The last byte is the version.
const DOMAIN: &[u8; 16] = b"vak/audit/entry\x01";

const DECISION: u8 = 1;
const OUTCOME: u8 = 2;

/// What an entry tells about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// An action was judged.
    Decision(Box<Decision>),
    /// An action that was allowed came to an end.
    Outcome(Outcome),
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
    /// When the action was asked, or when it ended.
    pub time: Timestamp,
    /// The agent that acts.
    pub agent: AgentId,
    /// The session it acts in.
    pub session: SessionId,
    /// The action.
    pub action: ActionId,
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
        let time = Timestamp::from_nanos(reader.u64("time")?);
        let kind = reader.u8("kind")?;
        if !matches!(kind, DECISION | OUTCOME) {
            return Err(reader.bad_tag("kind", kind));
        }
        let agent = reader.checked("agent")?;
        let session = reader.checked("session")?;
        let action = reader.checked("action")?;
        let body = match kind {
            DECISION => Body::Decision(Box::new(Decision::read(&mut reader)?)),
            _ => Body::Outcome(Outcome::read(&mut reader)?),
        };
        reader.end()?;
        if let Body::Outcome(Outcome { decision, .. }) = body
            && decision >= seq
        {
            return Err(DecodeError::Order { seq, decision });
        }
        Ok(Self { origin, seq, prev, time, agent, session, action, body })
    }

    /// The one encoding of this entry.
    ///
    /// # Errors
    /// It is longer than [`ENTRY_BYTES_MAX`].
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let mut writer = Writer::default();
        let about = About { time: self.time, agent: &self.agent, session: &self.session, action: &self.action };
        match &self.body {
            Body::Decision(decision) => {
                about.write(&mut writer, DECISION);
                decision.write(&mut writer);
            }
            Body::Outcome(outcome) => {
                about.write(&mut writer, OUTCOME);
                outcome.write(&mut writer);
            }
        }
        let mut sealer = Sealer::new(&self.origin);
        let rest = writer.finish(ENTRY_BYTES_MAX - sealer.header_bytes())?;
        Ok(sealer.seal(self.seq, &self.prev, &rest).to_vec())
    }
}

/// What every entry says of its action.
pub(crate) struct About<'a> {
    pub(crate) time: Timestamp,
    pub(crate) agent: &'a AgentId,
    pub(crate) session: &'a SessionId,
    pub(crate) action: &'a ActionId,
}

impl About<'_> {
    pub(crate) fn write_decision(&self, writer: &mut Writer) {
        self.write(writer, DECISION);
    }

    pub(crate) fn write_outcome(&self, writer: &mut Writer) {
        self.write(writer, OUTCOME);
    }

    fn write(&self, writer: &mut Writer, kind: u8) {
        writer.u64(self.time.as_nanos());
        writer.u8(kind);
        writer.text(self.agent.as_str());
        writer.text(self.session.as_str());
        writer.text(self.action.as_str());
    }
}

/// Puts an entry's place in the log before the rest of it. One buffer serves
/// all entries.
#[derive(Debug)]
pub(crate) struct Sealer {
    buffer: Writer,
    fixed: usize,
}

/// The sequence number and the hash of the entry before.
const PLACE_BYTES: usize = 8 + 32;

/// The header's length without the characters of the origin.
pub(crate) const HEADER_BYTES_MIN: usize = DOMAIN.len() + 4 + PLACE_BYTES;

impl Sealer {
    pub(crate) fn new(origin: &Origin) -> Self {
        let mut buffer = Writer::with_capacity(ENTRY_BYTES_MAX);
        buffer.raw(DOMAIN);
        buffer.text(origin.as_str());
        let fixed = buffer.bytes.len();
        Self { buffer, fixed }
    }

    fn header_bytes(&self) -> usize {
        self.fixed + PLACE_BYTES
    }

    /// The whole entry, until the next call.
    pub(crate) fn seal(&mut self, seq: u64, prev: &Digest, rest: &[u8]) -> &[u8] {
        self.buffer.bytes.truncate(self.fixed);
        self.buffer.u64(seq);
        self.buffer.digest(prev);
        self.buffer.raw(rest);
        &self.buffer.bytes
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

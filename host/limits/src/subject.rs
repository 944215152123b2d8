//! Who an action counts for.

use std::fmt;

use vak_types::{Action, Label};

use crate::Per;
use crate::hash::Seed;

/// What a limit keeps for one subject is found under this: 56 bits of a keyed
/// hash of the limit's name and the subject, and the limit's number.
///
/// Names are not kept, so a key takes eight bytes however long they are. Two
/// subjects of one limit with equal hashes share what they have. With a million
/// subjects that happens to a pair in one of 100,000 hosts; it is too strict,
/// never too lax; and without the seed nobody can bring it about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(pub(crate) u64);

impl Key {
    fn new(hash: u64, limit: u8) -> Self {
        Self(hash & !0xff | u64::from(limit))
    }

    /// The number of the limit, which is never zero.
    pub(crate) fn limit(self) -> u8 {
        self.0.to_le_bytes()[0]
    }

    /// The same subject of a limit by another number.
    pub(crate) fn with_limit(self, limit: u8) -> Self {
        Self::new(self.0, limit)
    }

    /// The bits that say where to look for it.
    pub(crate) fn spread(self) -> usize {
        (self.0 >> 8) as usize
    }
}

/// The hashes of an action's names, each computed once and only when needed.
pub(crate) struct NameHashes<'a> {
    seed: Seed,
    action: &'a Action,
    agent: Option<u64>,
    operation: Option<u64>,
    session: Option<u64>,
}

impl<'a> NameHashes<'a> {
    pub(crate) fn new(seed: Seed, action: &'a Action) -> Self {
        Self { seed, action, agent: None, operation: None, session: None }
    }

    pub(crate) fn agent(&mut self) -> u64 {
        *self.agent.get_or_insert_with(|| self.seed.hash(self.action.agent.as_str().as_bytes()))
    }

    fn operation(&mut self) -> u64 {
        *self.operation.get_or_insert_with(|| self.seed.hash(self.action.operation.as_str().as_bytes()))
    }

    fn session(&mut self) -> u64 {
        *self.session.get_or_insert_with(|| self.seed.hash(self.action.session.as_str().as_bytes()))
    }

    /// The key of the action, or of one of its labels, under the limit with
    /// this number and this hash of its name.
    pub(crate) fn key(&mut self, per: Per, label: Option<&Label>, limit: u8, salt: u64) -> Key {
        // Odd, without pattern: 2^64 divided by the golden ratio.
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        let (first, second) = match per {
            Per::Agent => (self.agent(), 0),
            Per::Operation => (self.operation(), 0),
            Per::AgentAndOperation => (self.agent(), self.operation()),
            Per::Session => (self.agent(), self.session()),
            Per::Label => (label.map_or(0, |label| self.seed.hash(label.as_str().as_bytes())), 0),
            Per::Host => (0, 0),
        };
        // All of these are hashes under the seed, so mixing them needs no more
        // than to tell their order apart.
        Key::new((first ^ second.rotate_left(32)).wrapping_add(salt).wrapping_mul(SPREAD), limit)
    }
}

/// For a sentence: ``agent `ada` ``.
pub(crate) struct Subject<'a> {
    pub(crate) per: Per,
    pub(crate) action: &'a Action,
    pub(crate) label: Option<&'a Label>,
}

impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Action { agent, operation, session, .. } = self.action;
        match (self.per, self.label) {
            (Per::Agent, _) => write!(f, "agent `{agent}`"),
            (Per::Operation, _) => write!(f, "operation `{operation}`"),
            (Per::AgentAndOperation, _) => write!(f, "agent `{agent}` in operation `{operation}`"),
            (Per::Session, _) => write!(f, "session `{session}` of agent `{agent}`"),
            (Per::Label, Some(label)) => write!(f, "label `{label}`"),
            (Per::Label, None) => f.write_str("every label"),
            (Per::Host, _) => f.write_str("this host"),
        }
    }
}

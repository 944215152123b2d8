//! Verifying a log without the host that wrote it.

use std::collections::HashSet;
use std::ops::Range;

use vak_types::Digest;

use crate::bundle::Bundle;
use crate::chain::{Chain, LinkError};
use crate::checkpoint::{CheckpointError, size_in};
use crate::entry::signed_statement;
use crate::merkle::{TILE_WIDTH, leaf_hash};
use crate::resume::{head, read, root, skip_to};
use crate::store::{Node, Source, StorageError};
use crate::{
    Body, Checkpoint, Commitment, Cosigned, Dropped, Entry, KeyRotation, Origin, VerifierKey, What, WitnessError,
    WitnessPolicy,
};

/// The check that a log failed, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The storage can't be read, or shows damage of its own.
    #[error("from entry {seq} on: {source}")]
    Storage {
        /// Where reading started that failed.
        seq: u64,
        /// What failed.
        source: StorageError,
    },
    /// The head was removed.
    #[error("the log has no checkpoint")]
    NoHead,
    /// The checkpoint is not one of this log and key.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Too few witnesses cosigned.
    #[error(transparent)]
    Witness(#[from] WitnessError),
    /// An entry is not there.
    #[error("the checkpoint covers {size} entries, and entry {seq} is missing: it was removed, or the end was cut off")]
    Missing {
        /// The entry.
        seq: u64,
        /// How many entries there should be.
        size: u64,
    },
    /// An entry doesn't follow from those before it.
    #[error("entry {seq}: {source}")]
    Entry {
        /// The entry.
        seq: u64,
        /// The check it failed.
        source: LinkError,
    },
    /// A stored subtree is not there.
    #[error("subtree {index} of level {level} is missing")]
    NoNode {
        /// Its level.
        level: u8,
        /// Its number.
        index: u64,
    },
    /// A stored subtree is not that of its entries.
    #[error("subtree {index} of level {level} is not that of its entries: it was altered")]
    Node {
        /// Its level.
        level: u8,
        /// Its number.
        index: u64,
    },
    /// The entries follow from each other but are not those that were signed.
    #[error("the {size} entries have the root {computed}, the checkpoint says {signed}: something was altered")]
    Root {
        /// How many entries.
        size: u64,
        /// Their root.
        computed: Digest,
        /// The root in the checkpoint.
        signed: Digest,
    },
    /// A key rotation that one of its keys did not sign.
    #[error("entry {seq} changes the key, and not both keys signed it")]
    Rotation {
        /// The entry.
        seq: u64,
    },
    /// An entry says that it is signed on its own, and its signature is not
    /// there or not by the key of its time.
    #[error("the signature of entry {seq} {}", if *.missing { "is missing: it was taken away" } else { "doesn't fit: it was altered" })]
    Signature {
        /// The entry.
        seq: u64,
        /// Whether there is none at all.
        missing: bool,
    },
    /// A signature of an entry that says it has none.
    #[error("entry {seq} has a signature that it says it has not")]
    StraySignature {
        /// The entry.
        seq: u64,
    },
    /// A payload is not the one its entry committed to.
    #[error("a payload of entry {seq} was altered")]
    Payload {
        /// The entry.
        seq: u64,
    },
    /// A payload is gone, and no entry says that it was erased.
    #[error("a payload of entry {seq} is missing, and no entry says that it was erased")]
    PayloadMissing {
        /// The entry.
        seq: u64,
    },
    /// A payload is there though an entry says it was erased.
    #[error("the payload {commitment} is there, and an entry says that it was erased")]
    NotErased {
        /// Its commitment.
        commitment: Digest,
    },
    /// Payloads that belong to no entry.
    #[error("{found} payloads are kept, and the entries have {expected}")]
    Payloads {
        /// How many there are.
        found: u64,
        /// How many there should be.
        expected: u64,
    },
    /// The log is shorter than the trusted checkpoint.
    #[error("the log has {size} entries, the trusted checkpoint covers {trusted}: an old copy was put in its place")]
    Shorter {
        /// How many entries the log has.
        size: u64,
        /// How many it had.
        trusted: u64,
    },
    /// The log was rewritten since the trusted checkpoint.
    #[error("the first {size} entries are not those of the trusted checkpoint: the log was rewritten and signed anew")]
    Rewritten {
        /// How many entries the trusted checkpoint covers.
        size: u64,
    },
}

/// What a log is verified against.
#[derive(Debug, Clone)]
pub struct Expected<'a> {
    /// The log's name.
    pub origin: &'a Origin,
    /// A key of the log: the one that signs now, or one that signed earlier and
    /// was rotated away since.
    pub key: &'a VerifierKey,
    /// The note of a checkpoint that was kept from earlier: shows whether the
    /// log was cut back or rewritten since.
    pub trusted: Option<&'a str>,
    /// Who has to have witnessed the trusted checkpoint, or the newest where
    /// there is none.
    pub witnesses: Option<&'a WitnessPolicy>,
    /// The entries to read; all if `None`. Those outside are taken by the
    /// stored subtrees over them, which have to lead to the signed root. The
    /// key has to be the present one then: rotations outside are not seen.
    pub range: Option<Range<u64>>,
}

impl<'a> Expected<'a> {
    /// All of the log `key` names, as `key` signed it.
    pub fn of(key: &'a VerifierKey) -> Self {
        Self { origin: key.name(), key, trusted: None, witnesses: None, range: None }
    }
}

/// What was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The newest checkpoint, to keep and give to the next verification.
    pub checkpoint: Checkpoint,
    /// The key that signs now.
    pub key: VerifierKey,
    /// How many entries were read.
    pub read: u64,
    /// How many of them are decisions.
    pub decisions: u64,
    /// How many are outcomes.
    pub outcomes: u64,
    /// How many have a signature of their own.
    pub signed: u64,
    /// Payloads that are kept beside the log and are what their entries say.
    pub payloads: u64,
    /// Payloads that were erased.
    pub erased: u64,
    /// Who witnessed the checkpoint.
    pub cosigned: Vec<Cosigned>,
}

/// Checks that the log's entries can be read, follow from each other and lead
/// to the root in its checkpoint, whoever signed that. Needs no key, and shows
/// damage, not forgery.
///
/// # Errors
/// The first check that fails.
pub fn verify_chain(source: &dyn Source, origin: &Origin, progress: impl FnMut(u64, u64)) -> Result<u64, VerifyError> {
    let checkpoint = Checkpoint::parse(&head(source)?, origin)?;
    let mut pass = Pass::new(source, origin, None);
    pass.run(&checkpoint, None, None, progress)?;
    Ok(checkpoint.size())
}

/// Checks that the log's entries are those that `expected.key` signed for:
/// every signature there has to be, and that none was taken away. Leaves out
/// what is kept beside the entries.
///
/// # Errors
/// The first check that fails.
pub fn verify_signatures(
    source: &dyn Source,
    expected: &Expected<'_>,
    progress: impl FnMut(u64, u64),
) -> Result<Report, VerifyError> {
    signatures(source, expected, false, progress)
}

/// Reads the whole log and checks that it is exactly what the holder of the key
/// signed: every entry, in order, decodable, following from the one before;
/// the tree over them; every signature; what is kept beside them; and that
/// nothing else is there. With a checkpoint that was kept from earlier, also
/// that the log still begins with the entries it covered: only that shows that
/// an old copy was put back, or that whoever holds the private key rewrote the
/// past.
///
/// Works on a copy, without the host, and while the host writes; what it appends
/// in the meantime is left for the next time. `progress` is called with the
/// number of entries checked and to be checked. Memory does not grow with the
/// log, but with the payloads that were erased.
///
/// # Errors
/// The first check that fails.
pub fn verify_all(
    source: &dyn Source,
    expected: &Expected<'_>,
    progress: impl FnMut(u64, u64),
) -> Result<Report, VerifyError> {
    signatures(source, expected, true, progress)
}

fn signatures(
    source: &dyn Source,
    expected: &Expected<'_>,
    beside: bool,
    progress: impl FnMut(u64, u64),
) -> Result<Report, VerifyError> {
    let origin = expected.origin;
    let checkpoint = Checkpoint::parse(&head(source)?, origin)?;
    let trusted = expected.trusted.map(|note| Checkpoint::parse(note, origin)).transpose()?;
    if let Some(trusted) = trusted.as_ref().filter(|trusted| trusted.size() > checkpoint.size()) {
        return Err(VerifyError::Shorter { size: checkpoint.size(), trusted: trusted.size() });
    }
    let mut pass = Pass::new(source, origin, Some(expected.key));
    pass.beside = beside && source.keeps_all();
    pass.run(&checkpoint, trusted.as_ref(), expected.range.as_ref(), progress)?;
    let Pass { keys, counts, .. } = &pass;
    let signer = keys.last().ok_or(VerifyError::NoHead)?;
    checkpoint.check(signer)?;
    // With a range the rotation that explains it may have been skipped.
    if let Some(seq) = pass.unknown_signer.filter(|_| expected.range.is_none()) {
        return Err(VerifyError::Signature { seq, missing: false });
    }
    pass.check_older()?;
    // By any key on the way to the one that signs now.
    if let Some(trusted) = &trusted {
        let checks = keys.iter().map(|key| trusted.check(key));
        checks.reduce(Result::or).unwrap_or(Ok(()))?;
    }
    let witnessed = trusted.as_ref().unwrap_or(&checkpoint);
    let cosigned = expected.witnesses.map(|policy| policy.check(witnessed)).transpose()?.unwrap_or_default();
    if beside {
        source.examine(checkpoint.size()).map_err(|source| VerifyError::Storage { seq: 0, source })?;
        pass.check_payloads(checkpoint.note(), pass.beside && expected.range.is_none())?;
    }
    let Counts { read, decisions, outcomes, signed, payloads } = *counts;
    let erased = pass.missing.len() as u64;
    Ok(Report { key: signer.clone(), checkpoint, read, decisions, outcomes, signed, payloads, erased, cosigned })
}

/// One reading of a log.
struct Pass<'a> {
    source: &'a dyn Source,
    chain: Chain,
    /// The keys that signed, from the one that is trusted to the newest.
    keys: Vec<VerifierKey>,
    /// An entry whose own signature is not by the trusted key. It may be by a
    /// key that was rotated away before that one came.
    unknown_signer: Option<u64>,
    /// Rotations before the trusted key came.
    older: Vec<(u64, KeyRotation)>,
    /// The entries from before the trusted key came whose own signatures are
    /// still to be checked are among these.
    unchecked: Range<u64>,
    /// Whether what is kept beside the entries is checked.
    beside: bool,
    counts: Counts,
    /// Payloads that are not there, and the entries that name them.
    missing: Vec<(Digest, u64)>,
    /// Payloads that an entry says were erased.
    erased: HashSet<Digest>,
}

#[derive(Default)]
struct Counts {
    read: u64,
    decisions: u64,
    outcomes: u64,
    signed: u64,
    payloads: u64,
}

impl<'a> Pass<'a> {
    fn new(source: &'a dyn Source, origin: &Origin, key: Option<&VerifierKey>) -> Self {
        Self {
            source,
            chain: Chain::start(origin.clone()),
            keys: key.into_iter().cloned().collect(),
            unknown_signer: None,
            older: Vec::new(),
            unchecked: 0..0,
            beside: false,
            counts: Counts::default(),
            missing: Vec::new(),
            erased: HashSet::new(),
        }
    }

    fn run(
        &mut self,
        checkpoint: &Checkpoint,
        trusted: Option<&Checkpoint>,
        range: Option<&Range<u64>>,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<(), VerifyError> {
        let size = checkpoint.size();
        // Where subtrees can be skipped: from and to multiples of 256.
        let range = range.cloned().unwrap_or(0..size);
        let from = range.start.min(size) / TILE_WIDTH * TILE_WIDTH;
        let to = range.end.min(size).div_ceil(TILE_WIDTH).saturating_mul(TILE_WIDTH).min(size);
        let tail = size / TILE_WIDTH * TILE_WIDTH;
        let part = from > 0 || to < tail;
        let mut bundle = Bundle::default();
        skip_to(self.source, &mut self.chain, from)?;
        self.chain.take_nodes();
        check_prefix(&self.chain, trusted)?;
        progress(self.chain.size(), size);
        while self.chain.size() < size {
            if part && self.chain.size() == to && to < tail {
                skip_to(self.source, &mut self.chain, tail)?;
                self.chain.take_nodes();
                continue;
            }
            let end = if part && self.chain.size() < to { to } else { size };
            read(self.source, self.chain.size(), end, &mut bundle)?;
            for (seq, bytes, signature) in bundle.signed() {
                let entry = self.chain.check(bytes).map_err(|source| VerifyError::Entry { seq, source })?;
                self.entry(&entry, bytes, signature)?;
                check_prefix(&self.chain, trusted)?;
            }
            self.check_nodes()?;
            progress(self.chain.size(), size);
        }
        root(&self.chain, checkpoint)?;
        match trusted {
            // Skipped over: the tree itself shows it.
            Some(trusted) if part => {
                let tree = crate::tree::Tree::new(self.source, trusted.size());
                let root = tree.root().map_err(|source| VerifyError::Storage { seq: 0, source })?;
                if root == trusted.root() { Ok(()) } else { Err(VerifyError::Rewritten { size: trusted.size() }) }
            }
            _ => Ok(()),
        }
    }

    fn entry(&mut self, entry: &Entry, bytes: &[u8], signature: Option<&[u8; 64]>) -> Result<(), VerifyError> {
        let seq = entry.seq;
        self.counts.read += 1;
        if !self.keys.is_empty() {
            self.signature(entry, bytes, signature)?;
        }
        match &entry.body {
            Body::Decision(_, decision) => {
                self.counts.decisions += 1;
                let parts =
                    [decision.arguments.commitment(), decision.attributes.commitment(), decision.labels.commitment()];
                for commitment in parts.into_iter().flatten().filter(|_| self.beside) {
                    payload(self.source, commitment, seq, &mut self.counts, &mut self.missing)?;
                }
            }
            Body::Outcome(..) => self.counts.outcomes += 1,
            Body::KeyRotation(rotation) => {
                if !rotation.is_signed(&entry.origin, entry.time) {
                    return Err(VerifyError::Rotation { seq });
                }
                if self.keys.last() == Some(&rotation.old) {
                    self.keys.push(rotation.new.clone());
                } else if let [trusted] = &self.keys[..] {
                    if *trusted == rotation.new
                        && let Some(first) = self.unknown_signer.take()
                    {
                        // The trusted key begins here. It leads back to the keys
                        // of the entries before.
                        self.unchecked = first..seq;
                    }
                    self.older.push((seq, (**rotation).clone()));
                }
            }
            Body::Drop(Dropped { what: What::Payload { commitment }, .. }) => {
                self.erased.insert(*commitment);
            }
            Body::Drop(_) | Body::Configuration(_) => {}
        }
        Ok(())
    }

    /// Checks an entry's own signature. A rotation is signed by the new key.
    fn signature(&mut self, entry: &Entry, bytes: &[u8], signature: Option<&[u8; 64]>) -> Result<(), VerifyError> {
        let seq = entry.seq;
        match (entry.signed && self.source.keeps_all(), signature) {
            (false, None) => Ok(()),
            (false, Some(_)) => Err(VerifyError::StraySignature { seq }),
            (true, None) => Err(VerifyError::Signature { seq, missing: true }),
            (true, Some(signature)) => {
                self.counts.signed += 1;
                let key = match &entry.body {
                    Body::KeyRotation(rotation) => Some(&rotation.new),
                    _ => self.keys.last(),
                };
                let statement = signed_statement(&leaf_hash(bytes));
                if !key.is_some_and(|key| key.verifies(&statement, signature)) {
                    if self.keys.len() > 1 {
                        return Err(VerifyError::Signature { seq, missing: false });
                    }
                    self.unknown_signer.get_or_insert(seq);
                }
                Ok(())
            }
        }
    }

    /// Checks the signatures from before the trusted key came, by the keys that
    /// rotations lead back to.
    fn check_older(&self) -> Result<(), VerifyError> {
        // Until which entry, and by which key; the oldest last.
        let mut eras: Vec<(u64, &VerifierKey)> = Vec::new();
        for (seq, rotation) in self.older.iter().rev() {
            if eras.last().map_or(self.keys.first(), |(_, key)| Some(*key)) == Some(&rotation.new) {
                eras.push((*seq, &rotation.old));
            }
        }
        let mut bundle = Bundle::default();
        let mut next = self.unchecked.start;
        while next < self.unchecked.end {
            read(self.source, next, self.unchecked.end, &mut bundle)?;
            for (seq, bytes, signature) in bundle.signed() {
                // Whether there is one where it should be was seen before.
                let Some(signature) = signature else { continue };
                let era = eras.iter().rev().find(|(until, _)| seq < *until);
                let statement = signed_statement(&leaf_hash(bytes));
                if !era.is_some_and(|(_, key)| key.verifies(&statement, signature)) {
                    return Err(VerifyError::Signature { seq, missing: false });
                }
            }
            next = bundle.end();
        }
        Ok(())
    }

    /// Compares the subtrees that were completed with those that are stored.
    fn check_nodes(&mut self) -> Result<(), VerifyError> {
        let source = self.source;
        for Node { level, index, hash } in self.chain.take_nodes() {
            let stored = source.nodes(level, index, 1).map_err(|source| VerifyError::Storage { seq: 0, source })?;
            match stored.first() {
                None => return Err(VerifyError::NoNode { level, index }),
                Some(stored) if *stored != hash => return Err(VerifyError::Node { level, index }),
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// What is missing has to be what was erased, and nothing else be there than
    /// what the entries under the checkpoint `note` name.
    fn check_payloads(&self, note: &str, all: bool) -> Result<(), VerifyError> {
        if !all {
            return Ok(());
        }
        let failed = |source| VerifyError::Storage { seq: 0, source };
        let lost = |(commitment, _): &&(Digest, u64)| !self.erased.contains(commitment);
        if self.missing.iter().any(|missing| lost(&missing)) {
            let since = self.erased_since()?;
            if let Some((_, seq)) = self.missing.iter().filter(lost).find(|(lost, _)| !since.contains(lost)) {
                return Err(VerifyError::PayloadMissing { seq: *seq });
            }
        }
        for commitment in &self.erased {
            if self.source.payload(commitment).map_err(failed)?.is_some() {
                return Err(VerifyError::NotErased { commitment: *commitment });
            }
        }
        let (found, expected) = (self.source.payloads().map_err(failed)?, self.counts.payloads);
        // A host that writes meanwhile adds to them.
        let moved = self.source.head().map_err(failed)?.as_deref() != Some(note);
        if found == expected || moved { Ok(()) } else { Err(VerifyError::Payloads { found, expected }) }
    }
}

impl Pass<'_> {
    /// Payloads that a host erased after the checkpoint that is verified, which
    /// is for the next time, but explains that they are gone.
    fn erased_since(&self) -> Result<HashSet<Digest>, VerifyError> {
        let (mut erased, mut bundle, mut next) = (HashSet::new(), Bundle::default(), self.chain.size());
        let now = size_in(&head(self.source)?).unwrap_or(0);
        while next < now {
            read(self.source, next, now, &mut bundle)?;
            let entries = bundle.iter().filter_map(|bytes| Entry::decode(bytes).ok());
            erased.extend(entries.filter_map(|entry| match entry.body {
                Body::Drop(Dropped { what: What::Payload { commitment }, .. }) => Some(commitment),
                _ => None,
            }));
            next = bundle.end();
        }
        Ok(erased)
    }
}

fn payload(
    source: &dyn Source,
    commitment: &Commitment,
    seq: u64,
    counts: &mut Counts,
    missing: &mut Vec<(Digest, u64)>,
) -> Result<(), VerifyError> {
    match source.payload(&commitment.digest).map_err(|source| VerifyError::Storage { seq, source })? {
        None => missing.push((commitment.digest, seq)),
        Some(payload) if payload.commitment() == *commitment => counts.payloads += 1,
        Some(_) => return Err(VerifyError::Payload { seq }),
    }
    Ok(())
}

/// Checks that the entries so far are those of the trusted checkpoint, when
/// they are as many.
fn check_prefix(chain: &Chain, trusted: Option<&Checkpoint>) -> Result<(), VerifyError> {
    match trusted {
        Some(trusted) if trusted.size() == chain.size() && trusted.root() != chain.frontier().root() => {
            Err(VerifyError::Rewritten { size: trusted.size() })
        }
        _ => Ok(()),
    }
}

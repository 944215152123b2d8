//! Verifying a log without the host that wrote it.

mod approvals;
mod error;
mod pass;
mod payloads;
mod signers;

use std::ops::Range;

pub use approvals::ApprovalFault;
pub use error::VerifyError;
use pass::{Counts, Pass};
use payloads::Payloads;
use signers::Signers;

use crate::resume::head;
use crate::store::Source;
use crate::{Checkpoint, Cosigned, Origin, VerifierKey, WitnessPolicy};

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
    /// How many are answers of persons.
    pub approvals: u64,
    /// How many have a signature of their own.
    pub signed: u64,
    /// The first of these in a range that is not by the expected key: it may be
    /// by an earlier one, which only reading the whole log can tell.
    pub foreign: Option<u64>,
    /// Payloads that are kept beside the log and are what their entries say.
    pub payloads: u64,
    /// Payloads that were erased.
    pub erased: u64,
    /// Payloads of a range that are not there: erased or lost, which only reading
    /// the whole log can tell.
    pub absent: u64,
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
    Pass::new(source, origin).run(&checkpoint, None, 0..checkpoint.size(), progress)?;
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
/// the tree over them; every signature; that verdicts which count on a person's
/// yes had it; what is kept beside them; and that nothing else is there. With a checkpoint that was kept from earlier, also
/// that the log still begins with the entries it covered: only that shows that
/// an old copy was put back, or that whoever holds the private key rewrote the
/// past.
///
/// Works on a copy, without the host, and while the host writes; what it appends
/// in the meantime is left for the next time. `progress` is called with the
/// number of entries checked and to be checked. Memory does not grow with the
/// log, but with its rotations, with answers of persons and with the payloads that
/// were erased.
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
    let size = checkpoint.size();
    let range = expected.range.clone().unwrap_or(0..size);
    let (mut signers, mut payloads) = (Signers::new(expected.key), Payloads::default());
    let mut pass = Pass::new(source, origin);
    pass.signers = Some(&mut signers);
    pass.payloads = Some(&mut payloads).filter(|_| beside && source.keeps_all());
    pass.run(&checkpoint, trusted.as_ref(), range, progress)?;
    let Pass { chain, counts, .. } = pass;
    let Counts { read, decisions, outcomes, approvals, signed } = counts;
    let whole = read == size;
    let newest = signers.newest()?.clone();
    checkpoint.check(&newest)?;
    // In a part the rotation that explains it may have been passed over.
    let foreign = signers.foreign();
    if let Some(seq) = foreign.filter(|_| whole) {
        return Err(VerifyError::Signature { seq, missing: false });
    }
    signers.check_older(source)?;
    if let Some(trusted) = &trusted {
        signers.check_earlier(trusted)?;
    }
    let witnessed = trusted.as_ref().unwrap_or(&checkpoint);
    let cosigned = expected.witnesses.map(|policy| policy.check(witnessed)).transpose()?.unwrap_or_default();
    let (kept, (erased, missing)) = (payloads.kept, payloads.gone());
    if beside {
        source.examine(size).map_err(|source| VerifyError::Storage { seq: 0, source })?;
    }
    if beside && whole && source.keeps_all() {
        payloads.check(source, &checkpoint, chain, &mut signers)?;
    }
    Ok(Report {
        key: newest,
        checkpoint,
        read,
        decisions,
        outcomes,
        approvals,
        signed,
        foreign,
        payloads: kept,
        erased: if whole { missing } else { erased },
        absent: if whole { 0 } else { missing - erased },
        cosigned,
    })
}

//! Whether the verdicts that count on a person's yes had it.

use std::collections::{HashMap, HashSet};

use vak_types::{Decision as Verdict, Digest, Timestamp};

use crate::bundle::Bundle;
use crate::entry::{Answer, Encoding, Part, written};
use crate::merkle::leaf_hash;
use crate::resume::read;
use crate::store::Source;
use crate::{About, Body, Decision, Entry, VerifyError};

/// What is wrong with an answer, or with a verdict that counts on one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ApprovalFault {
    /// The decision has another hash than the answer says.
    #[error("answers another decision than the one that is there")]
    Another,
    /// The decision is none, escalates nothing, or is of another action.
    #[error("answers what was not escalated")]
    NotEscalated,
    /// The decision has an answer.
    #[error("answers what was answered before")]
    Twice,
    /// The entry that is named is no answer.
    #[error("counts on an answer that is not there")]
    Missing,
    /// The answer was no.
    #[error("counts on an answer that was no")]
    Rejected,
    /// The answer was good until some time before.
    #[error("counts on an answer that had expired")]
    Expired,
    /// Another verdict counted on it.
    #[error("counts on an answer that was used before")]
    Used,
    /// The answer was to something else.
    #[error("counts on an answer to another action")]
    OtherAction,
}

/// The answers that were read.
#[derive(Default)]
pub(super) struct Approvals {
    /// Since this entry none was passed over.
    from: u64,
    /// By their places.
    answers: HashMap<u64, Known>,
    /// The decisions that they are to.
    answered: HashSet<u64>,
    bundle: Bundle,
}

#[derive(Clone, Copy)]
struct Known {
    decision: u64,
    leaf: Digest,
    /// `None` for a no.
    until: Option<Timestamp>,
    used: bool,
}

impl Approvals {
    /// Entries before `seq` are passed over: answers among them are not seen.
    pub(super) fn gap(&mut self, seq: u64) {
        *self = Self { from: seq, ..Self::default() };
    }

    /// Looks at an entry. Parts that stand beside the log are compared where
    /// they are there, if `beside`.
    pub(super) fn entry(&mut self, source: &dyn Source, entry: &Entry, beside: bool) -> Result<(), VerifyError> {
        match &entry.body {
            Body::Approval(about, approval) => {
                let until = match approval.answer {
                    Answer::Approved { until } => Some(until),
                    Answer::Rejected => None,
                };
                let known = Known { decision: approval.decision, leaf: approval.leaf, until, used: false };
                self.answer(source, entry.seq, about, known)
            }
            Body::Decision(about, decision) => match decision.verdict.approval {
                Some(answer) => self.verdict(source, entry, (about, decision), answer, beside),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn answer(&mut self, source: &dyn Source, seq: u64, about: &About, known: Known) -> Result<(), VerifyError> {
        let fault = |fault| Err(VerifyError::Approval { seq, fault });
        if !self.answered.insert(known.decision) {
            return fault(ApprovalFault::Twice);
        }
        if let Some(decided) = self.decided(source, seq, known)? {
            match decided {
                Body::Decision(of, decision) if of == *about && decision.verdict.decision == Verdict::Escalate => {}
                _ => return fault(ApprovalFault::NotEscalated),
            }
        }
        self.answers.insert(seq, known);
        Ok(())
    }

    fn verdict(
        &mut self,
        source: &dyn Source,
        entry: &Entry,
        now: (&About, &Decision),
        answer: u64,
        beside: bool,
    ) -> Result<(), VerifyError> {
        let fault = |fault| Err(VerifyError::Approval { seq: entry.seq, fault });
        if answer < self.from {
            return Ok(());
        }
        let Some(known) = self.answers.get_mut(&answer) else { return fault(ApprovalFault::Missing) };
        match known.until {
            None => return fault(ApprovalFault::Rejected),
            Some(until) if until <= entry.time => return fault(ApprovalFault::Expired),
            Some(_) if known.used => return fault(ApprovalFault::Used),
            // Nothing was done upon a deny.
            Some(_) => known.used = now.1.verdict.decision != Verdict::Deny,
        }
        let known = *known;
        if let Some(Body::Decision(about, decision)) = self.decided(source, entry.seq, known)?
            && !same(source, (&about, &decision), now, beside)?
        {
            return fault(ApprovalFault::OtherAction);
        }
        Ok(())
    }

    /// The decision that an answer is to; `None` if it was passed over. The
    /// answer has its hash, so it is no other than the one that was verified.
    fn decided(&mut self, source: &dyn Source, seq: u64, known: Known) -> Result<Option<Body>, VerifyError> {
        if known.decision < self.from {
            return Ok(None);
        }
        read(source, known.decision, known.decision + 1, &mut self.bundle)?;
        let entry = self.bundle.get(known.decision).filter(|bytes| leaf_hash(bytes) == known.leaf);
        let decoded = entry.and_then(|bytes| Entry::decode(bytes).ok());
        let another = VerifyError::Approval { seq, fault: ApprovalFault::Another };
        decoded.map(|entry| Some(entry.body)).ok_or(another)
    }
}

/// Whether the same was asked, but for when.
fn same(
    source: &dyn Source,
    before: (&About, &Decision),
    now: (&About, &Decision),
    beside: bool,
) -> Result<bool, VerifyError> {
    let source = Some(source).filter(|_| beside);
    let ((about, before), (about_now, now)) = (before, now);
    Ok(about == about_now
        && (&before.operation, &before.resource) == (&now.operation, &now.resource)
        && same_part(source, &before.arguments, &now.arguments)?
        && same_part(source, &before.attributes, &now.attributes)?
        && same_part(source, &before.labels, &now.labels)?)
}

/// What was erased of a part can't be compared but in its length.
fn same_part<T: Encoding>(source: Option<&dyn Source>, before: &Part<T>, now: &Part<T>) -> Result<bool, VerifyError> {
    let length = |bytes: &Option<Vec<u8>>, part: &Part<T>| {
        let written = bytes.as_ref().map(|bytes| bytes.len() as u64);
        written.or(part.commitment().map(|commitment| commitment.bytes))
    };
    Ok(match (bytes(source, before)?, bytes(source, now)?) {
        (Some(before), Some(now)) => before == now,
        (gone, there) => length(&gone, before) == length(&there, now),
    })
}

/// A part as it is written, where that is there.
fn bytes<T: Encoding>(source: Option<&dyn Source>, part: &Part<T>) -> Result<Option<Vec<u8>>, VerifyError> {
    let (Some(commitment), Some(source)) = (part.commitment(), source) else { return Ok(written(part)) };
    let payload = source.payload(&commitment.digest).map_err(|source| VerifyError::Storage { seq: 0, source })?;
    Ok(payload.map(|payload| payload.bytes))
}

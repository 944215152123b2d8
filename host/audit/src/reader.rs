//! Reading a log to show it, and to prove what is in it.

use std::path::Path;

use vak_types::{ActionRequest, Json, Label, Reason};

use crate::bundle::Bundle;
use crate::checkpoint::size_in;
use crate::codec::DecodeError;
use crate::entry::{Encoding, decode};
use crate::store::{Source, StorageError, open_source};
use crate::tlog_proof::EntryProof;
use crate::tree::Tree;
use crate::{Approval, Body, Checkpoint, Decision, Entry, Origin, Part, Payload, VerifierKey, VerifyError};

/// Why an entry can't be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The storage can't be read.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// An entry's bytes are not one.
    #[error("entry {seq} can't be read: {source}; verify the log")]
    Decode {
        /// The entry.
        seq: u64,
        /// What is wrong.
        source: DecodeError,
    },
    /// The entry is not in the log.
    #[error("entry {seq} is not in the log, which has {size}")]
    NoEntry {
        /// The entry.
        seq: u64,
        /// How many there are.
        size: u64,
    },
    /// The entry is not a person's answer to a decision.
    #[error("entry {seq} is no answer to a decision; verify the log")]
    NoAnswer {
        /// The entry.
        seq: u64,
    },
    /// What is stored does not fit together, or not to its key.
    #[error(transparent)]
    Unsound(#[from] VerifyError),
}

/// Reads a log that a host may be writing to. Decodes entries and verifies
/// nothing: that is for [`verify_all`](crate::verify_all).
#[derive(Debug)]
pub struct LogReader {
    source: Box<dyn Source>,
}

impl LogReader {
    /// Opens the log at `path`, whatever kind it is of.
    ///
    /// # Errors
    /// There is none, or it can't be opened.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        Ok(Self { source: open_source(path)? })
    }

    /// The storage that is read.
    pub fn source(&self) -> &dyn Source {
        &*self.source
    }

    /// How many entries the newest checkpoint covers.
    ///
    /// # Errors
    /// The storage can't be read.
    pub fn size(&self) -> Result<u64, ReadError> {
        // Not checked: this only shows.
        Ok(self.source.head()?.as_deref().and_then(size_in).unwrap_or(0))
    }

    /// The entries from sequence number `from` on, at most `limit`, and none
    /// after the end of the log as it is now. Ends after an error.
    pub fn entries(&self, from: u64, limit: u64) -> impl Iterator<Item = Result<Entry, ReadError>> {
        let end = self.size().map(|size| from.saturating_add(limit).min(size));
        let (end, failed) = match end {
            Ok(end) => (end, None),
            Err(error) => (from, Some(Err(error))),
        };
        let entries = Entries { source: &*self.source, next: from, end, bundle: Bundle::default() };
        failed.into_iter().chain(entries)
    }

    /// The first entry from `from` on that is still here: those before it may have
    /// been archived and removed.
    ///
    /// # Errors
    /// The storage can't be read.
    pub fn first_from(&self, from: u64) -> Result<u64, ReadError> {
        match self.entry(from) {
            Err(ReadError::Storage(StorageError::Trimmed { first })) => Ok(first.max(from)),
            Err(ReadError::NoEntry { .. }) => Ok(from),
            entry => entry.map(|entry| entry.seq),
        }
    }

    /// One entry.
    ///
    /// # Errors
    /// It is not there, or is none.
    pub fn entry(&self, seq: u64) -> Result<Entry, ReadError> {
        let missing = ReadError::NoEntry { seq, size: self.size()? };
        self.entries(seq, 1).next().ok_or(missing)?
    }

    /// A payload that an entry has a commitment to; `None` if it was erased.
    /// It is compared with its commitment.
    ///
    /// # Errors
    /// The storage can't be read, or the payload was altered.
    pub fn payload(&self, commitment: &crate::Commitment) -> Result<Option<Payload>, ReadError> {
        match self.source.payload(&commitment.digest)? {
            Some(payload) if payload.commitment() != *commitment => {
                Err(StorageError::Damaged(format!("the payload {} was altered", commitment.digest)).into())
            }
            payload => Ok(payload),
        }
    }

    /// The action that a decision was about; `None` if part of it was erased, or
    /// the entry is no decision.
    ///
    /// # Errors
    /// The storage can't be read, or a payload was altered.
    pub fn action(&self, entry: &Entry) -> Result<Option<vak_types::Action>, ReadError> {
        let Body::Decision(about, decision) = &entry.body else { return Ok(None) };
        let arguments = self.value(&decision.arguments)?.and_then(|text| Json::parse(&text).ok());
        let (attributes, labels) = (self.value(&decision.attributes)?, self.labels(decision)?);
        let (Some(arguments), Some(attributes), Some(labels)) = (arguments, attributes, labels) else {
            return Ok(None);
        };
        let request = ActionRequest {
            session: about.session.clone(),
            agent: about.agent.clone(),
            operation: decision.operation.clone(),
            resource: decision.resource.clone(),
            arguments,
            attributes,
            labels,
        };
        Ok(Some(request.at(about.action.clone(), entry.time)))
    }

    /// The same for who only counts: in place of what was erased stands nothing,
    /// no arguments, attributes or labels.
    ///
    /// # Errors
    /// As [`action`](Self::action).
    pub fn what_is_left(&self, entry: &Entry) -> Result<Option<vak_types::Action>, ReadError> {
        let Body::Decision(about, decision) = &entry.body else { return Ok(None) };
        let request = ActionRequest {
            session: about.session.clone(),
            agent: about.agent.clone(),
            operation: decision.operation.clone(),
            resource: decision.resource.clone(),
            arguments: Json::default(),
            attributes: self.value(&decision.attributes)?.unwrap_or_default(),
            labels: self.labels(decision)?.unwrap_or_default(),
        };
        Ok(Some(request.at(about.action.clone(), entry.time)))
    }

    /// Where the arguments of an action came from; `None` if that was erased.
    ///
    /// # Errors
    /// The storage can't be read, or the payload was altered.
    pub fn labels(&self, decision: &Decision) -> Result<Option<Vec<Label>>, ReadError> {
        self.value(&decision.labels)
    }

    /// What a person had to say with an answer; `None` if that was erased.
    ///
    /// # Errors
    /// The storage can't be read, or the payload was altered.
    pub fn note(&self, approval: &Approval) -> Result<Option<String>, ReadError> {
        self.value(&approval.note)
    }

    /// The escalations to which the answer in entry `answer` says yes: those of
    /// its decision and, where that counted on an answer itself, of the one before.
    ///
    /// # Errors
    /// The entry is not there, or is no answer.
    pub fn answered(&self, answer: u64) -> Result<Vec<Reason>, ReadError> {
        let (mut answered, mut next) = (Vec::new(), Some(answer));
        // Each is before the one that names it, so this ends.
        while let Some(answer) = next {
            let Body::Approval(_, approval) = self.entry(answer)?.body else {
                return Err(ReadError::NoAnswer { seq: answer });
            };
            let Body::Decision(_, decision) = self.entry(approval.decision)?.body else {
                return Err(ReadError::NoAnswer { seq: answer });
            };
            answered.extend(decision.verdict.escalations().cloned());
            next = decision.verdict.approval;
        }
        Ok(answered)
    }

    /// A part's value, wherever it stands.
    fn value<T: Encoding + Clone>(&self, part: &Part<T>) -> Result<Option<T>, ReadError> {
        let Some(commitment) = part.commitment() else { return Ok(part.value().cloned()) };
        let Some(payload) = self.payload(commitment)? else { return Ok(None) };
        let damaged = |error| StorageError::Damaged(format!("the payload {}: {error}", commitment.digest));
        Ok(Some(decode(&payload.bytes).map_err(damaged)?))
    }

    /// A proof that entry `seq` is in the log `origin`, under its newest
    /// checkpoint. It is checked before it is given out.
    ///
    /// # Errors
    /// The entry is not there, or the log is not one that `key` signed.
    pub fn prove(&self, seq: u64, origin: &Origin, key: &VerifierKey) -> Result<EntryProof, ReadError> {
        let note = self.source.head()?.ok_or(VerifyError::NoHead)?;
        let checkpoint = Checkpoint::open(&note, origin, key).map_err(VerifyError::from)?;
        let size = checkpoint.size();
        let mut bundle = Bundle::default();
        if seq < size {
            self.source.entries(seq, 1, &mut bundle)?;
        }
        let entry = bundle.get(seq).ok_or(ReadError::NoEntry { seq, size })?.to_owned();
        let proof = EntryProof::new(entry, seq, Tree::new(&*self.source, size).inclusion(seq)?, &note);
        proof
            .verify(origin, key, None)
            .map_err(|error| StorageError::Damaged(format!("no proof of entry {seq}: {error}")))?;
        Ok(proof)
    }

    /// The hashes that show that the log begins with the first `old` entries,
    /// as [`verify_consistency`](crate::verify_consistency) takes them.
    ///
    /// # Errors
    /// The log has fewer entries, or can't be read.
    pub fn consistency(&self, old: u64) -> Result<Vec<vak_types::Digest>, ReadError> {
        let size = self.size()?;
        if old > size {
            return Err(ReadError::NoEntry { seq: old, size });
        }
        Ok(Tree::new(&*self.source, size).consistency(old)?)
    }
}

struct Entries<'r> {
    source: &'r dyn Source,
    next: u64,
    end: u64,
    bundle: Bundle,
}

impl Iterator for Entries<'_> {
    type Item = Result<Entry, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.end {
            return None;
        }
        if self.bundle.get(self.next).is_none()
            && let Err(error) = self.source.entries(self.next, self.end - self.next, &mut self.bundle)
        {
            self.next = self.end;
            return Some(Err(error.into()));
        }
        let seq = self.next;
        let Some(bytes) = self.bundle.get(seq) else {
            self.next = self.end;
            return Some(Err(VerifyError::Missing { seq, size: self.end }.into()));
        };
        self.next += 1;
        Some(Entry::decode(bytes).map_err(|source| {
            self.next = self.end;
            ReadError::Decode { seq, source }
        }))
    }
}

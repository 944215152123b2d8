//! An entry before it has its place in the log.

use vak_types::{Action, Digest, Timestamp, Verdict};

use crate::codec::{EncodeError, Writer};
use crate::entry::{ENTRY_BYTES_MAX, HEADER_BYTES_MIN, Kept, write_about, write_approval, write_decision, write_start};
use crate::origin::ORIGIN_BYTES_MAX;
use crate::payload::{Payload, Payloads};
use crate::{About, Acceptance, Body, Configuration, Dropped, EntryKind, Given, Outcome, Shadow};

/// The longest rest of an entry that fits under any origin, so that a draft
/// which could be made can be appended to every log.
const REST_BYTES_MAX: usize = ENTRY_BYTES_MAX - HEADER_BYTES_MIN - ORIGIN_BYTES_MAX;

/// An entry encoded as far as it can be before its place in the log is known.
/// Made by the caller, so that the one thread that commits has little to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub(crate) kind: EntryKind,
    pub(crate) rest: Vec<u8>,
    /// What the entry has a commitment to.
    pub(crate) payloads: Vec<Payload>,
    /// The payload that is removed with this entry: its commitment.
    pub(crate) erases: Option<Digest>,
    /// The entry that has to be in the log before this one.
    pub(crate) after: Option<u64>,
}

impl Draft {
    /// The record of `verdict` on `action`. `payloads` says which of its
    /// arguments, attributes and labels stand in the entry.
    ///
    /// # Errors
    /// The texts in its reasons are too long together; about 14 KiB always fit.
    pub fn decision(action: &Action, verdict: &Verdict, payloads: Payloads) -> Result<Self, EncodeError> {
        let mut writer = Writer::with_capacity(512);
        let mut kept = Kept { which: payloads, payloads: Vec::new() };
        write_start(&mut writer, action.time, EntryKind::Decision);
        write_about(&mut writer, action);
        write_decision(&mut writer, action, verdict, &mut kept)?;
        let rest = writer.finish(REST_BYTES_MAX)?;
        let after = verdict.approval;
        Ok(Self { kind: EntryKind::Decision, rest, payloads: kept.payloads, erases: None, after })
    }

    /// The record of a person's answer to `action`, at `time`. `payloads` says
    /// whether the note stands in the entry.
    ///
    /// # Errors
    /// The note is longer than any payload, or there is no salt for it.
    pub fn approval(
        action: &Action,
        time: Timestamp,
        given: &Given<'_>,
        note: &str,
        payloads: Payloads,
    ) -> Result<Self, EncodeError> {
        let mut writer = Writer::with_capacity(256);
        let mut kept = Kept { which: payloads, payloads: Vec::new() };
        write_start(&mut writer, time, EntryKind::Approval);
        write_approval(&mut writer, action, given, note, &mut kept)?;
        let rest = writer.finish(REST_BYTES_MAX)?;
        let after = Some(given.decision);
        Ok(Self { kind: EntryKind::Approval, rest, payloads: kept.payloads, erases: None, after })
    }

    /// The record of how an action ended, at `time`.
    ///
    /// # Errors
    /// The detail is too long.
    pub fn outcome(about: &About, time: Timestamp, outcome: &Outcome) -> Result<Self, EncodeError> {
        let mut writer = Writer::with_capacity(256);
        write_start(&mut writer, time, EntryKind::Outcome);
        about.write(&mut writer);
        outcome.write(&mut writer);
        let rest = writer.finish(REST_BYTES_MAX)?;
        Ok(Self { kind: EntryKind::Outcome, rest, payloads: Vec::new(), erases: None, after: Some(outcome.decision) })
    }

    /// The record of what a policy without a say said of `action`, at `time`.
    ///
    /// # Errors
    /// Its texts are too long; about 14 KiB always fit.
    pub fn shadow(action: &Action, time: Timestamp, shadow: &Shadow) -> Result<Self, EncodeError> {
        let mut writer = Writer::with_capacity(256);
        write_start(&mut writer, time, EntryKind::Shadow);
        write_about(&mut writer, action);
        shadow.write(&mut writer);
        let rest = writer.finish(REST_BYTES_MAX)?;
        Ok(Self { kind: EntryKind::Shadow, rest, payloads: Vec::new(), erases: None, after: Some(shadow.decision) })
    }

    /// The record of what decides from `time` on.
    ///
    /// # Errors
    /// It names too many components; 400 always fit.
    pub fn configuration(time: Timestamp, configuration: Configuration) -> Result<Self, EncodeError> {
        Self::of(time, &Body::Configuration(configuration))
    }

    /// The record of what is not in the log. A payload that it names is erased
    /// in the same commit.
    ///
    /// # Errors
    /// The reason is too long.
    pub fn dropped(time: Timestamp, dropped: Dropped) -> Result<Self, EncodeError> {
        Self::of(time, &Body::Drop(dropped))
    }

    /// The record of how something may be described from `time` on.
    ///
    /// # Errors
    /// Its name is too long; 60,000 bytes always fit.
    pub fn acceptance(time: Timestamp, acceptance: Acceptance) -> Result<Self, EncodeError> {
        Self::of(time, &Body::Acceptance(acceptance))
    }

    pub(crate) fn of(time: Timestamp, body: &Body) -> Result<Self, EncodeError> {
        let mut writer = Writer::with_capacity(512);
        write_start(&mut writer, time, body.kind());
        body.write(&mut writer);
        let rest = writer.finish(REST_BYTES_MAX)?;
        Ok(Self { kind: body.kind(), rest, payloads: Vec::new(), erases: body.erases(), after: None })
    }
}

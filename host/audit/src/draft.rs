//! An entry before it has its place in the log.

use vak_types::{Action, Timestamp, Verdict};

use crate::Outcome;
use crate::codec::{EncodeError, Writer};
use crate::decision::write_decision;
use crate::entry::{About, ENTRY_BYTES_MAX, HEADER_BYTES_MIN};
use crate::origin::ORIGIN_BYTES_MAX;

/// The longest rest of an entry that fits under any origin, so that a draft
/// which could be made can be appended to every log.
const REST_BYTES_MAX: usize = ENTRY_BYTES_MAX - HEADER_BYTES_MIN - ORIGIN_BYTES_MAX;

/// An entry encoded as far as it can be before its place in the log is known.
/// Made by the caller, so that the one thread that commits has little to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub(crate) rest: Vec<u8>,
    /// The entry that has to be in the log before this one.
    pub(crate) after: Option<u64>,
}

impl Draft {
    /// The record of `verdict` on `action`.
    ///
    /// # Errors
    /// The texts in its reasons are too long together; about 14 KiB always fit.
    pub fn decision(action: &Action, verdict: &Verdict) -> Result<Self, EncodeError> {
        let mut writer = Writer::with_capacity(512);
        about(action, action.time).write_decision(&mut writer);
        write_decision(&mut writer, action, verdict);
        Ok(Self { rest: writer.finish(REST_BYTES_MAX)?, after: None })
    }

    /// The record of how `action` ended, at `time`.
    ///
    /// # Errors
    /// The detail is too long.
    pub fn outcome(action: &Action, time: Timestamp, outcome: &Outcome) -> Result<Self, EncodeError> {
        let mut writer = Writer::with_capacity(256);
        about(action, time).write_outcome(&mut writer);
        outcome.write(&mut writer);
        Ok(Self { rest: writer.finish(REST_BYTES_MAX)?, after: Some(outcome.decision) })
    }
}

fn about(action: &Action, time: Timestamp) -> About<'_> {
    About { time, agent: &action.agent, session: &action.session, action: &action.id }
}

//! Adapters: what does this framework's message mean?

mod words;

use vak_engine::{CallState, Prepared};
use vak_types::{ComponentRef, Failure, Json};

pub use self::words::{AdapterError, Answer, EndedCall, Ending, Info, Intake, Wanted};
use crate::bindings::adapter::AdapterComponentPre;

/// An adapter that is ready to read messages.
pub struct Adapter {
    prepared: Prepared,
    pre: AdapterComponentPre<CallState>,
    info: Info,
}

impl Adapter {
    /// Both are of one component.
    ///
    /// # Errors
    /// It does not say what it is for.
    pub(crate) fn new(prepared: Prepared, pre: AdapterComponentPre<CallState>) -> Result<Self, Failure> {
        let info = prepared.call(|store| {
            let adapter = pre.instantiate(&mut *store)?;
            adapter.vak_adapter_adapter().call_describe(store)
        })?;
        Ok(Self { prepared, pre, info: Info::of(info) })
    }

    /// Exactly which component this is.
    pub fn component(&self) -> &ComponentRef {
        self.prepared.component()
    }

    /// Which framework it understands.
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// Reads one message in a fresh instance.
    ///
    /// # Errors
    /// It does not understand the message, or did not answer.
    pub fn ingest(&self, event: &Json) -> Result<Intake, AdapterError> {
        let answer = self.prepared.call(|store| {
            let adapter = self.pre.instantiate(&mut *store)?;
            adapter.vak_adapter_adapter().call_ingest(store, event.as_str())
        })?;
        Ok(Intake::of(answer.map_err(AdapterError::of)?)?)
    }

    /// Writes the framework's answer to a message that it has read, in a fresh
    /// instance.
    ///
    /// # Errors
    /// It does not understand the message, or did not answer with JSON.
    pub fn render(&self, event: &Json, answers: &[Answer]) -> Result<Json, AdapterError> {
        let reasons: Vec<_> = answers.iter().map(words::reason).collect();
        let answers: Vec<_> =
            answers.iter().zip(&reasons).map(|(answer, reason)| words::told(answer, reason)).collect();
        let reply = self.prepared.call(|store| {
            let adapter = self.pre.instantiate(&mut *store)?;
            adapter.vak_adapter_adapter().call_render(store, event.as_str(), &answers)
        })?;
        let reply = reply.map_err(AdapterError::of)?;
        Ok(Json::parse(&reply).map_err(|error| words::malformed("reply", &error))?)
    }
}

impl std::fmt::Debug for Adapter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Adapter").field("prepared", &self.prepared).field("info", &self.info).finish()
    }
}

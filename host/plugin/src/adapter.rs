//! Adapters: what does a framework's message mean?

use vak_engine::{CallState, Prepared};
use vak_types::{ComponentRef, Failure, FailureKind, Json, Label, Operation, Resource, TextError, printable};

use crate::bindings::adapter::AdapterComponentPre;
use crate::bindings::adapter::exports::vak::adapter::adapter as wit;

/// Longest error text that is kept of an adapter, in bytes.
const MESSAGE_BYTES_MAX: usize = 1_024;

/// An adapter that is ready to read messages.
pub struct Adapter {
    prepared: Prepared,
    pre: AdapterComponentPre<CallState>,
}

/// What a message means.
#[derive(Debug, Clone, PartialEq)]
pub enum Intake {
    /// It asks for these, in this order.
    Actions(Vec<Wanted>),
    /// It asks for nothing that needs a decision.
    Pass,
}

/// An action as a framework's message names it.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// What is to be done.
    pub operation: Operation,
    /// What it is to be done to.
    pub resource: Resource,
    /// Its arguments.
    pub arguments: Json,
    /// Where they come from.
    pub labels: Vec<Label>,
}

/// Why a message was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdapterError {
    /// Not a message of its framework.
    #[error("unknown message: {0}")]
    UnknownMessage(String),
    /// A message of it, with a part missing or wrong.
    #[error("malformed message: {0}")]
    Malformed(String),
    /// The component did not answer.
    #[error("the adapter was stopped: {0}")]
    Stopped(#[from] Failure),
}

impl Adapter {
    /// Both are of one component.
    pub(crate) fn new(prepared: Prepared, pre: AdapterComponentPre<CallState>) -> Self {
        Self { prepared, pre }
    }

    /// Exactly which component this is.
    pub fn component(&self) -> &ComponentRef {
        self.prepared.component()
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
        match answer {
            Ok(wit::Intake::Pass) => Ok(Intake::Pass),
            Ok(wit::Intake::Actions(requests)) => {
                Ok(Intake::Actions(requests.iter().map(wanted).collect::<Result<_, _>>()?))
            }
            Err(wit::AdapterError::UnknownMessage(why)) => {
                Err(AdapterError::UnknownMessage(printable(&why, MESSAGE_BYTES_MAX)))
            }
            Err(wit::AdapterError::Malformed(why)) => Err(AdapterError::Malformed(printable(&why, MESSAGE_BYTES_MAX))),
        }
    }
}

/// An adapter's words are checked like everybody else's.
fn wanted(request: &wit::Request) -> Result<Wanted, Failure> {
    let malformed = |what: &str, error: &dyn std::fmt::Display| Failure {
        kind: FailureKind::Malformed,
        message: format!("its {what} is not valid: {error}"),
    };
    let text = |error: TextError| malformed("answer", &error);
    Ok(Wanted {
        operation: request.operation.parse().map_err(text)?,
        resource: request.resource.parse().map_err(text)?,
        arguments: Json::parse(&request.arguments).map_err(|error| malformed("arguments", &error))?,
        labels: request.labels.iter().map(|label| label.parse()).collect::<Result<_, _>>().map_err(text)?,
    })
}

impl std::fmt::Debug for Adapter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Adapter").field("prepared", &self.prepared).finish()
    }
}

//! `vak:host/session`.

use std::sync::Arc;
use std::time::Duration;

use vak_engine::{CallState, Stopped};
use vak_types::{Forgotten, Label, Operation, Past, Pattern, Timestamp};
use wasmtime::component::{HasSelf, Linker};

use crate::bindings::host::vak::host::session::{Host, Origin, SessionError, Step, Tally, add_to_linker};

/// Steps of an answer. `wit/host` promises it.
const RECENT_MAX: usize = 64;

/// What the session did before the action that a call judges.
pub(crate) struct Asked {
    pub(crate) past: Arc<Past>,
    pub(crate) now: Timestamp,
}

/// Links it.
pub(crate) fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    add_to_linker::<CallState, HasSelf<CallState>>(linker, |state| state)
}

impl Host for CallState {
    fn recent(&mut self, within_ms: u64) -> wasmtime::Result<Result<Vec<Step>, SessionError>> {
        let Asked { past, now } = asked(self)?;
        let step = |step: &vak_types::Step| Step {
            id: step.action.to_string(),
            operation: step.operation.to_string(),
            resource: step.resource.to_string(),
            labels: step.labels.iter().map(Label::to_string).collect(),
            allowed: step.allowed,
            time_ns: step.time.as_nanos(),
        };
        let steps = past.within(*now, Duration::from_millis(within_ms));
        Ok(steps.map(|steps| steps.take(RECENT_MAX).map(step).collect()).map_err(forgotten))
    }

    fn count(&mut self, operations: String, within_ms: u64) -> wasmtime::Result<Result<Tally, SessionError>> {
        let Asked { past, now } = asked(self)?;
        let Ok(operations) = operations.parse::<Pattern<Operation>>() else {
            return Ok(Err(SessionError::BadPattern));
        };
        let tally = past.tally(*now, Duration::from_millis(within_ms), &operations);
        Ok(tally.map(|tally| Tally { allowed: tally.allowed, refused: tally.refused }).map_err(forgotten))
    }

    fn labels(&mut self, within_ms: u64) -> wasmtime::Result<Result<Vec<Origin>, SessionError>> {
        let Asked { past, now } = asked(self)?;
        let origin = |(label, step): (&Label, &vak_types::Step)| Origin {
            label: label.to_string(),
            id: step.action.to_string(),
            operation: step.operation.to_string(),
        };
        let origins = past.labels(*now, Duration::from_millis(within_ms));
        Ok(origins.map(|origins| origins.into_iter().map(origin).collect()).map_err(forgotten))
    }
}

/// What the call was given. A policy that did not say that it asks was given
/// nothing, and there is no answer that would be true.
fn asked(call: &mut CallState) -> wasmtime::Result<&Asked> {
    call.count_host_call()?;
    call.extension::<Asked>().ok_or_else(|| {
        let why = "asks what the session did before, and its description does not say that it does";
        Stopped(why.to_owned()).into()
    })
}

fn forgotten(_: Forgotten) -> SessionError {
    SessionError::Forgotten
}

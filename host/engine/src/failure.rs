//! From wasmtime's errors to ours.

use vak_types::{Failure, FailureKind, printable};
use wasmtime::{Error, PoolConcurrencyLimitError, Trap};

/// Longest message that is kept of an error, in bytes.
const MESSAGE_BYTES_MAX: usize = 512;

/// Something a call used too much of, found by our own code rather than by
/// wasmtime's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Exhausted {
    #[error("wanted {wanted} bytes of memory in all; the most is {max}")]
    Memory { wanted: usize, max: usize },
    #[error("wanted {wanted} table elements in all; the most is {max}")]
    Table { wanted: usize, max: usize },
    #[error("called the host more than {max} times")]
    HostCalls { max: u32 },
}

/// What kind of failure `error` is.
pub(crate) fn classify(error: &Error) -> Failure {
    let (kind, message) = kind_of(error);
    Failure { kind, message: printable(&message, MESSAGE_BYTES_MAX) }
}

fn kind_of(error: &Error) -> (FailureKind, String) {
    if let Some(exhausted) = error.downcast_ref::<Exhausted>() {
        let kind = match exhausted {
            Exhausted::Memory { .. } | Exhausted::Table { .. } => FailureKind::Memory,
            Exhausted::HostCalls { .. } => FailureKind::HostCalls,
        };
        return (kind, exhausted.to_string());
    }
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return match trap {
            Trap::Interrupt => (FailureKind::TimeOut, "ran longer than its wall-time limit".to_owned()),
            Trap::OutOfFuel => (FailureKind::Fuel, "executed more instructions than its fuel limit".to_owned()),
            Trap::StackOverflow => (FailureKind::Stack, "recursed deeper than its stack".to_owned()),
            Trap::UnreachableCodeReached => (FailureKind::Trap, "panicked or aborted".to_owned()),
            trap => (FailureKind::Trap, trap.to_string()),
        };
    }
    if error.is::<PoolConcurrencyLimitError>() {
        return (FailureKind::Unavailable, "every instance slot of the host is in use".to_owned());
    }
    let message = format!("{error:#}");
    // wasmtime keeps this error's type private; a test holds its text.
    match message.contains("fuel allocated for hostcalls has been exhausted") {
        true => (FailureKind::Output, "copied more out of the guest than its output limit".to_owned()),
        false => (FailureKind::Malformed, message),
    }
}

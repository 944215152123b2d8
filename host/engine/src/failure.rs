//! From wasmtime's errors to ours.

use vak_types::{Failure, FailureKind, printable};
use wasmtime::component::ResourceTableError;
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

/// What a function of the host ends a call with that did something it cannot.
/// Counts as a trap of the guest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Stopped(pub String);

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
    if let Some(Stopped(message)) = error.downcast_ref() {
        return (FailureKind::Trap, message.clone());
    }
    if let Some(ResourceTableError::Full) = error.downcast_ref() {
        return (FailureKind::Memory, "held more of the host's resources at a time than one call may".to_owned());
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

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::testing::{policy, prepare};
    use crate::{CallLimits, Engine, Prepared};

    /// The component's function `run`, which returns a text, in a fresh
    /// instance.
    fn run(prepared: &Prepared) -> Result<String, Failure> {
        prepared.call(|store| {
            let instance = prepared.instance_pre().instantiate(&mut *store)?;
            instance.get_typed_func::<(), (String,)>(&mut *store, "run")?.call(store, ()).map(|(text,)| text)
        })
    }

    /// `run` as instructions that leave the address of a text's address and
    /// length; there is a short one at 8.
    fn running(instructions: &str) -> Vec<u8> {
        policy(&format!(
            r#"(core module $m
                 (memory (export "memory") 4) (table $table 1 funcref)
                 (data (i32.const 8) "\10\00\00\00\02\00\00\00hi")
                 (func $run (export "run") (result i32) {instructions}))
               (core instance $i (instantiate $m))
               (func (export "run") (result string)
                 (canon lift (core func $i "run") (memory (core memory $i "memory"))))"#
        ))
    }

    fn text(at: u32, bytes: u32) -> String {
        format!(
            "(i32.store (i32.const 0) (i32.const {at})) (i32.store (i32.const 4) (i32.const {bytes})) (i32.const 0)"
        )
    }

    /// Also the test that notices when an update of wasmtime changes what its
    /// errors are: [`FailureKind::Output`] is known by its text alone.
    #[test]
    fn each_failure_has_its_kind() {
        use FailureKind::{Fuel, Malformed, Memory, Output, Stack, TimeOut, Trap};

        // Wall time enough for everything but the one case that is about it.
        let limits = CallLimits { wall_ms_max: 10_000, ..CallLimits::POLICY };
        let endless = CallLimits { wall_ms_max: 20, fuel_max: u64::MAX, ..CallLimits::POLICY };
        let grow = |what: &str| format!("(drop ({what})) (i32.const 8)");
        let cases = [
            ("(i32.const 8)".to_owned(), limits, Ok("hi")),
            ("(loop (br 0)) (i32.const 8)".to_owned(), limits, Err(Fuel)),
            ("(loop (br 0)) (i32.const 8)".to_owned(), endless, Err(TimeOut)),
            ("(call $run)".to_owned(), limits, Err(Stack)),
            ("unreachable".to_owned(), limits, Err(Trap)),
            (grow("i32.load (i32.const -4)"), limits, Err(Trap)),
            (grow("memory.grow (i32.const 1021)"), limits, Err(Memory)),
            (grow("memory.grow (i32.const 1020)"), limits, Ok("hi")),
            (grow("table.grow $table (ref.null func) (i32.const 20000)"), limits, Err(Memory)),
            (text(0, 64 << 10), CallLimits { output_bytes_max: 64 << 10, ..limits }, Ok("")),
            (text(0, (64 << 10) + 1), CallLimits { output_bytes_max: 64 << 10, ..limits }, Err(Output)),
            (text(0, 1 << 20), limits, Err(Malformed)),
            (text(8, 9) + "(i32.store8 (i32.const 9) (i32.const 255))", limits, Err(Malformed)),
        ];
        let engine = Engine::new(None).unwrap();
        for (instructions, limits, expected) in cases {
            let prepared = prepare(&engine, &running(&instructions), limits).unwrap();
            match (run(&prepared), expected) {
                (Ok(text), Ok(start)) => assert!(text.starts_with(start), "{instructions}"),
                (Err(failure), Err(kind)) => assert_eq!(failure.kind, kind, "{instructions}: {failure}"),
                (found, expected) => panic!("{instructions}: {found:?}, expected {expected:?}"),
            }
        }
    }

    #[test]
    fn an_engine_without_a_free_slot_says_so() {
        let engine = Engine::new(None).unwrap();
        let prepared = prepare(&engine, &running("(i32.const 8)"), CallLimits::POLICY).unwrap();
        // Each call holds its instance while the next one starts.
        fn nested(prepared: &Prepared, depth: usize) -> (usize, Failure) {
            let started = prepared.call(|store| {
                prepared.instance_pre().instantiate(&mut *store)?;
                Ok(nested(prepared, depth + 1))
            });
            started.unwrap_or_else(|failure| (depth, failure))
        }
        let (slots, failure) = nested(&prepared, 0);
        assert_eq!(failure.kind, FailureKind::Unavailable, "{failure}");
        assert!(slots > 100, "{slots}");
        assert_eq!(run(&prepared).unwrap(), "hi");
    }
}

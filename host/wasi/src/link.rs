//! Which of the two a component is linked with.

use std::collections::BTreeSet;

use vak_engine::CallState;
use vak_types::Capability::{self, Clock, Directories, Environment, Http, Randomness};
use wasmtime::Result;
use wasmtime::component::{Component, Linker};

use crate::output::Sink;
use crate::{granted, stand_in};

/// Whether WASI gives a component with these rights anything, and so may let it
/// wait: then it is called through `Prepared::call_async`.
pub fn may_wait(capabilities: &BTreeSet<Capability>) -> bool {
    [Clock, Directories, Environment, Http, Randomness].iter().any(|capability| capabilities.contains(capability))
}

/// Links the WASI that `component` imports: as granted if it [may
/// wait](may_wait), and then every call needs what `Reach::extend` gives it;
/// otherwise stand-ins.
///
/// # Errors
/// An interface is not the one that its name says.
pub fn link(linker: &mut Linker<CallState>, component: &Component, capabilities: &BTreeSet<Capability>) -> Result<()> {
    match may_wait(capabilities) {
        true => granted::link(linker, component, |capability| capabilities.contains(&capability)),
        false => stand_in::link(linker, component, None, stand_in::covers),
    }
}

/// Links what a component gets while it is configured, whatever is granted to
/// it: stand-ins, with `sink` for its output, and traps for what it would have
/// no use for yet.
///
/// # Errors
/// An interface is not the one that its name says.
pub fn link_to_configure(linker: &mut Linker<CallState>, component: &Component, sink: Option<&Sink>) -> Result<()> {
    let later = |interface: &str| {
        interface.starts_with("wasi:http/") || ["vak:host/secrets", "vak:host/memory"].contains(&interface)
    };
    stand_in::link(linker, component, sink, |interface| stand_in::covers(interface) || later(interface))
}

//! What a component imports and exports.

use std::collections::BTreeSet;

use vak_types::{Capability, Kind, Need, Requested};
use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use crate::bake::CONFIGURE;
use crate::load::Problem;

/// Whether a component takes configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Configurable {
    Yes,
    No,
}

/// Checks that a component exports what its kind does, and imports nothing
/// that it did not ask for or was not granted.
pub(crate) fn check(
    engine: &Engine,
    component: &Component,
    kind: Kind,
    requested: &Requested,
    granted: &BTreeSet<Capability>,
) -> Result<Configurable, Problem> {
    let component_type = component.component_type();
    let interface = kind.interface();
    let exports = |name: &str| component_type.get_export(engine, name).is_some();
    if !exports(interface) {
        return Err(Problem::Export { interface, kind });
    }
    let requested = requested.capabilities();
    for (import, item) in component_type.imports(engine) {
        if is_types_only(engine, &item.ty) {
            continue;
        }
        let import = import.to_owned();
        let asks = |capability: &Capability| requested.contains(capability);
        match Capability::for_import(&import) {
            Some(Need::Nothing) => {}
            Some(Need::BeingA(wanted)) if wanted == kind => {}
            Some(Need::OrStandIn(capability)) if !asks(&capability) => {}
            Some(Need::OrStandIn(capability) | Need::Right(capability)) if asks(&capability) => {
                if !granted.contains(&capability) {
                    return Err(Problem::NotGranted { capability, import });
                }
            }
            Some(_) | None => return Err(Problem::Undeclared { import }),
        }
    }
    Ok(if exports(CONFIGURE) { Configurable::Yes } else { Configurable::No })
}

/// An import of `vak:types/types` brings names for records and nothing that
/// could be called.
fn is_types_only(engine: &Engine, item: &ComponentItem) -> bool {
    match item {
        ComponentItem::ComponentInstance(instance) => {
            instance.exports(engine).all(|(_, item)| matches!(item.ty, ComponentItem::Type(_)))
        }
        _ => false,
    }
}

//! What a component imports and exports.

use std::collections::BTreeSet;

use vak_types::{Grant, Kind};
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
    requested: &[Grant],
    granted: &BTreeSet<Grant>,
) -> Result<Configurable, Problem> {
    let component_type = component.component_type();
    for (import, item) in component_type.imports(engine) {
        if is_types_only(engine, &item.ty) {
            continue;
        }
        let import = import.to_owned();
        match Grant::for_import(&import).filter(|grant| requested.contains(grant)) {
            None => return Err(Problem::Undeclared { import }),
            Some(grant) if !granted.contains(&grant) => return Err(Problem::NotGranted { grant, import }),
            Some(_) => {}
        }
    }
    let interface = kind.interface();
    let exports = |name: &str| component_type.get_export(engine, name).is_some();
    match (exports(interface), exports(CONFIGURE)) {
        (false, _) => Err(Problem::Export { interface, kind }),
        (true, true) => Ok(Configurable::Yes),
        (true, false) => Ok(Configurable::No),
    }
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

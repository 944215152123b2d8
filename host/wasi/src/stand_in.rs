//! What stands in for WASI where nothing is granted.

mod behaviour;
mod random;
mod streams;
mod time;

use vak_engine::CallState;
use wasmtime::Result;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker, ResourceType};

use crate::output::Sink;

/// The packages that have stand-ins. Sockets and HTTP have none: whoever needs
/// a network is better refused at load than told later that there is none.
const PACKAGES: &[&str] = &["wasi:cli", "wasi:clocks", "wasi:filesystem", "wasi:io", "wasi:random"];

/// Whether there is a stand-in for an interface, named without its version.
pub(crate) fn covers(interface: &str) -> bool {
    interface.split_once('/').is_some_and(|(package, _)| PACKAGES.contains(&package))
}

/// Links a stand-in for each interface of `component` that is `wanted`, as the
/// component declares it: so any release of WASI 0.2 will do, and a function
/// that nobody here has heard of is a trap that says its name.
///
/// `sink` takes standard output where the call was given none of its own.
pub(crate) fn link(
    linker: &mut Linker<CallState>,
    component: &Component,
    sink: Option<&Sink>,
    wanted: impl Fn(&str) -> bool,
) -> Result<()> {
    let engine = linker.engine().clone();
    // An interface may name a resource of another one again.
    let mut resources: Vec<ResourceType> = Vec::new();
    for (import, item) in component.component_type().imports(&engine) {
        let ComponentItem::ComponentInstance(instance) = item.ty else { continue };
        let interface = import.split_once('@').map_or(import, |(interface, _)| interface);
        let wanted = wanted(interface);
        for (name, item) in instance.exports(&engine) {
            match item.ty {
                ComponentItem::Resource(resource) if !resources.contains(&resource) => {
                    resources.push(resource);
                    if wanted {
                        linker.instance(import)?.resource(name, streams::resource(name), |mut store, _| {
                            store.data_mut().release();
                            Ok(())
                        })?;
                    }
                }
                ComponentItem::ComponentFunc(_) if wanted => {
                    behaviour::link(&mut linker.instance(import)?, interface, name, sink)?;
                }
                _ => {}
            }
        }
    }
    Ok(())
}

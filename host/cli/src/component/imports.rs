//! What a component imports and exports, read from its bytes without an
//! engine.

use serde::Serialize;
use vak_types::{Capability, Need, Requested, printable};
use wasmparser::component_types::ComponentEntityType;
use wasmparser::{Parser, Payload, Validator, WasmFeatures};

/// Longest name of an import that is shown, in bytes.
const NAME_BYTES_MAX: usize = 256;

/// What a component imports and exports by name, with versions.
pub(super) struct Interfaces {
    pub(super) imports: Vec<Import>,
    pub(super) exports: Vec<String>,
}

/// One import.
#[derive(Serialize)]
pub(super) struct Import {
    pub(super) name: String,
    /// Whether it brings anything that could be called.
    pub(super) types_only: bool,
}

/// Whether an import will be linked, as far as its manifest says.
pub(super) enum Link {
    /// It gives no access to anything.
    Nothing,
    /// A stand-in that gives no access.
    StandIn,
    /// If this is granted.
    If(Capability),
    /// It takes this, which the manifest does not ask for.
    Undeclared(Capability),
    /// This host has no such thing.
    Unknown,
}

impl Interfaces {
    /// Checks a component and reads its imports and exports.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, wasmparser::BinaryReaderError> {
        // Whatever a host may accept can be looked at.
        let types = Validator::new_with_features(WasmFeatures::all()).validate_all(bytes)?;
        let callable = |entity: &ComponentEntityType| match entity {
            ComponentEntityType::Instance(instance) => {
                types[*instance].exports.values().any(|item| !matches!(item.ty, ComponentEntityType::Type { .. }))
            }
            ComponentEntityType::Type { .. } => false,
            _ => true,
        };
        let (mut imports, mut exports) = (Vec::new(), Vec::new());
        // What is nested is the component's own affair.
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(section) if depth == 0 => {
                    for import in section {
                        let name = import?.name.name;
                        let item = types.as_ref().component_item_for_import(name);
                        let types_only = item.is_some_and(|item| !callable(&item.ty));
                        imports.push(Import { name: printable(name, NAME_BYTES_MAX), types_only });
                    }
                }
                Payload::ComponentExportSection(section) if depth == 0 => {
                    for export in section {
                        exports.push(printable(export?.name.name, NAME_BYTES_MAX));
                    }
                }
                _ => {}
            }
        }
        Ok(Self { imports, exports })
    }
}

impl Import {
    /// What it takes to link it for a component that asks for `requested`.
    pub(super) fn link(&self, requested: &Requested) -> Link {
        let asks = |capability: &Capability| requested.capabilities().contains(capability);
        match Capability::for_import(&self.name) {
            _ if self.types_only => Link::Nothing,
            Some(Need::Nothing | Need::BeingA(_)) => Link::Nothing,
            Some(Need::OrStandIn(capability) | Need::Right(capability)) if asks(&capability) => Link::If(capability),
            Some(Need::OrStandIn(_)) => Link::StandIn,
            Some(Need::Right(capability)) => Link::Undeclared(capability),
            None => Link::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_component_itself_imports_counts() {
        let text = r#"(component
            (import "vak:host/log@0.1.0" (instance (export "write" (func))))
            (import "vak:types/types@0.1.0" (instance $types (export "action" (type (sub resource)))))
            (import "wasi:cli/environment@0.2.6" (instance (export "get" (func))))
            (import "wasi:sockets/tcp@0.2.6" (instance (export "connect" (func))))
            (import "vak:host/secrets@0.1.0" (instance (export "get" (func))))
            (component (import "inner:a/b" (instance)) (component) (export "c" (component 0)))
            (core module (import "env" "x" (func)) (func (export "y")))
            (instance $none)
            (export "vak:skill/skill@0.1.0" (instance $none))
        )"#;
        let found = Interfaces::read(&wat::parse_str(text).unwrap()).unwrap();
        let requested: Requested = serde_json::from_str(r#"{"log": true}"#).unwrap();
        let told: Vec<_> = found
            .imports
            .iter()
            .map(|import| {
                let link = match import.link(&requested) {
                    Link::Nothing => "nothing".to_owned(),
                    Link::StandIn => "stand-in".to_owned(),
                    Link::If(capability) => format!("if {capability}"),
                    Link::Undeclared(capability) => format!("undeclared {capability}"),
                    Link::Unknown => "unknown".to_owned(),
                };
                format!("{} {link}", import.name)
            })
            .collect();
        assert_eq!(
            told,
            [
                "vak:host/log@0.1.0 if log",
                "vak:types/types@0.1.0 nothing",
                "wasi:cli/environment@0.2.6 stand-in",
                "wasi:sockets/tcp@0.2.6 unknown",
                "vak:host/secrets@0.1.0 undeclared secrets",
            ]
        );
        assert_eq!(found.exports, ["vak:skill/skill@0.1.0"]);
    }

    #[test]
    fn what_is_no_component_is_refused() {
        for bytes in [&b""[..], b"\0asm", b"\0asm\x0d\0\x01\0\xff", b"not wasm at all"] {
            assert!(Interfaces::read(bytes).is_err(), "{bytes:?}");
        }
    }
}

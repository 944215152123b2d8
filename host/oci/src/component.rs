//! What an image's configuration says of its component, so that whoever lists
//! images need not read components.

use serde::Serialize;
use vak_types::{Digest, printable};
use wasmparser::{Parser, Payload};

use crate::error::OciError;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    created: &'static str,
    architecture: &'static str,
    os: &'static str,
    layer_digests: [Digest; 1],
    component: Component,
}

#[derive(Default, Serialize)]
struct Component {
    exports: Vec<String>,
    imports: Vec<String>,
}

/// The configuration of an image with this component, the same for the same
/// bytes: so there is no time in it.
pub(crate) fn config(bytes: &[u8], digest: Digest) -> Result<Vec<u8>, OciError> {
    let malformed = |why: &str| OciError::Malformed { what: "the component".to_owned(), why: printable(why, 300) };
    if !Parser::is_component(bytes) {
        return Err(malformed("it is no WebAssembly component"));
    }
    let component = surface(bytes).map_err(|error| malformed(&error.to_string()))?;
    let config = Config {
        created: "1970-01-01T00:00:00Z",
        architecture: "wasm",
        os: "wasip2",
        layer_digests: [digest],
        component,
    };
    serde_json::to_vec(&config).map_err(|error| malformed(&error.to_string()))
}

/// What the outermost component takes and gives.
fn surface(bytes: &[u8]) -> wasmparser::Result<Component> {
    let mut component = Component::default();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    component.imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    component.exports.push(export?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(component)
}

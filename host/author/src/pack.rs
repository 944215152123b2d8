//! Packing: a component and its manifest out of what a compiler produced.

use vak_trust::{Manifest, ManifestError, Package};
use wit_component::ComponentEncoder;

/// What every WebAssembly file starts with.
const MAGIC: &[u8] = b"\0asm";

/// The version and layer of a core module, and of a component.
const MODULE: &[u8] = &[1, 0, 0, 0];
const COMPONENT: &[u8] = &[0x0d, 0, 1, 0];

/// Why nothing was packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// The input is neither a core module nor a component.
    #[error("the input is not WebAssembly; give the `.wasm` file that the compiler wrote")]
    NotWasm,
    /// The manifest is not valid.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The module cannot be made a component.
    #[error("the module cannot be made a component: {0}; was it built with a VAK SDK?")]
    Encode(String),
}

/// Packs what a compiler produced with the text of its `vak-component.toml`.
/// The same input gives the same bytes.
///
/// # Errors
/// The input is not WebAssembly, carries no interface, or the manifest is not
/// valid.
pub fn pack(wasm: &[u8], manifest: &str) -> Result<Package, PackError> {
    let manifest = Manifest::from_toml(manifest)?;
    let component = match wasm.strip_prefix(MAGIC) {
        Some(rest) if rest.starts_with(COMPONENT) => wasm.to_vec(),
        Some(rest) if rest.starts_with(MODULE) => encode(wasm)?,
        _ => return Err(PackError::NotWasm),
    };
    Ok(Package::unsigned(component, &manifest))
}

fn encode(module: &[u8]) -> Result<Vec<u8>, PackError> {
    // The encoder believes the lengths that stand in a module, and panics.
    wasmparser::validate(module).map_err(|error| PackError::Encode(error.to_string()))?;
    ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(ComponentEncoder::encode)
        .map_err(|error| PackError::Encode(format!("{error:#}")))
}

//! `[[adapters]]`: which frameworks' messages are understood.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use vak_types::{Digest, Granted, LimitSettings, Name, Operation, Pattern};

use super::{Versions, not_empty};

/// An adapter and what the operator says about it.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Adapter {
    /// Its name: messages for it are sent under this.
    pub name: Name,
    /// Its `.wasm` file; manifest and signature lie beside it. This or `package`.
    pub component: Option<PathBuf>,
    /// Its name in the store, where `vak install` put it. This or `component`.
    pub package: Option<Name>,
    /// Which versions of the package will do, such as `^1.2`; any if it is left
    /// out.
    pub version: Option<Versions>,
    /// The SHA-256 of exactly the component that is meant; any that is trusted
    /// if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The file with its configuration, where it takes one.
    pub config: Option<PathBuf>,
    /// Operations that are denied whatever policies would say, and recorded so.
    #[serde(default, deserialize_with = "not_empty", skip_serializing_if = "Vec::is_empty")]
    pub blocked: Vec<Pattern<Operation>>,
    /// Operations that happen undecided and unrecorded; `blocked` outweighs it.
    #[serde(default, deserialize_with = "not_empty", skip_serializing_if = "Vec::is_empty")]
    pub pass: Vec<Pattern<Operation>>,
    /// What it is granted of what it asks for.
    #[serde(default)]
    pub grants: Granted,
    /// Load it without a signature, where `trust.development` is set. Every
    /// verdict will say `unsigned`.
    #[serde(default)]
    pub allow_unsigned: bool,
    /// What one call may use; what is left out is as for every adapter, or less
    /// if the component asks for less.
    #[serde(default)]
    pub limits: LimitSettings,
}

impl Adapter {
    /// Whether no operation at all would be decided.
    pub(crate) fn passes_all(&self) -> bool {
        self.pass.contains(&Pattern::every())
    }
}

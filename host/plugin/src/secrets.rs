//! `vak:host/secrets`.

mod file;
mod redact;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use vak_engine::CallState;
use vak_types::{Effective, Json, JsonError, Name};
use wasmtime::component::{HasSelf, Linker};
use zeroize::Zeroizing;

use crate::bindings::host::vak::host::secrets::{Host, SecretError, add_to_linker};
use redact::Redactor;

pub(crate) use file::FileError;

/// The secrets of one component. Their memory is wiped when it is unloaded.
pub(crate) struct Secrets {
    values: BTreeMap<Name, Zeroizing<String>>,
    redactor: Redactor,
}

impl Secrets {
    /// Reads the files of all that are granted; `None` when that is none.
    pub(crate) fn read(granted: &Effective) -> Result<Option<Arc<Self>>, FileError> {
        let read = granted.secrets().iter().map(|(name, path)| Ok((name.clone(), file::read(name, path)?)));
        let values = read.collect::<Result<BTreeMap<_, _>, _>>()?;
        let redactor = Redactor::new(values.iter().map(|(name, value)| (name, value.as_str())));
        Ok((!values.is_empty()).then(|| Arc::new(Self { values, redactor })))
    }

    /// The text with every secret replaced by its name.
    pub(crate) fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.redactor.text(text)
    }

    /// Whether one of them is in `bytes`.
    pub(crate) fn is_in(&self, bytes: &[u8]) -> bool {
        self.redactor.finds(bytes)
    }

    /// The document with every secret replaced by its name.
    pub(crate) fn redact_json(&self, json: &Json) -> Result<Json, JsonError> {
        Json::from_value(&self.redactor.value(json.to_value()))
    }
}

/// Links it.
pub(crate) fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    add_to_linker::<CallState, HasSelf<CallState>>(linker, |state| state)
}

impl Host for CallState {
    fn get(&mut self, name: String) -> wasmtime::Result<Result<String, SecretError>> {
        self.count_host_call()?;
        let secrets = self.extension::<Arc<Secrets>>();
        let name = name.parse::<Name>().ok();
        let value = secrets.zip(name).and_then(|(secrets, name)| secrets.values.get(&name));
        Ok(value.map(|value| value.to_string()).ok_or(SecretError::NotGranted))
    }
}

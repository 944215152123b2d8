//! `vak:host/log`, and standard output beside it.

use std::sync::Arc;

use vak_engine::CallState;
use vak_types::{Name, printable};
use vak_wasi::{Sink, Stream};
use wasmtime::component::{HasSelf, Linker};

use crate::bindings::host::vak::host::log::{Host, Level, add_to_linker};
use crate::secrets::Secrets;

/// Longest line that is kept, in bytes. `wit/host` promises it.
const LINE_BYTES_MAX: usize = 1_024;

/// Links it.
pub(crate) fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    add_to_linker::<CallState, HasSelf<CallState>>(linker, |state| state)
}

impl Host for CallState {
    fn write(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        self.count_host_call()?;
        let line = line(&message, self.extension::<Arc<Secrets>>().map(Arc::as_ref));
        let component = self.component().name.as_str();
        match level {
            Level::Debug => tracing::debug!(component, "{line}"),
            Level::Info => tracing::info!(component, "{line}"),
            Level::Warn => tracing::warn!(component, "{line}"),
            Level::Error => tracing::error!(component, "{line}"),
        }
        Ok(())
    }
}

/// Writes what the component `name` prints to the log, without its secrets.
pub(crate) fn sink(name: &Name, secrets: Option<Arc<Secrets>>) -> Sink {
    let name = name.clone();
    Arc::new(move |stream, bytes| {
        let line = line(&String::from_utf8_lossy(bytes), secrets.as_deref());
        let component = name.as_str();
        match stream {
            Stream::Out => tracing::info!(component, stream = "stdout", "{line}"),
            Stream::Err => tracing::info!(component, stream = "stderr", "{line}"),
        }
    })
}

/// A line as it is kept. Cut last, so that no secret is cut before it is found.
fn line(text: &str, secrets: Option<&Secrets>) -> String {
    match secrets {
        Some(secrets) => printable(&secrets.redact(text), LINE_BYTES_MAX),
        None => printable(text, LINE_BYTES_MAX),
    }
}

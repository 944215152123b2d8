//! `vak:host/log`.

use vak_engine::CallState;
use vak_types::printable;
use wasmtime::component::{HasSelf, Linker};

use crate::bindings::host::vak::host::log::{Host, Level, add_to_linker};

/// Longest line that is kept, in bytes. `wit/host` promises it.
const LINE_BYTES_MAX: usize = 1_024;

/// Links it.
pub(crate) fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    add_to_linker::<CallState, HasSelf<CallState>>(linker, |state| state)
}

impl Host for CallState {
    fn write(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        self.count_host_call()?;
        let component = self.component().name.as_str();
        let line = printable(&message, LINE_BYTES_MAX);
        match level {
            Level::Debug => tracing::debug!(component, "{line}"),
            Level::Info => tracing::info!(component, "{line}"),
            Level::Warn => tracing::warn!(component, "{line}"),
            Level::Error => tracing::error!(component, "{line}"),
        }
        Ok(())
    }
}

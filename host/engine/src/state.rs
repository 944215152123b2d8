//! What belongs to one call.

use std::sync::Arc;

use vak_types::ComponentRef;
use wasmtime::{Error, ResourceLimiter, Result};

use crate::failure::Exhausted;
use crate::limits::CallLimits;

/// What belongs to one call into a component. It lives as long as the call, so
/// nothing that an agent brings about is there for the next.
pub struct CallState {
    component: Arc<ComponentRef>,
    limits: CallLimits,
    memory_bytes: usize,
    table_elements: usize,
    host_calls: u32,
}

impl CallState {
    pub(crate) fn new(component: Arc<ComponentRef>, limits: CallLimits) -> Self {
        Self { component, limits, memory_bytes: 0, table_elements: 0, host_calls: 0 }
    }

    /// Which component is running.
    pub fn component(&self) -> &ComponentRef {
        &self.component
    }

    /// Counts one call into the host. Every host function starts with it.
    ///
    /// # Errors
    /// The limit is reached; returning the error ends the call.
    pub fn count_host_call(&mut self) -> Result<()> {
        self.host_calls += 1;
        match self.host_calls > self.limits.host_calls_max {
            true => Err(Error::new(Exhausted::HostCalls { max: self.limits.host_calls_max })),
            false => Ok(()),
        }
    }

    /// Room for what reading a memory for a snapshot takes.
    pub(crate) fn allow_more_memory(&mut self, bytes: usize) {
        self.limits.memory_bytes_max += bytes;
    }
}

/// Counts over all memories and tables together: several small ones are one
/// big one. Growth past the limit ends the call rather than returning -1,
/// because a guest that goes on without its memory may answer wrongly.
impl ResourceLimiter for CallState {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let wanted = self.memory_bytes.saturating_add(desired - current);
        let max = self.limits.memory_bytes_max;
        if wanted > max {
            return Err(Error::new(Exhausted::Memory { wanted, max }));
        }
        self.memory_bytes = wanted;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let wanted = self.table_elements.saturating_add(desired - current);
        let max = self.limits.table_elements_max;
        if wanted > max {
            return Err(Error::new(Exhausted::Table { wanted, max }));
        }
        self.table_elements = wanted;
        Ok(true)
    }
}

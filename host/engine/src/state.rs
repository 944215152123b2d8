//! What belongs to one call.

use std::any::Any;
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
    host_calls: HostCalls,
    held: u32,
    /// One of a type, and hardly ever more than two: looking through them is
    /// quicker than hashing, and without one there is no allocation.
    extensions: Vec<Box<dyn Any + Send>>,
}

/// Counts calls into the host.
#[derive(Debug, Clone)]
pub struct HostCalls {
    made: u32,
    max: u32,
}

impl HostCalls {
    /// A count that ends at `max`.
    pub fn at_most(max: u32) -> Self {
        Self { made: 0, max }
    }

    /// Counts one more.
    ///
    /// # Errors
    /// The limit is reached; returning the error ends the call.
    pub fn count(&mut self) -> Result<()> {
        self.made += 1;
        match self.made > self.max {
            true => Err(Error::new(Exhausted::HostCalls { max: self.max })),
            false => Ok(()),
        }
    }
}

impl CallState {
    pub(crate) fn new(component: Arc<ComponentRef>, limits: CallLimits) -> Self {
        let host_calls = HostCalls::at_most(limits.host_calls_max);
        Self { component, limits, memory_bytes: 0, table_elements: 0, host_calls, held: 0, extensions: Vec::new() }
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
        self.host_calls.count()
    }

    /// Counts a handle that the guest is given.
    pub fn hold(&mut self) {
        self.held += 1;
    }

    /// Counts a handle that the guest gives back.
    pub fn release(&mut self) {
        self.held = self.held.saturating_sub(1);
    }

    /// Handles that the guest was given and holds.
    pub(crate) fn held(&self) -> u32 {
        self.held
    }

    /// What the call may use.
    pub fn limits(&self) -> &CallLimits {
        &self.limits
    }

    /// Gives the call what a host interface keeps for it: one value of a type.
    pub fn extend<E: Any + Send>(&mut self, extension: E) {
        self.extensions.retain(|other| !other.is::<E>());
        self.extensions.push(Box::new(extension));
    }

    /// What a host interface keeps for this call, if it was given one.
    pub fn extension<E: Any>(&self) -> Option<&E> {
        self.extensions.iter().find_map(|extension| extension.downcast_ref())
    }

    /// What a host interface keeps for this call; the default, which must give
    /// nothing, if it was not given one.
    pub fn extension_mut<E: Any + Send + Default>(&mut self) -> &mut E {
        let at = self.extensions.iter().position(|extension| extension.is::<E>()).unwrap_or_else(|| {
            self.extensions.push(Box::new(E::default()));
            self.extensions.len() - 1
        });
        match self.extensions[at].downcast_mut() {
            Some(extension) => extension,
            None => unreachable!("its type was looked at above"),
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

//! Components that are ready to be called.

use std::sync::Arc;

use vak_types::{ComponentRef, Failure};
use wasmtime::Store;
use wasmtime::component::InstancePre;

use crate::engine::{Template, new_store};
use crate::failure::classify;
use crate::limits::CallLimits;
use crate::state::CallState;

/// A component that is ready to be called. Every call gets a fresh store and
/// a fresh instance, so nothing leaks from one call to the next.
pub struct Prepared {
    engine: wasmtime::Engine,
    template: Arc<Template>,
    component: Arc<ComponentRef>,
    limits: CallLimits,
}

impl Prepared {
    pub(crate) fn new(
        engine: wasmtime::Engine,
        template: Arc<Template>,
        component: Arc<ComponentRef>,
        limits: CallLimits,
    ) -> Self {
        Self { engine, template, component, limits }
    }

    /// Exactly which component this is.
    pub fn component(&self) -> &Arc<ComponentRef> {
        &self.component
    }

    /// What to instantiate inside [`call`](Self::call).
    pub fn instance_pre(&self) -> &InstancePre<CallState> {
        &self.template.pre
    }

    /// Runs `call` in a fresh store under this component's limits.
    ///
    /// # Errors
    /// The guest trapped or a limit was reached.
    pub fn call<R>(&self, call: impl FnOnce(&mut Store<CallState>) -> wasmtime::Result<R>) -> Result<R, Failure> {
        let mut store = new_store(&self.engine, self.component.clone(), &self.limits);
        call(&mut store).map_err(|error| classify(&error))
    }

    /// Starts one instance and throws it away.
    pub(crate) fn probe(&self) -> Result<(), Failure> {
        self.call(|store| self.template.pre.instantiate(store).map(drop))
    }
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prepared").field("component", &self.component).field("limits", &self.limits).finish()
    }
}

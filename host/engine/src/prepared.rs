//! Components that are ready to be called.

use std::sync::Arc;

use vak_types::{ComponentRef, Failure};
use wasmtime::Store;
use wasmtime::component::InstancePre;

use crate::engine::{Template, new_store};
use crate::failure::classify;
use crate::limits::CallLimits;
use crate::state::CallState;

/// Gives a call what its host interfaces keep for it.
type Extend = dyn Fn(&mut CallState) + Send + Sync;

/// A component that is ready to be called. Every call gets a fresh store and
/// a fresh instance, so nothing leaks from one call to the next.
pub struct Prepared {
    engine: wasmtime::Engine,
    template: Arc<Template>,
    component: Arc<ComponentRef>,
    limits: CallLimits,
    extend: Option<Box<Extend>>,
}

impl Prepared {
    pub(crate) fn new(
        engine: wasmtime::Engine,
        template: Arc<Template>,
        component: Arc<ComponentRef>,
        limits: CallLimits,
    ) -> Self {
        Self { engine, template, component, limits, extend: None }
    }

    /// The same with `extend` applied to the state of every call.
    #[must_use]
    pub fn extended(self, extend: impl Fn(&mut CallState) + Send + Sync + 'static) -> Self {
        Self { extend: Some(Box::new(extend)), ..self }
    }

    /// Exactly which component this is.
    pub fn component(&self) -> &Arc<ComponentRef> {
        &self.component
    }

    /// What one call may use.
    pub fn limits(&self) -> &CallLimits {
        &self.limits
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
        call(&mut self.store()).map_err(|error| classify(&error))
    }

    /// The same for a component whose imports may wait. Whoever polls it bounds
    /// the waiting: the limits are those of the guest's own code.
    ///
    /// # Errors
    /// The guest trapped or a limit was reached.
    pub async fn call_async<R>(
        &self,
        call: impl AsyncFnOnce(&mut Store<CallState>) -> wasmtime::Result<R>,
    ) -> Result<R, Failure> {
        call(&mut self.store()).await.map_err(|error| classify(&error))
    }

    fn store(&self) -> Store<CallState> {
        let mut store = new_store(&self.engine, self.component.clone(), &self.limits);
        if let Some(extend) = &self.extend {
            extend(store.data_mut());
        }
        store
    }
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prepared").field("component", &self.component).field("limits", &self.limits).finish()
    }
}

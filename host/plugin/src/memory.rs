//! `vak:host/memory`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use vak_engine::{CallState, Stopped};
use vak_memory::{Memory, MemoryError, Recall, Refusal};
use vak_types::{Access, AgentId, Effective, Failure, FailureKind, Name};
use wasmtime::component::{HasSelf, Linker};

use crate::bindings::host::vak::host::memory::{Host, MemoryError as Refused, add_to_linker};
use crate::secrets::Secrets;

/// The memory that a skill was granted scopes of.
pub(crate) struct Scopes {
    memory: Arc<Memory>,
    granted: Arc<BTreeMap<Name, Access>>,
}

/// What one call of a skill remembers. Shared by the call and by whoever made
/// it, who says whether it counts.
#[derive(Clone)]
pub(crate) struct Remembered(Arc<Mutex<State>>);

struct State {
    recall: Recall,
    granted: Arc<BTreeMap<Name, Access>>,
    /// Why the host ended the call: the memory can't be had, or is another now.
    fault: Option<MemoryError>,
}

impl Scopes {
    /// Opens the memory if any of it is granted.
    pub(crate) fn open(granted: &Effective, memory: Option<&Arc<Memory>>) -> Result<Option<Self>, String> {
        if granted.memory().is_empty() {
            return Ok(None);
        }
        let memory = memory.ok_or("`memory` is granted, and this host keeps none")?;
        memory.open().map_err(|error| format!("the memory `{}`: {error}", memory.path().display()))?;
        Ok(Some(Self { memory: Arc::clone(memory), granted: Arc::new(granted.memory().clone()) }))
    }

    /// For one call on behalf of `agent`.
    pub(crate) fn recall(&self, agent: &AgentId) -> Remembered {
        let (recall, granted) = (self.memory.recall(agent), Arc::clone(&self.granted));
        Remembered(Arc::new(Mutex::new(State { recall, granted, fault: None })))
    }
}

impl Remembered {
    /// Makes the changes of the call durable. To be called once the guest is
    /// gone, if it succeeded.
    pub(crate) fn commit(self) -> Result<(), Failure> {
        let state = Arc::into_inner(self.0).map(|state| state.into_inner().unwrap_or_else(PoisonError::into_inner));
        match state {
            Some(State { recall, fault: None, .. }) => recall.commit().map_err(|error| unavailable(&error)),
            Some(State { fault: Some(error), .. }) => Err(unavailable(&error)),
            None => Err(Failure {
                kind: FailureKind::Unavailable,
                message: "the call has not ended, so what it remembers is not kept".to_owned(),
            }),
        }
    }

    /// The failure of a call that the host ended because of the memory; `other`
    /// if that was not the reason.
    pub(crate) fn failure(&self, other: Failure) -> Failure {
        self.lock().fault.as_ref().map_or(other, unavailable)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn scope(&self, name: &str, access: Access) -> Result<Name, Refused> {
        let name = name.parse().map_err(|_| Refused::NotGranted)?;
        match self.granted.get(&name) {
            Some(granted) if *granted >= access => Ok(name),
            Some(_) => Err(Refused::ReadOnly),
            None => Err(Refused::NotGranted),
        }
    }
}

/// Links it.
pub(crate) fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    add_to_linker::<CallState, HasSelf<CallState>>(linker, |state| state)
}

impl Host for CallState {
    fn get(&mut self, scope: String, key: String) -> wasmtime::Result<Result<Option<Vec<u8>>, Refused>> {
        asked(self, &scope, Access::Read, |recall, scope| recall.get(scope, &key))
    }

    fn set(&mut self, scope: String, key: String, value: Vec<u8>) -> wasmtime::Result<Result<(), Refused>> {
        if self
            .extension::<Arc<Secrets>>()
            .is_some_and(|secrets| secrets.is_in(key.as_bytes()) || secrets.is_in(&value))
        {
            self.count_host_call()?;
            return Ok(Err(Refused::HasSecret));
        }
        asked(self, &scope, Access::Write, |recall, scope| recall.set(scope, &key, &value))
    }

    fn remove(&mut self, scope: String, key: String) -> wasmtime::Result<Result<(), Refused>> {
        asked(self, &scope, Access::Write, |recall, scope| recall.remove(scope, &key))
    }

    fn keys(
        &mut self,
        scope: String,
        prefix: String,
        after: Option<String>,
    ) -> wasmtime::Result<Result<Vec<String>, Refused>> {
        asked(self, &scope, Access::Read, |recall, scope| recall.keys(scope, &prefix, after.as_deref()).map(Ok))
    }
}

/// Works on a scope if the skill may. A memory that fails ends the call, because
/// the skill could neither tell nor help it.
fn asked<T>(
    call: &mut CallState,
    scope: &str,
    access: Access,
    work: impl FnOnce(&mut Recall, &Name) -> Result<Result<T, Refusal>, MemoryError>,
) -> wasmtime::Result<Result<T, Refused>> {
    call.count_host_call()?;
    // While a skill is asked what it is there is no agent, and no memory.
    let Some(remembered) = call.extension::<Remembered>() else { return Ok(Err(Refused::NotGranted)) };
    let mut state = remembered.lock();
    let scope = match state.scope(scope, access) {
        Ok(scope) => scope,
        Err(refused) => return Ok(Err(refused)),
    };
    match work(&mut state.recall, &scope) {
        Ok(answer) => Ok(answer.map_err(refused)),
        Err(error) => {
            let message = unavailable(&error).message;
            state.fault = Some(error);
            Err(Stopped(message).into())
        }
    }
}

fn refused(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::Key => Refused::InvalidKey,
        Refusal::Value => Refused::ValueTooLong,
        Refusal::Full => Refused::Full,
    }
}

fn unavailable(error: &MemoryError) -> Failure {
    Failure { kind: FailureKind::Unavailable, message: format!("its memory: {error}") }
}

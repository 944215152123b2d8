//! Bakes a configuration into a component.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use vak_types::{Failure, FailureKind, printable};
use wasmtime::component::{Component, ComponentType, Instance, Lift, Linker, Lower, WasmList};
use wasmtime::{Engine, Error, Store};
use wasmtime_wizer::{ComponentInstanceState, Wizer};

use crate::failure::classify;
use crate::limits::MEMORY_BYTES_MAX;
use crate::sever::sever;
use crate::state::CallState;

/// The interface of components that take configuration.
pub(crate) const CONFIGURE: &str = "vak:types/configure@0.1.0";

/// The interface of components that ask for the session with some configurations
/// only, and what they ask.
const ASKS: &str = "vak:policy/asks@0.1.0";
const SESSION: &str = "vak:host/session@0.1.0";

/// Reading a memory out of a guest grows that memory by a page, and the pool
/// has slots this much larger than the largest limit.
pub(crate) const SNAPSHOT_BYTES: usize = 16 * 65_536;

/// Longest message that is kept of a refused configuration, in bytes.
const MESSAGE_BYTES_MAX: usize = 1_024;

/// Why a configuration could not be baked.
#[derive(Debug)]
pub(crate) enum BakeError {
    /// The component refused it.
    Refused { message: String, line: Option<u32>, column: Option<u32> },
    /// The component did not answer.
    Failed(Failure),
}

impl From<Error> for BakeError {
    fn from(error: Error) -> Self {
        Self::Failed(classify(&error))
    }
}

/// `config-error` of `vak:types/configure`.
#[derive(ComponentType, Lift, Lower)]
#[component(record)]
struct ConfigError {
    message: String,
    line: Option<u32>,
    column: Option<u32>,
}

/// Calls `configure(config)` in an instance of `component` and snapshots it:
/// the result is the same component with the configuration in its memory, and
/// without the session if it says that it does not ask for that. It runs in
/// `store`, under that store's limits.
pub(crate) fn bake(
    engine: &Engine,
    linker: &Linker<CallState>,
    mut store: Store<CallState>,
    component: &[u8],
    config: &str,
) -> Result<Vec<u8>, BakeError> {
    let mut wizer = Wizer::new();
    wizer.keep_init_func(true);
    let (context, instrumented) = contained(|| wizer.instrument_component(component))??;
    let instrumented = Component::from_binary(engine, &instrumented)?;
    let instance = linker.instantiate(&mut store, &instrumented)?;
    configure(&mut store, &instance, config)?;
    let asks = asks_for_session(&mut store, &instance)?;
    if store.data().held() > 0 {
        // In its memory are the numbers of handles that no call will have.
        return Err(malformed(
            "it keeps a stream or the like that it was given while it was configured; it must not print or read there",
        ));
    }

    store.data_mut().allow_more_memory(SNAPSHOT_BYTES);
    store.set_hostcall_fuel(MEMORY_BYTES_MAX + SNAPSHOT_BYTES);
    let mut snapshot = Snapshot { store, instance, error: None, memories: HashMap::new() };
    let baked = contained(|| ready(wizer.snapshot_component(&context, &mut snapshot)))??;
    match snapshot.error {
        // What was baked after a failed read is not the component's memory.
        Some(error) => Err(error.into()),
        None if asks => Ok(baked?),
        None => baked.map(|baked| sever(&baked, SESSION).unwrap_or(baked)).map_err(BakeError::from),
    }
}

/// Whether the component may ask for the session: a policy that says no gets a
/// trap instead of an answer anyway.
fn asks_for_session(store: &mut Store<CallState>, instance: &Instance) -> Result<bool, BakeError> {
    let interface = instance.get_export_index(&mut *store, None, ASKS);
    let Some(function) = interface.and_then(|asks| instance.get_export_index(&mut *store, Some(&asks), "session"))
    else {
        return Ok(true);
    };
    let function = instance.get_typed_func::<(), (bool,)>(&mut *store, function)?;
    Ok(function.call(&mut *store, ())?.0)
}

fn configure(store: &mut Store<CallState>, instance: &Instance, config: &str) -> Result<(), BakeError> {
    let function = instance
        .get_export_index(&mut *store, None, CONFIGURE)
        .and_then(|interface| instance.get_export_index(&mut *store, Some(&interface), "configure"))
        .ok_or_else(|| malformed("the component exports no `configure`"))?;
    let function = instance.get_typed_func::<(&str,), (Result<(), ConfigError>,)>(&mut *store, function)?;
    match function.call(&mut *store, (config,))? {
        (Ok(()),) => Ok(()),
        (Err(ConfigError { message, line, column }),) => {
            Err(BakeError::Refused { message: printable(&message, MESSAGE_BYTES_MAX), line, column })
        }
    }
}

fn malformed(message: &str) -> BakeError {
    BakeError::Failed(Failure { kind: FailureKind::Malformed, message: message.to_owned() })
}

/// Runs a step of wizer's. wizer asserts what it does not check, such as that
/// every module with a memory exports something; a component may be otherwise,
/// and must not take the host down with it.
fn contained<T>(step: impl FnOnce() -> T) -> Result<T, BakeError> {
    // What a panic leaves half done is dropped with the error.
    catch_unwind(AssertUnwindSafe(step)).map_err(|_| malformed("the component is built in a way that has no snapshot"))
}

/// Polls a future that has nothing to wait for.
fn ready<F: Future>(future: F) -> Result<F::Output, BakeError> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Ok(output),
        Poll::Pending => Err(malformed("the snapshot waits for something")),
    }
}

/// Reads the instance for wizer. wizer's own reader panics where a guest's
/// accessor traps; this one keeps the first error and goes on with zeros.
struct Snapshot {
    store: Store<CallState>,
    instance: Instance,
    error: Option<Error>,
    memories: HashMap<String, Vec<u8>>,
}

impl Snapshot {
    fn read<R: Lift + Send + Sync + 'static, T: Default>(
        &mut self,
        interface: &str,
        function: &str,
        read: impl FnOnce(&Store<CallState>, R) -> T,
    ) -> T {
        if self.error.is_some() {
            return T::default();
        }
        let (store, instance) = (&mut self.store, self.instance);
        let mut call = || {
            let missing = || Error::msg(format!("no export `{interface}#{function}`"));
            let interface = instance.get_export_index(&mut *store, None, interface).ok_or_else(missing)?;
            let index = instance.get_export_index(&mut *store, Some(&interface), function).ok_or_else(missing)?;
            instance.get_typed_func::<(), (R,)>(&mut *store, index)?.call(&mut *store, ())
        };
        match call() {
            Ok((result,)) => read(&self.store, result),
            Err(error) => {
                self.error = Some(error);
                T::default()
            }
        }
    }
}

impl ComponentInstanceState for Snapshot {
    async fn call_func_ret_list_u8(&mut self, interface: &str, function: &str, contents: impl FnOnce(&[u8]) + Send) {
        // wizer reads each memory twice and expects the same bytes, while every
        // read grows the memory: read once and keep the copy.
        if !self.memories.contains_key(function) {
            let bytes = self.read(interface, function, |store, list: WasmList<u8>| list.as_le_slice(store).to_vec());
            self.memories.insert(function.to_owned(), bytes);
        }
        contents(&self.memories[function]);
    }

    async fn call_func_ret_s32(&mut self, interface: &str, function: &str) -> i32 {
        self.read(interface, function, |_, value| value)
    }

    async fn call_func_ret_s64(&mut self, interface: &str, function: &str) -> i64 {
        self.read(interface, function, |_, value| value)
    }

    async fn call_func_ret_f32(&mut self, interface: &str, function: &str) -> u32 {
        self.read(interface, function, |_, value: f32| value.to_bits())
    }

    async fn call_func_ret_f64(&mut self, interface: &str, function: &str) -> u64 {
        self.read(interface, function, |_, value: f64| value.to_bits())
    }
}

//! Calling a skill's functions, whether or not its imports may wait.

use std::time::Duration;

use vak_engine::{CallState, Prepared};
use vak_types::{ComponentRef, Failure, FailureKind, Kind};
use vak_wasi::{WaitError, wait};
use wasmtime::Store;
use wasmtime::component::{ComponentExportIndex, ComponentNamedList, Instance, Lift, Lower, TypedFunc};

use crate::bindings::skill::exports::vak::skill::skill::{SkillError, Tool};
use crate::memory::Remembered;

/// The functions of a skill.
pub(crate) struct Calls {
    prepared: Prepared,
    describe: ComponentExportIndex,
    invoke: ComponentExportIndex,
    /// A skill without WASI computes and nothing else: it is called without a
    /// stack of its own to wait on, and without a runtime.
    waits: bool,
}

impl Calls {
    /// Finds the functions of a component that fits the interface.
    pub(crate) fn new(prepared: Prepared, waits: bool) -> Result<Self, Failure> {
        let component = prepared.instance_pre().component();
        let interface = component.get_export_index(None, Kind::Skill.interface());
        let find = |name: &str| {
            let function = interface.and_then(|interface| component.get_export_index(Some(&interface), name));
            function.ok_or_else(|| failure(FailureKind::Malformed, format!("it exports no `{name}`")))
        };
        let (describe, invoke) = (find("describe")?, find("invoke")?);
        Ok(Self { prepared, describe, invoke, waits })
    }

    pub(crate) fn component(&self) -> &ComponentRef {
        self.prepared.component()
    }

    pub(super) fn describe(&self) -> Result<Tool, Failure> {
        // It is asked once, and its other function is looked at with it.
        let invokes = |store: &mut Store<CallState>, instance: &Instance| {
            instance.get_typed_func::<(&str,), (Result<String, SkillError>,)>(store, self.invoke).map(drop)
        };
        self.call(self.describe, (), None, invokes).map(|(tool,)| tool)
    }

    /// What the call remembers is nobody else's when this returns.
    pub(super) fn invoke(
        &self,
        input: &str,
        remembered: Option<Remembered>,
    ) -> Result<Result<String, SkillError>, Failure> {
        self.call(self.invoke, (input,), remembered, |_, _| Ok(())).map(|(output,)| output)
    }

    /// In a fresh instance, for its wall time at the most.
    fn call<P, R>(
        &self,
        function: ComponentExportIndex,
        parameters: P,
        remembered: Option<Remembered>,
        check: impl Fn(&mut Store<CallState>, &Instance) -> wasmtime::Result<()>,
    ) -> Result<R, Failure>
    where
        P: ComponentNamedList + Lower + Send + Sync,
        R: ComponentNamedList + Lift + Send + Sync + 'static,
    {
        let pre = self.prepared.instance_pre();
        let remember = |store: &mut Store<CallState>| {
            if let Some(remembered) = remembered {
                store.data_mut().extend(remembered);
            }
        };
        if !self.waits {
            return self.prepared.call(|store| {
                remember(store);
                let instance = pre.instantiate(&mut *store)?;
                check(store, &instance)?;
                let function: TypedFunc<P, R> = instance.get_typed_func(&mut *store, function)?;
                function.call(store, parameters)
            });
        }
        let call = self.prepared.call_async(async |store: &mut Store<CallState>| {
            remember(store);
            let instance = pre.instantiate_async(&mut *store).await?;
            check(store, &instance)?;
            let function: TypedFunc<P, R> = instance.get_typed_func(&mut *store, function)?;
            function.call_async(store, parameters).await
        });
        let limit = Duration::from_millis(self.prepared.limits().wall_ms_max);
        wait(limit, call).unwrap_or_else(|error| {
            let kind = match &error {
                WaitError::TimedOut => FailureKind::TimeOut,
                WaitError::Threads(_) => FailureKind::Unavailable,
            };
            Err(failure(kind, error.to_string()))
        })
    }
}

fn failure(kind: FailureKind, message: String) -> Failure {
    Failure { kind, message }
}

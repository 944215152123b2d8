//! Making a component of any kind ready.

use std::sync::Arc;

use vak_engine::{CallState, Engine, Linking, LoadError, Prepared, Problem, Request};
use vak_memory::Memory;
use vak_pipeline::Standing;
use vak_types::{Capability, ComponentRef, Effective, Kind, Name};
use vak_wasi::{Output, Reach, Sink};
use wasmtime::component::Linker;

use crate::adapter::Adapter;
use crate::bindings::adapter::AdapterComponentPre;
use crate::bindings::asks::AsksPre;
use crate::bindings::nearest::NearestPre;
use crate::bindings::outlook::OutlookPre;
use crate::bindings::policy::PolicyComponentPre;
use crate::bindings::scorer::ScorerComponentPre;
use crate::bindings::skill::SkillComponentPre;
use crate::memory::{self, Scopes};
use crate::policy::{Beside, Evaluate, Policy};
use crate::scorer::Scorer;
use crate::secrets::{self, Secrets};
use crate::skill::Skill;
use crate::{log, session, skill};

/// What a policy may export beside the interface of its kind.
const NEAREST: &str = "vak:policy/nearest@0.1.0";

/// The same, for one that asks for the session with some configurations.
const ASKS: &str = "vak:policy/asks@0.1.0";

/// The same, for what it could say of actions that nobody has asked for yet.
const OUTLOOK: &str = "vak:policy/outlook@0.1.0";

/// A component that is ready, by kind.
#[derive(Debug)]
pub enum Loaded {
    /// A policy, which may only restrict until it is given a standing.
    Policy(Policy),
    /// A scorer.
    Scorer(Scorer),
    /// An adapter.
    Adapter(Adapter),
    /// A skill.
    Skill(Skill),
}

impl Loaded {
    /// Exactly which component this is.
    pub fn component(&self) -> &ComponentRef {
        match self {
            Self::Policy(policy) => policy.prepared().component(),
            Self::Scorer(scorer) => scorer.component(),
            Self::Adapter(adapter) => adapter.component(),
            Self::Skill(skill) => skill.component(),
        }
    }
}

/// Makes a component ready and checks every function it exports against the
/// interface of its kind. A skill may be granted scopes of `memory`.
///
/// # Errors
/// The engine refuses the component, it does not fit the interface, or what it
/// is granted can't be had.
pub fn load(engine: &Engine, request: &Request<'_>, memory: Option<&Arc<Memory>>) -> Result<Loaded, LoadError> {
    let (name, kind) = (request.name.clone(), request.kind);
    let fail = |problem| LoadError { name: name.clone(), problem };
    let misfit = |error: wasmtime::Error| fail(Problem::Link(format!("{error:#}")));
    let stopped = |failure| fail(Problem::Start(failure));
    let granted = request.grants.to(&request.component.get().manifest.grants);
    let output = granted.capabilities().contains(&Capability::Log).then(|| log::sink(&name, None));
    let prepared = engine.prepare(request, &|linker, linking| link(linker, linking, output.as_ref()))?;
    let secrets = Secrets::read(&granted).map_err(|error| fail(Problem::Grant(error.to_string())))?;
    let prepared = extended(prepared, &name, &granted, secrets.clone()).map_err(&fail)?;
    let pre = prepared.instance_pre().clone();
    // The bindings compare the functions' types when they instantiate.
    Ok(match kind {
        Kind::Policy => {
            let says = exports(&prepared, NEAREST);
            let nearest = says.then(|| NearestPre::new(pre.clone())).transpose().map_err(misfit)?;
            if let Some(nearest) = &nearest {
                prepared.call(|store| nearest.instantiate(store).map(drop)).map_err(stopped)?;
            }
            let says = exports(&prepared, OUTLOOK);
            let outlook = says.then(|| OutlookPre::new(pre.clone())).transpose().map_err(misfit)?;
            if let Some(outlook) = &outlook {
                prepared.call(|store| outlook.instantiate(store).map(drop)).map_err(stopped)?;
            }
            let pre = PolicyComponentPre::new(pre).map_err(misfit)?;
            prepared.call(|store| pre.instantiate(store).map(drop)).map_err(stopped)?;
            let evaluate = prepared.call(|store| Evaluate::find(store, prepared.instance_pre())).map_err(stopped)?;
            let policy = Policy::new(prepared, pre, Beside { nearest, outlook }, evaluate, Standing::RestrictOnly);
            let asks = exports(policy.prepared(), ASKS);
            let asks = asks.then(|| AsksPre::new(policy.prepared().instance_pre().clone()));
            Loaded::Policy(policy.asking_for_session(asks.transpose().map_err(misfit)?).map_err(stopped)?)
        }
        Kind::Scorer => {
            let pre = ScorerComponentPre::new(pre).map_err(misfit)?;
            prepared.call(|store| pre.instantiate(store).map(drop)).map_err(stopped)?;
            Loaded::Scorer(Scorer::new(prepared, pre))
        }
        Kind::Adapter => {
            let pre = AdapterComponentPre::new(pre).map_err(misfit)?;
            Loaded::Adapter(Adapter::new(prepared, pre).map_err(stopped)?)
        }
        Kind::Skill => {
            SkillComponentPre::new(pre).map_err(misfit)?;
            let waits = vak_wasi::may_wait(&granted.capabilities());
            let calls = skill::Calls::new(prepared, waits).map_err(stopped)?;
            let scopes = Scopes::open(&granted, memory).map_err(|error| fail(Problem::Grant(error)))?;
            let skill = Skill::new(calls, secrets, scopes).map_err(stopped)?;
            match request.component.get().manifest.tool.as_ref().and_then(|said| skill.differs(said)) {
                Some(part) => return Err(fail(Problem::Tool(part))),
                None => Loaded::Skill(skill),
            }
        }
    })
}

/// Links what a component imports; what it may is checked.
fn link(linker: &mut Linker<CallState>, linking: &Linking<'_>, output: Option<&Sink>) -> wasmtime::Result<()> {
    let Linking { component, capabilities, configuring } = *linking;
    session::link(linker)?;
    if capabilities.contains(&Capability::Log) {
        log::link(linker)?;
    }
    if configuring {
        return vak_wasi::link_to_configure(linker, component, output);
    }
    if capabilities.contains(&Capability::Secrets) {
        secrets::link(linker)?;
    }
    if capabilities.contains(&Capability::Memory) {
        memory::link(linker)?;
    }
    vak_wasi::link(linker, component, capabilities)
}

/// Gives every call what is granted. A component that was granted nothing of
/// this has no state for it either.
fn extended(
    prepared: Prepared,
    name: &Name,
    granted: &Effective,
    secrets: Option<Arc<Secrets>>,
) -> Result<Prepared, Problem> {
    let capabilities = granted.capabilities();
    let sink = capabilities.contains(&Capability::Log).then(|| log::sink(name, secrets.clone()));
    let reach = vak_wasi::may_wait(&capabilities).then(|| Reach::open(name, granted, sink.clone())).transpose();
    let reach = reach.map_err(|error| Problem::Grant(error.to_string()))?;
    let sink = sink.filter(|_| reach.is_none() && prints(&prepared));
    if reach.is_none() && sink.is_none() && secrets.is_none() {
        return Ok(prepared);
    }
    Ok(prepared.extended(move |state| {
        if let Some(secrets) = &secrets {
            state.extend(Arc::clone(secrets));
        }
        if let Some(reach) = &reach {
            reach.extend(state);
        }
        if let Some(sink) = &sink {
            let lines_max = state.limits().host_calls_max;
            state.extend(Output::new(sink.clone(), lines_max));
        }
    }))
}

/// Whether a component may write to its standard output.
fn prints(prepared: &Prepared) -> bool {
    imports(prepared, "wasi:io/streams@")
}

/// Whether a component imports an interface of this name.
pub(crate) fn imports(prepared: &Prepared, interface: &str) -> bool {
    let pre = prepared.instance_pre();
    let component_type = pre.component().component_type();
    component_type.imports(pre.engine()).any(|(import, _)| import.starts_with(interface))
}

fn exports(prepared: &Prepared, interface: &str) -> bool {
    let pre = prepared.instance_pre();
    pre.component().component_type().get_export(pre.engine(), interface).is_some()
}

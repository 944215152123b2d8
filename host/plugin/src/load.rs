//! Making a component of any kind ready.

use vak_engine::{CallState, Engine, LoadError, Problem, Request};
use vak_pipeline::Standing;
use vak_types::{Capability, ComponentRef, Kind};
use wasmtime::component::Linker;

use crate::adapter::Adapter;
use crate::bindings::adapter::AdapterComponentPre;
use crate::bindings::policy::PolicyComponentPre;
use crate::bindings::scorer::ScorerComponentPre;
use crate::bindings::skill::SkillComponentPre;
use crate::log;
use crate::policy::{Evaluate, Policy};
use crate::scorer::Scorer;
use crate::skill::Skill;

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
/// interface of its kind.
///
/// # Errors
/// The engine refuses the component, or it does not fit the interface.
pub fn load(engine: &Engine, request: &Request<'_>) -> Result<Loaded, LoadError> {
    let (name, kind) = (request.name.clone(), request.kind);
    let fail = |problem| LoadError { name: name.clone(), problem };
    let misfit = |error: wasmtime::Error| fail(Problem::Link(format!("{error:#}")));
    let stopped = |failure| fail(Problem::Start(failure));
    let prepared = engine.prepare(request, &link)?;
    let pre = prepared.instance_pre().clone();
    // The bindings compare the functions' types when they instantiate.
    Ok(match kind {
        Kind::Policy => {
            let pre = PolicyComponentPre::new(pre).map_err(misfit)?;
            prepared.call(|store| pre.instantiate(store).map(drop)).map_err(stopped)?;
            let evaluate = prepared.call(|store| Evaluate::find(store, prepared.instance_pre())).map_err(stopped)?;
            Loaded::Policy(Policy::new(prepared, pre, evaluate, Standing::RestrictOnly))
        }
        Kind::Scorer => {
            let pre = ScorerComponentPre::new(pre).map_err(misfit)?;
            prepared.call(|store| pre.instantiate(store).map(drop)).map_err(stopped)?;
            Loaded::Scorer(Scorer::new(prepared, pre))
        }
        Kind::Adapter => {
            let pre = AdapterComponentPre::new(pre).map_err(misfit)?;
            prepared.call(|store| pre.instantiate(store).map(drop)).map_err(stopped)?;
            Loaded::Adapter(Adapter::new(prepared, pre))
        }
        Kind::Skill => {
            let pre = SkillComponentPre::new(pre).map_err(misfit)?;
            let skill = Skill::new(prepared, pre).map_err(stopped)?;
            match request.component.get().manifest.tool.as_ref().and_then(|said| skill.differs(said)) {
                Some(part) => return Err(fail(Problem::Tool(part))),
                None => Loaded::Skill(skill),
            }
        }
    })
}

/// Links what a right gives.
fn link(linker: &mut Linker<CallState>, capability: Capability) -> wasmtime::Result<()> {
    match capability {
        Capability::Log => log::link(linker),
        capability => Err(wasmtime::Error::msg(format!("this host has no `{capability}` to give"))),
    }
}

//! A component as its author tries it.

use std::fs;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;
use vak_engine::{CallLimits, Engine, EngineError, LoadError, Problem, Request, TooMuch};
use vak_memory::Memory;
use vak_plugin::{Loaded, load};
use vak_trust::{Component, Manifest, Package, Tool, TrustError, TrustPolicy, Unsigned, Verified};
use vak_types::{Directory, Granted, HttpGrant, Kind, LimitSettings, Name, Requested, Timestamp};

use crate::answer::{AGENT, Call};
use crate::case::{Case, CaseError, HostAnswers};
use crate::pace::Pace;

/// Why a component could not be tried.
#[derive(Debug, thiserror::Error)]
pub enum WorkbenchError {
    /// The engine can't start.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The package is not one.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The component asks for more than its kind gets.
    #[error("it {0}")]
    Limits(#[from] TooMuch),
    /// It does not load.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The case is not right.
    #[error(transparent)]
    Case(#[from] CaseError),
    /// What a case gives the component can't be laid out.
    #[error("what the case gives can't be laid out: {0}")]
    LayOut(std::io::Error),
}

/// The folder beside a built component in which its compiled code is kept: a
/// component in JavaScript takes seconds to compile.
pub const COMPILED: &str = ".vak-compiled";

/// What a secret is that a case says nothing of: none is empty.
const SECRET: &str = "a secret that no case names";

/// A component that is tried out, signed or not, in the engine of a host.
pub struct Workbench {
    engine: Engine,
    component: Verified<Component>,
}

impl Workbench {
    /// Takes a package, whoever signed it. Compiled code is kept in `cache`.
    ///
    /// # Errors
    /// Its manifest is not valid, or the engine does not start.
    pub fn new(package: Package, cache: Option<&Path>) -> Result<Self, WorkbenchError> {
        let unsigned = Package { bundle: None, ..package };
        let nobody = TrustPolicy::development([]);
        let component = nobody.verify(unsigned, Unsigned::Allow, Timestamp::from_nanos(0))?;
        Ok(Self { engine: Engine::new(cache)?, component })
    }

    /// What the component answers in `case`.
    ///
    /// # Errors
    /// It does not load, or the case does not fit it.
    pub fn answer(&self, case: &Case) -> Result<Value, WorkbenchError> {
        let tried = self.load(case.config.as_deref(), &case.host)?;
        Ok(Call::new(&tried.loaded, case)?.answer())
    }

    /// How long `calls` calls take with the input of `case`, each in a fresh
    /// instance.
    ///
    /// # Errors
    /// It does not load, or the case does not fit it.
    pub fn pace(&self, case: &Case, calls: usize) -> Result<Pace, WorkbenchError> {
        let tried = self.load(case.config.as_deref(), &case.host)?;
        let call = Call::new(&tried.loaded, case)?;
        Ok(Pace::of(calls, || drop(call.answer())))
    }

    /// What a skill says of itself; `None` for other kinds, and for one that
    /// can't say before it is configured.
    fn tool(&self) -> Result<Option<Tool>, WorkbenchError> {
        if self.component.get().manifest.kind != Kind::Skill {
            return Ok(None);
        }
        let tried = match self.load(None, &HostAnswers::default()) {
            Err(WorkbenchError::Load(LoadError { problem: Problem::NeedsConfig, .. })) => return Ok(None),
            tried => tried?,
        };
        let Loaded::Skill(skill) = tried.loaded else { return Ok(None) };
        let tool = skill.tool();
        Ok(Some(Tool {
            description: tool.description.clone(),
            input_schema: tool.input_schema.clone(),
            output_schema: tool.output_schema.clone(),
        }))
    }

    /// Loads it with all that it asks for.
    fn load(&self, config: Option<&str>, host: &HostAnswers) -> Result<Tried, WorkbenchError> {
        let manifest = &self.component.get().manifest;
        let rights = Rights::lay_out(&manifest.grants, host).map_err(WorkbenchError::LayOut)?;
        let limits = CallLimits::agreed(manifest.kind, &manifest.limits, &LimitSettings::default())?;
        let request = Request {
            name: &manifest.name,
            kind: manifest.kind,
            component: &self.component,
            config,
            grants: &rights.granted,
            limits,
        };
        Ok(Tried { loaded: load(&self.engine, &request, Some(&rights.memory))?, _rights: rights })
    }
}

/// The package, unsigned, with what the skill in it says of itself in its
/// manifest, so that it can be read, and compared, without running anything.
/// Compiled code is kept in `cache`, where the next who tries it finds it.
///
/// # Errors
/// The component does not load as what its manifest says it is.
pub fn described(package: Package, cache: Option<&Path>) -> Result<Package, WorkbenchError> {
    let Some(tool) = Workbench::new(package.clone(), cache)?.tool()? else { return Ok(package) };
    let manifest = Manifest::from_packed(&package.manifest).map_err(TrustError::from)?;
    let manifest = manifest.with_tool(tool).map_err(TrustError::from)?;
    Ok(Package::unsigned(package.component, &manifest))
}

/// A component that is loaded, and what it may use while it is.
struct Tried {
    loaded: Loaded,
    _rights: Rights,
}

/// What a component asks for, given in a folder that is removed afterwards.
struct Rights {
    granted: Granted,
    memory: Arc<Memory>,
    _folder: TempDir,
}

impl Rights {
    fn lay_out(requested: &Requested, host: &HostAnswers) -> std::io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let memory = Arc::new(Memory::at(folder.path().join("memory.sqlite")));
        remember(&memory, host).map_err(std::io::Error::other)?;
        let mut granted = Granted {
            log: requested.log,
            clock: requested.clock,
            randomness: requested.randomness,
            environment: requested.environment.clone(),
            memory: requested.memory.clone(),
            ..Granted::default()
        };
        for (host, access) in &requested.http {
            let grant = HttpGrant {
                methods: access.methods.clone(),
                ports: access.ports.clone(),
                plain: access.plain,
                private: false,
            };
            granted.http.insert(host.clone(), grant);
        }
        for name in &requested.secrets {
            let file = folder.path().join(format!("secret-{name}"));
            write_private(&file, host.secrets.get(name).map_or(SECRET, String::as_str))?;
            granted.secrets.insert(Name::clone(name), file);
        }
        for (number, (path, access)) in requested.directories.iter().enumerate() {
            let directory = folder.path().join(format!("directory-{number}"));
            fs::create_dir(&directory)?;
            if let Some(source) = host.directories.get(path) {
                copy(source, &directory)?;
            }
            granted.directories.insert(path.clone(), Directory { host: directory, access: *access });
        }
        Ok(Self { granted, memory, _folder: folder })
    }
}

/// What the skill has remembered for the agent of a case before it is called.
fn remember(memory: &Arc<Memory>, host: &HostAnswers) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut recall = memory.recall(&AGENT.parse()?);
    for (scope, values) in &host.memory {
        for (key, value) in values {
            recall.set(scope, key, value.as_bytes())?.map_err(|refusal| format!("`{scope}`, `{key}`: {refusal}"))?;
        }
    }
    Ok(recall.commit()?)
}

fn write_private(path: &PathBuf, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;

    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

/// Copies a folder. Cases are files and folders; what else is there is left out.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in from.read_dir()? {
        let entry = entry?;
        let (kind, target) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            fs::create_dir(&target)?;
            copy(&entry.path(), &target)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

impl std::fmt::Debug for Workbench {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workbench").field("manifest", &self.component.get().manifest).finish_non_exhaustive()
    }
}

//! From a configuration to a running host.

use std::collections::BTreeMap;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use vak_audit::{Origin, OriginError, Signer, VerifierKey};
use vak_engine::{CallLimits, Engine, EngineError, LoadError, Request, TooMuch};
use vak_pipeline::{Guard as _, Pipeline, Standing};
use vak_plugin::{Loaded, Policy, Skill, load};
use vak_registry::{Store, StoreError};
use vak_trust::{KeyError, Package, PackageError, PrivateKey, SettingsError, TrustError, TrustPolicy, Unsigned};
use vak_types::{Granted, Kind, LimitSettings, Name, Timestamp};

use crate::clock::{self, ActionIds};
use crate::config::{self, Config, ConfigError, Source, Versions};
use crate::host::{Clock, Host};
use crate::ledger::{AuditLedger, LogError};
use crate::limiter::Buckets;

/// Why a host could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A configuration file is missing or wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The state folder cannot be made.
    #[error("the state folder `{}`: {source}", path.display())]
    State {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The log's key cannot be read.
    #[error("{0}; make one with `vak key new`")]
    Key(#[from] KeyError),
    /// The log's name is not valid.
    #[error("`audit.origin`: {0}")]
    Origin(#[from] OriginError),
    /// The log cannot be opened.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A rate limit is not valid.
    #[error("`limits`: {0}")]
    RateLimits(#[from] vak_limits::Error),
    /// The engine cannot start.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The settings of trust contradict themselves.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A policy is to permit, and whoever made it may not.
    #[error(
        "component `{0}`: its publisher's policies may not permit; set `may_permit = true` for the key, or leave it out here"
    )]
    MayNotPermit(Name),
    /// A component asks for more than it gets.
    #[error("component `{name}`: {source}")]
    Limits {
        /// Its name in the configuration.
        name: Name,
        /// What it asks for.
        source: TooMuch,
    },
    /// A component's files cannot be read.
    #[error("component `{name}`: {source}")]
    Package {
        /// Its name in the configuration.
        name: Name,
        /// What is wrong.
        source: PackageError,
    },
    /// An installed package cannot be read.
    #[error("component `{name}`: {source}")]
    Store {
        /// The component's name in the configuration.
        name: Name,
        /// What is wrong.
        source: StoreError,
    },
    /// Another version is installed than the configuration asks for.
    #[error(
        "component `{name}`: `{package}` {installed} is installed and its `version` asks for `{versions}`; install one \
         that fits with `vak install FILE`, or change `version`"
    )]
    Version {
        /// The component's name in the configuration.
        name: Name,
        /// The package's.
        package: Name,
        /// What the configuration asks for.
        versions: Versions,
        /// What is installed.
        installed: semver::Version,
    },
    /// A component is not trusted.
    #[error("component `{name}`: {source}")]
    Trust {
        /// Its name in the configuration.
        name: Name,
        /// What is wrong.
        source: TrustError,
    },
    /// A component cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The system has no randomness to give.
    #[error("the system gave no randomness: {0}")]
    Randomness(#[from] getrandom::Error),
}

/// Builds a [`Host`].
pub struct HostBuilder {
    config: Config,
    clock: Clock,
}

/// What a configuration says about one component, whatever its kind.
pub struct Installation<'a> {
    /// Its name in the configuration.
    pub name: &'a Name,
    /// What it is used as.
    pub kind: Kind,
    store: Store,
    component: Option<&'a Path>,
    package: Option<&'a Name>,
    versions: Option<&'a Versions>,
    config: Option<&'a Path>,
    grants: &'a Granted,
    unsigned: bool,
    may_permit: bool,
    limits: &'a LimitSettings,
}

impl Config {
    /// Every component the configuration names: policies in their order, then
    /// skills.
    pub fn installations(&self) -> impl Iterator<Item = Installation<'_>> {
        let policies = self.policies.iter().map(|policy| Installation {
            name: &policy.name,
            kind: Kind::Policy,
            store: self.store(),
            component: policy.component.as_deref(),
            package: policy.package.as_ref(),
            versions: policy.version.as_ref(),
            config: policy.config.as_deref(),
            grants: &policy.grants,
            unsigned: policy.allow_unsigned,
            may_permit: policy.may_permit,
            limits: &policy.limits,
        });
        let skills = self.skills.iter().map(|skill| Installation {
            name: &skill.name,
            kind: Kind::Skill,
            store: self.store(),
            component: skill.component.as_deref(),
            package: skill.package.as_ref(),
            versions: skill.version.as_ref(),
            config: skill.config.as_deref(),
            grants: &skill.grants,
            unsigned: skill.allow_unsigned,
            may_permit: false,
            limits: &skill.limits,
        });
        policies.chain(skills)
    }

    /// Whose signatures count.
    ///
    /// # Errors
    /// The settings contradict themselves.
    pub fn trust_policy(&self) -> Result<TrustPolicy, BuildError> {
        Ok(TrustPolicy::new(self.trust.clone())?)
    }

    /// An engine with this configuration's cache of compiled code.
    ///
    /// # Errors
    /// The state folder or the engine cannot be had.
    pub fn engine(&self) -> Result<Engine, BuildError> {
        let path = &self.state;
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(|source| BuildError::State { path: path.clone(), source })?;
        Ok(Engine::new(Some(&self.compiled()))?)
    }
}

impl<'a> Installation<'a> {
    /// Where it comes from.
    ///
    /// # Errors
    /// The configuration does not say, or says it twice.
    pub fn source(&self) -> Result<Source<'a>, ConfigError> {
        Source::of(self.name, self.component, self.package, self.versions)
    }

    /// What the operator grants it.
    pub fn grants(&self) -> &'a Granted {
        self.grants
    }

    fn package(&self) -> Result<Package, BuildError> {
        let name = || self.name.clone();
        match self.source()? {
            Source::File(path) => Package::read(path).map_err(|source| BuildError::Package { name: name(), source }),
            Source::Package { name: package, .. } => {
                self.store.get(package).map_err(|source| BuildError::Store { name: name(), source })
            }
        }
    }

    fn check_version(&self, installed: &semver::Version) -> Result<(), BuildError> {
        match self.source()? {
            Source::Package { name, versions: Some(versions) } if !versions.include(installed) => {
                Err(BuildError::Version {
                    name: self.name.clone(),
                    package: name.clone(),
                    versions: versions.clone(),
                    installed: installed.clone(),
                })
            }
            _ => Ok(()),
        }
    }

    /// Reads, verifies and loads the component.
    ///
    /// # Errors
    /// Its files are missing, its signatures don't count at `now`, it is another
    /// version than the configuration asks for, or it does not load.
    pub fn load(&self, engine: &Engine, trust: &TrustPolicy, now: Timestamp) -> Result<Loaded, BuildError> {
        let name = || self.name.clone();
        let package = self.package()?;
        let unsigned = if self.unsigned { Unsigned::Allow } else { Unsigned::Refuse };
        let verified =
            trust.verify(package, unsigned, now).map_err(|source| BuildError::Trust { name: name(), source })?;
        self.check_version(&verified.get().manifest.version)?;
        if self.may_permit && !verified.may_permit() {
            return Err(BuildError::MayNotPermit(name()));
        }
        let limits = CallLimits::agreed(self.kind, &verified.get().manifest.limits, self.limits)
            .map_err(|source| BuildError::Limits { name: name(), source })?;
        let config = self.config.map(config::of_component).transpose()?;
        Ok(load(
            engine,
            &Request {
                name: self.name,
                kind: self.kind,
                component: &verified,
                config: config.as_deref(),
                grants: self.grants,
                limits,
            },
        )?)
    }
}

impl HostBuilder {
    pub(crate) fn new(config: Config) -> Self {
        Self { config, clock: Box::new(clock::system) }
    }

    /// Reads the time from `clock` instead of from the system.
    #[must_use]
    pub fn clock(self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { clock: Box::new(clock), ..self }
    }

    /// Verifies and loads every component, opens the log and starts the host.
    /// Blocks: compiling a component takes from milliseconds to seconds the
    /// first time.
    ///
    /// # Errors
    /// Anything the configuration names is missing, wrong or not trusted.
    pub fn build(self) -> Result<Host, BuildError> {
        let Self { config, clock } = self;
        let Parts { policies, skills, limits, origin, signer } = Parts::load(&config, clock())?;
        let unsigned = skills.values().any(|skill| skill.component().signer.is_none());
        let verifier = signer.verifier().clone();
        let components = policies.iter().map(|policy| Arc::clone(policy.component()));
        let components = components.chain(skills.values().map(|skill| Arc::new(skill.component().clone()))).collect();
        let ledger = AuditLedger::open(&config, components, origin, signer, clock())?;
        let pipeline = Pipeline::new(limits, policies, ledger, unsigned);
        Ok(Host::new(pipeline, skills, verifier, clock, ActionIds::new()?, config))
    }

    /// Everything [`build`](Self::build) does but opening the log, so it also
    /// works beside a running host.
    ///
    /// # Errors
    /// Anything the configuration names is missing, wrong or not trusted.
    pub fn check(self) -> Result<Checked, BuildError> {
        let Parts { policies, skills, signer, .. } = Parts::load(&self.config, (self.clock)())?;
        Ok(Checked { policies, skills, verifier: signer.verifier().clone() })
    }
}

/// What a configuration turned out to name.
pub struct Checked {
    /// The policies, in the order they are asked.
    pub policies: Vec<Policy>,
    /// The skills, by name.
    pub skills: BTreeMap<Name, Arc<Skill>>,
    /// The public key that the log's checkpoints verify with.
    pub verifier: VerifierKey,
}

/// What a host is made of, before it has a log.
struct Parts {
    policies: Vec<Policy>,
    skills: BTreeMap<Name, Arc<Skill>>,
    limits: Buckets,
    origin: Origin,
    signer: Signer,
}

impl Parts {
    fn load(config: &Config, now: Timestamp) -> Result<Self, BuildError> {
        // What is quick to check comes first.
        let key = PrivateKey::read(&config.audit.key)?;
        let origin: Origin = config.audit.origin.parse()?;
        let signer = Signer::new(origin.clone(), &key.seed());
        let limits = Buckets::new(&config.limits)?;
        let (policies, skills) = components(config, &config.engine()?, &config.trust_policy()?, now)?;
        Ok(Self { policies, skills, limits, origin, signer })
    }
}

type Components = (Vec<Policy>, BTreeMap<Name, Arc<Skill>>);

fn components(config: &Config, engine: &Engine, trust: &TrustPolicy, now: Timestamp) -> Result<Components, BuildError> {
    let mut policies = Vec::new();
    let mut skills = BTreeMap::new();
    for installation in config.installations() {
        match installation.load(engine, trust, now)? {
            Loaded::Policy(policy) => policies.push(policy),
            Loaded::Skill(skill) => {
                skills.insert(installation.name.clone(), Arc::new(skill));
            }
            // `load` gives the kind it was asked for.
            Loaded::Scorer(_) | Loaded::Adapter(_) => {}
        }
    }
    let standing = config.policies.iter().map(|policy| match policy.may_permit {
        true => Standing::MayPermit,
        false => Standing::RestrictOnly,
    });
    let policies = policies.into_iter().zip(standing).map(|(policy, standing)| policy.with_standing(standing));
    Ok((policies.collect(), skills))
}

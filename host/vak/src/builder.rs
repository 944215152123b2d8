//! From a configuration to a running host.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use vak_audit::{Origin, OriginError, Signer, VerifierKey};
use vak_engine::{Engine, EngineError, LoadError, TooMuch};
use vak_pipeline::{Guard as _, Standing};
use vak_plugin::{Loaded, Policy, Scope, Skill};
use vak_registry::{By, Revoked, StoreError, Withdrawal};
use vak_trust::{KeyError, PackageError, PrivateKey, SettingsError, TrustError};
use vak_types::{ComponentRef, Digest, Name, Timestamp};

use crate::approvals::Approvals;
use crate::clock::{self, ActionIds};
use crate::config::{Config, ConfigError, Mode, Versions};
use crate::frameworks::{self, Framework};
use crate::host::{Clock, Host};
use crate::inventory::{Inventory, Vouched};
use crate::kept::{self, Keeper, KeptError};
use crate::ledger::{AuditLedger, LogError};
use crate::limiter::{Limiting, LimitsError};
use crate::lookout::{Lookout, LookoutError};
use crate::refused::RefusedConfig;
use crate::running::Running;
use crate::sessions::Sessions;
use crate::trusted::Trusted;

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
    #[error(transparent)]
    RateLimits(#[from] LimitsError),
    /// What was used of limits is not known.
    #[error(transparent)]
    Kept(#[from] KeptError),
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
        source: Box<StoreError>,
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
    /// Another component is there than the configuration asks for.
    #[error(
        "component `{name}`: its digest is {found}, and `digest` asks for {wanted}; see what changed with \
         `vak component diff`, and change `digest` if that is fine"
    )]
    Digest {
        /// The component's name in the configuration.
        name: Name,
        /// What the configuration asks for.
        wanted: Digest,
        /// What is there.
        found: Digest,
    },
    /// What marketplaces withdrew is not known, so nothing is loaded.
    #[error("what marketplaces withdrew can't be read: {0}")]
    Withdrawals(StoreError),
    /// Nothing would tell the host what marketplaces withdraw.
    #[error(transparent)]
    Lookout(#[from] LookoutError),
    /// A marketplace withdrew a component.
    #[error("component `{name}`: {by}")]
    Withdrawn {
        /// Its name in the configuration.
        name: Name,
        /// Who did, and why.
        by: Box<By<Withdrawal>>,
    },
    /// A marketplace revoked a key, and without its signature a component is not
    /// trusted.
    #[error("component `{name}`: {by}; without that key {source}")]
    KeyRevoked {
        /// Its name in the configuration.
        name: Name,
        /// Who did, and why.
        by: Box<By<Revoked>>,
        /// What is missing then.
        source: TrustError,
    },
    /// A component is not trusted.
    #[error("component `{name}`: {source}")]
    Trust {
        /// Its name in the configuration.
        name: Name,
        /// What is wrong.
        source: TrustError,
    },
    /// A component refuses its configuration.
    #[error("component `{name}` refuses its configuration: {source}")]
    Refused {
        /// Its name in the configuration.
        name: Name,
        /// What it says, and where.
        source: RefusedConfig,
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

impl HostBuilder {
    pub(crate) fn new(config: Config) -> Self {
        Self { config, clock: Arc::new(clock::system) }
    }

    /// Reads the time from `clock` instead of from the system.
    #[must_use]
    pub fn clock(self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Verifies and loads every component, opens the log and starts the host.
    /// Blocks: compiling a component takes from milliseconds to seconds the
    /// first time.
    ///
    /// # Errors
    /// Anything the configuration names is missing, wrong or not trusted.
    pub fn build(self) -> Result<Host, BuildError> {
        let Self { config, clock } = self;
        let now = clock();
        let Parts { loaded, origin, signer } = Parts::load(&config, now)?;
        let lookout = Lookout::over(config.store())?;
        let verifier = signer.verifier().clone();
        let ledger = AuditLedger::open(&config, loaded.components(), origin, signer, now)?;
        let sessions = Sessions::of(loaded.asking(), &config.log(), now).map_err(LogError::from)?;
        let approvals = Approvals::restored(&config, &clock, now).map_err(LogError::from)?;
        let limits = Arc::new(Limiting::new(kept::restored(&config)?, &config)?);
        let ledger = Arc::new(ledger);
        let keeper = Keeper::new(&config, Arc::clone(&clock));
        let running = Running::new(config, loaded, limits, sessions, Arc::clone(&ledger), None);
        running.keep(&keeper);
        Ok(Host::new(running, lookout, ledger, approvals, keeper, verifier, clock, ActionIds::new()?))
    }

    /// Everything [`build`](Self::build) does but opening the log, so it also
    /// works beside a running host.
    ///
    /// # Errors
    /// Anything the configuration names is missing, wrong or not trusted.
    pub fn check(self) -> Result<Checked, BuildError> {
        let Parts { loaded, signer, .. } = Parts::load(&self.config, (self.clock)())?;
        let Components { policies, shadows, skills, frameworks, inventory: _ } = loaded;
        let frameworks = frameworks::counting_on(frameworks, None);
        Ok(Checked { policies, shadows, skills, frameworks, verifier: signer.verifier().clone() })
    }
}

/// What a configuration turned out to name.
pub struct Checked {
    /// The policies, in the order they are asked.
    pub policies: Vec<Policy>,
    /// The policies without a say.
    pub shadows: Vec<Policy>,
    /// The skills, by name.
    pub skills: BTreeMap<Name, Arc<Skill>>,
    /// The adapters, by name.
    pub frameworks: BTreeMap<Name, Arc<Framework>>,
    /// The public key that the log's checkpoints verify with.
    pub verifier: VerifierKey,
}

/// What a host is made of, before it has a log.
pub(crate) struct Parts {
    pub(crate) loaded: Components,
    origin: Origin,
    signer: Signer,
}

impl Parts {
    pub(crate) fn load(config: &Config, now: Timestamp) -> Result<Self, BuildError> {
        // What is quick to check comes first.
        let key = PrivateKey::read(&config.audit.key)?;
        let origin: Origin = config.audit.origin.parse()?;
        let signer = Signer::new(origin.clone(), &key.seed());
        Limiting::check(config)?;
        let loaded = Components::load(config, &config.engine()?, config.trusted()?, now)?;
        Ok(Self { loaded, origin, signer })
    }
}

/// The components that a configuration names.
pub(crate) struct Components {
    /// With a say, in the order they are asked.
    pub(crate) policies: Vec<Policy>,
    /// Without a say.
    pub(crate) shadows: Vec<Policy>,
    pub(crate) skills: BTreeMap<Name, Arc<Skill>>,
    pub(crate) frameworks: BTreeMap<Name, Framework>,
    /// All of them, and who vouches for each.
    pub(crate) inventory: Inventory,
}

impl Components {
    fn load(config: &Config, engine: &Engine, trusted: Trusted, now: Timestamp) -> Result<Self, BuildError> {
        let (mut policies, mut shadows) = (Vec::new(), Vec::new());
        let (mut skills, mut frameworks) = (BTreeMap::new(), BTreeMap::new());
        let mut vouched: Vec<Vouched> = Vec::new();
        let memory = config.memory();
        let (mut asked, mut adapters) = (config.policies_asked(), config.adapters.iter());
        for installation in config.installations() {
            let (component, by) = installation.load_vouched(engine, &trusted, &memory, now)?;
            vouched.push(by);
            match component {
                Loaded::Policy(policy) => {
                    // Installations begin with these, in the same order.
                    let Some(settings) = asked.next() else { continue };
                    let standing = if settings.may_permit { Standing::MayPermit } else { Standing::RestrictOnly };
                    let scope = Scope { agents: settings.agents.clone(), operations: settings.operations.clone() };
                    let policy = policy.with_standing(standing).with_scope(scope);
                    match settings.mode {
                        Mode::Shadow => shadows.push(policy),
                        Mode::Enforce | Mode::Off => policies.push(policy),
                    }
                }
                Loaded::Skill(skill) => {
                    skills.insert(installation.name.clone(), Arc::new(skill));
                }
                Loaded::Adapter(adapter) => {
                    // They come in the same order too.
                    let Some(settings) = adapters.next() else { continue };
                    frameworks.insert(installation.name.clone(), Framework::new(adapter, settings));
                }
                // `load` gives the kind it was asked for.
                Loaded::Scorer(_) => {}
            }
        }
        Ok(Self { policies, shadows, skills, frameworks, inventory: Inventory::new(vouched, trusted.into_policy()) })
    }

    /// All of them, as the log names them: those that decide come first.
    pub(crate) fn components(&self) -> Vec<Arc<ComponentRef>> {
        let policies = self.policies.iter().map(|policy| Arc::clone(policy.component()));
        let skills = self.skills.values().map(|skill| Arc::new(skill.component().clone()));
        let adapters = self.frameworks.values().map(|framework| Arc::new(framework.component().clone()));
        let shadows = self.shadows.iter().map(|policy| Arc::clone(policy.component()));
        policies.chain(skills).chain(adapters).chain(shadows).collect()
    }

    /// All that judge actions.
    pub(crate) fn asking(&self) -> impl Iterator<Item = &Policy> {
        self.policies.iter().chain(&self.shadows)
    }
}

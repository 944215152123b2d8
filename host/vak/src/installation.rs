//! Components as a configuration names them.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::Arc;

use vak_engine::{CallLimits, Engine, LoadError, Problem, Request};
use vak_memory::Memory;
use vak_plugin::{Loaded, load};
use vak_registry::Store;
use vak_trust::{Package, TrustPolicy, Unsigned};
use vak_types::{Digest, Granted, Kind, LimitSettings, Name, Timestamp};

use crate::builder::BuildError;
use crate::config::{self, Config, ConfigError, Source, Versions};
use crate::inventory::Vouched;
use crate::refused::RefusedConfig;
use crate::trusted::Trusted;

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
    digest: Option<&'a Digest>,
    config: Option<&'a Path>,
    grants: &'a Granted,
    unsigned: bool,
    may_permit: bool,
    limits: &'a LimitSettings,
}

impl Config {
    /// The policies that are asked, in their order.
    pub(crate) fn policies_asked(&self) -> impl Iterator<Item = &config::Policy> {
        self.policies.iter().filter(|policy| policy.mode != config::Mode::Off)
    }

    /// Every component the configuration names: policies in their order, then
    /// skills, then adapters.
    pub fn installations(&self) -> impl Iterator<Item = Installation<'_>> {
        // They have the same settings, and differ in others: what reads them by name
        // stands here once.
        macro_rules! installation {
            ($of:expr, $kind:expr, $may_permit:expr) => {
                Installation {
                    name: &$of.name,
                    kind: $kind,
                    store: self.store(),
                    component: $of.component.as_deref(),
                    package: $of.package.as_ref(),
                    versions: $of.version.as_ref(),
                    digest: $of.digest.as_ref(),
                    config: $of.config.as_deref(),
                    grants: &$of.grants,
                    unsigned: $of.allow_unsigned,
                    may_permit: $may_permit,
                    limits: &$of.limits,
                }
            };
        }
        let policies = self.policies_asked().map(|policy| installation!(policy, Kind::Policy, policy.may_permit));
        let skills = self.skills.iter().map(|skill| installation!(skill, Kind::Skill, false));
        let adapters = self.adapters.iter().map(|adapter| installation!(adapter, Kind::Adapter, false));
        policies.chain(skills).chain(adapters)
    }

    /// Whose signatures count.
    ///
    /// # Errors
    /// The settings contradict themselves.
    pub fn trust_policy(&self) -> Result<TrustPolicy, BuildError> {
        Ok(TrustPolicy::new(self.trust.clone())?)
    }

    /// Whose signatures count, without what marketplaces withdrew.
    ///
    /// # Errors
    /// The settings contradict themselves, or what was withdrawn can't be read.
    pub fn trusted(&self) -> Result<Trusted, BuildError> {
        let withdrawn = self.store().withdrawals().map_err(BuildError::Withdrawals)?;
        Ok(Trusted::new(self.trust_policy()?, withdrawn))
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

    /// The file with its configuration, where it takes one.
    pub(crate) fn config_file(&self) -> Option<&'a Path> {
        self.config
    }

    fn package(&self) -> Result<Package, BuildError> {
        let name = || self.name.clone();
        match self.source()? {
            Source::File(path) => Package::read(path).map_err(|source| BuildError::Package { name: name(), source }),
            Source::Package { name: package, .. } => {
                self.store.get(package).map_err(|source| BuildError::Store { name: name(), source: source.into() })
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

    fn check_digest(&self, found: &Digest) -> Result<(), BuildError> {
        match self.digest {
            Some(digest) if digest != found => {
                Err(BuildError::Digest { name: self.name.clone(), wanted: *digest, found: *found })
            }
            _ => Ok(()),
        }
    }

    /// Reads, verifies and loads the component.
    ///
    /// # Errors
    /// Its files are missing, a marketplace withdrew it, its signatures don't count at `now`, it is another
    /// version or another component than the configuration asks for, or it does not
    /// load.
    pub fn load(
        &self,
        engine: &Engine,
        trusted: &Trusted,
        memory: &Arc<Memory>,
        now: Timestamp,
    ) -> Result<Loaded, BuildError> {
        self.load_vouched(engine, trusted, memory, now).map(|(loaded, _)| loaded)
    }

    /// The same, and who vouches for it.
    pub(crate) fn load_vouched(
        &self,
        engine: &Engine,
        trusted: &Trusted,
        memory: &Arc<Memory>,
        now: Timestamp,
    ) -> Result<(Loaded, Vouched), BuildError> {
        let name = || self.name.clone();
        let package = self.package()?;
        let unsigned = if self.unsigned { Unsigned::Allow } else { Unsigned::Refuse };
        let manifest = Digest::of(&package.manifest);
        let verified = trusted.verify(self.name, package, unsigned, now)?;
        self.check_version(&verified.get().manifest.version)?;
        self.check_digest(&verified.get().digest)?;
        if self.may_permit && !verified.may_permit() {
            return Err(BuildError::MayNotPermit(name()));
        }
        let limits = CallLimits::agreed(self.kind, &verified.get().manifest.limits, self.limits)
            .map_err(|source| BuildError::Limits { name: name(), source })?;
        let config = self.config.map(config::of_component).transpose()?;
        let refused = |error: LoadError| match (error, self.config, &config) {
            (LoadError { problem: Problem::Config { message, line, column }, .. }, Some(path), Some(config)) => {
                let source = RefusedConfig::new(path.to_owned(), config, message, line, column);
                BuildError::Refused { name: name(), source }
            }
            (error, ..) => error.into(),
        };
        let vouched = Vouched::new(self.name, self.kind, &verified, manifest, self.may_permit);
        let loaded = load(
            engine,
            &Request {
                name: self.name,
                kind: self.kind,
                component: &verified,
                config: config.as_deref(),
                grants: self.grants,
                limits,
            },
            Some(memory),
        )
        .map_err(refused)?;
        Ok((loaded, vouched))
    }
}

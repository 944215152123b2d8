//! `vak.toml`: every setting of a host, checked when it is read.

mod adapter;
mod approvals;
mod audit;
mod limit;
mod marketplace;
mod mcp;
mod server;
mod sharing;
mod source;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use adapter::Adapter;
pub use approvals::Approvals;
pub use audit::{Archive, Audit, LockMode, Payloads, Release, Store};
pub use limit::{Limit, LimitKind, LimitMode, Per};
pub use marketplace::Marketplace;
pub use mcp::{Mcp, Upstream};
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize};
pub use server::{Scope, Server, ServerError, ServerLimits, Socket, Tls, Token};
pub use sharing::Sharing;
pub use source::{Source, Versions};
use vak_memory::Memory;
use vak_trust::TrustSettings;
use vak_types::{AgentId, Digest, Granted, LimitName, LimitSettings, Name, Operation, Pattern};

use crate::overlay::{self, Override};

/// A configuration is a few pages of text.
const BYTES_MAX: u64 = 1 << 20;

/// A component's configuration can be generated: 50,000 rules take 10 MiB.
const COMPONENT_BYTES_MAX: u64 = 16 << 20;

/// Why a configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("the configuration `{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is larger than any configuration.
    #[error("the configuration `{}` is larger than {bytes_max} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most it may have.
        bytes_max: u64,
    },
    /// The text is not a configuration. Names line and column.
    #[error("the configuration `{}`: {source}", path.display())]
    Text {
        /// The file.
        path: PathBuf,
        /// What is wrong and where.
        source: toml::de::Error,
    },
    /// A setting from the environment or a flag does not fit.
    #[error("{origin}: {message}")]
    Override {
        /// Where the setting comes from, such as ``the flag `--set a.b=c` ``.
        origin: String,
        /// What is wrong with it.
        message: String,
    },
    /// The settings can't be written as text.
    #[error("the configuration can't be written out: {0}")]
    Print(toml::ser::Error),
    /// Entries of a log in SQLite can't be removed.
    #[error("`audit.archive.keep_entries` is for a log in segments; set `audit.store` to `segments` or leave it out")]
    NotTrimmable,
    /// A component has no source, or two.
    #[error("component `{0}`: give exactly one of `component = \"FILE.wasm\"` and `package = \"NAME\"`")]
    Source(Name),
    /// A file with a requirement for its version.
    #[error("component `{0}`: `version` is for an installed `package`; leave it out beside `component`")]
    VersionOfFile(Name),
    /// A limit is to be shared, and nobody says where.
    #[error("limit `{0}` is shared and there is no `[sharing]`; say there where Redis is, or leave `shared` out")]
    NoSharing(LimitName),
    /// The server can't be meant so.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// What `[mcp]` says does not fit together.
    #[error("`mcp`: {0}")]
    Mcp(String),
    /// An adapter lets everything pass.
    #[error("adapter `{0}`: `pass = [\"*\"]` would let everything happen undecided; name the operations that may")]
    PassesAll(Name),
    /// A token would go to whatever registry an index names.
    #[error("marketplace `{0}`: a `token` is for a `registry`; say which, or leave it out")]
    StrayToken(Name),
    /// Two marketplaces have one name.
    #[error("two marketplaces are named `{0}`; leave one out")]
    DuplicateMarketplace(Name),
    /// Two components have one name.
    #[error("two components are named `{0}`; rename one")]
    Duplicate(Name),
}

/// The whole configuration. Paths are relative to the file's folder.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The folder for the log, what agents remember, installed packages and
    /// compiled code; made if it is missing.
    pub state: PathBuf,
    /// When a host that serves looks whether it is another configuration.
    #[serde(default)]
    pub reload: Reload,
    /// Whose signatures count.
    #[serde(default)]
    pub trust: TrustSettings,
    /// The audit log.
    pub audit: Audit,
    /// Policies, in the order they are asked.
    #[serde(default)]
    pub policies: Vec<Policy>,
    /// Skills.
    #[serde(default)]
    pub skills: Vec<Skill>,
    /// Adapters.
    #[serde(default)]
    pub adapters: Vec<Adapter>,
    /// Rate limits.
    #[serde(default)]
    pub limits: Vec<Limit>,
    /// Actions that persons decide.
    #[serde(default)]
    pub approvals: Approvals,
    /// Where those of them are counted that are shared.
    pub sharing: Option<Sharing>,
    /// Where packages come from.
    #[serde(default)]
    pub marketplaces: Vec<Marketplace>,
    /// The MCP gateway.
    pub mcp: Option<Mcp>,
    /// The HTTP server.
    pub server: Option<Server>,
}

/// When a host that serves looks whether it is another configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reload {
    /// When a file changes that it is made of, and at SIGHUP.
    #[default]
    Watch,
    /// At SIGHUP.
    Signal,
}

/// A component and what the operator says about it.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Its name in verdicts.
    pub name: Name,
    /// Its `.wasm` file; manifest and signature lie beside it. This or `package`.
    pub component: Option<PathBuf>,
    /// Its name in the store, where `vak install` put it. This or `component`.
    pub package: Option<Name>,
    /// Which versions of the package will do, such as `^1.2`; any if it is left
    /// out.
    pub version: Option<Versions>,
    /// The SHA-256 of exactly the component that is meant; any that is trusted
    /// if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The file with its configuration, where it takes one.
    pub config: Option<PathBuf>,
    /// Whose actions it is asked about; anybody's if it is left out.
    #[serde(default, deserialize_with = "not_empty", skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<Pattern<AgentId>>,
    /// Which operations it is asked about; any if it is left out.
    #[serde(default, deserialize_with = "not_empty", skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<Pattern<Operation>>,
    /// Whether it is asked at all.
    #[serde(default)]
    pub mode: Mode,
    /// Whether its permits count. Without it, it can only restrict.
    #[serde(default)]
    pub may_permit: bool,
    /// What it is granted of what it asks for.
    #[serde(default)]
    pub grants: Granted,
    /// Load it without a signature, where `trust.development` is set. Every
    /// verdict will say `unsigned`.
    #[serde(default)]
    pub allow_unsigned: bool,
    /// What one call may use; what is left out is as for every policy, or less
    /// if the component asks for less.
    #[serde(default)]
    pub limits: LimitSettings,
}

/// An empty list reads as none to some and as any to others.
fn not_empty<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let list = Vec::deserialize(deserializer)?;
    match list.is_empty() {
        true => Err(D::Error::custom("the list is empty; leave it out to mean any")),
        false => Ok(list),
    }
}

/// Whether a policy has a say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// It decides with the others.
    #[default]
    Enforce,
    /// It is asked after the verdict is out, and what it says is recorded.
    Shadow,
    /// It is not loaded.
    Off,
}

/// A skill and what the operator says about it.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Skill {
    /// Its name; the operation is `skill/NAME`.
    pub name: Name,
    /// Its `.wasm` file; manifest and signature lie beside it. This or `package`.
    pub component: Option<PathBuf>,
    /// Its name in the store, where `vak install` put it. This or `component`.
    pub package: Option<Name>,
    /// Which versions of the package will do, such as `^1.2`; any if it is left
    /// out.
    pub version: Option<Versions>,
    /// The SHA-256 of exactly the component that is meant; any that is trusted
    /// if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The file with its configuration, where it takes one.
    pub config: Option<PathBuf>,
    /// What it is granted of what it asks for.
    #[serde(default)]
    pub grants: Granted,
    /// Load it without a signature, where `trust.development` is set. Every
    /// verdict will say `unsigned`.
    #[serde(default)]
    pub allow_unsigned: bool,
    /// What one call may use; what is left out is as for every skill, or less if
    /// the component asks for less.
    #[serde(default)]
    pub limits: LimitSettings,
}

impl Config {
    /// Reads a file and lays `overrides` over it, the later ones on top.
    ///
    /// # Errors
    /// The file cannot be read, has an unknown key or a wrong value, or an
    /// override does.
    pub fn load(path: &Path, overrides: &[Override]) -> Result<Self, ConfigError> {
        let text = read(path, BYTES_MAX)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        // Parsed as a whole first: only the text has lines to point at.
        let source = |source| ConfigError::Text { path: path.to_owned(), source };
        let config: Self = toml::from_str(&text).map_err(source)?;
        let config = match overrides.is_empty() {
            true => config,
            false => overlay::apply(toml::from_str(&text).map_err(source)?, overrides)?,
        };
        config
            .unique_names()?
            .upstreams()?
            .trimmable()?
            .shareable()?
            .servable()?
            .sources()?
            .deciding()?
            .resolved(folder)
    }

    fn trimmable(self) -> Result<Self, ConfigError> {
        let keeps = self.audit.archive.as_ref().and_then(|archive| archive.keep_entries);
        match (keeps, self.audit.store) {
            (Some(_), Store::Sqlite) => Err(ConfigError::NotTrimmable),
            _ => Ok(self),
        }
    }

    fn shareable(self) -> Result<Self, ConfigError> {
        let shared = self.limits.iter().find(|limit| limit.shared);
        match (shared, &self.sharing) {
            (Some(limit), None) => Err(ConfigError::NoSharing(limit.name.clone())),
            _ => Ok(self),
        }
    }

    fn servable(self) -> Result<Self, ConfigError> {
        self.server.as_ref().map(Server::check).transpose()?;
        Ok(self)
    }

    fn unique_names(self) -> Result<Self, ConfigError> {
        let mut names = BTreeSet::new();
        let policies = self.policies.iter().map(|policy| &policy.name);
        let skills = self.skills.iter().map(|skill| &skill.name);
        let adapters = self.adapters.iter().map(|adapter| &adapter.name);
        if let Some(name) = policies.chain(skills).chain(adapters).find(|name| !names.insert(*name)) {
            return Err(ConfigError::Duplicate(name.clone()));
        }
        if let Some(marketplace) = self.marketplaces.iter().find(|marketplace| marketplace.strays()) {
            return Err(ConfigError::StrayToken(marketplace.name.clone()));
        }
        let mut names = BTreeSet::new();
        match self.marketplaces.iter().find(|marketplace| !names.insert(&marketplace.name)) {
            Some(marketplace) => Err(ConfigError::DuplicateMarketplace(marketplace.name.clone())),
            None => Ok(self),
        }
    }

    fn upstreams(self) -> Result<Self, ConfigError> {
        self.mcp.as_ref().map_or(Ok(()), Mcp::checked)?;
        Ok(self)
    }

    fn sources(self) -> Result<Self, ConfigError> {
        self.installations().try_for_each(|installation| installation.source().map(drop))?;
        Ok(self)
    }

    fn deciding(self) -> Result<Self, ConfigError> {
        match self.adapters.iter().find(|adapter| adapter.passes_all()) {
            Some(adapter) => Err(ConfigError::PassesAll(adapter.name.clone())),
            None => Ok(self),
        }
    }

    fn resolved(mut self, folder: &Path) -> Result<Self, ConfigError> {
        let resolve = |path: &mut PathBuf| *path = folder.join(&*path);
        resolve(&mut self.state);
        resolve(&mut self.audit.key);
        self.marketplaces.iter_mut().for_each(|marketplace| marketplace.resolve(folder));
        self.audit.archive.iter_mut().filter_map(|archive| archive.program.as_mut()).for_each(resolve);
        if let Some(server) = &mut self.server {
            server.socket.iter_mut().map(|socket| &mut socket.path).for_each(resolve);
            if let Some(tls) = &mut server.tls {
                [&mut tls.certificate, &mut tls.key].into_iter().chain(tls.client_ca.as_mut()).for_each(resolve);
            }
        }
        let upstreams = self.mcp.iter_mut().flat_map(|mcp| &mut mcp.upstreams);
        upstreams.flat_map(|upstream| upstream.token.iter_mut().chain(&mut upstream.ca)).for_each(resolve);
        for policy in &mut self.policies {
            policy.component.as_mut().map(resolve);
            policy.config.as_mut().map(resolve);
            paths(&mut policy.grants).for_each(resolve);
        }
        for skill in &mut self.skills {
            skill.component.as_mut().map(resolve);
            skill.config.as_mut().map(resolve);
            paths(&mut skill.grants).for_each(resolve);
        }
        for adapter in &mut self.adapters {
            adapter.component.as_mut().map(resolve);
            adapter.config.as_mut().map(resolve);
        }
        Ok(self)
    }

    /// The log: a file or a folder, as [`Audit::store`] says.
    pub fn log(&self) -> PathBuf {
        self.state.join(match self.audit.store {
            Store::Sqlite => "audit.sqlite",
            Store::Segments => "audit",
        })
    }

    /// The packages that `vak install` installs.
    pub fn store(&self) -> vak_registry::Store {
        vak_registry::Store::at(self.state.join("store"))
    }

    /// What agents remember. Opened when something of it is used.
    pub fn memory(&self) -> Arc<Memory> {
        Arc::new(Memory::at(self.state.join("memory.sqlite")))
    }

    /// All settings as they count, in TOML: the file with everything that was
    /// laid over it, and the defaults. Paths are resolved.
    ///
    /// # Errors
    /// A path is not UTF-8.
    pub fn effective(&self) -> Result<String, ConfigError> {
        toml::to_string(self).map_err(ConfigError::Print)
    }

    /// The folder for compiled code.
    pub fn compiled(&self) -> PathBuf {
        self.state.join("compiled")
    }
}

/// The paths of the host that grants name.
fn paths(grants: &mut Granted) -> impl Iterator<Item = &mut PathBuf> {
    let directories = grants.directories.values_mut().map(|directory| &mut directory.host);
    grants.secrets.values_mut().chain(directories)
}

/// Reads the configuration of a component.
pub(crate) fn of_component(path: &Path) -> Result<String, ConfigError> {
    read(path, COMPONENT_BYTES_MAX)
}

fn read(path: &Path, bytes_max: u64) -> Result<String, ConfigError> {
    let io = |source| ConfigError::Io { path: path.to_owned(), source };
    let mut text = String::new();
    File::open(path).map_err(io)?.take(bytes_max + 1).read_to_string(&mut text).map_err(io)?;
    match text.len() as u64 > bytes_max {
        true => Err(ConfigError::TooLarge { path: path.to_owned(), bytes_max }),
        false => Ok(text),
    }
}

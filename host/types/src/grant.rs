//! What a component may touch beyond computing on its input.
//!
//! A component asks in its manifest ([`Requested`]), the operator gives in the
//! host's configuration ([`Granted`]), and what it may do is what is in both
//! ([`Granted::to`]). An import that no effective right covers is not linked.

mod capability;
mod http;
mod names;
mod right;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use capability::{Capability, Need};
pub use http::{HostPattern, HttpAccess, HttpGrant, HttpRule, Method};
pub use names::{GrantTextError, GuestPath, VariableName};
pub use right::Right;

use crate::Name;

/// What a component asks for. Everything left out is not asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Requested {
    /// Write lines to the host's log, through `vak:host/log`.
    #[serde(skip_serializing_if = "is_false")]
    pub log: bool,
    /// See what time it is. Without it time stands still.
    #[serde(skip_serializing_if = "is_false")]
    pub clock: bool,
    /// Get unpredictable numbers. Without it they are the same in every call.
    #[serde(skip_serializing_if = "is_false")]
    pub randomness: bool,
    /// Environment variables of the host, by name.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub environment: BTreeSet<VariableName>,
    /// Secrets that the operator keeps for it, through `vak:host/secrets`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub secrets: BTreeSet<Name>,
    /// What it remembers for the agent that calls it, by scope, through
    /// `vak:host/memory`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub memory: BTreeMap<Name, Access>,
    /// Directories, by the path at which it sees them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub directories: BTreeMap<GuestPath, Access>,
    /// Hosts that it sends HTTP requests to.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub http: BTreeMap<HostPattern, HttpAccess>,
}

/// What an operator gives a component.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Granted {
    /// Write lines to the host's log.
    pub log: bool,
    /// See what time it is.
    pub clock: bool,
    /// Get unpredictable numbers.
    pub randomness: bool,
    /// Environment variables that are passed on, by name.
    pub environment: BTreeSet<VariableName>,
    /// Secrets, each in a file that only the host's user can read.
    pub secrets: BTreeMap<Name, PathBuf>,
    /// Scopes of the calling agent's memory. Skills with the same scope share
    /// what is in it.
    pub memory: BTreeMap<Name, Access>,
    /// Directories, by the path at which the component sees them.
    pub directories: BTreeMap<GuestPath, Directory>,
    /// Hosts that HTTP requests may go to.
    pub http: BTreeMap<HostPattern, HttpGrant>,
}

/// What may be done in a directory, or in a scope of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Read what is there.
    #[default]
    Read,
    /// Read, change, make and remove.
    Write,
}

/// A directory of the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    /// Where it is.
    pub host: PathBuf,
    /// What may be done in it.
    #[serde(default)]
    pub access: Access,
}

/// What a component may do: asked for and granted. Only [`Granted::to`] makes
/// one that holds anything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effective {
    granted: Granted,
    http: Vec<HttpRule>,
}

impl Requested {
    /// The kinds of rights in it.
    pub fn capabilities(&self) -> BTreeSet<Capability> {
        let Self { log, clock, randomness, environment, secrets, memory, directories, http } = self;
        Capability::of([
            (Capability::Log, *log),
            (Capability::Clock, *clock),
            (Capability::Randomness, *randomness),
            (Capability::Environment, !environment.is_empty()),
            (Capability::Secrets, !secrets.is_empty()),
            (Capability::Memory, !memory.is_empty()),
            (Capability::Directories, !directories.is_empty()),
            (Capability::Http, !http.is_empty()),
        ])
    }
}

impl Granted {
    /// What a component that asks for `requested` may do: what is in both.
    pub fn to(&self, requested: &Requested) -> Effective {
        let directories = requested.directories.iter().filter_map(|(path, wanted)| {
            let Directory { host, access } = self.directories.get(path)?;
            Some((path.clone(), Directory { host: host.clone(), access: *access.min(wanted) }))
        });
        let memory = requested.memory.iter().filter_map(|(scope, wanted)| {
            let access = self.memory.get(scope)?;
            Some((scope.clone(), *access.min(wanted)))
        });
        let secrets = self.secrets.iter().filter(|(name, _)| requested.secrets.contains(name));
        let http = requested.http.iter().flat_map(|(host, wanted)| {
            self.http.iter().filter_map(move |(granted_host, grant)| grant.to(granted_host, host, wanted))
        });
        Effective {
            granted: Self {
                log: self.log && requested.log,
                clock: self.clock && requested.clock,
                randomness: self.randomness && requested.randomness,
                environment: self.environment.intersection(&requested.environment).cloned().collect(),
                secrets: secrets.map(|(name, file)| (name.clone(), file.clone())).collect(),
                memory: memory.collect(),
                directories: directories.collect(),
                http: BTreeMap::new(),
            },
            http: http.collect(),
        }
    }
}

impl Effective {
    /// Whether it sees what time it is.
    pub fn clock(&self) -> bool {
        self.granted.clock
    }

    /// Whether it gets unpredictable numbers.
    pub fn randomness(&self) -> bool {
        self.granted.randomness
    }

    /// The environment variables it sees.
    pub fn environment(&self) -> &BTreeSet<VariableName> {
        &self.granted.environment
    }

    /// Its secrets and their files.
    pub fn secrets(&self) -> &BTreeMap<Name, PathBuf> {
        &self.granted.secrets
    }

    /// Its scopes of memory.
    pub fn memory(&self) -> &BTreeMap<Name, Access> {
        &self.granted.memory
    }

    /// Its directories, by the path at which it sees them.
    pub fn directories(&self) -> &BTreeMap<GuestPath, Directory> {
        &self.granted.directories
    }

    /// Requests that it may send: those that one of these allows.
    pub fn http(&self) -> &[HttpRule] {
        &self.http
    }

    /// The kinds of rights in it.
    pub fn capabilities(&self) -> BTreeSet<Capability> {
        self.as_requested().capabilities()
    }

    /// Everything in it, one by one.
    pub fn rights(&self) -> Vec<Right> {
        self.as_requested().rights()
    }

    /// What of `requested` was not granted.
    pub fn missing(&self, requested: &Requested) -> Vec<Right> {
        requested.beyond(&self.as_requested())
    }

    /// The same in the words of a request. Several rules for one host become
    /// the one that gives most.
    fn as_requested(&self) -> Requested {
        let Granted { log, clock, randomness, ref environment, ref secrets, ref memory, ref directories, http: _ } =
            self.granted;
        let mut http: BTreeMap<HostPattern, HttpAccess> = BTreeMap::new();
        for rule in &self.http {
            let access = http.entry(rule.host.clone()).or_insert_with(|| rule.access.clone());
            if rule.access.covers(access) {
                *access = rule.access.clone();
            }
        }
        Requested {
            log,
            clock,
            randomness,
            environment: environment.clone(),
            secrets: secrets.keys().cloned().collect(),
            memory: memory.clone(),
            directories: directories.iter().map(|(path, directory)| (path.clone(), directory.access)).collect(),
            http,
        }
    }
}

fn is_false(flag: &bool) -> bool {
    !flag
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requested(json: &str) -> Requested {
        serde_json::from_str(json).unwrap()
    }

    fn granted(json: &str) -> Granted {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn what_counts_is_in_both() {
        let asked = requested(
            r#"{"log": true, "clock": true, "environment": ["LANG", "HOME"], "secrets": ["token"],
                "memory": {"notes": "write", "only-asked": "read", "plans": "read"},
                "directories": {"/notes": "write", "/only-asked": "read", "/read": "read"}}"#,
        );
        let given = granted(
            r#"{"log": true, "randomness": true, "environment": ["LANG", "PATH"],
                "secrets": {"token": "t", "other": "o"},
                "memory": {"notes": "read", "only-given": "write", "plans": "write"},
                "directories": {"/notes": {"host": "n"}, "/only-given": {"host": "g", "access": "write"},
                                "/read": {"host": "r", "access": "write"}}}"#,
        );
        let effective = given.to(&asked);
        assert_eq!(
            effective.capabilities(),
            BTreeSet::from([
                Capability::Log,
                Capability::Environment,
                Capability::Secrets,
                Capability::Memory,
                Capability::Directories
            ])
        );
        assert_eq!(effective.environment().iter().map(VariableName::as_str).collect::<Vec<_>>(), ["LANG"]);
        assert_eq!(effective.secrets().keys().map(Name::as_str).collect::<Vec<_>>(), ["token"]);
        // Neither side's write alone is a right to write.
        assert!(effective.directories().values().all(|directory| directory.access == Access::Read));
        assert_eq!(effective.directories().len(), 2);
        let memory: Vec<_> = effective.memory().iter().map(|(scope, access)| (scope.as_str(), *access)).collect();
        assert_eq!(memory, [("notes", Access::Read), ("plans", Access::Read)]);
        let missing: Vec<_> = effective.missing(&asked).iter().map(ToString::to_string).collect();
        assert_eq!(
            missing,
            [
                "see what time it is",
                "read the environment variable `HOME`",
                "read and change what agents remember in `notes`",
                "read what agents remember in `only-asked`",
                "read and change files in `/notes`",
                "read files in `/only-asked`"
            ]
        );
    }

    #[test]
    fn nothing_is_granted_by_default() {
        let everything = requested(
            r#"{"log": true, "clock": true, "randomness": true, "environment": ["A"], "secrets": ["s"],
                "memory": {"m": "write"}, "directories": {"/a": "read"}, "http": {"*": {}}}"#,
        );
        assert_eq!(Granted::default().to(&everything), Effective::default());
        assert!(Effective::default().capabilities().is_empty());
    }

    #[test]
    fn unknown_rights_are_refused() {
        for text in [r#"{"root": true}"#, r#"{"http": {"a.org": {"port": 1}}}"#, r#"{"directories": {"/a": "own"}}"#] {
            assert!(serde_json::from_str::<Requested>(text).is_err(), "{text}");
        }
    }
}

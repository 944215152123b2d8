//! The files of an index: targets of its TUF repository, each JSON.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use vak_registry::{Revoked, Withdrawal, Withdrawals};
use vak_trust::PublicKey;
use vak_types::{Digest, Grounds, KeyId, Name, Pattern};

use crate::entry::{Entry, EntryError, Withdrawn};

/// The one format there is.
pub(crate) const FORMAT: u32 = 1;

/// Packages in a shard, on average, when the index is split anew.
const SHARD_LEN: usize = 64;

/// Shards whose lines are in one catalogue.
const CATALOGUE_SHARDS: u32 = 16;

/// The most shards: an index of a million packages.
const SHARDS_MAX: u32 = 1 << 14;

/// `index.json`: what the rest is to be read with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The format of all files.
    pub(crate) format: u32,
    /// What the marketplace is called.
    pub name: Name,
    /// Where its images are.
    pub registry: String,
    /// How many files the packages are spread over: a power of two.
    pub(crate) shards: u32,
    /// The key that vouches for packages: the marketplace's own signature.
    pub key: PublicKey,
}

/// `publishers.json`: who may publish, and what they signed with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publishers {
    /// By their names.
    pub publishers: BTreeMap<Name, Publisher>,
}

/// Somebody who may publish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publisher {
    /// Whose signatures are theirs.
    pub keys: Vec<PublicKey>,
    /// What new packages of theirs may be called; anything that is free if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<Pattern<Name>>,
}

/// `withdrawn.json`: what must not run any more. Short, so that everybody has
/// all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WithdrawnList {
    /// Components, by digest.
    #[serde(default)]
    pub components: BTreeMap<Digest, WithdrawnComponent>,
    /// Keys that were lost to somebody else, and why.
    #[serde(default)]
    pub keys: BTreeMap<KeyId, Grounds>,
}

/// A component that must not run any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WithdrawnComponent {
    /// Of which package.
    pub name: Name,
    /// Of which version.
    pub version: semver::Version,
    /// By whom and why.
    #[serde(flatten)]
    pub withdrawn: Withdrawn,
}

/// `packages-N.json`: whole entries, in the order of their names.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shard {
    pub(crate) packages: BTreeMap<Name, Entry>,
}

/// Why the text of a signed file is none of an index.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Not the JSON that is expected.
    #[error("`{file}` of the index cannot be read: {source}")]
    Json {
        /// Which file.
        file: String,
        /// What is wrong and where.
        source: serde_json::Error,
    },
    /// A format of another time.
    #[error("the index has format {0}, this program reads {FORMAT}; update it")]
    Format(u32),
    /// A number of shards that can't be.
    #[error("the index has {0} shards, which is not a power of two up to {SHARDS_MAX}")]
    Shards(u32),
    /// A package that can't be.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// A package in a place where nobody looks for it.
    #[error("`{0}` stands in the wrong file of the index")]
    Misplaced(Name),
}

pub(crate) const HEADER: &str = "index.json";
pub(crate) const PUBLISHERS: &str = "publishers.json";
pub(crate) const WITHDRAWN: &str = "withdrawn.json";

impl Header {
    /// Reads `index.json`.
    ///
    /// # Errors
    /// It is none that is known here.
    pub fn read(bytes: &[u8]) -> Result<Self, FileError> {
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let Format { format } = json(HEADER, bytes)?;
        if format != FORMAT {
            return Err(FileError::Format(format));
        }
        let header: Self = json(HEADER, bytes)?;
        match header.shards.is_power_of_two() && header.shards <= SHARDS_MAX {
            true => Ok(header),
            false => Err(FileError::Shards(header.shards)),
        }
    }

    /// In which shard a package is.
    pub(crate) fn shard_of(&self, name: &Name) -> u32 {
        let [a, b, ..] = *Digest::of(name.as_str().as_bytes()).as_bytes();
        u32::from(u16::from_be_bytes([a, b])) & (self.shards - 1)
    }

    /// In which catalogue a shard's lines are.
    pub(crate) fn catalogue_of(&self, shard: u32) -> u32 {
        shard & (self.catalogues() - 1)
    }

    pub(crate) fn catalogues(&self) -> u32 {
        (self.shards / CATALOGUE_SHARDS).max(1)
    }

    /// How many shards are right for so many packages; the old number while it
    /// will do, since another one changes every file.
    pub(crate) fn shards_for(packages: usize, now: u32) -> u32 {
        let right = u32::try_from((packages / SHARD_LEN).next_power_of_two()).unwrap_or(SHARDS_MAX).min(SHARDS_MAX);
        match right > now.saturating_mul(2) {
            true => right,
            false => now,
        }
    }
}

impl WithdrawnList {
    /// The same as the store of installed packages keeps it.
    pub fn to_withdrawals(&self) -> Withdrawals {
        let component = |(digest, component): (&Digest, &WithdrawnComponent)| {
            let WithdrawnComponent { name, version, withdrawn } = component.clone();
            let Withdrawn { kind, reason, advisory, .. } = withdrawn;
            Withdrawal { component: *digest, name, version, kind, reason, advisory }
        };
        let key = |(key, reason): (&KeyId, &Grounds)| Revoked { key: *key, reason: reason.clone() };
        Withdrawals {
            components: self.components.iter().map(component).collect(),
            keys: self.keys.iter().map(key).collect(),
        }
    }
}

impl Shard {
    /// Reads a shard and checks every entry in it.
    pub(crate) fn read(number: u32, bytes: &[u8], header: &Header) -> Result<Self, FileError> {
        let shard: Self = json(&packages_file(number), bytes)?;
        for (name, entry) in &shard.packages {
            if *name != entry.name || header.shard_of(name) != number {
                return Err(FileError::Misplaced(name.clone()));
            }
            entry.check()?;
        }
        Ok(shard)
    }
}

pub(crate) fn packages_file(shard: u32) -> String {
    format!("packages-{shard:04x}.json")
}

pub(crate) fn catalogue_file(catalogue: u32) -> String {
    format!("catalogue-{catalogue:04x}.jsonl")
}

pub(crate) fn json<T: DeserializeOwned>(file: &str, bytes: &[u8]) -> Result<T, FileError> {
    serde_json::from_slice(bytes).map_err(|source| FileError::Json { file: file.to_owned(), source })
}

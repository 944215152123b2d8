//! Changes of an index before they are signed.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;
use vak_registry::WithdrawalKind;
use vak_trust::PublicKey;
use vak_types::{Grounds, KeyId, Name};

use crate::catalogue::Line;
use crate::entry::{Advisory, Entry, Release, Withdrawn};
use crate::files::{
    HEADER, Header, PUBLISHERS, Publisher, Publishers, Shard, WITHDRAWN, WithdrawnComponent, WithdrawnList,
    catalogue_file, packages_file,
};
use crate::index::Index;
use crate::replica::IndexError;
use crate::repository::{Edited, RepositoryError};

/// An index with changes that nobody sees yet.
#[derive(Debug)]
pub struct Edit<'a> {
    /// What was there; nothing in a new one.
    index: Option<&'a Index>,
    pub(crate) header: Header,
    publishers: Publishers,
    withdrawn: WithdrawnList,
    /// Those that were looked at.
    shards: BTreeMap<u32, Shard>,
    changed: BTreeSet<u32>,
}

impl<'a> Edit<'a> {
    pub(crate) fn begin(header: Header) -> Self {
        let shards: BTreeMap<_, _> = (0..header.shards).map(|number| (number, Shard::default())).collect();
        let changed = shards.keys().copied().collect();
        let (publishers, withdrawn) = (Publishers::default(), WithdrawnList::default());
        Self { index: None, header, publishers, withdrawn, shards, changed }
    }

    pub(crate) async fn of(index: &'a Index) -> Result<Self, IndexError> {
        Ok(Self {
            index: Some(index),
            header: index.header().clone(),
            publishers: index.publishers().await?,
            withdrawn: index.withdrawn().await?,
            shards: BTreeMap::new(),
            changed: BTreeSet::new(),
        })
    }

    async fn shard(&mut self, number: u32) -> Result<&mut Shard, IndexError> {
        if let (false, Some(index)) = (self.shards.contains_key(&number), self.index) {
            self.shards.insert(number, index.shard(number).await?);
        }
        Ok(self.shards.entry(number).or_default())
    }

    /// Who may publish.
    pub fn publishers(&self) -> &Publishers {
        &self.publishers
    }

    /// A package as it would be.
    ///
    /// # Errors
    /// The part of the index where it would be cannot be read.
    pub async fn entry(&mut self, name: &Name) -> Result<Option<&Entry>, RepositoryError> {
        let number = self.header.shard_of(name);
        Ok(self.shard(number).await?.packages.get(name))
    }

    /// A package to be changed.
    async fn entry_mut(&mut self, name: &Name) -> Result<&mut Entry, RepositoryError> {
        let number = self.header.shard_of(name);
        self.changed.insert(number);
        let entry = self.shard(number).await?.packages.get_mut(name);
        entry.ok_or_else(|| RepositoryError::NoPackage(name.clone()))
    }

    /// Puts a package there, in place of what has its name.
    ///
    /// # Errors
    /// It can't be one.
    pub async fn put(&mut self, entry: Entry) -> Result<(), RepositoryError> {
        entry.check()?;
        let number = self.header.shard_of(&entry.name);
        self.changed.insert(number);
        self.shard(number).await?.packages.insert(entry.name.clone(), entry);
        Ok(())
    }

    /// Lets somebody publish, with these keys from here on, and not with others
    /// that were theirs.
    ///
    /// # Errors
    /// A key is that of another publisher.
    pub fn set_publisher(&mut self, name: Name, publisher: Publisher) -> Result<(), RepositoryError> {
        for (owner, other) in self.publishers.publishers.iter().filter(|(owner, _)| **owner != name) {
            if let Some(key) = publisher.keys.iter().find(|key| other.keys.contains(key)) {
                return Err(RepositoryError::KeyTaken { key: (*key).into(), owner: owner.clone() });
            }
        }
        self.publishers.publishers.insert(name, publisher);
        Ok(())
    }

    /// Says that a version must not be used any more; that it is revoked is not
    /// taken back, nor made less.
    ///
    /// # Errors
    /// There is no such version, it is revoked, or the reason is too long.
    pub async fn withdraw(&mut self, name: &Name, version: &Version, why: Withdrawn) -> Result<(), RepositoryError> {
        let release = self.release_mut(name, version).await?;
        let component = release.component.digest;
        release.withdrawn = Some(why.clone());
        self.entry_mut(name).await?.check()?;
        let (name, version) = (name.clone(), version.clone());
        self.withdrawn.components.insert(component, WithdrawnComponent { name, version, withdrawn: why });
        Ok(())
    }

    /// Takes back that a version was yanked.
    ///
    /// # Errors
    /// There is no such version, or it is revoked.
    pub async fn restore(&mut self, name: &Name, version: &Version) -> Result<(), RepositoryError> {
        let release = self.release_mut(name, version).await?;
        let component = release.component.digest;
        release.withdrawn = None;
        self.withdrawn.components.remove(&component);
        Ok(())
    }

    async fn release_mut(&mut self, name: &Name, version: &Version) -> Result<&mut Release, RepositoryError> {
        let entry = self.entry_mut(name).await?;
        let (name, version) = (name.clone(), version.clone());
        match entry.releases.iter_mut().find(|release| release.version == version) {
            Some(Release { withdrawn: Some(Withdrawn { kind: WithdrawalKind::Revoked, .. }), .. }) => {
                Err(RepositoryError::Revoked { name, version })
            }
            Some(release) => Ok(release),
            None => Err(RepositoryError::NoVersion { name, version }),
        }
    }

    /// Says that a key is in the wrong hands: nothing that it signed counts, now
    /// and before.
    pub fn revoke_key(&mut self, key: KeyId, reason: Grounds) {
        let lost = |public: &PublicKey| public.id() == key;
        self.publishers.publishers.values_mut().for_each(|publisher| publisher.keys.retain(|public| !lost(public)));
        self.withdrawn.keys.insert(key, reason);
    }

    /// Says what is wrong with some versions, in place of what was said under the
    /// same id.
    ///
    /// # Errors
    /// There is no such package, or a text is too long.
    pub async fn advise(&mut self, name: &Name, advisory: Advisory) -> Result<(), RepositoryError> {
        let entry = self.entry_mut(name).await?;
        entry.advisories.retain(|other| other.id != advisory.id);
        entry.advisories.push(advisory);
        Ok(entry.check()?)
    }

    /// The changes as files, to be signed. An index that has grown is split anew,
    /// for which all of it is read.
    ///
    /// # Errors
    /// A part of it cannot be read.
    pub async fn finish(mut self) -> Result<Edited, RepositoryError> {
        let counted: usize = self.shards.values().map(|shard| shard.packages.len()).sum();
        let seen = self.shards.len().max(1);
        // Names are spread evenly, so some shards tell of all.
        let about = counted * usize::try_from(self.header.shards).unwrap_or(usize::MAX) / seen;
        let shards = Header::shards_for(about, self.header.shards);
        let replaces_all = shards != self.header.shards;
        if replaces_all {
            self.split(shards).await?;
        } else {
            // The lines of neighbours stand in the same file.
            let catalogues: BTreeSet<_> = self.changed.iter().map(|shard| self.header.catalogue_of(*shard)).collect();
            for number in 0..self.header.shards {
                if catalogues.contains(&self.header.catalogue_of(number)) {
                    self.shard(number).await?;
                }
            }
        }
        Ok(Edited { files: self.files()?, replaces_all })
    }

    async fn split(&mut self, shards: u32) -> Result<(), RepositoryError> {
        let mut entries = Vec::new();
        for number in 0..self.header.shards {
            entries.extend(std::mem::take(&mut self.shard(number).await?.packages).into_values());
        }
        self.header.shards = shards;
        self.shards = (0..shards).map(|number| (number, Shard::default())).collect();
        self.changed = self.shards.keys().copied().collect();
        for entry in entries {
            let number = self.header.shard_of(&entry.name);
            self.shards.entry(number).or_default().packages.insert(entry.name.clone(), entry);
        }
        Ok(())
    }

    pub(crate) fn files(&self) -> Result<Vec<(String, Vec<u8>)>, RepositoryError> {
        let mut files = vec![
            (HEADER.to_owned(), bytes(&self.header)?),
            (PUBLISHERS.to_owned(), bytes(&self.publishers)?),
            (WITHDRAWN.to_owned(), bytes(&self.withdrawn)?),
        ];
        for number in &self.changed {
            files.push((packages_file(*number), bytes(&self.shards[number])?));
        }
        let catalogues: BTreeSet<_> = self.changed.iter().map(|shard| self.header.catalogue_of(*shard)).collect();
        for catalogue in catalogues {
            let shards = self.shards.iter().filter(|(number, _)| self.header.catalogue_of(**number) == catalogue);
            let mut lines = Vec::new();
            for entry in shards.flat_map(|(_, shard)| shard.packages.values()) {
                lines.extend(bytes(&Line::of(entry))?);
                lines.push(b'\n');
            }
            files.push((catalogue_file(catalogue), lines));
        }
        Ok(files)
    }
}

fn bytes<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, RepositoryError> {
    serde_json::to_vec(value).map_err(|error| RepositoryError::Sign(error.to_string()))
}

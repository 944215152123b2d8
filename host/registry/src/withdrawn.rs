//! What all marketplaces withdrew, by what it is about.

use std::collections::{BTreeMap, btree_map::Entry};
use std::fmt;

use vak_types::{Digest, KeyId, Name};

use crate::error::{Damage, StoreError};
use crate::folder::Folder;
use crate::locked::Writing;
use crate::withdrawals::{BYTES_MAX, Revoked, Withdrawal, Withdrawals, parse};

/// The folder of records, a file a marketplace.
pub(crate) const WITHDRAWN: &str = "withdrawn";

/// What follows a marketplace's name in the name of its record.
const RECORD: &str = ".json";

/// Marketplaces that a store keeps the withdrawals of. One listing of so many
/// comes from the system at once.
const MARKETPLACES_MAX: usize = 64;

/// Times that the folder is looked at again because it changed meanwhile.
const LOOKS_MAX: usize = 100;

/// What all marketplaces withdrew. Any of them suffices.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Withdrawn {
    components: BTreeMap<Digest, By<Withdrawal>>,
    keys: BTreeMap<KeyId, By<Revoked>>,
}

/// What a marketplace says. As text it is the reason why something stops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By<T> {
    /// The marketplace.
    pub marketplace: Name,
    /// What it says.
    pub what: T,
}

impl Withdrawn {
    /// Whether a component with these bytes was withdrawn. Where several
    /// marketplaces did so, that is who revoked it and whose name comes first.
    pub fn component(&self, digest: &Digest) -> Option<&By<Withdrawal>> {
        self.components.get(digest)
    }

    /// Whether a key was revoked.
    pub fn key(&self, key: &KeyId) -> Option<&By<Revoked>> {
        self.keys.get(key)
    }

    /// All components that were withdrawn, by digest.
    pub fn components(&self) -> impl Iterator<Item = &By<Withdrawal>> {
        self.components.values()
    }

    /// All keys that were revoked, by id.
    pub fn keys(&self) -> impl Iterator<Item = &By<Revoked>> {
        self.keys.values()
    }

    /// Adds what a marketplace says whose name comes after those before.
    fn add(&mut self, marketplace: &Name, Withdrawals { components, keys }: Withdrawals) {
        for what in components {
            match self.components.entry(what.component) {
                Entry::Vacant(free) => drop(free.insert(By { marketplace: marketplace.clone(), what })),
                Entry::Occupied(mut taken) if taken.get().what.kind < what.kind => {
                    taken.insert(By { marketplace: marketplace.clone(), what });
                }
                Entry::Occupied(_) => {}
            }
        }
        for what in keys {
            self.keys.entry(what.key).or_insert_with(|| By { marketplace: marketplace.clone(), what });
        }
    }
}

impl fmt::Display for By<Withdrawal> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Withdrawal { name, version, kind, reason, advisory, .. } = &self.what;
        write!(f, "`{name}` {version} was {kind} by marketplace `{}`: {reason}", self.marketplace)?;
        advisory.as_ref().map_or(Ok(()), |advisory| write!(f, " (advisory {advisory})"))
    }
}

impl fmt::Display for By<Revoked> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Revoked { key, reason } = &self.what;
        write!(f, "the key `{key}` was revoked by marketplace `{}`: {reason}", self.marketplace)
    }
}

/// The folder of records.
pub(crate) struct Records(Folder);

impl Records {
    pub(crate) fn open(root: &Folder) -> Result<Option<Self>, StoreError> {
        Ok(root.child(WITHDRAWN)?.map(Self))
    }

    pub(crate) fn make(root: &Folder) -> Result<Self, StoreError> {
        root.make_child(WITHDRAWN).map(Self)
    }

    /// Keeps `record` for `marketplace`.
    pub(crate) fn set(&self, writing: &Writing, marketplace: &Name, record: &[u8]) -> Result<(), StoreError> {
        let Self(folder) = self;
        let file = file_of(marketplace);
        // Whatever else is there is replaced.
        if let Ok(Some(there)) = folder.read(&file, BYTES_MAX)
            && there == record
        {
            return Ok(());
        }
        let mut files = folder.all_names()?;
        files.insert(file.clone());
        check_count(files.len())?;
        writing.place(&file, record, folder)?;
        folder.sync()
    }

    /// Removes the record of `marketplace`; whether there was one.
    pub(crate) fn unset(&self, marketplace: &Name) -> Result<bool, StoreError> {
        match self.0.remove(&file_of(marketplace)) {
            Ok(()) => self.0.sync().map(|()| true),
            Err(StoreError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// All records. Anything else in the folder could be one that was to count.
    pub(crate) fn read(&self) -> Result<Withdrawn, StoreError> {
        // Nobody locks anything to read, so a record may come or go meanwhile, and
        // a listing need not be of one moment.
        for _ in 0..LOOKS_MAX {
            let files = self.0.all_names()?;
            let Some(withdrawn) = self.read_all(&files)? else { continue };
            if self.0.all_names()? == files {
                return Ok(withdrawn);
            }
        }
        let source = std::io::Error::other("what is in it changes all the time");
        Err(StoreError::Io { path: self.0.path().to_owned(), source })
    }

    /// None if one of them is gone.
    fn read_all(&self, files: &std::collections::BTreeSet<String>) -> Result<Option<Withdrawn>, StoreError> {
        check_count(files.len())?;
        let mut withdrawn = Withdrawn::default();
        for file in files {
            let stray = || StoreError::Stray { path: self.0.path().join(file) };
            let marketplace: Name = file.strip_suffix(RECORD).and_then(|name| name.parse().ok()).ok_or_else(stray)?;
            let damaged = |damage| StoreError::Withdrawals { marketplace: marketplace.clone(), damage };
            let bytes = self.0.read(file, BYTES_MAX).map_err(|error| match error {
                StoreError::NotPlain { .. } | StoreError::TooLarge { .. } => damaged(Damage::File(Box::new(error))),
                error => error,
            })?;
            let Some(bytes) = bytes else { return Ok(None) };
            withdrawn.add(&marketplace, parse(&bytes, &marketplace).map_err(damaged)?);
        }
        Ok(Some(withdrawn))
    }
}

fn file_of(marketplace: &Name) -> String {
    format!("{marketplace}{RECORD}")
}

fn check_count(count: usize) -> Result<(), StoreError> {
    match count <= MARKETPLACES_MAX {
        true => Ok(()),
        false => {
            let what = "marketplaces with a record of what they withdrew";
            Err(StoreError::TooMany { what, count, most: MARKETPLACES_MAX })
        }
    }
}

//! The store while this process has it locked.

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::time::{Duration, Instant};

use vak_trust::{Manifest, Package};
use vak_types::{Digest, Name};

use crate::error::{Damage, StoreError};
use crate::folder::Folder;
use crate::record::{self, Record};

/// The file that is locked.
const LOCK: &str = "lock";

/// The folder of records, one file a name.
pub(crate) const NAMES: &str = "names";

/// The folder of components, manifests and signature files, by their digests.
const BLOBS: &str = "blobs";

/// The folder for what is being written. Nothing in it is ever read.
const ASIDE: &str = "aside";

/// What follows a name in the name of its record.
const RECORD: &str = ".json";

/// An installation takes milliseconds, on a slow disk a second.
const WAIT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(5);

/// The store as it is while nobody changes it. Unlocked when it is dropped.
pub(crate) struct Reading {
    names: Option<Folder>,
    blobs: Option<Folder>,
    _lock: File,
}

/// The store while nobody else reads or changes it. Unlocked when it is dropped.
pub(crate) struct Writing {
    names: Folder,
    blobs: Folder,
    aside: Folder,
    _lock: File,
}

impl Reading {
    pub(crate) fn lock(root: &Folder) -> Result<Self, StoreError> {
        let lock = lock(root, File::try_lock_shared)?;
        Ok(Self { names: root.child(NAMES)?, blobs: root.child(BLOBS)?, _lock: lock })
    }

    pub(crate) fn names(&self) -> Result<Vec<Name>, StoreError> {
        self.names.as_ref().map_or_else(|| Ok(Vec::new()), names)
    }

    pub(crate) fn record(&self, name: &Name) -> Result<Option<Record>, StoreError> {
        self.names.as_ref().map_or(Ok(None), |names| record(names, name))
    }

    pub(crate) fn package(&self, record: &Record) -> Result<Package, StoreError> {
        match &self.blobs {
            Some(blobs) => package(blobs, record).map_err(|error| of(&record.name, error)),
            None => Err(of(&record.name, Damage::Missing(record.component).into())),
        }
    }
}

impl Writing {
    pub(crate) fn lock(root: &Folder) -> Result<Self, StoreError> {
        let lock = lock(root, File::try_lock)?;
        let [names, blobs, aside] = [NAMES, BLOBS, ASIDE].map(|name| root.make_child(name));
        let (names, blobs, aside) = (names?, blobs?, aside?);
        // Left by somebody who was interrupted.
        for name in aside.names()? {
            aside.remove(&name)?;
        }
        Ok(Self { names, blobs, aside, _lock: lock })
    }

    pub(crate) fn names(&self) -> Result<Vec<Name>, StoreError> {
        names(&self.names)
    }

    pub(crate) fn record(&self, name: &Name) -> Result<Option<Record>, StoreError> {
        record(&self.names, name)
    }

    /// The manifest that is installed with `record`.
    pub(crate) fn manifest(&self, record: &Record) -> Result<Manifest, StoreError> {
        manifest(&self.blobs, record).map(|(_, manifest)| manifest).map_err(|error| of(&record.name, error))
    }

    /// Stores bytes under their digest, unless they are there.
    pub(crate) fn put(&self, digest: &Digest, bytes: &[u8]) -> Result<(), StoreError> {
        let name = digest.to_hex();
        match blob(&self.blobs, digest, bytes.len() as u64) {
            Ok(_) => Ok(()),
            // Whatever else is there is replaced.
            Err(_) => self.place(&name, bytes, &self.blobs),
        }
    }

    /// Makes `record` count. Its blobs are there.
    pub(crate) fn set(&self, record: &Record) -> Result<(), StoreError> {
        self.blobs.sync()?;
        self.place(&file_of(&record.name), &record.to_bytes(), &self.names)?;
        self.names.sync()
    }

    /// Removes a record; whether there was one.
    pub(crate) fn unset(&self, name: &Name) -> Result<bool, StoreError> {
        match self.names.remove(&file_of(name)) {
            Ok(()) => self.names.sync().map(|()| true),
            Err(StoreError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Removes the blobs that no record needs. As long as a record cannot be
    /// read nobody knows what it needs, and all stay.
    pub(crate) fn sweep(&self) -> Result<(), StoreError> {
        let mut needed = BTreeSet::new();
        for name in self.names()? {
            needed.extend(self.record(&name)?.iter().flat_map(Record::blobs));
        }
        for name in self.blobs.names()? {
            // What is not named like a blob was not put there by the store.
            let Ok(digest) = format!("sha256:{name}").parse() else { continue };
            if !needed.contains(&digest) {
                self.blobs.remove(&name)?;
            }
        }
        Ok(())
    }

    /// Writes a file aside and then puts it into `folder`, over what is there.
    pub(crate) fn place(&self, name: &str, bytes: &[u8], folder: &Folder) -> Result<(), StoreError> {
        self.aside.write(name, bytes)?;
        self.aside.rename(name, folder, name)
    }
}

/// The name of a package's record.
pub(crate) fn file_of(name: &Name) -> String {
    format!("{name}{RECORD}")
}

fn lock(root: &Folder, take: fn(&File) -> Result<(), TryLockError>) -> Result<File, StoreError> {
    let file = root.lock_file(LOCK)?;
    let start = Instant::now();
    loop {
        match take(&file) {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if start.elapsed() < WAIT => std::thread::sleep(PAUSE),
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Busy { path: root.path().to_owned(), seconds: WAIT.as_secs() });
            }
            Err(TryLockError::Error(source)) => return Err(StoreError::Io { path: root.path().join(LOCK), source }),
        }
    }
}

/// All that have a record, in their order. Other files are none of ours.
fn names(folder: &Folder) -> Result<Vec<Name>, StoreError> {
    let name = |file: String| file.strip_suffix(RECORD)?.parse().ok();
    let mut names: Vec<Name> = folder.names()?.into_iter().filter_map(name).collect();
    names.sort();
    Ok(names)
}

fn record(names: &Folder, name: &Name) -> Result<Option<Record>, StoreError> {
    let bytes = names.read(&file_of(name), record::BYTES_MAX);
    let record = bytes
        .map_err(Unreadable::from)
        .and_then(|bytes| bytes.map(|bytes| Ok(Record::parse(&bytes, name)?)).transpose());
    record.map_err(|error| of(name, error))
}

fn package(blobs: &Folder, record: &Record) -> Result<Package, Unreadable> {
    let (manifest, _) = manifest(blobs, record)?;
    Ok(Package {
        component: blob(blobs, &record.component, Package::COMPONENT_BYTES_MAX)?,
        manifest,
        bundle: Some(blob(blobs, &record.bundle, Package::BUNDLE_BYTES_MAX)?),
    })
}

/// The manifest's bytes, and what they say: a record can't pass off one package
/// as another.
fn manifest(blobs: &Folder, record: &Record) -> Result<(Vec<u8>, Manifest), Unreadable> {
    let bytes = blob(blobs, &record.manifest, Package::MANIFEST_BYTES_MAX)?;
    let manifest = Manifest::from_packed(&bytes).map_err(Damage::Manifest)?;
    match manifest.name == record.name && manifest.version == record.version {
        true => Ok((bytes, manifest)),
        false => Err(Damage::OtherManifest { name: manifest.name, version: manifest.version }.into()),
    }
}

fn blob(blobs: &Folder, digest: &Digest, bytes_max: u64) -> Result<Vec<u8>, Unreadable> {
    let bytes = blobs.read(&digest.to_hex(), bytes_max)?.ok_or(Damage::Missing(*digest))?;
    match Digest::of(&bytes) {
        found if found == *digest => Ok(bytes),
        found => Err(Damage::Changed { expected: *digest, found }.into()),
    }
}

/// What was stored is not there any more, or the disk does not give it.
enum Unreadable {
    Damage(Damage),
    Disk(StoreError),
}

impl From<Damage> for Unreadable {
    fn from(damage: Damage) -> Self {
        Self::Damage(damage)
    }
}

impl From<StoreError> for Unreadable {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotPlain { .. } | StoreError::TooLarge { .. } => Self::Damage(Damage::File(Box::new(error))),
            error => Self::Disk(error),
        }
    }
}

fn of(name: &Name, error: Unreadable) -> StoreError {
    match error {
        Unreadable::Damage(damage) => StoreError::Damaged { name: name.clone(), damage },
        Unreadable::Disk(error) => error,
    }
}

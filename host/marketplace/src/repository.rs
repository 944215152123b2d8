//! The folder of a marketplace: what is signed in it, and how that changes.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::{Span, Timestamp};
use semver::Version;
use tough::TargetName;
use tough::schema::key::{Ed25519Key, Ed25519Scheme, Key};
use tough::schema::{Hashes, Metafile, Role, RoleKeys, RoleType, Root, Signature, Signed, Snapshot, Target, Targets};
use vak_trust::{KeyError, PrivateKey, PublicKey, write_aside};
use vak_types::{Digest, Name};

use crate::edit::Edit;
use crate::files::{FORMAT, Header};
use crate::index::Index;
use crate::replica::{IndexError, file_name};

/// The version of TUF's specification that files follow.
const SPEC: &str = "1.0.0";

/// How long a root counts, in days. Before that a new one has to be signed, with
/// a key that lies in a safe.
const ROOT_DAYS: i64 = 365;

/// How long all else counts, in days: for so long somebody who answers in the
/// marketplace's place can hide what is new.
const INDEX_DAYS: i64 = 7;

/// How long files stay that no new reader needs, for those who are in the middle
/// of it.
const KEPT: Duration = Duration::from_secs(24 * 3600);

/// Why a marketplace's folder was not changed.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// What is there is no index.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// There is one already.
    #[error("`{}` has an index already", .0.display())]
    Exists(PathBuf),
    /// The key is not the one that signs this index.
    #[error("the key `{found}` does not sign this index; `{expected}` does")]
    OtherKey {
        /// The key that was given.
        found: Box<PublicKey>,
        /// The one that its root names.
        expected: Box<PublicKey>,
    },
    /// The key is not the one that signs roots.
    #[error("the key `{0}` does not sign this index's roots")]
    OtherRootKey(Box<PublicKey>),
    /// What was said of a package can't be.
    #[error(transparent)]
    Entry(#[from] crate::entry::EntryError),
    /// A key could not be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// TUF's library does not take it.
    #[error("the index cannot be signed: {0}")]
    Sign(String),
    /// A file cannot be written.
    #[error("`{}`: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The index has no such package.
    #[error("the index has no package `{0}`")]
    NoPackage(Name),
    /// The package has no such version.
    #[error("the index has no version {version} of `{name}`")]
    NoVersion {
        /// The package.
        name: Name,
        /// The version.
        version: Version,
    },
    /// A revocation stands.
    #[error("`{name}` {version} is revoked, and that is not taken back; publish another version")]
    Revoked {
        /// The package.
        name: Name,
        /// The version.
        version: Version,
    },
    /// A key of two publishers would let one speak for the other.
    #[error("the key `{key}` is that of `{owner}`")]
    KeyTaken {
        /// The key.
        key: Box<PublicKey>,
        /// Whose it is.
        owner: Name,
    },
}

/// The folder of a marketplace, which nobody else changes meanwhile.
#[derive(Debug)]
pub struct Repository {
    folder: PathBuf,
    index: Index,
    root: Signed<Root>,
    _lock: File,
}

impl Repository {
    /// Begins an index that has no packages. `root_key` signs who may sign;
    /// `key` signs everything else, and vouches for packages.
    ///
    /// # Errors
    /// There is one already, or the folder can't be written.
    pub async fn create(
        folder: &Path,
        name: Name,
        registry: String,
        root_key: &PrivateKey,
        key: &PrivateKey,
        now: Timestamp,
    ) -> Result<Self, RepositoryError> {
        let lock = lock(folder)?;
        if folder.join("metadata/root.json").exists() {
            return Err(RepositoryError::Exists(folder.to_owned()));
        }
        let root = signed_root(1, root_key, &[root_key], key, now)?;
        let header = Header { format: FORMAT, name, registry, shards: 1, key: key.public() };
        let files = Edit::begin(header).files()?;
        write_index(folder, HashMap::new(), files, [1; 3], key, now)?;
        write_root(folder, &root)?;
        drop(lock);
        Self::open(folder).await
    }

    /// The index in `folder`, verified.
    ///
    /// # Errors
    /// There is none, or it is not signed as its root says.
    pub async fn open(folder: &Path) -> Result<Self, RepositoryError> {
        let lock = lock(folder)?;
        let index = Index::of_folder(folder).await?;
        let root = index.signed().root().clone();
        Ok(Self { folder: folder.to_owned(), index, root, _lock: lock })
    }

    /// What it says.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Starts to change it.
    ///
    /// # Errors
    /// A part of it cannot be read.
    pub async fn edit(&self) -> Result<Edit<'_>, RepositoryError> {
        Ok(Edit::of(&self.index).await?)
    }

    /// Signs what was changed, or the same anew, so that it counts for another
    /// while. Readers have the old index or the new one.
    ///
    /// # Errors
    /// The key is another, or the folder can't be written; the old index stays.
    pub async fn commit(self, edit: Edited, key: &PrivateKey, now: Timestamp) -> Result<Self, RepositoryError> {
        let expected = self.index.header().key;
        if key.public() != expected {
            return Err(RepositoryError::OtherKey { found: key.public().into(), expected: expected.into() });
        }
        let old = self.index.signed();
        let kept = kept(old, &edit);
        let versions = old.versions().map(|version| version + 1);
        write_index(&self.folder, kept, edit.files, versions, key, now)?;
        self.reopened().await
    }

    /// Puts other keys in the place of those that sign: `new_root` for roots, `new`
    /// for all else. What `new` is to vouch for from here on is what is in the
    /// index; packages keep the signatures that they have.
    ///
    /// # Errors
    /// `root_key` does not sign roots, or the folder can't be written.
    pub async fn rotate(
        self,
        root_key: &PrivateKey,
        new_root: &PrivateKey,
        new: &PrivateKey,
        now: Timestamp,
    ) -> Result<Self, RepositoryError> {
        let old_id = key_id(&root_key.public())?;
        if !self.root.signed.roles.get(&RoleType::Root).is_some_and(|role| role.keyids.contains(&old_id)) {
            return Err(RepositoryError::OtherRootKey(root_key.public().into()));
        }
        let signers: &[_] = if root_key.public() == new_root.public() { &[root_key] } else { &[root_key, new_root] };
        let root = signed_root(self.root.signed.version.get() + 1, new_root, signers, new, now)?;
        let mut edit = self.edit().await?;
        edit.header.key = new.public();
        let edited = edit.finish().await?;
        let old = self.index.signed();
        let kept = kept(old, &edited);
        // The root first: a reader between the two finds an index that its root
        // does not let sign, and keeps what it has.
        write_root(&self.folder, &root)?;
        write_index(&self.folder, kept, edited.files, old.versions().map(|version| version + 1), new, now)?;
        self.reopened().await
    }

    async fn reopened(self) -> Result<Self, RepositoryError> {
        sweep(&self.folder, &self.index)?;
        let Self { folder, _lock: lock, .. } = self;
        let index = Index::of_folder(&folder).await?;
        let root = index.signed().root().clone();
        Ok(Self { folder, index, root, _lock: lock })
    }
}

/// Files that are to be signed.
#[derive(Debug)]
pub struct Edited {
    pub(crate) files: Vec<(String, Vec<u8>)>,
    /// Whether they are all there is.
    pub(crate) replaces_all: bool,
}

/// What stays of an index.
fn kept(old: &crate::replica::Signed, edited: &Edited) -> HashMap<String, Target> {
    match edited.replaces_all {
        true => HashMap::new(),
        false => old.targets().map(|(name, target)| (name.to_owned(), target.clone())).collect(),
    }
}

fn lock(folder: &Path) -> Result<File, RepositoryError> {
    let path = folder.join(".lock");
    let io = |source| RepositoryError::Io { path: path.clone(), source };
    for name in ["metadata", "targets"] {
        fs::create_dir_all(folder.join(name)).map_err(io)?;
    }
    let file = File::options().create(true).append(true).open(&path).map_err(io)?;
    file.lock().map_err(io)?;
    Ok(file)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), RepositoryError> {
    write_aside(path, bytes).map_err(|source| RepositoryError::Io { path: path.to_owned(), source })
}

/// Targets, then what names them, and last the timestamp, with which they count.
fn write_index(
    folder: &Path,
    kept: HashMap<String, Target>,
    files: Vec<(String, Vec<u8>)>,
    [targets, snapshot, timestamp]: [u64; 3],
    key: &PrivateKey,
    now: Timestamp,
) -> Result<(), RepositoryError> {
    let expires = after(now, INDEX_DAYS)?;
    let mut all = kept;
    for (name, bytes) in files {
        let target = target_of(&bytes);
        let path = folder.join("targets").join(file_name(&name, &target));
        if !path.exists() {
            write(&path, &bytes)?;
        }
        all.insert(name, target);
    }
    let metadata = |name: &str| folder.join("metadata").join(name);
    let mut role = Targets::new(SPEC.to_owned(), number(targets)?, expires);
    for (name, target) in all {
        role.add_target(TargetName::new(name).map_err(sign)?, target);
    }
    let bytes = signed(role, &[key])?;
    write(&metadata(&format!("{targets}.targets.json")), &bytes)?;
    let mut role = Snapshot::new(SPEC.to_owned(), number(snapshot)?, expires);
    role.meta.insert("targets.json".to_owned(), metafile(&bytes, targets)?);
    let bytes = signed(role, &[key])?;
    write(&metadata(&format!("{snapshot}.snapshot.json")), &bytes)?;
    let mut role = tough::schema::Timestamp::new(SPEC.to_owned(), number(timestamp)?, expires);
    role.meta.insert("snapshot.json".to_owned(), metafile(&bytes, snapshot)?);
    write(&metadata("timestamp.json"), &signed(role, &[key])?)
}

fn write_root(folder: &Path, root: &Signed<Root>) -> Result<(), RepositoryError> {
    let bytes = serde_json::to_vec(root).map_err(sign)?;
    let metadata = folder.join("metadata");
    write(&metadata.join(format!("{}.root.json", root.signed.version)), &bytes)?;
    write(&metadata.join("root.json"), &bytes)
}

fn signed_root(
    version: u64,
    root_key: &PrivateKey,
    signers: &[&PrivateKey],
    key: &PrivateKey,
    now: Timestamp,
) -> Result<Signed<Root>, RepositoryError> {
    let role = |key: &PublicKey| -> Result<RoleKeys, RepositoryError> {
        Ok(RoleKeys { keyids: vec![key_id(key)?], threshold: NonZeroU64::MIN, _extra: HashMap::new() })
    };
    let (root, index) = (role(&root_key.public())?, role(&key.public())?);
    let keys = [root_key.public(), key.public()];
    let keys = keys.iter().map(|key| Ok((key_id(key)?, tuf_key(key)))).collect::<Result<_, RepositoryError>>()?;
    let root = Root {
        spec_version: SPEC.to_owned(),
        consistent_snapshot: true,
        version: number(version)?,
        expires: after(now, ROOT_DAYS)?,
        keys,
        roles: HashMap::from([
            (RoleType::Root, root),
            (RoleType::Targets, index.clone()),
            (RoleType::Snapshot, index.clone()),
            (RoleType::Timestamp, index),
        ]),
        _extra: HashMap::new(),
    };
    sign_role(root, signers)
}

fn signed<T: Role>(role: T, keys: &[&PrivateKey]) -> Result<Vec<u8>, RepositoryError> {
    serde_json::to_vec(&sign_role(role, keys)?).map_err(sign)
}

fn sign_role<T: Role>(role: T, keys: &[&PrivateKey]) -> Result<Signed<T>, RepositoryError> {
    let message = role.canonical_form().map_err(sign)?;
    let signature = |key: &&PrivateKey| -> Result<Signature, RepositoryError> {
        let sig = key.sign_bytes(&message).ok_or_else(|| sign("it reads like a package's statement"))?;
        Ok(Signature { keyid: key_id(&key.public())?, sig: sig.to_vec().into() })
    };
    let signatures = keys.iter().map(signature).collect::<Result<_, _>>()?;
    Ok(Signed { signed: role, signatures })
}

fn tuf_key(key: &PublicKey) -> Key {
    let keyval = Ed25519Key { public: key.to_bytes().to_vec().into(), _extra: HashMap::new() };
    Key::Ed25519 { keyval, scheme: Ed25519Scheme::Ed25519, _extra: HashMap::new() }
}

fn key_id(key: &PublicKey) -> Result<tough::schema::decoded::Decoded<tough::schema::decoded::Hex>, RepositoryError> {
    tuf_key(key).key_id().map_err(sign)
}

fn target_of(bytes: &[u8]) -> Target {
    Target { length: bytes.len() as u64, hashes: hashes(bytes), custom: HashMap::new(), _extra: HashMap::new() }
}

fn hashes(bytes: &[u8]) -> Hashes {
    Hashes { sha256: Digest::of(bytes).as_bytes().to_vec().into(), _extra: HashMap::new() }
}

fn metafile(bytes: &[u8], version: u64) -> Result<Metafile, RepositoryError> {
    let length = Some(bytes.len() as u64);
    Ok(Metafile { length, hashes: Some(hashes(bytes)), version: number(version)?, _extra: HashMap::new() })
}

fn number(version: u64) -> Result<NonZeroU64, RepositoryError> {
    NonZeroU64::new(version).ok_or_else(|| RepositoryError::Sign("versions begin with 1".to_owned()))
}

fn after(now: Timestamp, days: i64) -> Result<Timestamp, RepositoryError> {
    now.checked_add(Span::new().hours(24 * days)).map_err(sign)
}

fn sign(error: impl std::fmt::Display) -> RepositoryError {
    RepositoryError::Sign(error.to_string())
}

/// Removes what neither the index before nor a reader in the middle of one needs.
fn sweep(folder: &Path, before: &Index) -> Result<(), RepositoryError> {
    let needed = before.signed().files();
    let old = SystemTime::now() - KEPT;
    for folder in ["metadata", "targets"].map(|name| folder.join(name)) {
        let io = |source| RepositoryError::Io { path: folder.clone(), source };
        for entry in fs::read_dir(&folder).map_err(io)? {
            let entry = entry.map_err(io)?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let is_new = entry.metadata().and_then(|about| about.modified()).map_err(io)? > old;
            let stays = name.ends_with("root.json") || name == "timestamp.json" || needed.contains(&*name);
            if !is_new && !stays {
                fs::remove_file(entry.path()).map_err(io)?;
            }
        }
    }
    Ok(())
}

//! This machine's copy of an index: the same files in the same two folders, so a
//! copy can be copied.
//!
//! `metadata/timestamp.json` is put in its place last. Until then the copy is
//! the old one, whatever else lies beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::stream;
use tempfile::TempDir;
use tough::{
    ExpirationEnforcement, IntoVec as _, Limits, Repository, RepositoryLoader, TargetName, Transport, TransportError,
    TransportErrorKind, TransportStream,
};
use url::Url;

use crate::source::{LocationError, Source};

/// What TUF's own files may have, in bytes, where nothing signed says it.
const LIMITS: Limits = Limits {
    max_root_size: 256 << 10,
    max_targets_size: 16 << 20,
    max_timestamp_size: 64 << 10,
    max_snapshot_size: 256 << 10,
    max_root_updates: 256,
};

const METADATA: &str = "metadata";
const TARGETS: &str = "targets";
const TIMESTAMP: &str = "timestamp.json";

/// The newest root that was verified, which is where the next search for one
/// begins: a key that was replaced must not come back.
const ROOT: &str = "root.json";

/// What time it was at the latest.
const CLOCK: &str = "latest_known_time.json";

/// Why an index is not believed, or not there.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The place is none.
    #[error(transparent)]
    Location(#[from] LocationError),
    /// TUF's rules are not met, or a file was not to be had: which says the text.
    #[error("the index at `{location}` is not accepted: {}", words(source.as_ref()))]
    Refused {
        /// Where it is.
        location: String,
        /// What is wrong.
        source: Box<tough::error::Error>,
    },
    /// A file cannot be had.
    #[error("the index at `{location}` cannot be read: {}", words(source))]
    Unreachable {
        /// Where it is.
        location: String,
        /// What is wrong.
        source: TransportError,
    },
    /// A file of the index is none, though it is signed.
    #[error(transparent)]
    File(#[from] crate::files::FileError),
    /// It is signed, and not there.
    #[error("the index has no `{0}`")]
    Missing(String),
    /// It is that of another marketplace.
    #[error("the index is that of `{found}`, and not of `{expected}`")]
    OtherName {
        /// Whose it is.
        found: vak_types::Name,
        /// Whose was asked for.
        expected: vak_types::Name,
    },
    /// There is no copy yet.
    #[error("nothing is known yet of what is published; run `vak update`")]
    NoCopy,
    /// Without what was accepted before, an older index could take its place.
    #[error("the copy of the index in `{}` is damaged; remove the folder, and look whether what comes then is new", .0.display())]
    Damaged(PathBuf),
    /// The copy cannot be read or changed.
    #[error("`{}`: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A folder with a copy of an index.
#[derive(Debug, Clone)]
pub(crate) struct Replica {
    folder: PathBuf,
}

/// TUF's files as they are in one moment, verified.
#[derive(Debug)]
pub(crate) struct Signed {
    repository: Repository,
    /// Where it was read from, to be told.
    location: String,
    /// The bytes from which all else follows.
    timestamp: Bytes,
    /// Where files are kept that were fetched and verified.
    replica: Option<Replica>,
    /// What TUF's library remembers while it is used.
    _known: Option<TempDir>,
}

impl Replica {
    pub(crate) fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn metadata(&self, name: &str) -> PathBuf {
        self.folder.join(METADATA).join(name)
    }

    fn target(&self, name: &str) -> PathBuf {
        self.folder.join(TARGETS).join(name)
    }

    /// Held while the copy is read or changed.
    pub(crate) fn lock(&self) -> Result<File, IndexError> {
        let path = self.folder.join(".lock");
        let io = |source| IndexError::Io { path: path.clone(), source };
        fs::create_dir_all(self.folder.join(METADATA)).map_err(io)?;
        fs::create_dir_all(self.folder.join(TARGETS)).map_err(io)?;
        let file = File::options().create(true).append(true).open(&path).map_err(io)?;
        file.lock().map_err(io)?;
        Ok(file)
    }

    /// The copy itself, verified as if it came from elsewhere. `root` is what the
    /// operator began with. Of its targets those that are missing come from `source`.
    pub(crate) async fn signed(&self, root: &[u8], source: &Source) -> Result<Signed, IndexError> {
        let timestamp = Bytes::from(read(&self.metadata(TIMESTAMP))?.ok_or(IndexError::NoCopy)?);
        let reading = Reading { replica: Some(self.clone()), offline: true, ..Reading::of(source.clone()) };
        self.load(root, reading, timestamp).await
    }

    pub(crate) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, IndexError> {
        read(&self.file(name))
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), IndexError> {
        write(self.file(name), bytes)
    }

    /// What `source` has now, verified, and whether that is anything new. Of what
    /// did not change nothing but the timestamp is asked for.
    ///
    /// To look for a new root too would be a second request, and would tell no
    /// more: whoever answers with an old timestamp can as well deny that there is
    /// a new root, and either ends when the timestamp expires.
    pub(crate) async fn renewed(&self, root: &[u8], source: &Source) -> Result<Option<Signed>, IndexError> {
        let location = source.location();
        let url = location.join(METADATA)?.join(TIMESTAMP).map_err(|_| LocationError::Unknown(location.to_string()))?;
        let timestamp = source.read(&url).await;
        let timestamp =
            timestamp.map_err(|source| IndexError::Unreachable { location: location.to_string(), source })?;
        if read(&self.metadata(TIMESTAMP))?.is_some_and(|known| known == timestamp) {
            return Ok(None);
        }
        let reading = Reading { replica: Some(self.clone()), ..Reading::of(source.clone()) };
        let reading = Reading { timestamp: Some(timestamp.clone()), ..reading };
        let heard = Arc::clone(&reading.heard);
        let signed = self.load(root, reading, timestamp).await?;
        // What is kept was verified, each file by the one before. Of what was only
        // heard, such as a root that nobody believed, nothing is.
        let heard = std::mem::take(&mut *heard.lock().unwrap_or_else(PoisonError::into_inner));
        let files = signed.files();
        for (name, bytes) in heard.iter().filter(|(name, _)| files.contains(*name)) {
            write(self.metadata(name), bytes)?;
        }
        if let Some(newest) = heard.get(&format!("{}.root.json", signed.root_version())) {
            write(self.metadata(ROOT), newest)?;
        }
        Ok(Some(signed))
    }

    /// From here on what `signed` says counts; what is no part of it goes.
    pub(crate) fn accept(&self, signed: &Signed) -> Result<(), IndexError> {
        write(self.metadata(TIMESTAMP), &signed.timestamp)?;
        let current = signed.files();
        for (folder, keep) in [(METADATA, ROOT), (TARGETS, "")] {
            let folder = self.folder.join(folder);
            let io = |source| IndexError::Io { path: folder.clone(), source };
            for entry in fs::read_dir(&folder).map_err(io)? {
                let name = entry.map_err(io)?.file_name();
                let name = name.to_string_lossy();
                if name != keep && name != TIMESTAMP && !name.starts_with('.') && !current.contains(&*name) {
                    fs::remove_file(folder.join(&*name)).map_err(io)?;
                }
            }
        }
        Ok(())
    }

    async fn load(&self, root: &[u8], reading: Reading, timestamp: Bytes) -> Result<Signed, IndexError> {
        let root = read(&self.metadata(ROOT))?.unwrap_or_else(|| root.to_vec());
        let known = tempfile::tempdir().map_err(|source| IndexError::Io { path: std::env::temp_dir(), source })?;
        self.remember(known.path())?;
        let replica = reading.replica.clone();
        let location = reading.source.location().clone();
        let repository = load(&root, reading, Some(known.path()), ExpirationEnforcement::Safe).await?;
        if let Some(now) = read(&known.path().join(CLOCK))? {
            write(self.file(CLOCK), &now)?;
        }
        Ok(Signed { repository, location: location.to_string(), timestamp, replica, _known: Some(known) })
    }

    /// What was accepted before, for TUF's library to compare with: nothing may
    /// be older than that. It takes it from a folder of its own, whose files it
    /// writes in place, so it gets another one each time.
    fn remember(&self, folder: &Path) -> Result<(), IndexError> {
        let Some(timestamp) = read(&self.metadata(TIMESTAMP))? else { return Ok(()) };
        let snapshot = self.behind(&timestamp, TIMESTAMP, "snapshot.json")?;
        let targets = self.behind(&snapshot, "snapshot.json", "targets.json")?;
        let files = [(TIMESTAMP, timestamp), ("snapshot.json", snapshot), ("targets.json", targets)];
        let clock = read(&self.file(CLOCK))?.map(|time| (CLOCK, time));
        for (name, bytes) in files.into_iter().chain(clock) {
            let path = folder.join(name);
            fs::write(&path, bytes).map_err(|source| IndexError::Io { path, source })?;
        }
        Ok(())
    }

    /// The file that `bytes` name, which has to be there: if what was accepted
    /// before can't be read, an older index could take its place.
    fn behind(&self, bytes: &[u8], of: &str, name: &str) -> Result<Vec<u8>, IndexError> {
        #[derive(serde::Deserialize)]
        struct Signed {
            signed: Meta,
        }
        #[derive(serde::Deserialize)]
        struct Meta {
            meta: BTreeMap<String, Version>,
        }
        #[derive(serde::Deserialize)]
        struct Version {
            version: u64,
        }
        let damaged = || IndexError::Damaged(self.folder.clone());
        let parsed: Signed = crate::files::json(of, bytes).map_err(|_| damaged())?;
        let version = parsed.signed.meta.get(name).ok_or_else(damaged)?.version;
        read(&self.metadata(&format!("{version}.{name}")))?.ok_or_else(damaged)
    }
}

impl Signed {
    /// What the folder of a marketplace has, for who signs it: it may have
    /// expired.
    pub(crate) async fn of_folder(folder: &Path) -> Result<Self, IndexError> {
        let root = read(&folder.join(METADATA).join(ROOT))?.ok_or(IndexError::NoCopy)?;
        let reading = Reading::of(Source::folder(folder.to_owned()));
        let timestamp = read(&folder.join(METADATA).join(TIMESTAMP))?.unwrap_or_default();
        let repository = load(&root, reading, None, ExpirationEnforcement::Unsafe).await?;
        let location = folder.display().to_string();
        Ok(Self { repository, location, timestamp: timestamp.into(), replica: None, _known: None })
    }

    /// A file of the index, of which digest and length are signed.
    pub(crate) async fn target(&self, name: &str) -> Result<Vec<u8>, IndexError> {
        let missing = || IndexError::Missing(name.to_owned());
        let refused = |source| IndexError::refused(&self.location, source);
        let target = TargetName::new(name).map_err(refused)?;
        let stream = self.repository.read_target(&target).await.map_err(refused)?.ok_or_else(missing)?;
        let bytes = stream.into_vec().await.map_err(refused)?;
        if let Some(replica) = &self.replica {
            let path = replica.target(&self.file_of(name).ok_or_else(missing)?);
            if !path.exists() {
                write(path, &bytes)?;
            }
        }
        Ok(bytes)
    }

    /// The names of all files of the index.
    pub(crate) fn targets(&self) -> impl Iterator<Item = (&str, &tough::schema::Target)> {
        self.repository.targets().signed.targets.iter().map(|(name, target)| (name.raw(), target))
    }

    /// The versions of targets, snapshot and timestamp.
    pub(crate) fn versions(&self) -> [u64; 3] {
        [
            self.repository.targets().signed.version.get(),
            self.repository.snapshot().signed.version.get(),
            self.repository.timestamp().signed.version.get(),
        ]
    }

    pub(crate) fn root(&self) -> &tough::schema::Signed<tough::schema::Root> {
        self.repository.root()
    }

    fn root_version(&self) -> u64 {
        self.repository.root().signed.version.get()
    }

    /// Until when it counts.
    pub(crate) fn expires(&self) -> jiff::Timestamp {
        self.repository.timestamp().signed.expires
    }

    fn file_of(&self, name: &str) -> Option<String> {
        let (_, target) = self.targets().find(|(other, _)| *other == name)?;
        Some(file_name(name, target))
    }

    /// The names of all that belongs to it.
    pub(crate) fn files(&self) -> BTreeSet<String> {
        let [targets, snapshot, _] = self.versions();
        let roots = (1..=self.root_version()).map(|version| format!("{version}.root.json"));
        let metadata = [format!("{targets}.targets.json"), format!("{snapshot}.snapshot.json")];
        roots.chain(metadata).chain(self.targets().map(|(name, target)| file_name(name, target))).collect()
    }
}

/// What a target's file is called, so that those of two versions are two files.
pub(crate) fn file_name(name: &str, target: &tough::schema::Target) -> String {
    let hex = target.hashes.sha256.iter().map(|byte| format!("{byte:02x}"));
    format!("{}.{name}", hex.collect::<String>())
}

async fn load(
    root: &[u8],
    reading: Reading,
    known: Option<&Path>,
    expiration: ExpirationEnforcement,
) -> Result<Repository, IndexError> {
    let location = reading.source.location().clone();
    let loader = RepositoryLoader::new(&root, location.join(METADATA)?, location.join(TARGETS)?);
    let loader = loader.transport(reading).limits(LIMITS).expiration_enforcement(expiration);
    let loader = match known {
        Some(folder) => loader.datastore(folder),
        None => loader,
    };
    loader.load().await.map_err(|source| IndexError::refused(&location.to_string(), source))
}

/// How TUF's library gets files.
#[derive(Debug, Clone)]
struct Reading {
    source: Source,
    /// Whose files need not be fetched again: their names have versions or digests
    /// in them, and they are verified like all others.
    replica: Option<Replica>,
    /// What was fetched already.
    timestamp: Option<Bytes>,
    /// Whether metadata comes from the copy alone.
    offline: bool,
    /// Metadata as it was fetched.
    heard: Arc<Mutex<BTreeMap<String, Bytes>>>,
}

impl Reading {
    fn of(source: Source) -> Self {
        Self { source, replica: None, timestamp: None, offline: false, heard: Arc::default() }
    }

    async fn read(&self, url: &Url) -> Result<Bytes, TransportError> {
        let name = url.path_segments().and_then(Iterator::last).unwrap_or_default();
        let is_target = url.path().ends_with(&format!("/{TARGETS}/{name}"));
        if let (TIMESTAMP, Some(timestamp)) = (name, &self.timestamp) {
            return Ok(timestamp.clone());
        }
        if let Some(replica) = &self.replica {
            let path = if is_target { replica.target(name) } else { replica.metadata(name) };
            // It is verified like what comes from elsewhere.
            if let Ok(bytes) = fs::read(path) {
                return Ok(bytes.into());
            }
        }
        if self.offline && !is_target {
            return Err(TransportError::new(TransportErrorKind::FileNotFound, url));
        }
        let bytes = self.source.read(url).await?;
        if self.replica.is_some() && !is_target {
            self.heard.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), bytes.clone());
        }
        Ok(bytes)
    }
}

#[async_trait::async_trait]
impl Transport for Reading {
    async fn fetch(&self, url: Url) -> Result<TransportStream, TransportError> {
        let bytes = self.read(&url).await?;
        Ok(Box::pin(stream::iter([Ok(bytes)])))
    }
}

impl IndexError {
    fn refused(location: &str, source: tough::error::Error) -> Self {
        Self::Refused { location: location.to_owned(), source: Box::new(source) }
    }
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, IndexError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(IndexError::Io { path: path.to_owned(), source }),
    }
}

fn write(path: PathBuf, bytes: &[u8]) -> Result<(), IndexError> {
    vak_trust::write_aside(&path, bytes).map_err(|source| IndexError::Io { path, source })
}

/// An error with its causes, which its own text leaves out.
pub(crate) fn words(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    causes.fold(error.to_string(), |text, cause| match cause.to_string() {
        cause if text.contains(&cause) => text,
        cause => format!("{text}: {cause}"),
    })
}

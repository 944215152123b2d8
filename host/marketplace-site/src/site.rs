//! The index that is shown, which follows the folder.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use vak_marketplace::{Index, IndexError};

use crate::gate::Gate;
use crate::shown::Shown;

/// How often the folder is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// When what did not verify is tried again although the folder looks the same:
/// the disk may have been full, or a file been late.
const AGAIN: Duration = Duration::from_secs(10);

/// A marketplace's folder, and what it says.
#[derive(Debug)]
pub struct Site {
    pub(crate) folder: PathBuf,
    pub(crate) gate: Gate,
    shown: RwLock<Arc<Shown>>,
    seen: Mutex<Seen>,
}

/// What is known of the folder.
#[derive(Debug)]
struct Seen {
    stamp: Stamp,
    looked: Instant,
    reading: bool,
    /// Whether what is there now is not shown, since it does not verify.
    refused: bool,
}

/// What changes with every change of the index: its timestamp is put there last,
/// as another file. None if it is not there.
type Stamp = Option<(u64, i64, i64, u64)>;

impl Site {
    /// Reads and verifies the index in `folder`, with the root that is there.
    ///
    /// # Errors
    /// There is none, or it does not verify.
    pub async fn open(folder: PathBuf) -> Result<Arc<Self>, IndexError> {
        let stamp = stamp(&folder);
        let shown = Shown::of(Index::of_folder(&folder).await?).await?;
        let seen = Seen { stamp, looked: Instant::now(), reading: false, refused: false };
        let (shown, seen) = (RwLock::new(Arc::new(shown)), Mutex::new(seen));
        Ok(Arc::new(Self { folder, gate: Gate::new(), shown, seen }))
    }

    /// What is shown now. If the folder has changed it is read, and shown from
    /// then on if it verifies.
    pub(crate) fn shown(self: &Arc<Self>) -> Arc<Shown> {
        if self.has_changed() {
            let (site, runtime) = (Arc::clone(self), Handle::current());
            // Hashing and parsing all of an index takes a while.
            let read = tokio::task::spawn_blocking(move || runtime.block_on(site.read()));
            drop(read);
        }
        Arc::clone(&self.shown.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether what is in the folder is not what is shown, because it does not
    /// verify.
    pub(crate) fn is_stale(&self) -> bool {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).refused
    }

    /// Whether it is time to read it: then whoever asks has to.
    fn has_changed(&self) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let since = seen.looked.elapsed();
        if seen.reading || since < LOOK {
            return false;
        }
        let changed = stamp(&self.folder) != seen.stamp || seen.refused && since >= AGAIN;
        if changed || !seen.refused {
            seen.looked = Instant::now();
        }
        seen.reading = changed;
        changed
    }

    async fn read(&self) {
        // Whatever happens, it is read again when it changes again.
        let _reading = Reading(&self.seen);
        let stamp = stamp(&self.folder);
        let read = match Index::of_folder(&self.folder).await {
            Ok(index) => Shown::of(index).await,
            Err(error) => Err(error),
        };
        let refused = read.is_err();
        match read {
            Ok(shown) => {
                tracing::info!("the index has changed; it has {} packages", shown.packages.len());
                *self.shown.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(shown);
            }
            Err(error) => tracing::error!("the index has changed and is not shown: {error}"),
        }
        let seen = Seen { stamp, looked: Instant::now(), reading: true, refused };
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = seen;
    }
}

/// While the folder is read.
struct Reading<'a>(&'a Mutex<Seen>);

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).reading = false;
    }
}

fn stamp(folder: &Path) -> Stamp {
    let about = std::fs::metadata(folder.join("metadata/timestamp.json")).ok()?;
    Some((about.ino(), about.mtime(), about.mtime_nsec(), about.len()))
}

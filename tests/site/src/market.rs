//! A folder with a signed index.

use std::path::Path;

use jiff::Timestamp;
use tempfile::TempDir;
use vak_marketplace::{Edit, Entry, Publisher, Repository};
use vak_trust::PrivateKey;
use vak_types::Name;

/// A marketplace of one test. Removed when it is dropped.
pub struct Market {
    folder: TempDir,
    root: PrivateKey,
    /// What signs the index.
    pub key: PrivateKey,
    /// What the publishers `acme` and `nightly` sign with.
    pub publishers: [(Name, PrivateKey); 2],
}

impl Default for Market {
    fn default() -> Self {
        Self::new()
    }
}

impl Market {
    /// An index with two publishers and no packages, whose images are in a folder
    /// beside it.
    pub fn new() -> Self {
        let key = || PrivateKey::generate().unwrap();
        let publishers = ["acme", "nightly"].map(|name| (name.parse().unwrap(), key()));
        Self { folder: tempfile::tempdir().unwrap(), root: key(), key: key(), publishers }.begun()
    }

    fn begun(self) -> Self {
        let registry = self.folder.path().join("images").display().to_string();
        block_on(async {
            let (index, name) = (self.index(), "commons".parse().unwrap());
            let made = Repository::create(&index, name, registry, &self.root, &self.key, Timestamp::now());
            drop(made.await.unwrap());
        });
        self.change(async |edit| {
            for (name, key) in &self.publishers {
                edit.set_publisher(name.clone(), Publisher { keys: vec![key.public()], names: Vec::new() }).unwrap();
            }
        });
        self
    }

    /// The folder of the index.
    pub fn index(&self) -> std::path::PathBuf {
        self.folder.path().join("index")
    }

    /// The folder for whatever else a test needs.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Changes the index, and signs it.
    pub fn change(&self, change: impl AsyncFnOnce(&mut Edit<'_>)) {
        block_on(async {
            let repository = Repository::open(&self.index()).await.unwrap();
            let mut edit = repository.edit().await.unwrap();
            change(&mut edit).await;
            let edited = edit.finish().await.unwrap();
            repository.commit(edited, &self.key, Timestamp::now()).await.unwrap();
        });
    }

    /// Puts packages there.
    pub fn put(&self, entries: impl IntoIterator<Item = Entry>) {
        self.change(async |edit| {
            for entry in entries {
                edit.put(entry).await.unwrap();
            }
        });
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

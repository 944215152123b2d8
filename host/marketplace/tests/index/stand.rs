//! A marketplace in a folder, and a reader of it.

use std::path::{Path, PathBuf};

use jiff::{Span, Timestamp};
use tempfile::TempDir;
use vak_marketplace::{Edit, Index, Location, Marketplace, Publisher, Repository, Source, Withdrawn};
use vak_oci::{Images, Settings};
use vak_registry::WithdrawalKind;
use vak_trust::{Manifest, Package, PrivateKey, Validity};
use vak_types::Name;

pub(crate) struct Stand {
    folder: TempDir,
    pub(crate) root_key: PrivateKey,
    pub(crate) key: PrivateKey,
    pub(crate) publisher: PrivateKey,
}

pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

pub(crate) fn days_ago(days: i64) -> Timestamp {
    now().checked_sub(Span::new().hours(24 * days)).unwrap()
}

/// A package that differs from others in its name and version.
pub(crate) fn package(key: &PrivateKey, name: &str, version: &str) -> Package {
    let wat = format!("(component (core module (@custom \"{name} {version}\" \"\")))");
    let manifest = format!(
        "name = '{name}'\nversion = '{version}'\nkind = 'skill'\ndescription = 'Does {name}.'\nlicense = 'MIT'\n[grants]\nclock = true\n"
    );
    let manifest = Manifest::from_toml(&manifest).unwrap();
    let at = vak_types::Timestamp::from_nanos(u64::try_from(days_ago(1).as_nanosecond()).unwrap());
    Package::unsigned(wat::parse_str(wat).unwrap(), &manifest).sign(key, Validity::since(at))
}

pub(crate) fn why(kind: WithdrawalKind) -> Withdrawn {
    Withdrawn { kind, reason: "it does harm".parse().unwrap(), since: now(), advisory: None }
}

impl Stand {
    /// With the publisher `acme`.
    pub(crate) async fn new() -> Self {
        Self::at(now()).await
    }

    pub(crate) async fn at(now: Timestamp) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [root_key, key, publisher] = std::array::from_fn(|_| PrivateKey::generate().unwrap());
        let stand = Self { folder, root_key, key, publisher };
        let images = stand.folder.path().join("images").display().to_string();
        let created =
            Repository::create(&stand.index(), name("market"), images, &stand.root_key, &stand.key, now).await;
        drop(created.unwrap());
        let acme = Publisher { keys: vec![stand.publisher.public()], names: Vec::new() };
        stand.edit_at(now, async |edit| edit.set_publisher(name("acme"), acme).unwrap()).await;
        stand
    }

    pub(crate) fn index(&self) -> PathBuf {
        self.folder.path().join("index")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn images(&self) -> Images {
        let folder = self.folder.path().join("images").display().to_string();
        Images::open(&folder.parse().unwrap(), Settings::default()).unwrap()
    }

    pub(crate) async fn edit(&self, change: impl AsyncFnOnce(&mut Edit<'_>)) {
        self.edit_at(now(), change).await;
    }

    pub(crate) async fn edit_at(&self, now: Timestamp, change: impl AsyncFnOnce(&mut Edit<'_>)) {
        let repository = Repository::open(&self.index()).await.unwrap();
        let mut edit = repository.edit().await.unwrap();
        change(&mut edit).await;
        let edited = edit.finish().await.unwrap();
        repository.commit(edited, &self.key, now).await.unwrap();
    }

    pub(crate) async fn publish(&self, name: &str, version: &str) {
        let repository = Repository::open(&self.index()).await.unwrap();
        let package = package(&self.publisher, name, version);
        repository.publish(package, None, &self.images(), &self.key, now()).await.unwrap();
    }

    /// The first root, as operators have it.
    pub(crate) fn root(&self) -> Vec<u8> {
        std::fs::read(self.index().join("metadata/1.root.json")).unwrap()
    }

    /// A reader whose copy is in the folder `copy`.
    pub(crate) fn reader(&self, copy: &str) -> Marketplace {
        self.reader_of(copy, Source::new(Location::Folder(self.index())).unwrap())
    }

    pub(crate) fn reader_of(&self, copy: &str, source: Source) -> Marketplace {
        Marketplace::new(name("market"), source, self.root(), self.path(copy))
    }

    /// All files of the index as they are now, to put them back later.
    pub(crate) fn keep(&self, name: &str) {
        copy(&self.index(), &self.path(name));
    }

    /// Puts the index back.
    pub(crate) fn put_back(&self, name: &str) {
        std::fs::remove_dir_all(self.index()).unwrap();
        copy(&self.path(name), &self.index());
    }
}

pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => drop(std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
        }
    }
}

/// The names of all packages that a reader sees.
pub(crate) async fn seen(index: &Index) -> Vec<String> {
    index.entries().await.unwrap().into_iter().map(|entry| entry.name.to_string()).collect()
}

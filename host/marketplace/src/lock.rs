//! `vak.lock`: exactly what was added, so that the same can be installed again.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};
use vak_trust::write_aside;
use vak_types::{Digest, Name};

const FORMAT: u32 = 1;

/// What stands above the file, for whoever opens it.
const HEAD: &str = "# What `vak add` and `vak update` installed. `vak add --locked` installs the same again.\n";

/// Packages and the digests that they were added with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    /// By name.
    pub packages: BTreeMap<Name, Locked>,
}

/// What was added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Locked {
    /// From where.
    pub marketplace: Name,
    /// Which versions were asked for.
    pub range: VersionReq,
    /// Which one it is.
    pub version: Version,
    /// Its component.
    pub component: Digest,
    /// Its packed manifest.
    pub manifest: Digest,
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    format: u32,
    #[serde(default, rename = "package")]
    packages: BTreeMap<Name, Locked>,
}

/// Why a lock file was not read or changed.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// The file cannot be read or written.
    #[error("`{}`: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is no lock file.
    #[error("the lock file `{}`: {source}", path.display())]
    Text {
        /// Which file.
        path: PathBuf,
        /// What is wrong and where.
        source: toml::de::Error,
    },
    /// It was written by a later version.
    #[error("the lock file `{}` has format {format}, this program reads {FORMAT}; update it", path.display())]
    Format {
        /// Which file.
        path: PathBuf,
        /// Its format.
        format: u32,
    },
    /// It can't be written as text.
    #[error("the lock file can't be written: {0}")]
    Print(#[from] toml::ser::Error),
}

impl Lock {
    /// Reads a lock file; one that is not there has no packages.
    ///
    /// # Errors
    /// It is there and none.
    pub fn read(path: &Path) -> Result<Self, LockError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(LockError::Io { path: path.to_owned(), source }),
        };
        let of_text = |source| LockError::Text { path: path.to_owned(), source };
        let Text { format, packages } = toml::from_str(&text).map_err(of_text)?;
        match format {
            FORMAT => Ok(Self { packages }),
            format => Err(LockError::Format { path: path.to_owned(), format }),
        }
    }

    /// Changes a lock file. Two who do so at once do it one after the other; the
    /// file is the old one or the new one, whole.
    ///
    /// # Errors
    /// It cannot be read or written.
    pub fn change(path: &Path, change: impl FnOnce(&mut Self)) -> Result<(), LockError> {
        let io = |source| LockError::Io { path: path.to_owned(), source };
        let guard = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let guard = File::open(guard).map_err(io)?;
        guard.lock().map_err(io)?;
        let mut lock = Self::read(path)?;
        let before = lock.clone();
        change(&mut lock);
        if lock == before {
            return Ok(());
        }
        let text = toml::to_string(&Text { format: FORMAT, packages: lock.packages })?;
        write_aside(path, format!("{HEAD}{text}").as_bytes()).map_err(io)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locked(version: &str) -> Locked {
        Locked {
            marketplace: "vak".parse().unwrap(),
            range: "^0.1".parse().unwrap(),
            version: version.parse().unwrap(),
            component: Digest::of(b"component"),
            manifest: Digest::of(b"manifest"),
        }
    }

    #[test]
    fn what_was_added_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vak.lock");
        assert_eq!(Lock::read(&path).unwrap(), Lock::default());
        std::thread::scope(|scope| {
            for number in 0..8 {
                let path = &path;
                scope.spawn(move || {
                    let name: Name = format!("skill-{number}").parse().unwrap();
                    Lock::change(path, |lock| drop(lock.packages.insert(name, locked("0.1.0")))).unwrap();
                });
            }
        });
        assert_eq!(Lock::read(&path).unwrap().packages.len(), 8);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("# What `vak add`"), "{text}");
        std::fs::write(&path, text.replace("format = 1", "format = 2")).unwrap();
        assert!(matches!(Lock::read(&path), Err(LockError::Format { format: 2, .. })));
        std::fs::write(&path, text.replace("marketplace", "market")).unwrap();
        assert!(Lock::read(&path).is_err());
    }
}

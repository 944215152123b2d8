//! The folder that a case's host runs in.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use vak::PrivateKey;
use vak_test_support::{components, publisher};

/// The case's files, a log key and, where the configuration asks for them,
/// components without their signatures in `unsigned/`. Removed when dropped.
pub(crate) struct Site(TempDir);

/// Compiled code for all cases of this run. A component takes seconds to
/// compile in a development build, and most cases have the same rules.
pub(crate) struct Compiled(TempDir);

impl Compiled {
    pub(crate) fn none() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
}

impl Site {
    pub(crate) fn of(case: &Path, compiled: &Compiled) -> Self {
        let site = Self(tempfile::tempdir().unwrap());
        for file in files(case) {
            fs::copy(&file, site.path(file.file_name().unwrap())).unwrap();
        }
        let config = fs::read_to_string(case.join("vak.toml.in")).unwrap();
        let components = components();
        let config = config.replace("${COMPONENTS}", components.to_str().unwrap());
        let config = config.replace("${PUBLISHER}", &publisher());
        if config.contains("\"unsigned/") {
            site.add_unsigned(&components);
        }
        fs::write(site.config(), config).unwrap();
        fs::create_dir(site.path("state")).unwrap();
        symlink(compiled.0.path(), site.path("state/compiled")).unwrap();
        PrivateKey::generate().unwrap().write(&site.path("log.key")).unwrap();
        site
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.path("vak.toml")
    }

    fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    fn add_unsigned(&self, components: &Path) {
        let folder = self.path("unsigned");
        fs::create_dir(&folder).unwrap();
        for name in ["rules.wasm", "rules.manifest.json"] {
            fs::copy(components.join(name), folder.join(name)).unwrap();
        }
    }
}

fn files(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file())
}

//! A folder with a host in it, for tests and benchmarks.
//!
//! ```
//! use vak_test_support::Site;
//!
//! let site = Site::new().rules("[[rule]]\nid = 'all'\neffect = 'permit'\n").skill("calculator");
//! let host = site.host();
//! assert_eq!(host.policies().len(), 1);
//! ```

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::missing_panics_doc)]

mod docker;

use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

pub use docker::Docker;
use tempfile::TempDir;
use vak::{Config, Host, PrivateKey};

/// The folder of signed components that `cargo xtask build-components` fills.
pub fn components() -> PathBuf {
    let folder = std::env::var_os("VAK_COMPONENTS").map(PathBuf::from);
    let folder = folder.filter(|folder| folder.join("publisher.pub").exists());
    folder.expect("the components are not built; run `cargo xtask build-components` first")
}

/// The publisher's public key, as `trust.keys` takes it.
pub fn publisher() -> String {
    std::fs::read_to_string(components().join("publisher.pub")).unwrap().trim().to_owned()
}

/// The publisher's private key.
pub fn publisher_key() -> PrivateKey {
    PrivateKey::read(&components().join("publisher.key")).unwrap()
}

/// A program of this workspace, from the same build as the running test.
pub fn binary(name: &str) -> PathBuf {
    let folder = std::env::current_exe().unwrap();
    let folder = folder.ancestors().find(|folder| folder.join(name).is_file());
    folder.unwrap_or_else(|| panic!("`{name}` is not built; run `cargo xtask test`")).join(name)
}

/// A temporary folder with a `vak.toml`, a log key and rules. Removed when it
/// is dropped.
pub struct Site {
    folder: TempDir,
    sections: String,
}

impl Default for Site {
    fn default() -> Self {
        Self::new()
    }
}

impl Site {
    /// A host without policies, which denies everything.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        PrivateKey::generate().unwrap().write(&folder.path().join("log.key")).unwrap();
        let site = Self { folder, sections: String::new() };
        site.write();
        site
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The configuration's file.
    pub fn config(&self) -> PathBuf {
        self.path().join("vak.toml")
    }

    /// With the first-party policy `rules`, which may permit.
    #[must_use]
    pub fn rules(self, rules: &str) -> Self {
        std::fs::write(self.path().join("rules.toml"), rules).unwrap();
        self.share_compiled();
        let component = components().join("rules.wasm");
        let component = component.display();
        self.section(&format!(
            "[[policies]]\nname = 'rules'\ncomponent = '{component}'\nconfig = 'rules.toml'\nmay_permit = true"
        ))
    }

    /// With a skill from the folder of components.
    #[must_use]
    pub fn skill(self, name: &str) -> Self {
        let component = components().join(format!("{name}.wasm"));
        let component = component.display();
        self.section(&format!("[[skills]]\nname = '{name}'\ncomponent = '{component}'"))
    }

    /// With another part of the configuration.
    #[must_use]
    pub fn section(mut self, section: &str) -> Self {
        self.sections.push_str(section);
        self.sections.push('\n');
        self.write();
        self
    }

    /// The host in this folder.
    pub fn host(&self) -> Host {
        self.try_host().unwrap_or_else(|error| panic!("{error}"))
    }

    /// The host in this folder, or why it does not start.
    ///
    /// # Errors
    /// The configuration does not load.
    pub fn try_host(&self) -> Result<Host, vak::BuildError> {
        Host::builder(Config::load(&self.config(), &[])?).build()
    }

    /// Rules take seconds to compile in a development build, and most tests have
    /// the same: they share what was compiled, until components are built again.
    fn share_compiled(&self) {
        let (state, shared) = (self.path().join("state"), components().join(".compiled"));
        std::fs::create_dir_all(&state).unwrap();
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&shared).unwrap();
        std::os::unix::fs::symlink(shared, state.join("compiled")).unwrap();
    }

    fn write(&self) {
        let head = format!(
            "state = 'state'\ntrust.keys = [{{ name = 'publisher', public = '{}', may_permit = true }}]\n\
             audit = {{ origin = 'example.org/test', key = 'log.key' }}\n",
            publisher()
        );
        std::fs::write(self.config(), head + &self.sections).unwrap();
    }
}

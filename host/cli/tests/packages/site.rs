//! A folder with a configuration, two publishers and packages by them.

use std::path::{Path, PathBuf};
use std::process::Command;

use vak_registry::Store;
use vak_trust::{Manifest, Package, PrivateKey, TrustPolicy, Unsigned, Validity};
use vak_types::Timestamp;

/// When everything is signed.
pub(crate) const SIGNED_AT: &str = "2026-01-02T03:04:05Z";

pub(crate) struct Site {
    folder: tempfile::TempDir,
    pub(crate) ann: PrivateKey,
    pub(crate) bob: PrivateKey,
}

/// What a command printed and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Site {
    pub(crate) fn new() -> Self {
        let site = Self {
            folder: tempfile::tempdir().unwrap(),
            ann: PrivateKey::generate().unwrap(),
            bob: PrivateKey::generate().unwrap(),
        };
        PrivateKey::generate().unwrap().write(&site.path("log.key")).unwrap();
        site.configure("", "");
        site
    }

    /// Writes `vak.toml` with more about trust, and more sections.
    pub(crate) fn configure(&self, trust: &str, sections: &str) {
        let text = format!(
            "state = 'state'\n\
             [audit]\norigin = 'example.org/cli'\nkey = 'log.key'\n\
             [trust]\n{trust}\n\
             [[trust.keys]]\nname = 'ann'\npublic = '{}'\nroles = ['publisher', 'reviewer']\n\
             [[trust.keys]]\nname = 'bob'\npublic = '{}'\n\
             {sections}",
            self.ann.public(),
            self.bob.public()
        );
        std::fs::write(self.path("vak.toml"), text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn store(&self) -> Store {
        Store::at(self.path("state/store"))
    }

    pub(crate) fn trust(&self) -> TrustPolicy {
        TrustPolicy::of_publishers([self.ann.public(), self.bob.public()])
    }

    /// Writes `FILE.wasm`, a component made from text, signed by ann.
    pub(crate) fn package(&self, file: &str, manifest: &str, component: &str) -> Package {
        self.signed(file, manifest, wat::parse_str(component).unwrap(), &self.ann)
    }

    pub(crate) fn signed(&self, file: &str, manifest: &str, component: Vec<u8>, key: &PrivateKey) -> Package {
        let package = Package::unsigned(component, &Manifest::from_toml(manifest).unwrap());
        let package = package.sign(key, Validity::new(SIGNED_AT.parse().unwrap(), None).unwrap());
        package.write(&self.path(&format!("{file}.wasm"))).unwrap();
        package
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vak"));
        command.args(arguments).current_dir(self.folder.path()).stdin(std::process::Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(&mut self.command(arguments))
    }

    /// Runs a command that has to succeed.
    #[track_caller]
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let Ran { code, out, err } = self.run(arguments);
        assert_eq!(code, 0, "{arguments:?}: {out}{err}");
        out
    }

    /// Runs a command that has to end with `code` and say `part`.
    #[track_caller]
    pub(crate) fn fails(&self, arguments: &[&str], code: i32, part: &str) {
        let ran = self.run(arguments);
        assert!(ran.code == code && ran.err.contains(part), "{arguments:?}: {ran:?}");
    }

    /// The store holds at most one package, whole and trusted, and no garbage
    /// if nobody was interrupted. Its version.
    #[track_caller]
    pub(crate) fn whole(&self, now: Timestamp) -> Option<String> {
        let names = self.store().list().unwrap();
        assert!(names.len() <= 1, "{names:?}");
        let package = self.store().get(names.first()?).unwrap();
        let verified = self.trust().verify(package, Unsigned::Refuse, now).unwrap();
        Some(verified.get().manifest.version.to_string())
    }

    /// How many files are in a folder of the store.
    pub(crate) fn count(&self, folder: &str) -> usize {
        std::fs::read_dir(self.path("state/store").join(folder)).unwrap().count()
    }
}

impl Ran {
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// A manifest's first lines.
pub(crate) fn manifest(name: &str, version: &str, kind: &str) -> String {
    format!("name = '{name}'\nversion = '{version}'\nkind = '{kind}'\ndescription = 'Does.'\nlicense = 'MIT'\n")
}

/// What it is now, to the host.
pub(crate) fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_nanos(u64::try_from(since.as_nanos()).unwrap())
}

/// Text with each digest cut to what is the same in every run.
pub(crate) fn without_digests(text: &str) -> String {
    let mut parts = text.split("sha256:");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        format!("{text}sha256:…{}", part.trim_start_matches(|it: char| it.is_ascii_hexdigit()))
    })
}

/// All files below a folder with their content.
pub(crate) fn snapshot(folder: &Path) -> std::collections::BTreeMap<PathBuf, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| match path.is_dir() {
        true => snapshot(&path).into_iter().collect::<Vec<_>>(),
        false => vec![(path.clone(), std::fs::read(&path).unwrap())],
    });
    files.collect()
}

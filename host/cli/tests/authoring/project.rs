//! Projects in temporary folders, and the tools that they share.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, OnceLock};

use tempfile::TempDir;

/// A project that `vak new` wrote.
pub(crate) struct Project {
    folder: TempDir,
    name: String,
}

/// What a command printed, both streams, and whether it ended well.
pub(crate) struct Ran {
    pub(crate) well: bool,
    pub(crate) said: String,
}

/// The tools that `cargo xtask test` installs, so that no project has to.
pub(crate) fn node_modules() -> PathBuf {
    installed("npm-sdk/node_modules")
}

/// The same for Python.
pub(crate) fn venv() -> PathBuf {
    installed("python-guest")
}

fn installed(folder: &str) -> PathBuf {
    let folder = vak_test_support::components().parent().unwrap().join(folder);
    assert!(folder.exists(), "`{}` is not installed; run `cargo xtask test rust`", folder.display());
    folder
}

/// The `vak` of this build. Rust projects share a folder for what is compiled.
pub(crate) fn vak() -> Command {
    let mut vak = Command::new(env!("CARGO_BIN_EXE_vak"));
    vak.env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("authoring"));
    vak.env("VAK_NODE_MODULES", node_modules()).env("VAK_VENV", venv());
    vak
}

pub(crate) fn ran(command: &mut Command) -> Ran {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let said = [stdout, stderr].map(|stream| String::from_utf8(stream).unwrap()).concat();
    Ran { well: status.success(), said }
}

/// Rust projects write to one file of the shared folder.
static CARGO: Mutex<()> = Mutex::new(());

impl Project {
    pub(crate) fn new(kind: &str, language: &str) -> Self {
        Self::named("thing", kind, language)
    }

    pub(crate) fn named(name: &str, kind: &str, language: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ran = ran(vak().args(["new", kind, name, "--lang", language, "--path"]).arg(folder.path()));
        assert!(ran.well, "{}", ran.said);
        Self { folder, name: name.to_owned() }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join(&self.name)
    }

    /// Replaces a part of a file that is there.
    pub(crate) fn edit(&self, file: &str, old: &str, new: &str) {
        let path = self.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "{file} has no `{old}`");
        std::fs::write(path, text.replace(old, new)).unwrap();
    }

    pub(crate) fn build(&self) -> Ran {
        self.build_by(&mut vak())
    }

    pub(crate) fn build_by(&self, vak: &mut Command) -> Ran {
        let _alone = CARGO.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        ran(vak.arg("build").arg(self.path()))
    }
}

/// The component of an unchanged project. Each is built once: a JavaScript or
/// Python one takes ten seconds of CPU.
pub(crate) fn built(kind: &'static str, language: &'static str) -> PathBuf {
    type Slot = OnceLock<Project>;
    static BUILT: Mutex<BTreeMap<(&str, &str), &Slot>> = Mutex::new(BTreeMap::new());
    let slot = *BUILT.lock().unwrap().entry((kind, language)).or_insert_with(|| Box::leak(Box::default()));
    let project = slot.get_or_init(|| {
        let project = Project::new(kind, language);
        let ran = project.build();
        assert!(ran.well, "{kind} in {language}: {}", ran.said);
        project
    });
    project.path().join("dist/thing.wasm")
}

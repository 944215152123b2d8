//! Starting a project.

use std::path::{Path, PathBuf};
use std::{fs, io};

use vak_types::Kind;

use crate::embedded::{File, below, beside};
use crate::language::Language;
use crate::name::ProjectName;

/// What the templates are called, and what every project replaces.
const TEMPLATE_NAME: &str = "vak-template";

/// What stands for the kind in files that all kinds share.
const TEMPLATE_KIND: &str = "vak-kind";

/// Why no project was written.
#[derive(Debug, thiserror::Error)]
pub enum NewError {
    /// There is something at its place.
    #[error("`{}` exists and is not an empty folder; choose another name or remove it", .0.display())]
    Exists(PathBuf),
    /// A file or folder could not be written.
    #[error("writing `{}`: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A project to be started.
#[derive(Debug, Clone)]
pub struct NewProject {
    /// What the component will be.
    pub kind: Kind,
    /// What it is written in.
    pub language: Language,
    /// What it is called.
    pub name: ProjectName,
}

impl NewProject {
    /// Writes the project into a new folder below `parent` and returns that
    /// folder. It appears complete or not at all.
    ///
    /// # Errors
    /// There is something at its place, or it cannot be written.
    pub fn write(&self, parent: &Path) -> Result<PathBuf, NewError> {
        let folder = parent.join(self.name.as_str());
        let at = |path: &Path, source| NewError::Io { path: path.to_owned(), source };
        if !is_free(&folder).map_err(|error| at(&folder, error))? {
            return Err(NewError::Exists(folder));
        }
        fs::create_dir_all(parent).map_err(|error| at(parent, error))?;
        // Removed, with what is in it, unless everything succeeds.
        let aside =
            tempfile::Builder::new().prefix(".vak-new-").tempdir_in(parent).map_err(|error| at(parent, error))?;
        let draft = aside.path().join(self.name.as_str());
        for (path, text) in self.files() {
            let path = draft.join(path);
            let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, text));
            written.map_err(|error| at(&path, error))?;
        }
        // Replaces an empty folder, and fails if there is anything else by now.
        match fs::rename(&draft, &folder) {
            Err(_) if is_free(&folder).is_ok_and(|free| !free) => Err(NewError::Exists(folder)),
            renamed => renamed.map(|()| folder.clone()).map_err(|error| at(&folder, error)),
        }
    }

    /// Paths in the project, and contents.
    fn files(&self) -> Vec<(String, String)> {
        let kind = self.kind.to_string();
        let (mut files, template) = match self.language {
            Language::Rust => (rust(&kind), "sdk/rust/template"),
            Language::JavaScript => (javascript(&kind), "sdk/js/template"),
            Language::Python => (python(&kind), "sdk/python-guest/template"),
        };
        files.extend(below(&format!("{template}/{kind}"), ""));
        let own = |text: &str| text.replace(TEMPLATE_NAME, self.name.as_str()).replace(TEMPLATE_KIND, &kind);
        files.into_iter().map(|(path, text)| (path, own(text))).collect()
    }
}

/// What every Rust project of a kind has beside its template.
fn rust(kind: &str) -> Vec<File> {
    let renamed = |(path, text): File| match path.as_str() {
        "sdk.toml.in" => ("sdk/rust/Cargo.toml".to_owned(), text),
        _ => (path.trim_end_matches(".in").to_owned(), text),
    };
    let mut files: Vec<File> = beside("sdk/rust/template").into_iter().map(renamed).collect();
    files.extend(below("sdk/rust/src", "sdk/rust/src/"));
    files.extend(interfaces(kind, "wit"));
    files
}

/// The same in JavaScript.
fn javascript(kind: &str) -> Vec<File> {
    let mut files = beside("sdk/js");
    let typings = ["host", "types", kind].map(|name| format!("types/{name}.d.ts"));
    files.extend(below("sdk/js/types", "types/").into_iter().filter(|(path, _)| typings.contains(path)));
    files.extend(interfaces(kind, "wit/deps"));
    files
}

/// The same in Python.
fn python(kind: &str) -> Vec<File> {
    let mut files = beside("sdk/python-guest");
    files.extend(below("sdk/python-guest/typings", "typings/"));
    files.extend(interfaces(kind, "wit/deps"));
    files
}

/// The interfaces of a kind. Rust's tools are given each package, the others the
/// world, and look for what it depends on in `deps` beside it.
fn interfaces(kind: &str, to: &str) -> Vec<File> {
    let packages = ["types", "host", kind].into_iter();
    packages.flat_map(|package| below(&format!("wit/{package}"), &format!("{to}/{package}/"))).collect()
}

/// Nothing there, or an empty folder. A link is something, wherever it leads.
fn is_free(folder: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Ok(metadata) if metadata.is_dir() => Ok(fs::read_dir(folder)?.next().is_none()),
        metadata => metadata.map(|_| false),
    }
}

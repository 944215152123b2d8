//! Building a project with the tools of its language.

mod javascript;
mod python;
mod rust;
mod tool;

use std::path::{Path, PathBuf};
use std::process::Output;
use std::{fs, io};

use vak_trust::{Manifest, ManifestError, Package};
use vak_types::{Kind, Name};

use crate::language::Language;
use crate::pack::{PackError, pack};

/// Why nothing was built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// There is no project.
    #[error(
        "`{}` has neither Cargo.toml, package.json nor pyproject.toml, so it is no project; start one with `vak new`",
        .0.display()
    )]
    NoProject(PathBuf),
    /// There are several, and no telling which is meant.
    #[error("`{}` has {} and {}; a project is in one language", folder.display(), markers[0], markers[1])]
    Ambiguous {
        /// The folder.
        folder: PathBuf,
        /// What it has of two languages.
        markers: [&'static str; 2],
    },
    /// The manifest is not valid.
    #[error("`{}`: {source}", path.display())]
    Manifest {
        /// The manifest's file.
        path: PathBuf,
        /// What is wrong with it.
        source: ManifestError,
    },
    /// The source is not where it is looked for.
    #[error("`{}` is missing; the source of a {kind} is there", path.display())]
    NoSource {
        /// Where it is looked for.
        path: PathBuf,
        /// What the manifest says the component is.
        kind: Kind,
    },
    /// A program is not installed, and cannot be installed from here.
    #[error("{program} is missing; {hint}")]
    NoTool {
        /// The program.
        program: &'static str,
        /// How it is installed.
        hint: &'static str,
    },
    /// Tools that were named instead of the project's own are of another version.
    #[error("`{}` has {tool} {found}, and the project asks for {wanted}; name other tools, or none to have them installed", path.display())]
    OtherVersion {
        /// Where the tools are.
        path: PathBuf,
        /// Which tool.
        tool: &'static str,
        /// Its version there.
        found: String,
        /// The version that the project pins.
        wanted: String,
    },
    /// The project does not say which version of a tool it is built with.
    #[error("`{}` does not pin {tool}; it is what makes the component", path.display())]
    NotPinned {
        /// The file that should.
        path: PathBuf,
        /// Which tool.
        tool: &'static str,
    },
    /// A tool ended with an error.
    #[error("{what} failed:\n{told}")]
    Tool {
        /// What it was to do.
        what: &'static str,
        /// What it said.
        told: String,
    },
    /// A tool ended well and left nothing.
    #[error("{0} left no component")]
    NoOutput(&'static str),
    /// What was built cannot be packed.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// A file could not be read or written, or a program not be started.
    #[error("`{}`: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Builds projects.
#[derive(Debug, Clone, Default)]
pub struct Builder {
    /// A `node_modules` folder with the tools for JavaScript, instead of the
    /// project's own.
    pub node_modules: Option<PathBuf>,
    /// A virtual environment with the tools for Python, instead of the
    /// project's own.
    pub venv: Option<PathBuf>,
}

/// What was built.
#[derive(Debug)]
pub struct Built {
    /// What the component is called.
    pub name: Name,
    /// The component and its manifest.
    pub package: Package,
}

/// What every language's way of building is given.
struct Project<'a> {
    folder: &'a Path,
    kind: Kind,
    /// Told what takes long, before it starts, and what compilers warn of.
    progress: &'a dyn Fn(&str),
}

impl Builder {
    /// Builds the project in `folder` and packs it. `progress` is told what
    /// takes long and what compilers warn of.
    ///
    /// # Errors
    /// There is no project, a tool is missing, or one refuses the source.
    pub fn build(&self, folder: &Path, progress: &dyn Fn(&str)) -> Result<Built, BuildError> {
        // Tools run in the project and are given paths, which must be the same there.
        let folder = &fs::canonicalize(folder).map_err(|source| io_error(folder, source))?;
        let language = match Language::found_in(folder).as_slice() {
            [] => return Err(BuildError::NoProject(folder.clone())),
            [language] => *language,
            [one, other, ..] => {
                let markers = [one.marker(), other.marker()];
                return Err(BuildError::Ambiguous { folder: folder.clone(), markers });
            }
        };
        let path = folder.join("vak-component.toml");
        let text = fs::read_to_string(&path).map_err(|source| io_error(&path, source))?;
        let manifest = Manifest::from_toml(&text).map_err(|source| BuildError::Manifest { path, source })?;
        let project = Project { folder, kind: manifest.kind, progress };
        let component = match language {
            Language::Rust => rust::build(&project)?,
            Language::JavaScript => javascript::build(&project, self.node_modules.as_deref())?,
            Language::Python => python::build(&project, self.venv.as_deref())?,
        };
        Ok(Built { name: manifest.name, package: pack(&component, &text)? })
    }
}

impl Project<'_> {
    /// Passes on what a compiler warned of.
    fn warn(&self, output: &Output) {
        if !output.stderr.trim_ascii().is_empty() {
            (self.progress)(&tool::told(output));
        }
    }

    /// The source file of this project's kind.
    fn source(&self, extension: &str) -> Result<PathBuf, BuildError> {
        let path = self.folder.join("src").join(format!("{}.{extension}", self.kind));
        match path.is_file() {
            true => Ok(path),
            false => Err(BuildError::NoSource { path, kind: self.kind }),
        }
    }
}

fn io_error(path: &Path, source: io::Error) -> BuildError {
    BuildError::Io { path: path.to_owned(), source }
}

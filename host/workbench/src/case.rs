//! Cases on disk.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use vak_types::{Decision, GuestPath, Json, Name, Told};

use crate::compare::{self, Difference};

/// The files of a case.
const INPUT: &str = "input.json";
const EXPECTED: &str = "expected.json";
const HOST: &str = "host.json";

/// Why cases could not be read.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// A file or folder could not be read or written.
    #[error("`{}`: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is not the JSON that belongs there.
    #[error("`{}`: {message}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// A folder without a case in it.
    #[error("`{}` has no cases; a case is a folder in it with an `{INPUT}`", .0.display())]
    None(PathBuf),
    /// A case has two configurations.
    #[error("`{}` has two files named `config.…`; leave one", .0.display())]
    TwoConfigs(PathBuf),
}

/// What a component is called with, and what it should answer.
#[derive(Debug, Clone)]
pub struct Case {
    /// The folder's name.
    pub name: String,
    pub(crate) input: Json,
    pub(crate) config: Option<String>,
    pub(crate) host: HostAnswers,
    folder: PathBuf,
    expected: Option<Value>,
}

/// What the host answers in a case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct HostAnswers {
    /// When the action is asked, in nanoseconds since 1970.
    pub(crate) time_ns: u64,
    /// What an adapter is given to write the answer with; if there is none, it is
    /// not asked to.
    pub(crate) answers: Option<Vec<ToldAnswer>>,
    /// What the session did before, first things first.
    pub(crate) session: Vec<Told>,
    /// Secrets by name.
    pub(crate) secrets: BTreeMap<Name, String>,
    /// What the skill has remembered: texts by key, by scope.
    pub(crate) memory: BTreeMap<Name, BTreeMap<String, String>>,
    /// Directories: the path at which the component sees one, and the folder in
    /// the case that is copied for it.
    pub(crate) directories: BTreeMap<GuestPath, PathBuf>,
}

/// What the host answers to one action of a framework's message.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ToldAnswer {
    pub(crate) decision: Decision,
    /// Why; by the host itself.
    #[serde(default)]
    pub(crate) reason: String,
    /// Other arguments than were asked.
    pub(crate) arguments: Option<Json>,
    pub(crate) seq: Option<u64>,
}

impl Case {
    /// All cases in `folder`, by name.
    ///
    /// # Errors
    /// There is none, or one can't be read.
    pub fn read_all(folder: &Path) -> Result<Vec<Self>, CaseError> {
        let io = |source| CaseError::Io { path: folder.to_owned(), source };
        let mut cases = Vec::new();
        for entry in folder.read_dir().map_err(io)? {
            let path = entry.map_err(io)?.path();
            if path.join(INPUT).is_file() {
                cases.push(Self::read(&path)?);
            }
        }
        cases.sort_by(|one, other| one.name.cmp(&other.name));
        match cases.is_empty() {
            true => Err(CaseError::None(folder.to_owned())),
            false => Ok(cases),
        }
    }

    /// The case in `folder`.
    ///
    /// # Errors
    /// A file is missing or wrong.
    pub fn read(folder: &Path) -> Result<Self, CaseError> {
        let mut host: HostAnswers = optional(&folder.join(HOST))?.unwrap_or_default();
        for path in host.directories.values_mut() {
            *path = folder.join(&*path);
        }
        let input = folder.join(INPUT);
        let text = std::fs::read_to_string(&input).map_err(|source| CaseError::Io { path: input.clone(), source })?;
        Ok(Self {
            name: folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            input: Json::parse(&text).map_err(|error| CaseError::Json { path: input, message: error.to_string() })?,
            config: config(folder)?,
            host,
            expected: optional(&folder.join(EXPECTED))?,
            folder: folder.to_owned(),
        })
    }

    /// Where `answer` is not what is expected; `None` if nobody has said yet
    /// what that is.
    pub fn compare(&self, answer: &Value) -> Option<Vec<Difference>> {
        self.expected.as_ref().map(|expected| compare::differences(expected, answer))
    }

    /// Writes `answer` down as what is expected.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn record(&self, answer: &Value) -> Result<(), CaseError> {
        let path = self.folder.join(EXPECTED);
        let text = format!("{answer:#}\n");
        std::fs::write(&path, text).map_err(|source| CaseError::Io { path, source })
    }
}

fn optional<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>, CaseError> {
    match std::fs::read_to_string(path) {
        Ok(text) => serde_json::from_str(&text)
            .map(Some)
            .map_err(|error| CaseError::Json { path: path.to_owned(), message: error.to_string() }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(CaseError::Io { path: path.to_owned(), source }),
    }
}

fn config(folder: &Path) -> Result<Option<String>, CaseError> {
    let io = |source| CaseError::Io { path: folder.to_owned(), source };
    let mut found = None;
    for entry in folder.read_dir().map_err(io)? {
        let path = entry.map_err(io)?.path();
        if path.file_stem().is_some_and(|stem| stem == "config") && path.is_file() && found.replace(path).is_some() {
            return Err(CaseError::TwoConfigs(folder.to_owned()));
        }
    }
    let read = |path: PathBuf| std::fs::read_to_string(&path).map_err(|source| CaseError::Io { path, source });
    found.map(read).transpose()
}

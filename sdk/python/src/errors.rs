//! What goes wrong, and as which exception Python sees it.

use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{IntoPyDict as _, PyDict, PyType};
use vak::{ActionId, ApprovalError, Decision, InvokeError, MessageError, RecordError, Verdict};
use vak_types::printable;

use crate::verdict::{self, Receipt};

/// Longest sentence that is told, in bytes.
const SENTENCE_BYTES_MAX: usize = 2_048;

/// Why there is no answer. None of it is a verdict, and none is an allow.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Error {
    /// What Python gave can't be part of an action.
    #[error("{0}")]
    Argument(String),
    #[error("{0}")]
    Config(String),
    /// Nothing can be decided or recorded any more.
    #[error("{0}")]
    Stopped(String),
    #[error("it was opened by process {pid}, before a fork; open another one in this process")]
    Forked { pid: u32 },
    #[error("the action waits for no outcome: it was not allowed, or has its outcome already")]
    NotOpen,
    #[error("{0}")]
    NoSuchSkill(String),
    #[error("{0}")]
    Message(String),
    #[error("{0}")]
    SkillFailed(String),
    #[error("{0}")]
    Approval(String),
    #[error("{0}")]
    Unreachable(String),
    #[error("{title}: {detail}")]
    Problem { kind: String, status: u16, title: String, detail: String },
}

impl Error {
    /// What was given can't be part of an action.
    pub(crate) fn argument(why: impl std::fmt::Display) -> Self {
        Self::Argument(why.to_string())
    }

    fn class(&self) -> &'static str {
        match self {
            Self::Argument(_) => "ArgumentError",
            Self::Config(_) => "ConfigError",
            Self::Stopped(_) => "Stopped",
            Self::Forked { .. } => "Forked",
            Self::NotOpen => "NotOpen",
            Self::NoSuchSkill(_) => "NoSuchSkill",
            Self::Message(_) => "MessageError",
            Self::SkillFailed(_) => "SkillFailed",
            Self::Approval(_) => "ApprovalError",
            Self::Unreachable(_) => "Unreachable",
            Self::Problem { .. } => "Problem",
        }
    }

    fn raised(&self, py: Python<'_>) -> PyResult<PyErr> {
        let members = PyDict::new(py);
        if let Self::Problem { kind, status, detail, .. } = self {
            members.set_item("kind", kind)?;
            members.set_item("status", status)?;
            members.set_item("detail", detail)?;
        }
        let message = match self {
            // Written by whoever runs this, with the place in a file below.
            Self::Config(message) => message.clone(),
            error => printable(&error.to_string(), SENTENCE_BYTES_MAX),
        };
        Ok(PyErr::from_value(class(py, self.class())?.call((message,), Some(&members))?))
    }
}

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        Python::attach(|py| error.raised(py).unwrap_or_else(|failed| failed))
    }
}

impl From<RecordError> for Error {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::NotAllowed => Self::NotOpen,
            error => Self::Stopped(format!("the outcome could not be recorded: {error}")),
        }
    }
}

impl From<ApprovalError> for Error {
    fn from(error: ApprovalError) -> Self {
        match error {
            ApprovalError::Encode(_) | ApprovalError::Append(_) => Self::Stopped(error.to_string()),
            error => Self::Approval(error.to_string()),
        }
    }
}

impl From<MessageError> for Error {
    fn from(error: MessageError) -> Self {
        Self::Message(error.to_string())
    }
}

impl From<InvokeError> for Error {
    fn from(error: InvokeError) -> Self {
        match error {
            InvokeError::Unknown(_) => Self::NoSuchSkill(error.to_string()),
            InvokeError::Text(_) | InvokeError::Stamp(_) => Self::argument(error),
            InvokeError::Approval(error) => error.into(),
            InvokeError::Record(error) => error.into(),
            InvokeError::Stopping => Self::Stopped(error.to_string()),
            InvokeError::Skill(_) | InvokeError::Refused(_) | InvokeError::Waits { .. } => {
                Self::SkillFailed(error.to_string())
            }
        }
    }
}

/// The exception for a verdict that is no allow.
pub(crate) fn refused(py: Python<'_>, action: &ActionId, verdict: &Arc<Verdict>, receipt: Option<&Receipt>) -> PyErr {
    let name = match verdict.decision {
        Decision::Deny | Decision::Allow => "Denied",
        Decision::Escalate => "Escalated",
        Decision::Backtrack => "Backtracked",
    };
    let raise = || {
        let receipt = receipt.map(|receipt| Bound::new(py, receipt.clone())).transpose()?;
        let members = [
            ("verdict", Bound::new(py, verdict::Verdict::new(verdict))?.into_any()),
            ("action", action.as_str().into_pyobject(py)?.into_any()),
            ("receipt", receipt.into_pyobject(py)?.into_any()),
        ];
        let message = printable(&vak::refusal(verdict), SENTENCE_BYTES_MAX);
        class(py, name)?.call((message,), Some(&members.into_py_dict(py)?))
    };
    raise().map_or_else(|failed| failed, PyErr::from_value)
}

/// What is raised where something is asked for being true: an object that is not
/// `None` is true in Python, also one that says "deny".
pub(crate) fn not_a_truth(what: &str) -> PyErr {
    PyTypeError::new_err(format!("{what} is neither true nor false; look at `allowed`"))
}

/// Which of the exceptions, by its name.
fn class<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module = MODULE.get_or_try_init(py, || py.import("vak._errors").map(Bound::unbind))?;
    module.bind(py).getattr(name)
}

/// Whether something may have been done when `exception` came: it was interrupted
/// from outside, or somebody gave up waiting.
pub(crate) fn leaves_open(exception: &Bound<'_, PyAny>) -> PyResult<bool> {
    if !exception.is_instance_of::<pyo3::exceptions::PyException>() {
        return Ok(true);
    }
    // By its name: that of asyncio was another before Python 3.11.
    for class in exception.get_type().mro() {
        if class.cast::<PyType>()?.name()?.to_str()? == "TimeoutError" {
            return Ok(true);
        }
    }
    Ok(false)
}

//! What persons decide.

use std::sync::Arc;

use pyo3::prelude::*;
use serde_json::Value;
use vak_types::Timestamp;

use crate::convert;
use crate::verdict::Verdict;

/// An action that a person has to decide.
#[pyclass(frozen, module = "vak")]
#[derive(Debug)]
pub(crate) struct Waiting {
    /// Its name for whoever answers: the place of its decision in the log.
    #[pyo3(get)]
    pub(crate) seq: u64,
    pub(crate) action: Value,
    pub(crate) verdict: Arc<vak::Verdict>,
    /// Nanoseconds since 1970 when it was asked.
    #[pyo3(get)]
    pub(crate) since_ns: u64,
    /// Nanoseconds since 1970 from when on nobody can answer any more.
    #[pyo3(get)]
    pub(crate) until_ns: u64,
}

/// What became of an action that was escalated.
#[pyclass(frozen, module = "vak")]
#[derive(Debug)]
pub(crate) struct Standing {
    /// The place of its decision in the log.
    #[pyo3(get)]
    pub(crate) seq: u64,
    pub(crate) standing: Stands,
    /// Who answered.
    #[pyo3(get)]
    pub(crate) by: Option<String>,
    /// What they had to say about a no.
    #[pyo3(get)]
    pub(crate) note: Option<String>,
    /// Nanoseconds since 1970 from when on it can't be answered, or carried out.
    #[pyo3(get)]
    pub(crate) until_ns: Option<u64>,
}

#[derive(Debug, Clone, Copy, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Stands {
    Waiting,
    Approved,
    Rejected,
    Used,
}

impl From<&vak::Waiting> for Waiting {
    fn from(waiting: &vak::Waiting) -> Self {
        Self {
            seq: waiting.seq,
            action: serde_json::to_value(&*waiting.action).unwrap_or_default(),
            verdict: Arc::clone(&waiting.verdict),
            since_ns: waiting.since.as_nanos(),
            until_ns: waiting.until.as_nanos(),
        }
    }
}

impl Standing {
    /// By a host in this process.
    pub(crate) fn here(seq: u64, standing: vak::Standing) -> Self {
        let (standing, by, note, until) = match standing {
            vak::Standing::Waiting(waiting) => (Stands::Waiting, None, None, Some(waiting.until)),
            vak::Standing::Approved { by, until } => (Stands::Approved, Some(by), None, Some(until)),
            vak::Standing::Rejected { by, note } => (Stands::Rejected, Some(by), Some(note), None),
            vak::Standing::Used => (Stands::Used, None, None, None),
        };
        Self { seq, standing, by: by.map(String::from), note, until_ns: until.map(Timestamp::as_nanos) }
    }
}

#[pymethods]
impl Waiting {
    /// What was asked, as a dict with `id`, `session`, `agent`, `operation`,
    /// `resource`, `arguments`, `attributes`, `labels` and `time`.
    #[getter]
    fn action<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        convert::of_value(py, &self.action)
    }

    /// Who wants a person's word, and why.
    #[getter]
    fn verdict(&self) -> Verdict {
        Verdict::new(&self.verdict)
    }

    fn __repr__(&self) -> String {
        format!("<vak.Waiting {}>", self.seq)
    }
}

#[pymethods]
impl Standing {
    /// `waiting`, `approved`, `rejected` or `used`.
    #[getter]
    fn standing(&self) -> &'static str {
        match self.standing {
            Stands::Waiting => "waiting",
            Stands::Approved => "approved",
            Stands::Rejected => "rejected",
            Stands::Used => "used",
        }
    }

    fn __repr__(&self) -> String {
        format!("<vak.Standing {}: {}>", self.seq, self.standing())
    }
}

//! What became of a skill.

use std::sync::Arc;

use pyo3::prelude::*;
use vak::{ActionId, Called, Json};

use crate::convert;
use crate::errors::{Error, not_a_truth, refused};
use crate::verdict::{Receipt, Verdict};

/// What was decided of a call, and how the skill ended if it ran.
#[derive(Debug)]
pub(crate) struct Executed {
    pub(crate) action: ActionId,
    pub(crate) verdict: Arc<vak::Verdict>,
    pub(crate) receipt: Option<Receipt>,
    /// `None` if it did not run.
    pub(crate) ended: Option<(Result<Json, String>, Receipt)>,
}

impl Executed {
    /// By a host in this process.
    pub(crate) fn here(action: ActionId, called: Called) -> Self {
        let Called { verdict, receipt, ended } = called;
        let ended = ended.map(|ended| {
            let output = ended.output.map_err(|error| error.to_string());
            (output, Receipt::from(&ended.receipt))
        });
        Self { action, verdict: Arc::new(verdict), receipt: receipt.as_ref().map(Receipt::from), ended }
    }

    pub(crate) fn give(py: Python<'_>, executed: Self) -> PyResult<Py<PyAny>> {
        Ok(Bound::new(py, Execution(executed))?.into_any().unbind())
    }
}

/// What was decided of a skill's call, and how the skill ended if it ran.
///
/// It is neither true nor false, so that no `if` takes a deny for a result.
#[pyclass(frozen, module = "vak")]
pub(crate) struct Execution(Executed);

#[pymethods]
impl Execution {
    /// The action's id in the log.
    #[getter]
    fn action(&self) -> &str {
        self.0.action.as_str()
    }

    /// The verdict, with everybody who had a say.
    #[getter]
    fn verdict(&self) -> Verdict {
        Verdict::new(&self.0.verdict)
    }

    /// Where the log has the verdict; `None` only if the log has stopped.
    #[getter]
    fn receipt(&self) -> Option<Receipt> {
        self.0.receipt.clone()
    }

    /// Whether the call was allowed. It may have failed all the same.
    #[getter]
    fn allowed(&self) -> bool {
        self.0.verdict.is_allow()
    }

    /// `succeeded` or `failed`; `None` if it was not allowed and did not run.
    #[getter]
    fn status(&self) -> Option<&'static str> {
        self.0.ended.as_ref().map(|(output, _)| if output.is_ok() { "succeeded" } else { "failed" })
    }

    /// Where the log has how it ended, if it ran.
    #[getter]
    fn outcome(&self) -> Option<Receipt> {
        self.0.ended.as_ref().map(|(_, receipt)| receipt.clone())
    }

    /// What it gave. Raises where it gave nothing: `Denied` and its like if it was
    /// not allowed, `SkillFailed` if it failed.
    #[getter]
    fn output<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match &self.0.ended {
            Some((Ok(output), _)) => convert::object(py, output),
            Some((Err(why), _)) => Err(Error::SkillFailed(why.clone()).into()),
            None => Err(refused(py, &self.0.action, &self.0.verdict, self.0.receipt.as_ref())),
        }
    }

    fn __bool__(&self) -> PyResult<bool> {
        Err(not_a_truth("a skill's end"))
    }

    fn __repr__(&self) -> String {
        let status = self.status().unwrap_or("not run");
        format!("<vak.Execution {}: {}, {status}>", self.action(), self.0.verdict.decision)
    }
}

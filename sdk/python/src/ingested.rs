//! What became of a framework's message.

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use vak::Json;

use crate::allowed::Told;
use crate::convert;
use crate::decision;
use crate::errors::not_a_truth;
use crate::run::Mode;
use crate::runtime::Background;

/// What became of a message, on its way to Python.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) reply: Json,
    /// `None` for what the operator lets pass undecided.
    pub(crate) actions: Vec<Option<Told>>,
    pub(crate) ended: usize,
}

/// What a framework is to be told, and what was decided of each action that its
/// message asks for.
///
/// Each allowed action has its outcome once: report it with the decision, or by
/// the framework's own message. It is neither true nor false.
#[pyclass(frozen, module = "vak")]
pub(crate) struct Ingested {
    reply: Json,
    decisions: Py<PyTuple>,
    ended: usize,
}

/// What makes that of what was read.
pub(crate) fn give(
    mode: Mode,
    background: Background,
) -> impl FnOnce(Python<'_>, Read) -> PyResult<Py<PyAny>> + Send + 'static {
    move |py, read| {
        let Read { reply, actions, ended } = read;
        let mut decisions = Vec::with_capacity(actions.len());
        // If one can't be given none was: those that were not told yet are undone,
        // and those that were end as unknown.
        for told in actions {
            decisions.push(told.map(|told| decision::give(mode, background.clone())(py, told)).transpose()?);
        }
        let decisions = PyTuple::new(py, decisions)?.unbind();
        Ok(Bound::new(py, Ingested { reply, decisions, ended })?.into_any().unbind())
    }
}

#[pymethods]
impl Ingested {
    /// The framework's answer, as its adapter wrote it. New objects each time.
    #[getter]
    fn reply<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        convert::object(py, &self.reply)
    }

    /// What was decided, in the order in which the message asks; `None` for what the
    /// operator lets pass undecided.
    #[getter]
    fn decisions(&self, py: Python<'_>) -> Py<PyTuple> {
        self.decisions.clone_ref(py)
    }

    /// How many of the calls whose end the message tells of were waiting for that.
    #[getter]
    fn ended(&self) -> usize {
        self.ended
    }

    fn __bool__(&self) -> PyResult<bool> {
        Err(not_a_truth("what became of a message"))
    }

    fn __repr__(&self) -> String {
        format!("<vak.Ingested: {}>", self.reply.as_str())
    }
}

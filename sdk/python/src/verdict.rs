//! What the host answers, as Python sees it.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use vak_types::{Obligation, Source, Wanted};

use crate::convert;
use crate::errors::not_a_truth;

/// The host's answer to one action, with everybody who had a say.
///
/// It is neither true nor false, so that no `if` takes a deny for a yes.
#[pyclass(frozen, module = "vak")]
pub(crate) struct Verdict(Arc<vak::Verdict>);

/// One voice in a verdict.
#[pyclass(frozen, module = "vak")]
pub(crate) struct Reason {
    verdict: Arc<vak::Verdict>,
    at: usize,
}

/// Where the log has an entry.
#[pyclass(frozen, module = "vak")]
#[derive(Debug, Clone)]
pub(crate) struct Receipt(pub(crate) Place);

/// The acknowledgement of an entry.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// By a host in this process.
    Here(vak::Receipt),
    /// As a server tells of it.
    There(Arc<Told>),
}

/// The acknowledgement of an entry, as a server tells of it.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Told {
    origin: String,
    seq: u64,
    tier: Tier,
    leaf: Option<String>,
    checkpoint: Option<String>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Tier {
    Accepted,
    Durable,
}

impl Verdict {
    pub(crate) fn new(verdict: &Arc<vak::Verdict>) -> Self {
        Self(Arc::clone(verdict))
    }

    fn reason(&self, at: usize) -> Reason {
        Reason { verdict: Arc::clone(&self.0), at }
    }
}

#[pymethods]
impl Verdict {
    /// `allow`, `backtrack`, `escalate` or `deny`.
    #[getter]
    fn decision(&self) -> String {
        self.0.decision.to_string()
    }

    /// Whether the action may happen.
    #[getter]
    fn allowed(&self) -> bool {
        self.0.is_allow()
    }

    /// Every voice, in the order they were heard.
    #[getter]
    fn reasons<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, (0..self.0.reasons.len()).map(|at| self.reason(at)).collect::<Vec<_>>())
    }

    /// The first voice that pushed to the decision.
    #[getter]
    fn deciding(&self) -> Option<Reason> {
        let deciding = self.0.deciding()?;
        let at = self.0.reasons.iter().position(|reason| std::ptr::eq(reason, deciding))?;
        Some(self.reason(at))
    }

    /// The rule that decided, as its component names it.
    #[getter]
    fn rule(&self) -> Option<&str> {
        self.0.deciding()?.rule.as_deref()
    }

    /// Who decided and why, in one line.
    #[getter]
    fn message(&self) -> String {
        self.0.deciding().map(ToString::to_string).unwrap_or_default()
    }

    /// Milliseconds after which a limited action can succeed.
    #[getter]
    fn retry_after_ms(&self) -> Option<u64> {
        self.0.retry_after_ms
    }

    /// What has to be done with an action that is allowed.
    #[getter]
    fn obligations<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let tree = |obligation: &Obligation| serde_json::to_value(obligation).unwrap_or_default();
        let trees = self.0.obligations.iter().map(|obligation| convert::of_value(py, &tree(obligation)));
        PyTuple::new(py, trees.collect::<PyResult<Vec<_>>>()?)
    }

    /// The place in the log of the person's yes that was counted on.
    #[getter]
    fn approval(&self) -> Option<u64> {
        self.0.approval
    }

    /// Whether the host runs a component without a signature.
    #[getter]
    fn unsigned(&self) -> bool {
        self.0.unsigned
    }

    fn __bool__(&self) -> PyResult<bool> {
        Err(not_a_truth("a verdict"))
    }

    fn __repr__(&self) -> String {
        format!("<vak.Verdict {}: {}>", self.0.decision, self.message())
    }
}

#[pymethods]
impl Reason {
    /// `host`, `limit` or `policy`.
    #[getter]
    fn source(&self) -> &'static str {
        match self.reason().source {
            Source::Host => "host",
            Source::Limit(_) => "limit",
            Source::Component(_) => "policy",
        }
    }

    /// The name of the limit or policy.
    #[getter]
    fn name(&self) -> Option<&str> {
        match &self.reason().source {
            Source::Host => None,
            Source::Limit(name) => Some(name.as_str()),
            Source::Component(component) => Some(component.name.as_str()),
        }
    }

    /// `abstain`, `permit`, `backtrack`, `escalate` or `forbid`.
    #[getter]
    fn effect(&self) -> String {
        word(&self.reason().effect)
    }

    /// The rule that decided, as the component names it.
    #[getter]
    fn rule(&self) -> Option<&str> {
        self.reason().rule.as_deref()
    }

    /// How the component failed, if it failed instead of answering.
    #[getter]
    fn failure(&self) -> Option<String> {
        self.reason().failure.map(|failure| failure.to_string())
    }

    /// Why, for a person.
    #[getter]
    fn message(&self) -> &str {
        &self.reason().message
    }

    fn __str__(&self) -> String {
        self.reason().to_string()
    }

    fn __repr__(&self) -> String {
        format!("<vak.Reason {}: {}>", self.effect(), self.reason())
    }
}

impl Reason {
    fn reason(&self) -> &vak_types::Reason {
        &self.verdict.reasons[self.at]
    }
}

#[pymethods]
impl Receipt {
    /// The log's name.
    #[getter]
    fn origin(&self) -> String {
        match &self.0 {
            Place::Here(receipt) => receipt.origin().to_string(),
            Place::There(told) => told.origin.clone(),
        }
    }

    /// The entry's place in the log.
    #[getter]
    pub(crate) fn seq(&self) -> u64 {
        match &self.0 {
            Place::Here(receipt) => receipt.seq(),
            Place::There(told) => told.seq,
        }
    }

    /// When it was acknowledged: `accepted`, with a place in the queue, or
    /// `durable`, on disk.
    #[getter]
    fn tier(&self) -> &'static str {
        match &self.0 {
            Place::Here(vak::Receipt::Accepted { .. }) => "accepted",
            Place::Here(vak::Receipt::Durable { .. }) => "durable",
            Place::There(told) => match told.tier {
                Tier::Accepted => "accepted",
                Tier::Durable => "durable",
            },
        }
    }

    /// Its hash in the Merkle tree, if it is on disk.
    #[getter]
    fn leaf(&self) -> Option<String> {
        match &self.0 {
            Place::Here(vak::Receipt::Accepted { .. }) => None,
            Place::Here(vak::Receipt::Durable { leaf, .. }) => Some(leaf.to_string()),
            Place::There(told) => told.leaf.clone(),
        }
    }

    /// The note of the first checkpoint that covers it, if it is on disk.
    #[getter]
    fn checkpoint(&self) -> Option<&str> {
        match &self.0 {
            Place::Here(vak::Receipt::Accepted { .. }) => None,
            Place::Here(vak::Receipt::Durable { checkpoint, .. }) => Some(checkpoint),
            Place::There(told) => told.checkpoint.as_deref(),
        }
    }

    fn __repr__(&self) -> String {
        format!("<vak.Receipt {} {} {}>", self.origin(), self.seq(), self.tier())
    }
}

impl From<&vak::Receipt> for Receipt {
    fn from(receipt: &vak::Receipt) -> Self {
        Self(Place::Here(receipt.clone()))
    }
}

/// The headers that a verdict obliges to.
pub(crate) fn headers<'py>(py: Python<'py>, verdict: &vak::Verdict) -> PyResult<Bound<'py, PyDict>> {
    let headers = PyDict::new(py);
    for obligation in &verdict.obligations {
        if let Wanted::Header { name, value } = obligation.wanted() {
            headers.set_item(name, value)?;
        }
    }
    Ok(headers)
}

/// The word that stands for it on the wire.
fn word(value: &impl serde::Serialize) -> String {
    let word = serde_json::to_value(value).ok();
    word.and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

//! A decision, as Python sees it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt as _;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt};
use vak::{ActionId, Json};

use crate::allowed::{Allowed, Ending, Status, Told};
use crate::convert;
use crate::errors::{Error, leaves_open, not_a_truth, refused};
use crate::run::{Give, Mode, Work, work};
use crate::runtime::Background;
use crate::verdict::{self, Receipt, Verdict};

/// What a decision is, whoever waits for what.
#[pyclass(frozen, subclass, module = "vak")]
pub(crate) struct Decided {
    action: ActionId,
    verdict: Arc<vak::Verdict>,
    receipt: Option<Receipt>,
    arguments: Option<Json>,
    allowed: Option<Arc<Allowed>>,
    entered: AtomicBool,
    mode: Mode,
    background: Background,
}

/// What was decided of an action, and the way to report how it ended.
///
/// As a context manager it lets its block run only if the action is allowed, and
/// reports how it ended: succeeded at its end, failed at an exception, unknown
/// when it is interrupted or gives up waiting. An allowed action of which nobody
/// reports anything has an unknown outcome.
///
/// It is neither true nor false: look at `allowed`.
///
/// >>> with host.decide("ada", "files/read", "notes", {"path": "/work/a"}) as decision:
/// ...     path = decision.arguments["path"]
#[pyclass(frozen, extends = Decided, module = "vak")]
pub(crate) struct Decision;

/// The same for event loops: what reports an outcome is awaited.
///
/// >>> async def read(host):
/// ...     async with await host.decide("ada", "files/read", "notes", {"path": "/work/a"}) as decision:
/// ...         return decision.arguments["path"]
/// >>> asyncio.run(read(host.aio))
/// '/work/a'
#[pyclass(frozen, extends = Decided, module = "vak")]
pub(crate) struct AsyncDecision;

/// What makes a decision of what is told.
pub(crate) fn give(
    mode: Mode,
    background: Background,
) -> impl FnOnce(Python<'_>, Told) -> PyResult<Py<PyAny>> + Send + 'static {
    move |py, told| {
        let Told { action, verdict, receipt, arguments, allowed } = told;
        let seen = allowed.clone();
        let entered = AtomicBool::new(false);
        let decided = Decided { action, verdict, receipt, arguments, allowed, entered, mode, background };
        let decided = PyClassInitializer::from(decided);
        let given = match mode {
            Mode::Blocking => Bound::new(py, decided.add_subclass(Decision))?.into_any(),
            Mode::Async => Bound::new(py, decided.add_subclass(AsyncDecision))?.into_any(),
        };
        if let Some(allowed) = seen {
            allowed.told();
        }
        Ok(given.unbind())
    }
}

impl Decided {
    /// Fails if it is no allow.
    fn checked(&self, py: Python<'_>) -> PyResult<()> {
        match self.verdict.is_allow() {
            true => Ok(()),
            false => Err(refused(py, &self.action, &self.verdict, self.receipt.as_ref())),
        }
    }

    /// Lets a block begin, once.
    fn enter(&self, py: Python<'_>) -> PyResult<()> {
        self.checked(py)?;
        let ended = self.allowed.as_ref().is_none_or(|allowed| allowed.has_ended());
        match self.entered.swap(true, Ordering::AcqRel) || ended {
            true => Err(Error::NotOpen.into()),
            false => Ok(()),
        }
    }

    fn report(&self, py: Python<'_>, ending: Ending) -> PyResult<Py<PyAny>> {
        let allowed = self.allowed.clone().ok_or(Error::NotOpen)?;
        let give = |py: Python<'_>, receipt: Receipt| Ok(Bound::new(py, receipt)?.into_any().unbind());
        self.mode.run(py, self.background.clone(), work(allowed.end(ending), give))
    }

    /// Ends a block that ended with `exception`, or well. What is raised where the
    /// outcome can't be recorded must not hide why a block ended.
    fn exit(&self, py: Python<'_>, exception: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let failed = !exception.is_none();
        let ending = match failed {
            false => Ending::new(Status::Succeeded, ""),
            true => {
                // Its words may quote the arguments, and the log keeps them for good.
                let name = exception.get_type().name().map_or_else(|_| String::new(), |name| name.to_string());
                let status = if leaves_open(exception)? { Status::Unknown } else { Status::Failed };
                Ending::new(status, name)
            }
        };
        let over = self.allowed.as_ref().is_none_or(|allowed| allowed.has_ended());
        let ended = self.allowed.clone().filter(|_| !over);
        let done = async move {
            match ended {
                None => Ok(()),
                Some(allowed) => match allowed.end(ending).await {
                    Ok(_) => Ok(()),
                    Err(error) if failed => {
                        tracing::error!("an outcome could not be recorded: {error}");
                        Ok(())
                    }
                    Err(error) => Err(error),
                },
            }
        };
        let give = |py: Python<'_>, ()| Ok(false.into_pyobject(py)?.to_owned().into_any().unbind());
        self.mode.run(py, self.background.clone(), work(done, give))
    }
}

#[pymethods]
impl Decided {
    /// The action's id in the log.
    #[getter]
    fn action(&self) -> &str {
        self.action.as_str()
    }

    /// The verdict, with everybody who had a say.
    #[getter]
    fn verdict(&self) -> Verdict {
        Verdict::new(&self.verdict)
    }

    /// Where the log has the verdict; `None` only if the log has stopped, and then
    /// it is a deny.
    #[getter]
    fn receipt(&self) -> Option<Receipt> {
        self.receipt.clone()
    }

    /// Whether the action may happen.
    #[getter]
    fn allowed(&self) -> bool {
        self.verdict.is_allow()
    }

    /// What to carry the action out with: what was judged, and what obligations
    /// made of it if `able` promised that. New objects each time. Raises as
    /// `raise_for_verdict` does.
    #[getter]
    fn arguments<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.checked(py)?;
        match &self.arguments {
            Some(arguments) => convert::object(py, arguments),
            None => Err(Error::NotOpen.into()),
        }
    }

    /// The headers to send with the request that carries it out. Raises as
    /// `raise_for_verdict` does.
    #[getter]
    fn headers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.checked(py)?;
        verdict::headers(py, &self.verdict)
    }

    /// Raises `Denied`, `Escalated` or `Backtracked` unless the action is allowed.
    /// Gives the decision itself.
    fn raise_for_verdict<'py>(this: Bound<'py, Self>, py: Python<'py>) -> PyResult<Bound<'py, Self>> {
        this.get().checked(py)?;
        Ok(this)
    }

    /// Reports that the action was carried out. The log has the digest of `result`;
    /// `spent` is what it really cost, by the attributes that budgets count.
    #[pyo3(signature = (result = None, *, spent = None))]
    fn succeeded(
        &self,
        py: Python<'_>,
        result: Option<&Bound<'_, PyAny>>,
        spent: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let result = result.map(|result| convert::json(result, "`result`")).transpose()?;
        self.report(py, Ending { result, spent: amounts(spent)?, ..Ending::new(Status::Succeeded, "") })
    }

    /// Reports that it was not carried out, or ended in an error. The log has the
    /// first 1,024 bytes of `detail`.
    #[pyo3(signature = (detail = "", *, spent = None))]
    fn failed(&self, py: Python<'_>, detail: &str, spent: Option<&Bound<'_, PyAny>>) -> PyResult<Py<PyAny>> {
        self.report(py, Ending { spent: amounts(spent)?, ..Ending::new(Status::Failed, detail) })
    }

    /// Reports that nobody knows whether it was carried out, which counts as done.
    #[pyo3(signature = (detail = "", *, spent = None))]
    fn unknown(&self, py: Python<'_>, detail: &str, spent: Option<&Bound<'_, PyAny>>) -> PyResult<Py<PyAny>> {
        self.report(py, Ending { spent: amounts(spent)?, ..Ending::new(Status::Unknown, detail) })
    }

    fn __bool__(&self) -> PyResult<bool> {
        Err(not_a_truth("a decision"))
    }

    fn __repr__(&self) -> String {
        format!("<vak.Decision {}: {}>", self.action.as_str(), self.verdict.decision)
    }
}

#[pymethods]
impl Decision {
    fn __enter__<'py>(this: Bound<'py, Self>, py: Python<'py>) -> PyResult<Bound<'py, Self>> {
        this.as_super().get().enter(py)?;
        Ok(this)
    }

    fn __exit__(
        this: &Bound<'_, Self>,
        py: Python<'_>,
        _kind: &Bound<'_, PyAny>,
        exception: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> PyResult<Py<PyAny>> {
        this.as_super().get().exit(py, exception)
    }
}

#[pymethods]
impl AsyncDecision {
    fn __aenter__(this: Bound<'_, Self>, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let (mode, background) = (this.as_super().get().mode, this.as_super().get().background.clone());
        let this = this.unbind();
        let give = move |py: Python<'_>| {
            this.bind(py).as_super().get().enter(py)?;
            Ok(this.into_any())
        };
        let work: Work = async move { Ok(Box::new(give) as Give) }.boxed();
        mode.run(py, background, work)
    }

    fn __aexit__(
        this: &Bound<'_, Self>,
        py: Python<'_>,
        _kind: &Bound<'_, PyAny>,
        exception: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> PyResult<Py<PyAny>> {
        this.as_super().get().exit(py, exception)
    }
}

/// What it cost, by attribute.
fn amounts(spent: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<(String, u64)>> {
    let Some(spent) = spent else { return Ok(Vec::new()) };
    let refused = || PyTypeError::new_err("`spent` has to be a dict of texts to whole numbers from 0 to 2**64 - 1");
    let mut amounts = Vec::new();
    for (key, amount) in spent.cast::<PyDict>().map_err(|_| refused())?.iter() {
        if !amount.is_instance_of::<PyInt>() {
            return Err(refused());
        }
        amounts.push((key.extract().map_err(|_| refused())?, amount.extract().map_err(|_| refused())?));
    }
    Ok(amounts)
}

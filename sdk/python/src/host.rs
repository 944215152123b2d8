//! The host in this process, as Python sees it.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use serde_json::Value;
use vak::Override;

use crate::asked::{self, Asked, Execute, Ingest, Optional};
use crate::decision;
use crate::errors::Error;
use crate::execution::Executed;
use crate::ingested;
use crate::opened::{self, Opened, Source};
use crate::run::{self, Mode, nothing, objects, same, work};
use crate::runtime::Runtime;
use crate::verdict::Receipt;

/// What can be asked of a host in this process, whoever waits for what.
#[pyclass(frozen, subclass, module = "vak")]
pub(crate) struct LocalHost {
    opened: Arc<Opened>,
    mode: Mode,
}

/// A host in this process, with the configuration in a `vak.toml`.
///
/// `overrides` are settings that are laid over the file, such as
/// `{"audit.release": "accepted"}`, on top of those in the environment
/// (`VAK__AUDIT__RELEASE`). Opening verifies and compiles what the file names,
/// which can take seconds the first time.
///
/// Each method waits for its answer and leaves other threads alone meanwhile; those
/// of `aio` and of `AsyncHost` are awaited instead. Nothing here is a yes by
/// default: what can't be asked, answered or recorded raises.
///
/// >>> with vak.Host(config) as host:
/// ...     decision = host.decide("ada", "files/delete", "notes")
/// ...     decision.allowed, decision.verdict.rule
/// (False, 'no-delete')
#[pyclass(frozen, extends = LocalHost, module = "vak")]
pub(crate) struct Host;

/// The same for event loops: every method is awaited.
///
/// >>> async def main():
/// ...     async with await vak.AsyncHost.open(config) as host:
/// ...         decision = await host.decide("ada", "files/delete", "notes")
/// ...         return decision.allowed
/// >>> asyncio.run(main())
/// False
#[pyclass(frozen, extends = LocalHost, module = "vak")]
pub(crate) struct AsyncHost;

impl LocalHost {
    /// The first of a host that was just opened.
    fn new(py: Python<'_>, opened: Arc<Opened>, mode: Mode) -> Self {
        opened::at_exit(py, &opened);
        Self { opened, mode }
    }

    /// Does it, and gives what it makes as an object.
    fn run<T, P>(
        &self,
        py: Python<'_>,
        future: impl Future<Output = Result<T, Error>> + Send + 'static,
        object: fn(T) -> P,
    ) -> PyResult<Py<PyAny>>
    where
        T: Send + 'static,
        P: for<'py> IntoPyObject<'py> + 'static,
    {
        self.mode.run(py, self.opened.background()?, objects(future, object))
    }
}

#[pymethods]
impl LocalHost {
    /// Decides whether an action may happen. A deny is an answer and raises
    /// nothing; see `Decision.raise_for_verdict`.
    ///
    /// `arguments` are an empty object if they are left out. `session` is one of
    /// `open_session`, or any name of yours; if it is left out, one for all of this
    /// process. `attributes` are facts that you vouch for, `labels` say where the
    /// arguments come from. `able` says what you see to: `"arguments"`, to carry it
    /// out with `Decision.arguments`, and `"headers"`, to send
    /// `Decision.headers`. What is obliged to and not promised is a deny.
    ///
    /// >>> decision = host.decide("ada", "files/read", "notes", {"path": "/work/a"})
    /// >>> decision.allowed
    /// True
    /// >>> receipt = decision.succeeded("the text")
    /// >>> receipt.seq > decision.receipt.seq
    /// True
    #[pyo3(signature = (agent, operation, resource, arguments = None, *, session = None, attributes = None,
        labels = None, able = None))]
    #[allow(clippy::too_many_arguments, reason = "all but three can be left out")]
    fn decide(
        &self,
        py: Python<'_>,
        agent: &str,
        operation: &str,
        resource: &str,
        arguments: Option<&Bound<'_, PyAny>>,
        session: Option<&str>,
        attributes: Option<&Bound<'_, PyAny>>,
        labels: Option<&Bound<'_, PyAny>>,
        able: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let optional = Optional { session, attributes, labels, able };
        let asked = Asked::read(agent, operation, resource, arguments, &optional)?;
        let background = self.opened.background()?;
        let give = decision::give(self.mode, background.clone());
        self.mode.run(py, background, work(Arc::clone(&self.opened).decide(asked), give))
    }

    /// Has the host run a skill for an agent, if that is allowed, and record how
    /// it ended.
    #[pyo3(signature = (agent, skill, input = None, *, session = None, labels = None))]
    fn execute(
        &self,
        py: Python<'_>,
        agent: &str,
        skill: &str,
        input: Option<&Bound<'_, PyAny>>,
        session: Option<&str>,
        labels: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let execute = Execute::read(agent, skill, input, session, labels)?;
        let work = work(Arc::clone(&self.opened).execute(execute), Executed::give);
        self.mode.run(py, self.opened.background()?, work)
    }

    /// Has an adapter read a framework's message, decides what it asks for, and gives
    /// what the framework is to be told. A message that the adapter does not
    /// understand raises `MessageError`, and nothing of it may happen. `session` is
    /// one for all that it asks; if it is left out, one for each conversation that
    /// the message names.
    #[pyo3(signature = (adapter, agent, event, *, session = None, attributes = None, labels = None))]
    #[allow(clippy::too_many_arguments, reason = "all but three can be left out")]
    fn ingest(
        &self,
        py: Python<'_>,
        adapter: &str,
        agent: &str,
        event: &Bound<'_, PyAny>,
        session: Option<&str>,
        attributes: Option<&Bound<'_, PyAny>>,
        labels: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let optional = Optional { session, attributes, labels, able: None };
        let ingest = Ingest::read(adapter, agent, event, &optional)?;
        let background = self.opened.background()?;
        let give = ingested::give(self.mode, background.clone());
        self.mode.run(py, background, work(Arc::clone(&self.opened).ingest(ingest), give))
    }

    /// The id of a new session of an agent: what policies and limits count
    /// together.
    fn open_session(&self, py: Python<'_>, agent: &str) -> PyResult<Py<PyAny>> {
        asked::text::<vak::AgentId>(agent)?;
        let opened = Arc::clone(&self.opened);
        self.run(py, async move { opened.open_session() }, String::from)
    }

    /// What waits for a person's answer, the oldest first.
    fn approvals(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.run(py, Arc::clone(&self.opened).approvals(), same)
    }

    /// What became of the action that entry `seq` of the log escalated.
    fn approval(&self, py: Python<'_>, seq: u64) -> PyResult<Py<PyAny>> {
        self.run(py, Arc::clone(&self.opened).approval(seq), same)
    }

    /// A person agrees to the action that entry `seq` escalated. Who it is you
    /// vouch for: no agent may get here. The answer is the only one.
    #[pyo3(signature = (seq, *, by, note = ""))]
    fn approve(&self, py: Python<'_>, seq: u64, by: &str, note: &str) -> PyResult<Py<PyAny>> {
        let answered = Arc::clone(&self.opened).answer(seq, asked::text(by)?, note.to_owned(), true);
        self.run(py, answered, same::<Receipt>)
    }

    /// A person does not agree.
    #[pyo3(signature = (seq, *, by, note = ""))]
    fn reject(&self, py: Python<'_>, seq: u64, by: &str, note: &str) -> PyResult<Py<PyAny>> {
        let answered = Arc::clone(&self.opened).answer(seq, asked::text(by)?, note.to_owned(), false);
        self.run(py, answered, same::<Receipt>)
    }

    /// Decides an action again that a person approved: the same one, as limits and
    /// policies are now. The yes counts once; after a deny it can be tried again.
    /// Carry it out with the decision's own `arguments`.
    #[pyo3(signature = (seq, *, able = None))]
    fn decide_approved(&self, py: Python<'_>, seq: u64, able: Option<&Bound<'_, PyAny>>) -> PyResult<Py<PyAny>> {
        let able = asked::able(able)?;
        let background = self.opened.background()?;
        let give = decision::give(self.mode, background.clone());
        self.mode.run(py, background, work(Arc::clone(&self.opened).decide_approved(seq, able), give))
    }

    /// Runs a skill whose call a person approved.
    fn execute_approved(&self, py: Python<'_>, seq: u64) -> PyResult<Py<PyAny>> {
        let work = work(Arc::clone(&self.opened).execute_approved(seq), Executed::give);
        self.mode.run(py, self.opened.background()?, work)
    }

    /// Reads the configuration again and lets it decide. One that does not load
    /// raises `ConfigError`, and changes nothing.
    fn reload(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.run(py, Arc::clone(&self.opened).reload(), same::<Receipt>)
    }

    /// Ends it: what waits for an outcome is recorded as unknown, and what is under
    /// way is waited for. From then on everything raises `Stopped`. Closing it
    /// again does nothing.
    fn close(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.run(py, Arc::clone(&self.opened).close(), nothing)
    }
}

#[pymethods]
impl Host {
    #[new]
    #[pyo3(signature = (config, *, overrides = None))]
    fn new(
        py: Python<'_>,
        config: PathBuf,
        overrides: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<PyClassInitializer<Self>> {
        let (source, runtime) = (source(config, overrides)?, Runtime::new()?);
        let handle = runtime.handle().clone();
        let opened = run::block(py, &handle, Opened::open(source, runtime))??;
        Ok(PyClassInitializer::from(LocalHost::new(py, opened, Mode::Blocking)).add_subclass(Self))
    }

    /// The same host for event loops.
    #[getter]
    fn aio(this: &Bound<'_, Self>, py: Python<'_>) -> PyResult<Py<AsyncHost>> {
        let host = LocalHost { opened: Arc::clone(&this.as_super().get().opened), mode: Mode::Async };
        Py::new(py, PyClassInitializer::from(host).add_subclass(AsyncHost))
    }

    fn __enter__(this: Bound<'_, Self>) -> Bound<'_, Self> {
        this
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(this: &Bound<'_, Self>, py: Python<'_>, _exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        this.as_super().get().close(py).map(drop)
    }
}

#[pymethods]
impl AsyncHost {
    /// Opens a host. See `Host`.
    #[staticmethod]
    #[pyo3(signature = (config, *, overrides = None))]
    fn open(py: Python<'_>, config: PathBuf, overrides: Option<&Bound<'_, PyDict>>) -> PyResult<Py<PyAny>> {
        let (source, runtime) = (source(config, overrides)?, Runtime::new()?);
        let background = runtime.background().clone();
        let give = |py: Python<'_>, opened| {
            let host = PyClassInitializer::from(LocalHost::new(py, opened, Mode::Async)).add_subclass(Self);
            Ok(Bound::new(py, host)?.into_any().unbind())
        };
        Mode::Async.run(py, background, work(Opened::open(source, runtime), give))
    }

    /// The same host for threads.
    #[getter]
    fn sync(this: &Bound<'_, Self>, py: Python<'_>) -> PyResult<Py<Host>> {
        let host = LocalHost { opened: Arc::clone(&this.as_super().get().opened), mode: Mode::Blocking };
        Py::new(py, PyClassInitializer::from(host).add_subclass(Host))
    }

    fn __aenter__(this: Bound<'_, Self>, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let background = this.as_super().get().opened.background()?;
        let this = this.unbind();
        Mode::Async.run(py, background, work(async { Ok(()) }, move |_, ()| Ok(this.into_any())))
    }

    #[pyo3(signature = (*_exception))]
    fn __aexit__(this: &Bound<'_, Self>, py: Python<'_>, _exception: &Bound<'_, PyTuple>) -> PyResult<Py<PyAny>> {
        this.as_super().get().close(py)
    }
}

/// The file, and what is laid over it.
fn source(path: PathBuf, overrides: Option<&Bound<'_, PyDict>>) -> Result<Source, Error> {
    let mut settings = Override::from_environment();
    for (key, value) in overrides.into_iter().flatten() {
        settings.push(setting(&key, &value)?);
    }
    Ok(Source { path, overrides: settings })
}

/// One of them. A text is taken as a flag's: what reads as TOML is that.
fn setting(key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> Result<Override, Error> {
    let refused = || {
        Error::argument("`overrides` has to be a dict of settings to values, such as {\"audit.release\": \"accepted\"}")
    };
    let key: String = key.extract().map_err(|_| refused())?;
    // What TOML and JSON write alike.
    let text = match crate::convert::json(value, "`overrides`")?.to_value() {
        Value::String(text) => text,
        Value::Null | Value::Object(_) => return Err(refused()),
        value => value.to_string(),
    };
    Override::from_flag(&format!("{key}={text}")).map_err(|error| Error::Config(error.to_string()))
}

//! A server of another process, as Python sees it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use vak::Name;

use crate::asked::{self, Asked, Execute, Ingest, Optional};
use crate::decision;
use crate::errors::Error;
use crate::execution::Executed;
use crate::ingested;
use crate::remote::{Identity, Place, Remote};
use crate::run::{Mode, nothing, objects, same, work};
use crate::verdict::Receipt;

/// What can be asked of a server, whoever waits for what.
#[pyclass(frozen, subclass, module = "vak")]
pub(crate) struct RemoteHost {
    remote: Arc<Remote>,
    mode: Mode,
}

/// A client of `vak serve`, at `http://127.0.0.1:8787`, `https://HOST:PORT` or
/// `unix:PATH`, with the same methods as `Host`. Nothing is connected before it is
/// asked for.
///
/// `ca` is a PEM file with the authorities that count in place of Mozilla's;
/// `certificate` and `key` are the client's own. No proxy is used and no redirect
/// followed. An answer is waited for `timeout_s`: as long as a server takes at the
/// most, and some more. What is asked is sent once: only with an `id` it is sent again when
/// a connection turns out to be gone.
///
/// >>> with vak.Client(url, token=token) as client:
/// ...     decision = client.decide("ada", "files/delete", "notes")
/// ...     decision.allowed, decision.verdict.rule
/// (False, 'no-delete')
#[pyclass(frozen, extends = RemoteHost, module = "vak")]
pub(crate) struct Client;

/// The same for event loops: every method is awaited.
///
/// >>> async def main():
/// ...     async with vak.AsyncClient(url, token=token) as client:
/// ...         decision = await client.decide("ada", "files/delete", "notes")
/// ...         return decision.allowed
/// >>> asyncio.run(main())
/// False
#[pyclass(frozen, extends = RemoteHost, module = "vak")]
pub(crate) struct AsyncClient;

impl RemoteHost {
    fn new(url: &str, token: Option<&str>, identity: &Identity, timeout_s: f64, mode: Mode) -> PyResult<Self> {
        let timeout = Duration::try_from_secs_f64(timeout_s).ok().filter(|timeout| !timeout.is_zero());
        let timeout = timeout.ok_or_else(|| Error::argument("`timeout_s` has to be more than 0"))?;
        let remote = Remote::new(Place::parse(url, identity)?, token, timeout)?;
        Ok(Self { remote, mode })
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
        self.mode.run(py, self.remote.background()?, objects(future, object))
    }
}

#[pymethods]
impl RemoteHost {
    /// As `Host.decide`. With an `id` a retry is no second action: it is answered
    /// as the first was. If `session` is left out, it is the one that the token
    /// always has with this agent.
    #[pyo3(signature = (agent, operation, resource, arguments = None, *, session = None, attributes = None,
        labels = None, able = None, id = None))]
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
        id: Option<&str>,
    ) -> PyResult<Py<PyAny>> {
        let optional = Optional { session, attributes, labels, able };
        let asked = Asked::read(agent, operation, resource, arguments, &optional)?;
        let id = id.map(asked::text::<Name>).transpose()?;
        let background = self.remote.background()?;
        let give = decision::give(self.mode, background.clone());
        self.mode.run(py, background, work(Arc::clone(&self.remote).decide(asked, id), give))
    }

    /// As `Host.execute`. With an `id` a retry runs no skill a second time.
    #[pyo3(signature = (agent, skill, input = None, *, session = None, labels = None, id = None))]
    #[allow(clippy::too_many_arguments, reason = "all but two can be left out")]
    fn execute(
        &self,
        py: Python<'_>,
        agent: &str,
        skill: &str,
        input: Option<&Bound<'_, PyAny>>,
        session: Option<&str>,
        labels: Option<&Bound<'_, PyAny>>,
        id: Option<&str>,
    ) -> PyResult<Py<PyAny>> {
        let execute = Execute::read(agent, skill, input, session, labels)?;
        let id = id.map(asked::text::<Name>).transpose()?;
        let work = work(Arc::clone(&self.remote).execute(execute, id), Executed::give);
        self.mode.run(py, self.remote.background()?, work)
    }

    /// As `Host.ingest`.
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
        let background = self.remote.background()?;
        let give = ingested::give(self.mode, background.clone());
        self.mode.run(py, background, work(Arc::clone(&self.remote).ingest(ingest), give))
    }

    /// The id of a new session of an agent, good for this token and agent alone.
    fn open_session(&self, py: Python<'_>, agent: &str) -> PyResult<Py<PyAny>> {
        self.run(py, Arc::clone(&self.remote).open_session(asked::text(agent)?), same)
    }

    /// What waits for a person's answer, the oldest first. For tokens of persons.
    fn approvals(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.run(py, Arc::clone(&self.remote).approvals(), same)
    }

    /// What became of an action that this token asked for and that entry `seq` of
    /// the log escalated.
    fn approval(&self, py: Python<'_>, seq: u64) -> PyResult<Py<PyAny>> {
        self.run(py, Arc::clone(&self.remote).approval(seq), same)
    }

    /// The person whose token this is agrees to the action that entry `seq`
    /// escalated. The answer is the only one.
    #[pyo3(signature = (seq, *, note = ""))]
    fn approve(&self, py: Python<'_>, seq: u64, note: &str) -> PyResult<Py<PyAny>> {
        self.run(py, Arc::clone(&self.remote).answer(seq, note.to_owned(), true), same::<Receipt>)
    }

    /// The person does not agree.
    #[pyo3(signature = (seq, *, note = ""))]
    fn reject(&self, py: Python<'_>, seq: u64, note: &str) -> PyResult<Py<PyAny>> {
        self.run(py, Arc::clone(&self.remote).answer(seq, note.to_owned(), false), same::<Receipt>)
    }

    /// As `Host.decide_approved`.
    #[pyo3(signature = (seq, *, able = None))]
    fn decide_approved(&self, py: Python<'_>, seq: u64, able: Option<&Bound<'_, PyAny>>) -> PyResult<Py<PyAny>> {
        let able = asked::able(able)?;
        let background = self.remote.background()?;
        let give = decision::give(self.mode, background.clone());
        self.mode.run(py, background, work(Arc::clone(&self.remote).decide_approved(seq, able), give))
    }

    /// Runs a skill whose call a person approved.
    fn execute_approved(&self, py: Python<'_>, seq: u64) -> PyResult<Py<PyAny>> {
        let work = work(Arc::clone(&self.remote).execute_approved(seq), Executed::give);
        self.mode.run(py, self.remote.background()?, work)
    }

    /// Ends it, when the outcomes that nobody waits for are reported. From then on
    /// everything raises `Stopped`. Closing it again does nothing.
    fn close(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.run(py, Arc::clone(&self.remote).close(), nothing)
    }
}

#[pymethods]
impl Client {
    #[new]
    #[pyo3(signature = (url, *, token = None, ca = None, certificate = None, key = None, timeout_s = 35.0))]
    fn new(
        url: &str,
        token: Option<&str>,
        ca: Option<PathBuf>,
        certificate: Option<PathBuf>,
        key: Option<PathBuf>,
        timeout_s: f64,
    ) -> PyResult<PyClassInitializer<Self>> {
        let identity = Identity { ca, certificate, key };
        let host = RemoteHost::new(url, token, &identity, timeout_s, Mode::Blocking)?;
        Ok(PyClassInitializer::from(host).add_subclass(Self))
    }

    /// The same client for event loops.
    #[getter]
    fn aio(this: &Bound<'_, Self>, py: Python<'_>) -> PyResult<Py<AsyncClient>> {
        let host = RemoteHost { remote: Arc::clone(&this.as_super().get().remote), mode: Mode::Async };
        Py::new(py, PyClassInitializer::from(host).add_subclass(AsyncClient))
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
impl AsyncClient {
    #[new]
    #[pyo3(signature = (url, *, token = None, ca = None, certificate = None, key = None, timeout_s = 35.0))]
    fn new(
        url: &str,
        token: Option<&str>,
        ca: Option<PathBuf>,
        certificate: Option<PathBuf>,
        key: Option<PathBuf>,
        timeout_s: f64,
    ) -> PyResult<PyClassInitializer<Self>> {
        let identity = Identity { ca, certificate, key };
        let host = RemoteHost::new(url, token, &identity, timeout_s, Mode::Async)?;
        Ok(PyClassInitializer::from(host).add_subclass(Self))
    }

    /// The same client for threads.
    #[getter]
    fn sync(this: &Bound<'_, Self>, py: Python<'_>) -> PyResult<Py<Client>> {
        let host = RemoteHost { remote: Arc::clone(&this.as_super().get().remote), mode: Mode::Blocking };
        Py::new(py, PyClassInitializer::from(host).add_subclass(Client))
    }

    fn __aenter__(this: Bound<'_, Self>, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let background = this.as_super().get().remote.background()?;
        let this = this.unbind();
        Mode::Async.run(py, background, work(async { Ok(()) }, move |_, ()| Ok(this.into_any())))
    }

    #[pyo3(signature = (*_exception))]
    fn __aexit__(this: &Bound<'_, Self>, py: Python<'_>, _exception: &Bound<'_, PyTuple>) -> PyResult<Py<PyAny>> {
        this.as_super().get().close(py)
    }
}

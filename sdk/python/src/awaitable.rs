//! What an event loop awaits.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use futures_util::FutureExt as _;
use pyo3::exceptions::{PyRuntimeError, PyStopIteration};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use crate::bell::{Bell, Waiter};
use crate::errors::{Error, not_a_truth};
use crate::process::ThisProcess;
use crate::run::{self, Give, Work};
use crate::runtime::Background;

/// What comes of something that was asked, as a coroutine: nothing is asked before
/// it is awaited, and it is awaited once. If it is cancelled, what was begun is
/// ended in the background and undone.
///
/// It is neither true nor false, so that no `if` takes it for a yes.
#[pyclass(frozen, generic, module = "vak")]
pub(crate) struct Awaitable(Mutex<State>);

enum State {
    /// Nothing was asked yet.
    New(ThisProcess<Work>, Background),
    /// It goes on in the background.
    Running(ThisProcess<Arc<Slot>>),
    /// It is over, or somebody is at it.
    Over,
}

/// Where the background puts what was done.
type Slot = Mutex<Done>;

#[derive(Default)]
struct Done {
    done: Option<Result<Give, Error>>,
    /// Nobody waits any more.
    abandoned: bool,
    waiter: Option<Waiter>,
}

impl Awaitable {
    pub(crate) fn new(background: Background, work: Work) -> Self {
        Self(Mutex::new(State::New(ThisProcess::new(work), background)))
    }

    fn take(&self) -> State {
        std::mem::replace(&mut *self.state(), State::Over)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes on: what was done, or what to wait for.
    fn step(&self, py: Python<'_>) -> PyResult<Step> {
        match self.take() {
            State::New(work, background) => self.begin(py, work, &background),
            State::Running(running) => self.go_on(py, running),
            State::Over => Err(awaited_already()),
        }
    }

    fn begin(&self, py: Python<'_>, mut work: ThisProcess<Work>, background: &Background) -> PyResult<Step> {
        let polling = work.get_mut()?;
        if let Poll::Ready(done) = py.detach(|| run::poll(&background.handle, polling.as_mut(), Waker::noop())) {
            return Ok(Step::Done(done?(py)?));
        }
        let slot = Arc::<Slot>::default();
        let filling = Filling(Some((Arc::clone(&slot), background.bell.clone())));
        background.handle.spawn(work.into_inner()?.map(move |done| filling.with(done)));
        self.wait(py, ThisProcess::new(slot))
    }

    /// Whoever waits is told before they come back. Anybody else would be told in
    /// their place.
    fn go_on(&self, py: Python<'_>, running: ThisProcess<Arc<Slot>>) -> PyResult<Step> {
        let (waited_for, abandoned) = {
            let slot = lock(running.get()?);
            (slot.waiter.is_some(), slot.abandoned)
        };
        if abandoned {
            return Err(awaited_already());
        }
        if waited_for {
            *self.state() = State::Running(running);
            return Err(awaited_already());
        }
        self.wait(py, running)
    }

    fn wait(&self, py: Python<'_>, running: ThisProcess<Arc<Slot>>) -> PyResult<Step> {
        let slot = running.get()?;
        let (waiter, next) = waiter(py).inspect_err(|_| abandon(slot))?;
        let done = {
            let mut slot = lock(slot);
            let done = slot.done.take();
            slot.waiter = done.is_none().then_some(waiter);
            done
        };
        if let Some(done) = done {
            return Ok(Step::Done(done?(py)?));
        }
        *self.state() = State::Running(running);
        Ok(Step::Wait(next))
    }

    /// Nobody waits any more.
    fn abandon(&self) {
        if let State::Running(running) = self.take()
            && let Ok(slot) = running.get()
        {
            abandon(slot);
        }
    }
}

fn awaited_already() -> PyErr {
    PyRuntimeError::new_err("it is awaited already, and can be only once")
}

/// What comes of a step.
enum Step {
    Done(Py<PyAny>),
    /// What the event loop has to wait for.
    Wait(Py<PyAny>),
}

fn lock(slot: &Slot) -> MutexGuard<'_, Done> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

fn abandon(slot: &Slot) {
    let done = {
        let mut slot = lock(slot);
        slot.abandoned = true;
        slot.waiter = None;
        slot.done.take()
    };
    drop(done);
}

/// What puts something into a slot. Where it can't, whoever waits is told so: its
/// task is gone, and so are the threads it ran in.
struct Filling(Option<(Arc<Slot>, Bell)>);

impl Filling {
    fn with(mut self, done: Result<Give, Error>) {
        if let Some((slot, bell)) = self.0.take() {
            fill(&slot, &bell, done);
        }
    }
}

impl Drop for Filling {
    fn drop(&mut self) {
        if let Some((slot, bell)) = self.0.take() {
            fill(&slot, &bell, Err(Error::Stopped("it was closed before this was done".to_owned())));
        }
    }
}

/// Puts what was done where somebody waits for it, and tells them.
fn fill(slot: &Arc<Slot>, bell: &Bell, done: Result<Give, Error>) {
    let waiter = {
        let mut slot = lock(slot);
        if slot.abandoned {
            return;
        }
        slot.done = Some(done);
        slot.waiter.take()
    };
    if let Some(waiter) = waiter {
        let slot = Arc::clone(slot);
        bell.ring(waiter, Box::new(move || abandon(&slot)));
    }
}

/// A future of the loop that runs in this thread, and what to give the loop so that it
/// waits for it.
fn waiter(py: Python<'_>) -> PyResult<(Waiter, Py<PyAny>)> {
    static RUNNING: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let running = RUNNING.import(py, "asyncio", "get_running_loop")?;
    let event_loop = running.call0()?;
    let future = event_loop.call_method0("create_future")?;
    let next = future.call_method0("__await__")?.call_method0("__next__")?;
    Ok((Waiter { event_loop: event_loop.unbind(), future: future.unbind() }, next.unbind()))
}

#[pymethods]
impl Awaitable {
    fn __await__(this: Bound<'_, Self>) -> Bound<'_, Self> {
        this
    }

    fn __iter__(this: Bound<'_, Self>) -> Bound<'_, Self> {
        this
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self.step(py)? {
            Step::Wait(next) => Ok(next),
            Step::Done(value) => Err(PyStopIteration::new_err((value,))),
        }
    }

    /// Goes on, as for any coroutine.
    fn send(&self, py: Python<'_>, value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let _ = value;
        self.__next__(py)
    }

    /// Raises an exception where it waits: it is cancelled.
    #[pyo3(signature = (kind, value = None, traceback = None))]
    fn throw(
        &self,
        kind: &Bound<'_, PyAny>,
        value: Option<&Bound<'_, PyAny>>,
        traceback: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        self.abandon();
        let _ = traceback;
        let raised = match (kind.cast::<PyType>(), value) {
            (Ok(_), Some(value)) if value.is_instance(kind)? => value.clone(),
            (Ok(kind), Some(value)) if !value.is_none() => kind.call1((value,))?,
            (Ok(kind), _) => kind.call0()?,
            (Err(_), _) => kind.clone(),
        };
        Err(PyErr::from_value(raised))
    }

    /// Cancels it, as for any coroutine.
    fn close(&self) {
        self.abandon();
    }

    fn __bool__(&self) -> PyResult<bool> {
        Err(not_a_truth("what is not awaited"))
    }
}

impl Drop for Awaitable {
    fn drop(&mut self) {
        self.abandon();
    }
}

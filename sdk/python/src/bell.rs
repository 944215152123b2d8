//! Telling event loops that what they wait for is done.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyList;

/// A future of an event loop that somebody waits for.
pub(crate) struct Waiter {
    pub(crate) event_loop: Py<PyAny>,
    pub(crate) future: Py<PyAny>,
}

/// What is called when nobody comes any more: the loop is closed, or Python ends.
pub(crate) type Missed = Box<dyn FnOnce() + Send>;

/// Those who are to be told. Telling takes Python's lock, which a busy program gives
/// away once in five milliseconds: so one thread waits for it and tells all who have
/// come meanwhile, and the others go on.
#[derive(Clone, Default)]
pub(crate) struct Bell(Arc<Mutex<Due>>);

impl fmt::Debug for Bell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bell").finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Due {
    waiters: Vec<(Waiter, Missed)>,
    /// Somebody tells them.
    is_rung: bool,
}

impl Bell {
    /// Tells a waiter, or leaves it to whoever tells others now.
    pub(crate) fn ring(&self, waiter: Waiter, missed: Missed) {
        {
            let mut due = self.lock();
            due.waiters.push((waiter, missed));
            if std::mem::replace(&mut due.is_rung, true) {
                return;
            }
        }
        let _rung = Rung(self);
        loop {
            // Those who come while Python's lock is waited for are told too. Without
            // Python there is nobody to tell.
            let missed = Python::try_attach(|py| tell(py, self.due())).unwrap_or_else(|| self.due());
            missed.into_iter().for_each(|(_, missed)| missed());
            if self.has_ended() {
                return;
            }
        }
    }

    fn due(&self) -> Vec<(Waiter, Missed)> {
        std::mem::take(&mut self.lock().waiters)
    }

    /// Whether nobody has come meanwhile. Whoever comes next rings it anew.
    fn has_ended(&self) -> bool {
        let mut due = self.lock();
        due.is_rung = !due.waiters.is_empty();
        !due.is_rung
    }

    fn lock(&self) -> MutexGuard<'_, Due> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody tells them. If that fails by a bug, whoever comes next tells them too.
struct Rung<'b>(&'b Bell);

impl Drop for Rung<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.lock().is_rung = false;
        }
    }
}

/// Tells all, each event loop once for those of its that stand side by side. Gives
/// those who could not be told.
fn tell(py: Python<'_>, mut waiters: Vec<(Waiter, Missed)>) -> Vec<(Waiter, Missed)> {
    let mut missed = Vec::new();
    while let Some((Waiter { event_loop, .. }, _)) = waiters.last() {
        let event_loop = event_loop.clone_ref(py);
        let other = waiters.iter().rposition(|(waiter, _)| !waiter.event_loop.is(&event_loop));
        let of_this = waiters.split_off(other.map_or(0, |at| at + 1));
        if release_in(py, &event_loop, &of_this).is_err() {
            missed.extend(of_this);
        }
    }
    missed
}

fn release_in(py: Python<'_>, event_loop: &Py<PyAny>, waiters: &[(Waiter, Missed)]) -> PyResult<()> {
    let futures = PyList::new(py, waiters.iter().map(|(waiter, _)| &waiter.future))?;
    let release = pyo3::wrap_pyfunction!(release, py)?;
    event_loop.call_method1(py, "call_soon_threadsafe", (release, futures))?;
    Ok(())
}

/// Ends the waiting for those of the futures that nobody has cancelled: for all that it
/// can be, also if it can't for one.
#[pyfunction]
fn release(futures: &Bound<'_, PyList>) -> PyResult<()> {
    let release = |future: Bound<'_, PyAny>| match future.call_method0("done")?.is_truthy()? {
        true => Ok(()),
        false => future.call_method1("set_result", (future.py().None(),)).map(drop),
    };
    futures.iter().map(release).fold(Ok(()), Result::and)
}

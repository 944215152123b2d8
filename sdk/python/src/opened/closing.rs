//! The end of a host in this process.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use pyo3::prelude::*;
use vak::{Host, Outcome};

use super::{Inner, Opened};
use crate::errors::Error;
use crate::process::ThisProcess;
use crate::run;

/// How often it is looked whether the last one who uses a host is done with it.
const LOOK: Duration = Duration::from_millis(1);

/// Hosts that are open, so that they can be closed when Python ends.
static OPEN: Mutex<Option<ThisProcess<Vec<Weak<Opened>>>>> = Mutex::new(None);

/// Has `opened` closed when Python ends, if it still is open then. Whoever forks
/// holds Python's lock, so no fork finds the list locked.
pub(crate) fn at_exit(_: Python<'_>, opened: &Arc<Opened>) {
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    match open.as_mut().and_then(|open| open.get_mut().ok()) {
        Some(open) => {
            open.retain(|opened| opened.strong_count() > 0);
            open.push(Arc::downgrade(opened));
        }
        None => *open = Some(ThisProcess::new(vec![Arc::downgrade(opened)])),
    }
}

/// The hosts of this process that are still open.
fn still_open(_: Python<'_>) -> Vec<Arc<Opened>> {
    let open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    let open = open.as_ref().and_then(|open| open.get().ok());
    open.into_iter().flatten().filter_map(Weak::upgrade).collect()
}

impl Opened {
    /// Ends what waits, waits for what is under way, and closes the log. Whoever
    /// calls it second waits for the first.
    pub(crate) async fn close(self: Arc<Self>) -> Result<(), Error> {
        let inner = self.0.get()?;
        inner.closing.store(true, Ordering::Release);
        let _alone = inner.close.lock().await;
        inner.tasks.close();
        inner.tasks.wait().await;
        inner.end_all().await;
        let host = inner.host.write().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut host) = host else { return Ok(()) };
        let host = loop {
            match Arc::try_unwrap(host) {
                Ok(host) => break host,
                Err(used) => host = used,
            }
            tokio::time::sleep(LOOK).await;
        };
        let closed = inner.runtime.handle().spawn_blocking(move || host.close()).await;
        let failed = |error: &dyn std::fmt::Display| Error::Stopped(format!("closing the log: {error}"));
        closed.map_err(|error| failed(&error))?.map_err(|error| failed(&error))
    }
}

impl Inner {
    /// Records of all that wait that nobody reported of them.
    async fn end_all(&self) {
        let Ok(using) = self.using() else { return };
        for begun in self.waiting.all() {
            let action = begun.action().clone();
            let outcome = Outcome::unknown("the host was closed before an outcome was reported");
            if let Err(error) = using.host.conclude(begun, outcome).await {
                tracing::error!(%action, "an outcome could not be recorded: {error}");
            }
        }
    }
}

/// Nothing is under way and nothing waits: whoever has something of either keeps
/// it from being dropped.
impl Drop for Inner {
    fn drop(&mut self) {
        let host = self.host.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        let closed = host.and_then(Arc::into_inner).map(Host::close);
        if let Some(Err(error)) = closed {
            tracing::error!("closing the log: {error}");
        }
    }
}

/// Closes what is open when Python ends, and its threads do nothing more in it.
pub(crate) fn close_all(py: Python<'_>) -> PyResult<()> {
    for opened in still_open(py) {
        let Ok(background) = opened.background() else { continue };
        let closing = Arc::clone(&opened);
        if let Err(error) = run::block(py, &background.handle, closing.close())? {
            tracing::error!("{error}");
        }
    }
    Ok(())
}

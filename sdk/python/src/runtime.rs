//! Where what is begun goes on when whoever began it does not wait for it, and
//! where skills and connections run.

use tokio::runtime::{Builder, Handle};

use crate::bell::Bell;
use crate::errors::Error;

/// One waits for Python's lock at times, when it tells an event loop; then the
/// other goes on.
const WORKERS: usize = 2;

/// Threads of its own. Dropping it waits for nothing, so it may be dropped by one
/// of them.
#[derive(Debug)]
pub(crate) struct Runtime(Option<tokio::runtime::Runtime>, Background);

/// What they do and whom they tell, for those who have something done there.
#[derive(Debug, Clone)]
pub(crate) struct Background {
    pub(crate) handle: Handle,
    pub(crate) bell: Bell,
}

impl Runtime {
    pub(crate) fn new() -> Result<Self, Error> {
        let mut builder = Builder::new_multi_thread();
        let built = builder.worker_threads(WORKERS).thread_name("vak-python").enable_io().enable_time().build();
        let runtime = built.map_err(|error| Error::Stopped(format!("threads could not be started: {error}")))?;
        let background = Background { handle: runtime.handle().clone(), bell: Bell::default() };
        Ok(Self(Some(runtime), background))
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.1.handle
    }

    pub(crate) fn background(&self) -> &Background {
        &self.1
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

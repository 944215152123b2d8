//! A host in this process, and what its HTTP server would keep for it.

mod calls;
mod closing;
mod messages;
mod waiting;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;
use vak::{Action, Begun, Config, Decided, Host, Outcome, Override};

pub(crate) use self::closing::{at_exit, close_all};
use self::messages::Calls;
use self::waiting::Waiting;
use crate::allowed::{Allowed, By, Told};
use crate::errors::Error;
use crate::process::ThisProcess;
use crate::runtime::{Background, Runtime};
use crate::verdict::Receipt;

/// The session of whoever names none. It is the same after a restart, so that
/// this is no clean slate.
const SESSION: &str = "python";

/// A host and where its configuration is. Shared by all that came of it, and
/// closed when the last of them is gone.
#[derive(Debug)]
pub(crate) struct Opened(ThisProcess<Inner>);

#[derive(Debug)]
struct Inner {
    source: Source,
    /// `None` once it is closed.
    host: RwLock<Option<Arc<Host>>>,
    /// Nothing new begins.
    closing: AtomicBool,
    /// Held while it is closed, by whoever was first.
    close: tokio::sync::Mutex<()>,
    waiting: Waiting,
    calls: Calls,
    /// What is under way.
    tasks: TaskTracker,
    runtime: Runtime,
}

/// Where a configuration comes from.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    /// What is laid over the file.
    pub(crate) overrides: Vec<Override>,
}

/// The host, while something is done with it.
struct Use {
    // Dropped first: whoever waits for the token wants to have the host alone.
    host: Arc<Host>,
    _token: TaskTrackerToken,
}

impl Source {
    pub(crate) fn load(&self) -> Result<Config, Error> {
        Config::load(&self.path, &self.overrides).map_err(|error| Error::Config(error.to_string()))
    }

    fn build(&self) -> Result<Host, Error> {
        Host::builder(self.load()?).build().map_err(|error| Error::Config(error.to_string()))
    }
}

impl Opened {
    /// Opens it, in a thread that may block: compiling components takes seconds
    /// the first time.
    pub(crate) async fn open(source: Source, runtime: Runtime) -> Result<Arc<Self>, Error> {
        let build = move || match source.build() {
            Ok(host) => (Ok(Self::new(source, host, runtime)), None),
            // Whoever waits does so in a task of it.
            Err(error) => (Err(error), Some(runtime)),
        };
        let handle = Handle::current();
        match handle.spawn_blocking(build).await {
            Ok((opened, _runtime)) => opened,
            Err(error) => Err(Error::Config(format!("it could not be opened: {error}"))),
        }
    }

    fn new(source: Source, host: Host, runtime: Runtime) -> Arc<Self> {
        Arc::new(Self(ThisProcess::new(Inner {
            source,
            host: RwLock::new(Some(Arc::new(host))),
            closing: AtomicBool::new(false),
            close: tokio::sync::Mutex::default(),
            waiting: Waiting::default(),
            calls: Calls::default(),
            tasks: TaskTracker::new(),
            runtime,
        })))
    }

    /// Where what it does goes on.
    pub(crate) fn background(&self) -> Result<Background, Error> {
        Ok(self.0.get()?.runtime.background().clone())
    }

    /// The host, for something new.
    fn enter(&self) -> Result<Use, Error> {
        let inner = self.0.get()?;
        let using = inner.using()?;
        match inner.closing.load(Ordering::Acquire) {
            true => Err(closed()),
            false => Ok(using),
        }
    }

    /// An allow is from here on somebody's to report of.
    fn told(self: &Arc<Self>, action: &Action, decided: Decided) -> Result<Told, Error> {
        let arguments = decided.verdict.is_allow().then(|| decided.arguments(action).clone());
        let mut told = Told {
            action: action.id.clone(),
            verdict: Arc::new(decided.verdict.clone()),
            receipt: decided.receipt.as_ref().map(Receipt::from),
            arguments,
            allowed: None,
        };
        if let Some(begun) = Begun::of(action, decided) {
            let number = self.0.get()?.waiting.add(begun);
            told.allowed = Some(Allowed::new(By::Host(Arc::clone(self), number)));
        }
        Ok(told)
    }

    /// Records the outcome of an action that waits for one.
    pub(crate) async fn record(&self, number: u64, outcome: Outcome) -> Result<Receipt, Error> {
        let inner = self.0.get()?;
        let using = inner.using()?;
        let begun = inner.waiting.take(number).ok_or(Error::NotOpen)?;
        Ok((&using.host.conclude(begun, outcome).await?).into())
    }

    /// The same for one that nobody reported of, when nobody waits for it.
    pub(crate) fn end(self: &Arc<Self>, number: u64, outcome: Outcome) {
        let Ok(inner) = self.0.get() else { return };
        let Some(begun) = inner.waiting.take(number) else { return };
        // If it is closed, closing has recorded all that waited.
        let Ok(using) = inner.using() else { return };
        // Kept until then: dropping the last of it ends what goes on in its runtime.
        let opened = Arc::clone(self);
        let record = async move {
            let action = begun.action().clone();
            if let Err(error) = using.host.conclude(begun, outcome).await {
                tracing::error!(%action, "an outcome could not be recorded: {error}");
            }
            drop((using, opened));
        };
        inner.runtime.handle().spawn(record);
    }
}

impl Inner {
    /// The host, also to end what was begun before closing.
    fn using(&self) -> Result<Use, Error> {
        let token = self.tasks.token();
        let host = self.host.read().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(Use { host: host.ok_or_else(closed)?, _token: token })
    }
}

fn closed() -> Error {
    Error::Stopped("the host is closed".to_owned())
}

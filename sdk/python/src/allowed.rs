//! An allowed action that waits for its outcome.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use vak::{ActionId, Json, Outcome, Verdict};

use crate::errors::Error;
use crate::opened::Opened;
use crate::process::ThisProcess;
use crate::remote::Remote;
use crate::verdict::Receipt;

/// What was decided, on its way to Python.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) action: ActionId,
    pub(crate) verdict: Arc<Verdict>,
    pub(crate) receipt: Option<Receipt>,
    /// What to carry it out with. `Some` for an allow only.
    pub(crate) arguments: Option<Json>,
    /// `Some` for an allow only.
    pub(crate) allowed: Option<Arc<Allowed>>,
}

/// How an allowed action ended.
#[derive(Debug, Clone)]
pub(crate) struct Ending {
    pub(crate) status: Status,
    pub(crate) result: Option<Json>,
    pub(crate) detail: String,
    pub(crate) spent: Vec<(String, u64)>,
}

/// How it ended, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Status {
    Succeeded,
    Failed,
    Unknown,
}

impl Ending {
    pub(crate) fn new(status: Status, detail: impl Into<String>) -> Self {
        Self { status, result: None, detail: detail.into(), spent: Vec::new() }
    }

    pub(crate) fn outcome(&self) -> Outcome {
        let outcome = match self.status {
            Status::Succeeded => Outcome::succeeded(self.result.as_ref().map_or("", Json::as_str).as_bytes()),
            Status::Failed => Outcome::failed(&self.detail),
            Status::Unknown => Outcome::unknown(&self.detail),
        };
        self.spent.iter().fold(outcome, |outcome, (what, amount)| outcome.spent(what.clone(), *amount))
    }
}

/// An allowed action's way to its outcome, which it has once. If nobody reports
/// any it ends when nobody can any more: as withdrawn where Python never saw the
/// verdict, since then nothing can have been done, and as unknown otherwise.
#[derive(Debug)]
pub(crate) struct Allowed {
    by: ThisProcess<By>,
    told: AtomicBool,
    ended: AtomicBool,
    since: Instant,
}

/// Who allowed it, and under which name it waits there.
#[derive(Debug)]
pub(crate) enum By {
    Host(Arc<Opened>, u64),
    Server(Arc<Remote>, ActionId),
}

impl Allowed {
    pub(crate) fn new(by: By) -> Arc<Self> {
        let (told, ended) = (AtomicBool::new(false), AtomicBool::new(false));
        Arc::new(Self { by: ThisProcess::new(by), told, ended, since: Instant::now() })
    }

    /// Python has the verdict now, and may act on it.
    pub(crate) fn told(&self) {
        self.told.store(true, Ordering::Release);
    }

    /// Whether an outcome was reported, or is being.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Reports how it ended.
    pub(crate) async fn end(self: Arc<Self>, ending: Ending) -> Result<Receipt, Error> {
        let by = self.by.get()?;
        if self.ended.swap(true, Ordering::AcqRel) {
            return Err(Error::NotOpen);
        }
        match by {
            By::Host(opened, number) => opened.record(*number, ending.outcome().took(self.since.elapsed())).await,
            By::Server(remote, action) => {
                let recorded = remote.outcome(action, &ending).await;
                // It can be said again: a server takes one outcome and no second.
                if let Err(Error::Unreachable(_)) = &recorded {
                    self.ended.store(false, Ordering::Release);
                }
                recorded
            }
        }
    }
}

impl Drop for Allowed {
    fn drop(&mut self) {
        let Ok(by) = self.by.get() else { return };
        if self.has_ended() {
            return;
        }
        let told = self.told.load(Ordering::Acquire);
        match by {
            By::Host(opened, number) => opened.end(*number, unreported(told)),
            // A server knows no other word for what was certainly not done.
            By::Server(remote, action) if !told => {
                remote.end(action.clone(), Ending::new(Status::Failed, NEVER_TOLD));
            }
            By::Server(remote, action) => remote.end(action.clone(), Ending::new(Status::Unknown, UNREPORTED)),
        }
    }
}

const NEVER_TOLD: &str = "whoever asked went before the verdict could be told";
const UNREPORTED: &str = "no outcome was reported";

fn unreported(told: bool) -> Outcome {
    match told {
        true => Outcome::unknown(UNREPORTED),
        false => Outcome::withdrawn(NEVER_TOLD),
    }
}

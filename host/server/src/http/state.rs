//! What all requests share.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use vak::Host;
use vak::config::ServerLimits;

use super::desk::Desk;
use super::metrics::{Metrics, Now};
use super::tools::Tools;
use super::who::Authority;

pub(crate) type Shared = Arc<State>;

pub(crate) struct State {
    pub(crate) host: Arc<Host>,
    pub(crate) authority: Authority,
    pub(crate) desk: Arc<Desk>,
    pub(crate) limits: ServerLimits,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) openapi: String,
    /// No more is taken in.
    pub(crate) draining: CancellationToken,
    /// Each connection ends with the request it is at.
    pub(crate) hang_up: CancellationToken,
    /// Places for what is begun, and for what of that runs skills or calls tools.
    pub(crate) under_way: Arc<Semaphore>,
    pub(crate) calls_under_way: Arc<Semaphore>,
    /// Connections, each a task.
    pub(crate) connections: TaskTracker,
}

impl State {
    pub(crate) fn headers_within(&self) -> Duration {
        Duration::from_millis(self.limits.headers_ms)
    }

    pub(crate) fn body_within(&self) -> Duration {
        Duration::from_millis(self.limits.body_ms)
    }

    pub(crate) fn request_within(&self) -> Duration {
        Duration::from_millis(self.limits.request_ms)
    }

    pub(crate) fn now(&self) -> Now {
        Now {
            connections: self.connections.len(),
            waiting: self.desk.waiting.len(),
            log_writable: self.host.stopped().is_none(),
            policies: self.host.policies().len(),
            stale: self.host.reloads().stale().is_some(),
            reloads_failed: self.host.reloads().failures(),
            withdrawn: self.host.withdrawn(),
            adapters: self.host.adapters().iter().map(|(name, it)| (name.clone(), it.statistics())).collect(),
            upstreams: self.desk.tools.as_ref().map(Tools::counts).unwrap_or_default(),
        }
    }
}

//! What all requests share.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use vak::Host;
use vak::config::ServerLimits;
use vak_serving::{House, Limits};

use super::desk::Desk;
use super::metrics::{Metrics, Now};
use super::tools::Tools;
use super::who::Authority;
use crate::mcp::McpService;

pub(crate) type Shared = Arc<State>;

pub(crate) struct State {
    pub(crate) host: Arc<Host>,
    pub(crate) authority: Authority,
    pub(crate) desk: Arc<Desk>,
    pub(crate) mcp: McpService,
    pub(crate) limits: ServerLimits,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) openapi: String,
    /// Its connections.
    pub(crate) house: House,
    /// Places for what is begun, and for what of that runs skills or calls tools.
    pub(crate) under_way: Arc<Semaphore>,
    pub(crate) calls_under_way: Arc<Semaphore>,
}

/// What connections may use.
pub(crate) fn connections(limits: &ServerLimits) -> Limits {
    let ServerLimits { connections_max, headers_max, header_bytes_max, headers_ms, request_ms, drain_ms, .. } = *limits;
    Limits {
        connections_max,
        headers_max,
        header_bytes_max,
        headers_within: Duration::from_millis(headers_ms),
        write_within: Duration::from_millis(request_ms),
        request_within: Duration::from_millis(request_ms),
        drain_within: Duration::from_millis(drain_ms),
    }
}

impl State {
    pub(crate) fn body_within(&self) -> Duration {
        Duration::from_millis(self.limits.body_ms)
    }

    /// For the answer to a request. Whoever asks for the call of a tool waits for it.
    pub(crate) fn request_within(&self, path: &str) -> Duration {
        let tools = self.desk.tools.as_ref().filter(|_| may_call(path)).map(Tools::within);
        self.house.limits().request_within.saturating_add(tools.unwrap_or_default())
    }

    pub(crate) fn now(&self) -> Now {
        Now {
            connections: self.house.connections(),
            waiting: self.desk.waiting.len(),
            verdicts: self.host.verdicts(),
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

/// Whether a tool may be called before there is an answer.
fn may_call(path: &str) -> bool {
    path == "/v1/execute" || (path.starts_with("/v1/approvals/") && path.ends_with("/execute"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_call_a_tool_has_its_time() {
        assert!(["/v1/execute", "/v1/approvals/7/execute"].into_iter().all(may_call));
        let none = ["/v1/decide", "/v1/approvals", "/v1/approvals/7/decide", "/v1/executes", "/execute"];
        assert!(!none.into_iter().any(may_call));
    }
}

//! What all clients of one gateway have in common.

use std::sync::Arc;
use std::time::Duration;

use rmcp::model::ErrorData;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use vak::{Host, Person};
use vak_types::AgentId;

use super::error::McpError;
use super::offers::LastOffered;
use super::refusals::Refusals;
use super::upstreams::Upstreams;

/// Calls and listings under way at the same time. An agent makes a handful;
/// with arguments of at most 1 MiB and results of at most 4 MiB each, what
/// they hold stays near a gigabyte in the worst case.
const CALLS_MAX: usize = 256;

/// Streams that tell of changed lists at the same time. Each is a request that does
/// not end; over HTTP they leave most places to others.
const LISTENS_MAX: usize = 64;

/// How long the calls that were given up may take to be recorded: a skill that
/// is running cannot be stopped before its five seconds are over.
const RECORD: Duration = Duration::from_secs(10);

/// The agent that clients of `vak mcp` act as, and the person before them.
pub(crate) fn configured(host: &Host) -> Result<(AgentId, Option<Person>), McpError> {
    let config = host.config();
    let mcp = config.mcp.as_ref().ok_or(McpError::NotConfigured)?;
    Ok((mcp.agent.clone().ok_or(McpError::NoAgent)?, mcp.person.clone()))
}

/// The host, the upstreams, and what is under way.
pub(crate) struct Shared {
    pub(crate) host: Arc<Host>,
    pub(crate) upstreams: Arc<Upstreams>,
    pub(crate) refusals: Arc<Refusals>,
    /// Gives up the calls under way.
    pub(crate) hang_up: CancellationToken,
    /// Each call, until its outcome is recorded.
    pub(crate) calls: TaskTracker,
    pub(crate) last_offered: LastOffered,
    places: Arc<Semaphore>,
    listens: Arc<Semaphore>,
}

impl Shared {
    /// A gateway before `upstreams`, which others may use too.
    pub(crate) fn new(host: Arc<Host>, upstreams: Arc<Upstreams>) -> Self {
        Self {
            upstreams,
            refusals: Arc::default(),
            hang_up: CancellationToken::new(),
            calls: TaskTracker::new(),
            last_offered: LastOffered::default(),
            places: Arc::new(Semaphore::new(CALLS_MAX)),
            listens: Arc::new(Semaphore::new(LISTENS_MAX)),
            host,
        }
    }

    /// A place for one more call.
    ///
    /// # Errors
    /// As many as may be are under way.
    pub(crate) fn place(&self) -> Result<OwnedSemaphorePermit, ErrorData> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let full = format!("{CALLS_MAX} calls are under way; wait for one to end and call again");
        place.map_err(|_| ErrorData::internal_error(full, None))
    }

    /// A place for one more client that listens.
    ///
    /// # Errors
    /// As many as may be do.
    pub(crate) fn place_to_listen(&self) -> Result<OwnedSemaphorePermit, ErrorData> {
        let full = || ErrorData::internal_error(format!("{LISTENS_MAX} streams are open; end one"), None);
        Arc::clone(&self.listens).try_acquire_owned().map_err(|_| full())
    }

    /// Gives up what is under way, and records that. Refused calls are told as those
    /// of `whom`.
    pub(crate) async fn close(&self, whom: &str) {
        self.hang_up.cancel();
        self.calls.close();
        if timeout(RECORD, self.calls.wait()).await.is_err() {
            tracing::error!("calls were still under way at the end; the log has no outcome for them");
        }
        if timeout(RECORD, self.refusals.record(&self.host, whom)).await.is_err() {
            tracing::error!("refused calls were not recorded in time");
        }
    }
}

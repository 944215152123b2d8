//! The upstream, from its start to its end.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use rmcp::model::{ClientRequest, ListToolsRequest, ServerResult, Tool};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use vak::config::Mcp;
use vak_types::{Digest, Label, Name};

use super::catalog::Catalog;
use super::connection::{Abandon, Connection};
use super::error::{RequestError, StartError};
use super::pages::List;
use super::pins::Pins;
use super::provenance;
use super::routes::{ListChanges, Routes, UpstreamClient};
use super::start::{Limits, Slot, Start, Way};
use super::wish::Wish;

const TOOLS: List<Tool> = List {
    what: "tools",
    request: |params| ClientRequest::ListToolsRequest(ListToolsRequest::with_param(params)),
    page: |answer| match answer {
        ServerResult::ListToolsResult(page) => Some((page.tools, page.next_cursor)),
        _ => None,
    },
};

type Starting = Shared<BoxFuture<'static, Result<Arc<Connection>, Arc<StartError>>>>;

/// How an upstream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    Up,
    Starting,
    Down,
}

/// The upstream. It starts in the background, so that the client and the
/// skills do not wait for it; what needs it does.
pub(crate) struct Upstream {
    pub(crate) name: Name,
    /// What its results mark a session with, unless they are believed.
    pub(crate) label: Option<Label>,
    /// Whether its name stands in what is offered.
    pub(crate) prefixed: bool,
    catalog: Catalog,
    /// Held while the list is asked for on behalf of a call.
    comparing: Mutex<()>,
    starting: Starting,
    missed: AtomicBool,
    slot: Slot,
    stop: CancellationToken,
}

impl Upstream {
    /// Starts it. A failure is told to whoever asks for something.
    pub(crate) fn start(mcp: &Mcp, state: &Path, name: &Name, way: Way, changes: ListChanges) -> Self {
        let (name, stop, slot) = (name.clone(), CancellationToken::new(), Slot::default());
        let changed = Arc::default();
        let client = UpstreamClient { routes: Routes::default(), changes, changed: Arc::clone(&changed) };
        let label = if mcp.trusted.contains(&name) { None } else { provenance::label(&name) };
        let catalog = Catalog::new(name.clone(), Pins::at(state, &name), changed);
        let limits = Limits { start: Duration::from_millis(mcp.start_ms), call: Duration::from_millis(mcp.call_ms) };
        let start = Start { upstream: name.clone(), limits, client, slot: slot.clone(), stop: stop.clone() };
        let starting = tokio::spawn(start.by(way)).map(|joined| joined.unwrap_or(Err(StartError::Stopping)));
        let starting = starting.map(|done| done.map(Arc::new).map_err(Arc::new)).boxed().shared();
        let (comparing, missed) = (Mutex::new(()), AtomicBool::new(false));
        Self { name, label, prefixed: mcp.prefixes(), catalog, comparing, starting, missed, slot, stop }
    }

    pub(crate) fn condition(&self) -> Condition {
        match self.starting.peek() {
            None => Condition::Starting,
            Some(Ok(connection)) if connection.is_alive() => Condition::Up,
            Some(_) => Condition::Down,
        }
    }

    /// Whether it is neither there nor known to have failed.
    pub(crate) fn is_starting(&self) -> bool {
        self.starting.peek().is_none()
    }

    /// Whether it is the first time that this is asked.
    pub(crate) fn first_missed(&self) -> bool {
        !self.missed.swap(true, Ordering::Relaxed)
    }

    /// The connection, once it is there.
    pub(super) async fn connection(&self, abandon: &Abandon) -> Result<Arc<Connection>, RequestError> {
        tokio::select! {
            biased;
            connection = self.starting.clone() => Ok(connection?),
            reason = abandon.reason() => Err(RequestError::NotSent(reason)),
        }
    }

    /// Waits for the start and says why it failed.
    pub(crate) async fn failed_to_start(&self) -> Option<Arc<StartError>> {
        self.starting.clone().await.err()
    }

    /// The tools that can be called, as they are described by now.
    pub(crate) async fn tools(&self, abandon: &Abandon) -> Result<Vec<Tool>, RequestError> {
        let after = self.catalog.changes();
        match self.list(abandon).await {
            Ok(listed) => self.catalog.take(after, listed).await,
            Err(error) => {
                // That somebody did not wait says nothing of the upstream.
                if !error.is_ours() {
                    self.catalog.fail(after, &error);
                }
                Err(error)
            }
        }
    }

    /// The digest of a tool's definition, as far as it is known; asks nobody.
    ///
    /// # Errors
    /// It is not the one that was accepted.
    pub(crate) async fn known(&self, tool: &str) -> Result<Option<Digest>, RequestError> {
        self.catalog.known(tool).await
    }

    /// Compares the definition of a tool that is to be called with the accepted
    /// one, for which the upstream is asked for its list if that is not known.
    ///
    /// # Errors
    /// It is another, or cannot be compared.
    pub(crate) async fn compare(&self, tool: &str, abandon: &Abandon) -> Result<(), RequestError> {
        if !self.catalog.is_fresh() {
            let _alone = self.comparing.lock().await;
            if !self.catalog.is_fresh() {
                match self.tools(abandon).await {
                    Err(error) if error.is_ours() => return Err(error),
                    // What is known of it now is looked at below.
                    Ok(_) | Err(_) => {}
                }
            }
        }
        self.catalog.compared(tool).await
    }

    async fn list(&self, abandon: &Abandon) -> Result<Vec<Tool>, RequestError> {
        TOOLS.all(&*self.connection(abandon).await?, abandon).await
    }

    /// Whether it says that it has what is wished for.
    pub(crate) async fn has(&self, wish: &Wish, abandon: &Abandon) -> Result<bool, RequestError> {
        let connection = self.connection(abandon).await?;
        let Some(info) = connection.service.peer().peer_info() else { return Ok(false) };
        Ok(match wish {
            Wish::Tool(_) => info.capabilities.tools.is_some(),
            Wish::Resources | Wish::Templates | Wish::Resource => info.capabilities.resources.is_some(),
            Wish::Prompts | Wish::Prompt => info.capabilities.prompts.is_some(),
        })
    }

    /// Closes the upstream's input and ends its process.
    pub(crate) async fn close(&self) {
        self.stop.cancel();
        if let Some(keeper) = self.slot.get() {
            keeper.close().await;
        }
    }
}

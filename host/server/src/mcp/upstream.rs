//! The upstream: what it is called, what is known of it, and its lives.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rmcp::model::{ClientRequest, ListToolsRequest, ServerResult, Tool};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use vak::config::Mcp;
use vak_types::{Digest, Label, Name};

use super::catalog::{AsOf, Catalog};
use super::connection::{Abandon, Connection};
use super::error::RequestError;
use super::lives::{Condition, Lives};
use super::pages::List;
use super::pins::Pins;
use super::provenance;
use super::routes::ListChanges;
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

/// The upstream.
pub(crate) struct Upstream {
    pub(crate) name: Name,
    /// What its results mark a session with, unless they are believed.
    pub(crate) label: Option<Label>,
    /// Whether its name stands in what is offered.
    pub(crate) prefixed: bool,
    lives: Lives,
    catalog: Catalog,
    /// Held while the list is asked for on behalf of a call.
    comparing: Mutex<()>,
    missed: AtomicBool,
}

impl Upstream {
    /// Starts it. A failure is told to whoever asks for something.
    pub(crate) fn start(mcp: &Mcp, state: &Path, name: &Name, way: Way, changes: ListChanges) -> Self {
        let label = if mcp.trusted.contains(name) { None } else { provenance::label(name) };
        let limits = Limits { start: Duration::from_millis(mcp.start_ms), call: Duration::from_millis(mcp.call_ms) };
        let (slot, stop, readers) = (Slot::default(), CancellationToken::new(), Arc::default());
        let start = Start { upstream: name.clone(), way, limits, changes, slot, stop, readers };
        Self {
            name: name.clone(),
            label,
            prefixed: mcp.prefixes(),
            lives: Lives::begin(start),
            catalog: Catalog::new(name.clone(), Pins::at(state, name)),
            comparing: Mutex::new(()),
            missed: AtomicBool::new(false),
        }
    }

    pub(crate) fn condition(&self) -> Condition {
        self.lives.condition()
    }

    /// Whether it is the first time that this is asked.
    pub(crate) fn first_missed(&self) -> bool {
        !self.missed.swap(true, Ordering::Relaxed)
    }

    /// The connection, once it is there. If it has died it is started anew.
    pub(super) async fn connection(&self, abandon: &Abandon) -> Result<Arc<Connection>, RequestError> {
        tokio::select! {
            biased;
            connection = self.lives.connection() => connection,
            reason = abandon.reason() => Err(RequestError::NotSent(reason)),
        }
    }

    /// Waits for the start that is under way, and says whether it did.
    pub(crate) async fn has_begun(&self) -> bool {
        self.lives.has_begun().await
    }

    /// The tools that can be called, as they are described by now.
    pub(crate) async fn tools(&self, abandon: &Abandon) -> Result<Vec<Tool>, RequestError> {
        let connection = self.connection(abandon).await?;
        self.list(&connection, abandon).await
    }

    async fn list(&self, connection: &Connection, abandon: &Abandon) -> Result<Vec<Tool>, RequestError> {
        let as_of = AsOf::now(connection);
        match TOOLS.all(connection, abandon).await {
            Ok(listed) => self.catalog.take(as_of, listed).await,
            Err(error) => {
                // That somebody did not wait says nothing of the upstream.
                if !error.is_ours() {
                    self.catalog.fail(as_of, &error);
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
    /// one, for which the upstream is asked for its list if that is not known of the
    /// life that will be called. Gives its digest, if there is such a tool.
    ///
    /// # Errors
    /// It is another, or cannot be compared.
    pub(crate) async fn compare(
        &self,
        tool: &str,
        connection: &Connection,
        abandon: &Abandon,
    ) -> Result<Option<Digest>, RequestError> {
        if !self.catalog.is_fresh(connection) {
            let _alone = self.comparing.lock().await;
            if !self.catalog.is_fresh(connection) {
                match self.list(connection, abandon).await {
                    Err(error) if error.is_ours() => return Err(error),
                    // What is known of it now is looked at below.
                    Ok(_) | Err(_) => {}
                }
            }
        }
        self.catalog.compared(tool).await
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

    /// Closes the upstream's input and ends its process, for good.
    pub(crate) async fn close(&self) {
        self.lives.end().await;
    }
}

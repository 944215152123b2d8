//! The upstream: what it is called, what is known of it, and its lives.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rmcp::model::{JsonObject, Prompt, Tool};
use tokio_util::sync::CancellationToken;
use vak::Host;
use vak::config::Mcp;
use vak_types::{Digest, Label, Name};

use super::catalog::Catalog;
use super::changes::ListChanges;
use super::connection::{Abandon, Connection};
use super::error::RequestError;
use super::lives::{Condition, Lives};
use super::provenance;
use super::start::{Limits, Slot, Start, Way};
use super::wish::{self, Wish};

/// The upstream.
pub(crate) struct Upstream {
    pub(crate) name: Name,
    /// What its results mark a session with, unless they are believed.
    pub(crate) label: Option<Label>,
    /// Whether its name stands in what is offered.
    pub(crate) prefixed: bool,
    lives: Lives,
    pub(crate) tools: Catalog<Tool>,
    pub(crate) prompts: Catalog<Prompt>,
    missed: AtomicBool,
}

impl Upstream {
    /// Starts it. A failure is told to whoever asks for something.
    pub(crate) fn start(host: &Arc<Host>, mcp: &Mcp, name: &Name, way: Way, changes: ListChanges) -> Self {
        let label = if mcp.trusted.contains(name) { None } else { provenance::label(name) };
        let limits = Limits { start: Duration::from_millis(mcp.start_ms), call: Duration::from_millis(mcp.call_ms) };
        let (slot, stop, readers) = (Slot::default(), CancellationToken::new(), Arc::default());
        let start = Start { upstream: name.clone(), way, limits, changes, slot, stop, readers };
        Self {
            name: name.clone(),
            label,
            prefixed: mcp.prefixes(),
            lives: Lives::begin(start),
            tools: Catalog::new(host, name),
            prompts: Catalog::new(host, name),
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
        self.tools.list(&connection, abandon).await
    }

    /// The digest of how what is wished for is described, as far as it is described
    /// and that is known; asks nobody.
    ///
    /// # Errors
    /// It is not the one that was accepted.
    pub(crate) async fn known(&self, wish: &Wish, arguments: &JsonObject) -> Result<Option<Digest>, RequestError> {
        match wish {
            Wish::Tool(tool) => self.tools.known(tool).await,
            Wish::Prompt => self.prompts.known(wish::text(arguments, "name")).await,
            _ => Ok(None),
        }
    }

    /// Compares the description of what is about to be asked for with the accepted
    /// one.
    ///
    /// # Errors
    /// It is another, or cannot be compared.
    pub(crate) async fn compare(
        &self,
        wish: &Wish,
        arguments: &JsonObject,
        connection: &Connection,
        abandon: &Abandon,
    ) -> Result<Option<Digest>, RequestError> {
        match wish {
            Wish::Tool(tool) => self.tools.compare(tool, connection, abandon).await,
            Wish::Prompt => self.prompts.compare(wish::text(arguments, "name"), connection, abandon).await,
            _ => Ok(None),
        }
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

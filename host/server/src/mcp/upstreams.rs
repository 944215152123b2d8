//! All upstreams behind one endpoint, and what their tools are called there.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use rmcp::model::Tool;
use tokio::time::timeout;
use vak::Host;
use vak::config::Mcp;
use vak_types::Name;

use super::changes::ListChanges;
use super::connection::Abandon;
use super::error::{McpError, RequestError};
use super::lives::Condition;
use super::start::Way;
use super::upstream::Upstream;
use super::wish::Wish;

/// What stands between an upstream's name and its tool's. No upstream has it in
/// its name where there are several, so a tool's name is read in one way.
pub(crate) const SEPARATOR: char = '_';

/// How long a list waits for one upstream where there are others, whose tools
/// must not be missed for long. Clients are told when it has come.
pub(crate) const LIST_LIMIT: Duration = Duration::from_secs(5);

/// A tool of an upstream.
pub(crate) struct Listed {
    pub(crate) upstream: Arc<Upstream>,
    /// What the upstream calls it.
    pub(crate) tool: String,
    /// As clients see it.
    pub(crate) shown: Tool,
}

/// The upstreams, each under a name of its own.
pub(crate) struct Upstreams {
    all: Vec<Arc<Upstream>>,
    prefixes: bool,
    pub(crate) changes: ListChanges,
}

impl Upstreams {
    /// Starts all that the host's configuration names, and `command` if it is not empty.
    /// What does not start is told to whoever asks for it.
    ///
    /// # Errors
    /// There is nothing to start, or `command` has no name.
    pub(crate) fn start(host: &Arc<Host>, command: &[OsString]) -> Result<Self, McpError> {
        let config = host.config();
        let mcp = config.mcp.as_ref().ok_or(McpError::NotConfigured)?;
        let given = match (command.split_first(), &mcp.upstream) {
            (Some(command), Some(name)) => Some((name, command)),
            (Some(_), None) => return Err(McpError::NoName),
            (None, _) if mcp.upstreams.is_empty() => return Err(McpError::NoCommand),
            (None, _) => None,
        };
        let given = given.map(|(name, (program, arguments))| (name, Way::Command(program.clone(), arguments.to_vec())));
        Ok(Self::of(host, mcp, given))
    }

    /// Starts all that the host's configuration names, which may be none.
    pub(crate) fn start_configured(host: &Arc<Host>) -> Self {
        match &host.config().mcp {
            Some(mcp) => Self::of(host, mcp, None),
            None => Self { all: Vec::new(), prefixes: false, changes: ListChanges::default() },
        }
    }

    fn of(host: &Arc<Host>, mcp: &Mcp, given: Option<(&Name, Way)>) -> Self {
        let changes = ListChanges::default();
        let configured = mcp.upstreams.iter().filter_map(|upstream| {
            let way = match (&upstream.url, upstream.command.split_first()) {
                (Some(url), _) => Way::Url { url: url.clone(), token: upstream.token.clone(), ca: upstream.ca.clone() },
                (None, Some((program, arguments))) => {
                    Way::Command(program.into(), arguments.iter().map(OsString::from).collect())
                }
                // Not accepted by the configuration.
                (None, None) => return None,
            };
            Some((&upstream.name, way))
        });
        let start = |(name, way): (&Name, Way)| Arc::new(Upstream::start(host, mcp, name, way, changes.clone()));
        Self { all: given.into_iter().chain(configured).map(start).collect(), prefixes: mcp.prefixes(), changes }
    }

    /// All of them, the one that was given as a command first.
    pub(crate) fn all(&self) -> &[Arc<Upstream>] {
        &self.all
    }

    /// Whether their names stand in what is offered.
    pub(crate) fn prefixes(&self) -> bool {
        self.prefixes
    }

    /// The one with this name.
    pub(crate) fn named(&self, name: &str) -> Option<&Arc<Upstream>> {
        self.all.iter().find(|upstream| upstream.name.as_str() == name)
    }

    /// Whose tool is offered under this name, and the call of it. Only the name
    /// decides, never what the upstreams list.
    pub(crate) fn find(&self, tool: &str) -> Option<(&Arc<Upstream>, Wish)> {
        let (upstream, tool) = match self.prefixes {
            true => {
                let (name, tool) = tool.split_once(SEPARATOR)?;
                (self.named(name)?, tool)
            }
            false => (self.all.first()?, tool),
        };
        Some((upstream, Wish::tool(tool)?))
    }

    /// Whose tool has this operation, such as `files/read_file`, and the call of it.
    pub(crate) fn of_operation(&self, operation: &str) -> Option<(&Arc<Upstream>, Wish)> {
        let (name, tool) = operation.split_once('/')?;
        Some((self.named(name)?, Wish::tool(tool)?))
    }

    /// The tools that can be called, under the names they are offered by. An
    /// upstream that fails takes no other's away: it is missing, and named in
    /// the gateway's own log.
    ///
    /// # Errors
    /// No upstream says what it has.
    pub(crate) async fn tools(&self, abandon: &Abandon) -> Result<Vec<Listed>, RequestError> {
        let lists = join_all(self.all.iter().map(|upstream| self.tools_of(upstream, abandon))).await;
        let (mut tools, mut failed, mut answered) = (Vec::new(), None, false);
        for (upstream, list) in self.all.iter().zip(lists) {
            match list {
                Ok(list) => {
                    answered = true;
                    tools.extend(list.into_iter().map(|tool| self.listed(upstream, tool)));
                }
                Err(error) => {
                    if self.all.len() > 1 {
                        tracing::warn!(upstream = %upstream.name, "tools are missing from the list: {error}");
                    }
                    failed.get_or_insert(error);
                }
            }
        }
        match failed {
            Some(error) if !answered => Err(error),
            _ => Ok(tools),
        }
    }

    async fn tools_of(&self, upstream: &Arc<Upstream>, abandon: &Abandon) -> Result<Vec<Tool>, RequestError> {
        let listing = upstream.tools(abandon);
        match self.all.len() {
            1 => listing.await,
            _ => timeout(LIST_LIMIT, listing).await.unwrap_or_else(|_| {
                self.tell_when_ready(upstream);
                Err(RequestError::Late { upstream: upstream.name.clone() })
            }),
        }
    }

    fn listed(&self, upstream: &Arc<Upstream>, mut shown: Tool) -> Listed {
        let tool = shown.name.to_string();
        if self.prefixes {
            shown.name = format!("{}{SEPARATOR}{tool}", upstream.name).into();
        }
        Listed { upstream: Arc::clone(upstream), tool, shown }
    }

    /// Once for each upstream at most: later starts tell of themselves.
    fn tell_when_ready(&self, upstream: &Arc<Upstream>) {
        if upstream.condition() == Condition::Starting && upstream.first_missed() {
            let (upstream, changes) = (Arc::clone(upstream), self.changes.clone());
            tokio::spawn(async move {
                if upstream.has_begun().await {
                    changes.note_all();
                }
            });
        }
    }

    /// Closes the inputs of all and ends their processes.
    pub(crate) async fn close(&self) {
        join_all(self.all.iter().map(|upstream| upstream.close())).await;
    }
}

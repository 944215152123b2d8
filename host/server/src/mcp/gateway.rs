//! The MCP server that the client sees.

use std::sync::{Arc, OnceLock};

use rmcp::model::{
    CallToolRequestMethod, CallToolRequestParams, CallToolResponse, CompleteRequestMethod, CompleteRequestParams,
    CompleteResult, ConstString as _, CustomRequest, CustomResult, ErrorCode, ErrorData, Implementation,
    ListPromptsRequestMethod, ListPromptsResult, ListResourceTemplatesRequestMethod, ListResourceTemplatesResult,
    ListResourcesRequestMethod, ListResourcesResult, ListToolsResult, PaginatedRequestParams, ServerCapabilities,
    ServerConfig, ToolsCapability,
};
use rmcp::service::{NotificationContext, RequestContext};
use rmcp::{RoleServer, ServerHandler};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use vak::Host;
use vak_types::printable;

use super::call::Call;
use super::connection::Abandon;
use super::refusals::{Cause, Refusals};
use super::routes::ProgressTarget;
use super::session::Session;
use super::tools;
use super::upstreams::Upstreams;

/// Calls and listings under way at the same time. An agent makes a handful;
/// with arguments of at most 1 MiB and results of at most 4 MiB each, what
/// they hold stays near a gigabyte in the worst case.
const CALLS_MAX: usize = 256;

/// Longest quote of the client's text in an error, in bytes.
const QUOTE_BYTES_MAX: usize = 256;

/// The gateway for one client.
pub(crate) struct Gateway {
    host: Arc<Host>,
    upstreams: Arc<Upstreams>,
    session: Arc<Session>,
    hang_up: CancellationToken,
    calls: TaskTracker,
    places: Arc<Semaphore>,
    refusals: Arc<Refusals>,
    telling: OnceLock<()>,
}

impl Gateway {
    /// `hang_up` gives up calls under way; each of them is a task of `calls`
    /// until its outcome is recorded.
    pub(crate) fn new(
        host: Arc<Host>,
        upstreams: Arc<Upstreams>,
        session: Arc<Session>,
        refusals: Arc<Refusals>,
        hang_up: CancellationToken,
        calls: TaskTracker,
    ) -> Self {
        let places = Arc::new(Semaphore::new(CALLS_MAX));
        Self { host, upstreams, session, hang_up, calls, places, refusals, telling: OnceLock::new() }
    }

    fn place(&self) -> Result<OwnedSemaphorePermit, ErrorData> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let full = format!("{CALLS_MAX} calls are under way; wait for one to end and call again");
        place.map_err(|_| ErrorData::internal_error(full, None))
    }

    fn abandon(&self, context: &RequestContext<RoleServer>) -> Abandon {
        Abandon { cancelled: context.ct.clone(), hang_up: self.hang_up.clone() }
    }
}

impl ServerHandler for Gateway {
    fn get_info(&self) -> ServerConfig {
        let mut tools = ToolsCapability::default();
        tools.list_changed = Some(true);
        let mut capabilities = ServerCapabilities::default();
        capabilities.tools = Some(tools);
        ServerConfig::new(capabilities).with_server_info(Implementation::new("vak", env!("CARGO_PKG_VERSION")))
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        // Once, however often the client says so.
        if self.telling.set(()).is_ok() {
            let telling = self.upstreams.changes.tell(context.peer);
            tokio::spawn(self.hang_up.clone().run_until_cancelled_owned(telling));
        }
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let _place = self.place()?;
        if request.is_some_and(|request| request.cursor.is_some()) {
            return Err(ErrorData::invalid_params("the list has one page; ask without a cursor", None));
        }
        let agent = self.session.caller().agent;
        let skills = tools::skills(&self.host, &agent);
        let listed = self.upstreams.tools(&self.abandon(&context)).await;
        let listed = listed.map_err(|error| {
            let mut error = error.into_error();
            if !skills.is_empty() {
                let names: Vec<_> = skills.iter().map(|tool| format!("`{}`", tool.name)).collect();
                error.message =
                    format!("{}; the host's skills can be called: {}", error.message, names.join(", ")).into();
            }
            error
        })?;
        let mut tools: Vec<_> = listed
            .into_iter()
            .filter(|listed| tools::may_ever(&self.host, &agent, &listed.upstream.name, &listed.tool))
            .map(|listed| listed.shown)
            .collect();
        tools.extend(skills);
        Ok(ListToolsResult::with_all_items(tools))
    }

    async fn call_tool(
        &self,
        params: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let place = self.place().inspect_err(|_| self.refusals.count(Cause::TooManyAtOnce))?;
        let token = context.meta.get_progress_token();
        let call = Call {
            host: Arc::clone(&self.host),
            upstreams: Arc::clone(&self.upstreams),
            session: Arc::clone(&self.session),
            tool: params.name.into_owned(),
            arguments: params.arguments.unwrap_or_default(),
            progress: token.map(|token| ProgressTarget { client: context.peer.clone(), token }),
            abandon: self.abandon(&context),
            refusals: Arc::clone(&self.refusals),
        };
        let call = self.calls.spawn(async move {
            let answer = call.run().await;
            drop(place);
            answer
        });
        match call.await {
            Ok(answer) => Ok(answer?.into()),
            // Every step that can panic is caught inside.
            Err(_) => Err(ErrorData::internal_error("the call failed inside the gateway", None)),
        }
    }

    // What is not offered is not there, rather than there and empty.

    async fn complete(
        &self,
        _: CompleteRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        Err(ErrorData::method_not_found::<CompleteRequestMethod>())
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Err(ErrorData::method_not_found::<ListPromptsRequestMethod>())
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        Err(ErrorData::method_not_found::<ListResourcesRequestMethod>())
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Err(ErrorData::method_not_found::<ListResourceTemplatesRequestMethod>())
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        if request.method == CallToolRequestMethod::VALUE {
            self.refusals.count(Cause::Unreadable);
        }
        let method = printable(&request.method, QUOTE_BYTES_MAX);
        let message = format!("`{method}` is not offered, or its parameters are not what MCP says");
        Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, message, None))
    }
}

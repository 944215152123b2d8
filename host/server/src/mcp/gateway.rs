//! The MCP server that the client sees.

use std::sync::{Arc, OnceLock};

use rmcp::model::{
    CallToolRequestMethod, CallToolRequestParams, CallToolResponse, CompleteRequestMethod, CompleteRequestParams,
    CompleteResult, ConstString, CustomRequest, CustomResult, ErrorCode, ErrorData, GetPromptRequestMethod,
    GetPromptRequestParams, GetPromptResponse, Implementation, InputResponses, ListPromptsRequestMethod,
    ListPromptsResult, ListResourceTemplatesRequestMethod, ListResourceTemplatesResult, ListResourcesRequestMethod,
    ListResourcesResult, ListToolsResult, PaginatedRequestParams, PromptsCapability, ReadResourceRequestMethod,
    ReadResourceRequestParams, ReadResourceResponse, ResourcesCapability, ServerCapabilities, ServerConfig,
    SubscriptionFilter, ToolsCapability,
};
use rmcp::service::{NotificationContext, RequestContext, SubscriptionContext};
use rmcp::{RoleServer, ServerHandler};
use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::{CancellationToken, DropGuard};
use vak_types::printable;

use super::call::Call;
use super::changes::ListOf;
use super::connection::Abandon;
use super::offers::Offers;
use super::person::{Answered, BeforeClient};
use super::refusals::Cause;
use super::routes::ProgressTarget;
use super::session::Session;
use super::shared::Shared;
use super::tools;
use super::wish::Wish;

/// Longest quote of the client's text in an error, in bytes.
const QUOTE_BYTES_MAX: usize = 256;

/// The gateway for one client.
pub(crate) struct Gateway {
    shared: Arc<Shared>,
    session: Arc<Session>,
    telling: OnceLock<()>,
    /// Cancelled when this is dropped.
    ended: CancellationToken,
    _ends: DropGuard,
}

impl Gateway {
    /// For the client of `session`.
    pub(crate) fn new(shared: Arc<Shared>, session: Arc<Session>) -> Self {
        let ended = shared.hang_up.child_token();
        Self { shared, session, telling: OnceLock::new(), _ends: ended.clone().drop_guard(), ended }
    }

    /// A place, and what a request for resources or prompts is answered with.
    ///
    /// # Errors
    /// No policy could ever allow it, so there is no such method.
    fn offers<M: ConstString>(
        &self,
        context: &RequestContext<RoleServer>,
        wish: &Wish,
    ) -> Result<(OwnedSemaphorePermit, Offers), ErrorData> {
        let session = Arc::clone(&self.session);
        if !self.shared.may_ever(session.agent(), wish) {
            return Err(ErrorData::method_not_found::<M>());
        }
        let (abandon, shared) = (self.abandon(context), Arc::clone(&self.shared));
        let person = BeforeClient::of(&session, context, &abandon);
        Ok((self.shared.place()?, Offers { shared, session, abandon, person, answered: None }))
    }

    /// What came of a question that the session was given before, if the client says
    /// something of one.
    fn answered(&self, state: Option<&str>, responses: Option<&InputResponses>) -> Result<Option<Answered>, ErrorData> {
        Answered::of(&self.session, state, responses).inspect_err(|_| self.shared.refusals.count(Cause::Arguments))
    }

    fn abandon(&self, context: &RequestContext<RoleServer>) -> Abandon {
        Abandon { cancelled: context.ct.clone(), hang_up: self.shared.hang_up.clone() }
    }
}

/// Refuses a cursor: nobody was given one.
fn one_page(request: Option<PaginatedRequestParams>) -> Result<(), ErrorData> {
    match request.and_then(|request| request.cursor) {
        Some(_) => Err(ErrorData::invalid_params("the list has one page; ask without a cursor", None)),
        None => Ok(()),
    }
}

impl ServerHandler for Gateway {
    fn get_info(&self) -> ServerConfig {
        let mut tools = ToolsCapability::default();
        tools.list_changed = Some(true);
        let mut capabilities = ServerCapabilities::default();
        capabilities.tools = Some(tools);
        let offered = self.shared.offered(self.session.agent());
        let (mut resources, mut prompts) = (ResourcesCapability::default(), PromptsCapability::default());
        (resources.list_changed, prompts.list_changed) = (Some(true), Some(true));
        capabilities.resources = offered.resources.then_some(resources);
        capabilities.prompts = offered.prompts.then_some(prompts);
        ServerConfig::new(capabilities).with_server_info(Implementation::new("vak", env!("CARGO_PKG_VERSION")))
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        // Once, however often the client says so.
        if self.telling.set(()).is_ok() {
            let (shared, session) = (Arc::clone(&self.shared), Arc::clone(&self.session));
            // Of what it is not offered it hears nothing.
            let wants = move |list| {
                let offered = shared.offered(session.agent());
                match list {
                    ListOf::Tools => true,
                    ListOf::Prompts => offered.prompts,
                    ListOf::Resources => offered.resources,
                }
            };
            let telling = self.shared.upstreams.changes.tell(context.peer, wants);
            tokio::spawn(self.ended.clone().run_until_cancelled_owned(telling));
        }
    }

    fn accepted_subscription_filter(&self, _: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        // What of it was asked for and is offered is the library's to find out.
        let lists = SubscriptionFilter::builder().tools_list_changed().prompts_list_changed().resources_list_changed();
        Some(lists.build())
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let _place = self.shared.place_to_listen()?;
        let accepted = context.accepted().clone();
        let wants = move |list| {
            let wanted = match list {
                ListOf::Tools => accepted.tools_list_changed,
                ListOf::Prompts => accepted.prompts_list_changed,
                ListOf::Resources => accepted.resources_list_changed,
            };
            wanted == Some(true)
        };
        tokio::select! {
            () = self.shared.upstreams.changes.tell(context.sink().clone(), wants) => {}
            () = context.cancelled() => {}
            () = self.shared.hang_up.cancelled() => {}
        }
        Ok(())
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let _place = self.shared.place()?;
        one_page(request)?;
        let (host, agent) = (&self.shared.host, self.session.agent());
        let skills = tools::skills(host, agent);
        let listed = self.shared.upstreams.tools(&self.abandon(&context)).await;
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
            .filter(|listed| tools::may_ever(host, agent, &listed.upstream.name, &listed.tool))
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
        let place = self.shared.place().inspect_err(|_| self.shared.refusals.count(Cause::TooManyAtOnce))?;
        let token = context.meta.get_progress_token();
        let (session, abandon) = (Arc::clone(&self.session), self.abandon(&context));
        let answered = self.answered(params.request_state.as_deref(), params.input_responses.as_ref())?;
        let call = Call {
            person: BeforeClient::of(&session, &context, &abandon),
            answered,
            session,
            shared: Arc::clone(&self.shared),
            tool: params.name.into_owned(),
            arguments: params.arguments.unwrap_or_default(),
            progress: token.map(|token| ProgressTarget { client: context.peer.clone(), token }),
            abandon,
        };
        let call = self.shared.calls.spawn(async move {
            let answer = call.run().await;
            drop(place);
            answer
        });
        match call.await {
            Ok(answer) => answer,
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
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let (_place, offers) = self.offers::<ListPromptsRequestMethod>(&context, &Wish::Prompts)?;
        one_page(request)?;
        Ok(ListPromptsResult::with_all_items(offers.prompts().await?))
    }

    async fn get_prompt(
        &self,
        params: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let (_place, mut offers) = self.offers::<GetPromptRequestMethod>(&context, &Wish::Prompt)?;
        offers.answered = self.answered(params.request_state.as_deref(), params.input_responses.as_ref())?;
        offers.prompt(&params.name, params.arguments.map(Value::Object)).await
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let (_place, offers) = self.offers::<ListResourcesRequestMethod>(&context, &Wish::Resources)?;
        one_page(request)?;
        Ok(ListResourcesResult::with_all_items(offers.resources().await?))
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let (_place, offers) = self.offers::<ListResourceTemplatesRequestMethod>(&context, &Wish::Templates)?;
        one_page(request)?;
        Ok(ListResourceTemplatesResult::with_all_items(offers.templates().await?))
    }

    async fn read_resource(
        &self,
        params: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let (_place, mut offers) = self.offers::<ReadResourceRequestMethod>(&context, &Wish::Resource)?;
        offers.answered = self.answered(params.request_state.as_deref(), params.input_responses.as_ref())?;
        offers.read(&params.uri).await
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        if request.method == CallToolRequestMethod::VALUE {
            self.shared.refusals.count(Cause::Unreadable);
        }
        let method = printable(&request.method, QUOTE_BYTES_MAX);
        let message = format!("`{method}` is not offered, or its parameters are not what MCP says");
        Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, message, None))
    }
}

//! What makes the upstream do something: an allow, and nothing else.

use std::time::Duration;

use rmcp::model::{CallToolRequest, CallToolRequestParams, CallToolResult, ClientRequest, JsonObject, ServerResult};
use serde_json::Value;
use vak::{Able, Action, ActionRequest, ApprovalError, Decided, Host, Outcome, RecordError, StampError, Verdict};

use super::connection::Abandon;
use super::error::RequestError;
use super::person::BeforeClient;
use super::routes::ProgressTarget;
use super::upstream::Upstream;
use super::wish::{Given, Wish};

/// An action that the host has allowed. The request to the upstream is made
/// of it, so what is asked is what was judged, with what policies want changed.
pub(crate) struct Allowed {
    action: Action,
    decided: Decided,
    wish: Wish,
}

/// Why an action is not carried out.
pub(crate) enum Refused {
    /// It is not made an action.
    Stamp(StampError),
    /// The verdict is not an allow.
    Verdict(Box<Verdict>),
    /// A person was asked, and it came to nothing.
    Person(ApprovalError),
}

impl Allowed {
    /// Decides what is wished of an upstream. With an `objection` that is a deny
    /// that says so. What is escalated is put to `person`, if there is one.
    pub(crate) async fn decide(
        host: &Host,
        request: ActionRequest,
        wish: Wish,
        objection: Option<RequestError>,
        person: Option<&BeforeClient>,
    ) -> Result<Self, Refused> {
        let action = host.stamp(request).map_err(Refused::Stamp)?;
        let decided = match objection {
            Some(objection) => host.refuse(&action, &objection.to_string()).await,
            None => host.decide_for(&action, Able::ARGUMENTS).await,
        };
        if decided.verdict.is_allow() {
            return Ok(Self { action, decided, wish });
        }
        let waits = decided.receipt.map(|receipt| receipt.seq());
        if let (Some(seq), Some(person)) = (waits, person)
            && person.approves(host, seq).await.map_err(Refused::Person)?
        {
            let decided = host.decide_approved(seq, &action, Able::ARGUMENTS).await.map_err(Refused::Person)?;
            return match decided.verdict.is_allow() {
                true => Ok(Self { action, decided, wish }),
                false => Err(Refused::Verdict(Box::new(decided.verdict))),
            };
        }
        Err(Refused::Verdict(Box::new(decided.verdict)))
    }

    /// Carries out what is no call of a tool.
    pub(crate) async fn ask(&self, upstream: &Upstream, abandon: &Abandon) -> Result<Given, RequestError> {
        let connection = upstream.connection(abandon).await?;
        self.wish.ask(self.arguments(), &connection, abandon).await
    }

    /// Carries out the call of a tool.
    pub(crate) async fn forward(
        &self,
        upstream: &Upstream,
        progress: Option<ProgressTarget>,
        abandon: &Abandon,
    ) -> Result<CallToolResult, RequestError> {
        let Wish::Tool(tool) = &self.wish else { return Err(RequestError::NotSent("it is no call of a tool")) };
        let connection = upstream.connection(abandon).await?;
        upstream.compare(tool, abandon).await?;
        let params = CallToolRequestParams::new(tool.clone()).with_arguments(self.arguments());
        let request = ClientRequest::CallToolRequest(CallToolRequest::new(params));
        match connection.request(request, progress, abandon).await? {
            ServerResult::CallToolResult(result) => Ok(result),
            _ => Err(RequestError::Unexpected { upstream: upstream.name.clone(), wanted: "a tool result" }),
        }
    }

    /// Records how it ended.
    pub(crate) async fn conclude(self, host: &Host, outcome: Outcome, took: Duration) -> Result<(), RecordError> {
        host.record_outcome(&self.action, self.decided, outcome.took(took)).await.map(drop)
    }

    fn arguments(&self) -> JsonObject {
        match self.decided.arguments(&self.action).to_value() {
            Value::Object(arguments) => arguments,
            // The surface takes only objects.
            _ => JsonObject::new(),
        }
    }
}

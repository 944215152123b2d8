//! Asking the person who sits before the client.
//!
//! The operator says who that is (`mcp.person`); without it nobody is asked here.
//! A client that can ask its user (elicitation) is asked to put the question to
//! them. What comes back is the client's word that they agreed: name a person only
//! where a person sits before the client, and not a program.

use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::{ElicitRequestParams, ElicitationAction, ElicitationSchema};
use rmcp::service::Peer;
use tokio::time::timeout;
use vak::{Action, ApprovalError, Host, Person, Standing, Verdict, refusal};
use vak_types::printable;

use super::connection::Abandon;

/// Longest question, in bytes. A longer one is not asked: nobody agrees to what
/// they can't see.
const QUESTION_BYTES_MAX: usize = 4_096;

/// What the log has beside the answer.
const NOTE: &str = "asked by the MCP client";

/// What the answer is called.
const APPROVE: &str = "approve";

/// The person before a client that can ask them.
pub(crate) struct BeforeClient {
    name: Person,
    client: Peer<RoleServer>,
    abandon: Abandon,
}

impl BeforeClient {
    /// `None` where the operator names nobody, or the client can't ask.
    pub(crate) fn of(name: Option<Person>, client: &Peer<RoleServer>, abandon: &Abandon) -> Option<Self> {
        let elicitation = client.peer_info()?.capabilities.elicitation.clone()?;
        // Who names no mode has the one with a form.
        let forms = elicitation.form.is_some() || elicitation.url.is_none();
        let name = name.filter(|_| forms)?;
        Some(Self { name, client: client.clone(), abandon: abandon.clone() })
    }

    /// Whether they agree to what entry `seq` escalated, if it waits for that: it is
    /// put to them, and their answer is recorded.
    ///
    /// # Errors
    /// They say no, or their answer can't be recorded.
    pub(crate) async fn approves(&self, host: &Host, seq: u64) -> Result<bool, ApprovalError> {
        let Ok(Standing::Waiting(waiting)) = host.approval(seq) else { return Ok(false) };
        let within = host.config().approvals.wait();
        match self.agrees(&waiting.action, &waiting.verdict, within).await {
            None => Ok(false),
            Some(true) => host.approve(seq, &self.name, NOTE).await.map(|_| true),
            Some(false) => {
                host.reject(seq, &self.name, NOTE).await?;
                Err(ApprovalError::Rejected(seq))
            }
        }
    }

    /// `None` if they say neither yes nor no in time, or the call is given up.
    async fn agrees(&self, action: &Action, verdict: &Verdict, within: Duration) -> Option<bool> {
        let question = format!(
            "May `{}` do `{}` with {}? It {}.",
            action.agent,
            action.operation,
            action.arguments.as_str(),
            refusal(verdict)
        );
        let question = printable(&question, usize::MAX);
        if question.len() > QUESTION_BYTES_MAX {
            return None;
        }
        let form = ElicitationSchema::builder().required_bool_property(APPROVE, |yes| yes.title("Let it happen, once"));
        let asked = ElicitRequestParams::FormElicitationParams {
            meta: None,
            message: question,
            requested_schema: form.build().ok()?,
        };
        let answer = tokio::select! {
            answer = timeout(within, self.client.create_elicitation(asked)) => answer.ok()?.ok()?,
            _ = self.abandon.reason() => return None,
        };
        match answer.action {
            // A yes is said, and not left out.
            ElicitationAction::Accept => answer.content.as_ref()?.get(APPROVE)?.as_bool(),
            ElicitationAction::Decline => Some(false),
            _ => None,
        }
    }
}

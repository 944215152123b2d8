//! Asking the person who sits before the client.
//!
//! The operator says who that is (`mcp.person`, or that of a token of `vak serve`);
//! without it nobody is asked here.
//! A client that can ask its user (elicitation) is asked to put the question to
//! them. What comes back is the client's word that they agreed: name a person only
//! where a person sits before the client, and not a program.
//!
//! Until the revision 2025-11-25 the client is asked while its request waits. From
//! 2026-07-28 on the request is answered with the question, and the client makes it
//! again with the answer: that counts for what was asked and nothing else, once.

use std::sync::Arc;
use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::{
    ClientResult, ElicitRequest, ElicitRequestParams, ElicitResult, ElicitationAction, ElicitationSchema, ErrorData,
    InputRequest, InputRequests, InputRequiredResult, InputResponses, ProtocolVersion, RequestId, ServerRequest,
};
use rmcp::service::{OriginatingRequestId, Peer, RequestContext};
use tokio::time::timeout;
use vak::{Action, ApprovalError, Caller, Host, Person, Standing, Verdict, Waiting, refusal};
use vak_types::{Json, printable};

use super::connection::Abandon;
use super::session::Session;

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
    session: Arc<Session>,
    way: Way,
}

/// How the question gets there.
enum Way {
    /// While the request waits.
    Request(Waits),
    /// As the request's answer.
    Answer,
}

/// A request of a client that waits for its person's answer.
struct Waits {
    client: Peer<RoleServer>,
    request: RequestId,
    abandon: Abandon,
}

/// What came of asking.
pub(crate) enum Asked {
    Agreed,
    /// Nobody was asked, or they say neither yes nor no.
    Nothing,
    /// The client is to ask, and to come back with the answer.
    Put(Box<InputRequiredResult>),
}

/// What the client says came of a question that it was given before.
pub(crate) struct Answered {
    by: Person,
    seq: u64,
    agrees: Option<bool>,
}

/// Why an answer counts for nothing.
pub(crate) enum NotAgreed {
    /// It is no, or not to this.
    Error(ApprovalError),
    /// It is neither yes nor no.
    Nothing(Box<Verdict>),
}

impl BeforeClient {
    /// `None` where the operator names nobody, or the client can't ask.
    pub(crate) fn of(session: &Arc<Session>, context: &RequestContext<RoleServer>, abandon: &Abandon) -> Option<Self> {
        let elicitation = context.client_capabilities()?.elicitation?;
        // Who names no mode has the one with a form.
        let forms = elicitation.form.is_some() || elicitation.url.is_none();
        let way = match context.protocol_version() {
            Some(version) if version >= ProtocolVersion::V_2026_07_28 => Way::Answer,
            _ => Way::Request(Waits {
                client: context.peer.clone(),
                request: context.id.clone(),
                abandon: abandon.clone(),
            }),
        };
        let name = session.person().filter(|_| forms)?.clone();
        Some(Self { name, session: Arc::clone(session), way })
    }

    /// Whether they agree to what entry `seq` escalated, if it waits for that: it is
    /// put to them, and their answer is recorded.
    ///
    /// # Errors
    /// They say no, or their answer can't be recorded.
    pub(crate) async fn approves(&self, host: &Host, seq: u64) -> Result<Asked, ApprovalError> {
        let Ok(Standing::Waiting(waiting)) = host.approval(seq) else { return Ok(Asked::Nothing) };
        let Some(question) = question(&waiting) else { return Ok(Asked::Nothing) };
        let waits = match &self.way {
            Way::Request(waits) => waits,
            Way::Answer => {
                let state = self.session.put(seq, |seq| matches!(host.approval(seq), Ok(Standing::Waiting(_))));
                return Ok(state.map_or(Asked::Nothing, |state| Asked::Put(Box::new(put(question, state)))));
            }
        };
        match waits.ask(question, host.config().approvals.wait()).await {
            None => Ok(Asked::Nothing),
            Some(agrees) => answer(host, seq, &self.name, agrees).await.map(|()| Asked::Agreed),
        }
    }
}

impl Answered {
    /// What a client says came of a question of this session; `None` if it says
    /// nothing of any.
    ///
    /// # Errors
    /// The session was given no such question, or has answered it before.
    pub(crate) fn of(
        session: &Session,
        state: Option<&str>,
        responses: Option<&InputResponses>,
    ) -> Result<Option<Self>, ErrorData> {
        if state.is_none() && responses.is_none() {
            return Ok(None);
        }
        let found = state.zip(session.person()).and_then(|(state, by)| Some((by.clone(), session.answered(state)?)));
        let (by, seq) = found.ok_or_else(|| {
            ErrorData::invalid_params("no question waits under this `requestState`; ask again without it", None)
        })?;
        let given = responses.and_then(|responses| responses.get(APPROVE)).cloned();
        let agrees = given.and_then(|given| agrees(&serde_json::from_value(given).ok()?));
        Ok(Some(Self { by, seq, agrees }))
    }

    /// The action that is answered, once the answer is recorded: it has to be what is
    /// asked for now, by the same caller and with the same arguments.
    pub(crate) async fn count(
        self,
        host: &Host,
        caller: &Caller,
        operation: &str,
        arguments: &Json,
    ) -> Result<(u64, Arc<Action>), NotAgreed> {
        let Self { by, seq, agrees } = self;
        let action = host.escalated(seq).map_err(NotAgreed::Error)?;
        let same = (action.operation.as_str(), &action.arguments) == (operation, arguments)
            && (&action.agent, &action.session) == (&caller.agent, &caller.session);
        if !same {
            return Err(NotAgreed::Error(ApprovalError::OtherAction(seq)));
        }
        match (agrees, host.approval(seq).map_err(NotAgreed::Error)?) {
            (Some(agrees), _) => answer(host, seq, &by, agrees).await.map_err(NotAgreed::Error)?,
            (None, Standing::Waiting(waiting)) => return Err(NotAgreed::Nothing(Box::new((*waiting.verdict).clone()))),
            (None, _) => return Err(NotAgreed::Error(ApprovalError::Answered(seq))),
        }
        Ok((seq, action))
    }
}

/// Records what they say. A no is an error.
async fn answer(host: &Host, seq: u64, by: &Person, agrees: bool) -> Result<(), ApprovalError> {
    if agrees {
        return host.approve(seq, by, NOTE).await.map(drop);
    }
    host.reject(seq, by, NOTE).await?;
    Err(ApprovalError::Rejected(seq))
}

/// What they are asked: all of it, or nothing.
fn question(waiting: &Waiting) -> Option<ElicitRequestParams> {
    let Waiting { action, verdict, .. } = waiting;
    let Action { agent, operation, arguments, .. } = &**action;
    let question = format!("May `{agent}` do `{operation}` with {}? It {}.", arguments.as_str(), refusal(verdict));
    let message = printable(&question, usize::MAX);
    let form = ElicitationSchema::builder().required_bool_property(APPROVE, |yes| yes.title("Let it happen, once"));
    let fits = message.len() <= QUESTION_BYTES_MAX;
    let requested_schema = form.build().ok().filter(|_| fits)?;
    Some(ElicitRequestParams::FormElicitationParams { meta: None, message, requested_schema })
}

/// The answer to a request that is to be made again, with the person's.
fn put(question: ElicitRequestParams, state: String) -> InputRequiredResult {
    let question = InputRequest::Elicitation(ElicitRequest::new(question));
    InputRequiredResult::new(Some(InputRequests::from([(APPROVE.to_owned(), question)])), Some(state))
}

impl Waits {
    /// `None` if they say neither yes nor no in time, or the call is given up.
    async fn ask(&self, question: ElicitRequestParams, within: Duration) -> Option<bool> {
        let mut request = ElicitRequest::new(question);
        // Over HTTP it goes where the client waits for its answer: not every client
        // has another stream open.
        request.extensions.insert(OriginatingRequestId(self.request.clone()));
        let asking = self.client.send_request(ServerRequest::ElicitRequest(request));
        tokio::select! {
            answer = timeout(within, asking) => match answer.ok()?.ok()? {
                ClientResult::ElicitResult(answer) => agrees(&answer),
                _ => None,
            },
            _ = self.abandon.reason() => None,
        }
    }
}

fn agrees(answer: &ElicitResult) -> Option<bool> {
    match answer.action {
        // A yes is said, and not left out.
        ElicitationAction::Accept => answer.content.as_ref()?.get(APPROVE)?.as_bool(),
        ElicitationAction::Decline => Some(false),
        _ => None,
    }
}

//! What a person has to decide.
//!
//! Who holds a token with the scope `approve` is a person, by the token's name,
//! and nobody who acts: the configuration refuses a token that may do both.

use std::sync::Arc;

use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vak::{Action, ActionId, ApprovalError, Asker, Person, Standing, Verdict, Waiting};

use super::answer::{Answer, DecideAnswer, ExecuteAnswer, Receipt};
use super::body::Body;
use super::desk::Desk;
use super::problem::{Kind, Problem};
use super::routes::{Refused, to_the_end};
use super::schema;
use super::state::Shared;
use super::who::{May, ToApprove, ToDecide, ToExecute, Who};
use super::wire::Able;

/// A person's answer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnswerRequest {
    answer: Given,
    /// What there is to say about it; the log has the first 1,024 bytes.
    #[serde(default)]
    note: String,
}

/// Yes or no.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Given {
    /// It may happen, unless a policy forbids it or a limit is used up by then.
    Approve,
    /// It may not.
    Reject,
}

/// How an approved action is carried out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AgainRequest {
    /// As for decisions.
    #[serde(default)]
    able: Able,
}

/// What waits for an answer, the oldest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct WaitingAnswer<'a> {
    waiting: Vec<WaitingAction<'a>>,
}

/// An action that a person has to decide.
#[derive(Serialize, ToSchema)]
pub(crate) struct WaitingAction<'a> {
    /// Its name here: the place of its decision in the log.
    seq: u64,
    #[schema(value_type = Object)]
    action: &'a Action,
    #[schema(value_type = schema::Verdict)]
    verdict: &'a Verdict,
    /// Nanoseconds since 1970 when it was asked.
    since_ns: u64,
    /// Nanoseconds since 1970 from when on nobody can answer any more.
    until_ns: u64,
}

/// What became of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct StandingAnswer<'a> {
    seq: u64,
    /// The action's id in the log.
    #[schema(value_type = schema::Text)]
    action: &'a ActionId,
    standing: Stands,
    /// Who answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    by: Option<&'a Person>,
    /// What they had to say about a no.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    note: Option<&'a str>,
    /// Nanoseconds since 1970 from when on it can't be answered, or carried out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    until_ns: Option<u64>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Stands {
    Waiting,
    Approved,
    Rejected,
    Used,
}

/// The log has the answer.
#[derive(Serialize, ToSchema)]
pub(crate) struct AnsweredAnswer {
    receipt: Receipt,
}

impl<'a> From<&'a Waiting> for WaitingAction<'a> {
    fn from(waiting: &'a Waiting) -> Self {
        Self {
            seq: waiting.seq,
            action: &waiting.action,
            verdict: &waiting.verdict,
            since_ns: waiting.since.as_nanos(),
            until_ns: waiting.until.as_nanos(),
        }
    }
}

/// What waits for an answer and is of an agent that the token is for.
#[utoipa::path(get, path = "/v1/approvals", tag = "approvals", security(("token" = [])), responses(
    (status = 200, description = "What waits.", body = WaitingAnswer),
    (status = 401, response = Refused), (status = 403, response = Refused), (status = 503, response = Refused),
    (status = 504, response = Refused),
))]
pub(super) async fn waiting(State(server): State<Shared>, May(who, _): May<ToApprove>) -> Result<Answer, Problem> {
    let all = server.host.approvals();
    let waiting = all.iter().filter(|waiting| who.acts_as(&waiting.action.agent).is_ok()).map(Into::into).collect();
    Answer::new(&WaitingAnswer { waiting }, None)
}

/// Answers, once and for good. The answer is in the log before it counts.
#[utoipa::path(post, path = "/v1/approvals/{seq}/answer", tag = "approvals", security(("token" = [])),
    params(("seq" = u64, Path, description = "The place of the decision in the log.")),
    request_body = AnswerRequest, responses(
    (status = 200, description = "It is recorded.", body = AnsweredAnswer),
    (status = 400, response = Refused), (status = 401, response = Refused), (status = 403, response = Refused),
    (status = 404, response = Refused), (status = 408, response = Refused), (status = 409, response = Refused),
    (status = 411, response = Refused), (status = 413, response = Refused), (status = 415, response = Refused),
    (status = 503, response = Refused), (status = 504, response = Refused),
))]
pub(super) async fn answer(
    State(server): State<Shared>,
    May(who, _): May<ToApprove>,
    seq: Result<Path<u64>, axum::extract::rejection::PathRejection>,
    Body(request): Body<AnswerRequest>,
) -> Result<Answer, Problem> {
    let seq = number(seq)?;
    to_the_end(&server, &server.under_way, Arc::clone(&server.desk).answer(who, seq, request)).await?
}

/// What became of an action that was escalated, for whoever asked for it.
#[utoipa::path(get, path = "/v1/approvals/{seq}", tag = "approvals", security(("token" = [])),
    params(("seq" = u64, Path, description = "The place of the decision in the log.")), responses(
    (status = 200, description = "What became of it.", body = StandingAnswer),
    (status = 400, response = Refused), (status = 401, response = Refused), (status = 403, response = Refused),
    (status = 404, response = Refused), (status = 503, response = Refused), (status = 504, response = Refused),
))]
pub(super) async fn standing(
    State(server): State<Shared>,
    May(who, _): May<ToDecide>,
    seq: Result<Path<u64>, axum::extract::rejection::PathRejection>,
) -> Result<Answer, Problem> {
    let seq = number(seq)?;
    let asker = server.desk.own(&who, seq)?;
    let standing = server.host.approval(seq)?;
    let (stands, by, note, until) = match &standing {
        Standing::Waiting(waiting) => (Stands::Waiting, None, None, Some(waiting.until)),
        Standing::Approved { by, until } => (Stands::Approved, Some(by), None, Some(*until)),
        Standing::Rejected { by, note } => (Stands::Rejected, Some(by), Some(&**note), None),
        Standing::Used => (Stands::Used, None, None, None),
    };
    let until_ns = until.map(vak_types::Timestamp::as_nanos);
    Answer::new(&StandingAnswer { seq, action: &asker.action, standing: stands, by, note, until_ns }, None)
}

/// Decides an action again that a person approved: the same one, as limits and
/// policies are now. The yes counts once; after a deny it can be tried again.
#[utoipa::path(post, path = "/v1/approvals/{seq}/decide", tag = "approvals", security(("token" = [])),
    params(("seq" = u64, Path, description = "The place of the decision in the log.")),
    request_body = AgainRequest, responses(
    (status = 200, description = "The verdict.", body = DecideAnswer),
    (status = 400, response = Refused), (status = 401, response = Refused), (status = 403, response = Refused),
    (status = 404, response = Refused), (status = 408, response = Refused), (status = 409, response = Refused),
    (status = 411, response = Refused), (status = 413, response = Refused), (status = 415, response = Refused),
    (status = 503, response = Refused), (status = 504, response = Refused),
))]
pub(super) async fn decide(
    State(server): State<Shared>,
    May(who, _): May<ToDecide>,
    seq: Result<Path<u64>, axum::extract::rejection::PathRejection>,
    Body(request): Body<AgainRequest>,
) -> Result<Answer, Problem> {
    let seq = number(seq)?;
    to_the_end(&server, &server.under_way, Arc::clone(&server.desk).decide_approved(who, seq, request)).await?
}

/// Runs a skill, or calls a tool, if a person approved that.
#[utoipa::path(post, path = "/v1/approvals/{seq}/execute", tag = "approvals", security(("token" = [])),
    params(("seq" = u64, Path, description = "The place of the decision in the log.")), responses(
    (status = 200, description = "The verdict, and how the skill or the tool ended if it was allowed.", body = ExecuteAnswer),
    (status = 400, response = Refused), (status = 401, response = Refused), (status = 403, response = Refused),
    (status = 404, response = Refused), (status = 409, response = Refused), (status = 503, response = Refused),
    (status = 504, response = Refused),
))]
pub(super) async fn execute(
    State(server): State<Shared>,
    May(who, _): May<ToExecute>,
    seq: Result<Path<u64>, axum::extract::rejection::PathRejection>,
) -> Result<Answer, Problem> {
    let seq = number(seq)?;
    to_the_end(&server, &server.calls_under_way, Arc::clone(&server.desk).execute_approved(who, seq)).await?
}

fn number(seq: Result<Path<u64>, axum::extract::rejection::PathRejection>) -> Result<u64, Problem> {
    let wrong = |_| Problem::new(Kind::Malformed, "the path has to have an entry's place in the log, a whole number");
    seq.map(|Path(seq)| seq).map_err(wrong)
}

/// What of a person's answer could not be.
impl From<ApprovalError> for Problem {
    fn from(error: ApprovalError) -> Self {
        let kind = match error {
            ApprovalError::Unknown(_) | ApprovalError::TooMany(_) => Kind::NoSuchApproval,
            ApprovalError::Expired(_)
            | ApprovalError::Answered(_)
            | ApprovalError::Unanswered(_)
            | ApprovalError::Rejected(_)
            | ApprovalError::Used(_)
            | ApprovalError::OtherAction(_) => Kind::Approval,
            ApprovalError::Own(_) | ApprovalError::Name(_) => Kind::Person,
            ApprovalError::Encode(_) | ApprovalError::Append(_) => {
                tracing::error!("an answer could not be recorded: {error}");
                return Problem::new(Kind::NotRecorded, "the answer could not be recorded, and does not count");
            }
        };
        Problem::new(kind, error.to_string())
    }
}

impl Desk {
    async fn answer(self: Arc<Self>, who: Arc<Who>, seq: u64, request: AnswerRequest) -> Result<Answer, Problem> {
        let asker = self.host.asker(seq)?;
        // As if it were not there: its place in the log tells nobody else anything.
        who.acts_as(&asker.agent).map_err(|_| ApprovalError::Unknown(seq))?;
        let by: Person = who.person().parse().map_err(Problem::internal)?;
        let receipt = match request.answer {
            Given::Approve => self.host.approve(seq, &by, &request.note).await,
            Given::Reject => self.host.reject(seq, &by, &request.note).await,
        };
        Answer::new(&AnsweredAnswer { receipt: (&receipt?).into() }, None)
    }

    /// Whether `who` asked for what entry `seq` escalated. To others it is as if
    /// it were not there.
    fn own(&self, who: &Who, seq: u64) -> Result<Asker, Problem> {
        let asker = self.host.asker(seq)?;
        let session = asker.session.clone();
        let asked = session.as_str() == &*who.space || self.seals.session(who, &asker.agent, Some(session)).is_ok();
        match who.acts_as(&asker.agent).is_ok() && asked {
            true => Ok(asker),
            false => Err(ApprovalError::Unknown(seq).into()),
        }
    }

    async fn decide_approved(self: Arc<Self>, who: Arc<Who>, seq: u64, again: AgainRequest) -> Result<Answer, Problem> {
        self.own(&who, seq)?;
        let action = self.host.escalated(seq)?;
        let mut decided = self.host.decide_approved(seq, &action, again.able.into()).await?;
        if decided.verdict.is_allow() {
            // Whoever asks knows the number, and may not have kept the rest.
            decided.arguments.get_or_insert_with(|| action.arguments.clone());
        }
        self.told(Arc::clone(&who.space), None, action.as_ref(), decided)
    }

    async fn execute_approved(self: Arc<Self>, who: Arc<Who>, seq: u64) -> Result<Answer, Problem> {
        let Asker { agent, session, action } = self.own(&who, seq)?;
        let escalated = self.host.escalated(seq)?;
        if let Some(executed) = self.execute_approved_tool(&who, &escalated, seq).await {
            return executed;
        }
        let caller = vak::Caller { agent, session, labels: Vec::new() };
        let called = self.host.call_approved(&caller, seq).await.map_err(|error| match error {
            vak::InvokeError::Approval(error) => error.into(),
            vak::InvokeError::Unknown(_) => Problem::new(Kind::NoSuchSkill, error.to_string()),
            vak::InvokeError::Record(error) => super::desk::not_recorded(error),
            error => Problem::internal(error),
        })?;
        Answer::new(&ExecuteAnswer::new(&action, &called), None)
    }
}

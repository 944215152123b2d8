//! Messages of frameworks: what they ask for is decided, and the framework's
//! adapter writes the answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::{Path, State};
use axum::response::Response;
use bytes::Bytes;
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vak::{
    ActionId, ActionRequest, AgentId, Decision, EndedCall, Ending, Intake, Json, Label, Message, MessageError, Name,
    Outcome, SessionId, Settled, Standing, Verdict, Wanted,
};
use vak_types::AttributeValue;

use super::answer::{self, Answer};
use super::body::Body;
use super::desk::{Desk, content_of, malformed};
use super::metrics::End;
use super::problem::{Kind, Problem};
use super::routes::{Refused, to_the_end};
use super::schema;
use super::state::Shared;
use super::who::{May, ToDecide, Who};
use super::wire::Unique;

/// A framework's message.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "agent": "ada",
    "event": { "session_id": "s1", "hook_event_name": "PreToolUse", "tool_name": "Read", "tool_input": { "file_path": "/work/a" } },
}))]
pub(crate) struct IngestRequest {
    /// The agent that acts.
    #[schema(value_type = schema::Text)]
    agent: AgentId,
    /// A session that was opened for it. If it is left out, one for each
    /// conversation that the message names, or else the one that this token always
    /// has with this agent.
    #[schema(value_type = Option<schema::Text>)]
    session: Option<SessionId>,
    /// Facts that the holder of the token vouches for.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, schema::Attribute>)]
    attributes: Unique<AttributeValue>,
    /// Where what the message asks for comes from, beside what the adapter says.
    #[serde(default)]
    #[schema(value_type = Vec<schema::Text>)]
    labels: Vec<Label>,
    /// The message, as the framework has it.
    #[schema(value_type = serde_json::Value)]
    event: Json,
}

/// What the framework is told, and what became of each action.
#[derive(Serialize, ToSchema)]
pub(crate) struct IngestAnswer<'a> {
    /// The framework's answer, as its adapter wrote it.
    #[schema(value_type = serde_json::Value)]
    reply: &'a Json,
    /// What was decided, in the order in which the message asks: as for decisions,
    /// with the arguments of each that is allowed; or `{"passed": true}` for what the
    /// operator lets pass undecided.
    #[schema(value_type = Vec<Object>)]
    actions: Vec<serde_json::Value>,
    /// How many of the calls whose end the message tells of were waiting for that.
    ended: usize,
}

/// What was told of one action, read back: also whoever asks again hears it from
/// the adapter.
#[derive(Deserialize)]
struct Said {
    verdict: Verdict,
    arguments: Option<Json>,
    receipt: Option<SaidWhere>,
}

#[derive(Deserialize)]
struct SaidWhere {
    seq: u64,
}

/// What is told of an action that was not decided.
const PASSED: &[u8] = br#"{"passed":true}"#;

/// Has an adapter read a framework's message, decides what it asks for, and has
/// the adapter write the answer. Whoever gets anything else than this answer
/// must let nothing of it happen.
#[utoipa::path(post, path = "/v1/adapters/{name}/ingest", tag = "adapters", security(("token" = [])),
    params(("name" = schema::Id, Path, description = "The adapter's name in the configuration.")),
    request_body = IngestRequest, responses(
    (status = 200, description = "What the framework is told.", body = IngestAnswer),
    (status = 400, response = Refused), (status = 401, response = Refused), (status = 403, response = Refused),
    (status = 404, response = Refused), (status = 408, response = Refused), (status = 409, response = Refused),
    (status = 411, response = Refused), (status = 413, response = Refused), (status = 415, response = Refused),
    (status = 422, response = Refused), (status = 503, response = Refused), (status = 504, response = Refused),
))]
pub(super) async fn ingest(
    State(server): State<Shared>,
    May(who, _): May<ToDecide>,
    Path(name): Path<String>,
    Body(request): Body<IngestRequest>,
) -> Result<Response, Problem> {
    let work = Arc::clone(&server.desk).ingest(who, name, request);
    to_the_end(&server, &server.under_way, work).await?
}

impl Desk {
    async fn ingest(self: Arc<Self>, who: Arc<Who>, name: String, request: IngestRequest) -> Result<Response, Problem> {
        let IngestRequest { agent, session, attributes, labels, event } = request;
        who.acts_as(&agent)?;
        let name: Name = name.parse().map_err(|_| no_such_adapter(&name))?;
        let message = Arc::new(self.host.read_message(&name, event).await.map_err(problem)?);
        let asker = Arc::new(Asker { who, adapter: name, agent, session, attributes: attributes.0, labels });
        match message.intake() {
            Intake::Pass => reply(&message, Vec::new(), 0),
            Intake::Actions(wanted) => {
                let one = |wanted: &Wanted| Arc::clone(&self).asked(&asker, &message, wanted.clone());
                let answers = join_all(wanted.iter().map(one)).await;
                // One that was allowed does not leave, and is withdrawn, if another
                // has no answer.
                reply(&message, answers.into_iter().collect::<Result<_, _>>()?, 0)
            }
            Intake::Outcomes(ended) => {
                let mut count = 0;
                for EndedCall { call, session, ending } in ended {
                    let session = self.session(&asker, session.as_deref())?;
                    let id = self.seals.call(&asker.who, &asker.agent, &session, call)?;
                    count += usize::from(self.ended(&asker.who, &id, ending).await?);
                }
                reply(&message, Vec::new(), count)
            }
        }
    }

    /// Decides one of the actions that a message asks for.
    async fn asked(
        self: Arc<Self>,
        asker: &Arc<Asker>,
        message: &Arc<Message>,
        wanted: Wanted,
    ) -> Result<Answer, Problem> {
        let Wanted { call, session, operation, resource, arguments, labels } = wanted;
        let (who, agent) = (&asker.who, asker.agent.clone());
        let session = self.session(asker, session.as_deref())?;
        let call = call.map(|call| self.seals.call(who, &agent, &session, &call)).transpose()?;
        let labels = asker.labels.iter().cloned().chain(labels).collect();
        let attributes = asker.attributes.clone();
        let asked = ActionRequest { session, agent, operation, resource, arguments, attributes, labels };
        let decide =
            |asked, call| Arc::clone(&self).decide_asked(Arc::clone(&who.space), Arc::clone(message), asked, call);
        let content = content_of(&asked, message.able())?;
        // What the session heard may have come since: a retry is the same all the same.
        let labels = self.heard.with(&who.space, &asked.session, asked.labels);
        let asked = ActionRequest { labels, ..asked };
        let Some(id) = call else { return decide(asked, None).await };
        loop {
            let mine = AtomicBool::new(false);
            let work = async {
                mine.store(true, Ordering::Relaxed);
                decide(asked.clone(), Some(id.clone())).await
            };
            let answer = self.once(who, &id, content, work).await?;
            if mine.into_inner() || self.stands(&answer)? {
                return Ok(answer);
            }
            self.ids.forget(&id, &answer);
        }
    }

    /// The session that is meant, if the message calls the conversation `named`.
    fn session(&self, asker: &Asker, named: Option<&str>) -> Result<SessionId, Problem> {
        let Asker { who, adapter, agent, session, .. } = asker;
        match (session, named) {
            (None, Some(name)) => self.seals.conversation(who, agent, adapter, name),
            (session, _) => self.seals.session(who, agent, session.clone()),
        }
    }

    async fn decide_asked(
        self: Arc<Self>,
        owner: Arc<str>,
        message: Arc<Message>,
        asked: ActionRequest,
        call: Option<ActionId>,
    ) -> Result<Answer, Problem> {
        let action = match &call {
            Some(id) => self.host.stamp_as(asked, id.clone()),
            None => self.host.stamp(asked),
        };
        match self.host.decide_asked(&message, action.map_err(malformed)?).await {
            Settled::Passed => Ok(Answer { body: Bytes::from_static(PASSED), parcel: None, lasting: true }),
            Settled::Decided(action, decided) => self.told(owner, call, &action, *decided),
        }
    }

    /// Whether an earlier answer to the same call still is the answer: a question is,
    /// until a person has answered it. An allow is not: what is told twice may be done
    /// twice, and a model chooses the names of its calls. So each is an action.
    fn stands(&self, answer: &Answer) -> Result<bool, Problem> {
        let Some(said) = said(answer)? else { return Ok(true) };
        Ok(match said.verdict.decision {
            Decision::Escalate => {
                let standing = said.receipt.map(|receipt| self.host.approval(receipt.seq));
                matches!(standing, Some(Ok(Standing::Waiting(_))))
            }
            Decision::Allow | Decision::Backtrack | Decision::Deny => false,
        })
    }

    async fn ended(&self, who: &Who, id: &ActionId, ending: &Ending) -> Result<bool, Problem> {
        let Some(open) = self.waiting.take(id, &who.space) else { return Ok(false) };
        let outcome = match ending {
            Ending::Succeeded(output) => Outcome::succeeded(output.as_ref().map_or("", Json::as_str).as_bytes()),
            Ending::Failed(why) => Outcome::failed(why),
            Ending::Unknown(why) => Outcome::unknown(why),
        };
        let recorded = self.host.conclude(open.begun, outcome).await;
        self.metrics.ended(if recorded.is_ok() { End::Reported } else { End::Lost });
        recorded.map(|_| true).map_err(super::desk::not_recorded)
    }
}

/// Who sent a message, and what they say beside it.
struct Asker {
    who: Arc<Who>,
    adapter: Name,
    agent: AgentId,
    session: Option<SessionId>,
    attributes: BTreeMap<String, AttributeValue>,
    labels: Vec<Label>,
}

/// Has the adapter write the answer. If it does not, `answers` end here, and what
/// they allow is withdrawn.
fn reply(message: &Message, answers: Vec<Answer>, ended: usize) -> Result<Response, Problem> {
    let told = answers.iter().map(|answer| Ok(said(answer)?.map_or(vak::Answer::Passed, vak::Answer::from)));
    let reply = message.reply(&told.collect::<Result<Vec<_>, Problem>>()?).map_err(problem)?;
    let actions = answers.iter().enumerate().map(|(at, answer)| action(message, at, answer));
    let told = Answer::new(&IngestAnswer { reply: &reply, actions: actions.collect::<Result<_, _>>()?, ended }, None)?;
    let parcels = answers.into_iter().filter_map(|answer| answer.parcel).collect();
    Ok(answer::respond(told.body, parcels))
}

/// What was decided of the action at this place of the message.
fn action(message: &Message, at: usize, answer: &Answer) -> Result<serde_json::Value, Problem> {
    let mut action: serde_json::Value = serde_json::from_slice(&answer.body).map_err(Problem::internal)?;
    let Intake::Actions(wanted) = message.intake() else { return Ok(action) };
    if action["verdict"]["decision"] == "allow"
        && action.get("arguments").is_none()
        && let Some(wanted) = wanted.get(at)
    {
        action["arguments"] = wanted.arguments.to_value();
    }
    Ok(action)
}

/// What was decided. `None` for what the operator lets pass, and that alone.
fn said(answer: &Answer) -> Result<Option<Said>, Problem> {
    match answer.body == PASSED {
        true => Ok(None),
        false => serde_json::from_slice(&answer.body).map(Some).map_err(Problem::internal),
    }
}

impl From<Said> for vak::Answer {
    fn from(Said { verdict, arguments, receipt }: Said) -> Self {
        Self::Decided { verdict, arguments, seq: receipt.map(|receipt| receipt.seq) }
    }
}

fn no_such_adapter(name: &str) -> Problem {
    Problem::new(Kind::NoSuchAdapter, format!("the configuration has no adapter `{name}`"))
}

fn problem(error: MessageError) -> Problem {
    match error {
        MessageError::Unknown(name) => no_such_adapter(name.as_str()),
        MessageError::Adapter { .. } | MessageError::Stopped(_) => Problem::new(Kind::Message, error.to_string()),
        MessageError::Unrecorded(..) => Problem::new(Kind::NotRecorded, error.to_string()),
    }
}

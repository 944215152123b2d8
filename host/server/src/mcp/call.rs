//! One tool call, from the client's request to the answer it may have.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use rmcp::model::{
    CallToolResponse, CallToolResult, ContentBlock, ErrorData, InputRequiredResult, JsonObject, ResultType,
};
use serde_json::Value;
use vak::{InvokeError, RecordError, StampError, Verdict, refusal};
use vak_types::{Json, Name, TextError, printable};

use super::connection::Abandon;
use super::errand::{Company, Done, Errand, Undone};
use super::error::RequestError;
use super::person::{Answered, Asked, BeforeClient, NotAgreed};
use super::refusals::Cause;
use super::routes::ProgressTarget;
use super::session::Session;
use super::shared::Shared;
use super::tools::{SKILL_PREFIX, Target};
use super::wish::Given;

/// Longest text of a refusal or a failure, in bytes. It goes to a model.
const MESSAGE_BYTES_MAX: usize = 2_048;

/// Longest quote of a tool's name, in bytes.
const NAME_BYTES_MAX: usize = 128;

/// What the client gets: a result, which may report an error to the model or be a
/// question, or an error of the protocol.
pub(crate) type Answer = Result<CallToolResponse, ErrorData>;

/// A call that is to be made. It is run on a task that nobody drops, whatever
/// the client does meanwhile.
pub(crate) struct Call {
    pub(crate) shared: Arc<Shared>,
    pub(crate) session: Arc<Session>,
    pub(crate) tool: String,
    pub(crate) arguments: JsonObject,
    pub(crate) progress: Option<ProgressTarget>,
    pub(crate) person: Option<BeforeClient>,
    pub(crate) answered: Option<Answered>,
    pub(crate) abandon: Abandon,
}

impl Call {
    /// Decides, carries out, records, and only then answers.
    pub(crate) async fn run(mut self) -> Answer {
        let arguments = Json::from_value(&Value::Object(std::mem::take(&mut self.arguments)));
        let arguments = arguments.map_err(|error| {
            self.shared.refusals.count(Cause::Arguments);
            ErrorData::invalid_params(error.to_string(), None)
        })?;
        match Target::of(&self.tool.clone()) {
            Target::Skill(name) => self.invoke(name, arguments).await,
            Target::Upstream => self.forward(arguments).await,
        }
    }

    async fn invoke(self, name: &str, input: Json) -> Answer {
        let refusals = Arc::clone(&self.shared.refusals);
        let name: Name = name.parse().map_err(|error: TextError| {
            refusals.count(Cause::Name);
            bad_name(&error.into())
        })?;
        match AssertUnwindSafe(self.invoked(&name, input)).catch_unwind().await {
            Ok(Ok(Invoked::Gave(output))) => Ok(success(&output).into()),
            Ok(Ok(Invoked::Put(question))) => Ok((*question).into()),
            Ok(Ok(Invoked::Refused(verdict))) => Ok(failure(&refusal(&verdict))),
            Ok(Err(InvokeError::Unknown(name))) => {
                refusals.count(Cause::Name);
                Err(ErrorData::invalid_params(format!("there is no skill `{SKILL_PREFIX}{name}`"), None))
            }
            Ok(Err(InvokeError::Record(error))) => Err(unrecorded(&error)),
            Ok(Err(error)) => Ok(failure(&error.to_string())),
            Err(_) => Err(panicked("the call failed inside the host")),
        }
    }

    /// What is escalated is put to the person, if there is one.
    async fn invoked(self, name: &Name, input: Json) -> Result<Invoked, InvokeError> {
        let (host, caller) = (&*self.shared.host, self.session.caller());
        if let Some(answered) = self.answered {
            return match answered.count(host, &caller, &format!("skill/{name}"), &input).await {
                Ok((seq, _)) => host.invoke_approved(&caller, seq).await.map(Invoked::Gave),
                Err(NotAgreed::Error(error)) => Err(error.into()),
                Err(NotAgreed::Nothing(verdict)) => Ok(Invoked::Refused(verdict)),
            };
        }
        // Approved by a person whom somebody else asked, such as by HTTP.
        let call = host.skill_call(&caller, name, input.clone(), None)?;
        if let Some((seq, _)) = host.approved_like(call.action()) {
            match host.invoke_approved(&caller, seq).await {
                // It was used, or is too old.
                Err(InvokeError::Approval(_)) => {}
                invoked => return invoked.map(Invoked::Gave),
            }
        }
        match (host.invoke(&caller, name, input).await, &self.person) {
            (Err(InvokeError::Waits { seq, verdict }), Some(person)) => match person.approves(host, seq).await? {
                Asked::Agreed => host.invoke_approved(&caller, seq).await.map(Invoked::Gave),
                Asked::Put(question) => Ok(Invoked::Put(question)),
                Asked::Nothing => Ok(Invoked::Refused(verdict)),
            },
            (invoked, _) => invoked.map(Invoked::Gave),
        }
    }

    async fn forward(self, arguments: Json) -> Answer {
        let Self { shared, session, tool, progress, person, answered, abandon, .. } = self;
        let Some((upstream, wish)) = shared.upstreams.find(&tool) else {
            shared.refusals.count(Cause::Name);
            let tool = printable(&tool, NAME_BYTES_MAX);
            return Err(ErrorData::invalid_params(format!("there is no tool `{tool}`"), None));
        };
        let (host, caller) = (&shared.host, session.caller());
        let errand = match answered {
            None => Errand::new(host, upstream, wish, caller, arguments, None).await.map(Errand::or_approved),
            Some(answered) => Errand::again(host, upstream, wish, &caller, &arguments, answered).await,
        };
        let company = Company { progress, person, abandon, hears: |label| session.hears(label) };
        let done = match errand {
            Ok(errand) => errand.run(company).await,
            Err(undone) => Err(undone),
        };
        match done {
            Ok(Done { given: Ok(Given::Tool(mut result)), .. }) => {
                // Required from 2026-07-28 on; the library removes it for older clients.
                result.result_type.get_or_insert(ResultType::COMPLETE);
                Ok(result.into())
            }
            Ok(Done { given: Ok(_), .. }) => Err(panicked("a tool's call gave something else")),
            Ok(Done { given: Err(error @ (RequestError::Answered { .. } | RequestError::Panicked)), .. }) => {
                Err(error.into_error())
            }
            Ok(Done { given: Err(error), .. }) => Ok(failure(&error.to_string())),
            Err(Undone::Name(error)) => {
                shared.refusals.count(Cause::Name);
                Err(bad_name(&error))
            }
            Err(Undone::Refused(verdict, _)) => Ok(failure(&refusal(&verdict))),
            Err(Undone::Person(error)) => Ok(failure(&error.to_string())),
            Err(Undone::Unreached(error)) => {
                shared.refusals.count(Cause::Unreached);
                Ok(failure(&error.to_string()))
            }
            Err(Undone::Put(question)) => Ok((*question).into()),
            Err(Undone::Unrecorded(error)) => Err(unrecorded(&error)),
            Err(Undone::Panicked(why)) => Err(panicked(why)),
        }
    }
}

/// What came of a skill's call.
enum Invoked {
    Gave(Json),
    /// The client is to ask a person.
    Put(Box<InputRequiredResult>),
    Refused(Box<Verdict>),
}

fn success(output: &Json) -> CallToolResult {
    let mut result = CallToolResult::success(vec![ContentBlock::text(output.as_str())]);
    // Until 2026-07-28 only an object may be structured content.
    result.structured_content = Some(output.to_value()).filter(Value::is_object);
    result
}

fn failure(message: &str) -> CallToolResponse {
    CallToolResult::error(vec![ContentBlock::text(printable(message, MESSAGE_BYTES_MAX))]).into()
}

pub(crate) fn bad_name(error: &StampError) -> ErrorData {
    ErrorData::invalid_params(format!("the tool's name cannot be used: {error}"), None)
}

pub(crate) fn unrecorded(error: &RecordError) -> ErrorData {
    tracing::error!(%error, "an outcome could not be recorded");
    ErrorData::internal_error(format!("the outcome could not be recorded, so the result is withheld: {error}"), None)
}

pub(crate) fn panicked(what: &'static str) -> ErrorData {
    tracing::error!(what, "a panic was caught");
    ErrorData::internal_error(what, None)
}

//! One tool call, from the client's request to the answer it may have.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use futures_util::FutureExt as _;
use rmcp::model::{CallToolResult, ContentBlock, ErrorData, JsonObject, ResultType};
use serde_json::Value;
use vak::{ActionRequest, Caller, InvokeError, Outcome, RecordError, StampError, refusal};
use vak_types::{AttributeValue, Digest, Json, Name, TextError, printable};

use super::connection::Abandon;
use super::error::RequestError;
use super::forward::{Allowed, Refused};
use super::person::BeforeClient;
use super::provenance;
use super::refusals::Cause;
use super::routes::ProgressTarget;
use super::session::Session;
use super::shared::Shared;
use super::tools::{SKILL_PREFIX, Target};
use super::upstream::Upstream;
use super::wish::Wish;

/// Longest text of a refusal or a failure, in bytes. It goes to a model.
const MESSAGE_BYTES_MAX: usize = 2_048;

/// The attribute of an action that says how its tool is described: the digest of
/// the definition that the client was shown.
const DEFINITION: &str = "definition";

/// Longest quote of a tool's name, in bytes.
const NAME_BYTES_MAX: usize = 128;

/// What the client gets: a result, which may report an error to the model, or
/// an error of the protocol.
pub(crate) type Answer = Result<CallToolResult, ErrorData>;

/// A call that is to be made. It is run on a task that nobody drops, whatever
/// the client does meanwhile.
pub(crate) struct Call {
    pub(crate) shared: Arc<Shared>,
    pub(crate) session: Arc<Session>,
    pub(crate) tool: String,
    pub(crate) arguments: JsonObject,
    pub(crate) progress: Option<ProgressTarget>,
    pub(crate) person: Option<BeforeClient>,
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
        match Target::of(&self.tool) {
            Target::Skill(name) => self.invoke(name, arguments).await,
            Target::Upstream => self.forward(arguments).await,
        }
    }

    async fn invoke(&self, name: &str, input: Json) -> Answer {
        let name: Name = name.parse().map_err(|error: TextError| {
            self.shared.refusals.count(Cause::Name);
            bad_name(&error.into())
        })?;
        let invoked = AssertUnwindSafe(self.invoked(&name, input)).catch_unwind().await;
        match invoked {
            Ok(Ok(output)) => Ok(success(&output)),
            Ok(Err(InvokeError::Unknown(name))) => {
                self.shared.refusals.count(Cause::Name);
                Err(ErrorData::invalid_params(format!("there is no skill `{SKILL_PREFIX}{name}`"), None))
            }
            Ok(Err(InvokeError::Record(error))) => Err(unrecorded(&error)),
            Ok(Err(error)) => Ok(failure(&error.to_string())),
            Err(_) => Err(panicked("the call failed inside the host")),
        }
    }

    /// What is escalated is put to the person, if there is one.
    async fn invoked(&self, name: &Name, input: Json) -> Result<Json, InvokeError> {
        let (host, caller) = (&*self.shared.host, self.session.caller());
        match (host.invoke(&caller, name, input).await, &self.person) {
            (Err(InvokeError::Waits { seq, verdict }), Some(person)) => match person.approves(host, seq).await? {
                true => host.invoke_approved(&caller, seq).await,
                false => Err(InvokeError::Waits { seq, verdict }),
            },
            (invoked, _) => invoked,
        }
    }

    async fn forward(self, arguments: Json) -> Answer {
        let Self { shared, session, tool, progress, person, abandon, .. } = self;
        let (host, upstreams, refusals) = (&*shared.host, &shared.upstreams, &*shared.refusals);
        let Some((upstream, tool)) = upstreams.find(&tool) else {
            refusals.count(Cause::Name);
            let tool = printable(&tool, NAME_BYTES_MAX);
            return Err(ErrorData::invalid_params(format!("there is no tool `{tool}`"), None));
        };
        let bad_name = |error: StampError| {
            refusals.count(Cause::Name);
            bad_name(&error)
        };
        let (definition, objection) = match upstream.known(tool).await {
            Ok(definition) => (definition, None),
            Err(objection) => (None, Some(objection)),
        };
        let wish = Wish::Tool(tool.to_owned());
        let request = request(&wish.operation(&upstream.name), session.caller(), definition, arguments);
        let request = request.map_err(|error| bad_name(error.into()))?;
        // A policy engine that panics is a bug, and must still answer.
        let deciding = Allowed::decide(host, request, wish, objection, person.as_ref());
        let decided = AssertUnwindSafe(deciding).catch_unwind().await;
        let allowed = match decided {
            Ok(Ok(allowed)) => allowed,
            Ok(Err(Refused::Verdict(verdict))) => return Ok(failure(&refusal(&verdict))),
            Ok(Err(Refused::Person(error))) => return Ok(failure(&error.to_string())),
            Ok(Err(Refused::Stamp(error))) => return Err(bad_name(error)),
            Err(_) => return Err(panicked("the decision failed inside the host; nothing was carried out")),
        };
        let start = Instant::now();
        let forwarded = allowed.forward(upstream, progress, &abandon);
        let (outcome, answer) = match AssertUnwindSafe(forwarded).catch_unwind().await {
            Ok(Ok(mut result)) => {
                result.content.iter_mut().for_each(|content| upstreams.readdress(upstream, content));
                concluded(Ok(result), upstream)
            }
            Ok(failed) => concluded(failed, upstream),
            Err(_) => {
                let why = "the gateway failed while the call was under way";
                (Outcome::unknown(why), Err(panicked(why)))
            }
        };
        // Errors, too, are in the upstream's words.
        upstream.label.iter().for_each(|label| session.hears(label.clone()));
        // The last step before the client sees anything. What cannot be
        // accounted for is not handed out.
        let recorded = AssertUnwindSafe(allowed.conclude(host, outcome, start.elapsed())).catch_unwind().await;
        match recorded {
            Ok(Ok(())) => answer,
            Ok(Err(error)) => Err(unrecorded(&error)),
            Err(_) => Err(panicked("the outcome could not be recorded; the result is withheld")),
        }
    }
}

/// The request for an operation on an upstream.
pub(crate) fn request(
    operation: &str,
    caller: Caller,
    definition: Option<Digest>,
    arguments: Json,
) -> Result<ActionRequest, TextError> {
    let Caller { agent, session, labels } = caller;
    let definition = definition.map(|digest| (DEFINITION.to_owned(), AttributeValue::Text(digest.to_string())));
    Ok(ActionRequest {
        session,
        agent,
        operation: operation.parse()?,
        resource: format!("mcp:{operation}").parse()?,
        arguments,
        attributes: definition.into_iter().collect(),
        labels,
    })
}

/// How the action ended, and what the client gets once that is recorded.
fn concluded(forwarded: Result<CallToolResult, RequestError>, upstream: &Upstream) -> (Outcome, Answer) {
    let mut result = match forwarded {
        Ok(result) => result,
        Err(error) => {
            let outcome = error.outcome();
            let answer = match error {
                RequestError::Answered { .. } => Err(error.into_error()),
                error => Ok(failure(&error.to_string())),
            };
            return (outcome, answer);
        }
    };
    result.meta = Some(provenance::of(result.meta, &upstream.name, upstream.label.is_none()));
    let outcome = match result.is_error {
        Some(true) => Outcome::failed(&format!("the tool reported an error: {}", text(&result.content))),
        _ => match serde_json::to_value(&result) {
            // The text that the digest in the log is of: compact, keys sorted.
            Ok(value) => Outcome::succeeded(value.to_string().as_bytes()),
            Err(error) => {
                let why = format!("the result could not be written as JSON: {error}");
                return (Outcome::unknown(&why), Err(ErrorData::internal_error(why, None)));
            }
        },
    };
    // Required from 2026-07-28 on; the library removes it for older clients.
    result.result_type.get_or_insert(ResultType::COMPLETE);
    (outcome, Ok(result))
}

fn text(content: &[ContentBlock]) -> &str {
    content.iter().find_map(|block| block.as_text()).map_or("(no text)", |text| text.text.as_str())
}

fn success(output: &Json) -> CallToolResult {
    let mut result = CallToolResult::success(vec![ContentBlock::text(output.as_str())]);
    // Until 2026-07-28 only an object may be structured content.
    result.structured_content = Some(output.to_value()).filter(Value::is_object);
    result
}

fn failure(message: &str) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(printable(message, MESSAGE_BYTES_MAX))])
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

//! What clients are told.

use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use vak::{ActionId, Called, Decided, Json, Verdict};
use vak_types::printable;

use super::parcel::Parcel;
use super::problem::{Details, Problem};
use super::schema;
use crate::mcp::Done;

/// Longest sentence about a skill or a tool that gave no result, in bytes.
const DETAIL_BYTES_MAX: usize = 2_048;

/// An answer in JSON.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) body: Bytes,
    /// For an allow: it has to leave, or is withdrawn.
    pub(crate) parcel: Option<Arc<Parcel>>,
    /// Whether it stands for whoever asks again.
    pub(crate) lasting: bool,
}

/// Goes with a response to the connection that it is written to.
#[derive(Debug, Clone)]
pub(crate) struct Parcels(pub(crate) Vec<Arc<Parcel>>);

impl Answer {
    pub(crate) fn new(told: &impl Serialize, parcel: Option<Arc<Parcel>>) -> Result<Self, Problem> {
        let body = serde_json::to_vec(told).map_err(Problem::internal)?.into();
        Ok(Self { body, parcel, lasting: true })
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        respond(self.body, self.parcel.into_iter().collect())
    }
}

pub(super) fn respond(body: Bytes, parcels: Vec<Arc<Parcel>>) -> Response {
    let mut response = Response::new(Body::from(body));
    response.extensions_mut().insert(Parcels(parcels));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Many answers in one, each an answer or a problem by itself.
pub(crate) fn batch(answers: Vec<Result<Answer, Problem>>) -> Result<Response, Problem> {
    let (mut bodies, mut parcels) = (Vec::with_capacity(answers.len()), Vec::new());
    for answer in answers {
        bodies.push(match answer {
            Ok(answer) => {
                parcels.extend(answer.parcel);
                answer.body
            }
            Err(problem) => Answer::new(&BatchProblem { problem: problem.details() }, None)?.body,
        });
    }
    let body = [br#"{"results":["#, &*bodies.join(&b","[..]), b"]}"].concat();
    Ok(respond(body.into(), parcels))
}

/// What was decided.
#[derive(Serialize, ToSchema)]
pub(crate) struct DecideAnswer<'a> {
    /// Its outcome is reported under this. The action's id in the log, unless an
    /// adapter asked again for what a person had approved.
    #[schema(value_type = schema::Text)]
    action: &'a ActionId,
    #[schema(value_type = schema::Verdict)]
    verdict: &'a Verdict,
    /// The arguments to carry it out with, where obligations make them others
    /// than were asked, or a person approved it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = serde_json::Value, required = false)]
    arguments: Option<&'a Json>,
    /// Where the log has it. Missing only if the log has stopped, and then the
    /// verdict is a deny.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    receipt: Option<Receipt>,
}

impl<'a> DecideAnswer<'a> {
    pub(crate) fn new(action: &'a ActionId, decided: &'a Decided) -> Self {
        Self {
            action,
            verdict: &decided.verdict,
            arguments: decided.arguments.as_ref(),
            receipt: decided.receipt.as_ref().map(Receipt::from),
        }
    }
}

/// Where the log has an entry.
#[derive(Serialize, ToSchema)]
pub struct Receipt {
    /// The log's name.
    origin: String,
    /// The entry's place.
    seq: u64,
    /// When it was acknowledged: with a place in the queue, or on disk.
    tier: Tier,
    /// Its hash in the Merkle tree.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    leaf: Option<String>,
    /// The note of the first checkpoint that covers it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    checkpoint: Option<Arc<str>>,
}

/// When an entry was acknowledged.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Tier {
    Accepted,
    Durable,
}

impl From<&vak::Receipt> for Receipt {
    fn from(receipt: &vak::Receipt) -> Self {
        let (origin, seq) = (receipt.origin().to_string(), receipt.seq());
        match receipt {
            vak::Receipt::Accepted { .. } => Self { origin, seq, tier: Tier::Accepted, leaf: None, checkpoint: None },
            vak::Receipt::Durable { leaf, checkpoint, .. } => {
                let (leaf, checkpoint) = (Some(leaf.to_string()), Some(Arc::clone(checkpoint)));
                Self { origin, seq, tier: Tier::Durable, leaf, checkpoint }
            }
        }
    }
}

/// What became of a skill or a tool.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExecuteAnswer<'a> {
    /// The action's id in the log.
    #[schema(value_type = schema::Text)]
    action: &'a ActionId,
    #[schema(value_type = schema::Verdict)]
    verdict: &'a Verdict,
    /// As for decisions.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    receipt: Option<Receipt>,
    /// How it ended, if it was allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    outcome: Option<Ended<'a>>,
}

/// How a skill or a tool ended.
#[derive(Serialize, ToSchema)]
pub(crate) struct Ended<'a> {
    /// Whether it gave a result.
    status: EndStatus,
    /// The result; of a tool also where that reports an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = serde_json::Value, required = false)]
    output: Option<Output<'a>>,
    /// Why there is none, or none but an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    detail: Option<String>,
    /// Where the log has that.
    receipt: Receipt,
}

/// What a skill gave, or a tool: the `result` of MCP's `tools/call`.
#[derive(Serialize)]
#[serde(untagged)]
enum Output<'a> {
    Skill(&'a Json),
    Tool(Value),
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum EndStatus {
    Succeeded,
    Failed,
    /// The tool's server was asked and gave no answer: it may have done it.
    Unknown,
}

impl<'a> ExecuteAnswer<'a> {
    pub(crate) fn new(action: &'a ActionId, called: &'a Called) -> Self {
        let outcome = called.ended.as_ref().map(|ended| {
            let receipt = Receipt::from(&ended.receipt);
            match &ended.output {
                Ok(output) => {
                    let output = Some(Output::Skill(output));
                    Ended { status: EndStatus::Succeeded, output, detail: None, receipt }
                }
                Err(error) => Ended { status: EndStatus::Failed, output: None, detail: detail(error), receipt },
            }
        });
        Self { outcome, ..Self::refused(action, &called.verdict, called.receipt.as_ref()) }
    }

    /// Of what was not carried out.
    pub(crate) fn refused(action: &'a ActionId, verdict: &'a Verdict, receipt: Option<&vak::Receipt>) -> Self {
        Self { action, verdict, receipt: receipt.map(Receipt::from), outcome: None }
    }

    /// Of a tool.
    ///
    /// # Errors
    /// What it gave can't be written, which does not happen.
    pub(crate) fn of_tool(action: &'a ActionId, done: &'a Done) -> Result<Self, Problem> {
        let receipt = Receipt::from(&done.ended);
        let outcome = match &done.given {
            Ok(given) => {
                let error = given.reported_error().map(str::to_owned);
                let status = if error.is_some() { EndStatus::Failed } else { EndStatus::Succeeded };
                let output = Some(Output::Tool(serde_json::to_value(given).map_err(Problem::internal)?));
                Ended { status, output, detail: error.and_then(detail), receipt }
            }
            Err(error) => {
                let status = if error.may_have_happened() { EndStatus::Unknown } else { EndStatus::Failed };
                Ended { status, output: None, detail: detail(error), receipt }
            }
        };
        Ok(Self { outcome: Some(outcome), ..Self::refused(action, &done.verdict, done.receipt.as_ref()) })
    }
}

fn detail(why: impl std::fmt::Display) -> Option<String> {
    Some(printable(&why.to_string(), DETAIL_BYTES_MAX))
}

/// Where the log has an outcome.
#[derive(Serialize, ToSchema)]
pub(crate) struct OutcomeAnswer {
    pub(crate) receipt: Receipt,
}

/// A session.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionAnswer {
    /// Its id: good for this token and this agent alone.
    pub(crate) session: String,
}

/// Why one action was not decided.
#[derive(Serialize, ToSchema)]
pub(crate) struct BatchProblem {
    problem: Details,
}

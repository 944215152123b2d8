//! What clients are told.

use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use serde::Serialize;
use utoipa::ToSchema;
use vak::{Action, ActionId, Called, Decided, Json, Verdict};
use vak_types::printable;

use super::parcel::Parcel;
use super::problem::{Details, Problem};
use super::schema;

/// Longest sentence about a skill that gave no result, in bytes.
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

fn respond(body: Bytes, parcels: Vec<Arc<Parcel>>) -> Response {
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
    /// The action's id in the log. Its outcome is reported under this.
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
    pub(crate) fn new(action: &'a Action, decided: &'a Decided) -> Self {
        Self {
            action: &action.id,
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

/// What became of a skill.
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
    /// How it ended, if it was allowed and ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    outcome: Option<Ended<'a>>,
}

/// How a skill ended.
#[derive(Serialize, ToSchema)]
pub(crate) struct Ended<'a> {
    /// Whether it gave a result.
    status: EndStatus,
    /// The result.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = serde_json::Value, required = false)]
    output: Option<&'a Json>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    detail: Option<String>,
    /// Where the log has that.
    receipt: Receipt,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum EndStatus {
    Succeeded,
    Failed,
}

impl<'a> ExecuteAnswer<'a> {
    pub(crate) fn new(action: &'a ActionId, called: &'a Called) -> Self {
        let outcome = called.ended.as_ref().map(|ended| {
            let receipt = Receipt::from(&ended.receipt);
            match &ended.output {
                Ok(output) => Ended { status: EndStatus::Succeeded, output: Some(output), detail: None, receipt },
                Err(error) => {
                    let detail = Some(printable(&error.to_string(), DETAIL_BYTES_MAX));
                    Ended { status: EndStatus::Failed, output: None, detail, receipt }
                }
            }
        });
        Self { action, verdict: &called.verdict, receipt: called.receipt.as_ref().map(Receipt::from), outcome }
    }
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

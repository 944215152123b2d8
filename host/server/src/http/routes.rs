//! What can be asked.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use tokio::sync::Semaphore;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi, ToResponse};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{self, Answer, DecideAnswer, ExecuteAnswer, OutcomeAnswer, SessionAnswer};
use super::approvals;
use super::body::Body;
use super::health;
use super::ingest;
use super::problem::{Details, Kind, Problem};
use super::schema::{self, BatchAnswer};
use super::state::Shared;
use super::who::{Anybody, May, ToDecide, ToExecute};
use super::wire::{BatchRequest, DecideRequest, ExecuteRequest, OutcomeRequest, SessionRequest};

/// Asks a host whether actions of agents may happen, and has it run skills and call
/// tools.
#[derive(OpenApi)]
#[openapi(info(title = "VAK"), modifiers(&Tokens), components(responses(Refused)))]
struct Description;

struct Tokens;

impl Modify for Tokens {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        openapi.components.get_or_insert_default().add_security_scheme("token", SecurityScheme::Http(token));
    }
}

/// There is no answer, and why.
#[derive(ToResponse)]
#[response(description = "There is no answer, and why.", content_type = "application/problem+json")]
#[allow(dead_code, reason = "read by `utoipa` alone")]
pub(crate) struct Refused(Details);

/// The description of what is served, in JSON.
///
/// # Errors
/// It can't be written, which does not happen.
pub fn openapi() -> Result<String, serde_json::Error> {
    let (_, openapi) = described().split_for_parts();
    Ok(openapi.to_pretty_json()? + "\n")
}

pub(crate) fn router(server: Shared) -> Router {
    let (router, _) = described().split_for_parts();
    router
        .fallback(async || Problem::new(Kind::NotFound, "see /openapi.json for what there is"))
        .method_not_allowed_fallback(async || Problem::new(Kind::Method, "see /openapi.json for what there is"))
        .with_state(server)
}

fn described() -> OpenApiRouter<Shared> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(decide))
        .routes(routes!(batch))
        .routes(routes!(outcome))
        .routes(routes!(execute))
        .routes(routes!(sessions))
        .routes(routes!(ingest::ingest))
        .routes(routes!(approvals::waiting))
        .routes(routes!(approvals::standing))
        .routes(routes!(approvals::answer))
        .routes(routes!(approvals::decide))
        .routes(routes!(approvals::execute))
        .routes(routes!(health::health))
        .routes(routes!(health::ready))
        .routes(routes!(health::live))
        .routes(routes!(health::metrics))
        .routes(routes!(health::openapi))
}

/// Has `work` go on to its end when the client does not wait for it, if one of
/// `places` is free.
pub(super) async fn to_the_end<T: Send + 'static>(
    server: &Shared,
    places: &Arc<Semaphore>,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, Problem> {
    let busy = |_| Problem::new(Kind::Busy, "ask again in a while; nothing was begun");
    let place = Arc::clone(places).try_acquire_owned().map_err(busy)?;
    let work = async move {
        let done = work.await;
        drop(place);
        done
    };
    server.desk.to_the_end(work).await
}

/// Decides whether an action may happen. A deny is an answer like any other.
#[utoipa::path(post, path = "/v1/decide", tag = "decisions", security(("token" = [])),
    request_body = DecideRequest, responses(
    (status = 200, description = "The verdict.", body = DecideAnswer),
    (status = 400, response = Refused), (status = 401, response = Refused), (status = 403, response = Refused),
    (status = 408, response = Refused), (status = 409, response = Refused), (status = 411, response = Refused),
    (status = 413, response = Refused), (status = 415, response = Refused), (status = 503, response = Refused),
    (status = 504, response = Refused),
))]
async fn decide(
    State(server): State<Shared>,
    May(who, _): May<ToDecide>,
    Body(request): Body<DecideRequest>,
) -> Result<Answer, Problem> {
    to_the_end(&server, &server.under_way, Arc::clone(&server.desk).decide(who, request)).await?
}

/// Decides up to 64 actions, each by itself.
#[utoipa::path(post, path = "/v1/batch", tag = "decisions", security(("token" = [])),
    request_body = BatchRequest, responses(
    (status = 200, description = "An answer or a problem for each.", body = BatchAnswer),
    (status = 400, response = Refused), (status = 401, response = Refused), (status = 403, response = Refused),
    (status = 408, response = Refused), (status = 411, response = Refused), (status = 413, response = Refused),
    (status = 415, response = Refused), (status = 503, response = Refused), (status = 504, response = Refused),
))]
async fn batch(
    State(server): State<Shared>,
    May(who, _): May<ToDecide>,
    Body(request): Body<BatchRequest>,
) -> Result<Response, Problem> {
    answer::batch(to_the_end(&server, &server.under_way, Arc::clone(&server.desk).batch(who, request)).await?)
}

/// Says how an allowed action ended. Once: whoever comes second is told that no
/// such action waits.
#[utoipa::path(post, path = "/v1/outcome", tag = "decisions", security(("token" = [])),
    request_body = OutcomeRequest, responses(
    (status = 200, description = "It is recorded.", body = OutcomeAnswer),
    (status = 400, response = Refused), (status = 401, response = Refused), (status = 403, response = Refused),
    (status = 404, response = Refused), (status = 408, response = Refused), (status = 411, response = Refused),
    (status = 413, response = Refused), (status = 415, response = Refused), (status = 503, response = Refused),
    (status = 504, response = Refused),
))]
async fn outcome(
    State(server): State<Shared>,
    May(who, _): May<ToDecide>,
    Body(request): Body<OutcomeRequest>,
) -> Result<Answer, Problem> {
    to_the_end(&server, &server.under_way, Arc::clone(&server.desk).outcome(who, request)).await?
}

/// Runs a skill of the host for an agent, or calls a tool of one of its MCP servers,
/// if that is allowed, and records how it ended.
#[utoipa::path(post, path = "/v1/execute", tag = "skills", security(("token" = [])),
    request_body = schema::ExecuteRequest, responses(
    (status = 200, description = "The verdict, and how the skill or the tool ended if it was allowed.", body = ExecuteAnswer),
    (status = 400, response = Refused), (status = 401, response = Refused), (status = 403, response = Refused),
    (status = 404, response = Refused), (status = 408, response = Refused), (status = 409, response = Refused),
    (status = 411, response = Refused), (status = 413, response = Refused), (status = 415, response = Refused),
    (status = 503, response = Refused), (status = 504, response = Refused),
))]
async fn execute(
    State(server): State<Shared>,
    May(who, _): May<ToExecute>,
    Body(request): Body<ExecuteRequest>,
) -> Result<Answer, Problem> {
    to_the_end(&server, &server.calls_under_way, Arc::clone(&server.desk).execute(who, request)).await?
}

/// Opens a session: what policies and limits count together. Its id is random,
/// and good for this token and this agent alone.
#[utoipa::path(post, path = "/v1/sessions", tag = "sessions", security(("token" = [])),
    request_body = SessionRequest, responses(
    (status = 200, description = "The session.", body = SessionAnswer),
    (status = 400, response = Refused), (status = 401, response = Refused), (status = 403, response = Refused),
    (status = 408, response = Refused), (status = 411, response = Refused), (status = 413, response = Refused),
    (status = 415, response = Refused), (status = 503, response = Refused), (status = 504, response = Refused),
))]
async fn sessions(
    State(server): State<Shared>,
    Anybody(who): Anybody,
    Body(request): Body<SessionRequest>,
) -> Result<Answer, Problem> {
    who.acts_as(&request.agent)?;
    let session = server.desk.seals.open_session(&who, &request.agent)?;
    Answer::new(&SessionAnswer { session: session.into() }, None)
}

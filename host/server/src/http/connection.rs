//! Requests as they come on connections.

use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use hyper::Request;
use hyper::body::Incoming;
use hyper::header::TRANSFER_ENCODING;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use tokio::time::timeout;
use vak_serving::Answers;

use super::answer::Parcels;
use super::link::Link;
use super::problem::{Kind, Problem};
use super::state::Shared;
use super::who::{self, Via};

/// Where the gateway is. It takes a request and its time as it needs them: some are
/// streams.
const MCP: &str = "/mcp";

/// The host's way to answer what comes one way.
#[derive(Clone)]
pub(crate) struct Governed {
    pub(crate) via: Via,
    pub(crate) server: Shared,
    pub(crate) router: TowerToHyperService<Router>,
}

impl Answers for Governed {
    type Link = Link;

    fn taken(&self) {
        self.server.metrics.accepted.add();
    }

    fn refused(&self) {
        self.server.metrics.refused.add();
    }

    async fn answer(&self, mut request: Request<Incoming>, link: &Link) -> Response {
        let (start, server) = (Instant::now(), &self.server);
        let path = request.uri().path().to_owned();
        request.extensions_mut().insert(self.via);
        let mut response = match turned_away(&request, server) {
            Some(problem) => problem.into_response(),
            None if path == MCP => self.spoken(request).await.unwrap_or_else(Problem::into_response),
            None => match timeout(server.request_within(&path), self.router.call(request)).await {
                Ok(Ok(response)) => response,
                Err(_) => {
                    let detail =
                        "what was begun is ended, and what it allowed is withdrawn; ask again with the same `id`";
                    Problem::new(Kind::TimedOut, detail).into_response()
                }
            },
        };
        if let Some(problem) = response.extensions_mut().remove::<Problem>()
            && asks_for_actions(&path)
        {
            server.desk.refusals.count(&problem);
        }
        let parcels = response.extensions_mut().remove::<Parcels>();
        link.hand_over(parcels.map(|Parcels(parcels)| parcels).unwrap_or_default());
        server.metrics.answered(&path, response.status(), start.elapsed());
        response
    }
}

impl Governed {
    /// What the gateway answers to whoever may speak MCP.
    async fn spoken(&self, request: Request<Incoming>) -> Result<Response, Problem> {
        let (mut parts, body) = request.into_parts();
        let client = who::mcp_client(&parts, &self.server)?;
        parts.extensions.insert(client);
        Ok(self.server.mcp.handle(Request::from_parts(parts, body)).await.map(Body::new))
    }
}

/// Whether something is to be done upon the answer.
fn asks_for_actions(path: &str) -> bool {
    ["/v1/decide", "/v1/batch", "/v1/execute", MCP].contains(&path)
        || ["/v1/approvals", "/v1/adapters/"].iter().any(|start| path.starts_with(start))
}

/// What is not even looked at.
fn turned_away(request: &Request<Incoming>, server: &Shared) -> Option<Problem> {
    // Two lengths are two requests to somebody. With this header there may have
    // been a `Content-Length` too, and nobody can tell any more.
    if request.headers().contains_key(TRANSFER_ENCODING) {
        return Some(Problem::new(Kind::LengthRequired, "send `Content-Length`, and no `Transfer-Encoding`"));
    }
    let path = request.uri().path();
    // What was done can still be told.
    let begins = path.starts_with("/v1/") || path == MCP;
    let late = server.house.is_draining() && begins && path != "/v1/outcome";
    late.then(|| Problem::new(Kind::Draining, "ask another host, or this one when it is started again"))
}

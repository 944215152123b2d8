//! One connection, from its first byte to its last.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::response::{IntoResponse as _, Response};
use hyper::Request;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue, TRANSFER_ENCODING};
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::answer::Parcels;
use super::link::Link;
use super::problem::{Kind, Problem};
use super::state::Shared;
use super::who::Via;

/// Speaks HTTP until the client goes, takes too long or the server hangs up.
pub(crate) async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    link: Arc<Link>,
    via: Via,
    server: Shared,
    router: Router,
) {
    let router = TowerToHyperService::new(router);
    let service = service_fn(|request| answer(request, via, &link, &server, &router));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(server.headers_within())
        .max_headers(server.limits.headers_max)
        .max_header_size(server.limits.header_bytes_max);
    let connection = http.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = server.hang_up.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // Whatever a client does with its connection is no fault of the server.
        tracing::debug!("a connection ended early: {error}");
    }
}

async fn answer(
    mut request: Request<Incoming>,
    via: Via,
    link: &Link,
    server: &Shared,
    router: &TowerToHyperService<Router>,
) -> Result<Response, Infallible> {
    let start = Instant::now();
    let path = request.uri().path().to_owned();
    request.extensions_mut().insert(via);
    let mut response = match turned_away(&request, server) {
        Some(problem) => problem.into_response(),
        None => match timeout(server.request_within(), router.call(request)).await {
            Ok(Ok(response)) => response,
            Err(_) => {
                let detail = "what was begun is ended, and what it allowed is withdrawn; ask again with the same `id`";
                Problem::new(Kind::TimedOut, detail).into_response()
            }
        },
    };
    if server.draining.is_cancelled() {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if let Some(problem) = response.extensions_mut().remove::<Problem>()
        && asks_for_actions(&path)
    {
        server.desk.refusals.count(&problem);
    }
    let parcels = response.extensions_mut().remove::<Parcels>();
    link.hand_over(parcels.map(|Parcels(parcels)| parcels).unwrap_or_default());
    server.metrics.answered(&path, response.status(), start.elapsed());
    Ok(response)
}

/// Whether something is to be done upon the answer.
fn asks_for_actions(path: &str) -> bool {
    ["/v1/decide", "/v1/batch", "/v1/execute"].contains(&path)
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
    let late = server.draining.is_cancelled() && path.starts_with("/v1/") && path != "/v1/outcome";
    late.then(|| Problem::new(Kind::Draining, "ask another host, or this one when it is started again"))
}

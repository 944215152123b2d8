//! One connection, from its first byte to its last.

use std::convert::Infallible;
use std::sync::Arc;

use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::counted::Link;
use crate::house::House;

/// What a server makes of the requests on its connections.
pub trait Answers: Clone + Send + Sync + 'static {
    /// What it wants to know of each connection.
    type Link: Link;

    /// Answers a request that came on the connection of `link`.
    fn answer(&self, request: Request<Incoming>, link: &Self::Link) -> impl Future<Output = Response> + Send;

    /// There is one more connection.
    fn taken(&self) {}

    /// A connection was closed at once, since there are too many.
    fn refused(&self) {}
}

/// Speaks HTTP until the client goes, takes too long or the server hangs up.
pub(crate) async fn serve<A: Answers>(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    link: Arc<A::Link>,
    answers: A,
    house: House,
) {
    let service = service_fn(|request| answer::<A>(request, &link, &answers, &house));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(house.limits.headers_within)
        .max_headers(house.limits.headers_max)
        .max_header_size(house.limits.header_bytes_max);
    let connection = http.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = house.hang_up.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // Whatever a client does with its connection is no fault of the server.
        tracing::debug!("a connection ended early: {error}");
    }
}

async fn answer<A: Answers>(
    request: Request<Incoming>,
    link: &A::Link,
    answers: &A,
    house: &House,
) -> Result<Response, Infallible> {
    let mut response = answers.answer(request, link).await;
    if house.is_draining() {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

//! One request and its response.

use std::sync::Arc;

use http::{HeaderValue, Uri, header};
use http_body_util::BodyExt as _;
use hyper::client::conn::http1;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use wasmtime_wasi::runtime::spawn;
use wasmtime_wasi_http::io::TokioIo;
use wasmtime_wasi_http::{Error, WasiBody};

use super::body::ResponseBody;
use super::connect::connect;
use super::destination::Destination;
use super::{HEAD_BYTES_MAX, HEADERS_MAX, Quota, Response, Times};

/// Sends it on a connection of its own. Everything that it starts ends when
/// the call does.
pub(super) async fn send(
    component: Arc<str>,
    to: Destination,
    mut request: http::Request<WasiBody>,
    times: Times,
    quota: Arc<Quota>,
    slot: OwnedSemaphorePermit,
) -> Result<Response, Error> {
    let stream = timeout(times.connect, connect(&component, &to)).await.map_err(|_| Error::ConnectionTimeout)??;
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HEAD_BYTES_MAX).max_headers(HEADERS_MAX);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(|error| code(&error))?;
    // Its errors are those of the request or of the body.
    let connection = spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection of a skill ended");
        }
    });
    // Only a proxy is told more than the path.
    let path = request.uri().path_and_query().cloned();
    *request.uri_mut() = path.map_or_else(Uri::default, Uri::from);
    let host = HeaderValue::try_from(to.header()).map_err(|_| Error::HttpRequestUriInvalid)?;
    request.headers_mut().insert(header::HOST, host);
    let response = timeout(times.first_byte, sender.send_request(request)).await;
    let response = response.map_err(|_| Error::ConnectionReadTimeout)?.map_err(|error| code(&error))?;
    let response = response.map(|body| ResponseBody::new(body, times.between_bytes, quota, slot).boxed_unsync());
    Ok((
        response,
        Box::new(async move {
            connection.await;
            Ok(())
        }),
    ))
}

/// What a guest is told of an error.
pub(super) fn code(error: &hyper::Error) -> Error {
    match error {
        error if error.is_parse_too_large() => Error::HttpResponseHeaderSectionSize(None),
        error if error.is_parse() => Error::HttpProtocolError,
        error if error.is_timeout() => Error::HttpResponseTimeout,
        _ => Error::HttpResponseIncomplete,
    }
}

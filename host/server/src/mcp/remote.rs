//! Upstreams that are reached over HTTP.

use std::error::Error;
use std::path::Path;

use reqwest::Client;
use rmcp::service::ClientInitializeError;
use rmcp::transport::DynamicTransportError;
use rmcp::transport::streamable_http_client::{
    StreamableHttpClientTransport, StreamableHttpClientTransportConfig, StreamableHttpError,
};

use super::upstream_wire::LINE_BYTES_MAX;
use crate::outgoing;

/// Calls that may be sent at the same time; how many run is bounded elsewhere.
const REQUESTS_MAX: usize = 256;

/// What is read of an error page, in bytes: enough to say what is wrong.
const ERROR_BYTES_MAX: usize = 4 << 10;

/// The address of an upstream, and what it takes to speak to it.
pub(crate) struct Remote {
    client: Client,
    config: StreamableHttpClientTransportConfig,
}

impl Remote {
    /// What is wrong with it is told in words.
    pub(crate) fn new(url: &str, token: Option<&Path>, ca: Option<&Path>) -> Result<Self, String> {
        let url = outgoing::url(url, token.is_some())?;
        if url.scheme() == "http" && ca.is_some() {
            return Err("a `ca` is given, and nothing certifies `http`; use `https`".to_owned());
        }
        let token = token.map(outgoing::token).transpose()?;
        let client = outgoing::builder(ca)?.build().map_err(|error| error.to_string())?;
        let mut config = StreamableHttpClientTransportConfig::with_uri(url.as_str())
            .max_concurrent_requests(REQUESTS_MAX)
            .max_sse_event_size(LINE_BYTES_MAX)
            .max_json_response_size(LINE_BYTES_MAX)
            .max_error_response_size(ERROR_BYTES_MAX)
            // It would send a call again, and to a server that may describe its
            // tools otherwise by now.
            .reinit_on_expired_session(false);
        config.auth_header = token;
        Ok(Self { client, config })
    }

    pub(crate) fn open(self) -> StreamableHttpClientTransport<Client> {
        StreamableHttpClientTransport::with_client(self.client, self.config)
    }
}

/// Whether a request failed for the connection, and not for what was answered.
pub(crate) fn is_gone(error: &DynamicTransportError) -> bool {
    !matches!(
        error.error.downcast_ref::<StreamableHttpError<reqwest::Error>>(),
        Some(
            StreamableHttpError::ResponseBodyTooLarge { .. }
                | StreamableHttpError::Sse(_)
                | StreamableHttpError::UnexpectedContentType(_)
                | StreamableHttpError::Deserialize(_),
        )
    )
}

/// Why a server was not reached, made fit for one line.
pub(crate) fn explain_start(error: &ClientInitializeError) -> String {
    match error {
        ClientInitializeError::TransportError { error, .. } => explain(error),
        other => explain(other),
    }
}

/// An error with its causes, made fit for one line.
pub(crate) fn explain(error: &(dyn Error + 'static)) -> String {
    outgoing::explain(error, cause)
}

/// What an error comes of, also where the library does not say so.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<StreamableHttpError<reqwest::Error>>() {
        Some(StreamableHttpError::Client(error)) => error.source(),
        _ => error.source(),
    }
}

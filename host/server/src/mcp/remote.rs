//! Upstreams that are reached over HTTP.

use std::error::Error;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Url};
use rmcp::service::ClientInitializeError;
use rmcp::transport::DynamicTransportError;
use rmcp::transport::streamable_http_client::{
    StreamableHttpClientTransport, StreamableHttpClientTransportConfig, StreamableHttpError,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use vak_types::printable;

use super::upstream_wire::LINE_BYTES_MAX;

/// How long a connection may take to be made.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// Calls that may be sent at the same time; how many run is bounded elsewhere.
const REQUESTS_MAX: usize = 256;

/// What is read of an error page, in bytes: enough to say what is wrong.
const ERROR_BYTES_MAX: usize = 4 << 10;

/// Longest token, in bytes.
const TOKEN_BYTES_MAX: u64 = 4 << 10;

/// Longest explanation of a failure, in bytes.
const QUOTE_BYTES_MAX: usize = 512;

/// The address of an upstream, and what it takes to speak to it.
pub(crate) struct Remote {
    client: Client,
    config: StreamableHttpClientTransportConfig,
}

impl Remote {
    /// What is wrong with it is told in words.
    pub(crate) fn new(url: &str, token: Option<&Path>, ca: Option<&Path>) -> Result<Self, String> {
        let url = Url::parse(url).map_err(|error| format!("`{}`: {error}", printable(url, QUOTE_BYTES_MAX)))?;
        let token = token.map(read).transpose()?;
        let plain = match url.scheme() {
            "https" => false,
            "http" => true,
            other => return Err(format!("`{other}` is neither `http` nor `https`")),
        };
        if plain && token.is_some() && !is_loopback(&url) {
            return Err("a token is not sent over `http` to another machine; use `https`".to_owned());
        }
        if plain && ca.is_some() {
            return Err("a `ca` is given, and nothing certifies `http`; use `https`".to_owned());
        }
        let roots = match ca {
            Some(path) => authorities(path)?,
            None => RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() },
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let tls = tls.map_err(|error| error.to_string())?.with_root_certificates(roots).with_no_client_auth();
        // No redirects: what is judged goes to the address that was configured,
        // and so does the token. No proxy, for the same reason.
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_LIMIT)
            .tcp_nodelay(true);
        let client = client.build().map_err(|error| error.to_string())?;
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
                | StreamableHttpError::Deserialize(_)
        )
    )
}

fn is_loopback(url: &Url) -> bool {
    match url.host_str().map(|host| host.trim_start_matches('[').trim_end_matches(']')) {
        Some("localhost") => true,
        Some(host) => host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback()),
        None => false,
    }
}

fn authorities(path: &Path) -> Result<RootCertStore, String> {
    let failed = |why: String| format!("the authorities in `{}`: {why}", path.display());
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let mut roots = RootCertStore::empty();
    for certificate in read.map_err(|error| failed(error.to_string()))? {
        roots.add(certificate).map_err(|error| failed(error.to_string()))?;
    }
    match roots.is_empty() {
        true => Err(failed("there is no certificate".to_owned())),
        false => Ok(roots),
    }
}

fn read(path: &Path) -> Result<String, String> {
    let failed = |why: String| format!("the token in `{}`: {why}", path.display());
    let mut text = String::new();
    let file = File::open(path).map_err(|error| failed(error.to_string()))?;
    file.take(TOKEN_BYTES_MAX).read_to_string(&mut text).map_err(|error| failed(error.to_string()))?;
    match text.trim() {
        "" => Err(failed("it is empty".to_owned())),
        token => Ok(token.to_owned()),
    }
}

/// Why a server was not reached, made fit for one line.
pub(crate) fn explain_start(error: &ClientInitializeError) -> String {
    match error {
        ClientInitializeError::TransportError { error, .. } => explain(error),
        other => explain(other),
    }
}

/// An error with its causes, made fit for one line: the library names the innermost
/// one, which says what is wrong, only there.
pub(crate) fn explain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = cause(error);
    while let Some(error) = next {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        next = cause(error);
    }
    // The beginning names types of the library, the end what is wrong.
    let excess = text.ceil_char_boundary(text.len().saturating_sub(QUOTE_BYTES_MAX));
    printable(text.get(excess..).unwrap_or_default(), QUOTE_BYTES_MAX)
}

/// What an error comes of, also where the library does not say so.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<StreamableHttpError<reqwest::Error>>() {
        Some(StreamableHttpError::Client(error)) => error.source(),
        _ => error.source(),
    }
}

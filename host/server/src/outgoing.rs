//! What all connections to others have in common: whom they believe, and where a
//! token may go.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, ClientBuilder, Url};
use rustls::{ClientConfig, RootCertStore};
use vak_types::printable;

/// How long a connection may take to be made.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// Longest token, in bytes.
const TOKEN_BYTES_MAX: u64 = 4 << 10;

/// Longest explanation of a failure, in bytes.
const QUOTE_BYTES_MAX: usize = 512;

/// A client that is about to be built. It follows no redirect and uses no proxy:
/// what is sent goes to the address that was configured, and so does the token.
pub(crate) fn builder() -> Result<ClientBuilder, String> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let tls = tls.map_err(|error| error.to_string())?.with_root_certificates(roots).with_no_client_auth();
    Ok(Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_LIMIT)
        .tcp_nodelay(true))
}

/// An address of HTTP, to which a token is sent or not.
pub(crate) fn url(text: &str, with_token: bool) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("`{}`: {error}", printable(text, QUOTE_BYTES_MAX)))?;
    match url.scheme() {
        "http" if with_token && !is_loopback(&url) => {
            Err("a token is not sent over `http` to another machine; use `https`".to_owned())
        }
        "http" | "https" => Ok(url),
        other => Err(format!("`{other}` is neither `http` nor `https`")),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host_str().map(|host| host.trim_start_matches('[').trim_end_matches(']')) {
        Some("localhost") => true,
        Some(host) => host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback()),
        None => false,
    }
}

/// The token in a file.
pub(crate) fn token(path: &Path) -> Result<String, String> {
    let failed = |why: String| format!("the token in `{}`: {why}", path.display());
    let mut text = String::new();
    let file = File::open(path).map_err(|error| failed(error.to_string()))?;
    file.take(TOKEN_BYTES_MAX).read_to_string(&mut text).map_err(|error| failed(error.to_string()))?;
    match text.trim() {
        "" => Err(failed("it is empty".to_owned())),
        token => Ok(token.to_owned()),
    }
}

/// An error with its causes, made fit for one line: the library names the innermost
/// one, which says what is wrong, only there.
pub(crate) fn explain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    printable(&text, QUOTE_BYTES_MAX)
}

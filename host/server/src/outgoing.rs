//! What all connections to others have in common: whom they believe, and where a
//! token may go.

use std::error::Error;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, ClientBuilder, Url};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
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
/// Servers are certified by the authorities in the file `ca`, or else by Mozilla's.
pub(crate) fn builder(ca: Option<&Path>) -> Result<ClientBuilder, String> {
    let roots = match ca {
        Some(path) => authorities(path)?,
        None => RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() },
    };
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

/// An error with its causes, made fit for one line: libraries name the innermost
/// one, which says what is wrong, only there. `cause` knows what an error comes of.
pub(crate) fn explain(error: &(dyn Error + 'static), cause: Cause) -> String {
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

/// What an error comes of, if that is known.
type Cause = for<'a> fn(&'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)>;

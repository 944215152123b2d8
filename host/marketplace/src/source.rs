//! Where an index is: a folder, or any server that has its files.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, RETRY_AFTER};
use reqwest::{Client, StatusCode};
use tough::{TransportError, TransportErrorKind};
use url::{Host, Url};

/// Largest file of an index, in bytes: a catalogue of all its packages.
const FILE_BYTES_MAX: usize = 64 << 20;

/// How long a file may take, in seconds.
const WHOLE_S: u64 = 300;

/// How long a server may say nothing, in seconds.
const IDLE_S: u64 = 20;

/// How long a connection may take, in seconds.
const CONNECT_S: u64 = 10;

/// How often a file is asked for that a server can't give at the moment.
const ATTEMPTS: u32 = 4;

/// The first time to wait before asking again; each further one is twice that.
const BACKOFF: Duration = Duration::from_millis(200);

/// The longest time to wait because a server asks for it.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(10);

/// Where an index is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A folder of this machine, such as a mirror.
    Folder(PathBuf),
    /// The address below which its files are, which ends with a slash.
    Server(Url),
}

/// Why a text says no place.
#[derive(Debug, thiserror::Error)]
pub enum LocationError {
    /// It has a scheme that nothing here speaks, or is malformed.
    #[error("`{0}` is no place of an index; give a folder or an address that begins with `https://`")]
    Unknown(String),
    /// Everybody on the way could change what is read.
    #[error("`{0}` has no encryption; use `https://`; `http://` is for this machine alone")]
    Plain(String),
    /// A password in an address gets into logs.
    #[error("an index's address has no user, password, query or fragment")]
    Extras,
}

impl FromStr for Location {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        if !text.contains("://") {
            return Ok(Self::Folder(text.into()));
        }
        let unknown = || LocationError::Unknown(text.to_owned());
        let mut url = Url::parse(text).map_err(|_| unknown())?;
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
            return Err(LocationError::Extras);
        }
        let here = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => return Err(unknown()),
        };
        match url.scheme() {
            "https" => {}
            "http" if here => {}
            "http" => return Err(LocationError::Plain(text.to_owned())),
            _ => return Err(unknown()),
        }
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        Ok(Self::Server(url))
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => path.display().fmt(f),
            Self::Server(url) => url.fmt(f),
        }
    }
}

impl Location {
    /// The address of a folder in it, for TUF.
    pub(crate) fn join(&self, folder: &str) -> Result<Url, LocationError> {
        let unknown = |text: String| LocationError::Unknown(text);
        match self {
            Self::Folder(path) => folder_url(&path.join(folder)).ok_or_else(|| unknown(path.display().to_string())),
            Self::Server(url) => url.join(&format!("{folder}/")).map_err(|_| unknown(url.to_string())),
        }
    }
}

/// The address of a folder of this machine.
pub(crate) fn folder_url(path: &Path) -> Option<Url> {
    let path = std::path::absolute(path).ok()?;
    Url::from_directory_path(path).ok()
}

/// Reads files from wherever they are.
#[derive(Debug, Clone)]
pub struct Source {
    location: Location,
    client: Option<Client>,
}

/// Why no client could be made.
#[derive(Debug, thiserror::Error)]
#[error("no HTTPS client: {0}")]
pub struct ClientError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl Source {
    /// Reads what is at `location`.
    ///
    /// # Errors
    /// There is no HTTPS client to be had.
    pub fn new(location: Location) -> Result<Self, ClientError> {
        let client = match location {
            Location::Folder(_) => None,
            Location::Server(_) => Some(client()?),
        };
        Ok(Self { location, client })
    }

    /// Reads a folder of this machine.
    pub fn folder(path: PathBuf) -> Self {
        Self { location: Location::Folder(path), client: None }
    }

    /// Where it reads.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// A file, whole.
    pub(crate) async fn read(&self, url: &Url) -> Result<Bytes, TransportError> {
        match &self.client {
            None => file(url),
            Some(client) => get(client, url).await,
        }
    }
}

fn file(url: &Url) -> Result<Bytes, TransportError> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => TransportError::new(TransportErrorKind::FileNotFound, url),
        _ => TransportError::new_with_cause(TransportErrorKind::Other, url, error),
    };
    let path = url.to_file_path().map_err(|()| other(url, "it is no path of this system"))?;
    // Without waiting for somebody at the other end of a pipe.
    let opened =
        OpenOptions::new().read(true).custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed()).open(path);
    let mut bytes = Vec::new();
    let file = opened.map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(other(url, "it is no file"));
    }
    file.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    match bytes.len() > FILE_BYTES_MAX {
        true => Err(other(url, "it is larger than any file of an index")),
        false => Ok(bytes.into()),
    }
}

/// It follows no redirect, since nothing of an index is elsewhere, and unpacks
/// nothing.
fn client() -> Result<Client, ClientError> {
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.into() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let tls = tls.map_err(|error| ClientError(error.into()))?.with_root_certificates(roots).with_no_client_auth();
    let client = Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .connect_timeout(Duration::from_secs(CONNECT_S))
        .read_timeout(Duration::from_secs(IDLE_S));
    client.build().map_err(|error| ClientError(error.into()))
}

/// The whole of a file. What a server can't give at the moment, or not to its
/// end, is asked for again.
async fn get(client: &Client, url: &Url) -> Result<Bytes, TransportError> {
    let mut attempt = 1;
    loop {
        let whole = tokio::time::timeout(Duration::from_secs(WHOLE_S), once(client, url)).await;
        let (problem, wait) = match whole {
            Ok(Ok(bytes)) => return Ok(bytes),
            Ok(Err(Failure::Final(error))) => return Err(error),
            Ok(Err(Failure::Passing { problem, wait })) => (problem, wait),
            Err(_) => return Err(other(url, &format!("it was not there after {WHOLE_S} s"))),
        };
        if attempt == ATTEMPTS {
            return Err(other(url, &problem));
        }
        tokio::time::sleep(wait.unwrap_or(BACKOFF * 2_u32.pow(attempt - 1)).min(RETRY_AFTER_MAX)).await;
        attempt += 1;
    }
}

enum Failure {
    Final(TransportError),
    Passing { problem: String, wait: Option<Duration> },
}

async fn once(client: &Client, url: &Url) -> Result<Bytes, Failure> {
    let passing = |error: reqwest::Error| Failure::Passing { problem: words(&error), wait: None };
    let fails = |problem: &str| Err(Failure::Final(other(url, problem)));
    // Nothing is unpacked here: a few bytes could become any number.
    let request = client.get(url.clone()).header(ACCEPT_ENCODING, "identity");
    let mut answer = request.send().await.map_err(passing)?;
    match answer.status() {
        StatusCode::OK => {}
        // A bucket that may not be listed says the second of what is not there.
        StatusCode::NOT_FOUND | StatusCode::FORBIDDEN | StatusCode::GONE => {
            return Err(Failure::Final(TransportError::new(TransportErrorKind::FileNotFound, url)));
        }
        status if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() => {
            let after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            let wait = after.map(Duration::from_secs);
            return Err(Failure::Passing { problem: format!("the server answered {status}"), wait });
        }
        status => return fails(&format!("the server answered {status}")),
    }
    if answer.headers().contains_key(CONTENT_ENCODING) {
        return fails("the server packed what should come as it is");
    }
    let mut bytes = BytesMut::new();
    while let Some(chunk) = answer.chunk().await.map_err(passing)? {
        if bytes.len() + chunk.len() > FILE_BYTES_MAX {
            return fails(&format!("it is larger than {FILE_BYTES_MAX} bytes, as no file of an index is"));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

fn other(url: &Url, problem: &str) -> TransportError {
    TransportError::new_with_cause(TransportErrorKind::Other, url, problem)
}

/// An error with its causes.
fn words(error: &reqwest::Error) -> String {
    crate::replica::words(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_a_folder_or_at_an_address_that_nobody_overhears() {
        for (text, shown) in [
            ("mirror/vak", "mirror/vak"),
            ("https://example.org/vak", "https://example.org/vak/"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/"),
            ("http://[::1]:8080/a/", "http://[::1]:8080/a/"),
        ] {
            assert_eq!(text.parse::<Location>().unwrap().to_string(), shown);
        }
        for (text, problem) in [
            ("http://example.org/", "no encryption"),
            ("http://localhost.example.org/", "no encryption"),
            ("ftp://example.org/", "no place of an index"),
            ("file:///etc", "no place of an index"),
            ("https://ada:secret@example.org/", "no user"),
            ("https://example.org/?a=b", "no user"),
            ("https://", "no place of an index"),
        ] {
            let error = text.parse::<Location>().unwrap_err().to_string();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }
}

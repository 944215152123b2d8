//! Connecting to an address that was looked at.

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;
use wasmtime_wasi_http::Error;

use super::destination::Destination;
use super::{Refusal, address, refuse};

/// Addresses of a name that are looked at: more than any host has.
const ADDRESSES_MAX: usize = 64;

/// A connection with or without TLS.
pub(super) trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

/// Connects to where `to` is. A name is resolved once, all its addresses are
/// looked at, and one of those is connected to: a name server that answers
/// differently the next time is not asked.
pub(super) async fn connect(component: &str, to: &Destination) -> Result<Box<dyn Connection>, Error> {
    let addresses = resolve(to).await?;
    if let Some(found) = addresses.iter().find(|found| !to.private && !address::is_public(found.ip())) {
        let refusal = Refusal::Private { host: to.host.clone(), address: found.ip() };
        return Err(refuse(component, &to.host, &refusal));
    }
    let stream = first_of(&addresses).await?;
    match to.tls {
        true => Ok(Box::new(secure(to, stream).await?)),
        false => Ok(Box::new(stream)),
    }
}

async fn resolve(to: &Destination) -> Result<Vec<SocketAddr>, Error> {
    if let Some(address) = to.address {
        return Ok(vec![SocketAddr::new(address, to.port)]);
    }
    let found = lookup_host((to.host.as_str(), to.port)).await;
    let found = found.map_err(|_| Error::DnsError { rcode: Some("name not found".to_owned()), info_code: None })?;
    Ok(found.take(ADDRESSES_MAX).collect())
}

async fn first_of(addresses: &[SocketAddr]) -> Result<TcpStream, Error> {
    let mut last = Error::DestinationNotFound;
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => last = Error::ConnectionRefused,
            Err(_) => last = Error::DestinationUnavailable,
        }
    }
    Err(last)
}

/// Mozilla's roots, and nothing of the system's: what a host trusts does not
/// depend on where it runs.
static TLS: LazyLock<Result<Arc<ClientConfig>, rustls::Error>> = LazyLock::new(|| {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.into() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
});

async fn secure(to: &Destination, stream: TcpStream) -> Result<impl Connection + use<>, Error> {
    let config = TLS.as_ref().map_err(|error| Error::InternalError(Some(error.to_string())))?;
    let name = match to.address {
        Some(address) => ServerName::from(address),
        None => ServerName::try_from(to.host.clone()).map_err(|_| Error::HttpRequestUriInvalid)?,
    };
    TlsConnector::from(config.clone()).connect(name, stream).await.map_err(|error| {
        match error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>()) {
            Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) => {
                Error::TlsCertificateError
            }
            Some(_) => Error::TlsProtocolError,
            None => Error::ConnectionTerminated,
        }
    })
}

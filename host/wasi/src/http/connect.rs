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
        true => Ok(Box::new(secure(tls()?, to, stream).await?)),
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
fn tls() -> Result<Arc<ClientConfig>, Error> {
    static TLS: LazyLock<Result<Arc<ClientConfig>, rustls::Error>> =
        LazyLock::new(|| trusting(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.into() }));
    TLS.clone().map_err(|error| Error::InternalError(Some(error.to_string())))
}

fn trusting(roots: RootCertStore) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

async fn secure(
    config: Arc<ClientConfig>,
    to: &Destination,
    stream: TcpStream,
) -> Result<impl Connection + use<>, Error> {
    let name = match to.address {
        Some(address) => ServerName::from(address),
        None => ServerName::try_from(to.host.clone()).map_err(|_| Error::HttpRequestUriInvalid)?,
    };
    TlsConnector::from(config).connect(name, stream).await.map_err(|error| {
        match error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>()) {
            Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) => {
                Error::TlsCertificateError
            }
            Some(_) => Error::TlsProtocolError,
            None => Error::ConnectionTerminated,
        }
    })
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    use super::*;

    fn certificate(pem: &[u8]) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(pem).unwrap()
    }

    /// A server for `localhost` and `a.test`, whose certificate is of a root of
    /// its own, and which says one byte.
    async fn server() -> SocketAddr {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider);
        let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let key = PrivateKeyDer::from_pem_slice(include_bytes!("testdata/server.key")).unwrap();
        let chain = vec![certificate(include_bytes!("testdata/server.pem"))];
        let acceptor = TlsAcceptor::from(Arc::new(config.with_single_cert(chain, key).unwrap()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                // A client that does not believe it leaves.
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    stream.write_all(b"x").await.unwrap();
                }
            }
        });
        address
    }

    fn named(host: &str) -> Destination {
        Destination { host: host.to_owned(), address: host.parse().ok(), port: 443, tls: true, private: true }
    }

    #[test]
    fn a_certificate_counts_for_its_name_and_from_a_root_that_counts() {
        let mut roots = RootCertStore::empty();
        roots.add(certificate(include_bytes!("testdata/root.pem"))).unwrap();
        let ours = trusting(roots).unwrap();
        let told = |config: Arc<ClientConfig>, host: &'static str| async move {
            let stream = TcpStream::connect(server().await).await.unwrap();
            let mut byte = [0];
            match secure(config, &named(host), stream).await {
                Ok(mut stream) => {
                    stream.read_exact(&mut byte).await.map(|_| byte[0]).map_err(|error| error.to_string())
                }
                Err(error) => Err(error.to_string()),
            }
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            for host in ["localhost", "a.test"] {
                assert_eq!(told(ours.clone(), host).await, Ok(b'x'), "{host}");
                // Nobody whom everybody believes has signed it.
                assert_eq!(told(tls().unwrap(), host).await, Err("TLS certificate error".to_owned()), "{host}");
            }
            for host in ["b.test", "x.a.test", "test", "127.0.0.1"] {
                assert_eq!(told(ours.clone(), host).await, Err("TLS certificate error".to_owned()), "{host}");
            }
        });
    }
}

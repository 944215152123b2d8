//! Connecting to an address that was looked at.

use std::io;
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

/// Addresses of a name that are looked at: more than any host has. Others are not
/// dialled either.
const ADDRESSES_MAX: usize = 64;

/// A connection with or without TLS.
pub(super) trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

/// Connects to where `to` is.
pub(super) async fn connect(component: &str, to: &Destination) -> Result<Box<dyn Connection>, Error> {
    let stream = reach(component, to, look_up(to), TcpStream::connect).await?;
    match to.tls {
        true => Ok(Box::new(secure(tls()?, to, stream).await?)),
        false => Ok(Box::new(stream)),
    }
}

/// Dials where `to` is. A name is resolved once, all its addresses are looked at,
/// and one of those is dialled: a name server that answers differently the next
/// time is not asked, because `found` can be awaited once.
async fn reach<S>(
    component: &str,
    to: &Destination,
    found: impl Future<Output = io::Result<Vec<SocketAddr>>>,
    dial: impl AsyncFn(SocketAddr) -> io::Result<S>,
) -> Result<S, Error> {
    let addresses = match to.address {
        Some(address) => vec![SocketAddr::new(address, to.port)],
        None => {
            found.await.map_err(|_| Error::DnsError { rcode: Some("name not found".to_owned()), info_code: None })?
        }
    };
    if let Some(found) = addresses.iter().find(|found| !to.private && !address::is_public(found.ip())) {
        let refusal = Refusal::Private { host: to.host.clone(), address: found.ip() };
        return Err(refuse(component, &to.host, &refusal));
    }
    let mut last = Error::DestinationNotFound;
    for address in addresses {
        match dial(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => last = Error::ConnectionRefused,
            Err(_) => last = Error::DestinationUnavailable,
        }
    }
    Err(last)
}

async fn look_up(to: &Destination) -> io::Result<Vec<SocketAddr>> {
    Ok(lookup_host((to.host.as_str(), to.port)).await?.take(ADDRESSES_MAX).collect())
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
    use std::pin::pin;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Poll, Waker};

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

    /// A name server that answers differently each time, as one does that rebinds
    /// a name, and what was dialled.
    #[derive(Default)]
    struct Rebinding {
        asked: AtomicUsize,
        answers: &'static [&'static [&'static str]],
        dead: &'static [&'static str],
        dialled: Mutex<Vec<String>>,
    }

    impl Rebinding {
        fn new(answers: &'static [&'static [&'static str]]) -> Self {
            Self { answers, ..Self::default() }
        }

        /// One request; the address that it is connected to.
        fn request(&self, to: &Destination) -> Result<SocketAddr, Error> {
            let found = async {
                let answer = self.answers[self.asked.fetch_add(1, Ordering::Relaxed)];
                Ok(answer.iter().map(|address| SocketAddr::new(address.parse().unwrap(), to.port)).collect())
            };
            let dial = async |address: SocketAddr| {
                self.dialled.lock().unwrap().push(address.to_string());
                match self.dead.contains(&address.ip().to_string().as_str()) {
                    true => Err(io::ErrorKind::ConnectionRefused.into()),
                    false => Ok(address),
                }
            };
            ready(reach("rebound", to, found, dial))
        }

        fn asked(&self) -> usize {
            self.asked.load(Ordering::Relaxed)
        }

        fn dialled(&self) -> Vec<String> {
            self.dialled.lock().unwrap().clone()
        }
    }

    /// Of what waits for nothing.
    fn ready<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(done) => done,
            Poll::Pending => panic!("it waits"),
        }
    }

    fn public(host: &str) -> Destination {
        Destination { private: false, ..named(host) }
    }

    const PROHIBITED: &str = "destination IP address is prohibited";

    #[test]
    fn a_name_that_is_rebound_leads_nowhere_else() {
        let name = Rebinding::new(&[&["93.184.216.34"], &["127.0.0.1"], &["93.184.216.35"]]);
        let to = public("api.example.org");
        // Judged and dialled by one answer: the next one is not asked for.
        assert_eq!(name.request(&to).unwrap().to_string(), "93.184.216.34:443");
        assert_eq!(name.asked(), 1);
        // The next request asks anew, and judges anew.
        assert_eq!(name.request(&to).unwrap_err().to_string(), PROHIBITED);
        assert_eq!(name.request(&to).unwrap().to_string(), "93.184.216.35:443");
        assert_eq!(name.asked(), 3);
        assert_eq!(name.dialled(), ["93.184.216.34:443", "93.184.216.35:443"]);
    }

    #[test]
    fn one_private_address_among_others_is_too_many() {
        let answers: [&'static [&'static [&'static str]]; 6] = [
            &[&["127.0.0.1", "93.184.216.34"]],
            &[&["93.184.216.34", "127.0.0.1"]],
            &[&["93.184.216.34", "2606:4700::1111", "::1"]],
            &[&["93.184.216.34", "::ffff:10.0.0.1", "1.1.1.1"]],
            &[&["64:ff9b::169.254.169.254"]],
            &[&["0.0.0.0"]],
        ];
        for answer in answers {
            let name = Rebinding::new(answer);
            assert_eq!(name.request(&public("api.example.org")).unwrap_err().to_string(), PROHIBITED, "{answer:?}");
            assert_eq!((name.asked(), name.dialled()), (1, Vec::new()), "{answer:?}");
            // With the right to private addresses it is the first that answers.
            let name = Rebinding::new(answer);
            name.request(&named("api.example.org")).unwrap();
            assert_eq!((name.asked(), name.dialled().len()), (1, 1), "{answer:?}");
        }
    }

    /// An address that does not answer is no reason to ask again.
    #[test]
    fn what_is_dialled_next_was_judged_too() {
        let answers: &[&[&str]] = &[&["93.184.216.34", "2606:4700::1111", "1.1.1.1"], &["127.0.0.1"]];
        let name = Rebinding { dead: &["93.184.216.34", "2606:4700::1111"], ..Rebinding::new(answers) };
        assert_eq!(name.request(&public("api.example.org")).unwrap().to_string(), "1.1.1.1:443");
        assert_eq!(name.asked(), 1);
        assert_eq!(name.dialled(), ["93.184.216.34:443", "[2606:4700::1111]:443", "1.1.1.1:443"]);

        let name = Rebinding { dead: &["1.1.1.1"], ..Rebinding::new(&[&["1.1.1.1"], &["127.0.0.1"]]) };
        assert_eq!(name.request(&public("api.example.org")).unwrap_err().to_string(), "connection refused");
        assert_eq!((name.asked(), name.dialled().len()), (1, 1));

        let nothing = Rebinding::new(&[&[], &["1.1.1.1"]]);
        assert_eq!(nothing.request(&public("api.example.org")).unwrap_err().to_string(), "destination not found");
        assert_eq!((nothing.asked(), nothing.dialled().len()), (1, 0));
    }

    #[test]
    fn an_address_is_not_looked_up() {
        let name = Rebinding::new(&[&["1.1.1.1"]]);
        assert_eq!(name.request(&public("8.8.8.8")).unwrap().to_string(), "8.8.8.8:443");
        assert_eq!(name.request(&public("10.0.0.1")).unwrap_err().to_string(), PROHIBITED);
        assert_eq!((name.asked(), name.dialled()), (0, vec!["8.8.8.8:443".to_owned()]));
    }
}

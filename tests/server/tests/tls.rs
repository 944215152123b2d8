//! TLS, with and without certificates of clients.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use crate::client::{Client, raw, rest, say};
use crate::served::{Served, action, ada, site};

/// An authority of certificates.
struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key.
struct Issued {
    certificate: Certificate,
    key: KeyPair,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn issue(&self, usage: ExtendedKeyUsagePurpose) -> Issued {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Issued { certificate, key }
    }

    fn write(&self, folder: &Path) {
        let server = self.issue(ExtendedKeyUsagePurpose::ServerAuth);
        std::fs::write(folder.join("server.pem"), server.certificate.pem()).unwrap();
        std::fs::write(folder.join("server.key"), server.key.serialize_pem()).unwrap();
        std::fs::write(folder.join("ca.pem"), self.0.pem()).unwrap();
    }

    fn connect(&self, address: SocketAddr, shows: Option<&Issued>, token: &str) -> Result<Client, std::io::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_root_certificates(roots);
        let config = match shows {
            None => config.with_no_client_auth(),
            Some(Issued { certificate, key }) => {
                let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
                config.with_client_auth_cert(vec![certificate.der().clone()], key).unwrap()
            }
        };
        Client::over(
            async move {
                let stream = tokio::net::TcpStream::connect(address).await?;
                let name = ServerName::try_from("localhost").unwrap();
                TlsConnector::from(Arc::new(config)).connect(name, stream).await
            },
            Some(token),
        )
    }
}

const TLS: &str = "tls = { certificate = 'server.pem', key = 'server.key' }";
const MUTUAL: &str = "tls = { certificate = 'server.pem', key = 'server.key', client_ca = 'ca.pem' }";

fn served(authority: &Authority, tls: &str) -> Served {
    let site = site(tls, &ada().1);
    authority.write(site.path());
    Served::start(site)
}

#[test]
fn it_speaks_tls_and_nothing_else() {
    let authority = Authority::new();
    let served = served(&authority, TLS);
    let token = ada().0;
    let mut client = authority.connect(served.address(), None, &token).unwrap();
    assert_eq!(client.post("/v1/decide", &action("files/read")).decision(), "allow");
    authority.connect(served.address(), None, "vak_0").unwrap().get("/metrics").is_problem(401, "unauthorized");
    // Who does not know its authority does not speak to it.
    assert!(Authority::new().connect(served.address(), None, &token).is_err());
    let mut stream = raw(served.address());
    say(&mut stream, "GET /live HTTP/1.1\r\nhost: a\r\n\r\n");
    assert!(!rest(&mut stream).contains("HTTP"));
    client.get("/live").ok();
}

#[test]
fn a_client_shows_a_certificate_where_one_is_wanted() {
    let authority = Authority::new();
    let served = served(&authority, MUTUAL);
    let token = ada().0;
    let ours = authority.issue(ExtendedKeyUsagePurpose::ClientAuth);
    let mut client = authority.connect(served.address(), Some(&ours), &token).unwrap();
    assert_eq!(client.post("/v1/decide", &action("files/read")).decision(), "allow");
    // It is no token.
    authority.connect(served.address(), Some(&ours), "vak_0").unwrap().get("/metrics").is_problem(401, "unauthorized");
    let others = Authority::new().issue(ExtendedKeyUsagePurpose::ClientAuth);
    let server_s = authority.issue(ExtendedKeyUsagePurpose::ServerAuth);
    for shown in [None, Some(&others), Some(&server_s)] {
        // In TLS 1.3 the client hears of it when it reads.
        let refused = authority.connect(served.address(), shown, &token);
        assert!(refused.is_err() || refused.is_ok_and(|mut client| client.try_send("GET", "/live", "", "").is_err()));
    }
}

#[test]
fn what_can_t_be_used_is_named() {
    for (tls, remove, part) in
        [(TLS, "server.key", "server.key"), (TLS, "server.pem", "server.pem"), (MUTUAL, "ca.pem", "ca.pem")]
    {
        let site = site(tls, &ada().1);
        Authority::new().write(site.path());
        std::fs::write(site.path().join(remove), "nothing").unwrap();
        crate::who::refused(&site, part);
    }
}

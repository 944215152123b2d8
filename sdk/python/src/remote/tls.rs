//! TLS to a server.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::errors::Error;

/// Whom a client believes, and who it is. PEM files.
#[derive(Debug, Default)]
pub(crate) struct Identity {
    /// The authorities that count, in place of Mozilla's.
    pub(crate) ca: Option<PathBuf>,
    /// The client's certificate and those that lead to its authority.
    pub(crate) certificate: Option<PathBuf>,
    /// Its private key.
    pub(crate) key: Option<PathBuf>,
}

/// TLS to one server.
pub(crate) struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Identity {
    /// Fails where it would be for nothing.
    pub(super) fn is_for_tls(&self, secure: bool) -> Result<(), Error> {
        let given = self.ca.is_some() || self.certificate.is_some() || self.key.is_some();
        match given && !secure {
            true => Err(Error::Config("`ca`, `certificate` and `key` are for `https`".to_owned())),
            false => Ok(()),
        }
    }

    fn roots(&self) -> Result<RootCertStore, Error> {
        let Some(path) = &self.ca else {
            return Ok(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() });
        };
        let mut roots = RootCertStore::empty();
        for certificate in certificates(path)? {
            roots.add(certificate).map_err(|error| wrong(path, &error))?;
        }
        Ok(roots)
    }
}

impl Tls {
    pub(super) fn new(host: &str, identity: &Identity) -> Result<Self, Error> {
        let failed = |error: &dyn fmt::Display| Error::Config(format!("TLS: {error}"));
        let name = ServerName::try_from(host.to_owned()).map_err(|error| failed(&error))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(|error| failed(&error))?.with_root_certificates(identity.roots()?);
        let config = match (&identity.certificate, &identity.key) {
            (None, None) => config.with_no_client_auth(),
            (Some(certificate), Some(key)) => {
                let private = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(key, &error))?;
                config.with_client_auth_cert(certificates(certificate)?, private).map_err(|error| failed(&error))?
            }
            _ => return Err(Error::Config("`certificate` and `key` are given together".to_owned())),
        };
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name })
    }

    pub(super) async fn connect(&self, stream: TcpStream) -> Result<TlsStream<TcpStream>, String> {
        self.connector.connect(self.name.clone(), stream).await.map_err(|error| error.to_string())
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("name", &self.name).finish_non_exhaustive()
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read.map_err(|error| wrong(path, &error))? {
        certificates if certificates.is_empty() => Err(wrong(path, &"there is no certificate in it")),
        certificates => Ok(certificates),
    }
}

fn wrong(path: &Path, why: &dyn fmt::Display) -> Error {
    Error::Config(format!("`{}`: {why}", path.display()))
}

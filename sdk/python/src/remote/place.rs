//! Where a server is.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use hyper::Uri;

use super::tls::{Identity, Tls};
use crate::errors::Error;

/// A server's address.
#[derive(Debug)]
pub(crate) enum Place {
    /// A Unix socket.
    Unix(PathBuf),
    /// An address, with TLS or without.
    Tcp {
        /// A name or an address, without brackets.
        host: String,
        port: u16,
        /// Both, as the header `Host` has them.
        authority: String,
        tls: Option<Tls>,
    },
}

impl Place {
    /// `http://HOST:PORT`, `https://HOST:PORT` or `unix:PATH`.
    pub(crate) fn parse(url: &str, identity: &Identity) -> Result<Self, Error> {
        if let Some(path) = url.strip_prefix("unix:") {
            identity.is_for_tls(false)?;
            return match path {
                "" => Err(Error::Config("`unix:` needs a path behind it".to_owned())),
                path => Ok(Self::Unix(path.into())),
            };
        }
        let refused = || {
            let words = "is no address of a server; write `http://127.0.0.1:8787`, `https://HOST:PORT` or `unix:PATH`";
            Error::Config(format!("`{}` {words}", vak_types::printable(url, 256)))
        };
        let uri: Uri = url.parse().map_err(|_| refused())?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return Err(refused()) };
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() || authority.as_str().contains('@') {
            return Err(refused());
        }
        let secure = match scheme {
            "http" => false,
            "https" => true,
            _ => return Err(refused()),
        };
        identity.is_for_tls(secure)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let tls = secure.then(|| Tls::new(&host, identity)).transpose()?;
        Ok(Self::Tcp { host, port, authority: authority.as_str().to_owned(), tls })
    }

    /// Whether a token may be sent there.
    pub(super) fn may_see(&self, token: bool) -> Result<(), Error> {
        match self {
            Self::Tcp { host, tls: None, .. } if token && !is_loopback(host) => {
                Err(Error::Config("a token is not sent over `http` to another machine; use `https`".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// What the header `Host` says.
    pub(super) fn header(&self) -> &str {
        match self {
            Self::Unix(_) => "localhost",
            Self::Tcp { authority, .. } => authority,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp { authority, tls: None, .. } => write!(f, "http://{authority}"),
            Self::Tcp { authority, tls: Some(_), .. } => write!(f, "https://{authority}"),
        }
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

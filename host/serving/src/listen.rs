//! Where connections come from.

use std::fmt;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tokio::net::{TcpListener, UnixListener, UnixStream};

/// A place that clients connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// An address.
    Address {
        /// With the port that was taken, if any was fine.
        address: SocketAddr,
        /// Whether TLS is spoken there.
        tls: bool,
    },
    /// A Unix socket.
    Socket(PathBuf),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address { address, tls: true } => write!(f, "https://{address}"),
            Self::Address { address, tls: false } => write!(f, "http://{address}"),
            Self::Socket(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Listens at an address.
///
/// # Errors
/// It cannot be had.
pub async fn address(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// A Unix socket that goes with its file.
pub struct Socket {
    listener: UnixListener,
    path: PathBuf,
    inode: u64,
}

impl Socket {
    /// Listens at `path`. The socket is made where nobody else looks, and put
    /// there when only the host's user can open it. One that a host has left
    /// behind is replaced; anything else is not.
    ///
    /// # Errors
    /// It cannot be made, or there is something else.
    pub fn bind(path: &Path) -> io::Result<Self> {
        match fs::symlink_metadata(path) {
            Ok(there) if !there.file_type().is_socket() => {
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is something else than a socket"));
            }
            Ok(_) if std::os::unix::net::UnixStream::connect(path).is_ok() => {
                return Err(io::Error::new(io::ErrorKind::AddrInUse, "another process listens there"));
            }
            Ok(_) | Err(_) => {}
        }
        let aside = path.with_extension(format!("{}.new", std::process::id()));
        DirBuilder::new().mode(0o700).create(&aside)?;
        let bound = Self::bind_aside(&aside.join("s"), path);
        fs::remove_dir_all(&aside)?;
        bound
    }

    fn bind_aside(aside: &Path, path: &Path) -> io::Result<Self> {
        let listener = UnixListener::bind(aside)?;
        fs::set_permissions(aside, Permissions::from_mode(0o600))?;
        let inode = fs::symlink_metadata(aside)?.ino();
        fs::rename(aside, path)?;
        Ok(Self { listener, path: path.to_owned(), inode })
    }

    /// The next one who opens it.
    pub(crate) async fn accept(&self) -> io::Result<UnixStream> {
        Ok(self.listener.accept().await?.0)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Another may have taken its place.
        if fs::symlink_metadata(&self.path).is_ok_and(|there| there.ino() == self.inode) {
            fs::remove_file(&self.path).unwrap_or_default();
        }
    }
}

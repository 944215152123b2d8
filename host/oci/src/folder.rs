//! A folder by its handle. Everything in it is reached through the handle and
//! never through a link.

use std::fs::{DirBuilder, File};
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FlockOperation, Mode, OFlags, flock, fsync, mkdirat, openat, renameat, unlinkat};
use rustix::io::Errno;

use crate::error::OciError;

/// Waiting for somebody at the other end of a pipe would take for ever.
const PLAIN: OFlags = OFlags::NOFOLLOW.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK);

/// Images are there to be given to others.
const FILE_MODE: u32 = 0o644;
const FOLDER_MODE: u32 = 0o755;

pub(crate) struct Folder {
    handle: OwnedFd,
    path: PathBuf,
}

impl Folder {
    /// Opens the folder at `path`, where there is one. The path itself may go
    /// through links: it is the operator's.
    pub(crate) fn open(path: &Path) -> Result<Option<Self>, OciError> {
        Self::opened(openat(CWD, path, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()), path.to_owned())
    }

    /// The same, and makes what is missing.
    pub(crate) fn make(path: &Path) -> Result<Self, OciError> {
        let io = |source| OciError::Io { path: path.to_owned(), source };
        DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path).map_err(io)?;
        Self::open(path)?.ok_or_else(|| io(io::ErrorKind::NotFound.into()))
    }

    pub(crate) fn child(&self, name: &str) -> Result<Option<Self>, OciError> {
        let flags = OFlags::DIRECTORY | PLAIN;
        Self::opened(openat(&self.handle, name, flags, Mode::empty()), self.path.join(name))
    }

    pub(crate) fn make_child(&self, name: &str) -> Result<Self, OciError> {
        match mkdirat(&self.handle, name, Mode::from_raw_mode(FOLDER_MODE)) {
            Ok(()) => self.sync()?,
            Err(Errno::EXIST) => {}
            Err(errno) => return Err(self.io(name, errno.into())),
        }
        self.child(name)?.ok_or_else(|| self.io(name, io::ErrorKind::NotFound.into()))
    }

    fn opened(handle: rustix::io::Result<OwnedFd>, path: PathBuf) -> Result<Option<Self>, OciError> {
        match handle {
            Ok(handle) => Ok(Some(Self { handle, path })),
            Err(Errno::NOENT) => Ok(None),
            // Linux says so of a link too.
            Err(Errno::NOTDIR | Errno::LOOP) => Err(OciError::NotPlain { path, what: "folder" }),
            Err(errno) => Err(OciError::Io { path, source: errno.into() }),
        }
    }

    /// The whole of a file that is there; `None` if it is not.
    pub(crate) fn read(&self, name: &str, bytes_max: u64) -> Result<Option<Vec<u8>>, OciError> {
        let file = match openat(&self.handle, name, OFlags::RDONLY | PLAIN, Mode::empty()) {
            Ok(handle) => File::from(handle),
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => return Err(self.not_plain(name)),
            Err(errno) => return Err(self.io(name, errno.into())),
        };
        let io = |source| self.io(name, source);
        if !file.metadata().map_err(io)?.is_file() {
            return Err(self.not_plain(name));
        }
        let mut bytes = Vec::new();
        file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(io)?;
        match bytes.len() as u64 > bytes_max {
            true => Err(OciError::TooLarge { what: format!("`{}`", self.path.join(name).display()), bytes_max }),
            false => Ok(Some(bytes)),
        }
    }

    /// Writes a file aside and puts it in its place when it is on disk. A link in
    /// its place is replaced, not followed.
    pub(crate) fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), OciError> {
        let mut suffix = [0; 8];
        getrandom::fill(&mut suffix).map_err(|error| self.io(name, io::Error::other(error)))?;
        let aside = format!(".{name}.{:016x}.new", u64::from_ne_bytes(suffix));
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | PLAIN;
        let write = || {
            let handle = openat(&self.handle, &aside, flags, Mode::from_raw_mode(FILE_MODE))?;
            let mut file = File::from(handle);
            file.write_all(bytes)?;
            file.sync_all()?;
            renameat(&self.handle, &aside, &self.handle, name)?;
            Ok(())
        };
        write().map_err(|source| {
            // It may not even be there.
            unlinkat(&self.handle, &aside, AtFlags::empty()).unwrap_or_default();
            self.io(name, source)
        })?;
        self.sync()
    }

    /// Waits until nobody else has it locked. It is free again when it is dropped.
    pub(crate) fn lock(&self) -> Result<(), OciError> {
        flock(&self.handle, FlockOperation::LockExclusive).map_err(|errno| self.io("", errno.into()))
    }

    fn sync(&self) -> Result<(), OciError> {
        fsync(&self.handle).map_err(|errno| self.io("", errno.into()))
    }

    fn io(&self, name: &str, source: io::Error) -> OciError {
        OciError::Io { path: self.path.join(name), source }
    }

    fn not_plain(&self, name: &str) -> OciError {
        OciError::NotPlain { path: self.path.join(name), what: "file" }
    }
}

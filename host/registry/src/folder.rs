//! A folder by its handle. Everything in it is reached through the handle and
//! never through a link, so nobody can put another folder or file in its place
//! between two steps.

use std::collections::BTreeSet;
use std::fs::{DirBuilder, File};
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, fstat, fsync, mkdirat, openat, renameat, unlinkat};
use rustix::io::Errno;

use crate::error::StoreError;
use crate::fault::point;

/// What no folder of the store may have: others could change it.
const OTHERS_WRITE: u32 = 0o022;

/// A folder that is open.
#[derive(Debug)]
pub(crate) struct Folder {
    handle: OwnedFd,
    path: PathBuf,
}

/// Waiting for somebody at the other end of a pipe would take for ever.
const PLAIN: OFlags = OFlags::NOFOLLOW.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK);

impl Folder {
    /// Opens the folder at `path`, where there is one. The path itself may go
    /// through links: it is the operator's.
    pub(crate) fn open(path: &Path) -> Result<Option<Self>, StoreError> {
        Self::opened(openat(CWD, path, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()), path.to_owned())
    }

    /// The same, and makes what is missing.
    pub(crate) fn make(path: &Path) -> Result<Self, StoreError> {
        let io = |source| StoreError::Io { path: path.to_owned(), source };
        let missing = path.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists());
        let missing: Vec<_> = missing.collect();
        point("make folder").and_then(|()| DirBuilder::new().recursive(true).mode(0o700).create(path)).map_err(io)?;
        for folder in missing {
            let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
            point("sync folder").and_then(|()| File::open(parent)?.sync_all()).map_err(io)?;
        }
        Self::open(path)?.ok_or_else(|| io(io::ErrorKind::NotFound.into()))
    }

    /// Opens a folder in this one, where there is one.
    pub(crate) fn child(&self, name: &str) -> Result<Option<Self>, StoreError> {
        let flags = OFlags::DIRECTORY | PLAIN;
        Self::opened(openat(&self.handle, name, flags, Mode::empty()), self.path.join(name))
    }

    /// The same, and makes it if it is missing.
    pub(crate) fn make_child(&self, name: &str) -> Result<Self, StoreError> {
        if let Some(folder) = self.child(name)? {
            return Ok(folder);
        }
        self.run("make folder", name, || mkdirat(&self.handle, name, Mode::RWXU))?;
        self.sync()?;
        self.child(name)?.ok_or_else(|| self.io(name, io::ErrorKind::NotFound.into()))
    }

    fn opened(handle: rustix::io::Result<OwnedFd>, path: PathBuf) -> Result<Option<Self>, StoreError> {
        let io = |errno: Errno, path| StoreError::Io { path, source: errno.into() };
        let handle = match handle {
            Ok(handle) => handle,
            Err(Errno::NOENT) => return Ok(None),
            // Linux says so of a link too.
            Err(Errno::NOTDIR | Errno::LOOP) => return Err(StoreError::NotPlain { path, what: "folder" }),
            Err(errno) => return Err(io(errno, path)),
        };
        let about = fstat(&handle).map_err(|errno| io(errno, path.clone()))?;
        let owner = about.st_uid;
        match about.st_mode & OTHERS_WRITE {
            // Whoever may write there can put an old version back.
            0 if owner == 0 || owner == rustix::process::geteuid().as_raw() => Ok(Some(Self { handle, path })),
            0 => Err(StoreError::Owner { path, owner }),
            _ => Err(StoreError::Exposed { path, mode: about.st_mode & 0o7777 }),
        }
    }

    /// The whole of a file that is there; `None` if it is not. A file that is
    /// too long counts as one that ends in the middle: nobody wants its start.
    pub(crate) fn read(&self, name: &str, bytes_max: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let file = match openat(&self.handle, name, OFlags::RDONLY | PLAIN, Mode::empty()) {
            Ok(handle) => File::from(handle),
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => return Err(self.not_plain(name)),
            Err(errno) => return Err(self.io(name, errno.into())),
        };
        let io = |source| self.io(name, source);
        let about = file.metadata().map_err(io)?;
        if !about.is_file() {
            return Err(self.not_plain(name));
        }
        if about.len() > bytes_max {
            return Err(StoreError::TooLarge { path: self.path.join(name), bytes_max });
        }
        // With room for the end to be seen.
        let mut bytes = Vec::with_capacity(usize::try_from(about.len() + 1).unwrap_or_default());
        file.take(bytes_max).read_to_end(&mut bytes).map_err(io)?;
        Ok(Some(bytes))
    }

    /// A new file that only its owner can read, on disk when this returns.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | PLAIN;
        let mode = Mode::RUSR | Mode::WUSR;
        let mut file = File::from(self.run("make file", name, || openat(&self.handle, name, flags, mode))?);
        let io = |source| self.io(name, source);
        point("write").and_then(|()| file.write_all(bytes)).map_err(io)?;
        point("sync file").and_then(|()| file.sync_all()).map_err(io)
    }

    /// Opens a file that is locked and never read, and makes it if it is
    /// missing.
    pub(crate) fn lock_file(&self, name: &str) -> Result<File, StoreError> {
        let flags = OFlags::RDONLY | OFlags::CREATE | PLAIN;
        let opened = self.run("make lock", name, || openat(&self.handle, name, flags, Mode::RUSR | Mode::WUSR));
        opened.map(File::from)
    }

    /// Moves a file into `to`, over what has that name there.
    pub(crate) fn rename(&self, name: &str, to: &Self, new: &str) -> Result<(), StoreError> {
        to.run("rename", new, || renameat(&self.handle, name, &to.handle, new))
    }

    /// Removes a file, or a link and not what it leads to.
    pub(crate) fn remove(&self, name: &str) -> Result<(), StoreError> {
        self.run("remove", name, || unlinkat(&self.handle, name, AtFlags::empty()))
    }

    /// The names of what is in it and is no folder. A name that is not UTF-8 is
    /// none of ours.
    pub(crate) fn names(&self) -> Result<Vec<String>, StoreError> {
        let io = |errno: Errno| StoreError::Io { path: self.path.clone(), source: errno.into() };
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.handle).map_err(io)? {
            let entry = entry.map_err(io)?;
            match entry.file_name().to_str() {
                Ok(name) if entry.file_type() != FileType::Directory => names.push(name.to_owned()),
                _ => {}
            }
        }
        Ok(names)
    }

    /// The names of all that is in it. One that is not UTF-8 is written with
    /// replacement characters, and so no name of a file there.
    pub(crate) fn all_names(&self) -> Result<BTreeSet<String>, StoreError> {
        let io = |errno: Errno| StoreError::Io { path: self.path.clone(), source: errno.into() };
        let mut names = BTreeSet::new();
        for entry in Dir::read_from(&self.handle).map_err(io)? {
            let name = entry.map_err(io)?.file_name().to_string_lossy().into_owned();
            if name != "." && name != ".." {
                names.insert(name);
            }
        }
        Ok(names)
    }

    /// Makes what was renamed and removed in it last.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        self.run("sync folder", "", || fsync(&self.handle))
    }

    fn run<T>(
        &self,
        what: &'static str,
        name: &str,
        operation: impl FnOnce() -> rustix::io::Result<T>,
    ) -> Result<T, StoreError> {
        point(what).and_then(|()| Ok(operation()?)).map_err(|source| self.io(name, source))
    }

    fn io(&self, name: &str, source: io::Error) -> StoreError {
        StoreError::Io { path: self.path.join(name), source }
    }

    fn not_plain(&self, name: &str) -> StoreError {
        StoreError::NotPlain { path: self.path.join(name), what: "file" }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

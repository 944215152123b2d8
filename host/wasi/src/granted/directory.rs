//! Directories of the host, opened once.

use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, openat};
use vak_types::{Access, Effective, GuestPath};
use wasmtime_wasi::filesystem::WasiFilesystemCtx;
use wasmtime_wasi::{FsPerms, WasiCtx};

use super::GrantError;

/// Why a directory cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// It is a symbolic link: who may change it decides what is granted.
    #[error("`{}`, its `{guest}`, is a symbolic link; grant the directory that it leads to", host.display())]
    SymbolicLink {
        /// Where the component sees it.
        guest: GuestPath,
        /// Where it is.
        host: PathBuf,
    },
    /// It is something else.
    #[error("`{}`, its `{guest}`, is not a directory", host.display())]
    NotADirectory {
        /// Where the component sees it.
        guest: GuestPath,
        /// Where it is.
        host: PathBuf,
    },
    /// It is not there, or may not be opened.
    #[error("`{}`, its `{guest}`, cannot be opened: {source}; make it, or change the grant", host.display())]
    Io {
        /// Where the component sees it.
        guest: GuestPath,
        /// Where it is.
        host: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Opens every directory that is granted. What is at its path later does not
/// matter: all calls work from these handles.
pub(super) fn open(granted: &Effective) -> Result<WasiFilesystemCtx, GrantError> {
    let mut builder = WasiCtx::builder();
    builder.allow_blocking_current_thread(true);
    for (guest, directory) in granted.directories() {
        let handle = open_one(guest, &directory.host)?;
        let access = match directory.access {
            Access::Read => FsPerms::ReadOnly,
            Access::Write => FsPerms::ReadWrite,
        };
        // By the handle: resolved a second time, the path might be another.
        let again = format!("/proc/self/fd/{}", handle.as_raw_fd());
        let opened = builder.preopened_dir(again, guest.as_str(), access);
        opened.map_err(|error| GrantError::Reopen(format!("{error:#}")))?;
    }
    Ok(builder.build().filesystem().clone())
}

fn open_one(guest: &GuestPath, host: &Path) -> Result<OwnedFd, DirectoryError> {
    // A slash or `/.` at the end would follow a link in spite of `NOFOLLOW`.
    let path: PathBuf = host.components().collect();
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
    openat(CWD, &path, flags, Mode::empty()).map_err(|error| {
        let (guest, host) = (guest.clone(), host.to_owned());
        match std::fs::symlink_metadata(&path) {
            Ok(found) if found.is_symlink() => DirectoryError::SymbolicLink { guest, host },
            Ok(found) if !found.is_dir() => DirectoryError::NotADirectory { guest, host },
            _ => DirectoryError::Io { guest, host, source: error.into() },
        }
    })
}

//! Opening files, and only files.

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, fstat, openat2};
use vak_engine::CallState;
use wasmtime::Result;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    DescriptorFlags, ErrorCode, HostDescriptor as _, OpenFlags, PathFlags,
};

use super::filesystem_view;

/// The interface as wasmtime-wasi names it. Should that be another one day, the
/// test with a FIFO hangs, rather than a host.
const INTERFACE: &str = "wasi:filesystem/types@0.2.12";

/// Replaces `open-at` by one that first looks what would be opened. Opening a
/// FIFO, or reading a device, can take for ever, and no time-out ends a thread
/// that waits in the kernel. A component can't make either; who else may write
/// to the directory can, so this is for mistakes, not against them.
pub(super) fn link(linker: &mut Linker<CallState>) -> Result<()> {
    linker.allow_shadowing(true);
    linker.instance(INTERFACE)?.func_wrap_async("[method]descriptor.open-at", |mut store, parameters| {
        Box::new(async move { open_at(store.data_mut(), parameters).await })
    })?;
    linker.allow_shadowing(false);
    Ok(())
}

type Parameters = (Resource<Descriptor>, PathFlags, String, OpenFlags, DescriptorFlags);

type Opened = (Result<Resource<Descriptor>, ErrorCode>,);

async fn open_at(state: &mut CallState, (from, path_flags, path, open_flags, flags): Parameters) -> Result<Opened> {
    let mut view = filesystem_view(state);
    if let Descriptor::Dir(directory) = view.table.get(&from)?
        && may_hang(&directory.dir, &path)
    {
        return Ok((Err(ErrorCode::NotPermitted),));
    }
    match view.open_at(from, path_flags, path, open_flags, flags).await {
        Ok(opened) => Ok((Ok(opened),)),
        Err(error) => Ok((Err(error.downcast()?),)),
    }
}

/// Whether there is something at `path` that is neither file, directory nor
/// link. What is not there, or outside, is for the real `open-at` to refuse.
fn may_hang(directory: &std::fs::File, path: &str) -> bool {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let found = openat2(directory, path, flags, Mode::empty(), ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS);
    let kind = found.and_then(fstat).map(|found| FileType::from_raw_mode(found.st_mode));
    kind.is_ok_and(|kind| !matches!(kind, FileType::RegularFile | FileType::Directory | FileType::Symlink))
}

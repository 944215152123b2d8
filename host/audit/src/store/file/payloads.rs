//! Payloads, a file each.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use vak_types::Digest;

use crate::store::StorageError;
use crate::store::lock::MODE;
use crate::{Entry, Payload};

/// The folder of payloads.
pub(super) const PAYLOADS: &str = "payloads";

/// Ends the name of a payload whose entry may not be on disk.
const UNSETTLED: &str = ".new";

pub(super) fn path(folder: &Path, commitment: &Digest) -> PathBuf {
    folder.join(PAYLOADS).join(commitment.to_hex())
}

fn unsettled(folder: &Path, commitment: &Digest) -> PathBuf {
    folder.join(PAYLOADS).join(commitment.to_hex() + UNSETTLED)
}

/// Makes payloads durable before an entry says that they are there.
pub(super) fn keep(folder: &Path, payloads: &[Payload]) -> Result<(), StorageError> {
    for payload in payloads {
        let path = unsettled(folder, &payload.commitment().digest);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(path)?;
        file.write_all(&payload.salt)?;
        file.write_all(&payload.bytes)?;
        file.sync_data()?;
    }
    if payloads.is_empty() { Ok(()) } else { sync(folder) }
}

/// Gives payloads their names once their entries are on disk. Does not wait for
/// the disk: [`recover`] does it again.
pub(super) fn settle(folder: &Path, payloads: &[Payload]) -> Result<(), StorageError> {
    for payload in payloads {
        let commitment = payload.commitment().digest;
        fs::rename(unsettled(folder, &commitment), path(folder, &commitment))?;
    }
    Ok(())
}

/// Removes payloads after the entries that say so are on disk.
pub(super) fn erase<'d>(folder: &Path, commitments: impl IntoIterator<Item = &'d Digest>) -> Result<(), StorageError> {
    let mut any = false;
    for commitment in commitments {
        any = true;
        match fs::remove_file(path(folder, commitment)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    if any { sync(folder) } else { Ok(()) }
}

/// What the entries after the last sync say of payloads.
#[derive(Debug, Default)]
pub(super) struct Told {
    kept: HashSet<Digest>,
    erased: HashSet<Digest>,
}

impl Told {
    pub(super) fn kept(&self) -> impl Iterator<Item = &Digest> {
        self.kept.iter()
    }

    /// An entry that is none shows when the log is checked.
    pub(super) fn entry(&mut self, bytes: &[u8]) {
        if let Ok(Entry { body, .. }) = Entry::decode(bytes) {
            self.kept.extend(body.commitments().map(|commitment| commitment.digest));
            self.erased.extend(body.erases());
        }
    }
}

/// After a crash: settles the payloads whose entries are on disk, and removes
/// those whose entries are not, or say that they were erased.
pub(super) fn recover(folder: &Path, told: &Told) -> Result<(), StorageError> {
    for file in fs::read_dir(folder.join(PAYLOADS))? {
        let path = file?.path();
        if path.extension().is_none_or(|extension| extension != &UNSETTLED[1..]) {
            continue;
        }
        let settled = path.with_extension("");
        let name = settled.file_name().and_then(|name| format!("sha256:{}", name.display()).parse().ok());
        match name.is_some_and(|commitment: Digest| told.kept.contains(&commitment)) {
            true => fs::rename(&path, &settled)?,
            false => fs::remove_file(&path)?,
        }
    }
    erase(folder, &told.erased)?;
    sync(folder)
}

/// How many there are. One that is not settled is one the log does not have yet.
pub(super) fn count(folder: &Path) -> Result<u64, StorageError> {
    let mut count = 0;
    for file in fs::read_dir(folder.join(PAYLOADS))? {
        count += u64::from(!file?.file_name().display().to_string().ends_with(UNSETTLED));
    }
    Ok(count)
}

/// Whether there is a payload that is not settled.
pub(super) fn any_unsettled(folder: &Path) -> Result<bool, StorageError> {
    Ok(count(folder)? < fs::read_dir(folder.join(PAYLOADS))?.count() as u64)
}

pub(super) fn sync(folder: &Path) -> Result<(), StorageError> {
    Ok(File::open(folder.join(PAYLOADS))?.sync_all()?)
}

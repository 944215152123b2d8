//! Files of secrets.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use vak_types::Name;
use zeroize::Zeroizing;

/// A private key with its certificates fits; what is longer is no secret but
/// data.
const BYTES_MAX: u64 = 64 << 10;

/// Why a secret cannot be given.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("the secret `{name}`: `{}`: {source}", path.display())]
    Io { name: Name, path: PathBuf, source: std::io::Error },
    #[error("the secret `{name}`: `{}` is not a file", path.display())]
    NotAFile { name: Name, path: PathBuf },
    #[error(
        "the secret `{name}`: others can read `{path}` (mode {mode:04o}); run `chmod 600 {path}`",
        path = path.display()
    )]
    Exposed { name: Name, path: PathBuf, mode: u32 },
    #[error("the secret `{name}`: `{}` has more than {BYTES_MAX} bytes", path.display())]
    TooLong { name: Name, path: PathBuf },
    #[error("the secret `{name}`: `{}` is empty or not UTF-8", path.display())]
    NotText { name: Name, path: PathBuf },
}

/// The secret `name`, without the line break that editors put at the end.
pub(super) fn read(name: &Name, path: &Path) -> Result<Zeroizing<String>, FileError> {
    let (name, path) = (name.clone(), path.to_owned());
    let read = || {
        // Opening another thing, such as a FIFO, could take for ever.
        if !std::fs::metadata(&path)?.is_file() {
            return Ok(None);
        }
        let file = File::open(&path)?;
        // Of the open file, so that it cannot be swapped between the checks.
        let mode = file.metadata()?.permissions().mode() & 0o777;
        let mut bytes = Zeroizing::new(Vec::with_capacity(BYTES_MAX as usize + 1));
        file.take(BYTES_MAX + 1).read_to_end(&mut bytes)?;
        Ok(Some((mode, bytes)))
    };
    match read() {
        Err(source) => Err(FileError::Io { name, path, source }),
        Ok(None) => Err(FileError::NotAFile { name, path }),
        Ok(Some((mode, _))) if mode & 0o077 != 0 => Err(FileError::Exposed { name, path, mode }),
        Ok(Some((_, bytes))) if bytes.len() as u64 > BYTES_MAX => Err(FileError::TooLong { name, path }),
        Ok(Some((_, bytes))) => match std::str::from_utf8(&bytes).map(|text| text.strip_suffix('\n').unwrap_or(text)) {
            Ok(text) if !text.is_empty() => Ok(Zeroizing::new(text.to_owned())),
            _ => Err(FileError::NotText { name, path }),
        },
    }
}

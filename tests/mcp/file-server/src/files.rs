//! The tools, without MCP.

use std::io::{self, Read as _};

use cap_std::fs::{Dir, DirEntry};

/// Largest file that is read, in bytes. More would not fit into a model's
/// context.
pub(crate) const FILE_BYTES_MAX: u64 = 1 << 20;

/// Why a tool gave nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("`{path}`: {source}")]
    Io { path: String, source: io::Error },
    #[error("`{0}` is larger than {FILE_BYTES_MAX} bytes; read another file")]
    TooLarge(String),
}

fn at(path: &str) -> impl FnOnce(io::Error) -> FileError {
    move |source| FileError::Io { path: path.to_owned(), source }
}

/// The names in a folder, one a line; those of folders end in a slash.
pub(crate) fn list(root: &Dir, path: &str) -> Result<String, FileError> {
    let entries = root.read_dir(path).map_err(at(path))?;
    let names = entries.map(|entry| shown(&entry?)).collect::<io::Result<Vec<_>>>();
    let mut names = names.map_err(at(path))?;
    names.sort();
    Ok(names.join("\n"))
}

fn shown(entry: &DirEntry) -> io::Result<String> {
    let slash = if entry.file_type()?.is_dir() { "/" } else { "" };
    Ok(format!("{}{slash}", entry.file_name().to_string_lossy()))
}

/// The text of a file.
pub(crate) fn read(root: &Dir, path: &str) -> Result<String, FileError> {
    let file = root.open(path).map_err(at(path))?;
    let mut text = String::new();
    let bytes = file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(at(path))?;
    match bytes as u64 > FILE_BYTES_MAX {
        true => Err(FileError::TooLarge(path.to_owned())),
        false => Ok(text),
    }
}

/// Writes a file, replacing what it held.
pub(crate) fn write(root: &Dir, path: &str, content: &str) -> Result<String, FileError> {
    root.write(path, content).map_err(at(path))?;
    Ok(format!("wrote {} bytes to {path}", content.len()))
}

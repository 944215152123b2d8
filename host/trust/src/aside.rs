//! Files that are whole or not there.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Result, Write as _};
use std::path::Path;

/// Writes a file under another name beside `path` and renames it when it is on
/// disk. A symbolic link in its place is replaced, not followed.
///
/// # Errors
/// It cannot be written, or not be put there; what was there is there.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let name = path.file_name().ok_or_else(|| Error::new(ErrorKind::InvalidInput, "it names no file"))?;
    let mut suffix = [0; 8];
    getrandom::fill(&mut suffix).map_err(Error::other)?;
    let aside = format!(".{}.{:016x}.new", name.display(), u64::from_ne_bytes(suffix));
    let aside = path.with_file_name(aside);
    let mut file = OpenOptions::new().write(true).create_new(true).open(&aside)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| std::fs::rename(&aside, path));
    written.inspect_err(|_| std::fs::remove_file(&aside).unwrap_or_default())?;
    // The new name is on disk when its folder is.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn writes_a_file_in_one_step_and_through_no_link() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("a"), folder.path().join("b"));
        std::fs::write(&other, "other").unwrap();
        symlink(&other, &path).unwrap();
        write(&path, b"one").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!((std::fs::read(&path).unwrap(), std::fs::read(&other).unwrap()), (b"two".into(), b"other".into()));
        // What can't be put in its place leaves nothing behind.
        std::fs::create_dir(folder.path().join("c")).unwrap();
        assert!(write(&folder.path().join("c"), b"x").is_err());
        assert!(write(&folder.path().join("missing/d"), b"x").is_err());
        assert!(write(Path::new(".."), b"x").is_err());
        let mut left: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["a", "b", "c"]);
    }
}

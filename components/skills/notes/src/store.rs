//! Notes on disk.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;

use crate::name::NoteName;

/// Six times that, in JSON, still is an answer.
pub(crate) const NOTE_BYTES_MAX: usize = 128 << 10;

/// More notes are a database.
pub(crate) const NOTES_MAX: usize = 500;

/// Places that a search tells.
pub(crate) const FOUND_MAX: usize = 100;

const SEARCH_BYTES_MAX: usize = 200;

/// How much of a line a search tells.
const LINE_CHARACTERS_MAX: usize = 200;

/// Writers of one note at the same time.
const WRITERS_MAX: usize = 16;

/// Why something was not done.
#[derive(Debug)]
pub(crate) enum StoreError {
    NotThere(String),
    NoFile(String),
    NoText(String),
    TooLong { what: &'static str, bytes: usize, most: usize },
    Full,
    Busy(String),
    Nothing,
    Io(io::Error),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotThere(name) => write!(f, "there is no note `{name}`"),
            Self::NoFile(name) => write!(f, "`{name}` is a link or a folder, and not a note"),
            Self::NoText(name) => write!(f, "the note `{name}` is not a text in UTF-8"),
            Self::TooLong { what, bytes, most } => write!(f, "{what} has {bytes} bytes, and the most is {most}"),
            Self::Full => write!(f, "there are {NOTES_MAX} notes already; remove some"),
            Self::Busy(name) => write!(f, "the note `{name}` is being written by others; try again"),
            Self::Nothing => f.write_str("`text` is empty, and would be found everywhere"),
            Self::Io(error) => write!(f, "the folder of notes: {error}"),
        }
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// A place at which a text was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) name: String,
    /// From 1 on.
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// A folder of notes.
pub(crate) struct Store {
    folder: PathBuf,
}

impl Store {
    pub(crate) fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Names and lengths in bytes, in the order of the names. What is no note is
    /// left out.
    pub(crate) fn list(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let mut notes = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let Ok(name) = entry?.file_name().into_string() else { continue };
            let Ok(name) = NoteName::try_from(name) else { continue };
            if let Ok(bytes) = self.length(&name) {
                notes.push((name.as_str().to_owned(), bytes));
            }
            if notes.len() > NOTES_MAX {
                return Err(StoreError::Full);
            }
        }
        notes.sort_unstable();
        Ok(notes)
    }

    pub(crate) fn read(&self, name: &NoteName) -> Result<String, StoreError> {
        self.length(name)?;
        let mut bytes = Vec::new();
        // It may grow while it is read.
        File::open(self.path(name))?.take(NOTE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
        bounded("the note", bytes.len())?;
        String::from_utf8(bytes).map_err(|_| StoreError::NoText(name.as_str().to_owned()))
    }

    /// Makes the note, or puts `text` in the place of what was in it: all of it or
    /// nothing, also where the call is ended. The length in bytes.
    pub(crate) fn write(&self, name: &NoteName, text: &str) -> Result<usize, StoreError> {
        bounded("`text`", text.len())?;
        match self.length(name) {
            Ok(_) => {}
            Err(StoreError::NotThere(_)) if self.list()?.len() >= NOTES_MAX => return Err(StoreError::Full),
            Err(StoreError::NotThere(_)) => {}
            Err(error) => return Err(error),
        }
        let (path, mut file) = self.draft(name)?;
        let written = file.write_all(text.as_bytes()).and_then(|()| fs::rename(&path, self.path(name)));
        if let Err(error) = written {
            // What is left behind is hidden; the first error is the one to tell.
            fs::remove_file(&path).unwrap_or_default();
            return Err(error.into());
        }
        Ok(text.len())
    }

    /// Adds `text` at the end of a note that is there. Two who do so at once are
    /// both heard. The length in bytes.
    pub(crate) fn append(&self, name: &NoteName, text: &str) -> Result<u64, StoreError> {
        let bytes = usize::try_from(self.length(name)?).unwrap_or(usize::MAX);
        bounded("the note with `text`", bytes.saturating_add(text.len()))?;
        OpenOptions::new().append(true).open(self.path(name))?.write_all(text.as_bytes())?;
        self.length(name)
    }

    pub(crate) fn remove(&self, name: &NoteName) -> Result<(), StoreError> {
        self.length(name)?;
        Ok(fs::remove_file(self.path(name))?)
    }

    /// Lines with `text` in them, in whatever case, and whether there are more.
    /// Notes that can't be read are passed over.
    pub(crate) fn search(&self, text: &str) -> Result<(Vec<Found>, bool), StoreError> {
        let most = SEARCH_BYTES_MAX;
        match text.len() {
            0 => return Err(StoreError::Nothing),
            bytes if bytes > most => return Err(StoreError::TooLong { what: "`text`", bytes, most }),
            _ => {}
        }
        let wanted = text.to_lowercase();
        let mut found = Vec::new();
        for (name, _) in self.list()? {
            let Ok(name) = NoteName::try_from(name) else { continue };
            let Ok(note) = self.read(&name) else { continue };
            for (number, line) in note.lines().enumerate().filter(|(_, line)| line.to_lowercase().contains(&wanted)) {
                if found.len() == FOUND_MAX {
                    return Ok((found, true));
                }
                let text = line.chars().take(LINE_CHARACTERS_MAX).collect();
                found.push(Found { name: name.as_str().to_owned(), line: number + 1, text });
            }
        }
        Ok((found, false))
    }

    fn path(&self, name: &NoteName) -> PathBuf {
        self.folder.join(name.as_str())
    }

    /// The length of a note. A link is none, wherever it leads: the note's name
    /// would stand for another file.
    fn length(&self, name: &NoteName) -> Result<u64, StoreError> {
        match fs::symlink_metadata(self.path(name)) {
            Ok(found) if found.is_file() => Ok(found.len()),
            Ok(_) => Err(StoreError::NoFile(name.as_str().to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(StoreError::NotThere(name.as_str().to_owned()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A new file that nobody else writes to. A call that was ended leaves one
    /// behind, so there are several names.
    fn draft(&self, name: &NoteName) -> Result<(PathBuf, File), StoreError> {
        for number in 0..WRITERS_MAX {
            let path = self.folder.join(format!(".{}.{number}.new", name.as_str()));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((path, file)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Busy(name.as_str().to_owned()))
    }
}

fn bounded(what: &'static str, bytes: usize) -> Result<(), StoreError> {
    match bytes > NOTE_BYTES_MAX {
        true => Err(StoreError::TooLong { what, bytes, most: NOTE_BYTES_MAX }),
        false => Ok(()),
    }
}

//! Tells when a file changes that a configuration is made of.
//!
//! Folders are watched, since files are mostly replaced and not written. What
//! happens to a file that is named counts; what happens beside it, such as a link
//! that leads elsewhere, counts if the file is another since.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;
use vak_trust::Package;

use crate::config::{Config, Source};
use crate::lookout::WAY;

/// What is told of a folder with a file that is named: also what is written in it.
const FOLDER: WatchFlags = WAY.union(WatchFlags::MODIFY).union(WatchFlags::CLOSE_WRITE).union(WatchFlags::ATTRIB);

/// Room for some events with the longest names.
const EVENTS_BYTES: usize = 16_384;

/// Watches the files of configurations.
#[derive(Debug)]
pub struct Changes {
    events: Arc<OwnedFd>,
    /// Names that count, by the number of their folder.
    folders: BTreeMap<i32, BTreeSet<OsString>>,
    /// Folders in which every name counts.
    whole: BTreeSet<i32>,
    /// Files that somebody has written to and not closed since: what is in them may
    /// be half of what is to be.
    writing: BTreeSet<(i32, OsString)>,
    /// How the files were when they were looked at last.
    files: BTreeMap<PathBuf, Option<Looks>>,
}

/// Waits for changes on a thread that has nothing else to do.
#[derive(Debug)]
pub struct Waiter(Arc<OwnedFd>);

/// What is another when a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Looks {
    device: u64,
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

impl Looks {
    fn of(path: &Path) -> Option<Self> {
        let about = std::fs::metadata(path).ok()?;
        let changed = (about.ctime(), about.ctime_nsec());
        Some(Self { device: about.dev(), inode: about.ino(), size: about.size(), changed })
    }
}

impl Changes {
    /// Watches nothing yet.
    ///
    /// # Errors
    /// The system has no more inotify instances.
    pub fn new() -> io::Result<Self> {
        let events = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        Ok(Self {
            events: Arc::new(events),
            folders: BTreeMap::new(),
            whole: BTreeSet::new(),
            writing: BTreeSet::new(),
            files: BTreeMap::new(),
        })
    }

    /// Somebody who waits for changes.
    pub fn waiter(&self) -> Waiter {
        Waiter(Arc::clone(&self.events))
    }

    /// Watches the configuration in `file`, and what these have been made of that
    /// were in it, in place of what was watched before. To be called before they
    /// are looked at again, so that no change goes unseen.
    ///
    /// # Errors
    /// A folder can't be watched. Others are.
    pub fn watch(&mut self, file: &Path, configs: &[&Config]) -> io::Result<()> {
        let mut files = BTreeSet::from([file.to_owned()]);
        for config in configs {
            files.extend(files_of(config));
        }
        // A link's target can change as well as the link.
        let targets: Vec<_> = files.iter().filter_map(|file| file.canonicalize().ok()).collect();
        files.extend(targets);
        let before = std::mem::take(&mut self.folders);
        self.whole.clear();
        let mut failed = None;
        for path in &files {
            if let Err(error) = self.add(path) {
                failed = Some(error);
            }
        }
        for config in configs {
            match inotify::add_watch(&*self.events, config.store().withdrawals_path(), FOLDER) {
                Ok(number) => {
                    self.folders.entry(number).or_default();
                    self.whole.insert(number);
                }
                Err(Errno::NOENT | Errno::NOTDIR) => {}
                Err(errno) => failed = Some(errno.into()),
            }
        }
        for gone in before.keys().filter(|number| !self.folders.contains_key(number)) {
            // It has gone by itself if its folder has.
            inotify::remove_watch(&*self.events, *gone).unwrap_or_default();
        }
        let folders = &self.folders;
        self.writing.retain(|(folder, name)| folders.get(folder).is_some_and(|names| names.contains(name)));
        self.files = files.into_iter().map(|path| (path.clone(), Looks::of(&path))).collect();
        failed.map_or(Ok(()), Err)
    }

    /// Watches for `path`, or for the first folder on the way to it that is
    /// missing. Where that comes to be it is not told what is written: it may be
    /// the folder that the log is in.
    fn add(&mut self, path: &Path) -> io::Result<()> {
        let (mut path, mut flags) = (path, FOLDER);
        while let (Some(folder), Some(name)) = (path.parent(), path.file_name()) {
            let place = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            // Others may have asked for more of the same folder.
            match inotify::add_watch(&*self.events, place, flags.union(WatchFlags::MASK_ADD)) {
                Ok(number) => {
                    self.folders.entry(number).or_default().insert(name.to_owned());
                    return Ok(());
                }
                Err(Errno::NOENT | Errno::NOTDIR) => (path, flags) = (folder, WAY),
                Err(errno) => return Err(io::Error::new(errno.kind(), format!("`{}`: {errno}", place.display()))),
            }
        }
        Ok(())
    }

    /// Takes what happened. Whether a file may be another now.
    ///
    /// # Errors
    /// The system does not say what happened.
    pub fn take(&mut self) -> io::Result<bool> {
        let mut room = [MaybeUninit::uninit(); EVENTS_BYTES];
        let mut reader = Reader::new(&*self.events, &mut room);
        let (mut named, mut beside) = (false, false);
        loop {
            match reader.next() {
                Ok(event) => {
                    let name = event.file_name().map(|name| OsStr::from_bytes(name.to_bytes()));
                    let itself = ReadFlags::DELETE_SELF.union(ReadFlags::MOVE_SELF).union(ReadFlags::UNMOUNT);
                    let (names, what) = (self.folders.get(&event.wd()), event.events());
                    beside |= names.is_some();
                    if what.contains(ReadFlags::QUEUE_OVERFLOW) {
                        // Who closed what is not known any more.
                        self.writing.clear();
                        named = true;
                    }
                    match (names, name) {
                        (Some(names), Some(name)) if names.contains(name) => {
                            named = true;
                            let file = (event.wd(), name.to_owned());
                            match what.contains(ReadFlags::MODIFY) {
                                true => drop(self.writing.insert(file)),
                                false if what.intersects(ReadFlags::CREATE.union(ReadFlags::ATTRIB)) => {}
                                // Closed, gone, or another file in its place.
                                false => drop(self.writing.remove(&file)),
                            }
                        }
                        (Some(_), Some(_)) => named |= self.whole.contains(&event.wd()),
                        (Some(_), None) => named |= what.intersects(itself),
                        (None, _) => {}
                    }
                }
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(named || (beside && self.files.iter().any(|(path, looks)| Looks::of(path) != *looks)))
    }

    /// Whether somebody is writing to one of the files, as far as it was taken.
    pub fn is_being_written(&self) -> bool {
        !self.writing.is_empty()
    }
}

impl Waiter {
    /// Blocks until something happened that nobody has [taken](Changes::take).
    ///
    /// # Errors
    /// The system does not wait.
    pub fn wait(&self) -> io::Result<()> {
        loop {
            match poll(&mut [PollFd::new(&*self.0, PollFlags::IN)], None) {
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

/// Every file that `config` names and that is read when it is loaded.
fn files_of(config: &Config) -> Vec<PathBuf> {
    // What is withdrawn may be so no more.
    let mut files = vec![config.store().withdrawals_path()];
    for installation in config.installations() {
        match installation.source() {
            Ok(Source::File(path)) => files.extend(Package::files(path)),
            Ok(Source::Package { name, .. }) => files.push(config.store().record_path(name)),
            Err(_) => {}
        }
        files.extend(installation.config_file().map(Path::to_owned));
    }
    files
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rustix::event::Timespec;

    use super::*;

    fn is_told(changes: &Changes) -> bool {
        poll(&mut [PollFd::new(&*changes.events, PollFlags::IN)], Some(&Timespec::default())).unwrap() > 0
    }

    /// The log is in the folder where those of marketplaces are to be, and is
    /// written thousands of times a second.
    #[test]
    fn what_is_written_on_the_way_is_not_told() {
        let folder = tempfile::tempdir().unwrap();
        let (log, missing) = (folder.path().join("audit.sqlite"), folder.path().join("store/withdrawn"));
        fs::write(&log, "").unwrap();
        let mut changes = Changes::new().unwrap();
        changes.watch(&missing, &[]).unwrap();
        fs::write(&log, "an entry").unwrap();
        assert!(!is_told(&changes));
        fs::create_dir_all(&missing).unwrap();
        assert!(is_told(&changes) && changes.take().unwrap());
    }

    #[test]
    fn what_is_written_beside_is_told_in_any_order() {
        let folder = tempfile::tempdir().unwrap();
        let (named, missing) = (folder.path().join("vak.toml"), folder.path().join("store/withdrawn"));
        fs::write(&named, "").unwrap();
        for order in [[&named, &missing], [&missing, &named]] {
            let mut changes = Changes::new().unwrap();
            order.iter().for_each(|path| changes.add(path).unwrap());
            fs::write(&named, "another").unwrap();
            assert!(is_told(&changes) && changes.take().unwrap());
        }
    }
}

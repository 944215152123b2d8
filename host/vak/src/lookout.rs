//! Looks out for what marketplaces withdraw, at each decision.
//!
//! The system is asked whether anything happened in the folder of records, which
//! takes 0.3 µs; reading them takes longer and is done when something did. It
//! queues an event before the rename that made it returns, so what was withdrawn
//! before a decision begins is known to it. (`statx` of the folder takes as long
//! by a handle, which does not see another folder in its place, and 1.3 µs by a
//! path; and its time stands still for milliseconds, so a second change could
//! pass for the first.)
//!
//! Not seen are changes from another machine on a network file system, a mount
//! over the state folder, and another folder at the end of a link on the way to
//! it.

use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;
use vak_registry::{Store, Withdrawn};

/// What is told of a folder by which another is found: that one, or it itself,
/// comes or goes.
pub(crate) const WAY: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MOVE)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::ONLYDIR);

/// What is told of the folder of records: also whatever is written in it, which
/// the store never does.
const RECORDS: WatchFlags = WAY.union(WatchFlags::MODIFY).union(WatchFlags::CLOSE_WRITE).union(WatchFlags::DONT_FOLLOW);

/// A folder is not what it was.
const ITSELF: ReadFlags =
    ReadFlags::DELETE_SELF.union(ReadFlags::MOVE_SELF).union(ReadFlags::IGNORED).union(ReadFlags::UNMOUNT);

/// Room for some events with the longest names.
const EVENTS_BYTES: usize = 4_096;

/// Why nothing tells a host what is withdrawn.
#[derive(Debug, thiserror::Error)]
pub enum LookoutError {
    /// The system has no more of what it takes.
    #[error("inotify, which tells what marketplaces withdraw: {0}; raise `fs.inotify.max_user_instances`")]
    Start(std::io::Error),
    /// A folder can't be watched.
    #[error("the folder `{}` can't be watched for what marketplaces withdraw: {source}", path.display())]
    Watch {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// What is known to be withdrawn.
#[derive(Debug)]
pub(crate) struct Known {
    /// Later ones have higher numbers. From 1 on.
    pub(crate) look: u64,
    /// Or why it is not known.
    pub(crate) withdrawn: Result<Withdrawn, String>,
}

pub(crate) struct Lookout {
    store: Store,
    events: OwnedFd,
    /// Set from before events are taken until what they are about is known.
    /// Whoever sees no event has to look here afterwards.
    unclear: AtomicBool,
    watched: Mutex<Watched>,
    known: RwLock<Arc<Known>>,
}

/// Numbers by which events name the folders that are there.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Watched {
    state: Option<i32>,
    store: Option<i32>,
    records: Option<i32>,
}

impl Lookout {
    /// Over `store`, whose folder need not be there yet, but the one it is in.
    pub(crate) fn over(store: Store) -> Result<Self, LookoutError> {
        let events = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC);
        let events = events.map_err(|errno| LookoutError::Start(errno.into()))?;
        let known = Arc::new(Known { look: 0, withdrawn: Err("nobody has looked yet".to_owned()) });
        let lookout = Self {
            store,
            events,
            unclear: AtomicBool::new(true),
            watched: Mutex::default(),
            known: RwLock::new(known),
        };
        // To say at the start what could never be done.
        lookout.watch()?;
        Ok(lookout)
    }

    /// What is withdrawn now, whatever it was when this was called.
    pub(crate) fn look(&self) -> Arc<Known> {
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        let quiet = matches!(poll(&mut [PollFd::new(&self.events, PollFlags::IN)], Some(&now)), Ok(0));
        match quiet && !self.unclear.load(Ordering::SeqCst) {
            true => self.known(),
            false => self.look_again(),
        }
    }

    fn known(&self) -> Arc<Known> {
        // Nothing that may panic runs while it is held.
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads what happened, and the records if it is about them. Others wait for
    /// that: they could not know what they may do. As long as the records can't be
    /// read each decision tries.
    fn look_again(&self) -> Arc<Known> {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let unclear = self.unclear.swap(true, Ordering::SeqCst);
        let happened = self.happened(&watched);
        if !unclear && matches!(happened, Ok(false)) {
            self.unclear.store(false, Ordering::SeqCst);
            return self.known();
        }
        let before = self.known();
        // Watched before they are read, so that nothing is missed in between.
        let withdrawn = happened
            .map_err(|errno| LookoutError::Start(errno.into()).to_string())
            .and_then(|_| self.watch_instead(&mut watched).map_err(|error| error.to_string()))
            .and_then(|()| self.store.withdrawals().map_err(|error| error.to_string()));
        match (&withdrawn, &before.withdrawn) {
            (Err(error), Err(same)) if error == same => {}
            (Err(error), _) => tracing::error!("what marketplaces withdrew can't be read; all is denied: {error}"),
            (Ok(_), Err(_)) if before.look > 0 => tracing::warn!("what marketplaces withdrew can be read again"),
            (Ok(_), _) => {}
        }
        let clear = withdrawn.is_ok();
        let known = Arc::new(Known { look: before.look + 1, withdrawn });
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&known);
        self.unclear.store(!clear, Ordering::SeqCst);
        known
    }

    /// Takes all events. Whether any is about records.
    fn happened(&self, watched: &Watched) -> Result<bool, Errno> {
        let mut room = [MaybeUninit::uninit(); EVENTS_BYTES];
        let mut reader = Reader::new(&self.events, &mut room);
        let mut any = false;
        loop {
            match reader.next() {
                Ok(event) => {
                    let name = event.file_name().map(std::ffi::CStr::to_bytes);
                    any |= watched.is_about(&self.store, event.wd(), event.events(), name);
                }
                Err(Errno::AGAIN) => return Ok(any),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
        }
    }

    fn watch(&self) -> Result<(), LookoutError> {
        self.watch_instead(&mut self.watched.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Watches the folders that are at their places now.
    fn watch_instead(&self, watched: &mut Watched) -> Result<(), LookoutError> {
        let store = self.store.path();
        let state = match store.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let found = Watched {
            state: Some(self.add(state, WAY)?.ok_or_else(|| failed(state, Errno::NOENT))?),
            store: self.add(store, WAY)?,
            records: self.add(&self.store.withdrawals_path(), RECORDS)?,
        };
        let before = std::mem::replace(watched, found);
        for gone in before.all().filter(|number| !watched.all().any(|stays| stays == *number)) {
            // It has gone by itself if its folder has.
            inotify::remove_watch(&self.events, gone).unwrap_or_default();
        }
        Ok(())
    }

    /// None if there is no folder. What is there instead is for whoever reads it
    /// to refuse.
    fn add(&self, path: &Path, flags: WatchFlags) -> Result<Option<i32>, LookoutError> {
        match inotify::add_watch(&self.events, path, flags) {
            Ok(number) => Ok(Some(number)),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
            Err(errno) => Err(failed(path, errno)),
        }
    }
}

fn failed(path: &Path, errno: Errno) -> LookoutError {
    LookoutError::Watch { path: path.to_owned(), source: errno.into() }
}

impl Watched {
    fn all(&self) -> impl Iterator<Item = i32> {
        [self.state, self.store, self.records].into_iter().flatten()
    }

    /// Whether records may be others after an event.
    fn is_about(&self, store: &Store, number: i32, events: ReadFlags, name: Option<&[u8]>) -> bool {
        let is = |folder: Option<i32>| folder == Some(number);
        let names = |path: &Path| path.file_name().map(std::ffi::OsStr::as_encoded_bytes) == name;
        match () {
            () if events.contains(ReadFlags::QUEUE_OVERFLOW) => true,
            () if is(self.records) => true,
            () if is(self.store) => events.intersects(ITSELF) || names(&store.withdrawals_path()),
            () if is(self.state) => events.intersects(ITSELF) || names(store.path()),
            // Of a folder that is not watched any more.
            () => false,
        }
    }
}

//! What is used of limits, kept across restarts and crashes: a snapshot every
//! few seconds, and the log for what came after it.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use vak_audit::{Body, LogReader, ReadError, Status};
use vak_limits::{Held, Limits};
use vak_types::Timestamp;

use crate::config::{self, Config};
use crate::host::Clock;
use crate::limiter::{Limiting, own};

/// How often a snapshot is made, if anything was decided. What came after the
/// last one is read from the log after a crash.
const EVERY: Duration = Duration::from_secs(10);

/// The part of the time that snapshots may take: limits stand still for them.
const SHARE: u32 = 200;

/// Entries of the log that are read where there is no snapshot, at the most.
const ENTRIES_MAX: u64 = 1_000_000;

/// Before the snapshot's bytes: the log's size, and the time, when it was made.
const HEAD_BYTES: usize = 16;

/// Why what was used of limits is not known.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// The limits are not possible, or the snapshot is damaged.
    #[error("`{}`: {source}; without that file, what was used is read from the log", path.display())]
    Snapshot {
        /// The snapshot.
        path: PathBuf,
        /// What is wrong.
        source: vak_limits::Error,
    },
    /// The snapshot cannot be read.
    #[error("`{}`: {source}", path.display())]
    Io {
        /// The snapshot.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The limits are not possible.
    #[error(transparent)]
    Limits(#[from] vak_limits::Error),
    /// The log cannot be read.
    #[error("what was used of limits: {0}")]
    Log(#[from] ReadError),
}

/// The configured limits with what was used of them before this host.
pub(crate) fn restored(config: &Config) -> Result<Limits, KeptError> {
    let limits = own(&config.limits)?;
    if limits.is_empty() {
        return Ok(Limits::new(limits)?);
    }
    let log = LogReader::open(&config.log())?;
    let size = log.size()?;
    let path = path(config);
    let (from, limits) = match fs::read(&path) {
        Ok(bytes) => {
            let damaged = |source| KeptError::Snapshot { path: path.clone(), source };
            let (from, time, bytes) = taken_apart(&bytes)
                .ok_or_else(|| damaged(vak_limits::Error::Snapshot { at: bytes.len(), what: "it ends too early" }))?;
            (from, Limits::import(limits, Limits::KEYS_MAX, bytes, time).map_err(damaged)?)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            (size.saturating_sub(ENTRIES_MAX), Limits::new(limits)?)
        }
        Err(source) => return Err(KeptError::Io { path, source }),
    };
    repeat(&log, log.first_from(from)?, size, &limits)?;
    Ok(limits)
}

/// Takes out of `limits` what was allowed according to the entries from `from`
/// on. What is in the snapshot already may be taken twice: never less than was
/// used.
fn repeat(log: &LogReader, from: u64, size: u64, limits: &Limits) -> Result<(), ReadError> {
    let mut held: HashMap<u64, Held> = HashMap::new();
    for entry in log.entries(from, size.saturating_sub(from)) {
        let entry = entry?;
        match &entry.body {
            Body::Decision(_, decision) if decision.verdict.is_allow() => {
                // What was erased was used too. Its labels, and its cost where an
                // attribute said that, are not known.
                let Some(action) = log.what_is_left(&entry)? else { continue };
                if let Ok(reservation) = limits.reserve(&action) {
                    held.insert(entry.seq, reservation.hold());
                }
            }
            Body::Outcome(_, outcome) => {
                let Some(held) = held.remove(&outcome.decision) else { continue };
                match outcome.status {
                    Status::Failed => held.fail(entry.time),
                    Status::Succeeded | Status::Unknown => held.succeed(&[], entry.time),
                }
            }
            _ => {}
        }
    }
    // The others are held until their time is up.
    Ok(())
}

/// Makes snapshots, on a thread of its own that starts with the first limit.
pub(crate) struct Keeper {
    path: PathBuf,
    log: PathBuf,
    clock: Clock,
    worker: OnceLock<(Sender<()>, JoinHandle<()>)>,
}

impl Keeper {
    pub(crate) fn new(config: &Config, clock: Clock) -> Self {
        Self { path: path(config), log: config.log(), clock, worker: OnceLock::new() }
    }

    /// Keeps these limits from now on, and whatever takes their place.
    pub(crate) fn keep(&self, configured: &[config::Limit], limits: &Limiting) {
        if configured.iter().all(|limit| limit.shared) {
            return;
        }
        self.worker.get_or_init(|| {
            let (stop, stopped) = channel();
            let snapshots = self.snapshots(limits);
            (stop, std::thread::spawn(move || snapshots.until(&stopped)))
        });
    }

    /// Makes the last snapshot. The log is closed.
    pub(crate) fn close(self) {
        if let Some((stop, thread)) = self.worker.into_inner() {
            drop(stop);
            // If it panicked the log still has what came after its last one.
            thread.join().ok();
        }
    }

    fn snapshots(&self, limits: &Limiting) -> Snapshots {
        Snapshots {
            path: self.path.clone(),
            log: self.log.clone(),
            clock: Arc::clone(&self.clock),
            limits: limits.limits().clone(),
            made_at: u64::MAX,
        }
    }
}

struct Snapshots {
    path: PathBuf,
    log: PathBuf,
    clock: Clock,
    limits: Limits,
    /// The log's size at the last one.
    made_at: u64,
}

impl Snapshots {
    fn until(mut self, stopped: &Receiver<()>) {
        let mut wait = EVERY;
        loop {
            let last = !matches!(stopped.recv_timeout(wait), Err(RecvTimeoutError::Timeout));
            let start = Instant::now();
            if let Err(error) = self.make() {
                let path = self.path.display();
                tracing::warn!("what is used of limits is not kept in `{path}`: {error}; a restart reads the log");
            }
            if last {
                return;
            }
            wait = EVERY.max(start.elapsed() * SHARE);
        }
    }

    fn make(&mut self) -> Result<(), Box<dyn std::error::Error>> {
        // Before the snapshot: what is decided meanwhile is in both, and counts
        // twice rather than not at all.
        let size = LogReader::open(&self.log)?.size()?;
        if size == self.made_at {
            return Ok(());
        }
        let time = (self.clock)();
        let mut bytes = [size.to_le_bytes(), time.as_nanos().to_le_bytes()].concat();
        bytes.extend(self.limits.export());
        replace(&self.path, &bytes)?;
        self.made_at = size;
        Ok(())
    }
}

fn path(config: &Config) -> PathBuf {
    config.state.join("limits")
}

fn taken_apart(bytes: &[u8]) -> Option<(u64, Timestamp, &[u8])> {
    let (head, bytes) = bytes.split_at_checked(HEAD_BYTES)?;
    let (size, time) = head.split_at(HEAD_BYTES / 2);
    let number = |bytes: &[u8]| bytes.try_into().map(u64::from_le_bytes).ok();
    Some((number(size)?, Timestamp::from_nanos(number(time)?), bytes))
}

/// Writes a file beside it and puts it in its place. Readable by its owner: a
/// snapshot has what keeps agents from choosing names that collide.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension("new");
    let mut file: File = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(unfinished, path)
}

//! The program that uploads the log while it is written.
//!
//! A process of its own: it reads what anybody may who verifies the log, and
//! neither the code that talks to the network nor its credentials come near the
//! private key. Nothing waits for it but the disk, which it may be told to
//! clear of what is archived.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use vak_audit::{Stopper, VerifierKey};
use vak_types::printable;

use crate::config::{Archive, LockMode};

const PROGRAM: &str = "vak-audit-s3";

/// What the program ends with when the bucket and the log contradict each other.
const CONFLICT: i32 = 1;

/// How long to wait before it is started again: longer each time, up to a
/// minute, so that a wrong password does not fill anybody's log.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// Longest line of it that is passed on, in bytes.
const LINE_BYTES_MAX: usize = 1_024;

/// How long a host that ends waits for the rest to be uploaded, and how often it
/// looks. The program goes on by itself after that, if the machine lets it.
const REST: Duration = Duration::from_secs(5);
const REST_POLL: Duration = Duration::from_millis(10);

/// Starts and watches the program. Dropping this lets it upload the rest and
/// end, and waits a while for that.
#[derive(Debug)]
pub(crate) struct Archiver {
    input: Arc<Mutex<Input>>,
    watch: Option<JoinHandle<()>>,
}

/// Its standard input, which says with its end that the host is done.
#[derive(Debug)]
struct Input {
    _open: Option<ChildStdin>,
    done: bool,
}

impl Archiver {
    /// Uploads `log`, which `key` signs. When the bucket has another log, or
    /// another host writes there, the log is stopped.
    ///
    /// # Errors
    /// The program can't be started.
    pub(crate) fn start(archive: &Archive, log: &Path, key: &VerifierKey, stopper: Stopper) -> std::io::Result<Self> {
        let arguments = arguments(archive, log, key);
        let program = archive.program.clone().unwrap_or_else(|| program_of_s3().into());
        let spawn = move || spawn(&program, &arguments);
        let mut child = spawn()?;
        let input = Arc::new(Mutex::new(Input { _open: child.stdin.take(), done: false }));
        let watched = Arc::clone(&input);
        let watch = std::thread::Builder::new()
            .name("vak-archive".to_owned())
            .spawn(move || watch(child, spawn, &watched, &stopper))?;
        Ok(Self { input, watch: Some(watch) })
    }
}

impl Drop for Archiver {
    fn drop(&mut self) {
        *lock(&self.input) = Input { _open: None, done: true };
        let Some(watch) = self.watch.take() else { return };
        let until = Instant::now() + REST;
        while !watch.is_finished() && Instant::now() < until {
            std::thread::sleep(REST_POLL);
        }
        if !watch.is_finished() {
            tracing::warn!("the last entries are not archived yet; `{PROGRAM}` goes on with them");
        }
    }
}

/// Starts the program again whenever it ends, until the host does.
fn watch(mut child: Child, spawn: impl Fn() -> std::io::Result<Child>, input: &Mutex<Input>, stopper: &Stopper) {
    let mut pause = PAUSE;
    loop {
        let start = Instant::now();
        let last = pass_on(&mut child);
        let status = child.wait();
        if start.elapsed() > PAUSE_MAX {
            pause = PAUSE;
        }
        if status.as_ref().is_ok_and(|status| status.code() == Some(CONFLICT)) {
            let reason = format!("its archive refused it: {last}");
            tracing::error!("the audit log stops: {reason}");
            return stopper.stop(reason);
        }
        child = loop {
            if lock(input).done {
                return;
            }
            tracing::warn!("nothing is archived: `{PROGRAM}` ended ({status:?}); it is started again in {pause:?}");
            let until = Instant::now() + pause;
            while Instant::now() < until && !lock(input).done {
                std::thread::sleep(REST_POLL.min(pause));
            }
            pause = (pause * 2).min(PAUSE_MAX);
            match spawn() {
                Ok(child) => break child,
                Err(error) => tracing::error!("`{PROGRAM}` does not start: {error}"),
            }
        };
        let open = child.stdin.take();
        let mut input = lock(input);
        // Where the host is done meanwhile the input ends here, and with it,
        // after the rest, the program.
        if !input.done {
            input._open = open;
        }
    }
}

/// Passes on what it says until it ends; gives its last line.
fn pass_on(child: &mut Child) -> String {
    let mut last = String::new();
    let Some(stderr) = child.stderr.take() else { return last };
    for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
        last = printable(&String::from_utf8_lossy(&line), LINE_BYTES_MAX);
        tracing::warn!("archive: {last}");
    }
    last
}

fn spawn(program: &Path, arguments: &[OsString]) -> std::io::Result<Child> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    // What it takes to reach the bucket, and no other secret of the host.
    command.env_clear();
    let wanted = |name: &OsString| {
        let name = name.to_string_lossy();
        name == "PATH" || name.starts_with("AWS_") || name.starts_with("SSL_CERT_")
    };
    command.envs(std::env::vars_os().filter(|(name, _)| wanted(name)));
    command.spawn()
}

fn arguments(archive: &Archive, log: &Path, key: &VerifierKey) -> Vec<OsString> {
    let Archive { bucket, prefix, region, endpoint, sse_kms, storage_class, .. } = archive;
    let mut arguments: Vec<OsString> = vec!["follow".into(), log.into()];
    let mut option = |name: &str, value: Option<String>| {
        arguments.extend(value.map(|value| OsString::from(format!("--{name}={value}"))));
    };
    option("key", Some(key.to_string()));
    option("bucket", Some(bucket.clone()));
    option("prefix", Some(prefix.clone()));
    option("region", region.clone());
    option("endpoint", endpoint.clone());
    option("lock-days", archive.lock_days.map(|days| days.to_string()));
    let mode = match archive.lock_mode {
        LockMode::Compliance => "compliance",
        LockMode::Governance => "governance",
    };
    option("lock-mode", Some(mode.to_owned()));
    option("sse-kms", sse_kms.clone());
    option("storage-class", storage_class.clone());
    option("interval-s", Some(archive.interval_s.to_string()));
    option("keep-entries", archive.keep_entries.map(|entries| entries.to_string()));
    arguments.extend(archive.sse_s3.then(|| "--sse-s3".into()));
    arguments
}

/// The program that talks to S3: the one beside this one, or else the one on
/// the path.
pub fn program_of_s3() -> OsString {
    let beside = std::env::current_exe().map(|program| program.with_file_name(PROGRAM));
    beside.ok().filter(|program| program.exists()).map_or_else(|| PROGRAM.into(), PathBuf::into_os_string)
}

/// No code that may panic runs while the lock is held.
fn lock(input: &Mutex<Input>) -> MutexGuard<'_, Input> {
    input.lock().unwrap_or_else(PoisonError::into_inner)
}

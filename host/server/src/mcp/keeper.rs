//! The upstream's process.

use std::ffi::OsString;
use std::io::{self, PipeReader, PipeWriter, pipe};
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How long the upstream may take to exit once its input is closed. The MCP
/// libraries wait two seconds before they kill a server.
const EXIT_LIMIT: Duration = Duration::from_secs(2);

/// How long to wait for a killed process to be gone. Only a process that hangs
/// in the kernel takes longer, and nothing can be done about that.
const KILL_LIMIT: Duration = Duration::from_secs(1);

/// The ends of the process's pipes that are ours.
pub(crate) struct Pipes {
    pub(crate) stdin: PipeWriter,
    pub(crate) stdout: PipeReader,
    pub(crate) stderr: PipeReader,
}

/// A handle to the task that owns the process and reaps it.
#[derive(Clone)]
pub(crate) struct Keeper {
    stop: CancellationToken,
    kill: Arc<Notify>,
    exit: watch::Receiver<Option<String>>,
}

impl Keeper {
    /// Starts the program in a process group of its own.
    ///
    /// # Errors
    /// The system does not start it.
    pub(crate) fn start(program: &OsString, arguments: &[OsString]) -> io::Result<(Self, Pipes)> {
        let (child_in, stdin) = pipe()?;
        let (stdout, child_out) = pipe()?;
        let (stderr, child_err) = pipe()?;
        // Dropped at the end, and with it our copies of the child's ends.
        let mut command = Command::new(program);
        command.args(arguments).stdin(child_in).stdout(child_out).stderr(child_err);
        let child = command.process_group(0).kill_on_drop(true).spawn()?;
        let (stop, kill) = (CancellationToken::new(), Arc::new(Notify::new()));
        let (exited, exit) = watch::channel(None);
        tokio::spawn(keep(child, stop.clone(), Arc::clone(&kill), exited));
        Ok((Self { stop, kill, exit }, Pipes { stdin, stdout, stderr }))
    }

    /// How it ended; `None` while it runs.
    pub(crate) fn exit(&self) -> Option<String> {
        self.exit.borrow().clone()
    }

    /// Waits for the end, but no longer than `limit`.
    pub(crate) async fn exit_within(&self, limit: Duration) -> Option<String> {
        let mut exit = self.exit.clone();
        let ended = timeout(limit, exit.wait_for(Option::is_some)).await;
        ended.ok()?.ok().and_then(|exit| exit.clone())
    }

    /// Waits for the end.
    pub(crate) async fn exited(&self) {
        // An error means that the task is gone, and the process with it.
        self.exit.clone().wait_for(Option::is_some).await.map(drop).unwrap_or_default();
    }

    /// Kills a process that does not read its input.
    pub(crate) fn kill(&self) {
        self.kill.notify_one();
    }

    /// Gives the process a little time to exit, then kills it and what it
    /// started. Its input should be closed before.
    pub(crate) async fn close(&self) {
        self.stop.cancel();
        self.exit_within(EXIT_LIMIT + KILL_LIMIT).await;
    }
}

async fn keep(mut child: Child, stop: CancellationToken, kill: Arc<Notify>, exited: watch::Sender<Option<String>>) {
    let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let late = async {
        stop.cancelled().await;
        sleep(EXIT_LIMIT).await;
    };
    let status = tokio::select! {
        status = child.wait() => describe(status),
        () = kill.notified() => "killed, since it did not read its input".to_owned(),
        () = late => "killed, since it did not exit when asked to".to_owned(),
    };
    // Also when it has exited by itself: what it started must not outlive it.
    // While such a process is left, the group's number cannot mean another
    // group. Fails when the group is gone already, which is as good.
    if let Some(group) = group {
        kill_process_group(group, Signal::KILL).unwrap_or_default();
    }
    // Reaps the process; fails when that is done.
    child.kill().await.unwrap_or_default();
    exited.send_replace(Some(status));
}

fn describe(status: io::Result<ExitStatus>) -> String {
    match status {
        Ok(status) => status.to_string(),
        Err(error) => format!("state unknown: {error}"),
    }
}

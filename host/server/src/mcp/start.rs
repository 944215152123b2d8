//! From a command or an address to a running upstream.

use std::ffi::OsString;
use std::io::{self, PipeReader, Read};
use std::path::PathBuf;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rmcp::model::{ErrorCode, ProtocolVersion};
use rmcp::service::{ClientInitializeError, ClientLifecycleMode, serve_client_with_lifecycle_and_ct};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use vak_types::{Name, printable};

use super::changes::ListChanges;
use super::connection::{Connection, Process};
use super::error::{StartError, quote};
use super::keeper::{Keeper, Pipes};
use super::lines;
use super::remote::Remote;
use super::routes::UpstreamClient;
use super::stderr::Stderr;
use super::upstream_wire::{LINE_BYTES_MAX, UpstreamWire};
use super::writer::Writer;

/// Longest program name in an error message, in bytes.
const PROGRAM_BYTES_MAX: usize = 256;

/// How long a process that closed its output may take to be seen as ended.
const SETTLE: Duration = Duration::from_millis(300);

/// Threads that may read what lives have written, and one for the start itself. A
/// process that an upstream has put into a group of its own can outlive it, and
/// hold its output open; an upstream that leaves one behind each time must not
/// fill the host with threads.
const READERS_MAX: usize = 2 * 8 + 1;

/// Where an upstream is.
pub(crate) enum Way {
    /// A program and its arguments.
    Command(OsString, Vec<OsString>),
    /// A server that speaks streamable HTTP, and the files with the token for it and
    /// with the authorities that certify it.
    Url { url: String, token: Option<PathBuf>, ca: Option<PathBuf> },
}

/// How long things may take.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) start: Duration,
    pub(crate) call: Duration,
}

/// The process of an upstream, once there is one.
#[derive(Clone, Default)]
pub(crate) struct Slot(Arc<Mutex<Option<Keeper>>>);

impl Slot {
    pub(crate) fn get(&self) -> Option<Keeper> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, keeper: Keeper) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(keeper);
    }
}

/// An upstream that is to be started, once or more often.
pub(crate) struct Start {
    pub(crate) upstream: Name,
    pub(crate) way: Way,
    pub(crate) limits: Limits,
    pub(crate) changes: ListChanges,
    pub(crate) slot: Slot,
    pub(crate) stop: CancellationToken,
    /// Held by each thread that reads what a life has written.
    pub(crate) readers: Arc<()>,
}

/// What is known of a life before it begins.
struct Beginning {
    life: u64,
    client: UpstreamClient,
}

impl Start {
    /// Begins the life with this number.
    pub(crate) async fn life(&self, life: u64) -> Result<Connection, StartError> {
        let client = UpstreamClient { changes: self.changes.clone(), ..UpstreamClient::default() };
        let beginning = Beginning { life, client };
        match &self.way {
            // Most programs know `initialize` alone, and some of those answer
            // nothing else. One that refuses it is started anew without it.
            Way::Command(program, arguments) => {
                match self.program(&beginning, program, arguments, ClientLifecycleMode::Initialize).await {
                    Err(StartError::NoInitialize { .. }) => {
                        let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
                        let lifecycle = ClientLifecycleMode::Discover { preferred_versions };
                        self.program(&beginning, program, arguments, lifecycle).await
                    }
                    done => done,
                }
            }
            Way::Url { url, token, ca } => {
                let remote = Remote::new(url, token.as_deref(), ca.as_deref());
                let upstream = self.upstream.clone();
                self.url(beginning, remote.map_err(|why| StartError::Address { upstream, why })?).await
            }
        }
    }

    async fn program(
        &self,
        beginning: &Beginning,
        program: &OsString,
        arguments: &[OsString],
        lifecycle: ClientLifecycleMode,
    ) -> Result<Connection, StartError> {
        if self.stop.is_cancelled() {
            return Err(StartError::Stopping);
        }
        if Arc::strong_count(&self.readers) > READERS_MAX {
            return Err(StartError::Lingering { upstream: self.upstream.clone() });
        }
        let (keeper, pipes) = Keeper::start(program, arguments).map_err(|source| {
            let program = printable(&program.to_string_lossy(), PROGRAM_BYTES_MAX);
            StartError::Spawn { upstream: self.upstream.clone(), program, source }
        })?;
        self.slot.put(keeper.clone());
        let started = self.handshake(beginning, &keeper, pipes, lifecycle).await;
        if started.is_err() {
            keeper.kill();
        }
        started
    }

    async fn handshake(
        &self,
        beginning: &Beginning,
        keeper: &Keeper,
        pipes: Pipes,
        lifecycle: ClientLifecycleMode,
    ) -> Result<Connection, StartError> {
        let upstream = self.upstream.clone();
        let unreachable = |source| StartError::Pipes { upstream: upstream.clone(), source };
        let held = |pipe| Held { pipe, _reader: Arc::clone(&self.readers) };
        let stderr = Stderr::follow(held(pipes.stderr), &upstream).map_err(unreachable)?;
        let lines = lines::follow(held(pipes.stdout), LINE_BYTES_MAX, "vak-mcp-upstream").map_err(unreachable)?;
        // Closing needs no waiting for: the process's end tells.
        let (writer, _) = Writer::start(pipes.stdin, "vak-mcp-requests").map_err(unreachable)?;
        let (wire, dropped) = UpstreamWire::new(lines, writer);
        let stop = self.stop.child_token();
        let serving = serve_client_with_lifecycle_and_ct(beginning.client.clone(), wire, lifecycle, stop);
        match timeout(self.limits.start, serving).await {
            Ok(Ok(service)) => {
                let process = Process { keeper: keeper.clone(), stderr, dropped };
                Ok(self.connected(beginning, service, Some(process)))
            }
            Ok(Err(ClientInitializeError::Cancelled)) => Err(StartError::Stopping),
            Ok(Err(error)) if refuses_initialize(&error) => {
                Err(StartError::NoInitialize { upstream, why: quote(&error) })
            }
            Ok(Err(error)) => {
                let status = keeper.exit_within(SETTLE).await;
                let (why, stderr) = (quote(&error), stderr.last_words().await);
                Err(match status {
                    Some(status) => StartError::Exited { upstream, status, stderr },
                    None => StartError::Handshake { upstream, why, stderr },
                })
            }
            Err(_) => Err(self.timed_out(stderr.last_words().await)),
        }
    }

    async fn url(&self, beginning: Beginning, transport: Remote) -> Result<Connection, StartError> {
        let upstream = self.upstream.clone();
        let lifecycle = ClientLifecycleMode::Auto {
            preferred_versions: vec![ProtocolVersion::V_2026_07_28],
            legacy_version: Some(ProtocolVersion::LATEST_WITH_INITIALIZE),
        };
        let (client, stop) = (beginning.client.clone(), self.stop.child_token());
        let serving = serve_client_with_lifecycle_and_ct(client, transport.open(), lifecycle, stop);
        match timeout(self.limits.start, serving).await {
            Ok(Ok(service)) => Ok(self.connected(&beginning, service, None)),
            Ok(Err(ClientInitializeError::Cancelled)) => Err(StartError::Stopping),
            Ok(Err(error)) => Err(StartError::Handshake {
                upstream,
                why: super::remote::explain_start(&error),
                stderr: String::new(),
            }),
            Err(_) => Err(self.timed_out(String::new())),
        }
    }

    fn connected(
        &self,
        beginning: &Beginning,
        service: rmcp::service::RunningService<rmcp::RoleClient, UpstreamClient>,
        process: Option<Process>,
    ) -> Connection {
        let client = beginning.client.clone();
        Connection {
            upstream: self.upstream.clone(),
            life: beginning.life,
            service,
            process,
            client,
            gone: CancellationToken::new(),
            in_flight: AtomicUsize::new(0),
            limit: self.limits.call,
        }
    }

    fn timed_out(&self, stderr: String) -> StartError {
        let millis = u64::try_from(self.limits.start.as_millis()).unwrap_or(u64::MAX);
        StartError::TimedOut { upstream: self.upstream.clone(), millis, stderr }
    }
}

/// A pipe that is read.
struct Held {
    pipe: PipeReader,
    _reader: Arc<()>,
}

impl Read for Held {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.pipe.read(buffer)
    }
}

/// Whether the other side says that it has no `initialize`, as servers do that
/// know the revision 2026-07-28 and none before.
fn refuses_initialize(error: &ClientInitializeError) -> bool {
    let codes = [ErrorCode::UNSUPPORTED_PROTOCOL_VERSION, ErrorCode::METHOD_NOT_FOUND];
    matches!(error, ClientInitializeError::JsonRpcError(error) if codes.contains(&error.code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_earlier_lives_left_behind_is_bounded() {
        let readers = Arc::new(());
        let second = Duration::from_secs(1);
        let start = Start {
            upstream: "up".parse().unwrap(),
            way: Way::Command("/no/such/program".into(), Vec::new()),
            limits: Limits { start: second, call: second },
            changes: ListChanges::default(),
            slot: Slot::default(),
            stop: CancellationToken::new(),
            readers: Arc::clone(&readers),
        };
        // One is the test's own.
        let mut left: Vec<_> = (2..READERS_MAX).map(|_| Arc::clone(&readers)).collect();
        assert!(matches!(start.life(1).await, Err(StartError::Spawn { .. })));
        left.push(readers);
        left.push(Arc::clone(&left[0]));
        assert!(matches!(start.life(2).await, Err(StartError::Lingering { .. })));
        left.truncate(2);
        assert!(matches!(start.life(3).await, Err(StartError::Spawn { .. })));
    }
}

//! One session, from its first to its last line.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use rmcp::service::{ServerInitializeError, serve_server_with_ct};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use vak::Host;

use super::client_wire::{ClientWire, LINE_BYTES_MAX};
use super::error::{McpError, quote};
use super::gateway::Gateway;
use super::lines;
use super::refusals::Refusals;
use super::session::Session;
use super::upstreams::Upstreams;
use super::writer::Writer;

/// How long calls under way may go on when the client has closed our input.
/// The MCP libraries wait two seconds before they kill a server.
const DRAIN: Duration = Duration::from_secs(1);

/// How long the last answers may take to be written.
const FLUSH: Duration = Duration::from_secs(1);

/// How long the calls that were given up may take to be recorded: a skill that
/// is running cannot be stopped before its five seconds are over.
const RECORD: Duration = Duration::from_secs(10);

/// Serves MCP on standard input and output to one client, with `command` (a
/// program and its arguments; may be empty) and what else the host's
/// configuration has under `[mcp]` as upstreams. Returns when the client has gone or the process gets
/// SIGTERM or SIGINT; the upstreams have ended then.
///
/// An upstream that does not start or dies ends no session: its calls are
/// errors that say so, and skills go on working.
///
/// Needs a tokio runtime with time and I/O. Nothing else may use standard
/// input or output.
///
/// # Errors
/// The configuration has no `[mcp]` or no upstream for it, the system gives no
/// threads, or the client does not speak MCP.
pub async fn serve_stdio(host: Arc<Host>, command: Vec<OsString>) -> Result<(), McpError> {
    serve(host, &command, std::io::stdin(), std::io::stdout()).await
}

pub(crate) async fn serve(
    host: Arc<Host>,
    command: &[OsString],
    input: impl Read + Send + 'static,
    output: impl Write + AsFd + Send + 'static,
) -> Result<(), McpError> {
    let mcp = host.config().mcp.clone().ok_or(McpError::NotConfigured)?;
    let session = Arc::new(Session::new(mcp.agent.clone())?);
    let caller = session.caller();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let lines = lines::follow(input, LINE_BYTES_MAX, "vak-mcp-input")?;
    let (writer, written) = Writer::start(output, "vak-mcp-output")?;

    let upstreams = Arc::new(Upstreams::start(&mcp, &host.config().state, command)?);

    let (gone, hang_up, stop) = (CancellationToken::new(), CancellationToken::new(), CancellationToken::new());
    let refusals = Arc::new(Refusals::default());
    let wire = ClientWire::new(lines, writer, Arc::clone(&refusals), gone.clone().drop_guard());
    let calls = TaskTracker::new();
    let gateway = Gateway::new(
        Arc::clone(&host),
        Arc::clone(&upstreams),
        session,
        Arc::clone(&refusals),
        hang_up.clone(),
        calls.clone(),
    );
    let session = async {
        match serve_server_with_ct(gateway, wire, stop.clone()).await {
            // An error is a panic in the library's loop: the session is over
            // either way.
            Ok(service) => service.waiting().await.map(drop).unwrap_or_default(),
            Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::Cancelled) => {}
            Err(error) => return Err(McpError::Client(quote(&error))),
        }
        Ok(())
    };
    let leaving = async {
        tokio::select! {
            () = refusals.record_now_and_then(&host, &caller) => {}
            () = async { gone.cancelled().await; sleep(DRAIN).await } => {}
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    tokio::pin!(session);
    let result = tokio::select! {
        result = &mut session => result,
        () = leaving => {
            hang_up.cancel();
            stop.cancel();
            // Too late is late enough: the outcomes are what must not be lost.
            timeout(FLUSH, &mut session).await.unwrap_or(Ok(()))
        }
    };
    hang_up.cancel();
    calls.close();
    if timeout(RECORD, calls.wait()).await.is_err() {
        tracing::error!("calls were still under way at the end; the log has no outcome for them");
    }
    if timeout(RECORD, refusals.record(&host, &caller)).await.is_err() {
        tracing::error!("refused calls were not recorded in time");
    }
    upstreams.close().await;
    // An error is what is waited for: the other side of the channel is gone.
    timeout(FLUSH, written).await.map(drop).unwrap_or_default();
    result
}

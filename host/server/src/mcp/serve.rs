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
use vak::Host;

use super::client_wire::{ClientWire, LINE_BYTES_MAX};
use super::error::{McpError, quote};
use super::gateway::Gateway;
use super::lines;
use super::session::Session;
use super::shared::{Shared, configured};
use super::upstreams::Upstreams;
use super::writer::Writer;

/// How long calls under way may go on when the client has closed our input.
/// The MCP libraries wait two seconds before they kill a server.
const DRAIN: Duration = Duration::from_secs(1);

/// How long the last answers may take to be written.
const FLUSH: Duration = Duration::from_secs(1);

/// Serves MCP on standard input and output to one client, with `command` (a
/// program and its arguments; may be empty) and what else the host's
/// configuration has under `[mcp]` as upstreams. Returns when the client has gone or the process gets
/// SIGTERM or SIGINT; the upstreams have ended then.
///
/// An upstream that does not start or dies ends no session: its calls are
/// errors that say so, a later one starts it again, and skills go on working.
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
    let (agent, person) = configured(&host)?;
    let caller = Arc::new(Session::new(agent, person)?);
    let whom = caller.words();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let lines = lines::follow(input, LINE_BYTES_MAX, "vak-mcp-input")?;
    let (writer, written) = Writer::start(output, "vak-mcp-output")?;
    let upstreams = Arc::new(Upstreams::start(&host, command)?);
    let shared = Arc::new(Shared::new(host, Arc::clone(&upstreams)));

    let (gone, stop) = (CancellationToken::new(), CancellationToken::new());
    let wire = ClientWire::new(lines, writer, Arc::clone(&shared.refusals), gone.clone().drop_guard());
    let gateway = Gateway::new(Arc::clone(&shared), caller);
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
            () = shared.refusals.record_now_and_then(&shared.host, &whom) => {}
            () = async { gone.cancelled().await; sleep(DRAIN).await } => {}
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    tokio::pin!(session);
    let result = tokio::select! {
        result = &mut session => result,
        () = leaving => {
            shared.hang_up.cancel();
            stop.cancel();
            // Too late is late enough: the outcomes are what must not be lost.
            timeout(FLUSH, &mut session).await.unwrap_or(Ok(()))
        }
    };
    shared.close(&whom).await;
    upstreams.close().await;
    // An error is what is waited for: the other side of the channel is gone.
    timeout(FLUSH, written).await.map(drop).unwrap_or_default();
    result
}

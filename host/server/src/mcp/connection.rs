//! Requests to a running upstream.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rmcp::RoleClient;
use rmcp::model::{ClientRequest, ServerResult};
use rmcp::service::{PeerRequestOptions, RequestHandle, RunningService, ServiceError};
use tokio::sync::watch;
use tokio::time::{sleep, sleep_until, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use vak_types::Name;

use super::error::RequestError;
use super::keeper::Keeper;
use super::remote;
use super::routes::{ProgressTarget, UpstreamClient};
use super::stderr::Stderr;
use super::upstream_wire::{LINE_BYTES_MAX, UNREADABLE};

/// How long a process that closed its output may take to be seen as ended,
/// and how long an answer may follow the end of the process.
const SETTLE: Duration = Duration::from_millis(300);

/// How long the notice that a request is cancelled may wait for the upstream
/// to read its input.
const CANCEL_LIMIT: Duration = Duration::from_secs(1);

/// When a request is given up before its time.
#[derive(Clone)]
pub(crate) struct Abandon {
    /// The client has cancelled it.
    pub(crate) cancelled: CancellationToken,
    /// The client has gone, or the gateway is to stop.
    pub(crate) hang_up: CancellationToken,
}

impl Abandon {
    fn now(&self) -> Option<&'static str> {
        match (self.hang_up.is_cancelled(), self.cancelled.is_cancelled()) {
            (true, _) => Some("the client has gone"),
            (_, true) => Some("the client has cancelled the call"),
            _ => None,
        }
    }

    pub(super) async fn reason(&self) -> &'static str {
        tokio::select! {
            () = self.hang_up.cancelled() => {}
            () = self.cancelled.cancelled() => {}
        }
        self.now().unwrap_or("the call was given up")
    }
}

/// The process of an upstream that runs as one.
pub(crate) struct Process {
    pub(crate) keeper: Keeper,
    pub(crate) stderr: Stderr,
    /// How many of its lines were too long.
    pub(crate) dropped: watch::Receiver<u64>,
}

/// A running upstream: one of its lives.
pub(crate) struct Connection {
    pub(crate) upstream: Name,
    /// Which of its lives.
    pub(crate) life: u64,
    pub(crate) service: RunningService<RoleClient, UpstreamClient>,
    /// None for one that is reached over HTTP.
    pub(crate) process: Option<Process>,
    /// What we are to it, and what it said of its lists.
    pub(crate) client: UpstreamClient,
    /// Cancelled when it can't be reached any more.
    pub(crate) gone: CancellationToken,
    pub(crate) in_flight: AtomicUsize,
    pub(crate) limit: Duration,
}

impl Connection {
    /// Whether it can still answer something.
    pub(crate) fn is_alive(&self) -> bool {
        let ended = self.process.as_ref().is_some_and(|process| process.keeper.exit().is_some());
        !ended && !self.gone.is_cancelled() && !self.service.is_closed() && !self.service.peer().is_transport_closed()
    }

    /// Ends it: what is under way is lost.
    pub(super) async fn end(&self) {
        self.gone.cancel();
        self.service.cancellation_token().cancel();
        if let Some(process) = &self.process {
            process.keeper.kill();
            process.keeper.exit_within(SETTLE).await;
        }
    }

    /// How it ended.
    pub(super) async fn last_words(&self) -> RequestError {
        let (upstream, (status, stderr)) = (self.upstream.clone(), self.left().await);
        RequestError::Ended { upstream, status, stderr }
    }

    /// Sends one request and waits for its answer. Private to this module's
    /// siblings, of which `forward` sends calls, for an allow, and `upstream`
    /// lists tools.
    pub(super) async fn request(
        &self,
        request: ClientRequest,
        progress: Option<ProgressTarget>,
        abandon: &Abandon,
    ) -> Result<ServerResult, RequestError> {
        let deadline = tokio::time::Instant::now() + self.limit;
        if !self.is_alive() {
            return Err(self.last_words().await);
        }
        if let Some(reason) = abandon.now() {
            return Err(RequestError::NotSent(reason));
        }
        let _counted = Counted::new(&self.in_flight);
        let sending = self.service.peer().send_request_with_option(request, PeerRequestOptions::no_options());
        let mut handle = match timeout_at(deadline, sending).await {
            Ok(Ok(handle)) => handle,
            Ok(Err(error)) => return Err(self.explain(error).await),
            Err(_) => return Err(self.timed_out()),
        };
        let _route = progress.map(|target| self.client.routes.follow(handle.progress_token.clone(), target));
        // The library's own wait would not do: on a time-out it first writes
        // its cancel notice, and an upstream that does not read delays that
        // for ever.
        let given_up = tokio::select! {
            biased;
            answer = &mut handle.rx => return match answer {
                Ok(Ok(result)) => Ok(result),
                Ok(Err(error)) => Err(self.explain(error).await),
                Err(_) => Err(self.lost().await),
            },
            // Its output may stay open when it has ended, held by a process
            // that it started.
            () = self.ended() => return Err(self.lost().await),
            reason = abandon.reason() => RequestError::Abandoned(reason),
            () = self.line_dropped() => {
                RequestError::LineTooLong { upstream: self.upstream.clone(), bytes_max: LINE_BYTES_MAX }
            }
            () = sleep_until(deadline) => self.timed_out(),
        };
        self.cancel(handle, &given_up);
        Err(given_up)
    }

    fn timed_out(&self) -> RequestError {
        let millis = u64::try_from(self.limit.as_millis()).unwrap_or(u64::MAX);
        RequestError::TimedOut { upstream: self.upstream.clone(), millis }
    }

    async fn explain(&self, error: ServiceError) -> RequestError {
        match error {
            ServiceError::McpError(error) if error.message == UNREADABLE => {
                RequestError::Unexpected { upstream: self.upstream.clone(), wanted: "an answer that MCP allows" }
            }
            ServiceError::TransportSend(error) if self.process.is_none() => {
                if remote::is_gone(&error) {
                    self.gone.cancel();
                }
                RequestError::Unreachable { upstream: self.upstream.clone(), why: remote::explain(&error) }
            }
            ServiceError::McpError(error) => {
                RequestError::Answered { upstream: self.upstream.clone(), error: Box::new(error) }
            }
            _ => self.lost().await,
        }
    }

    /// Why nothing more comes from the upstream.
    async fn lost(&self) -> RequestError {
        let (upstream, (status, stderr)) = (self.upstream.clone(), self.left().await);
        RequestError::Lost { upstream, status, stderr }
    }

    /// How it ended, and its last words.
    async fn left(&self) -> (String, String) {
        match &self.process {
            Some(process) => {
                let status = process.keeper.exit_within(SETTLE).await;
                let status = status.unwrap_or_else(|| "it closed its output".to_owned());
                (status, process.stderr.last_words().await)
            }
            None => ("its connection is closed".to_owned(), String::new()),
        }
    }

    async fn ended(&self) {
        match &self.process {
            Some(process) => process.keeper.exited().await,
            None => std::future::pending().await,
        }
        sleep(SETTLE).await;
    }

    /// Resolves when a line was dropped and this is the only request that it
    /// can have answered.
    async fn line_dropped(&self) {
        let Some(process) = &self.process else { return std::future::pending().await };
        let mut dropped = process.dropped.clone();
        let before = *dropped.borrow();
        let seen = dropped.wait_for(|count| *count > before).await.is_ok();
        if !seen || self.in_flight.load(Ordering::Relaxed) != 1 {
            std::future::pending::<()>().await;
        }
    }

    /// Tells the upstream in the background; kills it when it does not even
    /// read that.
    fn cancel(&self, handle: RequestHandle<RoleClient>, why: &RequestError) {
        let (keeper, why) = (self.process.as_ref().map(|process| process.keeper.clone()), why.to_string());
        tokio::spawn(async move {
            if timeout(CANCEL_LIMIT, handle.cancel(Some(why))).await.is_err()
                && let Some(keeper) = keeper
            {
                keeper.kill();
            }
        });
    }
}

struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

//! What the upstream says without being asked, and who hears it.
//!
//! Only two things pass: that a list has changed, and how far a call is. Both are reduced to their newest state, so an upstream that
//! repeats itself costs nothing. The text of a progress message does not pass:
//! it would be a result that leaves before the outcome is in the log.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rmcp::model::{
    ClientCapabilities, ClientConfig, Implementation, ProgressNotificationParam, ProgressToken, ProtocolVersion,
};
use rmcp::service::{NotificationContext, Peer};
use rmcp::{ClientHandler, RoleClient, RoleServer};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use vak::Described;

use super::changes::{ListChanges, ListOf};

/// The least time between two notices of progress of one call. People do not
/// see more.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// Whom to tell how far a call is.
#[derive(Clone)]
pub(crate) struct ProgressTarget {
    pub(crate) client: Peer<RoleServer>,
    pub(crate) token: ProgressToken,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Progress {
    done: f64,
    total: Option<f64>,
}

type Calls = HashMap<ProgressToken, watch::Sender<Option<Progress>>>;

/// The calls of one upstream whose progress somebody wants.
#[derive(Clone, Default)]
pub(crate) struct Routes {
    calls: Arc<Mutex<Calls>>,
}

impl Routes {
    /// Passes on the progress of the call with the upstream's `token` until
    /// the guard is dropped.
    pub(crate) fn follow(&self, token: ProgressToken, target: ProgressTarget) -> Route {
        let (sender, receiver) = watch::channel(None);
        self.calls().insert(token.clone(), sender);
        Route { routes: self.clone(), token, task: tokio::spawn(pass_on(receiver, target)) }
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn pass_on(mut progress: watch::Receiver<Option<Progress>>, target: ProgressTarget) {
    while progress.changed().await.is_ok() {
        let Some(Progress { done, total }) = *progress.borrow_and_update() else { continue };
        let mut notice = ProgressNotificationParam::new(target.token.clone(), done);
        notice.total = total;
        if target.client.notify_progress(notice).await.is_err() {
            return;
        }
        sleep(PROGRESS_EVERY).await;
    }
}

/// Ends the passing on when it is dropped.
pub(crate) struct Route {
    routes: Routes,
    token: ProgressToken,
    task: JoinHandle<()>,
}

impl Drop for Route {
    fn drop(&mut self) {
        self.routes.calls().remove(&self.token);
        self.task.abort();
    }
}

/// What we are to the upstream: a client that offers no sampling, no roots and
/// no elicitation.
#[derive(Clone, Default)]
pub(crate) struct UpstreamClient {
    pub(crate) routes: Routes,
    /// The lists of all upstreams.
    pub(crate) changes: ListChanges,
    /// How often the lists of this one have changed in this life.
    pub(crate) changed: Arc<Changed>,
}

/// How often the lists of an upstream have changed.
#[derive(Debug, Default)]
pub(crate) struct Changed {
    tools: AtomicU64,
    prompts: AtomicU64,
}

impl Changed {
    pub(crate) fn of(&self, what: Described) -> u64 {
        self.counts(what).load(Ordering::Acquire)
    }

    fn note(&self, what: Described) {
        self.counts(what).fetch_add(1, Ordering::Release);
    }

    fn counts(&self, what: Described) -> &AtomicU64 {
        match what {
            Described::Tool => &self.tools,
            Described::Prompt => &self.prompts,
        }
    }
}

impl UpstreamClient {
    /// Notes what a server says of one of its lists.
    pub(crate) fn has_changed(&self, list: ListOf) {
        match list {
            ListOf::Tools => self.changed.note(Described::Tool),
            ListOf::Prompts => self.changed.note(Described::Prompt),
            ListOf::Resources => {}
        }
        self.changes.note(list);
    }
}

impl ClientHandler for UpstreamClient {
    fn get_info(&self) -> ClientConfig {
        // The library's default version has no `initialize`, which servers
        // everywhere still expect.
        ClientConfig::new(ClientCapabilities::default(), Implementation::new("vak", env!("CARGO_PKG_VERSION")))
            .with_protocol_version(ProtocolVersion::LATEST_WITH_INITIALIZE)
    }

    async fn on_progress(&self, params: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        let now = Progress { done: params.progress, total: params.total };
        if let Some(sender) = self.routes.calls().get(&params.progress_token) {
            // Progress only grows; the notices may come out of order.
            sender.send_if_modified(|last| {
                let grows = last.is_none_or(|last| last.done < now.done);
                if grows {
                    *last = Some(now);
                }
                grows
            });
        }
    }

    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.has_changed(ListOf::Tools);
    }

    async fn on_prompt_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.has_changed(ListOf::Prompts);
    }

    async fn on_resource_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.has_changed(ListOf::Resources);
    }
}

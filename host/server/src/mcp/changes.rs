//! That lists have changed, from upstreams to clients.
//!
//! Until the revision 2025-11-25 that is said to whoever is there; from 2026-07-28 on
//! to who listens (`subscriptions/listen`), and the gateway listens likewise to its
//! upstreams. What passes is which list has changed, reduced to its newest state: an
//! upstream that repeats itself costs nothing. That one resource has changed is not
//! passed on: what would come of it could be decided only once.

use std::sync::Arc;
use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::{ProtocolVersion, ServerNotification, SubscriptionFilter};
use rmcp::service::{Peer, ServiceError, SubscriptionSendError, SubscriptionSink};
use tokio::sync::watch;
use tokio::time::sleep;

use super::connection::Connection;
use super::routes::UpstreamClient;

/// The least time between two notices of a changed list. The client answers
/// each with a new listing.
const LIST_CHANGED_EVERY: Duration = Duration::from_secs(1);

/// How long after the end of a stream from an upstream another one is asked for.
const LISTEN_AGAIN: Duration = Duration::from_secs(5);

/// A list of an upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListOf {
    Tools,
    Prompts,
    Resources,
}

const ALL: [ListOf; 3] = [ListOf::Tools, ListOf::Prompts, ListOf::Resources];

/// How often each list has changed, of all upstreams together.
#[derive(Clone, Default)]
pub(crate) struct ListChanges(watch::Sender<[u64; ALL.len()]>);

/// Who is told.
pub(crate) trait Told: Send + Sync + 'static {
    type Error: std::error::Error + Send;

    fn tell(&self, list: ListOf) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

impl Told for Peer<RoleServer> {
    type Error = ServiceError;

    async fn tell(&self, list: ListOf) -> Result<(), ServiceError> {
        match list {
            ListOf::Tools => self.notify_tool_list_changed().await,
            ListOf::Prompts => self.notify_prompt_list_changed().await,
            ListOf::Resources => self.notify_resource_list_changed().await,
        }
    }
}

impl Told for SubscriptionSink {
    type Error = SubscriptionSendError;

    async fn tell(&self, list: ListOf) -> Result<(), SubscriptionSendError> {
        match list {
            ListOf::Tools => self.notify_tool_list_changed().await,
            ListOf::Prompts => self.notify_prompt_list_changed().await,
            ListOf::Resources => self.notify_resource_list_changed().await,
        }
    }
}

impl ListChanges {
    /// Notes a change.
    pub(crate) fn note(&self, list: ListOf) {
        self.0.send_modify(|counts| {
            if let Some(count) = counts.get_mut(list as usize) {
                *count = count.wrapping_add(1);
            }
        });
    }

    /// Notes that all lists may have changed.
    pub(crate) fn note_all(&self) {
        ALL.into_iter().for_each(|list| self.note(list));
    }

    /// Tells a client of changes from now on, of those lists that it `wants` when they
    /// change, for as long as it can be told.
    pub(crate) fn tell(
        &self,
        client: impl Told,
        wants: impl Fn(ListOf) -> bool + Send + 'static,
    ) -> impl Future<Output = ()> + Send + 'static {
        let mut changes = self.0.subscribe();
        let mut told = *changes.borrow();
        async move {
            while changes.changed().await.is_ok() {
                let now = *changes.borrow_and_update();
                for (list, _) in ALL.into_iter().zip(now.iter().zip(told)).filter(|(_, (now, told))| **now != *told) {
                    if wants(list)
                        && let Err(error) = client.tell(list).await
                    {
                        tracing::debug!(%error, "a client does not hear that a list has changed");
                        return;
                    }
                }
                told = now;
                sleep(LIST_CHANGED_EVERY).await;
            }
        }
    }
}

/// Listens to an upstream of the newer revision, which says what has changed to nobody
/// else, for as long as it lives.
pub(crate) fn listen(connection: &Arc<Connection>, client: UpstreamClient) {
    let newest = connection
        .service
        .peer()
        .peer_info()
        .is_some_and(|info| info.protocol_version >= ProtocolVersion::V_2026_07_28);
    if newest {
        tokio::spawn(listening(Arc::downgrade(connection), client));
    }
}

async fn listening(connection: std::sync::Weak<Connection>, client: UpstreamClient) {
    let wanted = SubscriptionFilter::builder().tools_list_changed().prompts_list_changed().resources_list_changed();
    let wanted = wanted.build();
    loop {
        let Some(peer) = connection.upgrade().filter(|it| it.is_alive()).map(|it| it.service.peer().clone()) else {
            return;
        };
        match peer.listen(wanted.clone()).await {
            Ok(mut stream) => {
                while let Ok(Some(notice)) = stream.next().await {
                    match notice {
                        ServerNotification::ToolListChangedNotification(_) => client.has_changed(ListOf::Tools),
                        ServerNotification::PromptListChangedNotification(_) => client.has_changed(ListOf::Prompts),
                        ServerNotification::ResourceListChangedNotification(_) => client.has_changed(ListOf::Resources),
                        _ => {}
                    }
                }
            }
            // It does not offer that.
            Err(ServiceError::McpError(_)) => return,
            Err(error) => tracing::debug!(%error, "an upstream is not listened to"),
        }
        drop(peer);
        sleep(LISTEN_AGAIN).await;
        // Nobody knows what changed meanwhile.
        if connection.upgrade().is_some_and(|it| it.is_alive()) {
            ALL.into_iter().for_each(|list| client.has_changed(list));
        }
    }
}

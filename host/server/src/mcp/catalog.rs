//! What is known of an upstream's tools, and which of them may be called.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rmcp::model::Tool;
use vak_types::{Digest, Name, printable};

use super::connection::Connection;
use super::error::RequestError;
use super::pins::{PinError, Pins, Seen, definition};
use super::tools;

/// Longest quote of a tool's name in the gateway's own log, in bytes.
const NAME_BYTES_MAX: usize = 128;

/// The tools of one upstream as they were listed last.
pub(crate) struct Catalog {
    upstream: Name,
    pins: Pins,
    listed: Mutex<Listed>,
}

/// Of when a list is: of which life of its upstream, and after how many changes that
/// this told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AsOf {
    life: u64,
    changes: u64,
}

impl AsOf {
    pub(crate) fn now(connection: &Connection) -> Self {
        Self { life: connection.life, changes: connection.changed.load(Ordering::Acquire) }
    }
}

#[derive(Default)]
struct Listed {
    as_of: Option<AsOf>,
    /// Why there is no list since then.
    failed: Option<String>,
    /// Whether each tool's definition is the accepted one.
    tools: HashMap<String, Seen>,
}

impl Catalog {
    pub(crate) fn new(upstream: Name, pins: Pins) -> Self {
        Self { upstream, pins, listed: Mutex::default() }
    }

    /// Whether there is a list of what is there now, or a reason why not.
    pub(crate) fn is_fresh(&self, connection: &Connection) -> bool {
        self.lock().as_of == Some(AsOf::now(connection))
    }

    /// Takes a list that was asked for at that time, and leaves out what cannot be
    /// called, or is not described as it was accepted.
    pub(crate) async fn take(&self, as_of: AsOf, listed: Vec<Tool>) -> Result<Vec<Tool>, RequestError> {
        let mut defined = Vec::with_capacity(listed.len());
        for mut tool in tools::callable(&self.upstream, listed) {
            // Not part of what is compared: it may hold anything, and change.
            tool.meta = None;
            match definition(&tool) {
                Ok(digest) => defined.push((tool, digest)),
                Err(error) => self.leave_out(&tool, &error.to_string()),
            }
        }
        let pins = self.pins.clone();
        let (defined, seen) = blocking(move || {
            let words =
                defined.iter().map(|(tool, digest)| (&*tool.name, *digest, tool.description.as_deref().unwrap_or("")));
            let seen = pins.look(&words.collect::<Vec<_>>())?;
            Ok((defined, seen))
        })
        .await?;
        let (mut shown, mut tools) = (Vec::with_capacity(defined.len()), HashMap::with_capacity(defined.len()));
        for ((tool, _), seen) in defined.into_iter().zip(seen) {
            tools.insert(tool.name.to_string(), seen.clone());
            match seen {
                Seen::Same(_) => shown.push(tool),
                Seen::Changed(_) => self.leave_out(&tool, &super::error::changed(&self.upstream, &tool.name)),
                Seen::TooMany => self.leave_out(&tool, "too many tools of this upstream are known already"),
            }
        }
        self.put(Listed { as_of: Some(as_of), failed: None, tools });
        Ok(shown)
    }

    /// Notes that there is no list at that time.
    pub(crate) fn fail(&self, as_of: AsOf, why: &RequestError) {
        self.put(Listed { as_of: Some(as_of), failed: Some(why.to_string()), tools: HashMap::new() });
    }

    /// What comes late does not take the place of what is newer.
    fn put(&self, listed: Listed) {
        let mut now = self.lock();
        if now.as_of <= listed.as_of {
            *now = listed;
        }
    }

    /// The digest of a tool's definition, as far as it is known.
    ///
    /// # Errors
    /// It is known not to be the accepted one.
    pub(crate) async fn known(&self, tool: &str) -> Result<Option<Digest>, RequestError> {
        let seen = self.lock().tools.get(tool).cloned();
        match seen {
            Some(Seen::Same(digest)) => Ok(Some(digest)),
            None => Ok(None),
            Some(Seen::Changed(digest)) if self.accepted(tool).await? == Some(digest) => {
                self.lock().tools.insert(tool.to_owned(), Seen::Same(digest));
                Ok(Some(digest))
            }
            Some(Seen::Changed(_) | Seen::TooMany) => {
                Err(RequestError::Changed { upstream: self.upstream.clone(), tool: tool.to_owned() })
            }
        }
    }

    /// The same of an upstream that was asked for its list. One that gives none is
    /// asked for nothing whose description was accepted once: it cannot be compared.
    pub(crate) async fn compared(&self, tool: &str) -> Result<Option<Digest>, RequestError> {
        let known = self.known(tool).await?;
        let failed = self.lock().failed.clone();
        match failed {
            Some(why) if self.accepted(tool).await?.is_some() => {
                Err(RequestError::NotCompared { tool: printable(tool, NAME_BYTES_MAX), why })
            }
            _ => Ok(known),
        }
    }

    async fn accepted(&self, tool: &str) -> Result<Option<Digest>, RequestError> {
        let (pins, tool) = (self.pins.clone(), tool.to_owned());
        blocking(move || Ok(pins.read()?.get(&tool).map(|pin| pin.accepted))).await
    }

    fn leave_out(&self, tool: &Tool, why: &str) {
        let (upstream, name) = (&self.upstream, printable(&tool.name, NAME_BYTES_MAX));
        tracing::warn!(%upstream, %name, "a tool of the upstream is left out: {why}");
    }

    fn lock(&self) -> MutexGuard<'_, Listed> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads or writes files without holding up anybody else.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PinError> + Send + 'static,
) -> Result<T, RequestError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(RequestError::NotSent("the gateway failed while it compared descriptions")),
    }
}

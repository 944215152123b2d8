//! What is known of an upstream's tools, or of its prompts, and which of them may be
//! asked for.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::try_join_all;
use vak::{Acceptance, Host};
use vak_types::{Digest, Name, printable};

use super::connection::{Abandon, Connection};
use super::described::Describes;
use super::error::RequestError;
use super::pins::{PinError, Pins, Seen, definition};

/// Longest quote of a name in the gateway's own log, in bytes.
const NAME_BYTES_MAX: usize = 128;

/// Those of one upstream as they were listed last.
pub(crate) struct Catalog<T> {
    host: Arc<Host>,
    upstream: Name,
    pins: Pins,
    listed: Mutex<Listed>,
    /// Held while the list is asked for on behalf of a call.
    comparing: tokio::sync::Mutex<()>,
    of: PhantomData<fn() -> T>,
}

/// Of when a list is: of which life of its upstream, and after how many changes that
/// this told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct AsOf {
    life: u64,
    changes: u64,
}

#[derive(Default)]
struct Listed {
    as_of: Option<AsOf>,
    /// Why there is no list since then.
    failed: Option<String>,
    /// Whether each definition is the accepted one.
    seen: HashMap<String, Seen>,
}

impl<T: Describes> Catalog<T> {
    pub(crate) fn new(host: &Arc<Host>, upstream: &Name) -> Self {
        Self {
            host: Arc::clone(host),
            upstream: upstream.clone(),
            pins: Pins::at(&host.config().state, upstream, T::WHAT),
            listed: Mutex::default(),
            comparing: tokio::sync::Mutex::new(()),
            of: PhantomData,
        }
    }

    /// Those that can be asked for, as they are described by now.
    pub(crate) async fn list(&self, connection: &Connection, abandon: &Abandon) -> Result<Vec<T>, RequestError> {
        let as_of = as_of::<T>(connection);
        match T::LIST.all(connection, abandon).await {
            Ok(listed) => self.take(as_of, listed).await,
            Err(error) => {
                // That somebody did not wait says nothing of the upstream.
                if !error.is_ours() {
                    let failed = Some(error.to_string());
                    self.put(Listed { as_of: Some(as_of), failed, seen: HashMap::new() });
                }
                Err(error)
            }
        }
    }

    /// Takes a list that was asked for at that time, and leaves out what cannot be
    /// asked for, or is not described as it was accepted.
    async fn take(&self, as_of: AsOf, listed: Vec<T>) -> Result<Vec<T>, RequestError> {
        let mut defined = Vec::with_capacity(listed.len());
        for item in T::usable(&self.upstream, listed) {
            let item = item.without_meta();
            match definition(&item) {
                Ok(digest) => defined.push((item, digest)),
                Err(error) => self.leave_out(&item, &error.to_string()),
            }
        }
        let pins = self.pins.clone();
        let (defined, looked) = blocking(move || {
            let words = defined.iter().map(|(item, digest)| (item.name(), *digest, item.words()));
            let looked = pins.look(&words.collect::<Vec<_>>())?;
            Ok((defined, looked))
        })
        .await?;
        let names = defined.iter().map(|(item, _)| item.name().to_owned());
        let seen = self.recorded(names.zip(looked).collect()).await?;
        let mut shown = Vec::with_capacity(defined.len());
        for (item, _) in defined {
            match seen.get(item.name()) {
                Some(Seen::Same(_)) => shown.push(item),
                Some(Seen::Changed(_)) => {
                    self.leave_out(&item, &super::error::changed(T::WHAT, &self.upstream, item.name()));
                }
                Some(Seen::Accepted { .. }) => self.leave_out(&item, "its acceptance is not recorded"),
                Some(Seen::TooMany) | None => self.leave_out(&item, "too many of this upstream are known already"),
            }
        }
        self.put(Listed { as_of: Some(as_of), failed: None, seen });
        Ok(shown)
    }

    /// What comes late does not take the place of what is newer.
    fn put(&self, listed: Listed) {
        let mut now = self.lock();
        if now.as_of <= listed.as_of {
            *now = listed;
        }
    }

    /// The same once the log has what is accepted, and only then: a description that
    /// counts is one that the log knows.
    async fn recorded(&self, seen: Vec<(String, Seen)>) -> Result<HashMap<String, Seen>, RequestError> {
        let new = seen.iter().filter_map(|(name, seen)| match seen {
            Seen::Accepted { before, digest } => Some((name.clone(), *before, *digest)),
            Seen::Same(_) | Seen::Changed(_) | Seen::TooMany => None,
        });
        let new: Vec<_> = new.collect();
        if new.is_empty() {
            return Ok(seen.into_iter().collect());
        }
        // At once: they are committed together.
        let record = new.iter().map(|(name, before, accepted)| {
            let (upstream, name) = (self.upstream.clone(), name.clone());
            let (before, accepted) = (*before, *accepted);
            self.host.record_acceptance(Acceptance { upstream, what: T::WHAT, name, before, accepted })
        });
        try_join_all(record).await?;
        let (pins, noted) =
            (self.pins.clone(), new.into_iter().map(|(name, _, digest)| (name, digest)).collect::<Vec<_>>());
        blocking(move || pins.recorded(&noted)).await?;
        let same = |seen| match seen {
            Seen::Accepted { digest, .. } => Seen::Same(digest),
            seen => seen,
        };
        Ok(seen.into_iter().map(|(name, seen)| (name, same(seen))).collect())
    }

    /// The digest of a definition, as far as it is known; asks the upstream nothing.
    ///
    /// # Errors
    /// It is known not to be the accepted one.
    pub(crate) async fn known(&self, name: &str) -> Result<Option<Digest>, RequestError> {
        let seen = self.lock().seen.get(name).cloned();
        let now = match seen {
            None => return Ok(None),
            Some(Seen::Same(digest)) => return Ok(Some(digest)),
            // Somebody may have accepted it since.
            Some(Seen::Changed(now)) => now,
            Some(Seen::Accepted { .. } | Seen::TooMany) => return Err(self.changed(name)),
        };
        let accepted = self
            .pinned(name)
            .await?
            .filter(|seen| matches!(seen, Seen::Same(digest) | Seen::Accepted { digest, .. } if *digest == now));
        let Some(accepted) = accepted else { return Err(self.changed(name)) };
        for (name, seen) in self.recorded(vec![(name.to_owned(), accepted)]).await? {
            self.lock().seen.insert(name, seen);
        }
        Ok(Some(now))
    }

    /// Compares the definition of what is to be asked for with the accepted one, for
    /// which the upstream is asked for its list if that is not known of the life that
    /// is asked. Gives its digest, if there is such a one.
    ///
    /// # Errors
    /// It is another, or cannot be compared: an upstream that gives no list is asked
    /// for nothing whose description was accepted once.
    pub(crate) async fn compare(
        &self,
        name: &str,
        connection: &Connection,
        abandon: &Abandon,
    ) -> Result<Option<Digest>, RequestError> {
        if !self.is_fresh(connection) {
            let _alone = self.comparing.lock().await;
            if !self.is_fresh(connection) {
                match self.list(connection, abandon).await {
                    Err(error) if error.is_ours() => return Err(error),
                    // What is known of it now is looked at below.
                    Ok(_) | Err(_) => {}
                }
            }
        }
        let known = self.known(name).await?;
        let failed = self.lock().failed.clone();
        match failed {
            Some(why) if self.pinned(name).await?.is_some() => {
                Err(RequestError::NotCompared { what: T::WHAT, name: printable(name, NAME_BYTES_MAX), why })
            }
            _ => Ok(known),
        }
    }

    /// Whether there is a list of what is there now, or a reason why not.
    fn is_fresh(&self, connection: &Connection) -> bool {
        self.lock().as_of == Some(as_of::<T>(connection))
    }

    async fn pinned(&self, name: &str) -> Result<Option<Seen>, RequestError> {
        let (pins, name) = (self.pins.clone(), name.to_owned());
        blocking(move || Ok(pins.read()?.get(&name).map(super::pins::Pin::seen))).await
    }

    fn changed(&self, name: &str) -> RequestError {
        RequestError::Changed { what: T::WHAT, upstream: self.upstream.clone(), name: name.to_owned() }
    }

    fn leave_out(&self, item: &T, why: &str) {
        let (upstream, what, name) = (&self.upstream, T::WHAT, printable(item.name(), NAME_BYTES_MAX));
        tracing::warn!(%upstream, %what, %name, "something of the upstream is left out: {why}");
    }

    fn lock(&self) -> MutexGuard<'_, Listed> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn as_of<T: Describes>(connection: &Connection) -> AsOf {
    AsOf { life: connection.life, changes: connection.client.changed.of(T::WHAT) }
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

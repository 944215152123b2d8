//! What is loaded, who vouches for it, and what of it has to stop.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use vak_registry::Withdrawn;
use vak_trust::{Component, TrustPolicy, Verified};
use vak_types::{Digest, KeyId, Kind, Name};

use crate::lookout::Known;

/// A component that is loaded, and why it may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Vouched {
    /// Its name in the configuration.
    name: Name,
    used_as: Kind,
    component: Digest,
    manifest: Digest,
    /// Its name and kind in its manifest, by which it is known whose signatures
    /// it takes.
    package: Name,
    kind: Kind,
    /// All whose signatures counted.
    signers: Vec<KeyId>,
    /// Whether its permits are to count.
    permits: bool,
}

impl Vouched {
    pub(crate) fn new(
        name: &Name,
        used_as: Kind,
        verified: &Verified<Component>,
        manifest: Digest,
        permits: bool,
    ) -> Self {
        let component = verified.get();
        Self {
            name: name.clone(),
            used_as,
            component: component.digest,
            manifest,
            package: component.manifest.name.clone(),
            kind: component.manifest.kind,
            signers: verified.signers().to_vec(),
            permits,
        }
    }

    /// Why it must not go on.
    fn stopped_by(&self, withdrawn: &Withdrawn, trust: &TrustPolicy) -> Option<String> {
        let Self { name, used_as, .. } = self;
        if let Some(by) = withdrawn.component(&self.component) {
            return Some(format!("{used_as} `{name}` has stopped: {by}"));
        }
        let by = self.signers.iter().find_map(|key| withdrawn.key(key))?;
        let revoked = |key: &KeyId| withdrawn.key(key).is_some();
        match trust.suffices_without(&self.package, self.kind, &self.signers, revoked) {
            Some(may_permit) if may_permit || !self.permits => None,
            _ => Some(format!("{used_as} `{name}` has stopped: {by}")),
        }
    }
}

/// What one configuration has loaded.
#[derive(Debug)]
pub(crate) struct Inventory {
    vouched: Vec<Vouched>,
    trust: TrustPolicy,
    stopped: RwLock<Arc<Stopped>>,
}

/// One component that is used for longer than what has loaded it may decide.
#[derive(Debug)]
pub(crate) struct Part {
    name: Name,
    of: Arc<Inventory>,
}

impl Part {
    pub(crate) fn new(name: &Name, of: &Arc<Inventory>) -> Self {
        Self { name: name.clone(), of: Arc::clone(of) }
    }

    /// Why it has to stop.
    pub(crate) fn stopped(&self, known: &Known) -> Option<String> {
        self.of.stopped(known).why(&self.name).map(str::to_owned)
    }
}

/// What has to stop.
#[derive(Debug, Default)]
pub(crate) struct Stopped {
    /// Which look at what is withdrawn this is from.
    look: u64,
    /// Why everything has to.
    everything: Option<String>,
    /// Why which components have to, by their names in the configuration.
    components: BTreeMap<Name, String>,
}

impl Inventory {
    pub(crate) fn new(vouched: Vec<Vouched>, trust: TrustPolicy) -> Self {
        Self { vouched, trust, stopped: RwLock::default() }
    }

    /// Whether `other` has loaded the same on the same grounds.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.vouched == other.vouched
    }

    /// What has to stop by what is known now.
    pub(crate) fn stopped(&self, known: &Known) -> Arc<Stopped> {
        // Nothing that may panic runs while it is held.
        let last = Arc::clone(&self.stopped.read().unwrap_or_else(PoisonError::into_inner));
        if last.look == known.look {
            return last;
        }
        let stopped = Arc::new(self.look_through(known));
        let mut kept = self.stopped.write().unwrap_or_else(PoisonError::into_inner);
        // Another thread may know more by now.
        if kept.look < stopped.look {
            *kept = Arc::clone(&stopped);
        }
        stopped
    }

    fn look_through(&self, known: &Known) -> Stopped {
        let (everything, components) = match &known.withdrawn {
            Ok(withdrawn) => {
                let stops =
                    |vouched: &Vouched| Some((vouched.name.clone(), vouched.stopped_by(withdrawn, &self.trust)?));
                (None, self.vouched.iter().filter_map(stops).collect())
            }
            Err(error) => {
                let why = format!("what marketplaces withdrew can't be read, so nothing goes on: {error}");
                (Some(why), BTreeMap::new())
            }
        };
        Stopped { look: known.look, everything, components }
    }
}

impl Stopped {
    /// Whether nothing has to.
    pub(crate) fn is_empty(&self) -> bool {
        self.everything.is_none() && self.components.is_empty()
    }

    /// Why everything has to.
    pub(crate) fn everything(&self) -> Option<&str> {
        self.everything.as_deref()
    }

    /// Why the component has to that the configuration calls `name`.
    pub(crate) fn why(&self, name: &Name) -> Option<&str> {
        self.everything().or_else(|| self.components.get(name).map(String::as_str))
    }

    /// How many components have to.
    pub(crate) fn count(&self) -> usize {
        self.components.len()
    }
}

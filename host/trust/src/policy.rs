//! Whose signatures an operator believes, and for what.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use vak_types::{Digest, KeyId, Kind, Name, Pattern};

use crate::key::PublicKey;
use crate::requirement::{Requirement, RequirementError, Role};

/// `[trust]` of a host's configuration: whose signatures count, and for what.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrustSettings {
    /// Keys whose signatures count.
    pub keys: Vec<TrustedKey>,
    /// What it takes for which component. Every rule that names it must hold;
    /// where none does, a publisher's signature is needed.
    pub rules: Vec<Rule>,
    /// Keys whose signatures don't count any more, by their ids.
    pub revoked_keys: BTreeSet<KeyId>,
    /// Components and manifests that must not be loaded, whoever signed them.
    pub revoked_digests: BTreeSet<Digest>,
    /// Makes it possible to load components without a signature, one by one.
    /// For those who write them, not for running agents.
    pub development: bool,
}

/// A key whose signatures count.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedKey {
    /// Whose key it is.
    pub name: Name,
    /// `ed25519:` and the key's base64.
    pub public: PublicKey,
    /// What its owner is believed as.
    #[serde(default = "publisher")]
    pub roles: BTreeSet<Role>,
    /// Names of the components that it may sign.
    #[serde(default = "every_name")]
    pub names: Vec<Pattern<Name>>,
    /// Whether its owner's policies may permit, where the policy's own setting
    /// says so too. Otherwise they can only restrict.
    #[serde(default)]
    pub may_permit: bool,
}

/// What it takes to load some components.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Which components, by name.
    #[serde(default = "every_name")]
    pub names: Vec<Pattern<Name>>,
    /// Which kinds; all if it is left out.
    #[serde(default)]
    pub kinds: BTreeSet<Kind>,
    /// Whose signatures it takes.
    pub require: Requirement,
}

fn publisher() -> BTreeSet<Role> {
    BTreeSet::from([Role::Publisher])
}

fn every_name() -> Vec<Pattern<Name>> {
    vec![Pattern::every()]
}

/// Why settings are no policy.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Two keys are of one name, or one key has two names.
    #[error("trust.keys: `{0}` stands twice; a key and its name stand there once")]
    Twice(String),
    /// A rule that is always or never true.
    #[error("trust.rules: {0}")]
    Requirement(#[from] RequirementError),
}

/// Whose signatures count. Strict: without a signature that counts nothing is
/// verified, unless the settings say `development`.
#[derive(Debug, Clone)]
pub struct TrustPolicy {
    settings: TrustSettings,
}

impl TrustPolicy {
    /// The policy that `settings` describe.
    ///
    /// # Errors
    /// They contradict themselves.
    pub fn new(settings: TrustSettings) -> Result<Self, SettingsError> {
        let (mut names, mut keys) = (BTreeSet::new(), BTreeSet::new());
        for key in &settings.keys {
            if !names.insert(&key.name) || !keys.insert(key.public.id()) {
                return Err(SettingsError::Twice(key.name.to_string()));
            }
        }
        for rule in &settings.rules {
            rule.require.check(&settings.keys)?;
        }
        Ok(Self { settings })
    }

    /// Believes the owners of `keys` as publishers, and nobody else.
    pub fn of_publishers(keys: impl IntoIterator<Item = PublicKey>) -> Self {
        let keys = keys.into_iter().enumerate().filter_map(|(number, public)| {
            Some(TrustedKey {
                name: format!("key-{number}").parse().ok()?,
                public,
                roles: publisher(),
                names: every_name(),
                may_permit: false,
            })
        });
        Self { settings: TrustSettings { keys: keys.collect(), ..TrustSettings::default() } }
    }

    /// The same for whoever writes components: those without a signature can be
    /// loaded where that is asked for, and are marked.
    pub fn development(keys: impl IntoIterator<Item = PublicKey>) -> Self {
        let Self { settings } = Self::of_publishers(keys);
        Self { settings: TrustSettings { development: true, ..settings } }
    }

    /// The same, for which signatures by `keys` don't count any more.
    #[must_use]
    pub fn without(mut self, keys: impl IntoIterator<Item = KeyId>) -> Self {
        self.settings.revoked_keys.extend(keys);
        self
    }

    /// Whether the signatures of `signers`, which counted for a component, would
    /// suffice without those by keys that are `revoked` since. `None` if not;
    /// otherwise whether its publisher's policies still may permit.
    pub fn suffices_without(
        &self,
        name: &Name,
        kind: Kind,
        signers: &[KeyId],
        revoked: impl Fn(&KeyId) -> bool,
    ) -> Option<bool> {
        let counts = |key: &&TrustedKey| {
            let id = key.public.id();
            signers.contains(&id) && !revoked(&id) && !self.settings.revoked_keys.contains(&id)
        };
        let counting: Vec<_> = self.settings.keys.iter().filter(counts).collect();
        let holds = self.requirement(name, kind).holds(&counting);
        holds.then(|| counting.iter().any(|key| key.is_permitting_publisher()))
    }

    pub(crate) fn settings(&self) -> &TrustSettings {
        &self.settings
    }

    /// What it takes for a component.
    pub(crate) fn requirement(&self, name: &Name, kind: Kind) -> Requirement {
        let rules = self.settings.rules.iter().filter(|rule| rule.is_for(name, kind));
        let mut all: Vec<_> = rules.map(|rule| rule.require.clone()).collect();
        match all.len() {
            0 => Requirement::Role(Role::Publisher),
            1 => all.remove(0),
            _ => Requirement::AllOf(all),
        }
    }
}

impl Rule {
    fn is_for(&self, name: &Name, kind: Kind) -> bool {
        (self.kinds.is_empty() || self.kinds.contains(&kind)) && Pattern::any(&self.names, name)
    }
}

impl TrustedKey {
    /// Whether it may sign a component of this name.
    pub(crate) fn may_sign(&self, name: &Name) -> bool {
        Pattern::any(&self.names, name)
    }
}

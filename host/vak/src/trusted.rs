//! Who is believed, without what marketplaces withdrew.

use vak_registry::Withdrawn;
use vak_trust::{Component, Package, TrustPolicy, Unsigned, Verified};
use vak_types::{Digest, Name, Timestamp};

use crate::builder::BuildError;

/// Whose signatures count, and what must not be loaded whoever signed it. What a
/// marketplace says can only take something away.
pub struct Trusted {
    /// As the operator has it.
    policy: TrustPolicy,
    /// The same, where no key counts that a marketplace revoked.
    without: TrustPolicy,
    withdrawn: Withdrawn,
}

impl Trusted {
    pub(crate) fn new(policy: TrustPolicy, withdrawn: Withdrawn) -> Self {
        let without = policy.clone().without(withdrawn.keys().map(|by| by.what.key));
        Self { policy, without, withdrawn }
    }

    pub(crate) fn into_policy(self) -> TrustPolicy {
        self.policy
    }

    /// Verifies the component that the configuration calls `name`.
    pub(crate) fn verify(
        &self,
        name: &Name,
        package: Package,
        unsigned: Unsigned,
        now: Timestamp,
    ) -> Result<Verified<Component>, BuildError> {
        let name = || name.clone();
        if let Some(by) = self.withdrawn.component(&Digest::of(&package.component)) {
            return Err(BuildError::Withdrawn { name: name(), by: Box::new(by.clone()) });
        }
        // Only who has to say which key it was needs the bytes twice.
        let again = self.withdrawn.keys().next().map(|_| package.clone());
        let source = match self.without.verify(package, unsigned, now) {
            Ok(verified) => return Ok(verified),
            Err(source) => source,
        };
        let before = again.and_then(|package| self.policy.verify(package, unsigned, now).ok());
        let revoked = before.and_then(|before| before.signers().iter().find_map(|key| self.withdrawn.key(key)));
        Err(match revoked {
            Some(by) => BuildError::KeyRevoked { name: name(), by: Box::new(by.clone()), source },
            None => BuildError::Trust { name: name(), source },
        })
    }
}

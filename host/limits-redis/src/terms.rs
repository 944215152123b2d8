//! A limit in the terms of the script.

use std::time::Duration;

use vak_limits::{Kind, Limit, Mode, Share};
use vak_types::{Digest, LimitName};

use crate::{Error, Shared};

/// Leases are for so many parts of an amount: twenty hosts that have one each
/// hold all of it, and a host that uses all of it asks some twenty times.
const SLICES: u64 = 20;

/// As in `vak-limits`: what is used leaves in so many steps.
const SLOTS: u128 = 12;

#[derive(Debug)]
pub(crate) struct Terms {
    pub(crate) limit: Limit,
    pub(crate) amount: u64,
    pub(crate) slot: Duration,
    pub(crate) refund: bool,
}

/// Names what one limit counts for one subject, here and at Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key(Digest);

impl Terms {
    pub(crate) fn of(limit: Limit) -> Result<Self, Error> {
        let (amount, window, refund) = match &limit.kind {
            Kind::Quota { actions, window, refund } => (*actions, *window, *refund),
            Kind::Budget { amount, window: Some(window), refund, .. } => (*amount, *window, *refund),
            _ => return Err(Error::Kind { name: limit.name }),
        };
        if limit.mode != Mode::Enforce || limit.near_percent.is_some() {
            return Err(Error::Kind { name: limit.name });
        }
        if amount > Shared::AMOUNT_MAX {
            return Err(Error::Amount { name: limit.name, amount });
        }
        let slot_us = u64::try_from(window.as_micros().div_ceil(SLOTS)).unwrap_or(u64::MAX);
        Ok(Self { limit, amount, slot: Duration::from_micros(slot_us), refund })
    }

    pub(crate) fn name(&self) -> &LimitName {
        &self.limit.name
    }

    /// How much to ask for, of which `least` is needed.
    pub(crate) fn slice(&self, least: u64) -> u64 {
        least.max(self.amount / SLICES).max(1)
    }

    /// Hosts agree on it if they agree on what is counted: the limit's name, its
    /// unit, its window and the subject. The amount is not part of it, so that
    /// it can be changed on one host after the other.
    ///
    /// Agents choose some of these texts, so each comes after its length, and
    /// what goes into a key of Redis is a digest.
    pub(crate) fn key(&self, share: &Share<'_>) -> Key {
        let unit = match &self.limit.kind {
            Kind::Budget { cost, .. } => cost,
            _ => "",
        };
        let slot = self.slot.as_micros().to_string();
        let mut bytes = Vec::new();
        for text in [self.name().as_str(), unit, &slot].into_iter().chain(share.subject()) {
            bytes.extend((text.len() as u64).to_le_bytes());
            bytes.extend(text.as_bytes());
        }
        Key(Digest::of(&bytes))
    }
}

impl Key {
    /// As Redis knows it. The limit's name is in it for people.
    pub(crate) fn text(self, prefix: &str, limit: &LimitName) -> String {
        format!("{prefix}:{limit}:{}", self.0.to_hex())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use vak_limits::Per;
    use vak_types::ActionRequest;

    use super::*;

    fn keys(per: Per, name: &str, action: serde_json::Value) -> Vec<Key> {
        let kind = Kind::Quota { actions: 1, window: Duration::from_secs(60), refund: false };
        let terms = Terms::of(Limit::new(name.parse().unwrap(), per, "*".parse().unwrap(), kind)).unwrap();
        let request: ActionRequest = serde_json::from_value(action).unwrap();
        let action = request.at("1".parse().unwrap(), Default::default());
        terms.limit.shares(&action).unwrap().iter().map(|share| terms.key(share)).collect()
    }

    /// Whatever agents call themselves, their sessions and what they do.
    #[test]
    fn no_names_make_the_key_of_others() {
        let mut all = Vec::new();
        for name in ["a", "aa"] {
            for per in [Per::Agent, Per::Operation, Per::AgentAndOperation, Per::Session, Per::Label, Per::Host] {
                for (agent, other) in [("a", "b"), ("a:b", ""), ("a", ":b"), ("b", "a"), ("ab", "b"), ("session", "a")]
                {
                    let other = if other.is_empty() { "x" } else { other };
                    let mut with = keys(
                        per,
                        name,
                        serde_json::json!({
                            "agent": agent, "session": other, "operation": other, "resource": "r", "labels": [agent, other, agent],
                        }),
                    );
                    all.append(&mut with);
                }
            }
        }
        // Of the six actions: agents `a` and `session`, `b`… stand for themselves.
        let different: HashSet<_> = all.iter().copied().collect();
        let (agents, operations, pairs, sessions, labels, host) = (5, 4, 6, 6, 7, 1);
        assert_eq!(different.len(), 2 * (agents + operations + pairs + sessions + labels + host));
    }
}

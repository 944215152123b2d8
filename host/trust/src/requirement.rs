//! Whose signatures it takes.

use std::fmt;

use serde::{Deserialize, Serialize};
use vak_types::Name;

use crate::policy::TrustedKey;

/// What the owner of a key is believed as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Makes components.
    Publisher,
    /// Offers them.
    Marketplace,
    /// Has looked at them.
    Reviewer,
}

/// Whose signatures it takes. A key with two roles counts for both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Requirement {
    /// One by somebody with this role.
    Role(Role),
    /// One by the key of this name.
    Key(Name),
    /// All of these.
    AllOf(Vec<Self>),
    /// One of these.
    AnyOf(Vec<Self>),
    /// Signatures by so many different keys.
    AtLeast {
        /// How many.
        count: usize,
        /// Whose count.
        of: Vec<Signer>,
    },
}

/// Somebody whose signature is counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Signer {
    /// Whoever has this role.
    Role(Role),
    /// The key of this name.
    Key(Name),
}

/// Why a requirement makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequirementError {
    /// Without terms it would hold always, or never.
    #[error("`{0}` names nobody; name roles or keys")]
    Empty(&'static str),
    /// A key that is not in the settings.
    #[error("no trusted key is named `{0}`; add it under [[trust.keys]]")]
    UnknownKey(Name),
    /// Fewer keys than it takes.
    #[error("it takes {count} signatures and only {keys} trusted keys count; nothing could be loaded")]
    TooFewKeys {
        /// How many signatures it takes.
        count: usize,
        /// How many keys there are.
        keys: usize,
    },
}

impl Requirement {
    /// Whether the owners of `signers`, each another key, suffice.
    pub(crate) fn holds(&self, signers: &[&TrustedKey]) -> bool {
        match self {
            Self::Role(role) => Signer::Role(*role).count(signers) > 0,
            Self::Key(name) => signers.iter().any(|key| key.name == *name),
            // `check` refuses empty lists, of which all would hold.
            Self::AllOf(terms) => !terms.is_empty() && terms.iter().all(|term| term.holds(signers)),
            Self::AnyOf(terms) => terms.iter().any(|term| term.holds(signers)),
            Self::AtLeast { count, of } => *count > 0 && Signer::count_any(of, signers) >= *count,
        }
    }

    /// Whether it can hold with `keys`, and not without.
    pub(crate) fn check(&self, keys: &[TrustedKey]) -> Result<(), RequirementError> {
        let all: Vec<&TrustedKey> = keys.iter().collect();
        let known = |name: &Name| match keys.iter().any(|key| key.name == *name) {
            true => Ok(()),
            false => Err(RequirementError::UnknownKey(name.clone())),
        };
        match self {
            Self::Role(role) => at_least(1, Signer::Role(*role).count(&all)),
            Self::Key(name) => known(name),
            Self::AllOf(terms) if terms.is_empty() => Err(RequirementError::Empty("all_of")),
            Self::AnyOf(terms) if terms.is_empty() => Err(RequirementError::Empty("any_of")),
            Self::AllOf(terms) | Self::AnyOf(terms) => terms.iter().try_for_each(|term| term.check(keys)),
            Self::AtLeast { count, of } if *count == 0 || of.is_empty() => Err(RequirementError::Empty("at_least")),
            Self::AtLeast { count, of } => {
                of.iter().try_for_each(|signer| match signer {
                    Signer::Key(name) => known(name),
                    Signer::Role(_) => Ok(()),
                })?;
                at_least(*count, Signer::count_any(of, &all))
            }
        }
    }
}

fn at_least(count: usize, keys: usize) -> Result<(), RequirementError> {
    match keys >= count {
        true => Ok(()),
        false => Err(RequirementError::TooFewKeys { count, keys }),
    }
}

impl Signer {
    fn is(&self, key: &TrustedKey) -> bool {
        match self {
            Self::Role(role) => key.roles.contains(role),
            Self::Key(name) => key.name == *name,
        }
    }

    fn count(&self, keys: &[&TrustedKey]) -> usize {
        keys.iter().filter(|key| self.is(key)).count()
    }

    /// Each key once, however many of `signers` it is.
    fn count_any(signers: &[Self], keys: &[&TrustedKey]) -> usize {
        keys.iter().filter(|key| signers.iter().any(|signer| signer.is(key))).count()
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Publisher => "publisher",
            Self::Marketplace => "marketplace",
            Self::Reviewer => "reviewer",
        })
    }
}

impl fmt::Display for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(role) => write!(f, "a {role}"),
            Self::Key(name) => write!(f, "`{name}`"),
        }
    }
}

/// Completes “it needs a signature by …”.
impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, terms: &[Self], word: &str| {
            let terms: Vec<_> = terms.iter().map(ToString::to_string).collect();
            write!(f, "({})", terms.join(word))
        };
        match self {
            Self::Role(role) => Signer::Role(*role).fmt(f),
            Self::Key(name) => Signer::Key(name.clone()).fmt(f),
            Self::AllOf(terms) => list(f, terms, " and "),
            Self::AnyOf(terms) => list(f, terms, " or "),
            Self::AtLeast { count, of } => {
                let of: Vec<_> = of.iter().map(ToString::to_string).collect();
                write!(f, "{count} different ones of ({})", of.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PrivateKey;

    /// Sets of signers, by their places.
    type Signers<'a> = &'a [&'a [usize]];

    fn keys() -> Vec<TrustedKey> {
        let key = |name: &str, roles: &[Role]| TrustedKey {
            name: name.parse().unwrap(),
            public: PrivateKey::generate().unwrap().public(),
            roles: roles.iter().copied().collect(),
            names: Vec::new(),
            may_permit: false,
        };
        vec![
            key("maker", &[Role::Publisher]),
            key("shop", &[Role::Marketplace, Role::Reviewer]),
            key("ann", &[Role::Reviewer]),
            key("bob", &[Role::Reviewer]),
        ]
    }

    fn parse(text: &str) -> Requirement {
        #[derive(Deserialize)]
        struct Wrapped {
            require: Requirement,
        }
        toml::from_str::<Wrapped>(&format!("require = {text}")).unwrap().require
    }

    #[test]
    fn holds_for_exactly_who_is_named() {
        let keys = keys();
        let cases: &[(&str, Signers, Signers)] = &[
            ("{ role = 'publisher' }", &[&[0], &[0, 1]], &[&[], &[1, 2, 3]]),
            ("{ key = 'ann' }", &[&[2]], &[&[], &[0, 1, 3]]),
            ("{ all_of = [{ role = 'publisher' }, { key = 'ann' }] }", &[&[0, 2]], &[&[0], &[2], &[0, 3], &[]]),
            ("{ any_of = [{ role = 'publisher' }, { key = 'ann' }] }", &[&[0], &[2]], &[&[1], &[]]),
            (
                "{ at_least = { count = 2, of = [{ role = 'reviewer' }, { key = 'ann' }] } }",
                &[&[1, 2], &[2, 3], &[1, 2, 3]],
                &[&[2], &[0, 2], &[]],
            ),
            (
                "{ all_of = [{ role = 'publisher' }, { any_of = [{ role = 'marketplace' }, { at_least = { count = 2, of = [{ role = 'reviewer' }] } }] }] }",
                &[&[0, 1], &[0, 2, 3]],
                &[&[0, 2], &[1, 2, 3]],
            ),
        ];
        for (text, enough, too_few) in cases {
            let requirement = parse(text);
            requirement.check(&keys).unwrap();
            let holds = |chosen: &[usize]| requirement.holds(&chosen.iter().map(|at| &keys[*at]).collect::<Vec<_>>());
            assert!(enough.iter().all(|chosen| holds(chosen)), "{text}");
            assert!(!too_few.iter().any(|chosen| holds(chosen)), "{text}");
        }
    }

    #[test]
    fn what_holds_always_or_never_is_refused() {
        let cases = [
            ("{ all_of = [] }", "`all_of` names nobody"),
            ("{ any_of = [] }", "`any_of` names nobody"),
            ("{ at_least = { count = 0, of = [{ role = 'reviewer' }] } }", "`at_least` names nobody"),
            ("{ at_least = { count = 1, of = [] } }", "`at_least` names nobody"),
            (
                "{ at_least = { count = 4, of = [{ role = 'reviewer' }] } }",
                "takes 4 signatures and only 3 trusted keys",
            ),
            ("{ key = 'eve' }", "no trusted key is named `eve`"),
            ("{ any_of = [{ role = 'publisher' }, { all_of = [] }] }", "`all_of` names nobody"),
            ("{ at_least = { count = 1, of = [{ key = 'eve' }] } }", "no trusted key is named `eve`"),
        ];
        for (text, part) in cases {
            let error = parse(text).check(&keys()).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
        assert!(parse("{ role = 'publisher' }").check(&keys()[1..]).is_err());
        // Even if such a requirement were made in another way.
        assert!(!Requirement::AllOf(Vec::new()).holds(&[]));
        assert!(!Requirement::AtLeast { count: 0, of: Vec::new() }.holds(&[]));
    }
}

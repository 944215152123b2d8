//! What a marketplace withdrew, and the record that keeps it.

use std::fmt;

use semver::Version;
use serde::{Deserialize, Serialize};
use vak_types::{AdvisoryId, Digest, Grounds, KeyId, Name};

use crate::error::{Damage, StoreError};

/// The format of records. Another one is refused, never guessed at.
const FORMAT: u32 = 1;

/// Components that one marketplace can have withdrawn: all versions of some
/// thousand packages, which are read at once while a decision waits.
const COMPONENTS_MAX: usize = 10_000;

/// Keys that one marketplace can have revoked.
const KEYS_MAX: usize = 1_000;

/// A component takes 1,000 bytes at the most, as long as no two in three
/// characters of all reasons have to be escaped.
pub(crate) const BYTES_MAX: u64 = 16 << 20;

/// What one marketplace withdrew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Withdrawals {
    /// Versions of packages. At most 10,000.
    pub components: Vec<Withdrawal>,
    /// Keys whose signatures don't count any more. At most 1,000.
    pub keys: Vec<Revoked>,
}

/// A version of a package that was withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Withdrawal {
    /// The component's bytes. They are what counts, under whatever name.
    pub component: Digest,
    /// The package's name.
    pub name: Name,
    /// The package's version.
    pub version: Version,
    /// How.
    pub kind: WithdrawalKind,
    /// Why.
    pub reason: Grounds,
    /// Where there is more about it.
    pub advisory: Option<AdvisoryId>,
}

/// How a version was withdrawn. Neither is loaded, and neither goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WithdrawalKind {
    /// Its publisher took it back.
    Yanked,
    /// It does harm.
    Revoked,
}

/// A key that was revoked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revoked {
    /// Which key.
    pub key: KeyId,
    /// Why.
    pub reason: Grounds,
}

impl fmt::Display for WithdrawalKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Yanked => "yanked",
            Self::Revoked => "revoked",
        })
    }
}

/// A record as it is written: compact JSON, fields in this order, components
/// and keys in theirs, each once.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    format: u32,
    marketplace: Name,
    components: Vec<ComponentText>,
    keys: Vec<Revoked>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ComponentText {
    component: Digest,
    name: Name,
    version: String,
    kind: WithdrawalKind,
    reason: Grounds,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    advisory: Option<AdvisoryId>,
}

/// All that every format has.
#[derive(Deserialize)]
struct AnyFormat {
    format: u32,
}

/// The record of what `marketplace` withdrew.
pub(crate) fn record_of(marketplace: &Name, withdrawals: &Withdrawals) -> Result<Vec<u8>, StoreError> {
    let Withdrawals { mut components, mut keys } = withdrawals.clone();
    components.sort();
    components.dedup();
    keys.sort();
    keys.dedup();
    for (what, count, most) in
        [("withdrawn components", components.len(), COMPONENTS_MAX), ("revoked keys", keys.len(), KEYS_MAX)]
    {
        if count > most {
            return Err(StoreError::TooMany { what, count, most });
        }
    }
    let bytes = to_bytes(marketplace, components, keys);
    match u64::try_from(bytes.len()) {
        Ok(length) if length <= BYTES_MAX => Ok(bytes),
        _ => {
            let most = usize::try_from(BYTES_MAX).unwrap_or(usize::MAX);
            Err(StoreError::TooMany { what: "bytes of withdrawals", count: bytes.len(), most })
        }
    }
}

fn to_bytes(marketplace: &Name, components: Vec<Withdrawal>, keys: Vec<Revoked>) -> Vec<u8> {
    let text = |Withdrawal { component, name, version, kind, reason, advisory }: Withdrawal| ComponentText {
        component,
        name,
        version: version.to_string(),
        kind,
        reason,
        advisory,
    };
    let components = components.into_iter().map(text).collect();
    let text = Text { format: FORMAT, marketplace: marketplace.clone(), components, keys };
    // Texts and numbers always have a JSON form.
    serde_json::to_vec(&text).unwrap_or_default()
}

/// Reads the record that is stored as that of `marketplace`.
pub(crate) fn parse(bytes: &[u8], marketplace: &Name) -> Result<Withdrawals, Damage> {
    match serde_json::from_slice(bytes)? {
        AnyFormat { format: FORMAT } => {}
        AnyFormat { format } => return Err(Damage::Format(format)),
    }
    let Text { format: _, marketplace: found, components, keys } = serde_json::from_slice(bytes)?;
    if found != *marketplace {
        return Err(Damage::OtherName(found));
    }
    let component = |text: ComponentText| {
        let ComponentText { component, name, version, kind, reason, advisory } = text;
        let version = version.parse().map_err(|_| Damage::NotCanonical)?;
        Ok(Withdrawal { component, name, version, kind, reason, advisory })
    };
    let components = components.into_iter().map(component).collect::<Result<_, Damage>>()?;
    let withdrawals = Withdrawals { components, keys };
    // There is one way to write it, and too much has none.
    match record_of(marketplace, &withdrawals) {
        Ok(canonical) if canonical == bytes => Ok(withdrawals),
        _ => Err(Damage::NotCanonical),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn withdrawal(component: &str, version: &str, kind: WithdrawalKind) -> Withdrawal {
        Withdrawal {
            component: Digest::of(component.as_bytes()),
            name: "rules".parse().unwrap(),
            version: version.parse().unwrap(),
            kind,
            reason: "it leaks".parse().unwrap(),
            advisory: Some("VSA-2026-1".parse().unwrap()),
        }
    }

    fn withdrawals() -> Withdrawals {
        let one = withdrawal("one", "1.2.3", WithdrawalKind::Revoked);
        let two = Withdrawal { advisory: None, ..withdrawal("two", "1.0.0-rc.1", WithdrawalKind::Yanked) };
        let key = KeyId::from_digest(Digest::of(b"key"));
        Withdrawals { components: vec![one, two], keys: vec![Revoked { key, reason: "stolen".parse().unwrap() }] }
    }

    #[test]
    fn a_record_has_one_form() {
        let shop: Name = "shop".parse().unwrap();
        let mut sorted = withdrawals();
        sorted.components.sort();
        let bytes = record_of(&shop, &sorted).unwrap();
        assert_eq!(parse(&bytes, &shop).unwrap(), sorted);
        let mut repeated = withdrawals();
        repeated.components.reverse();
        repeated.components.extend(withdrawals().components);
        assert_eq!(record_of(&shop, &repeated).unwrap(), bytes);
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.starts_with(r#"{"format":1,"marketplace":"shop","components":[{"component":"sha256:"#), "{text}");
        let cases = [
            (text.replace("\"format\":1", "\"format\":2"), "has the format 2, which this version does not know"),
            (text.replace("{\"format\":1,", "{"), "missing field `format`"),
            (text.replace("\"keys\"", "\"extra\":1,\"keys\""), "unknown field `extra`"),
            (text.replace("\"reason\"", "\"why\":1,\"reason\""), "unknown field `why`"),
            (text.replace(",\"reason\":\"it leaks\"", ""), "missing field `reason`"),
            (text.replace("\"kind\":\"yanked\"", "\"kind\":\"hidden\""), "unknown variant `hidden`"),
            (text.replace("1.2.3", "1.2"), "not in canonical form"),
            (text.replace("\"advisory\":\"VSA-2026-1\"", "\"advisory\":null"), "not in canonical form"),
            (text.replace("it leaks", "it\\nleaks"), "the character '\\n'"),
            (text.replace("it leaks", &"x".repeat(513)), "the most is 512"),
            (text.replace("stolen", ""), "is empty"),
            (text.replace("\"shop\"", "\"other\""), "its record is of `other`"),
            (format!("{text}\n"), "not in canonical form"),
            (text[..60].to_owned(), "EOF while parsing"),
            (String::new(), "EOF while parsing"),
            ("[]".to_owned(), "invalid length 0"),
        ];
        for (text, part) in cases {
            let error = parse(text.as_bytes(), &shop).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn there_is_a_most_of_everything() {
        let shop: Name = "shop".parse().unwrap();
        let many = |count: usize| Withdrawals {
            components: (0..count)
                .map(|number| withdrawal(&number.to_string(), "1.0.0", WithdrawalKind::Yanked))
                .collect(),
            keys: Vec::new(),
        };
        let bytes = record_of(&shop, &many(COMPONENTS_MAX)).unwrap();
        assert_eq!(parse(&bytes, &shop).unwrap().components.len(), COMPONENTS_MAX);
        let error = record_of(&shop, &many(COMPONENTS_MAX + 1)).unwrap_err().to_string();
        assert_eq!(error, "10001 withdrawn components are more than the 10000 that the store keeps");
    }

    proptest::proptest! {
        #[test]
        fn reading_never_panics(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            assert!(parse(&bytes, &"a".parse().unwrap()).is_err());
        }
    }
}

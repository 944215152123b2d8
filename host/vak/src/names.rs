//! Names that read like others.

use unicode_normalization::is_nfc;
use unicode_security::MixedScript;
use unicode_security::confusable_detection::skeleton;
use vak_types::{ActionRequest, Label, Person, TextError, printable};

/// Longest name that is quoted, in bytes.
const QUOTED_BYTES_MAX: usize = 128;

/// Why a request is not made an action. Nothing was decided.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StampError {
    /// A name breaks the rules of its kind.
    #[error(transparent)]
    Text(#[from] TextError),
    /// A name has letters of several scripts in one of its parts. Such a name can
    /// look like another to whoever writes rules.
    #[error("the {what} `{name}` mixes letters of several scripts in one word, and could be taken for another")]
    Mixed {
        /// The kind of name, such as `operation`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A name is not in Unicode's normal form C, so another spelling of it looks
    /// the same.
    #[error("the {what} `{name}` is not in Unicode's normal form C, and could be taken for another")]
    NotNormal {
        /// The kind of name.
        what: &'static str,
        /// The name.
        name: String,
    },
}

/// Refuses what the names in a rule could be taken for. What is to be acted on
/// is left out: file names may be anything, and `resource` names no rule.
pub(crate) fn check(request: &ActionRequest) -> Result<(), StampError> {
    looks_like_itself("agent id", request.agent.as_str())?;
    looks_like_itself("session id", request.session.as_str())?;
    looks_like_itself("operation", request.operation.as_str())?;
    request.labels.iter().map(Label::as_str).try_for_each(|label| looks_like_itself("label", label))
}

/// Refuses a person's name that could be taken for another's.
pub(crate) fn of_person(person: &Person) -> Result<(), StampError> {
    looks_like_itself("person's name", person.as_str())
}

/// Whether one name could be taken for the other: they have the same skeleton as
/// [UTS 39](https://www.unicode.org/reports/tr39/#Confusable_Detection) makes
/// it, whatever their letters' case and the spaces around them.
pub(crate) fn read_alike(one: &str, other: &str) -> bool {
    // Before and after: `I` looks like `l`, and `RN` like `rn`, which does like `m`.
    let bones = |name: &str| skeleton(name.trim()).collect::<String>().to_lowercase();
    bones(one) == bones(other) || bones(&one.to_lowercase()) == bones(&other.to_lowercase())
}

fn looks_like_itself(what: &'static str, name: &str) -> Result<(), StampError> {
    if name.is_ascii() {
        return Ok(());
    }
    let quoted = || printable(name, QUOTED_BYTES_MAX);
    if !is_nfc(name) {
        return Err(StampError::NotNormal { what, name: quoted() });
    }
    let mut words = name.split(|character: char| character.is_ascii() && !character.is_ascii_alphanumeric());
    match words.all(MixedScript::is_single_script) {
        true => Ok(()),
        false => Err(StampError::Mixed { what, name: quoted() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(operation: &str) -> Result<(), StampError> {
        let request = serde_json::json!({
            "agent": "ada", "session": "s", "operation": operation, "resource": "p\u{430}yroll.xlsx",
        });
        check(&serde_json::from_value(request).unwrap())
    }

    #[test]
    fn names_of_one_script_are_fine() {
        for name in [
            "files/read",
            "café/öffnen",
            "файлы/читать",
            "файлы/read",
            "日本語/よむ",
            "ข้อมูล/อ่าน",
            "日本-tools/読む",
            "ελ/x",
        ] {
            assert_eq!(checked(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn look_alikes_are_refused() {
        // Cyrillic and Greek letters among Latin ones.
        for name in ["p\u{430}y/send", "files/re\u{430}d", "s\u{3bf}rt", "\u{455}ecret/get"] {
            assert!(matches!(checked(name), Err(StampError::Mixed { what: "operation", .. })), "{name}");
        }
        for name in ["cafe\u{301}/open", "\u{212b}ngström"] {
            assert!(matches!(checked(name), Err(StampError::NotNormal { .. })), "{name}");
        }
    }

    #[test]
    fn all_names_but_the_resource_are_looked_at() {
        let name = "p\u{430}y";
        for field in ["agent", "session", "operation"] {
            let mut request = serde_json::json!({ "agent": "a", "session": "s", "operation": "o", "resource": "r" });
            request[field] = name.into();
            assert!(check(&serde_json::from_value(request).unwrap()).is_err(), "{field}");
        }
        let request = serde_json::json!({
            "agent": "a", "session": "s", "operation": "o", "resource": "r", "labels": ["fine", name],
        });
        assert!(check(&serde_json::from_value(request).unwrap()).is_err());
    }
}

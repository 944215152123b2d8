//! What has to be done with an action that is allowed.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Json, JsonError, printable};

/// Longest JSON pointer, replacement and header, in bytes.
const TEXT_BYTES_MAX: usize = 1_024;

/// Longest name of a header, in bytes.
const HEADER_BYTES_MAX: usize = 64;

/// A condition of an allow, to be met by whoever carries the action out. Made by
/// [`Obligation::redact`] and its like alone, so that its texts are fit for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Wanted", into = "Wanted")]
pub struct Obligation(Wanted);

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Wanted {
    /// Another text in place of an argument.
    Redact {
        /// JSON pointer to it.
        argument: String,
        /// What stands there instead.
        replacement: String,
    },
    /// A number that is not larger.
    Cap {
        /// JSON pointer to it.
        argument: String,
        /// The largest it may be.
        at_most: i64,
    },
    /// A header in the request that carries it out.
    Header {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
}

/// Why an obligation is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObligationError {
    /// Not a JSON pointer to something below the whole.
    #[error("`{0}` is no JSON pointer to an argument; it begins with `/`")]
    Pointer(String),
    /// A text is too long.
    #[error("its text has {bytes} bytes; the most is {bytes_max}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The longest allowed.
        bytes_max: usize,
    },
    /// Not a header.
    #[error("`{0}` is no header: a name of letters, digits and `-`, and a value without control characters")]
    Header(String),
}

/// Why obligations cannot be met.
#[derive(Debug, thiserror::Error)]
pub enum UnmetError {
    /// What is to be capped is not a number.
    #[error("the argument `{0}` is to be capped and is not a number")]
    NotANumber(String),
    /// Two want different texts in one place.
    #[error("the argument `{0}` is to be replaced by two texts")]
    Contradiction(String),
    /// The arguments would become too long.
    #[error("the arguments would be {0}")]
    Arguments(#[from] JsonError),
}

impl Obligation {
    /// Checks it.
    ///
    /// # Errors
    /// A text in it is not what it has to be, or too long.
    pub fn new(wanted: Wanted) -> Result<Self, ObligationError> {
        let short = |text: &str| match text.len() {
            0..=TEXT_BYTES_MAX => Ok(()),
            bytes => Err(ObligationError::TooLong { bytes, bytes_max: TEXT_BYTES_MAX }),
        };
        match &wanted {
            Wanted::Redact { argument, replacement } => {
                pointer(argument)?;
                short(argument)?;
                short(replacement)?;
            }
            Wanted::Cap { argument, .. } => {
                pointer(argument)?;
                short(argument)?;
            }
            Wanted::Header { name, value } => {
                short(value)?;
                let letters = |character: u8| character.is_ascii_alphanumeric() || character == b'-';
                let named = (1..=HEADER_BYTES_MAX).contains(&name.len()) && name.bytes().all(letters);
                // What HTTP takes everywhere; a line feed would end the header.
                if !named || !value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
                    return Err(ObligationError::Header(printable(name, HEADER_BYTES_MAX)));
                }
            }
        }
        Ok(Self(wanted))
    }

    /// What is wanted.
    pub fn wanted(&self) -> &Wanted {
        &self.0
    }

    /// The same with empty texts, for a record that must not quote what a policy
    /// wants in place of an argument: most of that may be the argument.
    #[must_use]
    pub fn without_text(&self) -> Self {
        let (text, wanted) = (String::new(), self.0.clone());
        Self(match wanted {
            Wanted::Redact { argument, .. } => Wanted::Redact { argument, replacement: text },
            Wanted::Header { name, .. } => Wanted::Header { name, value: text },
            cap @ Wanted::Cap { .. } => cap,
        })
    }

    /// Whether it is about arguments, and [`applied`](Self::applied) meets it.
    pub fn is_of_arguments(&self) -> bool {
        !matches!(self.0, Wanted::Header { .. })
    }

    /// The arguments as all of `obligations` want them. An argument that is not
    /// there is fine as it is.
    ///
    /// # Errors
    /// One can't be met, or two contradict each other.
    pub fn applied(obligations: &[Self], arguments: &Json) -> Result<Json, UnmetError> {
        if !obligations.iter().any(Self::is_of_arguments) {
            return Ok(arguments.clone());
        }
        let mut value = arguments.to_value();
        for Self(wanted) in obligations {
            if let Wanted::Cap { argument, at_most } = wanted
                && let Some(number) = value.pointer_mut(argument)
            {
                cap(number, *at_most).ok_or_else(|| UnmetError::NotANumber(argument.clone()))?;
            }
        }
        // Last: what is redacted is gone, whoever else wants something of it.
        for Self(wanted) in obligations {
            let Wanted::Redact { argument, replacement } = wanted else { continue };
            let contradicts = |Self(other): &Self| {
                matches!(other, Wanted::Redact { argument: there, replacement: other }
                    if there == argument && other != replacement)
            };
            if obligations.iter().any(contradicts) {
                return Err(UnmetError::Contradiction(argument.clone()));
            }
            if let Some(text) = value.pointer_mut(argument) {
                *text = Value::String(replacement.clone());
            }
        }
        Ok(Json::from_value(&value)?)
    }
}

/// `None` if it is not a number.
fn cap(value: &mut Value, at_most: i64) -> Option<()> {
    let Value::Number(number) = &*value else { return None };
    let larger = match (number.as_i64(), number.as_u64()) {
        (Some(number), _) => number > at_most,
        // Larger than any `i64`.
        (None, Some(_)) => true,
        (None, None) => number.as_f64()? > at_most as f64,
    };
    if larger {
        *value = Value::from(at_most);
    }
    Some(())
}

fn pointer(text: &str) -> Result<(), ObligationError> {
    match text.starts_with('/') {
        true => Ok(()),
        false => Err(ObligationError::Pointer(printable(text, HEADER_BYTES_MAX))),
    }
}

impl TryFrom<Wanted> for Obligation {
    type Error = ObligationError;

    fn try_from(wanted: Wanted) -> Result<Self, ObligationError> {
        Self::new(wanted)
    }
}

impl From<Obligation> for Wanted {
    fn from(obligation: Obligation) -> Self {
        obligation.0
    }
}

/// For a sentence: ``the argument `/n` at most 100``.
impl fmt::Display for Obligation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Wanted::Redact { argument, .. } => write!(f, "the argument `{argument}` redacted"),
            Wanted::Cap { argument, at_most } => write!(f, "the argument `{argument}` at most {at_most}"),
            Wanted::Header { name, .. } => write!(f, "the header `{name}`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(obligations: &str, arguments: &str) -> Result<String, String> {
        let obligations: Vec<Obligation> = serde_json::from_str(obligations).map_err(|error| error.to_string())?;
        let applied = Obligation::applied(&obligations, &Json::parse(arguments).unwrap());
        applied.map(|json| json.as_str().to_owned()).map_err(|error| error.to_string())
    }

    #[test]
    fn arguments_become_what_is_wanted() {
        let redact = |text: &str| format!(r#"{{"redact": {{"argument": "/a/0", "replacement": "{text}"}}}}"#);
        let cap = |at_most: i64| format!(r#"{{"cap": {{"argument": "/n", "at_most": {at_most}}}}}"#);
        let header = r#"{"header": {"name": "x-agent", "value": "ada"}}"#.to_owned();
        let cases: &[(&[String], &str, Result<&str, &str>)] = &[
            (&[], r#"{"n":1}"#, Ok(r#"{"n":1}"#)),
            (std::slice::from_ref(&header), r#"{"n":1}"#, Ok(r#"{"n":1}"#)),
            (&[redact("x")], r#"{"a":["s",1]}"#, Ok(r#"{"a":["x",1]}"#)),
            (&[redact("x")], r#"{"a":[{"s":1}]}"#, Ok(r#"{"a":["x"]}"#)),
            (&[redact("x")], r#"{"a":[]}"#, Ok(r#"{"a":[]}"#)),
            (&[redact("x"), redact("x")], r#"{"a":["s"]}"#, Ok(r#"{"a":["x"]}"#)),
            (&[redact("x"), redact("y")], r#"{"a":["s"]}"#, Err("the argument `/a/0` is to be replaced by two texts")),
            (&[cap(5)], r#"{"n":5}"#, Ok(r#"{"n":5}"#)),
            (&[cap(5), cap(4)], r#"{"n":6}"#, Ok(r#"{"n":4}"#)),
            (&[cap(4), cap(5)], r#"{"n":6}"#, Ok(r#"{"n":4}"#)),
            (&[cap(5)], r#"{"n":-6}"#, Ok(r#"{"n":-6}"#)),
            (&[cap(5)], r#"{"n":5.5}"#, Ok(r#"{"n":5}"#)),
            (&[cap(i64::MAX)], r#"{"n":18446744073709551615}"#, Ok(r#"{"n":9223372036854775807}"#)),
            (&[cap(5)], r#"{"n":"6"}"#, Err("the argument `/n` is to be capped and is not a number")),
            (&[cap(5)], r#"{"n":null}"#, Err("the argument `/n` is to be capped and is not a number")),
        ];
        for (obligations, arguments, expected) in cases {
            let found = applied(&format!("[{}]", obligations.join(",")), arguments);
            assert_eq!(found.as_deref().map_err(String::as_str), *expected, "{obligations:?} {arguments}");
        }
    }

    #[test]
    fn what_is_no_obligation_is_refused() {
        for (wanted, message) in [
            (r#"{"redact": {"argument": "", "replacement": ""}}"#, "no JSON pointer"),
            (r#"{"cap": {"argument": "n", "at_most": 1}}"#, "no JSON pointer"),
            (r#"{"header": {"name": "", "value": ""}}"#, "is no header"),
            (r#"{"header": {"name": "a b", "value": ""}}"#, "is no header"),
            (r#"{"header": {"name": "a", "value": "b\r\nc: d"}}"#, "is no header"),
            (r#"{"header": {"name": "a", "value": "é"}}"#, "is no header"),
            (r#"{"hide": {}}"#, "unknown variant"),
            (&format!(r#"{{"redact": {{"argument": "/a", "replacement": "{}"}}}}"#, "x".repeat(1_025)), "1025 bytes"),
        ] {
            let error = serde_json::from_str::<Obligation>(wanted).unwrap_err().to_string();
            assert!(error.contains(message), "{wanted}: {error}");
        }
    }
}

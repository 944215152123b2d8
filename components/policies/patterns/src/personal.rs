//! Personal data: addresses and numbers that belong to a person, each checked
//! as far as its format lets one.

mod email;
mod iban;
mod numbers;

use crate::arguments::Part;
use crate::guard::{Call, Guard, Hit, Kind, Pattern, Reaction};

/// What is fixed about this guard.
pub(crate) static KIND: Kind =
    Kind { name: "personal-data", default: Reaction::Escalate, redactable: true, patterns: PATTERNS };

const PATTERNS: &[Pattern] = &[
    Pattern { id: "personal-data/email", finds: "an e-mail address" },
    Pattern { id: "personal-data/phone", finds: "a phone number" },
    Pattern { id: "personal-data/card", finds: "a payment card number" },
    Pattern { id: "personal-data/iban", finds: "a bank account number" },
    Pattern { id: "personal-data/us-ssn", finds: "a US social security number" },
];

/// The guard.
pub(crate) struct PersonalData {
    /// Ids of the patterns that count.
    kinds: Vec<&'static str>,
}

impl Default for PersonalData {
    fn default() -> Self {
        Self { kinds: PATTERNS.iter().map(|pattern| pattern.id).collect() }
    }
}

impl PersonalData {
    /// With these of `email`, `phone`, `card`, `iban`, `us-ssn`.
    pub(crate) fn of(kinds: &[String]) -> Result<Self, String> {
        let known = |kind: &String| {
            let id = PATTERNS.iter().map(|pattern| pattern.id).find(|id| id.split('/').nth(1) == Some(kind));
            id.ok_or_else(|| format!("`{kind}` is no kind; choose of `email`, `phone`, `card`, `iban`, `us-ssn`"))
        };
        kinds.iter().map(known).collect::<Result<_, _>>().map(|kinds| Self { kinds })
    }
}

impl Guard for PersonalData {
    fn look(&self, call: &Call<'_>, hits: &mut Vec<Hit>) {
        for (at, text) in call.arguments.texts.iter().enumerate() {
            let mut found = |id: &'static str, span| {
                if self.kinds.contains(&id) {
                    hits.push(Hit::part(id, at, text, span));
                }
            };
            if text.part != Part::Number {
                email::find(&text.text, &mut found);
                iban::find(&text.text, &mut found);
            }
            numbers::find(&text.name, &text.text, &mut found);
        }
    }
}

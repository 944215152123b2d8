//! Markers of prompt injection: text from outside that talks to the model.
//!
//! A marker is a sign, not a proof. Who rewords an instruction passes, and a
//! text about prompt injection is found.

mod hidden;
mod phrases;
mod roles;

use crate::arguments::Part;
use crate::guard::{Call, Guard, Hit, Kind, Pattern, Reaction};

/// What is fixed about this guard.
pub(crate) static KIND: Kind =
    Kind { name: "prompt-injection", default: Reaction::Escalate, redactable: true, patterns: PATTERNS };

const PATTERNS: &[Pattern] = &[
    Pattern { id: "prompt-injection/override", finds: "a text that revokes earlier instructions" },
    Pattern { id: "prompt-injection/reveal", finds: "a text that asks for the instructions" },
    Pattern { id: "prompt-injection/role", finds: "a marker of a role in a conversation" },
    Pattern { id: "prompt-injection/tool-call", finds: "something that looks like a tool call" },
    Pattern { id: "prompt-injection/hidden", finds: "characters that hide text" },
];

/// Labels of text that comes from outside.
const LABELS: [&str; 1] = ["untrusted-input"];

/// The guard.
pub(crate) struct PromptInjection {
    /// One of these has to be on the action; none means every action.
    labels: Vec<String>,
}

impl PromptInjection {
    pub(crate) fn new(labels: Option<Vec<String>>) -> Self {
        Self { labels: labels.unwrap_or_else(|| LABELS.iter().map(|label| (*label).to_owned()).collect()) }
    }
}

impl Guard for PromptInjection {
    fn look(&self, call: &Call<'_>, hits: &mut Vec<Hit>) {
        if !self.labels.is_empty() && !call.labels.iter().any(|label| self.labels.contains(label)) {
            return;
        }
        for (at, text) in call.arguments.texts.iter().enumerate() {
            if text.part == Part::Number {
                continue;
            }
            let mut found = |id, span| hits.push(Hit::part(id, at, text, span));
            hidden::find(&text.text, &mut found);
            roles::find(&text.text, &mut found);
            phrases::find(&text.text, &mut found);
        }
    }
}

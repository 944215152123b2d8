//! Credentials: published token formats, keys, URLs with passwords, and what
//! stands beside a word such as `password`.

mod assigned;
mod entropy;
mod formats;
mod structured;

use crate::arguments::Part;
use crate::guard::{Call, Guard, Hit, Kind, Pattern, Reaction};

/// What is fixed about this guard.
pub(crate) static KIND: Kind =
    Kind { name: "secrets", default: Reaction::Forbid, redactable: true, patterns: PATTERNS };

const PATTERNS: &[Pattern] = &[
    Pattern { id: "secrets/aws-access-key-id", finds: "an AWS access key id" },
    Pattern { id: "secrets/github-token", finds: "a GitHub token" },
    Pattern { id: "secrets/github-fine-grained-token", finds: "a fine-grained GitHub token" },
    Pattern { id: "secrets/gitlab-token", finds: "a GitLab token" },
    Pattern { id: "secrets/slack-token", finds: "a Slack token" },
    Pattern { id: "secrets/slack-webhook", finds: "a Slack webhook" },
    Pattern { id: "secrets/stripe-live-key", finds: "a live Stripe key" },
    Pattern { id: "secrets/google-api-key", finds: "a Google API key" },
    Pattern { id: "secrets/google-oauth", finds: "a Google OAuth secret" },
    Pattern { id: "secrets/npm-token", finds: "an npm token" },
    Pattern { id: "secrets/pypi-token", finds: "a PyPI token" },
    Pattern { id: "secrets/model-api-key", finds: "an API key of a model provider" },
    Pattern { id: "secrets/cloud-token", finds: "a token of a cloud service" },
    Pattern { id: "secrets/jwt", finds: "a JSON Web Token" },
    Pattern { id: "secrets/private-key", finds: "a private key" },
    Pattern { id: "secrets/url-password", finds: "a URL with a password" },
    Pattern { id: "secrets/assignment", finds: "a credential beside its name" },
    Pattern { id: "secrets/high-entropy", finds: "a random text near a word for credentials" },
];

/// The guard.
pub(crate) struct Secrets {
    measure: entropy::Measure,
}

impl Secrets {
    /// With the least bits a character and bytes of a text that counts as
    /// random, or the defaults.
    pub(crate) fn new(bits: Option<f64>, bytes_min: Option<usize>) -> Self {
        Self { measure: entropy::Measure::new(bits, bytes_min) }
    }
}

impl Guard for Secrets {
    fn look(&self, call: &Call<'_>, hits: &mut Vec<Hit>) {
        for (at, text) in call.arguments.texts.iter().enumerate() {
            if text.part == Part::Number {
                continue;
            }
            let start = hits.len();
            let mut found = |id, span| hits.push(Hit::part(id, at, text, span));
            formats::find(&text.text, &mut found);
            structured::find(&text.text, &mut found);
            // A format says more than a name beside it.
            let known: Vec<_> = hits[start..].iter().map(|hit| hit.span.clone()).collect();
            let name = if text.part == Part::Value { &*text.name } else { "" };
            for (id, span) in assigned::find(name, &text.text, &self.measure) {
                if !known.iter().any(|known| known.start < span.end && span.start < known.end) {
                    hits.push(Hit::part(id, at, text, span));
                }
            }
        }
    }
}

//! The guards of one configuration, ready to be asked.

use vak_sdk::policy::{Action, ConfigError, Configure, Description, Effect, Finding, JudgeError, Policy};

use crate::arguments::{Arguments, Unreadable};
use crate::config::{self, Config};
use crate::guard::{Call, Configured, Hit, Reaction};
use crate::redact;

/// The policy.
pub struct Patterns(Config);

/// The arguments are not JSON.
const UNREADABLE: &str = "limits/unreadable";

/// The texts in the arguments are longer than can be looked through.
const TEXT: &str = "limits/text";

/// What was found cannot be redacted.
const REDACTION: &str = "limits/redaction";

/// Places named in a reason; the host cuts it anyway.
const NAMED_MAX: usize = 5;

impl Configure for Patterns {
    fn configure(text: &str) -> Result<Self, ConfigError> {
        config::parse(text).map(Self)
    }
}

impl Policy for Patterns {
    fn evaluate(&self, action: &Action) -> Result<Finding, JudgeError> {
        let concerned = |guard: &&Configured| guard.operations.matches(&action.operation);
        if !self.0.guards.iter().any(|guard| concerned(&guard)) {
            return Ok(Finding::abstain());
        }
        let arguments = match Arguments::read(&action.arguments, self.0.text_bytes_max) {
            Ok(arguments) => arguments,
            Err(Unreadable::NotJson) => {
                return Ok(Finding::forbid(UNREADABLE, "the arguments cannot be examined: they are not JSON"));
            }
            Err(Unreadable::TooLong(bytes)) => {
                let most = self.0.text_bytes_max;
                let reason = format!("the arguments cannot be examined: {bytes} bytes of text; the most is {most}");
                return Ok(Finding::forbid(TEXT, reason));
            }
        };
        let call = Call { arguments: &arguments, labels: &action.labels };
        let hits = self.0.guards.iter().filter(concerned).flat_map(|guard| {
            let hits = guard.hits(&action.operation, &call);
            hits.into_iter().map(move |hit| (guard, hit))
        });
        Ok(join(&hits.collect::<Vec<_>>(), &arguments))
    }

    fn describe(&self) -> Description {
        let description = Description::of("Guards over arguments: secrets, personal data, commands, SQL, paths, URLs.");
        let description = description
            .rule(UNREADABLE, Effect::Forbid, "Arguments that are not JSON.")
            .rule(TEXT, Effect::Forbid, "More text than can be looked through in one call.")
            .rule(REDACTION, Effect::Forbid, "A find that should be redacted and cannot be.");
        let patterns = self.0.guards.iter().flat_map(|guard| {
            guard.kind.patterns.iter().map(|pattern| (pattern.id, effect(guard.reaction), pattern.finds))
        });
        patterns.fold(description, |description, (id, effect, finds)| {
            description.rule(id, effect, format!("Finds {finds}."))
        })
    }
}

/// What a reaction says. Redacting has nothing to say: it only obliges.
fn effect(reaction: Reaction) -> Effect {
    match reaction {
        Reaction::Redact => Effect::Abstain,
        Reaction::Escalate => Effect::Escalate,
        Reaction::Forbid => Effect::Forbid,
    }
}

/// One finding for all hits: the strictest decides, the first of equals.
fn join(hits: &[(&Configured, Hit)], arguments: &Arguments) -> Finding {
    let reaction = |(guard, hit): &(&Configured, Hit)| match hit.unexamined {
        true => Reaction::Forbid,
        false => guard.reaction,
    };
    let Some(strictest) = hits.iter().map(reaction).max() else { return Finding::abstain() };
    let redacted: Vec<_> = hits.iter().filter(|hit| reaction(hit) == Reaction::Redact).map(|(_, hit)| hit).collect();
    let deciding: Vec<_> = hits.iter().filter(|hit| reaction(hit) == strictest).collect();
    let finding = Finding {
        effect: effect(strictest),
        rule: deciding.first().map(|(_, hit)| hit.id.to_owned()),
        reason: reason(&deciding),
        obligations: Vec::new(),
    };
    match redact::obligations(&redacted, arguments) {
        Ok(obligations) => Finding { obligations, ..finding },
        Err(_) if strictest == Reaction::Forbid => finding,
        Err(why) => Finding::forbid(REDACTION, format!("{}; {why}", finding.reason)),
    }
}

fn reason(hits: &[&(&Configured, Hit)]) -> String {
    let mut reasons: Vec<String> = Vec::new();
    for (guard, hit) in hits {
        let separator = if hit.detail.is_empty() { "" } else { ": " };
        let reason = format!("{} in `{}`{separator}{}", guard.kind.finds(hit.id), hit.pointer, hit.detail);
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    let more = reasons.len().saturating_sub(NAMED_MAX);
    reasons.truncate(NAMED_MAX);
    match more {
        0 => reasons.join("; "),
        more => format!("{}; and {more} more", reasons.join("; ")),
    }
}

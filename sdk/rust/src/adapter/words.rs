//! What adapters have in common to say.

use super::{AdapterError, Answer, Decision, Ended, Ending};

impl AdapterError {
    /// A message of the framework, with a part missing or wrong.
    pub fn malformed(why: impl Into<String>) -> Self {
        Self::Malformed(why.into())
    }

    /// Not a message of the framework.
    pub fn unknown(why: impl Into<String>) -> Self {
        Self::UnknownMessage(why.into())
    }
}

/// A field that a message has to have.
///
/// # Errors
/// It is missing.
pub fn need<T>(field: Option<T>, name: &str) -> Result<T, AdapterError> {
    field.ok_or_else(|| AdapterError::malformed(format!("`{name}` is missing")))
}

/// A JSON text that holds an object. Reading a list as one would take its items for
/// fields, in the order in which they are written down here.
///
/// # Errors
/// It holds something else; `name` is what it is called.
pub fn object<'a>(name: &str, text: &'a str) -> Result<&'a str, AdapterError> {
    match text.trim_start().starts_with('{') {
        true => Ok(text),
        false => Err(AdapterError::malformed(format!("{name} is not an object"))),
    }
}

/// The answer to a message that asks for one action.
///
/// # Errors
/// There are more or less.
pub fn one(answers: &[Answer]) -> Result<&Answer, AdapterError> {
    match answers {
        [answer] => Ok(answer),
        _ => Err(other_count(1, answers.len())),
    }
}

/// An answer for each of `asked` actions.
///
/// # Errors
/// There are more or less.
pub fn each(asked: usize, answers: &[Answer]) -> Result<&[Answer], AdapterError> {
    match answers.len() == asked {
        true => Ok(answers),
        false => Err(other_count(asked, answers.len())),
    }
}

fn other_count(asked: usize, answered: usize) -> AdapterError {
    AdapterError::malformed(format!("{answered} answers to a message that asks for {asked} actions"))
}

impl Answer {
    /// The sentence for whoever asked, which is mostly a model: what was decided, why,
    /// and what to do about it.
    pub fn sentence(&self) -> String {
        let reason = &self.verdict.reason;
        match self.verdict.decision {
            Decision::Allow if self.arguments.is_some() => "a policy allows it with other arguments".to_owned(),
            Decision::Allow => "allowed".to_owned(),
            Decision::Deny => match self.verdict.retry_after_ms {
                Some(wait) => format!("denied by {reason} (retry after {wait} ms)"),
                None => format!("denied by {reason}"),
            },
            Decision::Backtrack => format!("try another way: {reason}"),
            Decision::Escalate => {
                let number = self.seq.map(|seq| format!(" (number {seq})")).unwrap_or_default();
                format!("a person has to approve it{number}: {reason}; then ask for exactly the same again")
            }
        }
    }
}

impl Decision {
    /// It in one word, as configurations and logs have it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Backtrack => "backtrack",
            Self::Escalate => "escalate",
            Self::Deny => "deny",
        }
    }
}

impl Ended {
    /// A call that was carried out, and gave `output`, which is JSON.
    pub fn succeeded(call: String, session: Option<String>, output: &str) -> Self {
        let (output, detail) = (Some(output.to_owned()), String::new());
        Self { call, session, ending: Ending::Succeeded, output, detail }
    }

    /// A call that was not carried out, or ended in an error.
    pub fn failed(call: String, session: Option<String>, why: String) -> Self {
        Self { call, session, ending: Ending::Failed, output: None, detail: why }
    }

    /// A call of which nobody knows whether it was carried out.
    pub fn unknown(call: String, session: Option<String>, why: String) -> Self {
        Self { call, session, ending: Ending::Unknown, output: None, detail: why }
    }
}

//! What hosts and adapters say to each other.

use vak_types::{Decision, Failure, FailureKind, Json, Label, Operation, Resource, TextError, Verdict, printable};

use crate::bindings::adapter::exports::vak::adapter::adapter as wit;
use crate::bindings::adapter::vak::types::verdicts;

/// Longest text of an adapter that is kept for people, in bytes.
const MESSAGE_BYTES_MAX: usize = 1_024;

/// Longest name that a framework gives a call or a conversation, in bytes.
const KEY_BYTES_MAX: usize = 512;

/// Which framework an adapter understands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    /// The framework's name, such as `langchain`.
    pub framework: String,
    /// The versions of it that were tested.
    pub versions: Vec<String>,
    /// Whether its answers can give a call other arguments.
    pub rewrites: bool,
}

/// What a message means.
#[derive(Debug, Clone, PartialEq)]
pub enum Intake {
    /// It asks for these, in this order.
    Actions(Vec<Wanted>),
    /// It says how these calls ended.
    Outcomes(Vec<EndedCall>),
    /// It asks for nothing that needs a decision.
    Pass,
}

/// An action as a framework's message names it.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// What the framework calls this call: the same when it is tried again.
    pub call: Option<String>,
    /// What it calls the conversation.
    pub session: Option<String>,
    /// What is to be done.
    pub operation: Operation,
    /// What it is to be done to.
    pub resource: Resource,
    /// Its arguments.
    pub arguments: Json,
    /// Where they come from.
    pub labels: Vec<Label>,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq)]
pub struct EndedCall {
    /// The call, as [`Wanted::call`] named it.
    pub call: String,
    /// The conversation, as [`Wanted::session`] named it.
    pub session: Option<String>,
    /// How.
    pub ending: Ending,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// It was carried out, and gave this.
    Succeeded(Option<Json>),
    /// It was not, or ended in an error.
    Failed(String),
    /// Nobody knows.
    Unknown(String),
}

/// The host's answer to one action of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It was decided.
    Decided {
        /// The verdict.
        verdict: Verdict,
        /// The arguments to carry an allowed one out with, where they are others
        /// than were asked.
        arguments: Option<Json>,
        /// Where the log has the decision.
        seq: Option<u64>,
    },
    /// The operator lets it pass undecided.
    Passed,
}

/// Why a message was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdapterError {
    /// Not a message of its framework.
    #[error("unknown message: {0}")]
    UnknownMessage(String),
    /// A message of it, with a part missing or wrong.
    #[error("malformed message: {0}")]
    Malformed(String),
    /// The component did not answer.
    #[error("the adapter was stopped: {0}")]
    Stopped(#[from] Failure),
}

impl Info {
    pub(super) fn of(info: wit::Info) -> Self {
        let wit::Info { framework, versions, rewrites } = info;
        let text = |text: &String| printable(text, MESSAGE_BYTES_MAX);
        Self { framework: text(&framework), versions: versions.iter().map(text).collect(), rewrites }
    }
}

impl Intake {
    /// Most actions or outcomes of one message. `wit/adapter` says so.
    const MOST: usize = 64;

    pub(super) fn of(intake: wit::Intake) -> Result<Self, Failure> {
        let few = |count: usize| match count <= Self::MOST {
            true => Ok(()),
            false => Err(malformed("message", &format!("{count} in one, and {} is the most", Self::MOST))),
        };
        Ok(match intake {
            wit::Intake::Pass => Self::Pass,
            wit::Intake::Actions(requests) => {
                few(requests.len())?;
                Self::Actions(requests.into_iter().map(Wanted::of).collect::<Result<_, _>>()?)
            }
            wit::Intake::Outcomes(ended) => {
                few(ended.len())?;
                Self::Outcomes(ended.into_iter().map(EndedCall::of).collect::<Result<_, _>>()?)
            }
        })
    }
}

/// An adapter's words are checked like everybody else's.
impl Wanted {
    fn of(request: wit::Request) -> Result<Self, Failure> {
        let wit::Request { call, session, operation, resource, arguments, labels } = request;
        let text = |error: TextError| malformed("answer", &error);
        Ok(Self {
            call: call.map(key).transpose()?,
            session: session.map(key).transpose()?,
            operation: operation.parse().map_err(text)?,
            resource: resource.parse().map_err(text)?,
            arguments: Json::parse(&arguments).map_err(|error| malformed("arguments", &error))?,
            labels: labels.iter().map(|label| label.parse()).collect::<Result<_, _>>().map_err(text)?,
        })
    }
}

impl EndedCall {
    fn of(ended: wit::Ended) -> Result<Self, Failure> {
        let wit::Ended { call, session, ending, output, detail } = ended;
        let output = output.map(|output| Json::parse(&output).map_err(|error| malformed("output", &error)));
        let detail = printable(&detail, MESSAGE_BYTES_MAX);
        let ending = match ending {
            wit::Ending::Succeeded => Ending::Succeeded(output.transpose()?),
            wit::Ending::Failed => Ending::Failed(detail),
            wit::Ending::Unknown => Ending::Unknown(detail),
        };
        Ok(Self { call: key(call)?, session: session.map(key).transpose()?, ending })
    }
}

impl AdapterError {
    pub(super) fn of(error: wit::AdapterError) -> Self {
        match error {
            wit::AdapterError::UnknownMessage(why) => Self::UnknownMessage(printable(&why, MESSAGE_BYTES_MAX)),
            wit::AdapterError::Malformed(why) => Self::Malformed(printable(&why, MESSAGE_BYTES_MAX)),
        }
    }
}

/// Who decided, and why. An adapter does not hear everybody who had a say: what
/// it writes may be read by the agent.
pub(super) fn reason(answer: &Answer) -> String {
    match answer {
        Answer::Decided { verdict, .. } => verdict.deciding().map(ToString::to_string).unwrap_or_default(),
        Answer::Passed => "passed undecided, as the host is configured".to_owned(),
    }
}

/// As the interface has it.
pub(super) fn told<'a>(answer: &'a Answer, reason: &'a str) -> wit::Answer<'a> {
    let Answer::Decided { verdict, arguments, seq } = answer else {
        let decision = verdicts::Decision::Allow;
        let verdict = verdicts::Verdict { decision, rule: None, reason, retry_after_ms: None };
        return wit::Answer { verdict, arguments: None, seq: None };
    };
    wit::Answer {
        verdict: verdicts::Verdict {
            decision: match verdict.decision {
                Decision::Allow => verdicts::Decision::Allow,
                Decision::Backtrack => verdicts::Decision::Backtrack,
                Decision::Escalate => verdicts::Decision::Escalate,
                Decision::Deny => verdicts::Decision::Deny,
            },
            rule: verdict.deciding().and_then(|reason| reason.rule.as_deref()),
            reason,
            retry_after_ms: verdict.retry_after_ms,
        },
        arguments: arguments.as_ref().filter(|_| verdict.is_allow()).map(Json::as_str),
        seq: *seq,
    }
}

fn key(text: String) -> Result<String, Failure> {
    match text.len() {
        1..=KEY_BYTES_MAX => Ok(text),
        bytes => {
            Err(malformed("name of a call", &format!("it has {bytes} bytes; from 1 to {KEY_BYTES_MAX} are allowed")))
        }
    }
}

pub(super) fn malformed(what: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure { kind: FailureKind::Malformed, message: format!("its {what} is not valid: {error}") }
}

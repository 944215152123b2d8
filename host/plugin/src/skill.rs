//! Skills: tools an agent can call.

mod calls;

use std::sync::Arc;

use vak_types::{AgentId, ComponentRef, Failure, FailureKind, Json, printable};

use crate::bindings::skill::exports::vak::skill::skill as wit;
use crate::memory::{Remembered, Scopes};
use crate::secrets::Secrets;

pub(crate) use calls::Calls;

/// Longest error text that is kept of a skill, in bytes.
const MESSAGE_BYTES_MAX: usize = 1_024;

/// Longest description that agents are shown, in bytes: it goes into every
/// prompt.
const DESCRIPTION_BYTES_MAX: usize = 4_096;

/// A skill that is ready to be called.
pub struct Skill {
    calls: Calls,
    secrets: Option<Arc<Secrets>>,
    scopes: Option<Scopes>,
    tool: Tool,
}

/// What an agent is told about a skill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// What it does and when to use it.
    pub description: String,
    /// JSON Schema of its input.
    pub input_schema: Json,
    /// JSON Schema of its output, where it has one.
    pub output_schema: Option<Json>,
}

/// Why a skill gave no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SkillError {
    /// The input is not what its schema asks for.
    #[error("invalid input: {0}")]
    InvalidInput(String),
    /// The work failed.
    #[error("{0}")]
    Failed(String),
    /// The component did not answer.
    #[error("the skill was stopped: {0}")]
    Stopped(#[from] Failure),
}

impl Skill {
    /// Asks the component what it is.
    pub(crate) fn new(calls: Calls, secrets: Option<Arc<Secrets>>, scopes: Option<Scopes>) -> Result<Self, Failure> {
        let tool = calls.describe()?;
        let secrets_of = secrets.as_deref();
        let tool = Tool {
            description: text(&tool.description, DESCRIPTION_BYTES_MAX, secrets_of),
            input_schema: schema("input", &tool.input_schema, secrets_of)?,
            output_schema: tool.output_schema.map(|text| schema("output", &text, secrets_of)).transpose()?,
        };
        Ok(Self { calls, secrets, scopes, tool })
    }

    /// Exactly which component this is.
    pub fn component(&self) -> &ComponentRef {
        self.calls.component()
    }

    /// Which part of what its manifest says it says differently.
    pub(crate) fn differs(&self, said: &vak_trust::Tool) -> Option<&'static str> {
        let Tool { description, input_schema, output_schema } = &self.tool;
        [
            ("description", *description == said.description),
            ("input schema", *input_schema == said.input_schema),
            ("output schema", *output_schema == said.output_schema),
        ]
        .into_iter()
        .find_map(|(part, same)| (!same).then_some(part))
    }

    /// What an agent is told about it.
    pub fn tool(&self) -> &Tool {
        &self.tool
    }

    /// Does the work for `agent` in a fresh instance. Blocks this thread until
    /// the skill is done or its limits end it. Does not decide anything: that
    /// comes before.
    ///
    /// # Errors
    /// The skill refuses the input, failed or was stopped; it has remembered
    /// nothing then.
    pub fn invoke(&self, agent: &AgentId, input: &Json) -> Result<Json, SkillError> {
        let remembered = self.scopes.as_ref().map(|scopes| scopes.recall(agent));
        let answered = self.calls.invoke(input.as_str(), remembered.clone());
        let answered = answered.map_err(|failure| match &remembered {
            Some(remembered) => remembered.failure(failure),
            None => failure,
        });
        let secrets = self.secrets.as_deref();
        match answered? {
            Ok(output) => {
                let output = json("output", &output, secrets).map_err(SkillError::Stopped)?;
                remembered.map_or(Ok(()), Remembered::commit)?;
                Ok(output)
            }
            Err(wit::SkillError::InvalidInput(why)) => {
                Err(SkillError::InvalidInput(text(&why, MESSAGE_BYTES_MAX, secrets)))
            }
            Err(wit::SkillError::Failed(why)) => Err(SkillError::Failed(text(&why, MESSAGE_BYTES_MAX, secrets))),
        }
    }
}

/// What a skill says to people, without its secrets. Cut last, so that no
/// secret is cut before it is found.
fn text(text: &str, bytes_max: usize, secrets: Option<&Secrets>) -> String {
    match secrets {
        Some(secrets) => printable(&secrets.redact(text), bytes_max),
        None => printable(text, bytes_max),
    }
}

fn json(which: &str, text: &str, secrets: Option<&Secrets>) -> Result<Json, Failure> {
    let json = Json::parse(text).and_then(|json| match secrets {
        Some(secrets) => secrets.redact_json(&json),
        None => Ok(json),
    });
    json.map_err(|error| malformed(format!("its {which} is {error}")))
}

fn schema(which: &str, text: &str, secrets: Option<&Secrets>) -> Result<Json, Failure> {
    let schema = json(&format!("{which} schema"), text, secrets)?;
    match schema.as_str().starts_with('{') {
        true => Ok(schema),
        false => Err(malformed(format!("its {which} schema is not an object"))),
    }
}

fn malformed(message: String) -> Failure {
    Failure { kind: FailureKind::Malformed, message }
}

impl std::fmt::Debug for Skill {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Skill").field("component", self.component()).field("tool", &self.tool).finish_non_exhaustive()
    }
}

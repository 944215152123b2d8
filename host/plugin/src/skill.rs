//! Skills: tools an agent can call.

use vak_engine::{CallState, Prepared};
use vak_types::{ComponentRef, Failure, FailureKind, Json, printable};

use crate::bindings::skill::SkillComponentPre;
use crate::bindings::skill::exports::vak::skill::skill as wit;

/// Longest error text that is kept of a skill, in bytes.
const MESSAGE_BYTES_MAX: usize = 1_024;

/// Longest description that agents are shown, in bytes: it goes into every
/// prompt.
const DESCRIPTION_BYTES_MAX: usize = 4_096;

/// A skill that is ready to be called.
pub struct Skill {
    prepared: Prepared,
    pre: SkillComponentPre<CallState>,
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
    pub(crate) fn new(prepared: Prepared, pre: SkillComponentPre<CallState>) -> Result<Self, Failure> {
        let tool = prepared.call(|store| {
            let skill = pre.instantiate(&mut *store)?;
            skill.vak_skill_skill().call_describe(store)
        })?;
        let tool = Tool {
            description: printable(&tool.description, DESCRIPTION_BYTES_MAX),
            input_schema: schema("input", &tool.input_schema)?,
            output_schema: tool.output_schema.map(|text| schema("output", &text)).transpose()?,
        };
        Ok(Self { prepared, pre, tool })
    }

    /// Exactly which component this is.
    pub fn component(&self) -> &ComponentRef {
        self.prepared.component()
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

    /// Does the work in a fresh instance. Blocks this thread until the skill
    /// is done or its limits end it. Does not decide anything: that comes
    /// before.
    ///
    /// # Errors
    /// The skill refuses the input, failed or was stopped.
    pub fn invoke(&self, input: &Json) -> Result<Json, SkillError> {
        let output = self.prepared.call(|store| {
            let skill = self.pre.instantiate(&mut *store)?;
            skill.vak_skill_skill().call_invoke(store, input.as_str())
        })?;
        match output {
            Ok(output) => Json::parse(&output).map_err(|error| malformed(format!("its output is {error}")).into()),
            Err(wit::SkillError::InvalidInput(why)) => {
                Err(SkillError::InvalidInput(printable(&why, MESSAGE_BYTES_MAX)))
            }
            Err(wit::SkillError::Failed(why)) => Err(SkillError::Failed(printable(&why, MESSAGE_BYTES_MAX))),
        }
    }
}

fn schema(which: &str, text: &str) -> Result<Json, Failure> {
    let schema = Json::parse(text).map_err(|error| malformed(format!("its {which} schema is {error}")))?;
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
        f.debug_struct("Skill").field("prepared", &self.prepared).field("tool", &self.tool).finish()
    }
}

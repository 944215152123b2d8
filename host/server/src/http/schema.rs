//! The words of the host as OpenAPI describes them. Nothing is made of these
//! types: what is sent is what the host has, and tests compare the two.

#![allow(dead_code, reason = "read by `utoipa` alone")]

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::answer::{BatchProblem, DecideAnswer};

/// A text without control characters and without those that hide others.
#[derive(Serialize, ToSchema)]
#[schema(min_length = 1)]
pub(crate) struct Text(String);

/// Letters, digits, `-`, `_` and `.`.
#[derive(Serialize, ToSchema)]
#[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9._-]+$")]
pub(crate) struct Id(String);

/// A skill that is to be run, or a tool of an MCP server that is to be called.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum ExecuteRequest {
    Skill(ExecuteSkill),
    Tool(ExecuteTool),
}

/// A skill that is to be run.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "agent": "ada", "skill": "calculator", "input": { "expression": "6 * 7" } }))]
pub(crate) struct ExecuteSkill {
    /// As for decisions: a skill runs once for one id.
    id: Option<Id>,
    /// The agent on whose behalf it runs.
    agent: Text,
    /// As for decisions.
    session: Option<Text>,
    /// Its name. The operation is `skill/NAME`.
    skill: Id,
    /// What it is given; an empty object if it is left out.
    #[schema(value_type = serde_json::Value, required = false)]
    input: Value,
    /// Where that comes from.
    #[schema(required = false)]
    labels: Vec<Text>,
}

/// A tool that is to be called.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "agent": "ada", "tool": "files/read_file", "input": { "path": "/work/notes.txt" } }))]
pub(crate) struct ExecuteTool {
    /// As for decisions: a tool is called once for one id.
    id: Option<Id>,
    /// The agent on whose behalf it is called.
    agent: Text,
    /// As for decisions. What the tool gives labels all that this session does later.
    session: Option<Text>,
    /// The server's name, `/` and its own: the operation.
    tool: Text,
    /// Its arguments; none if it is left out.
    #[schema(value_type = Object, required = false)]
    input: Value,
    /// Where those come from.
    #[schema(required = false)]
    labels: Vec<Text>,
}

/// A fact.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Attribute {
    Boolean(bool),
    Integer(i64),
    Text(String),
    Texts(Vec<String>),
}

/// The answer, from loosest to strictest.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Decision {
    Allow,
    Backtrack,
    Escalate,
    Deny,
}

/// What one voice said.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Effect {
    Abstain,
    Permit,
    Backtrack,
    Escalate,
    Forbid,
}

/// The host's answer, with everybody who had a say. Only `allow` allows.
#[derive(Serialize, ToSchema)]
pub(crate) struct Verdict {
    decision: Decision,
    /// Every voice, in the order they were heard.
    reasons: Vec<Reason>,
    /// What has to be done with an action that is allowed.
    #[schema(required = false)]
    #[schema(value_type = Vec<Object>)]
    obligations: Vec<Value>,
    /// Milliseconds after which a rate limited action can succeed.
    #[schema(required = false)]
    retry_after_ms: u64,
    /// What the session did before, where policies ask for that.
    #[schema(required = false)]
    #[schema(value_type = Object)]
    past: Value,
    /// Whether the host runs a component without a signature.
    unsigned: bool,
}

/// One voice in a verdict.
#[derive(Serialize, ToSchema)]
pub(crate) struct Reason {
    /// `host`, or an object with `limit` or `component`.
    source: Source,
    effect: Effect,
    /// The rule that decided.
    #[schema(required = false)]
    rule: String,
    /// Set when the component failed rather than answered.
    #[schema(required = false)]
    failure: String,
    /// Why, for a person.
    message: String,
}

/// Who spoke.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Source {
    Host,
    Limit(String),
    Component(Component),
}

/// Exactly which component.
#[derive(Serialize, ToSchema)]
pub(crate) struct Component {
    /// Its name in the configuration.
    name: String,
}

/// One for each action, in the order in which they were asked.
#[derive(Serialize, ToSchema)]
pub(crate) struct BatchAnswer {
    results: Vec<BatchResult>,
}

/// What was decided of one action, or why it was not.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum BatchResult {
    Decided(DecideAnswer<'static>),
    Problem(BatchProblem),
}

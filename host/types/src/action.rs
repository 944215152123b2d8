//! What an agent asks for.

use std::collections::BTreeMap;

use crate::{ActionId, AgentId, Json, Label, Operation, Resource, SessionId, Timestamp};

/// A fact about an action that the surface, not the agent, vouches for.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
pub enum AttributeValue {
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A text.
    Text(String),
    /// A list of texts, such as roles.
    Texts(Vec<String>),
}

/// One thing an agent wants to do, complete: the decision path reads nothing
/// else, neither clock nor environment.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Action {
    /// Names this action.
    pub id: ActionId,
    /// The session it belongs to.
    pub session: SessionId,
    /// The agent that acts.
    pub agent: AgentId,
    /// What is to be done.
    pub operation: Operation,
    /// What it is to be done to.
    pub resource: Resource,
    /// Arguments as the agent gave them.
    pub arguments: Json,
    /// Facts the surface adds.
    pub attributes: BTreeMap<String, AttributeValue>,
    /// Where the arguments come from.
    pub labels: Vec<Label>,
    /// When it was asked.
    pub time: Timestamp,
}

/// An action before the surface has given it an id and a time.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionRequest {
    /// The session it belongs to.
    pub session: SessionId,
    /// The agent that acts.
    pub agent: AgentId,
    /// What is to be done.
    pub operation: Operation,
    /// What it is to be done to.
    pub resource: Resource,
    /// Arguments as the agent gave them; an empty object when left out.
    #[serde(default)]
    pub arguments: Json,
    /// Facts the surface adds.
    #[serde(default)]
    pub attributes: BTreeMap<String, AttributeValue>,
    /// Where the arguments come from.
    #[serde(default)]
    pub labels: Vec<Label>,
}

impl ActionRequest {
    /// The action this request becomes when it is given `id` at `time`.
    pub fn at(self, id: ActionId, time: Timestamp) -> Action {
        let Self { session, agent, operation, resource, arguments, attributes, labels } = self;
        Action { id, session, agent, operation, resource, arguments, attributes, labels, time }
    }
}

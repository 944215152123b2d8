//! What clients send.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use utoipa::ToSchema;
use vak::{ActionId, AgentId, Json, Label, Name, Outcome, SessionId};
use vak_types::{AttributeValue, Operation, Resource};

use super::schema;

/// Actions in one batch: as many as an agent plans at once, and a fraction of
/// what the log takes in one commit.
pub(crate) const BATCH_MAX: usize = 64;

/// An action that is to be decided.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "id": "call-1", "agent": "ada", "operation": "files/read", "resource": "notes.txt", "arguments": { "path": "/work/notes.txt" },
}))]
pub(crate) struct DecideRequest {
    /// Names the action, so that a retry is no second one: it is answered as the
    /// first was, also while that is being decided. Kept for `server.limits.ids_s`;
    /// if the host was started again in that time, the answer is a problem. Your
    /// own: what others call so is another.
    #[schema(value_type = Option<schema::Id>)]
    pub(crate) id: Option<Name>,
    /// The agent that acts.
    #[schema(value_type = schema::Text)]
    pub(crate) agent: AgentId,
    /// A session that was opened for it. If it is left out, the one that this
    /// token always has with this agent.
    #[schema(value_type = Option<schema::Text>)]
    pub(crate) session: Option<SessionId>,
    /// What is to be done, such as `files/read`.
    #[schema(value_type = schema::Text)]
    pub(crate) operation: Operation,
    /// What it is to be done to.
    #[schema(value_type = schema::Text)]
    pub(crate) resource: Resource,
    /// The arguments as the agent gave them; an empty object if they are left out.
    #[serde(default)]
    #[schema(value_type = serde_json::Value, required = false)]
    pub(crate) arguments: Json,
    /// Facts that the holder of the token vouches for.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, schema::Attribute>)]
    pub(crate) attributes: Unique<AttributeValue>,
    /// Where the arguments come from.
    #[serde(default)]
    #[schema(value_type = Vec<schema::Text>)]
    pub(crate) labels: Vec<Label>,
    /// What you see to if the verdict obliges to it. What is not promised here
    /// and is obliged to is a deny.
    #[serde(default)]
    pub(crate) able: Able,
}

/// What whoever carries an action out sees to.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Able {
    /// To carry it out with the `arguments` of the answer.
    pub(crate) arguments: bool,
    /// To send the headers among the verdict's obligations.
    pub(crate) headers: bool,
}

/// Actions that are to be decided, each by itself.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BatchRequest {
    /// They are asked in this order.
    #[serde(deserialize_with = "some")]
    #[schema(min_items = 1, max_items = 64)]
    pub(crate) actions: Vec<DecideRequest>,
}

/// A skill that is to be run, or a tool that is to be called. OpenAPI has it as
/// [`schema::ExecuteRequest`].
#[derive(Debug, Deserialize)]
#[serde(try_from = "SkillOrTool")]
pub(crate) struct ExecuteRequest {
    pub(crate) id: Option<Name>,
    pub(crate) agent: AgentId,
    pub(crate) session: Option<SessionId>,
    pub(crate) what: What,
    pub(crate) input: Json,
    pub(crate) labels: Vec<Label>,
}

/// What is to be executed.
#[derive(Debug)]
pub(crate) enum What {
    Skill(Name),
    /// By its operation.
    Tool(Operation),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SkillOrTool {
    id: Option<Name>,
    agent: AgentId,
    session: Option<SessionId>,
    #[serde(default, deserialize_with = "given")]
    skill: Option<Name>,
    #[serde(default, deserialize_with = "given")]
    tool: Option<Operation>,
    #[serde(default)]
    input: Json,
    #[serde(default)]
    labels: Vec<Label>,
}

impl TryFrom<SkillOrTool> for ExecuteRequest {
    type Error = &'static str;

    fn try_from(asked: SkillOrTool) -> Result<Self, Self::Error> {
        let SkillOrTool { id, agent, session, skill, tool, input, labels } = asked;
        let what = match (skill, tool) {
            (Some(skill), None) => What::Skill(skill),
            (None, Some(tool)) => What::Tool(tool),
            _ => return Err("name a `skill` or a `tool`, one of the two"),
        };
        Ok(Self { id, agent, session, what, input, labels })
    }
}

/// What is there is no `null`.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// How an allowed action ended.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutcomeRequest {
    /// The `action` of the answer that allowed it.
    #[schema(value_type = schema::Text)]
    pub(crate) action: ActionId,
    /// How it ended.
    pub(crate) status: Status,
    /// What it gave, if it succeeded. The log has its digest.
    #[serde(default)]
    #[schema(value_type = serde_json::Value, required = false)]
    pub(crate) result: Option<Json>,
    /// Why, if it did not; the log has the first 1,024 bytes.
    #[serde(default)]
    pub(crate) detail: String,
    /// What it really cost, by the attributes that budgets count.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, u64>)]
    pub(crate) spent: Unique<u64>,
}

/// How an action ended.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Status {
    /// It was carried out.
    Succeeded,
    /// It was not, or ended in an error.
    Failed,
    /// Nobody knows. Counts as done.
    Unknown,
}

/// An agent that begins something.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SessionRequest {
    /// The agent.
    #[schema(value_type = schema::Text)]
    pub(crate) agent: AgentId,
}

impl From<Able> for vak::Able {
    fn from(Able { arguments, headers }: Able) -> Self {
        Self { arguments, headers }
    }
}

impl OutcomeRequest {
    pub(crate) fn outcome(&self) -> Outcome {
        let outcome = match self.status {
            Status::Succeeded => Outcome::succeeded(self.result.as_ref().map_or("", Json::as_str).as_bytes()),
            Status::Failed => Outcome::failed(&self.detail),
            Status::Unknown => Outcome::unknown(&self.detail),
        };
        self.spent.0.iter().fold(outcome, |outcome, (attribute, amount)| outcome.spent(attribute.clone(), *amount))
    }
}

fn some<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<DecideRequest>, D::Error> {
    let actions = Vec::deserialize(deserializer)?;
    match actions.len() {
        1..=BATCH_MAX => Ok(actions),
        count => Err(D::Error::custom(format_args!("a batch has from 1 to {BATCH_MAX} actions, and this one {count}"))),
    }
}

/// An object in which no key stands twice: of two, others may see the other.
#[derive(Debug)]
pub(crate) struct Unique<T>(pub(crate) BTreeMap<String, T>);

impl<T> Default for Unique<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Unique<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = BTreeMap<String, T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
                let mut map = BTreeMap::new();
                while let Some(key) = members.next_key::<String>()? {
                    if map.contains_key(&key) {
                        return Err(A::Error::custom(format_args!("the key `{key}` stands twice in one object")));
                    }
                    map.insert(key, members.next_value()?);
                }
                Ok(map)
            }
        }
        deserializer.deserialize_map(Members(std::marker::PhantomData)).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_two_is_executed() {
        let read = |what: &str| serde_json::from_str::<ExecuteRequest>(&format!(r#"{{"agent": "a"{what}}}"#));
        let tool = read(r#", "tool": "files/read", "input": {"path": "x"}"#).unwrap();
        assert!(matches!(tool.what, What::Tool(tool) if tool.as_str() == "files/read"));
        assert!(matches!(read(r#", "skill": "s""#).unwrap().what, What::Skill(_)));
        for what in [
            "",
            r#", "skill": "s", "tool": "files/read""#,
            r#", "tool": null"#,
            r#", "skill": "s", "tool": null"#,
            r#", "tool": "files/read", "tool": "files/write""#,
            r#", "tool": "files/read", "input": {"a": 1, "a": 2}"#,
            r#", "tool": "files/read", "attributes": {}"#,
        ] {
            assert!(read(what).is_err(), "{what}");
        }
    }

    #[test]
    fn no_key_stands_twice_anywhere() {
        let head = r#""agent": "a", "operation": "o", "resource": "r""#;
        let read = |more: &str| serde_json::from_str::<DecideRequest>(&format!("{{{head}{more}}}"));
        assert!(read("").is_ok());
        for more in [
            r#", "agent": "b""#,
            r#", "arguments": {"a": 1, "a": 2}"#,
            r#", "attributes": {"a": 1, "a": 2}"#,
            r#", "able": {"headers": true, "headers": false}"#,
            r#", "labels": null"#,
            r#", "time": 1"#,
        ] {
            assert!(read(more).is_err(), "{more}");
        }
    }
}

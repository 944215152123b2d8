//! An action as a request to Cedar.

use std::borrow::Cow;

use cedar_policy::{Entities, Entity, EntityId, EntityTypeName, EntityUid, RequestValidationError, Schema};
use serde_json::{Map, Value, json};
use vak_sdk::policy::{Action, AttributeValue};

use crate::datetime;
use crate::embedded::chain;
use crate::known::{Declared, Known, Members, Time};

/// The attribute with the roles of an agent.
const ROLES: &str = "roles";

/// Names of members that mean something to Cedar's reader of JSON: what stands
/// beside them becomes an entity or a call of a function, and not a record.
const ESCAPES: &[&str] = &["__entity", "__extn", "__expr"];

/// What of an action becomes the context.
#[derive(serde::Deserialize, Debug, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Context {
    /// A record with arguments, attributes, labels, session and time.
    #[default]
    Action,
    /// The arguments alone.
    Arguments,
}

/// How actions become requests.
pub(crate) struct Mapping {
    pub(crate) principal: EntityTypeName,
    pub(crate) resource: EntityTypeName,
    /// What the agent's roles are, if they are its parents.
    pub(crate) roles: Option<EntityTypeName>,
    pub(crate) context: Context,
    pub(crate) known: Known,
}

/// A request and what it is decided with.
pub(crate) struct Asked<'a> {
    pub(crate) request: cedar_policy::Request,
    pub(crate) entities: Cow<'a, Entities>,
}

/// Why there is no request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The schema does not know the action.
    UnknownAction,
    /// It does not fit the schema.
    Unfit(String),
}

impl Mapping {
    pub(crate) fn ask<'a>(
        &self,
        action: &Action,
        schema: &Schema,
        entities: &'a Entities,
    ) -> Result<Asked<'a>, Refused> {
        let declared = self.known.find(&action.operation).ok_or(Refused::UnknownAction)?;
        let principal = uid(&self.principal, &action.agent);
        let resource = uid(&self.resource, &action.resource);
        let context = Value::Object(self.context(action, declared)?);
        let context = cedar_policy::Context::from_json_value(context, Some((schema, &declared.uid)));
        let context = context.map_err(|error| unfit(&error))?;
        let entities = match &self.roles {
            Some(role) => Cow::Owned(with_roles(entities, &principal, role, action)?),
            None => Cow::Borrowed(entities),
        };
        let request = cedar_policy::Request::new(principal, declared.uid.clone(), resource, context, Some(schema));
        Ok(Asked { request: request.map_err(|error| invalid(&error))?, entities })
    }

    fn context(&self, action: &Action, declared: &Declared) -> Result<Map<String, Value>, Refused> {
        match self.context {
            Context::Action => members(action, &declared.context),
            Context::Arguments => match arguments(action)? {
                Value::Object(arguments) => Ok(arguments),
                _ => Err(Refused::Unfit("the arguments are no object".to_owned())),
            },
        }
    }
}

fn uid(name: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(name.clone(), EntityId::new(id))
}

fn unfit(error: &dyn std::error::Error) -> Refused {
    Refused::Unfit(chain(error))
}

fn invalid(error: &RequestValidationError) -> Refused {
    match error {
        // Cedar's words quote the whole context.
        RequestValidationError::InvalidContext(_) => {
            Refused::Unfit("the arguments or attributes are not of the declared types".to_owned())
        }
        error => unfit(error),
    }
}

fn members(action: &Action, members: &Members) -> Result<Map<String, Value>, Refused> {
    let mut context = Map::new();
    if members.arguments {
        context.insert("arguments".to_owned(), arguments(action)?);
    }
    if let Some(names) = &members.attributes {
        let declared = action.attributes.iter().filter(|attribute| names.contains(&attribute.name));
        let attributes = declared.map(|attribute| (attribute.name.clone(), value(&attribute.value)));
        context.insert("attributes".to_owned(), Value::Object(attributes.collect()));
    }
    if members.labels {
        context.insert("labels".to_owned(), json!(action.labels));
    }
    if members.session {
        context.insert("session".to_owned(), json!(action.session));
    }
    let ms = action.time_ns / 1_000_000;
    match members.time {
        Some(Time::Milliseconds) => context.insert("time".to_owned(), json!(ms)),
        Some(Time::Datetime) => context.insert("time".to_owned(), json!(datetime::text(ms))),
        None => None,
    };
    Ok(context)
}

fn value(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::Boolean(value) => json!(value),
        AttributeValue::Integer(value) => json!(value),
        AttributeValue::Text(value) => json!(value),
        AttributeValue::Texts(values) => json!(values),
    }
}

fn arguments(action: &Action) -> Result<Value, Refused> {
    let arguments: Value = serde_json::from_str(&action.arguments)
        .map_err(|_| Refused::Unfit("the arguments cannot be read: they are not JSON, or too deep".to_owned()))?;
    let mut pointer = String::new();
    match foreign(&arguments, &mut pointer) {
        Some(what) => Err(Refused::Unfit(format!("the argument `{pointer}` {what}"))),
        None => Ok(arguments),
    }
}

/// What Cedar has no value for, or takes for something else; `pointer` is left
/// there.
fn foreign(value: &Value, pointer: &mut String) -> Option<String> {
    match value {
        Value::Null => Some("is null, which Cedar does not have".to_owned()),
        Value::Number(number) if number.as_i64().is_none() => {
            Some(format!("is {number}; Cedar has whole numbers of 64 bits"))
        }
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(index, item)| below(&index.to_string(), item, pointer))
        }
        Value::Object(members) => members.iter().find_map(|(name, value)| match ESCAPES.contains(&name.as_str()) {
            true => Some(format!("has a member `{name}`, which Cedar takes for its own")),
            false => below(name, value, pointer),
        }),
        _ => None,
    }
}

fn below(name: &str, value: &Value, pointer: &mut String) -> Option<String> {
    let length = pointer.len();
    pointer.push('/');
    pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
    let found = foreign(value, pointer);
    if found.is_none() {
        pointer.truncate(length);
    }
    found
}

/// The entities with the agent in its roles, beside what it is in already.
fn with_roles(
    entities: &Entities,
    principal: &EntityUid,
    role: &EntityTypeName,
    action: &Action,
) -> Result<Entities, Refused> {
    let roles = action.attributes.iter().find(|attribute| attribute.name == ROLES).map(|attribute| &attribute.value);
    let roles = match roles {
        Some(AttributeValue::Texts(roles)) => roles,
        Some(_) => return Err(Refused::Unfit("needs the attribute `roles` to be a list of texts".to_owned())),
        None => return Err(Refused::Unfit("needs the attribute `roles`, which is missing".to_owned())),
    };
    let agent = entities.get(principal).cloned().unwrap_or_else(|| Entity::with_uid(principal.clone()));
    let mut agent = agent.as_ref().clone();
    for name in roles {
        agent.add_parent(uid(role, name).as_ref().clone());
    }
    entities.clone().upsert_entities([Entity::from(agent)], None).map_err(|error| unfit(&error))
}

//! The TOML text and what is wrong with it.

use std::str::FromStr as _;

use cedar_policy::{Entities, EntityTypeName, Schema};
use toml::Spanned;
use vak_sdk::policy::ConfigError;

use crate::complexity::too_complex;
use crate::embedded::{Embedded, Problem};
use crate::known::Known;
use crate::request::{Context, Mapping};
use crate::rules::Rules;

/// Bytes of a configuration. Refused before anything is read.
pub(crate) const CONFIG_BYTES_MAX: usize = 4 << 20;

/// Entities. Where agents get their roles as parents, a call copies the table
/// of them.
pub(crate) const ENTITIES_MAX: usize = 10_000;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    summary: String,
    policies: Spanned<String>,
    schema: Spanned<String>,
    entities: Option<Spanned<String>>,
    #[serde(default)]
    request: Request,
}

#[derive(serde::Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Request {
    principal: Option<Spanned<String>>,
    action: Option<Spanned<String>>,
    resource: Option<Spanned<String>>,
    roles: Option<Spanned<String>>,
    context: Context,
    unknown_action: Unknown,
}

/// What is said of an action that the schema does not know.
#[derive(serde::Deserialize, Debug, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Unknown {
    /// It is forbidden.
    #[default]
    Forbid,
    /// Nothing.
    Abstain,
}

/// A checked configuration.
pub(crate) struct Config {
    pub(crate) summary: String,
    pub(crate) rules: Rules,
    pub(crate) schema: Schema,
    pub(crate) entities: Entities,
    pub(crate) mapping: Mapping,
    pub(crate) unknown_action: Unknown,
}

/// Reads and checks a configuration.
pub(crate) fn parse(text: &str) -> Result<Config, ConfigError> {
    if text.len() > CONFIG_BYTES_MAX {
        let message = format!("the configuration has {} bytes; the most is {CONFIG_BYTES_MAX}", text.len());
        return Err(ConfigError { message, line: None, column: None });
    }
    let document =
        toml::from_str(text).map_err(|error| Problem::new(error.span().map_or(0, |span| span.start), error.message()));
    document.and_then(|document| check(text, document)).map_err(|problem| problem.located(text))
}

fn check(config: &str, document: Document) -> Result<Config, Problem> {
    let schema_text = Embedded::new(config, &document.schema);
    let schema = schema(&schema_text)?;
    let rules = Rules::parse(&Embedded::new(config, &document.policies), &schema)?;
    let entities = match &document.entities {
        Some(text) => entities(&Embedded::new(config, text), &schema)?,
        None => schema.action_entities().map_err(|error| schema_text.diagnosed(&error))?,
    };
    let mapping = mapping(&schema_text, document.request, &schema)?;
    let (mapping, unknown_action) = mapping;
    Ok(Config { summary: document.summary, rules, schema, entities, mapping, unknown_action })
}

fn schema(text: &Embedded<'_>) -> Result<Schema, Problem> {
    let schema = match text.text.trim_start().starts_with('{') {
        true => Schema::from_json_str(text.text).map_err(|error| text.diagnosed(&error))?,
        false => {
            if let Some((at, why)) = too_complex(text.text) {
                return Err(text.problem(Some(at), why));
            }
            let (schema, _) = Schema::from_cedarschema_str(text.text).map_err(|error| text.diagnosed(&error))?;
            schema
        }
    };
    match schema.is_complete() {
        true => Ok(schema),
        false => Err(text.problem(None, "`external` declarations leave open what policies mean; declare all of it")),
    }
}

fn entities(text: &Embedded<'_>, schema: &Schema) -> Result<Entities, Problem> {
    let entities = Entities::from_json_str(text.text, Some(schema)).map_err(|error| text.diagnosed(&error))?;
    match entities.len() {
        0..=ENTITIES_MAX => Ok(entities),
        count => Err(text.problem(None, format!("{count} entities with those of actions; the most is {ENTITIES_MAX}"))),
    }
}

fn mapping(schema_text: &Embedded<'_>, request: Request, schema: &Schema) -> Result<(Mapping, Unknown), Problem> {
    let named = |key: &str, value: Option<Spanned<String>>, default: &str| {
        let at = value.as_ref().map(|value| value.span().start);
        let text = value.map_or_else(|| default.to_owned(), Spanned::into_inner);
        let problem = move |message: String| match at {
            Some(at) => Problem::new(at, message),
            None => schema_text.problem(None, message),
        };
        let name = EntityTypeName::from_str(&text);
        name.map(|name| (name, problem)).map_err(|_| problem(format!("`{text}` is no name of a type for `{key}`")))
    };
    let entity_type = |key: &str, value: Option<Spanned<String>>, default: &str| {
        let (name, problem) = named(key, value, default)?;
        match schema.entity_types().any(|other| *other == name) {
            true => Ok((name, problem)),
            false => Err(problem(format!("the schema has no entity type `{name}`; declare it, or set `{key}`"))),
        }
    };
    let (principal, _) = entity_type("principal", request.principal, "Agent")?;
    let (resource, _) = entity_type("resource", request.resource, "Resource")?;
    let (action, problem) = named("action", request.action, "Action")?;
    let roles = request.roles.map(|roles| entity_type("roles", Some(roles), "")).transpose()?;
    let roles = roles.map(|(role, problem)| {
        let may_be_parent = schema.ancestors(&principal).is_some_and(|mut ancestors| ancestors.any(|it| *it == role));
        match may_be_parent {
            true => Ok(role),
            false => {
                Err(problem(format!("`{principal}` cannot be in `{role}`; declare `entity {principal} in [{role}]`")))
            }
        }
    });
    let known = Known::of(schema, &principal, &action, &resource);
    if known.is_empty() {
        let message = format!("no action `{action}::\"…\"` of the schema applies to `{principal}` and `{resource}`");
        return Err(problem(message));
    }
    let mapping = Mapping { principal, resource, roles: roles.transpose()?, context: request.context, known };
    Ok((mapping, request.unknown_action))
}

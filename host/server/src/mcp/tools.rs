//! Which tools the client is shown, and what their names mean.

use std::collections::HashSet;
use std::sync::Arc;

use rmcp::model::{JsonObject, Tool};
use serde_json::Value;
use vak::Host;
use vak_types::{AgentId, Json, Name, Operation, printable};

use super::described::Describes;

/// How the names of the host's skills begin, and no upstream's tool's.
pub(crate) const SKILL_PREFIX: &str = "vak_";

/// Longest quote of a name in the gateway's own log, in bytes.
const NAME_BYTES_MAX: usize = 128;

/// How the operations begin that are not a tool's: `files/resources/read` is
/// the reading of a resource.
const RESERVED: [&str; 2] = ["resources/", "prompts/"];

/// Whether no tool of an upstream may have this name.
pub(crate) fn is_reserved(tool: &str) -> bool {
    RESERVED.iter().any(|prefix| tool.starts_with(prefix))
}

/// Who is to do a call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Target<'a> {
    /// The skill with this name.
    Skill(&'a str),
    /// The upstream.
    Upstream,
}

impl<'a> Target<'a> {
    /// Only the name decides, never what the upstream lists: that can change
    /// between a listing and a call.
    pub(crate) fn of(tool: &'a str) -> Self {
        tool.strip_prefix(SKILL_PREFIX).map_or(Self::Upstream, Self::Skill)
    }
}

/// The upstream's tools that can be called, each once.
pub(crate) fn callable(upstream: &Name, tools: Vec<Tool>) -> Vec<Tool> {
    each_once(upstream, tools, |name| match () {
        () if Target::of(name) != Target::Upstream => Some("names that begin with `vak_` are the host's"),
        () if is_reserved(name) => Some("such names are those of resources and prompts"),
        () => None,
    })
}

/// Those whose names can be used, each once, and for which there is no `reason` to
/// leave them out.
pub(crate) fn each_once<T: Describes>(
    upstream: &Name,
    mut listed: Vec<T>,
    reason: impl Fn(&str) -> Option<&'static str>,
) -> Vec<T> {
    let mut seen = HashSet::new();
    listed.retain(|item| {
        let name = item.name();
        let left_out = match reason(name) {
            Some(reason) => reason,
            None if name.is_empty() => "it has no name",
            None if format!("{upstream}/{name}").parse::<Operation>().is_err() => "its name is not plain or too long",
            None if !seen.insert(name.to_owned()) => "it is listed twice",
            None => return true,
        };
        let (what, name) = (T::WHAT, printable(name, NAME_BYTES_MAX));
        tracing::warn!(%upstream, %what, %name, "something of the upstream is left out: {left_out}");
        false
    });
    listed
}

/// Whether this agent could ever be allowed to call this tool. Where its names do
/// not fit into an action, it could not.
pub(crate) fn may_ever(host: &Host, agent: &AgentId, upstream: &Name, tool: &str) -> bool {
    let names = (format!("{upstream}/{tool}").parse(), format!("mcp:{upstream}/{tool}").parse());
    matches!(names, (Ok(operation), Ok(resource)) if host.may_ever(agent, &operation, &resource))
}

/// The host's skills as tools, those that this agent could ever be allowed to call.
pub(crate) fn skills(host: &Host, agent: &AgentId) -> Vec<Tool> {
    let skills = host.skills();
    let may_ever = |name: &Name| {
        let names = (format!("skill/{name}").parse(), format!("skill:{name}").parse());
        matches!(names, (Ok(operation), Ok(resource)) if host.may_ever(agent, &operation, &resource))
    };
    let tools = skills.iter().filter(|(name, _)| may_ever(name)).map(|(name, skill)| {
        let described = skill.tool();
        let name = format!("{SKILL_PREFIX}{name}");
        let mut tool = Tool::new(name, described.description.clone(), object(&described.input_schema));
        // A client checks results against the schema, and only objects are
        // sent as structured content.
        let output = described.output_schema.as_ref().map(object);
        tool.output_schema = output.filter(|schema| schema.get("type") == Some(&"object".into())).map(Arc::new);
        tool
    });
    tools.collect()
}

fn object(schema: &Json) -> JsonObject {
    match schema.to_value() {
        Value::Object(schema) => schema,
        // A skill with another schema is not loaded.
        _ => JsonObject::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_out_what_could_be_taken_for_something_else() {
        let files: Name = "files".parse().unwrap_or_else(|error| unreachable!("{error}"));
        let long = "x".repeat(300);
        let names = [
            "read",
            "vak_calculator",
            "vak_other",
            "a\nb",
            "a\u{202e}b",
            "",
            "resources/read",
            "prompts/get",
            &long,
            "read",
            "Read",
        ];
        let tools = names.iter().map(|name| Tool::new(name.to_string(), "", JsonObject::new())).collect();
        let kept: Vec<_> = callable(&files, tools).into_iter().map(|tool| tool.name).collect();
        assert_eq!(kept, ["read", "Read"]);
        assert_eq!(Target::of("vak_x"), Target::Skill("x"));
        assert_eq!(Target::of("vak"), Target::Upstream);
    }
}

//! `[mcp]`: the gateway.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use vak_types::{AgentId, Name, Person};

use super::ConfigError;

/// Upstreams behind one gateway. Each is a process or a connection; no model
/// chooses well among the tools of more.
const UPSTREAMS_MAX: usize = 32;

/// How the host's own tools are called, and the operations of its skills.
const RESERVED: [&str; 2] = ["vak", "skill"];

/// The MCP gateway.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Mcp {
    /// The agent that a client of the gateway acts as. What a client says of
    /// itself proves nothing, so the operator says it. Where only `vak serve` calls
    /// the upstreams it can be left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentId>,
    /// The person who sits before the client. A client that can ask its user
    /// (elicitation) is asked to put to them what is escalated, and their yes counts
    /// as this person's. Nobody is asked if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Person>,
    /// The name of the upstream whose command `vak mcp` is given: its tool `x`
    /// is the operation `NAME/x`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<Name>,
    /// Upstreams that are always there. With any of them, the tool `x` of the
    /// upstream `files` is offered as `files_x`; its operation is `files/x`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub upstreams: Vec<Upstream>,
    /// The upstreams whose results are believed. What others have said marks the
    /// later actions of a session with the label `untrusted-NAME`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trusted: Vec<Name>,
    /// Milliseconds an upstream may take to start.
    #[serde(default = "start_ms")]
    pub start_ms: u64,
    /// Milliseconds an upstream may take for a call.
    #[serde(default = "call_ms")]
    pub call_ms: u64,
}

/// An MCP server behind the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// Its name.
    pub name: Name,
    /// The program to start and its arguments, found and run as a shell would
    /// in the gateway's working directory. This or `url`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// The address of a server that speaks streamable HTTP. This or `command`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The file with the bearer token for `url`, where it wants one. Read whenever the
    /// upstream is started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<PathBuf>,
    /// The PEM file with the authorities that certify `url`, for one of your own: no
    /// other is believed there. Those of Mozilla if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
}

/// A package runner may have to download the upstream first.
fn start_ms() -> u64 {
    30_000
}

/// What MCP clients wait for by themselves is a minute at the most.
fn call_ms() -> u64 {
    60_000
}

impl Mcp {
    /// The names of all upstreams, the one that is named on its own first.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.upstream.iter().chain(self.upstreams.iter().map(|upstream| &upstream.name))
    }

    /// Whether tools are offered under their upstream's name.
    pub fn prefixes(&self) -> bool {
        !self.upstreams.is_empty()
    }

    pub(super) fn checked(&self) -> Result<(), ConfigError> {
        let refuse = |message: String| Err(ConfigError::Mcp(message));
        if self.upstreams.len() > UPSTREAMS_MAX {
            return refuse(format!("there are {} upstreams; the most is {UPSTREAMS_MAX}", self.upstreams.len()));
        }
        let mut seen = BTreeSet::new();
        for name in self.names() {
            // What is offered as `a_b_c` is the tool `b_c` of `a`, and of nobody else.
            if self.prefixes() && name.as_str().contains('_') {
                return refuse(format!(
                    "the upstream `{name}` has `_` in its name, which ends it in a tool's name; use `-`"
                ));
            }
            if RESERVED.iter().any(|reserved| name.as_str().eq_ignore_ascii_case(reserved)) {
                return refuse(format!(
                    "an upstream cannot be called `{name}`: that is how the host calls its own tools"
                ));
            }
            if !seen.insert(name.as_str().to_ascii_lowercase()) {
                return refuse(format!("two upstreams are called `{name}`; rename one"));
            }
        }
        if let Some(name) = self.trusted.iter().find(|name| !self.names().any(|other| other == *name)) {
            return refuse(format!("`{name}` is trusted, and no upstream is called so"));
        }
        for Upstream { name, command, url, token, ca } in &self.upstreams {
            match (command.is_empty(), url) {
                (true, None) => return refuse(format!("the upstream `{name}` has neither a `command` nor a `url`")),
                (false, Some(_)) => {
                    return refuse(format!("the upstream `{name}` has a `command` and a `url`; leave one out"));
                }
                (false, None) if token.is_some() || ca.is_some() => {
                    return refuse(format!("the upstream `{name}` has a `token` or a `ca`, which are for a `url`"));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

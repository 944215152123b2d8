//! `[server]`

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use vak_types::{AgentId, Digest, Name, Pattern, Person};

/// More tokens than an operator keeps track of; what is kept for each is
/// bounded, so this bounds all of it.
const TOKENS_MAX: usize = 256;

/// Where the server listens if it is not told.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8_787);

/// The HTTP server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// The address. Loopback if it is left out, or none if there is a `socket`.
    pub listen: Option<SocketAddr>,
    /// A Unix socket, for what runs beside the host as the same user.
    pub socket: Option<Socket>,
    /// What it shows to clients, and wants to see of them.
    pub tls: Option<Tls>,
    /// What it takes of clients, and for how long.
    #[serde(default)]
    pub limits: ServerLimits,
    /// Who may do what. May change while the host runs; nothing else here may.
    #[serde(default)]
    pub tokens: Vec<Token>,
}

/// A Unix socket that only the host's user can open.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Socket {
    /// Its path.
    pub path: PathBuf,
    /// What whoever can open it may do without a token; nothing if it is left
    /// out.
    #[serde(default)]
    pub scopes: BTreeSet<Scope>,
    /// The agents that it then may act as.
    #[serde(default)]
    pub agents: Vec<Pattern<AgentId>>,
}

/// TLS on the address. PEM files.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The server's certificate and those that lead to its authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The authorities whose certificates a client has to show; none if it is
    /// left out. A token is needed all the same.
    pub client_ca: Option<PathBuf>,
}

/// A bearer token, as `vak token new` makes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Its name: action ids and sessions belong to it.
    pub name: Name,
    /// The SHA-256 of the token. The token itself is nowhere.
    pub digest: Digest,
    /// What it is good for.
    pub scopes: BTreeSet<Scope>,
    /// The agents that its holder may act as. For `mcp` it is one: clients of that
    /// protocol say of themselves whatever they like.
    #[serde(default)]
    pub agents: Vec<Pattern<AgentId>>,
    /// The person who sits before the MCP client that has it, as `mcp.person` for
    /// `vak mcp`. Nobody is asked there if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Person>,
}

/// What a token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Ask for decisions, and say what came of them.
    Decide,
    /// Have the host run skills and call tools.
    Execute,
    /// Speak MCP at `/mcp`.
    Mcp,
    /// Read the metrics.
    Metrics,
    /// Answer as a person what was escalated. Nobody who has this may decide or
    /// execute: who asks does not answer.
    Approve,
}

impl Scope {
    /// Whether who has it asks for something to happen.
    fn acts(self) -> bool {
        matches!(self, Self::Decide | Self::Execute | Self::Mcp)
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Decide => "decide",
            Self::Execute => "execute",
            Self::Mcp => "mcp",
            Self::Metrics => "metrics",
            Self::Approve => "approve",
        }
    }
}

/// What the server takes of clients, and for how long.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerLimits {
    /// Connections at the same time; for the socket as many again.
    pub connections_max: usize,
    /// Headers of a request.
    pub headers_max: usize,
    /// Bytes of all its headers; at least 1,024.
    pub header_bytes_max: usize,
    /// Bytes of its body.
    pub body_bytes_max: usize,
    /// Milliseconds for a TLS handshake, and for headers, counted from when the
    /// last answer was sent.
    pub headers_ms: u64,
    /// Milliseconds for a body.
    pub body_ms: u64,
    /// Milliseconds for a request as a whole, beside those that it may take to call a
    /// tool (`mcp.start_ms` and `mcp.call_ms`); and for each part of an answer.
    pub request_ms: u64,
    /// Seconds that an allowed action waits for its outcome.
    pub outcome_s: u64,
    /// Allowed actions of one agent that wait for it. Those that wait longest
    /// give way.
    pub waiting_per_agent_max: usize,
    /// Allowed actions that wait in all.
    pub waiting_max: usize,
    /// Seconds for which a request with an `id` is answered as it was before.
    pub ids_s: u64,
    /// How many such requests are remembered of a token.
    pub ids_max: usize,
    /// Milliseconds for connections to end when the server does.
    pub drain_ms: u64,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections_max: 512,
            headers_max: 64,
            header_bytes_max: 16 << 10,
            // The longest arguments there can be, with room for what JSON escapes.
            body_bytes_max: 2 << 20,
            headers_ms: 10_000,
            body_ms: 10_000,
            request_ms: 30_000,
            // As long as a limit holds by itself.
            outcome_s: 60,
            waiting_per_agent_max: 4_096,
            // Some 500 bytes each.
            waiting_max: 32_768,
            ids_s: 600,
            // Some 1,500 bytes each.
            ids_max: 8_192,
            drain_ms: 2_000,
        }
    }
}

/// What of `[server]` can't be meant so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServerError {
    /// Others could reach it.
    #[error(
        "`server.listen = \"{0}\"` is an address that other machines reach; add `[server.tls]` and `[[server.tokens]]`, \
         or listen on 127.0.0.1 or [::1]"
    )]
    Reachable(SocketAddr),
    /// TLS for nobody.
    #[error("`[server.tls]` is for an address, and there is a `socket` only; add `listen`, or leave `tls` out")]
    TlsOfSocket,
    /// Too many tokens.
    #[error("`server.tokens` has {0} tokens; the most is {TOKENS_MAX}")]
    Tokens(usize),
    /// Two tokens could not be told apart.
    #[error("two of `server.tokens` have the name or the digest of `{0}`; each needs its own")]
    Same(Name),
    /// It would be good for nothing.
    #[error("{0} may do nothing: give it `scopes`, and `agents` for all but `metrics`")]
    Powerless(String),
    /// It could answer its own questions.
    #[error(
        "{0} may `approve`, and ask for decisions too; give a person a token of their own, good for `approve` alone"
    )]
    Own(String),
    /// Nobody knows whose calls they were.
    #[error(
        "{0} is for `mcp`, so it has to name the one agent that its calls are of: `agents = [\"NAME\"]`, and no `*`"
    )]
    Agent(String),
    /// There is no client that they could sit before.
    #[error("the token `{0}` names a `person`, and is not for `mcp`; add the scope, or leave `person` out")]
    Person(Name),
    /// A limit that nothing fits in.
    #[error("`server.limits.{0}` is too small; it has to be at least {1}")]
    TooSmall(&'static str, u64),
}

impl Socket {
    /// The agent that clients of MCP act as, if it is for those.
    pub fn mcp(&self) -> Option<&AgentId> {
        only(&self.agents).filter(|_| self.scopes.contains(&Scope::Mcp))
    }
}

impl Token {
    /// Whether it is good for what it can be meant for.
    ///
    /// # Errors
    /// It is good for nothing, or for too much.
    pub fn check(&self) -> Result<(), ServerError> {
        let who = || format!("the token `{}`", self.name);
        if self.scopes.is_empty() || (needs_agents(&self.scopes) && self.agents.is_empty()) {
            return Err(ServerError::Powerless(who()));
        }
        if self.scopes.contains(&Scope::Approve) && self.scopes.iter().any(|scope| scope.acts()) {
            return Err(ServerError::Own(who()));
        }
        match (self.scopes.contains(&Scope::Mcp), self.mcp(), &self.person) {
            (true, None, _) => Err(ServerError::Agent(who())),
            (false, _, Some(_)) => Err(ServerError::Person(self.name.clone())),
            _ => Ok(()),
        }
    }

    /// The agent that clients of MCP act as, if it is for those.
    pub fn mcp(&self) -> Option<&AgentId> {
        only(&self.agents).filter(|_| self.scopes.contains(&Scope::Mcp))
    }
}

impl Server {
    /// The address to listen on, if there is one.
    pub fn address(&self) -> Option<SocketAddr> {
        match (&self.listen, &self.socket) {
            (None, Some(_)) => None,
            (listen, _) => Some(listen.unwrap_or(LISTEN)),
        }
    }

    /// Whether it is the same but for its tokens.
    pub(crate) fn same_but_tokens(&self, other: &Self) -> bool {
        let without = |server: &Self| Self { tokens: Vec::new(), ..server.clone() };
        without(self) == without(other)
    }

    pub(crate) fn check(&self) -> Result<(), ServerError> {
        match self.address() {
            Some(address) if !address.ip().is_loopback() && (self.tls.is_none() || self.tokens.is_empty()) => {
                return Err(ServerError::Reachable(address));
            }
            None if self.tls.is_some() => return Err(ServerError::TlsOfSocket),
            _ => {}
        }
        self.tokens()?;
        if let Some(socket) = &self.socket
            && socket.scopes.contains(&Scope::Approve)
        {
            // Whoever can open it has no name.
            return Err(ServerError::Own("whoever opens `server.socket`".to_owned()));
        }
        if let Some(socket) = &self.socket {
            let who = || "whoever opens `server.socket`".to_owned();
            if needs_agents(&socket.scopes) && socket.agents.is_empty() {
                return Err(ServerError::Powerless(who()));
            }
            if socket.scopes.contains(&Scope::Mcp) && socket.mcp().is_none() {
                return Err(ServerError::Agent(who()));
            }
        }
        self.limits.check()
    }

    fn tokens(&self) -> Result<(), ServerError> {
        if self.tokens.len() > TOKENS_MAX {
            return Err(ServerError::Tokens(self.tokens.len()));
        }
        let (mut names, mut digests) = (BTreeSet::new(), BTreeSet::new());
        for token in &self.tokens {
            if !names.insert(&token.name) || !digests.insert(token.digest) {
                return Err(ServerError::Same(token.name.clone()));
            }
            token.check()?;
        }
        Ok(())
    }
}

/// The agent, if these are the name of one.
fn only(agents: &[Pattern<AgentId>]) -> Option<&AgentId> {
    match agents {
        [agent] => agent.name(),
        _ => None,
    }
}

fn needs_agents(scopes: &BTreeSet<Scope>) -> bool {
    scopes.iter().any(|scope| *scope != Scope::Metrics)
}

impl ServerLimits {
    fn check(&self) -> Result<(), ServerError> {
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let least = [
            ("connections_max", count(self.connections_max), 1),
            ("headers_max", count(self.headers_max), 8),
            ("header_bytes_max", count(self.header_bytes_max), 1_024),
            ("body_bytes_max", count(self.body_bytes_max), 1),
            ("headers_ms", self.headers_ms, 1),
            ("body_ms", self.body_ms, 1),
            ("request_ms", self.request_ms, 1),
            ("outcome_s", self.outcome_s, 1),
            ("waiting_per_agent_max", count(self.waiting_per_agent_max), 1),
            ("waiting_max", count(self.waiting_max), 1),
            ("ids_s", self.ids_s, 1),
            ("ids_max", count(self.ids_max), 1),
        ];
        match least.into_iter().find(|(_, value, least)| value < least) {
            Some((name, _, least)) => Err(ServerError::TooSmall(name, least)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<Option<&str>, &str>) {
        let server: Server = toml::from_str(text).unwrap();
        let written = toml::to_string(&server).unwrap();
        assert_eq!(toml::from_str::<Server>(&written).unwrap(), server, "{written}");
        let checked = server.check().map_err(|error| error.to_string());
        match (checked, expected) {
            (Ok(()), Ok(address)) => assert_eq!(server.address().map(|it| it.to_string()).as_deref(), address),
            (Err(error), Err(part)) => assert!(error.contains(part), "{error}"),
            (checked, expected) => panic!("{text}: {checked:?}, and not {expected:?}"),
        }
    }

    fn token(name: &str, of: &str) -> String {
        let digest = Digest::of(of.as_bytes());
        format!("[[tokens]]\nname = '{name}'\ndigest = '{digest}'\nscopes = ['decide']\nagents = ['ada']\n")
    }

    #[test]
    fn nobody_else_reaches_it_by_accident() {
        let (tls, token) = ("[tls]\ncertificate = 'a'\nkey = 'b'\n", token("app", "1"));
        check("", Ok(Some("127.0.0.1:8787")));
        check("listen = '[::1]:1'", Ok(Some("[::1]:1")));
        check("socket = { path = 'vak.sock' }", Ok(None));
        check(&format!("socket = {{ path = 'vak.sock' }}\n{tls}"), Err("`tls` out"));
        for address in ["0.0.0.0:80", "192.168.0.1:80", "[::]:80"] {
            let listen = format!("listen = '{address}'\n");
            for more in [String::new(), tls.to_owned(), token.clone()] {
                check(&(listen.clone() + &more), Err("other machines reach"));
            }
            check(&(listen + tls + &token), Ok(Some(address)));
        }
    }

    #[test]
    fn a_token_is_good_for_something_and_no_other() {
        check(&(token("a", "1") + &token("b", "2")), Ok(Some("127.0.0.1:8787")));
        check(&(token("a", "1") + &token("a", "2")), Err("the name or the digest of `a`"));
        check(&(token("a", "1") + &token("b", "1")), Err("the name or the digest of `b`"));
        check(&token("a", "1").replace("['ada']", "[]"), Err("the token `a` may do nothing"));
        check(&token("a", "1").replace("['decide']", "[]"), Err("the token `a` may do nothing"));
        check(&token("a", "1").replace("decide", "metrics").replace("['ada']", "[]"), Ok(Some("127.0.0.1:8787")));
        check("socket = { path = 'vak.sock', scopes = ['execute'] }", Err("whoever opens `server.socket`"));
        check(&token("a", "1").replace("['decide']", "['approve', 'metrics']"), Ok(Some("127.0.0.1:8787")));
        for more in ["decide", "execute", "mcp"] {
            let both = format!("['approve', '{more}']");
            check(&token("a", "1").replace("['decide']", &both), Err("the token `a` may `approve`, and ask"));
        }
        check(
            "socket = { path = 'vak.sock', scopes = ['approve'], agents = ['*'] }",
            Err("whoever opens `server.socket`"),
        );
        let mcp = token("a", "1").replace("decide", "mcp");
        check(&mcp, Ok(Some("127.0.0.1:8787")));
        check(&format!("{mcp}person = 'grace'"), Ok(Some("127.0.0.1:8787")));
        check(&format!("{}person = 'grace'", token("a", "1")), Err("the token `a` names a `person`"));
        for agents in ["[]", "['*']", "['a*']", "['ada', 'bob']"] {
            let problem = if agents == "[]" { "may do nothing" } else { "the one agent" };
            check(&mcp.replace("['ada']", agents), Err(problem));
            check(&format!("socket = {{ path = 'vak.sock', scopes = ['mcp'], agents = {agents} }}"), Err(problem));
        }
        check("limits = { request_ms = 0 }", Err("`server.limits.request_ms` is too small"));
    }
}

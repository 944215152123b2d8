//! Who asks, and what they may do.

use std::collections::{BTreeSet, HashMap};
use std::marker::PhantomData;
use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::FromRequestParts;
use hyper::HeaderMap;
use hyper::http::request::Parts;
use vak::config::Scope;
use vak::{AgentId, Config, Person};
use vak_serving::bearer;
use vak_types::{Digest, Pattern};

use super::problem::{Kind, Problem};
use super::state::Shared;
use crate::mcp::Client;

/// What comes before the name of a token.
const TOKEN: &str = "token/";

/// The way a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    Address,
    Socket,
}

/// Who asks: the holder of a token, or whoever can open the socket.
#[derive(Debug)]
pub(crate) struct Who {
    /// Its name. Ids and sessions are apart by it.
    pub(crate) space: Arc<str>,
    scopes: BTreeSet<Scope>,
    agents: Vec<Pattern<AgentId>>,
    /// As whom it speaks MCP.
    mcp: Option<Client>,
}

impl Who {
    fn new(
        space: Arc<str>,
        scopes: &BTreeSet<Scope>,
        agents: &[Pattern<AgentId>],
        mcp: Option<(&AgentId, Option<&Person>)>,
    ) -> Arc<Self> {
        let mcp = mcp.map(|(agent, person)| Client {
            agent: agent.clone(),
            person: person.cloned(),
            credential: Arc::clone(&space),
        });
        Arc::new(Self { space, scopes: scopes.clone(), agents: agents.to_vec(), mcp })
    }

    fn may(&self, scope: Scope) -> Result<(), Problem> {
        match self.scopes.contains(&scope) {
            true => Ok(()),
            false => {
                let detail = format!("it lacks the scope `{}`; add it in `server.tokens`", scope.word());
                Err(Problem::new(Kind::Scope, detail))
            }
        }
    }

    /// Who it is, where it is a person: the name of the token.
    pub(crate) fn person(&self) -> &str {
        self.space.strip_prefix(TOKEN).unwrap_or(&self.space)
    }

    /// Whether it may act as `agent`, or answer for it.
    pub(crate) fn acts_as(&self, agent: &AgentId) -> Result<(), Problem> {
        match Pattern::any(&self.agents, agent) {
            true => Ok(()),
            false => Err(Problem::new(Kind::Agent, "`agent` is none of those it may act as")),
        }
    }
}

/// Everybody known, as the configuration that decides says it.
pub(crate) struct Authority(RwLock<Known>);

struct Known {
    config: Arc<Config>,
    tokens: HashMap<Digest, Arc<Who>>,
    socket: Option<Arc<Who>>,
}

impl Known {
    fn of(config: &Arc<Config>) -> Self {
        let mut known = Self { tokens: HashMap::new(), socket: None, config: Arc::clone(config) };
        let Some(server) = &config.server else { return known };
        known.tokens = server
            .tokens
            .iter()
            .map(|token| {
                let mcp = token.mcp().map(|agent| (agent, token.person.as_ref()));
                let space = format!("{TOKEN}{}", token.name).into();
                (token.digest, Who::new(space, &token.scopes, &token.agents, mcp))
            })
            .collect();
        known.socket = server.socket.as_ref().filter(|socket| !socket.scopes.is_empty()).map(|socket| {
            Who::new("socket".into(), &socket.scopes, &socket.agents, socket.mcp().map(|agent| (agent, None)))
        });
        known
    }

    fn who(&self, token: Option<&[u8]>, via: Via) -> Option<Arc<Who>> {
        match (token, via) {
            // By its digest: how long that takes says nothing of the token.
            (Some(token), _) => self.tokens.get(&Digest::of(token)).cloned(),
            (None, Via::Socket) => self.socket.clone(),
            (None, Via::Address) => None,
        }
    }
}

impl Authority {
    pub(crate) fn new(config: &Arc<Config>) -> Self {
        Self(RwLock::new(Known::of(config)))
    }

    /// Who asks, as `config` knows them. A token that is not known is not taken
    /// for none.
    fn who(&self, config: &Arc<Config>, headers: &HeaderMap, via: Via) -> Result<Arc<Who>, Problem> {
        let token = bearer::token(headers).map_err(|_| unauthorized())?;
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let who = match Arc::ptr_eq(&known.config, config) {
            true => known.who(token, via),
            false => {
                drop(known);
                let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
                *known = Known::of(config);
                known.who(token, via)
            }
        };
        who.ok_or_else(unauthorized)
    }
}

fn unauthorized() -> Problem {
    Problem::new(Kind::Unauthorized, "send `Authorization: Bearer TOKEN` with a token that `server.tokens` lists")
}

/// A scope as a type, so that it is asked for before a body is read.
pub(crate) trait Right {
    const SCOPE: Scope;
}

pub(crate) struct ToDecide;
pub(crate) struct ToExecute;
pub(crate) struct ToReadMetrics;
pub(crate) struct ToApprove;

impl Right for ToDecide {
    const SCOPE: Scope = Scope::Decide;
}
impl Right for ToExecute {
    const SCOPE: Scope = Scope::Execute;
}
impl Right for ToApprove {
    const SCOPE: Scope = Scope::Approve;
}
impl Right for ToReadMetrics {
    const SCOPE: Scope = Scope::Metrics;
}

/// Somebody known, who may do that.
pub(crate) struct May<R>(pub(crate) Arc<Who>, pub(crate) PhantomData<R>);

impl<R: Right> FromRequestParts<Shared> for May<R> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, server: &Shared) -> Result<Self, Problem> {
        let who = known(parts, server)?;
        who.may(R::SCOPE)?;
        Ok(Self(who, PhantomData))
    }
}

/// Somebody known who may act as an agent, for whatever.
pub(crate) struct Anybody(pub(crate) Arc<Who>);

impl FromRequestParts<Shared> for Anybody {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, server: &Shared) -> Result<Self, Problem> {
        Ok(Self(known(parts, server)?))
    }
}

/// As whom a request to the gateway speaks.
pub(crate) fn mcp_client(parts: &Parts, server: &Shared) -> Result<Client, Problem> {
    let who = known(parts, server)?;
    who.may(Scope::Mcp)?;
    who.mcp.clone().ok_or_else(|| Problem::internal("it speaks MCP as no agent"))
}

fn known(parts: &Parts, server: &Shared) -> Result<Arc<Who>, Problem> {
    let via = parts.extensions.get().copied().unwrap_or(Via::Address);
    server.authority.who(&server.host.config(), &parts.headers, via)
}

//! What a server is asked, as its OpenAPI description has it.

use std::collections::BTreeMap;

use serde::Serialize;
use vak::{Able, ActionId, AgentId, Json, Label, Name, SessionId};
use vak_types::{AttributeValue, Operation, Resource};

use crate::allowed::{Ending, Status};
use crate::asked::{self, Asked, Execute};

#[derive(Serialize)]
pub(super) struct Decide<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a Name>,
    agent: &'a AgentId,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'a SessionId>,
    operation: &'a Operation,
    resource: &'a Resource,
    arguments: &'a Json,
    attributes: &'a BTreeMap<String, AttributeValue>,
    labels: &'a [Label],
    able: AbleTo,
}

#[derive(Serialize)]
struct AbleTo {
    arguments: bool,
    headers: bool,
}

/// How an approved action is carried out.
#[derive(Serialize)]
pub(super) struct Again {
    able: AbleTo,
}

#[derive(Serialize)]
pub(super) struct Run<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a Name>,
    agent: &'a AgentId,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'a SessionId>,
    skill: &'a Name,
    input: &'a Json,
    labels: &'a [Label],
}

/// A framework's message.
#[derive(Serialize)]
pub(super) struct Ingest<'a> {
    agent: &'a AgentId,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'a SessionId>,
    attributes: &'a BTreeMap<String, AttributeValue>,
    labels: &'a [Label],
    event: &'a Json,
}

#[derive(Serialize)]
pub(super) struct Outcome<'a> {
    action: &'a ActionId,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a Json>,
    detail: &'a str,
    spent: BTreeMap<&'a str, u64>,
}

#[derive(Serialize)]
pub(super) struct Session<'a> {
    pub(super) agent: &'a AgentId,
}

/// A person's answer.
#[derive(Serialize)]
pub(super) struct Answer<'a> {
    answer: &'static str,
    note: &'a str,
}

impl<'a> Decide<'a> {
    pub(super) fn new(asked: &'a Asked, id: Option<&'a Name>) -> Self {
        let Asked { agent, session, operation, resource, arguments, attributes, labels, able } = asked;
        let (session, able) = (session.as_ref(), (*able).into());
        Self { id, agent, session, operation, resource, arguments, attributes, labels, able }
    }
}

impl<'a> Run<'a> {
    pub(super) fn new(execute: &'a Execute, id: Option<&'a Name>) -> Self {
        let Execute { agent, session, skill, input, labels } = execute;
        Self { id, agent, session: session.as_ref(), skill, input, labels }
    }
}

impl<'a> Ingest<'a> {
    pub(super) fn new(ingest: &'a asked::Ingest) -> Self {
        let asked::Ingest { adapter: _, agent, session, attributes, labels, event } = ingest;
        Self { agent, session: session.as_ref(), attributes, labels, event }
    }
}

impl<'a> Outcome<'a> {
    pub(super) fn new(action: &'a ActionId, ending: &'a Ending) -> Self {
        let Ending { status, result, detail, spent } = ending;
        let spent = spent.iter().map(|(what, amount)| (what.as_str(), *amount)).collect();
        Self { action, status: *status, result: result.as_ref(), detail, spent }
    }
}

impl Again {
    pub(super) fn new(able: Able) -> Self {
        Self { able: able.into() }
    }
}

impl<'a> Answer<'a> {
    pub(super) fn new(yes: bool, note: &'a str) -> Self {
        Self { answer: if yes { "approve" } else { "reject" }, note }
    }
}

impl From<Able> for AbleTo {
    fn from(Able { arguments, headers }: Able) -> Self {
        Self { arguments, headers }
    }
}

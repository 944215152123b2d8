//! What a server answers, as its OpenAPI description has it.
//!
//! What is not understood is no answer: a member that is missing, a word that is
//! not known, an allow without its receipt.

use serde::Deserialize;
use serde_json::Value;
use vak::{ActionId, Json, SessionId, Verdict};

use crate::approvals::Stands;
use crate::errors::Error;
use crate::verdict;

#[derive(Deserialize)]
pub(super) struct Decided {
    pub(super) action: ActionId,
    pub(super) verdict: Verdict,
    pub(super) arguments: Option<Json>,
    pub(super) receipt: Option<verdict::Told>,
}

#[derive(Deserialize)]
pub(super) struct Ingested {
    pub(super) reply: Json,
    pub(super) actions: Vec<Asked>,
    pub(super) ended: usize,
}

/// One of the actions that a message asks for.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Asked {
    Decided(Box<Decided>),
    Passed { passed: True },
}

/// The word `true`.
#[derive(Deserialize)]
#[serde(try_from = "bool")]
pub(super) struct True;

impl TryFrom<bool> for True {
    type Error = &'static str;

    fn try_from(word: bool) -> Result<Self, Self::Error> {
        word.then_some(Self).ok_or("it was neither decided nor let pass")
    }
}

#[derive(Deserialize)]
pub(super) struct Executed {
    pub(super) action: ActionId,
    pub(super) verdict: Verdict,
    pub(super) receipt: Option<verdict::Told>,
    pub(super) outcome: Option<Ended>,
}

#[derive(Deserialize)]
pub(super) struct Ended {
    pub(super) status: EndStatus,
    pub(super) output: Option<Json>,
    #[serde(default)]
    pub(super) detail: String,
    pub(super) receipt: verdict::Told,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum EndStatus {
    Succeeded,
    Failed,
}

#[derive(Deserialize)]
pub(super) struct Recorded {
    pub(super) receipt: verdict::Told,
}

#[derive(Deserialize)]
pub(super) struct Session {
    pub(super) session: SessionId,
}

#[derive(Deserialize)]
pub(super) struct AllWaiting {
    pub(super) waiting: Vec<Waiting>,
}

#[derive(Deserialize)]
pub(super) struct Waiting {
    pub(super) seq: u64,
    pub(super) action: Value,
    pub(super) verdict: Verdict,
    pub(super) since_ns: u64,
    pub(super) until_ns: u64,
}

#[derive(Deserialize)]
pub(super) struct Standing {
    pub(super) seq: u64,
    pub(super) standing: Stands,
    pub(super) by: Option<String>,
    pub(super) note: Option<String>,
    pub(super) until_ns: Option<u64>,
}

/// Problem details, as RFC 9457 has them.
#[derive(Deserialize)]
pub(super) struct Problem {
    #[serde(rename = "type")]
    kind: String,
    title: String,
    #[serde(default)]
    detail: String,
}

impl Problem {
    /// The exception that a host in this process raises for the same, where there
    /// is one.
    pub(super) fn told(self, status: u16) -> Error {
        let Self { kind, title, detail } = self;
        let kind = kind.strip_prefix("urn:vak:problem:").unwrap_or(&kind).to_owned();
        match kind.as_str() {
            "malformed" | "too-large" => Error::Argument(detail),
            "no-such-decision" => Error::NotOpen,
            "no-such-skill" => Error::NoSuchSkill(detail),
            "no-such-approval" | "approval" | "person" => Error::Approval(detail),
            "not-recorded" => Error::Stopped(detail),
            _ => Error::Problem { kind, status, title, detail },
        }
    }
}

//! On whose behalf calls are made.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use vak::{Caller, Person, SessionId};
use vak_types::{AgentId, Label};

use super::error::McpError;

/// Questions of one session that wait for their answers: as many as the host keeps
/// of an agent.
const QUESTIONS_MAX: usize = 64;

/// What one client does after the other: its agent, the session that its actions
/// belong to, and the person who sits before it.
///
/// What a client was told by an upstream may be in everything that it asks for
/// after that, so the session's later actions are labelled with it, to its end.
#[derive(Debug)]
pub(crate) struct Session {
    agent: AgentId,
    person: Option<Person>,
    id: SessionId,
    /// One for each upstream at the most.
    heard: Mutex<BTreeSet<Label>>,
    /// What the client was told to ask its person: entries of the log, under names that
    /// nobody guesses.
    questions: Mutex<HashMap<String, u64>>,
}

impl Session {
    /// A new one, with a random id: sessions of one agent must not share their
    /// limits by accident or by guess.
    pub(crate) fn new(agent: AgentId, person: Option<Person>) -> Result<Self, McpError> {
        let id = u128::from(getrandom::u64()?) << 64 | u128::from(getrandom::u64()?);
        let id = format!("mcp-{id:032x}").parse()?;
        Ok(Self { agent, person, id, heard: Mutex::default(), questions: Mutex::default() })
    }

    pub(crate) fn agent(&self) -> &AgentId {
        &self.agent
    }

    /// Who may be asked what is escalated.
    pub(crate) fn person(&self) -> Option<&Person> {
        self.person.as_ref()
    }

    /// Whose calls these are, for a sentence.
    pub(crate) fn words(&self) -> String {
        format!("of `{}` in session `{}`", self.agent, self.id)
    }

    /// Who acts now.
    pub(crate) fn caller(&self) -> Caller {
        let labels = self.heard.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect();
        Caller { agent: self.agent.clone(), session: self.id.clone(), labels }
    }

    /// The name under which the client is to bring the answer to what entry `seq`
    /// escalated. `None` if it has as many questions as may be that `wait`.
    pub(crate) fn put(&self, seq: u64, wait: impl Fn(u64) -> bool) -> Option<String> {
        let name = format!("{:016x}{:016x}", getrandom::u64().ok()?, getrandom::u64().ok()?);
        let mut questions = self.questions.lock().unwrap_or_else(PoisonError::into_inner);
        if questions.len() >= QUESTIONS_MAX {
            questions.retain(|_, seq| wait(*seq));
        }
        (questions.len() < QUESTIONS_MAX).then(|| {
            questions.insert(name.clone(), seq);
            name
        })
    }

    /// The entry whose question has this name, once.
    pub(crate) fn answered(&self, name: &str) -> Option<u64> {
        self.questions.lock().unwrap_or_else(PoisonError::into_inner).remove(name)
    }

    /// Marks what comes after this with a label. To be called before the client
    /// is told anything.
    pub(crate) fn hears(&self, label: Label) {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).insert(label);
    }
}

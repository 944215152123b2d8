//! Messages of the frameworks that agents are written in.

use std::sync::Arc;

use vak_pipeline::Able;
use vak_plugin::{AdapterError, Answer, Intake};
use vak_types::{Action, Decision, Json, Name};

use super::{Decided, Host, RecordError};
use crate::frameworks::{Course, Framework, Frameworks};
use crate::inventory::Part;

/// Why a message has no answer. Nothing that it asks for may happen then.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MessageError {
    /// There is no such adapter.
    #[error("there is no adapter `{0}`")]
    Unknown(Name),
    /// The adapter does not understand the message, or failed.
    #[error("adapter `{name}`: {source}")]
    Adapter {
        /// Its name in the configuration.
        name: Name,
        /// What it says.
        source: AdapterError,
    },
    /// The adapter has stopped, since a marketplace withdrew it. The log says so.
    #[error("denied: {0}")]
    Stopped(String),
    /// The same, and the log did not take it.
    #[error("denied: {0}; and that is not recorded: {1}")]
    Unrecorded(String, Arc<RecordError>),
}

/// A framework's message, as its adapter has understood it.
#[derive(Debug)]
pub struct Message {
    framework: Arc<Framework>,
    part: Part,
    event: Json,
    intake: Intake,
}

/// What became of an action that a message asks for.
#[derive(Debug)]
pub enum Settled {
    /// It was decided, as this action. If the same was escalated before and a
    /// person has approved it, that is the one, with its id.
    Decided(Box<Action>, Box<Decided>),
    /// The operator lets it pass undecided.
    Passed,
}

impl Message {
    /// What it means.
    pub fn intake(&self) -> &Intake {
        &self.intake
    }

    /// What the framework can be obliged to, as its adapter says.
    pub fn able(&self) -> Able {
        Able { arguments: self.framework.info().rewrites, headers: false }
    }

    /// What the framework is told: one answer for each action that the message
    /// asks for, in their order.
    ///
    /// # Errors
    /// The adapter did not write it. The framework has heard of nothing then, and
    /// what was allowed must not happen.
    pub fn reply(&self, answers: &[Answer]) -> Result<Json, MessageError> {
        self.framework.adapter().render(&self.event, answers).map_err(|source| self.failed(source))
    }

    fn failed(&self, source: AdapterError) -> MessageError {
        MessageError::Adapter { name: self.framework.name().clone(), source }
    }
}

impl Host {
    /// The adapters, by name, as they are now.
    pub fn adapters(&self) -> Arc<Frameworks> {
        Arc::clone(&self.switch.now().frameworks)
    }

    /// Reads a framework's message. Nothing is decided by that. Runs on the
    /// calling thread, some microseconds.
    ///
    /// # Errors
    /// There is no such adapter, it does not understand the message, or it has
    /// stopped, which is recorded as a call that was refused: what the message
    /// asks for nobody knows.
    pub async fn read_message(&self, adapter: &Name, event: Json) -> Result<Message, MessageError> {
        let running = self.switch.now();
        let framework = running.frameworks.get(adapter).cloned();
        let framework = framework.ok_or_else(|| MessageError::Unknown(adapter.clone()))?;
        let part = Part::new(adapter, &running.inventory);
        if let Some(why) = part.stopped(&self.lookout.look()) {
            framework.refuse();
            return Err(match self.record_refused(1, why.clone()).await {
                Ok(_) => MessageError::Stopped(why),
                Err(error) => MessageError::Unrecorded(why, Arc::new(error)),
            });
        }
        match framework.read(&event) {
            Ok(intake) => Ok(Message { framework, part, event, intake }),
            Err(source) => Err(MessageError::Adapter { name: adapter.clone(), source }),
        }
    }

    /// Decides an action that `message` asks for: denied if the operator blocks
    /// it, and else as [`decide_for`](Self::decide_for), or, if the same agent
    /// asked for the same in the same session before, it was escalated and a
    /// person approved it, as [`decide_approved`](Self::decide_approved):
    /// frameworks have no other way to ask again.
    pub async fn decide_asked(&self, message: &Message, action: Action) -> Settled {
        let framework = &message.framework;
        // What it says of actions is not believed any more, also not of those that
        // would pass.
        if let Some(why) = message.part.stopped(&self.lookout.look()) {
            let decided = self.refuse(&action, &why).await;
            framework.count(Course::Decide, decided.verdict.decision);
            return Settled::Decided(Box::new(action), Box::new(decided));
        }
        let course = framework.course(&action.operation);
        let (action, decided) = match course {
            Course::Passed => {
                framework.count(course, Decision::Allow);
                return Settled::Passed;
            }
            Course::Blocked => {
                let why = format!("adapter `{}` is configured to block `{}`", framework.name(), action.operation);
                let decided = self.refuse(&action, &why).await;
                (action, decided)
            }
            Course::Decide => self.decide_once_more(&message.part, action, message.able()).await,
        };
        framework.count(course, decided.verdict.decision);
        Settled::Decided(Box::new(action), Box::new(decided))
    }

    async fn decide_once_more(&self, part: &Part, action: Action, able: Able) -> (Action, Decided) {
        if let Some((seq, approved)) = self.approved_like(&action)
            && let Ok(decided) = self.decide_approved_with(Some(part), seq, &approved, able).await
        {
            return (approved, decided);
        }
        let decided = self.decide_with(Some(part), &action, able).await;
        (action, decided)
    }
}

//! Messages of frameworks, for a host in this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use vak::{ActionRequest, AgentId, Answer, EndedCall, Ending as Told, Intake, Message, SessionId, Settled, Wanted};
use vak_types::Digest;

use super::Opened;
use super::calls::session_or_own;
use crate::allowed::{Allowed, Ending, Status};
use crate::asked::Ingest;
use crate::errors::Error;
use crate::ingested::Read;

/// Calls that were allowed, by what their framework calls them. Which of them wait
/// for their end is known by the objects in Python that wait for it.
#[derive(Debug, Default)]
pub(super) struct Calls(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    calls: HashMap<Key, Weak<Allowed>>,
    /// Those that are gone are looked for when there are more.
    tidy_at: usize,
}

type Key = (AgentId, SessionId, String);

impl Calls {
    fn add(&self, key: Key, allowed: &Arc<Allowed>) {
        let mut table = self.lock();
        if table.calls.len() >= table.tidy_at {
            table.calls.retain(|_, allowed| allowed.strong_count() > 0);
            table.tidy_at = (table.calls.len() * 2).max(64);
        }
        table.calls.insert(key, Arc::downgrade(allowed));
    }

    fn take(&self, key: &Key) -> Option<Arc<Allowed>> {
        self.lock().calls.remove(key)?.upgrade()
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Opened {
    pub(crate) async fn ingest(self: Arc<Self>, ingest: Ingest) -> Result<Read, Error> {
        let using = self.enter()?;
        let message = using.host.read_message(&ingest.adapter, ingest.event.clone()).await?;
        match message.intake() {
            Intake::Pass => Ok(Read { reply: message.reply(&[])?, actions: Vec::new(), ended: 0 }),
            Intake::Outcomes(calls) => {
                let mut ended = 0;
                for EndedCall { call, session, ending } in calls {
                    let key = (ingest.agent.clone(), session_of(&ingest, session.as_deref())?, call.clone());
                    let allowed = self.0.get()?.calls.take(&key).filter(|allowed| !allowed.has_ended());
                    if let Some(allowed) = allowed {
                        allowed.end(reported(ending)).await?;
                        ended += 1;
                    }
                }
                Ok(Read { reply: message.reply(&[])?, actions: Vec::new(), ended })
            }
            Intake::Actions(all) => {
                // One after the other, in their order. If one has no answer, those that
                // were allowed are dropped untold, which withdraws them.
                let (mut actions, mut answers) = (Vec::new(), Vec::new());
                for wanted in all {
                    let (action, answer) = self.asked(&ingest, &message, wanted).await?;
                    actions.push(action);
                    answers.push(answer);
                }
                Ok(Read { reply: message.reply(&answers)?, actions, ended: 0 })
            }
        }
    }

    async fn asked(
        self: &Arc<Self>,
        ingest: &Ingest,
        message: &Message,
        wanted: &Wanted,
    ) -> Result<(Option<crate::allowed::Told>, Answer), Error> {
        let using = self.enter()?;
        let Wanted { call, session, operation, resource, arguments, labels } = wanted.clone();
        let session = session_of(ingest, session.as_deref())?;
        let request = ActionRequest {
            session: session.clone(),
            agent: ingest.agent.clone(),
            operation,
            resource,
            arguments,
            attributes: ingest.attributes.clone(),
            labels: ingest.labels.iter().cloned().chain(labels).collect(),
        };
        let action = using.host.stamp(request).map_err(Error::argument)?;
        let Settled::Decided(action, decided) = using.host.decide_asked(message, action).await else {
            return Ok((None, Answer::Passed));
        };
        let answer = Answer::Decided {
            verdict: decided.verdict.clone(),
            arguments: decided.arguments.clone(),
            seq: decided.receipt.as_ref().map(vak::Receipt::seq),
        };
        let told = self.told(&action, *decided)?;
        if let (Some(call), Some(allowed)) = (call, &told.allowed) {
            self.0.get()?.calls.add((ingest.agent.clone(), session, call), allowed);
        }
        Ok((Some(told), answer))
    }
}

/// The session that is meant, if the message calls the conversation `named`: one
/// for each of these, of names that can be long and hold anything.
fn session_of(ingest: &Ingest, named: Option<&str>) -> Result<SessionId, Error> {
    match (&ingest.session, named) {
        (None, Some(name)) => {
            format!("{}-{}", ingest.adapter, Digest::of(name.as_bytes()).to_hex()).parse().map_err(Error::argument)
        }
        (session, _) => session_or_own(session.clone()),
    }
}

fn reported(ending: &Told) -> Ending {
    match ending {
        Told::Succeeded(output) => Ending { result: output.clone(), ..Ending::new(Status::Succeeded, "") },
        Told::Failed(why) => Ending::new(Status::Failed, why),
        Told::Unknown(why) => Ending::new(Status::Unknown, why),
    }
}

//! What can be asked of a host in this process.

use std::sync::Arc;

use vak::{Able, ActionRequest, Caller, Person, SessionId};

use super::{Opened, SESSION};
use crate::allowed::Told;
use crate::approvals::{Standing, Waiting};
use crate::asked::{Asked, Execute};
use crate::errors::Error;
use crate::execution::Executed;
use crate::verdict::Receipt;

impl Opened {
    pub(crate) async fn decide(self: Arc<Self>, asked: Asked) -> Result<Told, Error> {
        let using = self.enter()?;
        let Asked { agent, session, operation, resource, arguments, attributes, labels, able } = asked;
        let session = session_or_own(session)?;
        let request = ActionRequest { session, agent, operation, resource, arguments, attributes, labels };
        let action = using.host.stamp(request).map_err(Error::argument)?;
        let decided = using.host.decide_for(&action, able).await;
        self.told(&action, decided)
    }

    pub(crate) async fn execute(self: Arc<Self>, execute: Execute) -> Result<Executed, Error> {
        let using = self.enter()?;
        let Execute { agent, session, skill, input, labels } = execute;
        let caller = Caller { agent, session: session_or_own(session)?, labels };
        let call = using.host.skill_call(&caller, &skill, input, None)?;
        let action = call.action().id.clone();
        Ok(Executed::here(action, using.host.call(call).await?))
    }

    /// A session id that nobody else has.
    pub(crate) fn open_session(&self) -> Result<SessionId, Error> {
        self.enter()?;
        let random = || getrandom::u64().map_err(|error| Error::Stopped(format!("the system gave no chance: {error}")));
        format!("{SESSION}-{:016x}{:016x}", random()?, random()?).parse().map_err(Error::argument)
    }

    pub(crate) async fn approvals(self: Arc<Self>) -> Result<Vec<Waiting>, Error> {
        Ok(self.enter()?.host.approvals().iter().map(Waiting::from).collect())
    }

    pub(crate) async fn approval(self: Arc<Self>, seq: u64) -> Result<Standing, Error> {
        Ok(Standing::here(seq, self.enter()?.host.approval(seq)?))
    }

    pub(crate) async fn answer(
        self: Arc<Self>,
        seq: u64,
        by: Person,
        note: String,
        yes: bool,
    ) -> Result<Receipt, Error> {
        let using = self.enter()?;
        let answered = match yes {
            true => using.host.approve(seq, &by, &note).await,
            false => using.host.reject(seq, &by, &note).await,
        };
        Ok((&answered?).into())
    }

    pub(crate) async fn decide_approved(self: Arc<Self>, seq: u64, able: Able) -> Result<Told, Error> {
        let using = self.enter()?;
        let action = using.host.escalated(seq)?;
        let decided = using.host.decide_approved(seq, &action, able).await?;
        self.told(action.as_ref(), decided)
    }

    pub(crate) async fn execute_approved(self: Arc<Self>, seq: u64) -> Result<Executed, Error> {
        let using = self.enter()?;
        let asker = using.host.asker(seq)?;
        let caller = Caller { agent: asker.agent, session: asker.session, labels: Vec::new() };
        Ok(Executed::here(asker.action, using.host.call_approved(&caller, seq).await?))
    }

    /// Reads the configuration again and lets it decide.
    pub(crate) async fn reload(self: Arc<Self>) -> Result<Receipt, Error> {
        let using = self.enter()?;
        let inner = self.0.get()?;
        let (source, loading) = (inner.source.clone(), Arc::clone(&using.host));
        let load = move || loading.prepare(source.load()?).map_err(|error| Error::Config(error.to_string()));
        let prepared = inner.runtime.handle().spawn_blocking(load).await;
        let prepared = prepared.map_err(|error| Error::Config(format!("it could not be loaded: {error}")))??;
        let switched = using.host.switch_to(prepared).await;
        let switched = switched.map_err(|error| match using.host.stopped() {
            Some(_) => Error::Stopped(error.to_string()),
            None => Error::Config(error.to_string()),
        });
        Ok((&switched?).into())
    }
}

pub(super) fn session_or_own(session: Option<SessionId>) -> Result<SessionId, Error> {
    session.map_or_else(|| SESSION.parse().map_err(Error::argument), Ok)
}

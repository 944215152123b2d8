//! What can be asked of a server.

use std::sync::Arc;

use bytes::Bytes;
use hyper::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use vak::{Able, ActionId, AgentId, Json, Name};

use super::answers::{self, EndStatus, Problem};
use super::requests::{self, Again};
use super::{Remote, Request};
use crate::allowed::{Allowed, By, Ending, Told};
use crate::approvals::{Standing, Waiting};
use crate::asked::{Asked, Execute, Ingest};
use crate::errors::Error;
use crate::execution::Executed;
use crate::ingested::Read;
use crate::verdict::{self, Place, Receipt};

impl Remote {
    pub(crate) async fn decide(self: Arc<Self>, asked: Asked, id: Option<Name>) -> Result<Told, Error> {
        let body = requests::Decide::new(&asked, id.as_ref());
        let decided = self.post("/v1/decide".to_owned(), &body, id.is_some()).await?;
        self.told(decided, Some(asked.arguments))
    }

    pub(crate) async fn ingest(self: Arc<Self>, ingest: Ingest) -> Result<Read, Error> {
        let path = format!("/v1/adapters/{}/ingest", ingest.adapter);
        let answers::Ingested { reply, actions, ended } =
            self.post(path, &requests::Ingest::new(&ingest), false).await?;
        let told = actions.into_iter().map(|action| match action {
            answers::Asked::Passed { passed: answers::True } => Ok(None),
            answers::Asked::Decided(decided) => self.told(*decided, None).map(Some),
        });
        Ok(Read { reply, actions: told.collect::<Result<_, _>>()?, ended })
    }

    /// `asked` is what is carried out if the answer has no other arguments.
    fn told(self: &Arc<Self>, decided: answers::Decided, asked: Option<Json>) -> Result<Told, Error> {
        let answers::Decided { action, verdict, arguments, receipt } = decided;
        let allowed = verdict.is_allow();
        let arguments = arguments.or(asked).filter(|_| allowed);
        if allowed && (receipt.is_none() || arguments.is_none()) {
            return Err(self.not_understood("an allow without a receipt, or of unknown arguments"));
        }
        let allow = || Allowed::new(By::Server(Arc::clone(self), action.clone()));
        Ok(Told {
            allowed: allowed.then(allow),
            action,
            verdict: Arc::new(verdict),
            receipt: receipt.map(receipt_of),
            arguments,
        })
    }

    pub(crate) async fn execute(self: Arc<Self>, execute: Execute, id: Option<Name>) -> Result<Executed, Error> {
        let body = requests::Run::new(&execute, id.as_ref());
        let executed = self.post("/v1/execute".to_owned(), &body, id.is_some()).await?;
        self.executed(executed)
    }

    fn executed(&self, executed: answers::Executed) -> Result<Executed, Error> {
        let answers::Executed { action, verdict, receipt, outcome } = executed;
        let ended = outcome.map(|ended| {
            let output = match (ended.status, ended.output) {
                (EndStatus::Succeeded, Some(output)) => Ok(output),
                (EndStatus::Succeeded, None) => return Err(self.not_understood("a result that is missing")),
                (EndStatus::Failed, _) => Err(ended.detail),
            };
            Ok((output, receipt_of(ended.receipt)))
        });
        let ended = ended.transpose()?;
        if verdict.is_allow() != ended.is_some() {
            return Err(self.not_understood("a skill that ran without an allow, or the reverse"));
        }
        Ok(Executed { action, verdict: Arc::new(verdict), receipt: receipt.map(receipt_of), ended })
    }

    pub(crate) async fn open_session(self: Arc<Self>, agent: AgentId) -> Result<String, Error> {
        let body = requests::Session { agent: &agent };
        let opened: answers::Session = self.post("/v1/sessions".to_owned(), &body, false).await?;
        Ok(opened.session.into())
    }

    /// Reports an outcome, while the client is open.
    pub(crate) async fn outcome(&self, action: &ActionId, ending: &Ending) -> Result<Receipt, Error> {
        let body = requests::Outcome::new(action, ending);
        let recorded: answers::Recorded = self.post("/v1/outcome".to_owned(), &body, false).await?;
        Ok(receipt_of(recorded.receipt))
    }

    /// The same, also while it is being closed.
    pub(super) async fn report(&self, action: &ActionId, ending: &Ending) -> Result<(), Error> {
        let body = self.written(&requests::Outcome::new(action, ending))?;
        let request = Request { method: Method::POST, path: "/v1/outcome".to_owned(), body, again: false };
        let answer = self.0.get()?.send(request).await?;
        self.read::<answers::Recorded>(answer).map(drop)
    }

    pub(crate) async fn approvals(self: Arc<Self>) -> Result<Vec<Waiting>, Error> {
        let all: answers::AllWaiting = self.get("/v1/approvals".to_owned()).await?;
        let waiting = all.waiting.into_iter().map(|waiting| {
            let answers::Waiting { seq, action, verdict, since_ns, until_ns } = waiting;
            Waiting { seq, action, verdict: Arc::new(verdict), since_ns, until_ns }
        });
        Ok(waiting.collect())
    }

    pub(crate) async fn approval(self: Arc<Self>, seq: u64) -> Result<Standing, Error> {
        let answers::Standing { seq, standing, by, note, until_ns } = self.get(format!("/v1/approvals/{seq}")).await?;
        Ok(Standing { seq, standing, by, note, until_ns })
    }

    pub(crate) async fn answer(self: Arc<Self>, seq: u64, note: String, yes: bool) -> Result<Receipt, Error> {
        let body = requests::Answer::new(yes, &note);
        let recorded: answers::Recorded = self.post(format!("/v1/approvals/{seq}/answer"), &body, false).await?;
        Ok(receipt_of(recorded.receipt))
    }

    /// The answer says with what it is carried out: what was asked is not known here.
    pub(crate) async fn decide_approved(self: Arc<Self>, seq: u64, able: Able) -> Result<Told, Error> {
        let decided = self.post(format!("/v1/approvals/{seq}/decide"), &Again::new(able), false).await?;
        self.told(decided, None)
    }

    pub(crate) async fn execute_approved(self: Arc<Self>, seq: u64) -> Result<Executed, Error> {
        let request = Request {
            method: Method::POST,
            path: format!("/v1/approvals/{seq}/execute"),
            body: Bytes::new(),
            again: false,
        };
        let answer = self.send(request).await?;
        self.executed(self.read(answer)?)
    }

    async fn get<T: DeserializeOwned>(&self, path: String) -> Result<T, Error> {
        let request = Request { method: Method::GET, path, body: Bytes::new(), again: true };
        let answer = self.send(request).await?;
        self.read(answer)
    }

    async fn post<T: DeserializeOwned>(&self, path: String, body: &impl Serialize, again: bool) -> Result<T, Error> {
        let request = Request { method: Method::POST, path, body: self.written(body)?, again };
        let answer = self.send(request).await?;
        self.read(answer)
    }

    fn written(&self, body: &impl Serialize) -> Result<Bytes, Error> {
        serde_json::to_vec(body).map(Bytes::from).map_err(Error::argument)
    }

    fn read<T: DeserializeOwned>(&self, (status, body): (StatusCode, Bytes)) -> Result<T, Error> {
        match status {
            StatusCode::OK => serde_json::from_slice(&body).map_err(|error| self.not_understood(error)),
            status => match serde_json::from_slice::<Problem>(&body) {
                Ok(problem) => Err(problem.told(status.as_u16())),
                Err(_) => Err(self.not_understood(format_args!("status {status}, and no problem details"))),
            },
        }
    }

    fn not_understood(&self, what: impl std::fmt::Display) -> Error {
        match self.0.get() {
            Ok(inner) => {
                inner.unreachable(format_args!("what answers there is no VAK server that is known here ({what})"))
            }
            Err(error) => error,
        }
    }
}

fn receipt_of(told: verdict::Told) -> Receipt {
    Receipt(Place::There(Arc::new(told)))
}

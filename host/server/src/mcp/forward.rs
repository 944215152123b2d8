//! What makes the upstream do something: an allow, and nothing else.

use std::time::Duration;

use rmcp::model::{InputRequiredResult, JsonObject};
use serde_json::Value;
use vak::{Able, Action, ApprovalError, Decided, Host, Outcome, Receipt, RecordError, Verdict};
use vak_types::{AttributeValue, Digest, printable};

use super::connection::Abandon;
use super::error::RequestError;
use super::person::{Asked, BeforeClient};
use super::routes::ProgressTarget;
use super::upstream::Upstream;
use super::wish::{Given, Wish};

/// The attribute of an action that says how its tool or prompt is described: the
/// digest of the definition that the client was shown.
pub(crate) const DEFINITION: &str = "definition";

/// Longest quote of an operation, in bytes.
const NAME_BYTES_MAX: usize = 128;

/// An action that the host has allowed. The request to the upstream is made
/// of it, so what is asked is what was judged, with what policies want changed.
pub(crate) struct Allowed {
    action: Action,
    decided: Decided,
    wish: Wish,
}

/// Why an action is not carried out.
pub(crate) enum Refused {
    /// The verdict is not an allow.
    Verdict(Box<Verdict>, Option<Receipt>),
    /// A person was asked, and it came to nothing.
    Person(ApprovalError),
    /// The client is to ask a person.
    Put(Box<InputRequiredResult>),
    /// It can't be carried out, so a person's yes is not used up for it.
    Unreached(RequestError),
}

impl Allowed {
    /// Decides what is wished of an upstream. With an `objection` that is a deny
    /// that says so. What is escalated is put to `person`, if there is one.
    pub(crate) async fn decide(
        host: &Host,
        (action, wish): (Action, Wish),
        objection: Option<RequestError>,
        person: Option<&BeforeClient>,
        (upstream, abandon): (&Upstream, &Abandon),
    ) -> Result<Self, Refused> {
        let decided = match objection {
            Some(objection) => host.refuse(&action, &objection.to_string()).await,
            None => host.decide_for(&action, Able::ARGUMENTS).await,
        };
        let waits = decided.receipt.as_ref().map(Receipt::seq).filter(|_| !decided.verdict.is_allow());
        let (Some(seq), Some(person)) = (waits, person) else { return Self::of(action, decided, wish) };
        match person.approves(host, seq).await.map_err(Refused::Person)? {
            Asked::Agreed => Self::decide_approved(host, seq, (action, wish), (upstream, abandon)).await,
            Asked::Put(question) => Err(Refused::Put(question)),
            Asked::Nothing => Self::of(action, decided, wish),
        }
    }

    /// Decides again what entry `seq` escalated and a person approved, once the upstream
    /// is there.
    pub(crate) async fn decide_approved(
        host: &Host,
        seq: u64,
        (action, wish): (Action, Wish),
        (upstream, abandon): (&Upstream, &Abandon),
    ) -> Result<Self, Refused> {
        upstream.connection(abandon).await.map_err(Refused::Unreached)?;
        let decided = host.decide_approved(seq, &action, Able::ARGUMENTS).await.map_err(Refused::Person)?;
        Self::of(action, decided, wish)
    }

    fn of(action: Action, decided: Decided, wish: Wish) -> Result<Self, Refused> {
        match decided.verdict.is_allow() {
            true => Ok(Self { action, decided, wish }),
            false => Err(Refused::Verdict(Box::new(decided.verdict), decided.receipt)),
        }
    }

    pub(crate) fn verdict(&self) -> &Verdict {
        &self.decided.verdict
    }

    pub(crate) fn receipt(&self) -> Option<&Receipt> {
        self.decided.receipt.as_ref()
    }

    /// Carries it out.
    pub(crate) async fn carry_out(
        &self,
        upstream: &Upstream,
        progress: Option<ProgressTarget>,
        abandon: &Abandon,
    ) -> Result<Given, RequestError> {
        let connection = upstream.connection(abandon).await?;
        let arguments = self.arguments();
        let described = upstream.compare(&self.wish, &arguments, &connection, abandon).await?;
        self.as_judged(described)?;
        self.wish.ask(arguments, upstream, &connection, progress, abandon).await
    }

    /// Whether it is described as it was when it was judged. A person's answer can take
    /// a while, and somebody may have accepted another description.
    fn as_judged(&self, described: Option<Digest>) -> Result<(), RequestError> {
        let judged = self.action.attributes.get(DEFINITION);
        match (judged, described) {
            (Some(judged), Some(now)) if *judged != AttributeValue::Text(now.to_string()) => {
                let operation = printable(self.action.operation.as_str(), NAME_BYTES_MAX);
                Err(RequestError::DescribedSince { operation })
            }
            _ => Ok(()),
        }
    }

    /// Records how it ended.
    pub(crate) async fn conclude(self, host: &Host, outcome: Outcome, took: Duration) -> Result<Receipt, RecordError> {
        host.record_outcome(&self.action, self.decided, outcome.took(took)).await
    }

    fn arguments(&self) -> JsonObject {
        match self.decided.arguments(&self.action).to_value() {
            Value::Object(arguments) => arguments,
            // The surfaces take only objects.
            _ => JsonObject::new(),
        }
    }
}

//! What is wished of an upstream, from the action that it is to the answer that
//! is accounted for: decided, carried out, recorded, and only then told.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use futures_util::FutureExt as _;
use rmcp::model::{InputRequiredResult, JsonObject};
use serde_json::Value;
use vak::{
    Action, ActionId, ActionRequest, ApprovalError, Caller, Host, Outcome, Receipt, RecordError, StampError, Verdict,
};
use vak_types::{AttributeValue, Json, Label};

use super::connection::Abandon;
use super::error::RequestError;
use super::forward::{Allowed, DEFINITION, Refused};
use super::person::{Answered, BeforeClient, NotAgreed};
use super::provenance;
use super::routes::ProgressTarget;
use super::upstream::Upstream;
use super::wish::{Given, Wish};

/// An errand that is not decided yet.
pub(crate) struct Errand {
    host: Arc<Host>,
    upstream: Arc<Upstream>,
    wish: Wish,
    action: Action,
    /// Why it is denied whatever policies say.
    objection: Option<RequestError>,
    /// The entry that escalated it, if a person has answered that.
    answered: Option<u64>,
    /// Whether it may be one that was asked before and is approved by now.
    again: bool,
}

/// What goes with it.
pub(crate) struct Company<H> {
    pub(crate) progress: Option<ProgressTarget>,
    /// Who may be asked what is escalated.
    pub(crate) person: Option<BeforeClient>,
    pub(crate) abandon: Abandon,
    /// Is told the label of what was heard, before anybody hears it.
    pub(crate) hears: H,
}

/// An errand that was allowed, and how it ended. That is recorded.
pub(crate) struct Done {
    pub(crate) verdict: Verdict,
    pub(crate) receipt: Option<Receipt>,
    pub(crate) given: Result<Given, RequestError>,
    /// Where the log has how it ended.
    pub(crate) ended: Receipt,
}

/// Why there is nothing to tell of an upstream.
pub(crate) enum Undone {
    /// A name in it could be taken for another, or does not fit into an action.
    Name(StampError),
    /// The verdict is not an allow; nothing was carried out.
    Refused(Box<Verdict>, Option<Receipt>),
    /// A person was asked, and it came to nothing.
    Person(ApprovalError),
    /// The client is to ask a person, and to come back with the answer.
    Put(Box<InputRequiredResult>),
    /// A person approved it, and the upstream is not there. The yes is still good.
    Unreached(RequestError),
    /// It was carried out, and what cannot be accounted for is not handed out.
    Unrecorded(RecordError),
    /// The host has a bug.
    Panicked(&'static str),
}

const UNDECIDED: Undone = Undone::Panicked("the decision failed inside the host; nothing was carried out");

impl From<NotAgreed> for Undone {
    fn from(why: NotAgreed) -> Self {
        match why {
            NotAgreed::Error(error) => Self::Person(error),
            NotAgreed::Nothing(verdict) => Self::Refused(verdict, None),
        }
    }
}

impl Errand {
    /// One for `caller`, with `id` or an id of the host's own.
    ///
    /// # Errors
    /// Its names are no action's.
    pub(crate) async fn new(
        host: &Arc<Host>,
        upstream: &Arc<Upstream>,
        wish: Wish,
        caller: Caller,
        arguments: Json,
        id: Option<ActionId>,
    ) -> Result<Self, Undone> {
        let stamping = Self::stamped(host, upstream, wish, caller, arguments, id);
        match AssertUnwindSafe(stamping).catch_unwind().await {
            Ok(stamped) => stamped.map_err(Undone::Name),
            Err(_) => Err(UNDECIDED),
        }
    }

    async fn stamped(
        host: &Arc<Host>,
        upstream: &Arc<Upstream>,
        wish: Wish,
        caller: Caller,
        arguments: Json,
        id: Option<ActionId>,
    ) -> Result<Self, StampError> {
        let asked = match arguments.to_value() {
            Value::Object(asked) => asked,
            _ => JsonObject::new(),
        };
        let (definition, objection) = match upstream.known(&wish, &asked).await {
            Ok(definition) => (definition, None),
            Err(objection) => (None, Some(objection)),
        };
        let operation = wish.operation(&upstream.name);
        let Caller { agent, session, labels } = caller;
        let definition = definition.map(|digest| (DEFINITION.to_owned(), AttributeValue::Text(digest.to_string())));
        let request = ActionRequest {
            session,
            agent,
            operation: operation.parse()?,
            resource: format!("mcp:{operation}").parse()?,
            arguments,
            attributes: definition.into_iter().collect(),
            labels,
        };
        let action = match id {
            Some(id) => host.stamp_as(request, id),
            None => host.stamp(request),
        };
        let (host, upstream) = (Arc::clone(host), Arc::clone(upstream));
        Ok(Self { host, upstream, wish, action: action?, objection, answered: None, again: false })
    }

    /// One that entry `seq` escalated, as `action`, and that a person has answered.
    pub(crate) fn answered(host: &Arc<Host>, upstream: &Arc<Upstream>, wish: Wish, action: Action, seq: u64) -> Self {
        let (host, upstream) = (Arc::clone(host), Arc::clone(upstream));
        Self { host, upstream, wish, action, objection: None, answered: Some(seq), again: false }
    }

    /// One that a client asks for again, since its person has `answered` what was
    /// escalated of it. Their answer is recorded by then.
    ///
    /// # Errors
    /// They do not agree, or have answered something else.
    pub(crate) async fn again(
        host: &Arc<Host>,
        upstream: &Arc<Upstream>,
        wish: Wish,
        caller: &Caller,
        arguments: &Json,
        answered: Answered,
    ) -> Result<Self, Undone> {
        let counted = answered.count(host, caller, &wish.operation(&upstream.name), arguments).await;
        let (seq, action) = counted?;
        Ok(Self::answered(host, upstream, wish, (*action).clone(), seq))
    }

    /// The same, or what is the same and was approved by a person whom somebody else
    /// asked, such as by HTTP: the client has no other way to say that it asks again.
    pub(crate) fn or_approved(self) -> Self {
        Self { again: self.objection.is_none(), ..self }
    }

    pub(crate) fn action(&self) -> &Action {
        &self.action
    }

    /// Decides, carries out, records, and only then tells.
    ///
    /// # Errors
    /// It is not allowed, or there is no record of how it ended.
    pub(crate) async fn run(self, company: Company<impl Fn(Label)>) -> Result<Done, Undone> {
        let Self { host, upstream, wish, action, objection, answered, again } = self;
        let Company { progress, person, abandon, hears } = company;
        let deciding = async {
            let to = (&*upstream, &abandon);
            if let Some(seq) = answered {
                return Allowed::decide_approved(&host, seq, (action, wish), to).await;
            }
            if let Some((seq, approved)) = host.approved_like(&action).filter(|_| again) {
                match Allowed::decide_approved(&host, seq, (approved, wish.clone()), to).await {
                    // It was used, or is too old.
                    Err(Refused::Person(_)) => {}
                    decided => return decided,
                }
            }
            Allowed::decide(&host, (action, wish), objection, person.as_ref(), to).await
        };
        // A policy engine that panics is a bug, and must still answer.
        let allowed = match AssertUnwindSafe(deciding).catch_unwind().await {
            Ok(Ok(allowed)) => allowed,
            Ok(Err(Refused::Verdict(verdict, receipt))) => return Err(Undone::Refused(verdict, receipt)),
            Ok(Err(Refused::Person(error))) => return Err(Undone::Person(error)),
            Ok(Err(Refused::Put(question))) => return Err(Undone::Put(question)),
            Ok(Err(Refused::Unreached(error))) => return Err(Undone::Unreached(error)),
            Err(_) => return Err(UNDECIDED),
        };
        let (verdict, receipt) = (allowed.verdict().clone(), allowed.receipt().cloned());
        let start = Instant::now();
        let asked = AssertUnwindSafe(allowed.carry_out(&upstream, progress, &abandon)).catch_unwind().await;
        let told = asked.unwrap_or(Err(RequestError::Panicked)).and_then(|given| told(given, &upstream));
        let (given, outcome) = match told {
            Ok((given, outcome)) => (Ok(given), outcome),
            Err(error) => {
                let outcome = error.outcome();
                (Err(error), outcome)
            }
        };
        // Errors, too, are in the upstream's words.
        upstream.label.iter().for_each(|label| hears(label.clone()));
        // The last step before anybody is told anything.
        let recorded = AssertUnwindSafe(allowed.conclude(&host, outcome, start.elapsed())).catch_unwind().await;
        match recorded {
            Ok(Ok(ended)) => Ok(Done { verdict, receipt, given, ended }),
            Ok(Err(error)) => Err(Undone::Unrecorded(error)),
            Err(_) => Err(Undone::Panicked("the outcome could not be recorded; the result is withheld")),
        }
    }
}

/// As it is told, under the addresses that clients know and saying where it comes
/// from; and how it ended.
fn told(mut given: Given, upstream: &Upstream) -> Result<(Given, Outcome), RequestError> {
    upstream.readdress(&mut given);
    if let Some(meta) = given.meta() {
        *meta = Some(provenance::of(meta.take(), &upstream.name, upstream.label.is_none()));
    }
    let outcome = match given.reported_error() {
        Some(error) => Outcome::failed(&format!("the tool reported an error: {error}")),
        // The text that the digest in the log is of: compact, keys sorted.
        None => Outcome::succeeded(serde_json::to_value(&given)?.to_string().as_bytes()),
    };
    Ok((given, outcome))
}

//! What the decision path needs from the world.

use std::sync::Arc;

use vak_types::{Action, ComponentRef, Effect, Failure, LimitName, Obligation, Past, PastMark, Verdict};

/// Whether a guard's permit counts. The operator grants it; a publisher cannot
/// take it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Its permit is a permit.
    MayPermit,
    /// Its permit is an abstention; everything stricter counts.
    RestrictOnly,
}

/// What a guard says about one action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it says.
    pub effect: Effect,
    /// The rule that decided, as the guard names it.
    pub rule: Option<String>,
    /// Why, for a person.
    pub reason: String,
    /// What has to be done if the action is allowed.
    pub obligations: Vec<Obligation>,
    /// That a person has to agree, and why.
    pub approvals: Vec<String>,
}

/// What whoever carries out an allowed action can do with it. Nothing by
/// default: an obligation that nobody promised to meet is a deny.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Able {
    /// Carry it out with the arguments of [`Decided`](crate::Decided).
    pub arguments: bool,
    /// Add headers to the request.
    pub headers: bool,
}

impl Able {
    /// Everything.
    pub const ALL: Self = Self { arguments: true, headers: true };

    /// Other arguments and nothing else.
    pub const ARGUMENTS: Self = Self { arguments: true, headers: false };

    /// Whether it can meet this one.
    pub(crate) fn meets(self, obligation: &Obligation) -> bool {
        if obligation.is_of_arguments() { self.arguments } else { self.headers }
    }
}

/// Somebody with a say: a policy or a scorer.
pub trait Guard {
    /// Exactly which component speaks.
    fn component(&self) -> &Arc<ComponentRef>;

    /// Whether its permit counts.
    fn standing(&self) -> Standing;

    /// Whether it is to be asked about this action at all.
    fn covers(&self, _: &Action) -> bool {
        true
    }

    /// Judges one action of a session that did this before. The same gives the
    /// same finding.
    ///
    /// # Errors
    /// The guard did not answer. That is a deny.
    fn evaluate(&self, action: &Action, past: Option<&Arc<Past>>) -> Result<Finding, Failure>;
}

/// What sessions did before.
pub trait Sessions: Send + Sync {
    /// Judges `action`, of whose session nobody else is judged meanwhile, and
    /// adds to its past whether it is allowed. Says upon which past it was
    /// judged.
    fn turn(&self, action: &Action, judge: &mut dyn FnMut(&Arc<Past>) -> bool) -> PastMark;
}

/// A limit with no room left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exceeded {
    /// Which limit.
    pub limit: LimitName,
    /// Milliseconds after which there can be room; `None` when waiting does
    /// not help.
    pub retry_after_ms: Option<u64>,
    /// Why, for a person.
    pub message: String,
}

/// What is set aside for one action. Dropping it gives it back, so a decision
/// that is denied, fails or is cancelled consumes nothing.
pub trait Reservation: Send {
    /// What an allowed action holds until its outcome. Ending it is up to who
    /// carries the action out; dropping it must not give anything back, since
    /// by then the action may have happened.
    type Held: Send;

    /// The action is allowed.
    fn hold(self) -> Self::Held;
}

/// Rate limits and budgets.
pub trait Limiter {
    /// What is set aside.
    type Reservation: Reservation;

    /// Sets aside what `action` costs in every limit that covers it, or in none.
    ///
    /// # Errors
    /// A limit has no room.
    fn reserve(&self, action: &Action) -> Result<Self::Reservation, Exceeded>;
}

impl<L: Limiter> Limiter for Arc<L> {
    type Reservation = L::Reservation;

    fn reserve(&self, action: &Action) -> Result<Self::Reservation, Exceeded> {
        (**self).reserve(action)
    }
}

/// The ledger did not acknowledge an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerError {
    /// Why, for a person.
    pub message: String,
}

/// Where verdicts are recorded before they are released.
pub trait Ledger {
    /// Proof that an entry was recorded.
    type Receipt: Send;

    /// Records one verdict; resolves when the entry is as durable as the
    /// configuration asks.
    ///
    /// # Errors
    /// The entry is not known to be recorded.
    fn record(
        &self,
        action: &Action,
        verdict: &Verdict,
    ) -> impl Future<Output = Result<Self::Receipt, LedgerError>> + Send;
}

impl<L: Ledger> Ledger for Arc<L> {
    type Receipt = L::Receipt;

    fn record(
        &self,
        action: &Action,
        verdict: &Verdict,
    ) -> impl Future<Output = Result<Self::Receipt, LedgerError>> + Send {
        (**self).record(action, verdict)
    }
}

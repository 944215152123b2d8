//! The decision path itself.

use vak_types::{Action, Decision, Effect, Reason, Verdict};

use crate::join::{Join, line};
use crate::ports::{Guard, Ledger, Limiter, Reservation as _};

/// A verdict and the proof that it was recorded.
#[derive(Debug, Clone)]
pub struct Decided<Receipt> {
    /// The answer.
    pub verdict: Verdict,
    /// Proof that the ledger has it. `None` only when the ledger failed, and
    /// then the verdict is a deny.
    pub receipt: Option<Receipt>,
}

/// The decision path over one set of limits, guards and one ledger.
#[derive(Debug)]
pub struct Pipeline<Limits, Voice, Log> {
    limits: Limits,
    guards: Vec<Voice>,
    ledger: Log,
    unsigned: bool,
}

impl<Limits: Limiter, Voice: Guard, Log: Ledger> Pipeline<Limits, Voice, Log> {
    /// A path over these ports. Without guards it denies everything. `unsigned`
    /// says that the host runs an unsigned component beside the guards.
    pub fn new(limits: Limits, guards: Vec<Voice>, ledger: Log, unsigned: bool) -> Self {
        let unsigned = unsigned || guards.iter().any(|guard| guard.component().signer.is_none());
        Self { limits, guards, ledger, unsigned }
    }

    /// The ledger the verdicts go to.
    pub fn ledger(&self) -> &Log {
        &self.ledger
    }

    /// The ledger, when no more is to be decided.
    pub fn into_ledger(self) -> Log {
        self.ledger
    }

    /// The guards, in the order they are heard.
    pub fn guards(&self) -> &[Voice] {
        &self.guards
    }

    /// Decides one action. Returns when the ledger has acknowledged the
    /// verdict; dropping the future before that releases no verdict and
    /// consumes nothing, though the ledger may have an entry.
    pub async fn decide(&self, action: &Action) -> Decided<Log::Receipt> {
        let (mut verdict, reservation) = self.judge(action);
        match self.ledger.record(action, &verdict).await {
            Ok(receipt) => {
                if let Some(reservation) = reservation {
                    reservation.commit();
                }
                Decided { verdict, receipt: Some(receipt) }
            }
            Err(error) => {
                verdict.decision = verdict.decision.join(Decision::Deny);
                verdict.reasons.push(Reason::host(
                    Effect::Forbid,
                    line(&format!("the verdict could not be recorded: {}", error.message)),
                ));
                Decided { verdict, receipt: None }
            }
        }
    }

    /// The verdict before it is recorded, and what is to be spent once it is:
    /// `Some` for an allow only.
    fn judge(&self, action: &Action) -> (Verdict, Option<Limits::Reservation>) {
        let mut join = Join::new(self.unsigned);
        let reservation = match self.limits.reserve(action) {
            Ok(reservation) => reservation,
            // Nobody else is asked: a flood must not cost policy evaluations.
            Err(exceeded) => {
                join.exceed(exceeded);
                return (join.finish(), None);
            }
        };
        for guard in &self.guards {
            join.hear(guard, guard.evaluate(action));
        }
        let verdict = join.finish();
        let reservation = verdict.is_allow().then_some(reservation);
        (verdict, reservation)
    }
}

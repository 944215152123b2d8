//! The decision path itself.

use std::sync::Arc;

use vak_types::{Action, Decision, Effect, Json, Reason, Verdict};

use crate::approval::Approval;
use crate::join::{Join, line};
use crate::judge::{Asked, Judged, judge};
use crate::ports::{Able, Guard, Ledger, Limiter, Reservation, Sessions};

/// A verdict, the proof that it was recorded, and what it holds.
#[derive(Debug)]
pub struct Decided<Receipt, Held> {
    /// The answer.
    pub verdict: Verdict,
    /// Proof that the ledger has it. `None` only when the ledger failed, and
    /// then the verdict is a deny.
    pub receipt: Option<Receipt>,
    /// The arguments to carry it out with, where obligations make them others
    /// than were asked.
    pub arguments: Option<Json>,
    /// What the limits hold for the action until its outcome is known. `Some`
    /// for an allow only.
    pub held: Option<Held>,
}

impl<Receipt, Held> Decided<Receipt, Held> {
    /// The arguments to carry `action` out with, if the verdict is an allow.
    pub fn arguments<'a>(&'a self, action: &'a Action) -> &'a Json {
        self.arguments.as_ref().unwrap_or(&action.arguments)
    }
}

/// What the limits hold for an action that `Limits` let pass.
pub type HeldBy<Limits> = <<Limits as Limiter>::Reservation as Reservation>::Held;

/// The decision path over one set of limits, guards and one ledger.
pub struct Pipeline<Limits, Voice, Log> {
    limits: Limits,
    sessions: Option<Arc<dyn Sessions>>,
    guards: Arc<[Voice]>,
    ledger: Log,
    unsigned: bool,
}

impl<Limits: Limiter, Voice: Guard, Log: Ledger> Pipeline<Limits, Voice, Log> {
    /// A path over these ports. Without guards it denies everything. `unsigned`
    /// says that the host runs an unsigned component beside the guards.
    pub fn new(limits: Limits, guards: impl Into<Arc<[Voice]>>, ledger: Log, unsigned: bool) -> Self {
        let guards = guards.into();
        let unsigned = unsigned || guards.iter().any(|guard| guard.component().signer.is_none());
        Self { limits, sessions: None, guards, ledger, unsigned }
    }

    /// The same path, with guards that ask what a session did before.
    #[must_use]
    pub fn with_sessions(self, sessions: Arc<dyn Sessions>) -> Self {
        Self { sessions: Some(sessions), ..self }
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
    pub fn guards(&self) -> &Arc<[Voice]> {
        &self.guards
    }

    /// Decides one action, which somebody carries out who is `able` to do so
    /// much. Returns when the ledger has acknowledged the verdict; dropping the future before that releases no verdict and
    /// consumes nothing, though the ledger may have an entry.
    pub async fn decide(&self, action: &Action, able: Able) -> Decided<Log::Receipt, HeldBy<Limits>> {
        self.decide_with(action, able, None).await
    }

    /// The same for an action that a person has agreed to. Limits and guards are
    /// asked as if nobody had: only what the person answered is not in the way.
    pub async fn decide_approved(
        &self,
        action: &Action,
        able: Able,
        approval: &Approval,
    ) -> Decided<Log::Receipt, HeldBy<Limits>> {
        self.decide_with(action, able, Some(approval)).await
    }

    async fn decide_with(
        &self,
        action: &Action,
        able: Able,
        approval: Option<&Approval>,
    ) -> Decided<Log::Receipt, HeldBy<Limits>> {
        let asked = Asked { action, past: None, able, approval };
        let (judged, reservation) = self.judge(asked);
        self.record(action, judged, reservation).await
    }

    /// Denies an action without asking anybody, for a reason of whoever would
    /// carry it out. Recorded like any other verdict.
    pub async fn refuse(&self, action: &Action, why: &str) -> Decided<Log::Receipt, HeldBy<Limits>> {
        let mut join = Join::new(self.unsigned);
        join.object(why);
        self.record(action, Judged { verdict: join.finish(), arguments: None }, None).await
    }

    async fn record(
        &self,
        action: &Action,
        judged: Judged,
        reservation: Option<Limits::Reservation>,
    ) -> Decided<Log::Receipt, HeldBy<Limits>> {
        let Judged { mut verdict, arguments } = judged;
        match self.ledger.record(action, &verdict).await {
            Ok(receipt) => {
                let held = reservation.map(Reservation::hold);
                Decided { verdict, receipt: Some(receipt), arguments, held }
            }
            Err(error) => {
                verdict.decision = verdict.decision.join(Decision::Deny);
                verdict.reasons.push(Reason::host(
                    Effect::Forbid,
                    line(&format!("the verdict could not be recorded: {}", error.message)),
                ));
                Decided { verdict, receipt: None, arguments: None, held: None }
            }
        }
    }

    /// What is to be held once the verdict is recorded: `Some` for an allow only.
    fn judge(&self, asked: Asked<'_>) -> (Judged, Option<Limits::Reservation>) {
        match self.limits.reserve(asked.action) {
            Ok(reservation) => {
                let judged = self.heard(asked);
                let reservation = judged.verdict.is_allow().then_some(reservation);
                (judged, reservation)
            }
            // Nobody else is asked: a flood must not cost policy evaluations.
            Err(exceeded) => {
                let mut join = Join::new(self.unsigned).with_approval(asked.approval);
                join.exceed(exceeded);
                (Judged { verdict: join.finish(), arguments: None }, None)
            }
        }
    }

    fn heard(&self, asked: Asked<'_>) -> Judged {
        let Some(sessions) = &self.sessions else {
            return judge(&self.guards, asked, self.unsigned);
        };
        let mut judged = None;
        let mark = sessions.turn(asked.action, &mut |past| {
            let asked = Asked { past: Some(past), ..asked };
            judged.insert(judge(&self.guards, asked, self.unsigned)).verdict.is_allow()
        });
        match judged {
            Some(mut judged) => {
                judged.verdict.past = Some(mark);
                judged
            }
            // Whoever keeps sessions did not ask anybody, so nobody permitted.
            None => {
                let join = Join::new(self.unsigned).with_approval(asked.approval);
                Judged { verdict: join.finish(), arguments: None }
            }
        }
    }
}

//! The ports of the decision path, acting out the script. The limiter is the
//! real one.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;
use std::time::Duration;

use vak_limits::{Held, Kind, Limit, Limits, Per, Rate};
use vak_pipeline::{Exceeded, Finding, Guard, Ledger, LedgerError, Limiter, Reservation, Standing};
use vak_types::{Action, ActionId, ComponentRef, Digest, Failure, KeyId, Past, Verdict};

use crate::script::{LedgerEnd, LimitKind, Plan, Post, Terms};

/// What the ports of one host share: the script they read and what they saw.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stage(Arc<Mutex<Scene>>);

#[derive(Debug, Default)]
pub(crate) struct Scene {
    /// By number of the action, which is also its id.
    pub(crate) plans: Vec<Plan>,
    /// The ledger.
    pub(crate) entries: Vec<(ActionId, Verdict)>,
    /// Who was asked about which action, in order: guards by their index.
    pub(crate) asked: Vec<(usize, usize)>,
    /// Which actions the ledger was given, in order.
    pub(crate) recorded: Vec<usize>,
}

impl Stage {
    pub(crate) fn scene(&self) -> MutexGuard<'_, Scene> {
        self.0.lock().unwrap()
    }
}

fn number(action: &Action) -> usize {
    action.id.as_str().parse().unwrap()
}

#[derive(Debug)]
pub(crate) struct ScriptedGuard {
    index: usize,
    standing: Standing,
    component: Arc<ComponentRef>,
    stage: Stage,
}

impl ScriptedGuard {
    pub(crate) fn new(index: usize, post: Post, stage: Stage) -> Self {
        let component = ComponentRef {
            name: format!("guard-{index}").parse().unwrap(),
            digest: Digest::of(b"component"),
            config: None,
            signer: post.signed.then(|| KeyId::of(&[1; 32])),
        };
        let standing = if post.may_permit { Standing::MayPermit } else { Standing::RestrictOnly };
        Self { index, standing, component: Arc::new(component), stage }
    }
}

impl Guard for ScriptedGuard {
    fn component(&self) -> &Arc<ComponentRef> {
        &self.component
    }

    fn standing(&self) -> Standing {
        self.standing
    }

    fn evaluate(&self, action: &Action, _: Option<&Arc<Past>>) -> Result<Finding, Failure> {
        let mut scene = self.stage.scene();
        scene.asked.push((number(action), self.index));
        let answer = scene.plans[number(action)].answers[self.index];
        let text = answer.text.write();
        match answer.said {
            Ok(effect) => {
                Ok(Finding { effect, rule: Some(text.clone()), reason: text, obligations: vec![], approvals: vec![] })
            }
            Err(kind) => Err(Failure { kind, message: text }),
        }
    }
}

/// An entry's place in the scripted ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place(pub(crate) usize);

#[derive(Debug)]
pub(crate) struct ScriptedLedger(pub(crate) Stage);

impl Ledger for ScriptedLedger {
    type Receipt = Place;

    async fn record(&self, action: &Action, verdict: &Verdict) -> Result<Place, LedgerError> {
        let plan = {
            let mut scene = self.0.scene();
            scene.recorded.push(number(action));
            scene.plans[number(action)].ledger
        };
        let mut place = None;
        for poll in 0..=plan.stalls {
            if plan.written_at == Some(poll) {
                let mut scene = self.0.scene();
                place = Some(Place(scene.entries.len()));
                scene.entries.push((action.id.clone(), verdict.clone()));
            }
            if poll < plan.stalls {
                stall().await;
            }
        }
        match (plan.end, place) {
            (LedgerEnd::Acknowledges, Some(place)) => Ok(place),
            (LedgerEnd::Hangs, _) => std::future::pending().await,
            _ => Err(LedgerError { message: "the disk is full".to_owned() }),
        }
    }
}

/// Not ready once, and awake again at once.
async fn stall() {
    let mut stalled = false;
    poll_fn(|context| {
        if std::mem::replace(&mut stalled, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// The real limits behind the port, as the host has them.
#[derive(Debug, Clone)]
pub(crate) struct RealLimits(pub(crate) Limits);

#[derive(Debug)]
pub(crate) struct Tokens(vak_limits::Reservation);

impl RealLimits {
    pub(crate) fn new(terms: &[Terms]) -> Self {
        let limit = |terms: &Terms| {
            let (per, operations) = match terms.kind {
                LimitKind::Agent => (Per::Agent, "*"),
                LimitKind::Files => (Per::AgentAndOperation, "files/*"),
                LimitKind::Host => (Per::Host, "*"),
            };
            let rate = Rate::new(terms.burst, terms.actions, Duration::from_nanos(terms.period_ns)).unwrap();
            let name = terms.kind.name().parse().unwrap();
            Limit::new(name, per, operations.parse().unwrap(), Kind::rate(rate))
        };
        Self(Limits::new(terms.iter().map(limit).collect()).unwrap())
    }
}

impl Limiter for RealLimits {
    type Reservation = Tokens;

    fn reserve(&self, action: &Action) -> Result<Tokens, Exceeded> {
        self.0.reserve(action).map(Tokens).map_err(|exceeded| Exceeded {
            limit: exceeded.limit,
            retry_after_ms: exceeded.retry_after.map(|wait| wait.as_nanos().div_ceil(1_000_000) as u64),
            message: exceeded.message,
        })
    }
}

impl Reservation for Tokens {
    type Held = Held;

    fn hold(self) -> Held {
        self.0.hold()
    }
}

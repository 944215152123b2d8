//! Scorers: how good is this step?

use vak_engine::{CallState, Prepared};
use vak_types::{Action, ComponentRef, Failure, FailureKind, printable};

use crate::action;
use crate::bindings::scorer::ScorerComponentPre;

/// Longest reason that is kept, in bytes. `wit/scorer` promises it.
const REASON_BYTES_MAX: usize = 1_024;

/// A scorer that is ready to assess.
pub struct Scorer {
    prepared: Prepared,
    pre: ScorerComponentPre<CallState>,
}

/// What a scorer says of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    /// From 0 (hopeless) to 1 (certain to help).
    pub value: f64,
    /// Why.
    pub reason: String,
}

impl Scorer {
    /// Both are of one component.
    pub(crate) fn new(prepared: Prepared, pre: ScorerComponentPre<CallState>) -> Self {
        Self { prepared, pre }
    }

    /// Exactly which component this is.
    pub fn component(&self) -> &ComponentRef {
        self.prepared.component()
    }

    /// Assesses one action in a fresh instance.
    ///
    /// # Errors
    /// It did not answer, or with a number that is none from 0 to 1.
    pub fn evaluate(&self, action: &Action) -> Result<Assessment, Failure> {
        let answer = action::lend(action, |action| {
            self.prepared.call(|store| {
                let scorer = self.pre.instantiate(&mut *store)?;
                scorer.vak_scorer_scorer().call_evaluate(store, action)
            })
        });
        let assessment = answer?.map_err(action::unjudged)?;
        // Not a number is in no range.
        match (0.0..=1.0).contains(&assessment.value) {
            true => Ok(Assessment { value: assessment.value, reason: printable(&assessment.reason, REASON_BYTES_MAX) }),
            false => Err(Failure {
                kind: FailureKind::Malformed,
                message: format!("its value is {}, which is not from 0 to 1", assessment.value),
            }),
        }
    }
}

impl std::fmt::Debug for Scorer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scorer").field("prepared", &self.prepared).finish()
    }
}

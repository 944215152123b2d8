//! Policies as guards.

use std::sync::Arc;

use vak_engine::{CallLimits, CallState, Prepared};
use vak_pipeline::{Finding, Guard, Standing};
use vak_types::{
    Action, AgentId, ComponentRef, Effect, Failure, FailureKind, Kind, Obligation, Operation, Past, Resource, Wanted,
};
use wasmtime::Store;
use wasmtime::component::{ComponentExportIndex, Instance, InstancePre, TypedFunc};

use crate::action;
use crate::bindings::asks::AsksPre;
use crate::bindings::nearest::NearestPre;
use crate::bindings::nearest::exports::vak::policy::nearest as wit_nearest;
use crate::bindings::outlook::OutlookPre;
use crate::bindings::outlook::exports::vak::policy::outlook as wit_outlook;
use crate::bindings::policy::PolicyComponentPre;
use crate::bindings::policy::exports::vak::policy::policy as wit;
use crate::bindings::policy::vak::types::types as wit_types;
use crate::load::imports;
use crate::scope::Scope;
use crate::session::Asked;

/// More obligations than one action has a use for. `wit/policy` promises it.
const OBLIGATIONS_MAX: usize = 16;

/// What a description may take: the 50,000 rules that a configuration of the
/// policy `rules` can have, with its 16 MiB of text.
const DESCRIPTION_BYTES_MAX: usize = 20 << 20;

/// Instructions that look at as many rules.
const DESCRIPTION_FUEL: u64 = 10 * CallLimits::POLICY.fuel_max;

/// What `evaluate` takes.
type Arguments<'a> = (wit_types::Action<'a>,);

/// What `evaluate` returns.
type Answer = (Result<wit::Finding, wit_types::JudgeError>,);

/// A policy that is ready to judge.
pub struct Policy {
    prepared: Prepared,
    pre: PolicyComponentPre<CallState>,
    beside: Beside,
    evaluate: Evaluate,
    standing: Standing,
    scope: Scope,
    asks_for_session: bool,
}

/// What it exports beside the interface of its kind, where it does.
pub(crate) struct Beside {
    pub(crate) nearest: Option<NearestPre<CallState>>,
    pub(crate) outlook: Option<OutlookPre<CallState>>,
}

/// What a policy could say of all actions with certain names, whatever else is in
/// them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prospect {
    /// That depends, or it is not known.
    Open,
    /// It permits none of them.
    NeverPermits,
    /// It forbids every one of them.
    AlwaysForbids,
}

/// The function `evaluate` of a component, seen to have the type that
/// [`Arguments`] and [`Answer`] give it.
pub(crate) struct Evaluate(ComponentExportIndex);

/// What a policy says it contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// What it is for.
    pub summary: String,
    /// Its rules, in the order of its configuration.
    pub rules: Vec<Rule>,
    /// Whether it asks what the session did before.
    pub session: bool,
    /// What somebody should look at.
    pub warnings: Vec<String>,
}

/// One rule of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Unique within the policy.
    pub id: String,
    /// What it says when it applies.
    pub effect: Effect,
    /// What it is for.
    pub summary: String,
}

/// A rule that permits, and what keeps it from permitting an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Near {
    /// The rule, as named by [`describe`](Policy::describe).
    pub rule: String,
    /// What it wants that is not so, a sentence each. Nothing if it permits the
    /// action, and something stricter outweighs it.
    pub misses: Vec<String>,
}

impl Policy {
    /// All are of one component.
    pub(crate) fn new(
        prepared: Prepared,
        pre: PolicyComponentPre<CallState>,
        beside: Beside,
        evaluate: Evaluate,
        standing: Standing,
    ) -> Self {
        Self { prepared, pre, beside, evaluate, standing, scope: Scope::default(), asks_for_session: false }
    }

    /// The same policy, which is told what the session did before if it says that
    /// it asks. To keep that for those who don't would cost every decision.
    pub(crate) fn asking_for_session(self, asks: Option<AsksPre<CallState>>) -> Result<Self, Failure> {
        let asks_for_session = imports(&self.prepared, "vak:host/session@")
            && match asks {
                // A description of many rules enlarges the slot that the next
                // calls are made in, and looking through it is most of a call.
                Some(asks) => self.prepared.call(|store| {
                    let asks = asks.instantiate(&mut *store)?;
                    asks.vak_policy_asks().call_session(store)
                })?,
                None => self.describe()?.session,
            };
        Ok(Self { asks_for_session, ..self })
    }

    /// Whether it asks what a session did before.
    pub fn asks_for_session(&self) -> bool {
        self.asks_for_session
    }

    pub(crate) fn prepared(&self) -> &Prepared {
        &self.prepared
    }

    /// The same policy with the standing that the operator grants it.
    #[must_use]
    pub fn with_standing(self, standing: Standing) -> Self {
        Self { standing, ..self }
    }

    /// The same policy, asked about fewer actions.
    #[must_use]
    pub fn with_scope(self, scope: Scope) -> Self {
        Self { scope, ..self }
    }

    /// What the policy says it contains.
    ///
    /// # Errors
    /// It did not answer.
    pub fn describe(&self) -> Result<Description, Failure> {
        let description = self.prepared.call(|store| {
            beside_decisions(store)?;
            let policy = self.pre.instantiate(&mut *store)?;
            policy.vak_policy_policy().call_describe(store)
        })?;
        let rule = |rule: wit::Rule| Rule { id: rule.id, effect: effect(rule.effect), summary: rule.summary };
        Ok(Description {
            summary: description.summary,
            rules: description.rules.into_iter().map(rule).collect(),
            session: description.session,
            warnings: description.warnings,
        })
    }

    /// The rules that are nearest to permitting the action, the nearest first,
    /// whatever its session did before. `None` if the policy does not say.
    ///
    /// # Errors
    /// It did not answer.
    pub fn nearest(&self, action: &Action) -> Result<Option<Vec<Near>>, Failure> {
        let Some(nearest) = &self.beside.nearest else { return Ok(None) };
        let found = action::lend(action, |action| {
            self.prepared.call(|store| {
                beside_decisions(store)?;
                let nearest = nearest.instantiate(&mut *store)?;
                nearest.vak_policy_nearest().call_nearest(store, action)
            })
        })?;
        let near = |near: wit_nearest::Near| Near { rule: near.rule, misses: near.misses };
        Ok(Some(found.into_iter().map(near).collect()))
    }

    /// What it could say of actions with these names, whatever else is in them.
    /// Open where it does not say: nothing may be ruled out on a failure.
    pub fn prospects(&self, agent: &AgentId, operation: &Operation, resource: &Resource) -> Prospect {
        if !self.scope.covers_names(agent, operation) {
            return Prospect::NeverPermits;
        }
        let Some(outlook) = &self.beside.outlook else { return Prospect::Open };
        let said = self.prepared.call(|store| {
            let outlook = outlook.instantiate(&mut *store)?;
            outlook.vak_policy_outlook().call_prospects(store, agent.as_str(), operation.as_str(), resource.as_str())
        });
        match said {
            Ok(wit_outlook::Prospect::NeverPermits) => Prospect::NeverPermits,
            Ok(wit_outlook::Prospect::AlwaysForbids) => Prospect::AlwaysForbids,
            Ok(wit_outlook::Prospect::Open) | Err(_) => Prospect::Open,
        }
    }
}

impl Guard for Policy {
    fn component(&self) -> &Arc<ComponentRef> {
        self.prepared.component()
    }

    fn standing(&self) -> Standing {
        self.standing
    }

    fn covers(&self, action: &Action) -> bool {
        self.scope.covers(action)
    }

    fn evaluate(&self, action: &Action, past: Option<&Arc<Past>>) -> Result<Finding, Failure> {
        let asked = past.filter(|_| self.asks_for_session);
        let asked = asked.map(|past| Asked { past: Arc::clone(past), now: action.time });
        let answer = action::lend(action, |action| {
            self.prepared.call(|store| {
                if let Some(asked) = asked {
                    store.data_mut().extend(asked);
                }
                let instance = self.prepared.instance_pre().instantiate(&mut *store)?;
                self.evaluate.call(store, instance, action)
            })
        });
        let (answer,) = answer?;
        match answer {
            Ok(answer) => finding(answer),
            Err(error) => Err(action::unjudged(error)),
        }
    }
}

impl Evaluate {
    /// Finds the function and compares its type.
    pub(crate) fn find(store: &mut Store<CallState>, pre: &InstancePre<CallState>) -> wasmtime::Result<Self> {
        let component = pre.component();
        let interface = component.get_export_index(None, Kind::Policy.interface());
        let function = interface.and_then(|interface| component.get_export_index(Some(&interface), "evaluate"));
        let function = function.ok_or_else(missing)?;
        pre.instantiate(&mut *store)?.get_typed_func::<Arguments<'_>, Answer>(store, function)?;
        Ok(Self(function))
    }

    /// Calls it in an instance of the component it was found in. The bindings
    /// compare the types of all functions for each instance, which is a
    /// twentieth of a call.
    fn call(
        &self,
        store: &mut Store<CallState>,
        instance: Instance,
        action: wit_types::Action<'_>,
    ) -> wasmtime::Result<Answer> {
        let function = instance.get_func(&mut *store, self.0).ok_or_else(missing)?;
        // SAFETY: `find` made this index and compared the type of its function
        // in its component. Instances of one component differ in no type, and
        // `get_func` gives nothing for the index of another.
        #[expect(unsafe_code, reason = "as in the generated bindings; see SAFETY")]
        let function = unsafe { TypedFunc::<Arguments<'_>, Answer>::new_unchecked(function) };
        function.call(store, (action,))
    }
}

/// Malformed where an obligation is none: it is not for the host to guess.
fn finding(answer: wit::Finding) -> Result<Finding, Failure> {
    let malformed = |message: String| Failure { kind: FailureKind::Malformed, message };
    if answer.obligations.len() > OBLIGATIONS_MAX {
        let count = answer.obligations.len();
        return Err(malformed(format!("it wants {count} obligations; the most is {OBLIGATIONS_MAX}")));
    }
    let (mut obligations, mut approvals) = (Vec::new(), Vec::new());
    for obligation in answer.obligations {
        let wanted = match obligation {
            wit::Obligation::Redact(wit::Redaction { argument, replacement }) => {
                Wanted::Redact { argument, replacement }
            }
            wit::Obligation::Cap(wit::Cap { argument, at_most }) => Wanted::Cap { argument, at_most },
            wit::Obligation::Header(wit::Header { name, value }) => Wanted::Header { name, value },
            wit::Obligation::Approval(why) => {
                approvals.push(why);
                continue;
            }
        };
        obligations.push(Obligation::new(wanted).map_err(|error| malformed(format!("an obligation: {error}")))?);
    }
    Ok(Finding { effect: effect(answer.effect), rule: answer.rule, reason: answer.reason, obligations, approvals })
}

/// Gives a call that no decision waits for what it takes to look at all rules, and
/// to tell of all of them. Its time and its memory are those of any other.
fn beside_decisions(store: &mut Store<CallState>) -> wasmtime::Result<()> {
    store.set_hostcall_fuel(DESCRIPTION_BYTES_MAX);
    store.set_fuel(DESCRIPTION_FUEL)
}

fn missing() -> wasmtime::Error {
    wasmtime::Error::msg("no export `evaluate`")
}

fn effect(effect: wit::Effect) -> Effect {
    match effect {
        wit::Effect::Abstain => Effect::Abstain,
        wit::Effect::Permit => Effect::Permit,
        wit::Effect::Escalate => Effect::Escalate,
        wit::Effect::Forbid => Effect::Forbid,
    }
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Policy").field("prepared", &self.prepared).field("standing", &self.standing).finish()
    }
}

//! Calling a component, and its answer as JSON.

use std::sync::Arc;

use serde_json::{Value, json};
use vak_pipeline::Guard as _;
use vak_plugin::{Adapter, AdapterError, Answer, Ending, Intake, Loaded, SkillError};
use vak_types::{
    Action, ActionRequest, AgentId, Decision, Effect, Failure, Past, Reason, TextError, Timestamp, Verdict,
};

use crate::case::{Case, CaseError, ToldAnswer};

/// On whose behalf a skill is called.
pub(crate) const AGENT: &str = "case";

/// A component and what it is called with, ready to be called as often as one
/// likes.
pub(crate) enum Call<'a> {
    Judged(&'a Loaded, Box<Action>, Arc<Past>),
    Given(&'a Loaded, &'a Case, AgentId),
}

impl<'a> Call<'a> {
    /// # Errors
    /// The input is none for this kind of component.
    pub(crate) fn new(loaded: &'a Loaded, case: &'a Case) -> Result<Self, CaseError> {
        Ok(match loaded {
            Loaded::Policy(_) | Loaded::Scorer(_) => {
                Self::Judged(loaded, Box::new(action(case)?), Arc::new(past(case)))
            }
            Loaded::Adapter(_) | Loaded::Skill(_) => Self::Given(loaded, case, agent(case)?),
        })
    }

    /// What the component answers.
    pub(crate) fn answer(&self) -> Value {
        match self {
            Self::Judged(Loaded::Policy(policy), action, past) => match policy.evaluate(action, Some(past)) {
                Ok(finding) => {
                    let mut answer =
                        json!({ "effect": finding.effect, "rule": finding.rule, "reason": finding.reason });
                    if !finding.obligations.is_empty() {
                        answer["obligations"] = json!(finding.obligations);
                    }
                    if !finding.approvals.is_empty() {
                        answer["approvals"] = json!(finding.approvals);
                    }
                    answer
                }
                Err(failure) => failed(&failure),
            },
            Self::Judged(Loaded::Scorer(scorer), action, _) => match scorer.evaluate(action) {
                Ok(assessment) => json!({ "value": assessment.value, "reason": assessment.reason }),
                Err(failure) => failed(&failure),
            },
            Self::Given(Loaded::Skill(skill), case, agent) => match skill.invoke(agent, &case.input) {
                Ok(output) => json!({ "output": output }),
                Err(SkillError::InvalidInput(why)) => json!({ "error": { "invalid-input": why } }),
                Err(SkillError::Failed(why)) => json!({ "error": { "failed": why } }),
                Err(SkillError::Stopped(failure)) => failed(&failure),
            },
            Self::Given(Loaded::Adapter(adapter), case, _) => match adapter.ingest(&case.input) {
                Ok(intake) => with_reply(intake_of(&intake), adapter, case),
                Err(error) => misunderstood(&error),
            },
            // `new` makes no such call.
            Self::Judged(..) | Self::Given(..) => Value::Null,
        }
    }
}

/// The action in a case. Its id is always the same, so that answers are.
fn action(case: &Case) -> Result<Action, CaseError> {
    let request: ActionRequest =
        serde_json::from_value(case.input.to_value()).map_err(|error| wrong(case, error.to_string()))?;
    let id = "case".parse().map_err(|error: TextError| wrong(case, error.to_string()))?;
    Ok(request.at(id, Timestamp::from_nanos(case.host.time_ns)))
}

fn past(case: &Case) -> Past {
    Past::told(&case.host.session, Timestamp::from_nanos(case.host.time_ns))
}

fn agent(case: &Case) -> Result<AgentId, CaseError> {
    AGENT.parse().map_err(|error: TextError| wrong(case, error.to_string()))
}

fn wrong(case: &Case, message: String) -> CaseError {
    CaseError::Json { path: format!("{}/input.json", case.name).into(), message }
}

fn intake_of(intake: &Intake) -> Value {
    match intake {
        Intake::Pass => json!("pass"),
        Intake::Actions(actions) => {
            let actions = actions.iter().map(|action| {
                let mut told = json!({
                    "operation": action.operation,
                    "resource": action.resource,
                    "arguments": action.arguments,
                    "labels": action.labels,
                });
                action.call.iter().for_each(|call| told["call"] = json!(call));
                action.session.iter().for_each(|session| told["session"] = json!(session));
                told
            });
            json!({ "actions": actions.collect::<Vec<_>>() })
        }
        Intake::Outcomes(ended) => {
            let ended = ended.iter().map(|ended| match &ended.ending {
                Ending::Succeeded(output) => json!({ "call": ended.call, "succeeded": output }),
                Ending::Failed(why) => json!({ "call": ended.call, "failed": why }),
                Ending::Unknown(why) => json!({ "call": ended.call, "unknown": why }),
            });
            json!({ "outcomes": ended.collect::<Vec<_>>() })
        }
    }
}

/// Adds what the adapter writes, if the case says what it is answered.
fn with_reply(intake: Value, adapter: &Adapter, case: &Case) -> Value {
    let Some(answers) = &case.host.answers else { return intake };
    let mut answer = if intake.is_object() { intake } else { json!({ "pass": true }) };
    let answers: Vec<_> = answers.iter().map(told).collect();
    match adapter.render(&case.input, &answers) {
        Ok(reply) => answer["reply"] = reply.to_value(),
        Err(error) => answer["reply"] = misunderstood(&error),
    }
    answer
}

fn told(answer: &ToldAnswer) -> Answer {
    let ToldAnswer { decision, reason, arguments, seq } = answer;
    let effect = match decision {
        Decision::Allow => Effect::Permit,
        Decision::Backtrack => Effect::Backtrack,
        Decision::Escalate => Effect::Escalate,
        Decision::Deny => Effect::Forbid,
    };
    let verdict = Verdict {
        decision: *decision,
        reasons: vec![Reason::host(effect, reason.clone())],
        obligations: Vec::new(),
        retry_after_ms: None,
        past: None,
        approval: None,
        unsigned: false,
    };
    Answer::Decided { verdict, arguments: arguments.clone(), seq: *seq }
}

fn misunderstood(error: &AdapterError) -> Value {
    match error {
        AdapterError::UnknownMessage(why) => json!({ "error": { "unknown-message": why } }),
        AdapterError::Malformed(why) => json!({ "error": { "malformed": why } }),
        AdapterError::Stopped(failure) => failed(failure),
    }
}

fn failed(failure: &Failure) -> Value {
    json!({ "failure": { "kind": failure.kind.to_string(), "message": failure.message } })
}

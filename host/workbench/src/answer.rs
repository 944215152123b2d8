//! Calling a component, and its answer as JSON.

use std::sync::Arc;

use serde_json::{Value, json};
use vak_pipeline::Guard as _;
use vak_plugin::{AdapterError, Intake, Loaded, SkillError};
use vak_types::{Action, ActionRequest, AgentId, Failure, Past, TextError, Timestamp};

use crate::case::{Case, CaseError};

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
                Ok(intake) => intake_of(&intake),
                Err(AdapterError::UnknownMessage(why)) => json!({ "error": { "unknown-message": why } }),
                Err(AdapterError::Malformed(why)) => json!({ "error": { "malformed": why } }),
                Err(AdapterError::Stopped(failure)) => failed(&failure),
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
                json!({
                    "operation": action.operation,
                    "resource": action.resource,
                    "arguments": action.arguments,
                    "labels": action.labels,
                })
            });
            json!({ "actions": actions.collect::<Vec<_>>() })
        }
    }
}

fn failed(failure: &Failure) -> Value {
    json!({ "failure": { "kind": failure.kind.to_string(), "message": failure.message } })
}

//! What Cedar's own authorizer says, and what we make of it.

use std::collections::BTreeSet;

use cedar_policy::{AuthorizationError, Authorizer, Decision, Effect, Entities, PolicyId, PolicySet, Request};
use vak_sdk::policy::{Effect as Said, Finding};

/// What a finding may be.
#[derive(Debug)]
pub(crate) struct Expected {
    pub(crate) effect: Said,
    /// The `@id`s or names of the policies that may be named; none if nothing
    /// decided.
    rules: BTreeSet<String>,
}

impl Expected {
    /// The action cannot be asked about.
    pub(crate) fn refused() -> Self {
        let rules = ["request/unknown-action", "request/unfit"];
        Self { effect: Said::Forbid, rules: rules.map(str::to_owned).into() }
    }

    /// Cedar's answer, but what could not be evaluated and might have forbidden
    /// forbids, and a forbid with `@escalate` escalates.
    pub(crate) fn of(policies: &PolicySet, request: &Request, entities: &Entities) -> Self {
        let response = Authorizer::new().is_authorized(request, policies, entities);
        let failed = response.diagnostics().errors().map(|error| {
            let AuthorizationError::PolicyEvaluationError(error) = error;
            error.policy_id()
        });
        let failed: BTreeSet<_> = failed.filter(|id| policies.policy(id).unwrap().effect() == Effect::Forbid).collect();
        let deciding: BTreeSet<_> = response.diagnostics().reason().collect();
        let escalates = |id: &&PolicyId| policies.annotation(id, "escalate").is_some();
        let named = |ids: BTreeSet<&PolicyId>| ids.into_iter().map(|id| name(policies, id)).collect();
        let (effect, ids) = match response.decision() {
            _ if !failed.is_empty() => {
                let forbids = deciding.into_iter().filter(|_| response.decision() == Decision::Deny);
                (Said::Forbid, forbids.filter(|id| !escalates(id)).chain(failed).collect())
            }
            Decision::Allow => (Said::Permit, deciding),
            Decision::Deny if deciding.is_empty() => (Said::Abstain, deciding),
            Decision::Deny if deciding.iter().all(escalates) => (Said::Escalate, deciding),
            Decision::Deny => (Said::Forbid, deciding.into_iter().filter(|id| !escalates(id)).collect()),
        };
        Self { effect, rules: named(ids) }
    }

    pub(crate) fn check(&self, finding: &Finding, about: &str) {
        assert_eq!(finding.effect, self.effect, "{finding:?} {self:?} {about}");
        match &finding.rule {
            Some(rule) => assert!(self.rules.contains(rule), "{finding:?} {self:?} {about}"),
            None => assert!(self.rules.is_empty(), "{finding:?} {self:?} {about}"),
        }
        assert!(finding.effect == Said::Abstain || !finding.reason.is_empty(), "{about}");
    }
}

fn name(policies: &PolicySet, id: &PolicyId) -> String {
    policies.annotation(id, "id").map_or_else(|| id.to_string(), str::to_owned)
}

//! Cedar policies with what we read from their annotations.

use std::collections::HashMap;
use std::str::FromStr as _;

use cedar_policy::{
    ActionConstraint, Entities, EntityUid, PolicyId, PolicySet, PrincipalConstraint, Request, ResourceConstraint,
    Schema, ValidationMode, ValidationWarning, Validator,
};
use cedar_policy_core::ast;
use cedar_policy_core::evaluator::Evaluator;
use cedar_policy_core::extensions::Extensions;
use vak_sdk::policy::Effect;

use crate::complexity::too_complex;
use crate::embedded::{Embedded, Problem};
use crate::policy::BUILT_IN;

/// More than a call can look at with the fuel it has by default, unless some are
/// passed over. Looking at one takes ten thousand instructions and more.
pub(crate) const POLICIES_MAX: usize = 2_000;

/// Bytes of an annotation that we read.
pub(crate) const ANNOTATION_BYTES_MAX: usize = 256;

/// The policies of a configuration, in the order of the text.
///
/// They are found by action: the schema says which there are. Of those the ones
/// for another agent or resource by name are passed over.
pub(crate) struct Rules {
    rules: Vec<Rule>,
    for_any: Vec<usize>,
    for_action: HashMap<EntityUid, Vec<usize>>,
}

/// A policy and what is said of it.
pub(crate) struct Rule {
    /// Its `@id`, or `policy` and its place in the text.
    pub(crate) id: String,
    /// `Escalate` for a forbid with `@escalate`.
    pub(crate) effect: Effect,
    /// Its `@summary`.
    pub(crate) summary: Option<String>,
    pub(crate) line: u32,
    policy: ast::Policy,
    principal: Option<EntityUid>,
    resource: Option<EntityUid>,
}

/// What came of the policies for a request.
pub(crate) enum Outcome<'a> {
    /// The strictest that holds.
    Holds(&'a Rule),
    /// One could not be evaluated, and that decides.
    Fails(&'a Rule, String),
    /// None holds. A permit may have failed.
    Nothing(Option<(&'a Rule, String)>),
}

impl Rules {
    /// Reads policies and holds them against `schema`.
    pub(crate) fn parse(text: &Embedded<'_>, schema: &Schema) -> Result<Self, Problem> {
        if let Some((at, why)) = too_complex(text.text) {
            return Err(text.problem(Some(at), why));
        }
        let parsed = PolicySet::from_str(text.text).map_err(|errors| text.diagnosed(&errors))?;
        if let Some(template) = parsed.templates().next() {
            let message = "a template, with `?principal` or `?resource`; there is nothing here to link it with";
            return Err(text.problem(at(template.as_ref().loc()), message));
        }
        if parsed.num_of_policies() > POLICIES_MAX {
            let message = format!("{} policies; the most is {POLICIES_MAX}", parsed.num_of_policies());
            return Err(text.problem(None, message));
        }
        let mut in_order: Vec<_> = parsed.policies().map(|policy| (at(policy.as_ref().loc()), policy)).collect();
        in_order.sort_by_key(|(at, _)| *at);
        let actions = schema.action_entities().map_err(|error| text.diagnosed(&error))?;
        let mut named = PolicySet::new();
        let mut rules = Self { rules: Vec::new(), for_any: Vec::new(), for_action: HashMap::new() };
        for (at, policy) in in_order {
            let rule = rule(text, at, policy)?;
            let policy = policy.new_id(PolicyId::new(&rule.id));
            if named.policy(policy.id()).is_some() {
                return Err(text.problem(at, format!("the id `{}` stands twice; rename one", rule.id)));
            }
            rules.add(Rule { policy: policy.as_ref().clone(), ..rule }, &policy.action_constraint(), &actions);
            named.add(policy).map_err(|error| text.diagnosed(&error))?;
        }
        validate(&named, text, schema)?;
        Ok(rules)
    }

    fn add(&mut self, rule: Rule, constraint: &ActionConstraint, actions: &Entities) {
        let place = self.rules.len();
        self.rules.push(rule);
        let groups = match constraint {
            ActionConstraint::Any => return self.for_any.push(place),
            ActionConstraint::Eq(action) => return self.for_action.entry(action.clone()).or_default().push(place),
            ActionConstraint::In(groups) => groups,
        };
        let admitted =
            |action: &EntityUid| groups.iter().any(|group| action == group || actions.is_ancestor_of(group, action));
        for action in actions.iter().map(cedar_policy::Entity::uid).filter(admitted) {
            self.for_action.entry(action).or_default().push(place);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    /// Asks the policies that can apply.
    ///
    /// One that forbids or escalates and cannot be evaluated decides as if it
    /// forbade: what it would have said is not known.
    pub(crate) fn judge(&self, request: &Request, entities: &Entities) -> Outcome<'_> {
        let concerned = self.concerned(request);
        let (guards, permits): (Vec<_>, Vec<_>) = concerned.into_iter().partition(|rule| rule.effect != Effect::Permit);
        let evaluator = Evaluator::new(request.as_ref().clone(), entities.as_ref(), Extensions::all_available());
        let holds = |rule: &Rule| evaluator.evaluate(&rule.policy).map_err(|error| error.to_string());
        let mut escalates = None;
        for rule in guards {
            match (holds(rule), rule.effect) {
                (Ok(false), _) => {}
                (Ok(true), Effect::Escalate) => escalates = escalates.or(Some(rule)),
                (Ok(true), _) => return Outcome::Holds(rule),
                (Err(why), _) => return Outcome::Fails(rule, why),
            }
        }
        if let Some(rule) = escalates {
            return Outcome::Holds(rule);
        }
        let mut failed = None;
        for rule in permits {
            match holds(rule) {
                Ok(false) => {}
                Ok(true) => return Outcome::Holds(rule),
                Err(why) => failed = failed.or(Some((rule, why))),
            }
        }
        Outcome::Nothing(failed)
    }

    /// In the order of the text.
    fn concerned(&self, request: &Request) -> Vec<&Rule> {
        let (principal, action, resource) = (request.principal(), request.action(), request.resource());
        let named = action.and_then(|action| self.for_action.get(action)).into_iter().flatten();
        let mut places: Vec<_> = named.chain(&self.for_any).copied().collect();
        places.sort_unstable();
        let other =
            |wanted: &Option<EntityUid>, found: Option<&EntityUid>| wanted.is_some() && wanted.as_ref() != found;
        let rules = places.into_iter().filter_map(|place| self.rules.get(place));
        rules.filter(|rule| !other(&rule.principal, principal) && !other(&rule.resource, resource)).collect()
    }
}

fn validate(policies: &PolicySet, text: &Embedded<'_>, schema: &Schema) -> Result<(), Problem> {
    let result = Validator::new(schema.clone()).validate(policies, ValidationMode::Strict);
    let errors = result.validation_errors().map(|error| text.diagnosed(error));
    // Texts of several scripts are ordinary texts in many places. Everything
    // else that is warned of is a policy that says something else than it seems.
    let warnings = result.validation_warnings();
    let warnings = warnings.filter(|warning| !matches!(warning, ValidationWarning::MixedScriptString(_)));
    first(errors).or_else(|| first(warnings.map(|warning| text.diagnosed(warning)))).map_or(Ok(()), Err)
}

/// The first in the text, and not that of a hash map.
fn first(problems: impl Iterator<Item = Problem>) -> Option<Problem> {
    problems.min_by(|one, other| (one.at, &one.message).cmp(&(other.at, &other.message)))
}

fn at(place: Option<&cedar_policy_core::parser::Loc>) -> Option<usize> {
    place.map(|place| place.span.offset())
}

fn rule(text: &Embedded<'_>, at: Option<usize>, policy: &cedar_policy::Policy) -> Result<Rule, Problem> {
    let annotation = |name: &str| match policy.annotation(name) {
        Some(value) if value.len() > ANNOTATION_BYTES_MAX => {
            Err(text.problem(at, format!("`@{name}` has {} bytes; the most is {ANNOTATION_BYTES_MAX}", value.len())))
        }
        value => Ok(value.map(str::to_owned)),
    };
    let id = annotation("id")?.unwrap_or_else(|| policy.id().to_string());
    if id.is_empty() || id.chars().any(invisible) {
        return Err(text.problem(at, "the `@id` is empty or has invisible characters"));
    }
    if id.starts_with(BUILT_IN) {
        return Err(text.problem(at, format!("`@id`s that start with `{BUILT_IN}` are ours; rename it")));
    }
    let effect = match (policy.effect(), annotation("escalate")?) {
        (cedar_policy::Effect::Permit, None) => Effect::Permit,
        (cedar_policy::Effect::Permit, Some(_)) => {
            return Err(text.problem(at, "`@escalate` stands at a `forbid` that a person may lift, not at a `permit`"));
        }
        (cedar_policy::Effect::Forbid, None) => Effect::Forbid,
        (cedar_policy::Effect::Forbid, Some(_)) => Effect::Escalate,
    };
    let summary = annotation("summary")?.filter(|summary| !summary.is_empty());
    let principal = match policy.principal_constraint() {
        PrincipalConstraint::Eq(uid) => Some(uid),
        _ => None,
    };
    let resource = match policy.resource_constraint() {
        ResourceConstraint::Eq(uid) => Some(uid),
        _ => None,
    };
    let line = text.line(at.unwrap_or(0));
    Ok(Rule { id, effect, summary, line, policy: policy.as_ref().clone(), principal, resource })
}

/// Controls, zero-width characters and marks of direction.
fn invisible(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

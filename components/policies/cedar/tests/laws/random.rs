//! Random policies and actions, against Cedar with a request that is made in
//! another way.

use cedar_policy::{
    Context, Entities, Entity, EntityUid, PolicySet, Request, RestrictedExpression as Expression, Schema,
};
use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::Value;
use vak_sdk::policy::{Action, AttributeValue, Effect, Policy as _};

use crate::generate::{self, ENTITIES, SCHEMA};
use crate::native::Expected;
use crate::{config, configured};

/// What a value is for the schema of these tests, or nothing if it is not of
/// that type.
fn expression(name: &str, value: &Value) -> Option<Expression> {
    Some(match name {
        "count" | "level" => Expression::new_long(value.as_i64()?),
        "parts" => {
            let items =
                value.as_array()?.iter().map(|item| item.as_str().map(|text| Expression::new_string(text.into())));
            Expression::new_set(items.collect::<Option<Vec<_>>>()?)
        }
        "host" => Expression::new_ip(value.as_str()?),
        "by" | "arguments" => {
            let members = value.as_object()?.iter().map(|(name, value)| Some((name.clone(), expression(name, value)?)));
            Expression::new_record(members.collect::<Option<Vec<_>>>()?).ok()?
        }
        _ => Expression::new_string(value.as_str()?.to_owned()),
    })
}

fn fact(value: &AttributeValue) -> Expression {
    let text = |text: &String| Expression::new_string(text.clone());
    match value {
        AttributeValue::Boolean(value) => Expression::new_bool(*value),
        AttributeValue::Integer(value) => Expression::new_long(*value),
        AttributeValue::Text(value) => text(value),
        AttributeValue::Texts(values) => Expression::new_set(values.iter().map(text)),
    }
}

fn context(action: &Action) -> Option<Context> {
    let ms = i64::try_from(action.time_ns / 1_000_000).unwrap();
    if action.operation == "net" {
        return Context::from_pairs([("time".to_owned(), Expression::new_long(ms))]).ok();
    }
    let arguments: Value = serde_json::from_str(&action.arguments).ok()?;
    let known = ["trusted", "cost", "region", "tags"];
    let attributes = action.attributes.iter().filter(|attribute| known.contains(&attribute.name.as_str()));
    let attributes = attributes.map(|attribute| (attribute.name.clone(), fact(&attribute.value)));
    let time = jiff::Timestamp::from_millisecond(ms).unwrap();
    let members = [
        ("arguments", expression("arguments", &arguments)?),
        ("attributes", Expression::new_record(attributes).ok()?),
        ("labels", fact(&AttributeValue::Texts(action.labels.clone()))),
        ("session", Expression::new_string(action.session.clone())),
        ("time", Expression::new_datetime(format!("{time:.3}"))),
    ];
    Context::from_pairs(members.map(|(name, value)| (name.to_owned(), value))).ok()
}

fn uid(name: &str, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(name.parse().unwrap(), cedar_policy::EntityId::new(id))
}

fn expected(policies: &PolicySet, action: &Action, with_roles: bool) -> Option<Expected> {
    let schema: Schema = SCHEMA.parse().unwrap();
    let mut entities = Entities::from_json_str(ENTITIES, Some(&schema)).unwrap();
    let principal = uid("Agent", &action.agent);
    if with_roles {
        let AttributeValue::Texts(roles) = &action.attributes.iter().find(|it| it.name == "roles")?.value else {
            return None;
        };
        let (_, attributes, mut parents) = match entities.get(&principal) {
            Some(entity) => entity.clone().into_inner(),
            None => Entity::with_uid(principal.clone()).into_inner(),
        };
        parents.extend(roles.iter().map(|role| uid("Role", role)));
        let entity = Entity::new(principal.clone(), attributes, parents).unwrap();
        entities = entities.upsert_entities([entity], None).unwrap();
    }
    let (operation, resource) = (uid("Action", &action.operation), uid("Resource", &action.resource));
    let request = Request::new(principal, operation, resource, context(action)?, Some(&schema)).ok()?;
    Some(Expected::of(policies, &request, &entities))
}

proptest! {
    #![proptest_config(Config { cases: 400, ..Config::default() })]

    #[test]
    fn decides_as_cedar_does(
        policies in generate::policies(),
        actions in prop::collection::vec(generate::action(), 1..12),
        with_roles in any::<bool>(),
    ) {
        let roles = if with_roles { "roles = 'Role'" } else { "" };
        let request = format!("resource = 'Resource'\n{roles}");
        let ours = configured(&config(&policies, SCHEMA, ENTITIES, &request));
        let parsed: PolicySet = policies.parse().unwrap();
        for action in &actions {
            let finding = ours.evaluate(action).unwrap();
            let expected = expected(&parsed, action, with_roles).unwrap_or_else(Expected::refused);
            expected.check(&finding, &format!("{action:?}\n{policies}"));
            // Nothing of a call stays for the next one.
            let again = ours.evaluate(action).unwrap();
            prop_assert_eq!(format!("{finding:?}"), format!("{again:?}"));
        }
    }
}

/// Random actions are worth something only if they come to every answer.
#[test]
fn comes_to_every_answer() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut counts = std::collections::HashMap::new();
    for _ in 0..300 {
        let policies = generate::policies().new_tree(&mut runner).unwrap().current();
        let ours = configured(&config(&policies, SCHEMA, ENTITIES, ""));
        let action = generate::action().new_tree(&mut runner).unwrap().current();
        let finding = ours.evaluate(&action).unwrap();
        let failed = finding.reason.contains("cannot be evaluated");
        let refused = finding.rule.as_ref().is_some_and(|rule| rule.starts_with("request/"));
        *counts.entry((format!("{:?}", finding.effect), failed, refused)).or_insert(0) += 1;
    }
    let count =
        |effect: Effect, failed, refused| counts.get(&(format!("{effect:?}"), failed, refused)).copied().unwrap_or(0);
    for (effect, failed, refused) in [
        (Effect::Permit, false, false),
        (Effect::Escalate, false, false),
        (Effect::Forbid, false, false),
        (Effect::Forbid, true, false),
        (Effect::Forbid, false, true),
        (Effect::Abstain, false, false),
        (Effect::Abstain, true, false),
    ] {
        assert!(count(effect, failed, refused) > 2, "{effect:?} {failed} {refused}: {counts:?}");
    }
}

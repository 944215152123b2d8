//! Cedar: the policies and the team are parsed before, and no schema is asked
//! again whether a request fits it.

use cedar_policy::{
    Authorizer, Context, Decision, Entities, EntityId, EntityTypeName, EntityUid, PolicySet, Request,
    RestrictedExpression,
};
use vak_bench::{Asked, Effect, TEAM, rules};

use crate::{Judge, path};

pub(crate) struct Cedar {
    authorizer: Authorizer,
    policies: PolicySet,
    entities: Entities,
    agent: EntityTypeName,
    action: EntityTypeName,
    resource: EntityUid,
}

impl Cedar {
    pub(crate) fn new(count: usize) -> Self {
        let policy = |rule: vak_bench::Rule| {
            let effect = match rule.effect {
                Effect::Permit => "permit",
                Effect::Forbid => "forbid",
            };
            let (operation, folder) = (rule.operation, rule.folder);
            format!(
                "{effect}(principal in Team::\"team\", action == Action::\"{operation}\", resource)\n\
                 when {{ context.path like \"{folder}*\" }};\n"
            )
        };
        let policies: String = rules(count).into_iter().map(policy).collect();
        let member = |name: &str| {
            format!(
                r#"{{"uid":{{"type":"Agent","id":"{name}"}},"attrs":{{}},"parents":[{{"type":"Team","id":"team"}}]}}"#
            )
        };
        let team = format!("[{}]", TEAM.map(member).join(","));
        Self {
            authorizer: Authorizer::new(),
            policies: policies.parse().unwrap(),
            entities: Entities::from_json_str(&team, None).unwrap(),
            agent: "Agent".parse().unwrap(),
            action: "Action".parse().unwrap(),
            resource: r#"Resource::"any""#.parse().unwrap(),
        }
    }
}

impl Judge for Cedar {
    type Input = Request;

    fn input(&self, asked: &Asked) -> Request {
        let agent = EntityUid::from_type_name_and_id(self.agent.clone(), EntityId::new(asked.agent));
        let action = EntityUid::from_type_name_and_id(self.action.clone(), EntityId::new(&asked.operation));
        let path = RestrictedExpression::new_string(path(&asked.arguments));
        let context = Context::from_pairs([("path".to_owned(), path)]).unwrap();
        Request::new(agent, action, self.resource.clone(), context, None).unwrap()
    }

    fn judge(&mut self, request: Request) -> bool {
        self.authorizer.is_authorized(&request, &self.policies, &self.entities).decision() == Decision::Allow
    }
}

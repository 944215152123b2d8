//! casbin: rules in memory, the cheapest part of the matcher first, and an
//! enforcer that remembers no answers.

use casbin::{CoreApi as _, DefaultModel, Enforcer, MemoryAdapter, MgmtApi as _};
use futures_executor::block_on;
use vak_bench::{Asked, Effect, TEAM, rules};

use crate::{Judge, path};

const MODEL: &str = "
[request_definition]
r = agent, operation, path
[policy_definition]
p = team, operation, path, eft
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = r.operation == p.operation && keyMatch(r.path, p.path) && g(r.agent, p.team)
";

pub(crate) struct Casbin(Enforcer);

impl Casbin {
    pub(crate) fn new(count: usize) -> Self {
        let line = |rule: vak_bench::Rule| {
            let effect = match rule.effect {
                Effect::Permit => "allow",
                Effect::Forbid => "deny",
            };
            vec!["team".to_owned(), rule.operation, format!("{}*", rule.folder), effect.to_owned()]
        };
        let lines = rules(count).into_iter().map(line).collect();
        let members = TEAM.iter().map(|name| vec![(*name).to_owned(), "team".to_owned()]).collect();
        block_on(async {
            let model = DefaultModel::from_str(MODEL).await.unwrap();
            let mut enforcer = Enforcer::new(model, MemoryAdapter::default()).await.unwrap();
            enforcer.add_policies(lines).await.unwrap();
            enforcer.add_grouping_policies(members).await.unwrap();
            enforcer.build_role_links().unwrap();
            Self(enforcer)
        })
    }
}

impl Judge for Casbin {
    type Input = (&'static str, String, String);

    fn input(&self, asked: &Asked) -> Self::Input {
        (asked.agent, asked.operation.clone(), path(&asked.arguments))
    }

    fn judge(&mut self, input: Self::Input) -> bool {
        self.0.enforce(input).unwrap()
    }
}

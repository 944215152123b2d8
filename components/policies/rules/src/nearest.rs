//! Permits that would have applied, had something been otherwise.

use std::cmp::Reverse;

use vak_sdk::policy::{Action, Effect, Near, Nearest, Prospect};

use crate::config::Rule;
use crate::earlier::Untold;
use crate::fact::{Facts, Source};
use crate::index::common;
use crate::lookup::Names;
use crate::pattern::{self, Pattern};
use crate::rules::Rules;
use crate::wanted::Wanted;

/// Rules that are named. More would not be near.
const NEAREST_MAX: usize = 3;

/// How far a rule is from an action; the nearest is the least.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Distance {
    /// Parts that are not as it wants. Another operation counts twice: who is
    /// denied one seldom wants another.
    missing: usize,
    other_operation: bool,
    /// Bytes that the operation begins with as a pattern does.
    alike: Reverse<usize>,
}

impl Nearest for Rules {
    fn nearest(&self, action: &Action) -> Vec<Near> {
        let facts = Facts::new(action, &Untold);
        let mut nearest: Vec<(Distance, &Rule)> = Vec::with_capacity(NEAREST_MAX + 1);
        for rule in self.rules.iter().filter(|rule| rule.effect == Effect::Permit) {
            let distance = Distance::of(rule, &facts);
            // Of equal ones the first in the text comes first.
            let at = nearest.partition_point(|(other, _)| *other <= distance);
            if at < NEAREST_MAX {
                nearest.insert(at, (distance, rule));
                nearest.truncate(NEAREST_MAX);
            }
        }
        let near =
            |(_, rule): (Distance, &Rule)| Near { rule: rule.id().to_owned(), misses: self.misses(rule, &facts) };
        nearest.into_iter().map(near).collect()
    }

    fn prospects(&self, agent: &str, operation: &str, resource: &str) -> Prospect {
        self.outlook(&Names { operation, resource, agent })
    }
}

impl Distance {
    fn of(rule: &Rule, facts: &Facts<'_>) -> Self {
        let action = facts.action;
        let other_operation = !pattern::any(&rule.operations, &action.operation);
        let parts = [
            other_operation,
            other_operation,
            !pattern::any(&rule.resources, &action.resource),
            !pattern::any(&rule.agents, &action.agent),
            rule.has_role(facts) != Ok(true),
        ];
        let conditions = rule.when.iter().filter(|condition| condition.holds(facts) != Ok(true)).count();
        let alike = |pattern: &Pattern| common(pattern.prefix(), &action.operation).len();
        Self {
            missing: parts.iter().filter(|missing| **missing).count() + conditions,
            other_operation,
            alike: Reverse(rule.operations.iter().map(alike).max().unwrap_or(0)),
        }
    }
}

impl Rules {
    fn misses(&self, rule: &Rule, facts: &Facts<'_>) -> Vec<String> {
        let mut wanted = Wanted::new(facts, self.quote_values);
        wanted.named(Source::Operation, &rule.operations);
        wanted.named(Source::Resource, &rule.resources);
        wanted.named(Source::Agent, &rule.agents);
        wanted.role(rule);
        rule.when.iter().for_each(|condition| wanted.condition(condition, false));
        wanted.misses
    }
}

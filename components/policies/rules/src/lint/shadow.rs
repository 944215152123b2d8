//! Rules without an effect, because of one that applies whenever they do.

use vak_sdk::policy::Effect;

use super::budget::Budget;
use super::cover::all_covered;
use super::decided::is_decided;
use super::{is_sweeping, names};
use crate::config::Rule;
use crate::lookup::{Lookup, Names};
use crate::pattern::Pattern;
use crate::rules::strictness;

/// The rules that apply to all that their names match. They are found as those
/// are that concern an action: what a wide pattern starts with, a narrower one
/// starts with too.
pub(super) struct Sweeping<'r> {
    rules: &'r [Rule],
    lookup: Lookup,
}

impl<'r> Sweeping<'r> {
    pub(super) fn of(rules: &'r [Rule]) -> Self {
        Self { rules, lookup: Lookup::new(rules, is_sweeping) }
    }

    /// The first rule of the text that leaves this one without an effect.
    pub(super) fn over(&self, place: u32, rule: &Rule, budget: &mut Budget) -> Option<&'r Rule> {
        // The walk itself is what is long.
        if budget.is_spent() {
            return None;
        }
        let [operation, resource, agent] = names(rule).map(|patterns| patterns.first().map_or("", Pattern::prefix));
        let mut over: Option<u32> = None;
        self.lookup.candidates(&Names { operation, resource, agent }, &mut |other| {
            let first = over.is_none_or(|over| other < over);
            if first && other != place && budget.takes(1) && self.outweighs((other, place), rule, budget) {
                over = Some(other);
            }
        });
        over.map(|other| &self.rules[other as usize])
    }

    /// Whether the verdict on what `rule` is for is the same without it, because
    /// of the other one.
    fn outweighs(&self, (other, place): (u32, u32), rule: &Rule, budget: &mut Budget) -> bool {
        let before = other < place;
        let other = &self.rules[other as usize];
        let stricter = strictness(other.effect) > strictness(rule.effect);
        let counts = match rule.effect {
            // Its obligations count under an escalation, too.
            Effect::Permit => other.effect == Effect::Forbid || rule.obligations().is_empty(),
            // One that can't be evaluated forbids.
            Effect::Escalate => stricter || rule.roles().is_empty() && rule.when.iter().all(is_decided),
            Effect::Forbid | Effect::Abstain => true,
        };
        // Of equal ones the first is named, and its own reason may be what it is
        // there for.
        let equal = other.effect == rule.effect
            && (before || rule.reason().is_empty() && !(is_sweeping(rule) && covers(rule, other, budget)));
        counts && (stricter || equal) && covers(other, rule, budget)
    }
}

fn covers(wide: &Rule, narrow: &Rule, budget: &mut Budget) -> bool {
    names(wide).into_iter().zip(names(narrow)).all(|(wide, narrow)| all_covered(wide, narrow, budget))
}

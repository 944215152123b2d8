//! The rules that can concern an action: by operation, where many share one by
//! resource, and where many share that too by agent.

use crate::config::{RULES_MAX, Rule};
use crate::index::{Literal, PatternIndex};
use crate::pattern::Pattern;

/// Rules that are looked at without one more index, which would take more
/// memory than they do.
const FEW: usize = 16;

/// Entries of one rule over all levels. Beyond that what a list has in common
/// stands for it: the entries of nested lists multiply.
const ENTRIES_MAX: usize = 64;

/// What rules are told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Operation,
    Resource,
    Agent,
}

const LEVELS: [Level; 3] = [Level::Operation, Level::Resource, Level::Agent];

/// What rules are looked up by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names<'n> {
    pub(crate) operation: &'n str,
    pub(crate) resource: &'n str,
    pub(crate) agent: &'n str,
}

/// Finds rules by their place.
#[derive(Debug)]
pub(crate) struct Lookup {
    level: Level,
    /// The place of a rule, or beyond all places that of a finer look-up.
    index: PatternIndex<u32>,
    finer: Vec<Lookup>,
}

/// Places from here on are those of finer look-ups.
const FINER: u32 = 1 << 31;
const _: () = assert!(RULES_MAX < FINER as usize);

impl Level {
    fn patterns(self, rule: &Rule) -> &[Pattern] {
        match self {
            Self::Operation => &rule.operations,
            Self::Resource => &rule.resources,
            Self::Agent => &rule.agents,
        }
    }

    fn text<'n>(self, names: &Names<'n>) -> &'n str {
        match self {
            Self::Operation => names.operation,
            Self::Resource => names.resource,
            Self::Agent => names.agent,
        }
    }

    /// What every text that `rule` can match here starts with.
    fn literals(self, rule: &Rule) -> Vec<Literal<'_>> {
        let patterns = self.patterns(rule);
        // All of the first level, whatever their number: it is the one that
        // tells most rules apart.
        let before = LEVELS.iter().take_while(|level| **level != self);
        let before: usize = before.map(|level| level.patterns(rule).len().max(1)).product();
        match patterns.len() {
            0 => vec![Literal::ANYTHING],
            count if before > 1 && before.saturating_mul(count) > ENTRIES_MAX => vec![Literal::of_all(patterns)],
            _ => patterns.iter().map(Literal::of).collect(),
        }
    }
}

impl Lookup {
    /// Over those of `rules` that `wanted` says.
    pub(crate) fn new(rules: &[Rule], wanted: impl Fn(&Rule) -> bool) -> Self {
        let places = (0..).zip(rules).filter(|(_, rule)| wanted(rule)).map(|(place, _)| place).collect();
        Self::of(Level::Operation, places, rules)
    }

    fn of(level: Level, places: Vec<u32>, rules: &[Rule]) -> Self {
        let rule = |place: u32| &rules[place as usize];
        let entries = places
            .into_iter()
            .flat_map(|place| level.literals(rule(place)).into_iter().map(move |literal| (literal, place)));
        let index: PatternIndex<u32> = entries.collect();
        let telling = |places: &[u32]| {
            let mut finer = LEVELS.iter().copied().skip_while(|other| *other != level).skip(1);
            finer.find(|finer| {
                let mut literals = places.iter().map(|place| finer.literals(rule(*place)));
                let first = literals.next();
                literals.any(|literal| Some(&literal) != first.as_ref())
            })
        };
        let mut lookups = Vec::new();
        let index = index.grouped(|places| match (places.len() > FEW).then(|| telling(&places)).flatten() {
            Some(finer) => {
                lookups.push(Self::of(finer, places, rules));
                vec![FINER + (lookups.len() - 1) as u32]
            }
            // Nothing finer tells them apart.
            None => places,
        });
        Self { level, index, finer: lookups }
    }

    /// Gives `take` the places of all rules that can concern these names, some of
    /// them more than once.
    pub(crate) fn candidates(&self, names: &Names<'_>, take: &mut impl FnMut(u32)) {
        self.index.candidates(self.level.text(names), |place| match place.checked_sub(FINER) {
            None => take(*place),
            Some(finer) => self.finer[finer as usize].candidates(names, take),
        });
    }
}

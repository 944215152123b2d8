//! Rules whose parts exclude each other.

use super::budget::Budget;
use super::cover::covers;
use super::decided::is_always_tested;
use super::narrow::{self, Want};
use super::quoted;
use crate::condition::{Comparison, Condition};
use crate::config::Rule;
use crate::earlier::{Earlier, What};
use crate::fact::{Name, Source};
use crate::pattern::Pattern;
use crate::window::{self, Window};

/// Why a rule never applies.
pub(super) struct Never {
    /// What is never as it wants.
    pub(super) about: String,
    /// Whether it is never unknown either.
    pub(super) decided: bool,
}

/// A condition without others in it. The flag says that it must not hold.
#[derive(Clone, Copy)]
enum Part<'r> {
    Names(Source, &'r [Pattern]),
    Compare(&'r Comparison, bool),
    Label(&'r [Pattern], bool),
    Time(Window, bool),
    Earlier(&'r Earlier, bool),
}

/// Conditions of which one has to hold, or with the flag, must not.
type Choice<'r> = (&'r [Condition], bool);

/// Parts that all have to be as they should, and choices beside them.
#[derive(Clone, Default)]
struct Parts<'r> {
    parts: Vec<Part<'r>>,
    choices: Vec<Choice<'r>>,
}

/// Whether no action is ever as `rule` wants it. A no means that this is not
/// known.
pub(super) fn applies(rule: &Rule, budget: &mut Budget) -> Option<Never> {
    if rule.when.is_empty() {
        return None;
    }
    let mut parts = Parts::default();
    let names =
        [(Source::Operation, &rule.operations), (Source::Resource, &rule.resources), (Source::Agent, &rule.agents)];
    for (source, patterns) in names {
        if !patterns.is_empty() {
            parts.parts.push(Part::Names(source, patterns));
        }
    }
    rule.when.iter().for_each(|condition| parts.add(condition, false));
    parts.exclude(budget)
}

impl<'r> Parts<'r> {
    fn add(&mut self, condition: &'r Condition, not: bool) {
        match condition {
            Condition::All(conditions) | Condition::Any(conditions) => {
                let all = matches!(condition, Condition::All(_)) != not;
                match all || conditions.len() == 1 {
                    true => conditions.iter().for_each(|condition| self.add(condition, not)),
                    false => self.choices.push((conditions, not)),
                }
            }
            Condition::Not(condition) => self.add(condition, !not),
            Condition::Label(patterns) => self.parts.push(Part::Label(patterns, not)),
            Condition::Time(window) => self.parts.push(Part::Time(*window, not)),
            Condition::Earlier(earlier) => self.parts.push(Part::Earlier(earlier, not)),
            // What is missing fails an optional test, so it passes this one.
            Condition::Compare(comparison) if not && comparison.optional => {}
            Condition::Compare(comparison) => self.parts.push(Part::Compare(comparison, comparison.negated != not)),
        }
    }

    fn exclude(&self, budget: &mut Budget) -> Option<Never> {
        if !budget.takes(self.parts.len() * self.parts.len()) {
            return None;
        }
        let found = self.times().or_else(|| self.labels()).or_else(|| self.earlier()).or_else(|| self.facts(budget));
        found.or_else(|| self.choices.iter().find_map(|choice| self.none_of(choice, budget)))
    }

    /// Whether none of a choice can be beside the parts.
    fn none_of(&self, (conditions, not): &Choice<'r>, budget: &mut Budget) -> Option<Never> {
        let mut nevers = conditions.iter().map(|condition| {
            let mut with = Self { parts: self.parts.clone(), choices: Vec::new() };
            with.add(condition, *not);
            with.exclude(budget)
        });
        let first = nevers.next()??;
        nevers.try_fold(first, |one, other| {
            let other = other?;
            let about = if one.about == other.about { one.about } else { "action".to_owned() };
            Some(Never { about, decided: one.decided && other.decided })
        })
    }

    fn times(&self) -> Option<Never> {
        let windows = self.parts.iter().filter_map(|part| match part {
            Part::Time(window, out) => Some((*window, *out)),
            _ => None,
        });
        let windows: Vec<_> = windows.collect();
        let never = !windows.is_empty() && window::exclude_each_other(&windows);
        never.then(|| Never { about: "time".to_owned(), decided: true })
    }

    fn labels(&self) -> Option<Never> {
        let of = |wanted: bool| {
            self.parts.iter().filter_map(move |part| match part {
                Part::Label(patterns, not) if *not != wanted => Some(*patterns),
                _ => None,
            })
        };
        let never = of(true).any(|some| of(false).any(|none| are_covered(some, none)));
        never.then(|| Never { about: "labels".to_owned(), decided: true })
    }

    fn earlier(&self) -> Option<Never> {
        let conditions = self.parts.iter().filter_map(|part| match part {
            Part::Earlier(earlier, not) => Some((*earlier, *not)),
            _ => None,
        });
        let conditions: Vec<_> = conditions.collect();
        let never = conditions.iter().any(|one| {
            let same = conditions.iter().filter(|other| same_count(one.0, other.0));
            let ranges = same.filter_map(|(other, not)| match &other.what {
                What::Count { range, .. } => Some((range, *not)),
                What::Label(_) => None,
            });
            let counted = matches!(one.0.what, What::Count { .. });
            counted && narrow::no_count(ranges) || conditions.iter().any(|other| label_excludes(*one, *other))
        });
        never.then(|| Never { about: "earlier actions".to_owned(), decided: false })
    }

    /// What is wanted of one fact.
    fn facts(&self, budget: &mut Budget) -> Option<Never> {
        let named = self.parts.iter().filter_map(Part::fact);
        let mut seen: Vec<Name<'_>> = Vec::new();
        for name in named {
            if seen.contains(&name) {
                continue;
            }
            seen.push(name);
            let of_it = || self.parts.iter().filter(|part| part.fact() == Some(name));
            let wants: Vec<_> = of_it().filter_map(Part::want).collect();
            if narrow::exclude_each_other(&wants, budget) {
                let word = name.source.word();
                let about =
                    if name.name.is_empty() { word.to_owned() } else { format!("{word} {}", quoted(name.name)) };
                return Some(Never { about, decided: of_it().all(Part::is_decided) });
            }
        }
        None
    }
}

impl<'r> Part<'r> {
    /// The fact that it is on.
    fn fact(&self) -> Option<Name<'r>> {
        match self {
            Self::Names(source, _) => Some(Name { source: *source, name: "" }),
            Self::Compare(comparison, _) => Some(comparison.name()),
            _ => None,
        }
    }

    fn want(&self) -> Option<Want<'r>> {
        match self {
            Self::Names(_, patterns) => Some(Want::Named(patterns)),
            Self::Compare(comparison, not) => Some(Want::Test(&comparison.test, *not)),
            _ => None,
        }
    }

    fn is_decided(&self) -> bool {
        match self {
            Self::Compare(comparison, _) => is_always_tested(comparison),
            _ => true,
        }
    }
}

fn are_covered(some: &[Pattern], by: &[Pattern]) -> bool {
    some.iter().all(|narrow| by.iter().any(|wide| covers(wide, narrow)))
}

/// Whether both count the same actions.
fn same_count(one: &Earlier, other: &Earlier) -> bool {
    match (&one.what, &other.what) {
        (What::Count { operations, refused, .. }, What::Count { operations: others, refused: too, .. }) => {
            one.within_ms == other.within_ms && operations == others && refused == too
        }
        _ => false,
    }
}

/// Whether one wants a label that the other does not.
fn label_excludes((one, one_not): (&Earlier, bool), (other, other_not): (&Earlier, bool)) -> bool {
    match (&one.what, &other.what) {
        (What::Label(some), What::Label(none)) => {
            !one_not && other_not && one.within_ms <= other.within_ms && are_covered(some, none)
        }
        _ => false,
    }
}

//! Conditions that are true or false whatever the action, never unknown.

use crate::condition::{Comparison, Condition};
use crate::fact::Source;
use crate::test::Test;
use crate::tree::Tree;

pub(super) fn is_decided(condition: &Condition) -> bool {
    match condition {
        Condition::All(conditions) | Condition::Any(conditions) => conditions.iter().all(is_decided),
        Condition::Not(condition) => is_decided(condition),
        Condition::Label(_) | Condition::Time(_) => true,
        Condition::Earlier(_) => false,
        Condition::Compare(comparison) => is_always_tested(comparison),
    }
}

/// Whether what is compared is always there, and has the type that is tested.
pub(super) fn is_always_tested(comparison: &Comparison) -> bool {
    match (comparison.source, &comparison.test) {
        (Source::Attribute, Test::Present(_)) => true,
        (Source::Attribute, Test::OneOf(_)) => comparison.optional,
        (Source::Argument | Source::Attribute | Source::Earlier, _) => false,
        (Source::Labels, Test::AnyItem(item) | Test::AllItems(item)) => tests_any_text(&item.test),
        (Source::Labels, test) => matches!(test, Test::Contains(_) | Test::Length(_)),
        (Source::Agent | Source::Session | Source::Operation | Source::Resource, test) => tests_any_text(test),
    }
}

fn tests_any_text(test: &Test) -> bool {
    match test {
        Test::OneOf(_)
        | Test::Matches(_)
        | Test::Within(_)
        | Test::StartsWith(_)
        | Test::EndsWith(_)
        | Test::Length(_) => true,
        Test::Contains(part) => matches!(**part, Tree::Text(_)),
        _ => false,
    }
}

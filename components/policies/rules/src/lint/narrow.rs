//! What is left of one fact when several tests want something of it.

use vak_sdk::policy::Action;

use super::budget::Budget;
use super::cover::covers;
use crate::earlier::Untold;
use crate::fact::{Fact, Facts, Name, Source};
use crate::index::Literal;
use crate::number::Number;
use crate::path;
use crate::pattern::Pattern;
use crate::test::{Bound, Range, Test};
use crate::tree::Tree;

/// Something that is wanted of a fact.
#[derive(Clone, Copy)]
pub(super) enum Want<'r> {
    /// One of the patterns matches it.
    Named(&'r [Pattern]),
    /// It passes the test, or with the flag, is tested and does not.
    Test(&'r Test, bool),
}

/// Kinds of value, a bit each.
const TEXT: u8 = 1;
const LIST: u8 = 2;
const NUMBER: u8 = 4;
const OTHER: u8 = 8;

/// Whether no value is all that is wanted. A no means that this is not known.
pub(super) fn exclude_each_other(wants: &[Want<'_>], budget: &mut Budget) -> bool {
    if wants.iter().any(Want::is_absent) {
        return !wants.iter().all(Want::is_absent);
    }
    if let Some(values) = wants.iter().find_map(Want::values) {
        return budget.takes(values.len() * wants.len())
            && values.iter().all(|value| wants.iter().any(|want| want.fails(*value)));
    }
    let kinds = wants.iter().fold(TEXT | LIST | NUMBER | OTHER, |kinds, want| kinds & want.kinds());
    let tests = || wants.iter().filter_map(Want::test);
    let ranges = tests().filter_map(|(test, not)| match test {
        Test::Range(range) => Some((&**range, not)),
        _ => None,
    });
    kinds == 0
        || Span::of(ranges).is_empty()
        || no_length(tests())
        || differ(&wants.iter().filter_map(Want::start), |one, other| one.starts_with(other))
        || differ(&wants.iter().filter_map(Want::end), |one, other| one.ends_with(other))
        || differ(&wants.iter().filter_map(Want::folder), path::is_within)
        || wants.iter().any(|want| tests().any(|(test, not)| not && want.implies(test)))
}

/// Whether no number of actions is in all of these ranges, or with the flag, out
/// of them.
pub(super) fn no_count<'r>(ranges: impl Iterator<Item = (&'r Range, bool)>) -> bool {
    let mut span = Span::of(ranges);
    span.above(Number::Integer(0), true);
    span.is_empty()
}

/// Whether two of these texts cannot be the start, or the end, of one text.
fn differ<'r>(texts: &(impl Iterator<Item = &'r str> + Clone), fit: impl Fn(&str, &str) -> bool) -> bool {
    texts.clone().any(|one| texts.clone().any(|other| !fit(one, other) && !fit(other, one)))
}

fn no_length<'r>(tests: impl Iterator<Item = (&'r Test, bool)>) -> bool {
    let (mut least, mut most) = (0, Some(usize::MAX));
    for (test, not) in tests {
        match test {
            Test::Length(length) if !not => {
                least = least.max(length.least);
                most = most.min(Some(length.most));
            }
            Test::Length(length) if length.most == usize::MAX => most = most.min(length.least.checked_sub(1)),
            Test::Length(length) if length.least == 0 => least = least.max(length.most.saturating_add(1)),
            _ => {}
        }
    }
    most.is_none_or(|most| least > most)
}

impl<'r> Want<'r> {
    fn test(&self) -> Option<(&'r Test, bool)> {
        match self {
            Self::Named(_) => None,
            Self::Test(test, not) => Some((test, *not)),
        }
    }

    /// The test that has to be passed.
    fn passed(&self) -> Option<&'r Test> {
        self.test().filter(|(_, not)| !not).map(|(test, _)| test)
    }

    /// Whether the fact must not be there. Every other want needs it to be.
    fn is_absent(&self) -> bool {
        matches!(self, Self::Test(Test::Present(present), not) if present == not)
    }

    /// All values that it can be, if they are few.
    fn values(&self) -> Option<Vec<Fact<'r>>> {
        let exact = |pattern: &'r Pattern| pattern.is_exact().then(|| Fact::Text(pattern.prefix()));
        match (self, self.passed()) {
            (Self::Named(patterns), _) => patterns.iter().map(exact).collect(),
            (_, Some(Test::OneOf(values))) => Some(values.iter().map(Fact::Json).collect()),
            (_, Some(Test::Matches(pattern))) => exact(pattern).map(|value| vec![value]),
            _ => None,
        }
    }

    /// Whether this value is not what is wanted, or has the wrong type for it.
    fn fails(&self, value: Fact<'_>) -> bool {
        match self {
            Self::Named(patterns) => {
                value.text().map_or(true, |text| !patterns.iter().any(|pattern| pattern.matches(text)))
            }
            Self::Test(Test::Present(_), _) => false,
            Self::Test(test, not) => is_on_one_fact(test) && holds(test, value).is_none_or(|holds| holds == *not),
        }
    }

    /// The kinds of value for which it is known whether the test is passed.
    fn kinds(&self) -> u8 {
        match self {
            Self::Named(_) => TEXT,
            Self::Test(test, _) => match test {
                Test::Present(_) | Test::OneOf(_) | Test::SameAs(_) => TEXT | LIST | NUMBER | OTHER,
                Test::Matches(_)
                | Test::Within(_)
                | Test::StartsWith(_)
                | Test::EndsWith(_)
                | Test::InNetwork(_)
                | Test::Version(_) => TEXT,
                Test::Contains(part) if matches!(**part, Tree::Text(_)) => TEXT | LIST,
                Test::Contains(_) | Test::AnyItem(_) | Test::AllItems(_) => LIST,
                Test::Length(_) => TEXT | LIST,
                Test::Range(_) => NUMBER,
            },
        }
    }

    /// What it has to start with.
    fn start(&self) -> Option<&'r str> {
        match (self, self.passed()) {
            (Self::Named(patterns), _) => Some(Literal::of_all(patterns).text),
            (_, Some(Test::Matches(pattern))) => Some(pattern.prefix()),
            (_, Some(Test::StartsWith(start))) => Some(start),
            _ => None,
        }
    }

    /// What it has to end with.
    fn end(&self) -> Option<&'r str> {
        match self.passed() {
            Some(Test::EndsWith(end)) => Some(end),
            _ => None,
        }
    }

    /// The folder it has to be in.
    fn folder(&self) -> Option<&'r str> {
        match self.passed() {
            Some(Test::Within(folder)) => Some(folder),
            _ => None,
        }
    }

    /// Whether whatever is wanted passes `test`.
    fn implies(&self, test: &Test) -> bool {
        match (self, self.passed(), test) {
            (Self::Named(patterns), _, Test::Matches(wide)) => patterns.iter().all(|narrow| covers(wide, narrow)),
            (_, Some(Test::Matches(narrow)), Test::Matches(wide)) => covers(wide, narrow),
            (_, Some(Test::Within(inner)), Test::Within(outer)) => path::is_within(inner, outer),
            (_, Some(Test::StartsWith(long)), Test::StartsWith(start)) => long.starts_with(&**start),
            (_, Some(Test::EndsWith(long)), Test::EndsWith(end)) => long.ends_with(&**end),
            (_, Some(Test::Contains(one)), Test::Contains(other)) => one.same(other),
            _ => false,
        }
    }
}

/// Whether the test looks at nothing but what it tests.
fn is_on_one_fact(test: &Test) -> bool {
    let fact = |bound: &Option<(Bound, bool)>| matches!(bound, Some((Bound::Fact(_), _)));
    match test {
        Test::SameAs(_) => false,
        Test::Range(range) => !fact(&range.least) && !fact(&range.most),
        Test::AnyItem(item) | Test::AllItems(item) => is_on_one_fact(&item.test),
        _ => true,
    }
}

/// Whether a value passes a test that looks at nothing else.
fn holds(test: &Test, value: Fact<'_>) -> Option<bool> {
    let nothing = Action {
        id: String::new(),
        session: String::new(),
        agent: String::new(),
        operation: String::new(),
        resource: String::new(),
        arguments: String::new(),
        attributes: Vec::new(),
        labels: Vec::new(),
        time_ns: 0,
    };
    let name = Name { source: Source::Argument, name: "" };
    test.holds(name, value, &Facts::new(&nothing, &Untold)).ok()
}

/// Numbers between two bounds; the flag says whether the bound itself is inside.
#[derive(Default)]
struct Span {
    least: Option<(Number, bool)>,
    most: Option<(Number, bool)>,
}

impl Span {
    /// What is in all of these ranges, or with the flag, out of them. Bounds that
    /// are facts may be anything.
    fn of<'r>(ranges: impl Iterator<Item = (&'r Range, bool)>) -> Self {
        let number = |bound: &Option<(Bound, bool)>| match bound {
            Some((Bound::Number(number), inside)) => Some((*number, *inside)),
            _ => None,
        };
        let mut span = Self::default();
        for (range, not) in ranges {
            match (number(&range.least), number(&range.most), not) {
                (least, most, false) => {
                    least.into_iter().for_each(|(least, inside)| span.above(least, inside));
                    most.into_iter().for_each(|(most, inside)| span.below(most, inside));
                }
                (Some((least, inside)), None, true) if range.most.is_none() => span.below(least, !inside),
                (None, Some((most, inside)), true) if range.least.is_none() => span.above(most, !inside),
                _ => {}
            }
        }
        span
    }

    fn above(&mut self, least: Number, inside: bool) {
        let tighter = self.least.is_none_or(|(other, open)| least.compare(other).then(open.cmp(&inside)).is_gt());
        if tighter {
            self.least = Some((least, inside));
        }
    }

    fn below(&mut self, most: Number, inside: bool) {
        let tighter = self.most.is_none_or(|(other, open)| most.compare(other).then(inside.cmp(&open)).is_lt());
        if tighter {
            self.most = Some((most, inside));
        }
    }

    fn is_empty(&self) -> bool {
        match (self.least, self.most) {
            (Some((least, one)), Some((most, other))) => {
                let order = least.compare(most);
                order.is_gt() || order.is_eq() && !(one && other)
            }
            _ => false,
        }
    }
}

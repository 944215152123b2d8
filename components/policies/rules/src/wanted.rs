//! What a rule wants of an action that is not so, in words.

use crate::condition::{Comparison, Condition};
use crate::config::Rule;
use crate::explain::{cut, integer, local_time, show};
use crate::fact::{Fact, Facts, Name, Operand, Source, Why};
use crate::number::Number;
use crate::pattern::{self, Pattern};
use crate::test::{Bound, Item, Range, Test};
use crate::tree::Tree;

/// Of patterns, values and alternatives that are named. More make no sentence.
const NAMED_MAX: usize = 3;

/// Collects a sentence for each part that is not as it is wanted.
pub(crate) struct Wanted<'f, 'a> {
    facts: &'f Facts<'a>,
    /// Whether they say what the values of the action are.
    quote: bool,
    pub(crate) misses: Vec<String>,
}

impl<'f, 'a> Wanted<'f, 'a> {
    pub(crate) fn new(facts: &'f Facts<'a>, quote: bool) -> Self {
        Self { facts, quote, misses: Vec::new() }
    }

    /// One of `patterns` has to match a name of the action.
    pub(crate) fn named(&mut self, source: Source, patterns: &[Pattern]) {
        let name = Name { source, name: "" };
        let fact = self.facts.get(name);
        if !fact.is_ok_and(|fact| fact.text().is_ok_and(|text| pattern::any(patterns, text))) {
            let mut miss = self.is(name, fact);
            alternatives(&mut miss, patterns, matching);
            self.misses.push(miss);
        }
    }

    /// It wants a role.
    pub(crate) fn role(&mut self, rule: &Rule) {
        match rule.has_role(self.facts) {
            Ok(true) => {}
            Ok(false) => {
                let mut miss = "no role of the action matches ".to_owned();
                alternatives(&mut miss, rule.roles(), matching);
                self.misses.push(miss);
            }
            Err(unknown) => self.misses.push(unknown.describe()),
        }
    }

    /// The condition has to hold, or with `not`, must not.
    pub(crate) fn condition(&mut self, condition: &Condition, not: bool) {
        let held = condition.holds(self.facts);
        if held == Ok(!not) {
            return;
        }
        match condition {
            Condition::Not(condition) => self.condition(condition, !not),
            Condition::All(conditions) | Condition::Any(conditions) => {
                match matches!(condition, Condition::All(_)) != not {
                    true => conditions.iter().for_each(|condition| self.condition(condition, not)),
                    false => self.none_of(conditions, not),
                }
            }
            Condition::Label(patterns) => {
                let mut miss = if not { "a label matches " } else { "no label matches " }.to_owned();
                alternatives(&mut miss, patterns, matching);
                self.misses.push(miss);
            }
            Condition::Time(window) => {
                let mut miss = "time ".to_owned();
                if self.quote {
                    miss.push_str("is `");
                    local_time(&mut miss, window, self.facts.action.time_ns);
                    miss.push_str("`, which ");
                }
                miss.push_str("is not one that it is for");
                self.misses.push(miss);
            }
            Condition::Earlier(earlier) => {
                let mut miss = "depends on earlier ".to_owned();
                match earlier.name().name {
                    "" => miss.push_str("labels"),
                    operations => quoted(&mut miss, operations),
                }
                miss.push_str(", which are not looked at here");
                self.misses.push(miss);
            }
            Condition::Compare(comparison) => {
                let miss = match held {
                    Ok(_) => self.compared(comparison, comparison.negated != not),
                    Err(unknown) => unknown.describe(),
                };
                self.misses.push(miss);
            }
        }
    }

    /// One of the conditions has to hold, and none does.
    fn none_of(&mut self, conditions: &[Condition], not: bool) {
        let mut miss = String::new();
        alternatives(&mut miss, conditions, |miss, condition| {
            let mut alone = Wanted::new(self.facts, self.quote);
            alone.condition(condition, not);
            miss.push_str(&alone.misses.join(" and "));
        });
        self.misses.push(miss);
    }

    fn compared(&self, comparison: &Comparison, not: bool) -> String {
        let name = comparison.name();
        let fact = self.facts.get(name);
        if let Test::Present(_) = comparison.test {
            let mut miss = String::new();
            named(&mut miss, name);
            miss.push_str(if fact.is_ok() { " is there" } else { " is missing" });
            return miss;
        }
        let mut miss = self.is(name, fact);
        wanted(&mut miss, &comparison.test, not);
        miss
    }

    /// What is there, and the words before what should be.
    fn is(&self, name: Name<'_>, fact: Result<Fact<'_>, Why>) -> String {
        let mut miss = String::new();
        named(&mut miss, name);
        match (fact, self.quote) {
            (Err(_), _) => miss.push_str(" is missing, wanted "),
            (fact, true) => {
                miss.push_str(" is `");
                show(&mut miss, fact);
                miss.push_str("`, wanted ");
            }
            (_, false) => miss.push_str(" is not as wanted: "),
        }
        miss
    }
}

/// What passes the test, or with `not`, what does not.
fn wanted(text: &mut String, test: &Test, not: bool) {
    if not {
        text.push_str("not ");
    }
    let with = |text: &mut String, word: &str, value: &str| {
        text.push_str(word);
        quoted(text, value);
    };
    match test {
        Test::Present(_) => {}
        Test::OneOf(values) => alternatives(text, values, value),
        Test::SameAs(other) => {
            text.push_str("the same as ");
            named(text, other.name());
        }
        Test::Matches(pattern) => {
            text.push_str("matching ");
            matching(text, pattern);
        }
        Test::Within(folder) => with(text, "within ", folder),
        Test::StartsWith(start) => with(text, "starting with ", start),
        Test::EndsWith(end) => with(text, "ending with ", end),
        Test::Contains(part) => {
            text.push_str("containing ");
            value(text, part);
        }
        Test::Range(range) => bounds(text, range),
        Test::Length(length) => {
            text.push_str("a length of at least ");
            integer(text, length.least as u64);
            if length.most < usize::MAX {
                text.push_str(" and at most ");
                integer(text, length.most as u64);
            }
        }
        Test::InNetwork(_) => text.push_str("an address in its networks"),
        Test::Version(_) => text.push_str("a version that fits"),
        Test::AnyItem(item) => items(text, "an item ", item),
        Test::AllItems(item) => items(text, "only items ", item),
    }
}

fn items(text: &mut String, which: &str, item: &Item) {
    text.push_str(which);
    wanted(text, &item.test, item.negated);
}

fn bounds(text: &mut String, range: &Range) {
    let words = [(&range.least, ["more than ", "at least "]), (&range.most, ["less than ", "at most "])];
    let bounds = words.iter().filter_map(|(bound, words)| Some((bound.as_ref()?, words)));
    for (at, ((bound, inside), words)) in bounds.enumerate() {
        text.push_str(if at > 0 { " and " } else { "" });
        text.push_str(words[usize::from(*inside)]);
        match bound {
            Bound::Number(number) => amount(text, *number),
            Bound::Fact(operand) => named(text, Operand::name(operand)),
        }
    }
}

fn amount(text: &mut String, number: Number) {
    show(text, Ok(Fact::Json(&Tree::Number(number))));
}

fn value(text: &mut String, value: &Tree<'_>) {
    text.push('`');
    show(text, Ok(Fact::Json(value)));
    text.push('`');
}

fn matching(text: &mut String, pattern: &Pattern) {
    let (before, pattern) = pattern.text();
    text.push('`');
    text.push_str(before);
    cut(text, pattern);
    text.push('`');
}

/// The first of several, with `or` between them.
fn alternatives<T>(text: &mut String, all: &[T], mut one: impl FnMut(&mut String, &T)) {
    for (at, each) in all.iter().take(NAMED_MAX).enumerate() {
        text.push_str(if at > 0 { " or " } else { "" });
        one(text, each);
    }
    if all.len() > NAMED_MAX {
        text.push_str(" or …");
    }
}

fn named(text: &mut String, name: Name<'_>) {
    text.push_str(name.source.word());
    if !name.name.is_empty() {
        text.push(' ');
        quoted(text, name.name);
    }
}

fn quoted(text: &mut String, name: &str) {
    text.push('`');
    cut(text, name);
    text.push('`');
}

//! Conditions over an action's arguments.

use std::cell::OnceCell;
use std::mem::ManuallyDrop;

use serde_json::Value;

use crate::pattern::Pattern;
use crate::tree::Tree;

/// A test on one argument.
#[derive(Debug)]
pub(crate) struct Condition {
    pub(crate) pointer: Box<str>,
    pub(crate) test: Test,
    pub(crate) negated: bool,
    pub(crate) optional: bool,
}

/// What is tested.
#[derive(Debug)]
pub(crate) enum Test {
    OneOf(Box<[Value]>),
    Matches(Pattern),
    Within(Box<str>),
    // Boxed: it would double the size of every condition.
    Range(Box<Range>),
}

/// A range of numbers, with its ends.
#[derive(Debug)]
pub(crate) struct Range {
    pub(crate) at_least: Option<f64>,
    pub(crate) at_most: Option<f64>,
}

/// Why a condition has no truth value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    Missing,
    Mistyped(&'static str),
    Unreadable,
}

impl Unknown {
    pub(crate) fn describe(&self, pointer: &str) -> String {
        match self {
            Self::Missing => format!("needs the argument `{pointer}`, which is missing"),
            Self::Mistyped(wanted) => format!("needs the argument `{pointer}` to be a {wanted}"),
            Self::Unreadable => "needs the arguments, which are not JSON".to_owned(),
        }
    }
}

/// The arguments of one action, parsed when a rule first looks at them.
pub(crate) struct Arguments<'a> {
    text: &'a str,
    // Not taken apart: a call's memory goes with its instance.
    tree: OnceCell<ManuallyDrop<Option<Tree<'a>>>>,
}

impl<'a> Arguments<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, tree: OnceCell::new() }
    }

    fn get(&self, pointer: &str) -> Result<&Tree<'a>, Unknown> {
        let tree = self.tree.get_or_init(|| ManuallyDrop::new(serde_json::from_str(self.text).ok()));
        tree.as_ref().ok_or(Unknown::Unreadable)?.at(pointer).ok_or(Unknown::Missing)
    }
}

impl Condition {
    /// Whether the condition holds.
    pub(crate) fn holds(&self, arguments: &Arguments<'_>) -> Result<bool, Unknown> {
        match arguments.get(&self.pointer) {
            // An argument that may be absent does not satisfy a test, negated
            // or not: there is nothing to test.
            Err(Unknown::Missing) if self.optional => Ok(false),
            Err(unknown) => Err(unknown),
            Ok(value) => self.test.holds(value).map(|holds| holds != self.negated),
        }
    }
}

impl Test {
    fn holds(&self, value: &Tree<'_>) -> Result<bool, Unknown> {
        match self {
            Self::OneOf(values) => Ok(values.iter().any(|wanted| same(wanted, value))),
            Self::Matches(pattern) => text(value).map(|text| pattern.matches(text)),
            Self::Within(folder) => text(value).map(|path| is_within(path, folder)),
            Self::Range(range) => {
                let number = match value {
                    Tree::Number(number) => number.as_f64(),
                    _ => None,
                };
                let number = number.ok_or(Unknown::Mistyped("number"))?;
                Ok(range.at_least.is_none_or(|least| number >= least)
                    && range.at_most.is_none_or(|most| number <= most))
            }
        }
    }
}

fn text<'t>(value: &'t Tree<'_>) -> Result<&'t str, Unknown> {
    match value {
        Tree::Text(text) => Ok(text),
        _ => Err(Unknown::Mistyped("text")),
    }
}

/// `1` and `1.0` are one number: JSON does not tell them apart, and the tool
/// behind may not either.
fn same(wanted: &Value, value: &Tree<'_>) -> bool {
    match (wanted, value) {
        (Value::Number(wanted), Tree::Number(value)) => wanted == value || wanted.as_f64() == value.as_f64(),
        _ => value.is(wanted),
    }
}

/// Whether the absolute path `path` names something in or below `folder` once
/// `.` and `..` are resolved by their text. Symbolic links cannot be seen from
/// here; the tool that opens the path has to confine them.
fn is_within(path: &str, folder: &str) -> bool {
    if !path.starts_with('/') || path.bytes().any(|byte| byte == 0) {
        return false;
    }
    let mut resolved = Vec::new();
    // Bytes: what lies between two slashes is whole characters.
    for segment in path.as_bytes().split(|byte| *byte == b'/') {
        match segment {
            b"" | b"." => {}
            b".." => {
                resolved.pop();
            }
            name => resolved.push(name),
        }
    }
    let mut segments = resolved.into_iter();
    let mut names = folder.as_bytes().split(|byte| *byte == b'/').filter(|name| !name.is_empty());
    names.all(|name| segments.next() == Some(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn within_sees_through_dots() {
        let cases = [
            ("/work/a.txt", true),
            ("/work", true),
            ("/work/./b/../a.txt", true),
            ("/work/../etc/passwd", false),
            ("/workshop/a", false),
            ("/work//a", true),
            ("/etc/../work/a", true),
            ("work/a", false),
            ("../work/a", false),
            ("/work/\0", false),
            ("", false),
        ];
        for (path, expected) in cases {
            assert_eq!(is_within(path, "/work"), expected, "{path}");
        }
    }

    #[test]
    fn unknown_is_neither_true_nor_false() {
        let condition = |negated, optional| Condition {
            pointer: "/n".into(),
            test: Test::Range(Box::new(Range { at_least: Some(1.0), at_most: Some(5.0) })),
            negated,
            optional,
        };
        let cases = [
            ("{\"n\":3}", false, false, Ok(true)),
            ("{\"n\":3}", true, false, Ok(false)),
            ("{\"n\":9}", false, false, Ok(false)),
            ("{\"n\":\"3\"}", false, true, Err(Unknown::Mistyped("number"))),
            ("{}", false, false, Err(Unknown::Missing)),
            ("{}", false, true, Ok(false)),
            ("{}", true, true, Ok(false)),
            ("{", true, true, Err(Unknown::Unreadable)),
        ];
        for (arguments, negated, optional, expected) in cases {
            let held = condition(negated, optional).holds(&Arguments::new(arguments));
            assert_eq!(held, expected, "{arguments} negated={negated} optional={optional}");
        }
    }
}

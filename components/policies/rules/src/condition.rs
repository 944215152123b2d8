//! Conditions over an action, in a logic of three values.
//!
//! A condition on a fact that is missing or has another type is neither true
//! nor false. What is composed of such a condition is decided where its other
//! parts decide it, as one false part does in `all`, and unknown elsewhere.

use vak_sdk::policy::Action;

use crate::earlier::Earlier;
use crate::fact::{Facts, Name, Source, Why};
use crate::pattern::Pattern;
use crate::test::Test;
use crate::window::Window;

/// A condition.
#[derive(Debug)]
pub(crate) enum Condition {
    All(Box<[Condition]>),
    Any(Box<[Condition]>),
    Not(Box<Condition>),
    /// Some label matches one of the patterns.
    Label(Box<[Pattern]>),
    /// The action is asked at such a time.
    Time(Window),
    /// The session did something before.
    Earlier(Box<Earlier>),
    Compare(Comparison),
}

/// A test on one fact.
#[derive(Debug)]
pub(crate) struct Comparison {
    // Flat, and not an `Operand`: many lie in each configured instance.
    pub(crate) source: Source,
    pub(crate) name: Box<str>,
    pub(crate) test: Test,
    pub(crate) negated: bool,
    pub(crate) optional: bool,
}

/// Which fact kept a condition from having a truth value, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unknown<'r> {
    pub(crate) name: Name<'r>,
    pub(crate) why: Why,
}

impl Unknown<'_> {
    pub(crate) fn describe(&self) -> String {
        let Name { source, name } = self.name;
        let (word, named) = (source.word(), if name.is_empty() { String::new() } else { format!(" `{name}`") });
        match self.why {
            Why::Missing => format!("needs the {word}{named}, which is missing"),
            Why::Mistyped(wanted) => format!("needs the {word}{named} to be a {wanted}"),
            Why::Forgotten => {
                "needs the earlier actions of the session, which the host does not remember that far back".to_owned()
            }
            Why::Unreadable => "needs the arguments, which are not JSON".to_owned(),
        }
    }
}

impl Condition {
    /// Whether the condition holds.
    pub(crate) fn holds<'r>(&'r self, facts: &Facts<'_>) -> Result<bool, Unknown<'r>> {
        match self {
            Self::All(conditions) => all(conditions, facts),
            Self::Any(conditions) => any(conditions, facts),
            Self::Not(condition) => condition.holds(facts).map(|holds| !holds),
            Self::Label(patterns) => Ok(label(patterns, facts.action).is_some()),
            Self::Time(window) => Ok(window.contains(facts.action.time_ns)),
            Self::Earlier(earlier) => earlier.holds(facts),
            Self::Compare(comparison) => comparison.holds(facts),
        }
    }

    /// Whether it is on what the session did before, or some part of it is.
    pub(crate) fn is_on_session(&self) -> bool {
        match self {
            Self::All(conditions) | Self::Any(conditions) => conditions.iter().any(Self::is_on_session),
            Self::Not(condition) => condition.is_on_session(),
            Self::Earlier(_) => true,
            Self::Label(_) | Self::Time(_) | Self::Compare(_) => false,
        }
    }
}

/// Whether all hold.
pub(crate) fn all<'r>(conditions: &'r [Condition], facts: &Facts<'_>) -> Result<bool, Unknown<'r>> {
    decided_by(false, conditions, facts)
}

fn any<'r>(conditions: &'r [Condition], facts: &Facts<'_>) -> Result<bool, Unknown<'r>> {
    decided_by(true, conditions, facts)
}

/// `decisive` if one condition is; else unknown if one is, and the first of
/// them says why.
fn decided_by<'r>(decisive: bool, conditions: &'r [Condition], facts: &Facts<'_>) -> Result<bool, Unknown<'r>> {
    let mut unknown = None;
    for condition in conditions {
        match condition.holds(facts) {
            Ok(holds) if holds == decisive => return Ok(decisive),
            Ok(_) => {}
            Err(why) => unknown = unknown.or(Some(why)),
        }
    }
    unknown.map_or(Ok(!decisive), Err)
}

/// The first label that matches one of the patterns.
pub(crate) fn label<'a>(patterns: &[Pattern], action: &'a Action) -> Option<&'a str> {
    let mut labels = action.labels.iter().map(String::as_str);
    labels.find(|label| patterns.iter().any(|pattern| pattern.matches(label)))
}

/// Whether the action has a role that matches one of the patterns. Without the
/// attribute nobody knows.
pub(crate) fn has_role(patterns: &[Pattern], facts: &Facts<'_>) -> Result<bool, Unknown<'static>> {
    let name = Name { source: Source::Attribute, name: "roles" };
    let unknown = |why| Unknown { name, why };
    let roles = facts.get(name).map_err(unknown)?;
    let count = roles.items().map_err(unknown)?;
    let mut texts = (0..count).filter_map(|at| roles.item(at)?.text().ok());
    Ok(texts.any(|role| patterns.iter().any(|pattern| pattern.matches(role))))
}

impl Comparison {
    /// What is tested.
    pub(crate) fn name(&self) -> Name<'_> {
        Name { source: self.source, name: &self.name }
    }

    fn holds<'r>(&'r self, facts: &Facts<'_>) -> Result<bool, Unknown<'r>> {
        let name = self.name();
        let fact = facts.get(name);
        if let Test::Present(wanted) = self.test {
            return match fact {
                Ok(_) | Err(Why::Missing) => Ok(fact.is_ok() == (wanted != self.negated)),
                Err(why) => Err(Unknown { name, why }),
            };
        }
        match fact {
            // What may be absent does not satisfy a test, negated or not: there
            // is nothing to test.
            Err(Why::Missing) if self.optional => Ok(false),
            Err(why) => Err(Unknown { name, why }),
            Ok(fact) => self.test.holds(name, fact, facts).map(|holds| holds != self.negated),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::earlier::Host;
    use crate::number::Number;
    use crate::test::{Bound, Range};

    fn action(arguments: &str) -> Action {
        Action {
            id: "a".into(),
            session: "s".into(),
            agent: "ada".into(),
            operation: "o".into(),
            resource: "r".into(),
            arguments: arguments.into(),
            attributes: Vec::new(),
            labels: Vec::new(),
            time_ns: 0,
        }
    }

    fn comparison(negated: bool, optional: bool) -> Condition {
        Condition::Compare(Comparison {
            source: Source::Argument,
            name: "/n".into(),
            test: Test::Range(Box::new(Range {
                least: Some((Bound::Number(Number::Integer(1)), true)),
                most: Some((Bound::Number(Number::Float(5.0)), true)),
            })),
            negated,
            optional,
        })
    }

    #[test]
    fn unknown_is_neither_true_nor_false() {
        let cases = [
            ("{\"n\":3}", false, false, Ok(true)),
            ("{\"n\":3}", true, false, Ok(false)),
            ("{\"n\":9}", false, false, Ok(false)),
            ("{\"n\":\"3\"}", false, true, Err(Why::Mistyped("number"))),
            ("{}", false, false, Err(Why::Missing)),
            ("{}", false, true, Ok(false)),
            ("{}", true, true, Ok(false)),
            ("{", true, true, Err(Why::Unreadable)),
        ];
        for (arguments, negated, optional, expected) in cases {
            let (action, condition) = (action(arguments), comparison(negated, optional));
            let held = condition.holds(&Facts::new(&action, &Host)).map_err(|unknown| unknown.why);
            assert_eq!(held, expected, "{arguments} negated={negated} optional={optional}");
        }
    }

    #[test]
    fn known_parts_decide() {
        let unknown = || comparison(false, false);
        let known = |holds: bool| match holds {
            true => Condition::Time(Window::ALWAYS),
            false => Condition::Not(Box::new(Condition::Time(Window::ALWAYS))),
        };
        let missing = Err(Why::Missing);
        let cases = [
            (Condition::All([unknown(), known(false)].into()), Ok(false)),
            (Condition::All([unknown(), known(true)].into()), missing),
            (Condition::Any([unknown(), known(true)].into()), Ok(true)),
            (Condition::Any([known(false), unknown()].into()), missing),
            (Condition::Not(Box::new(unknown())), missing),
        ];
        for (condition, expected) in cases {
            let action = action("{}");
            let held = condition.holds(&Facts::new(&action, &Host)).map_err(|unknown| unknown.why);
            assert_eq!(held, expected, "{condition:?}");
        }
    }
}

//! JSON with places in it for what a message says and what was decided.

use vak_sdk::adapter::{AdapterError, Answer, Decision};

use crate::node::{Data, Node, Problem};
use crate::scope::{Reference, Scope, Sight, plain};
use crate::text::{Part, parts};

/// Deepest nesting. Well below what the host takes.
const DEPTH_MAX: usize = 32;

/// A JSON value with places in it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// A constant, as JSON.
    Fixed(String),
    /// One place, which gives a value of any type.
    Place(Place),
    /// A text with places in it.
    Text(Vec<Part<Place>>),
    List(Vec<Value>),
    Table(Vec<(String, Value)>),
}

/// What is put into a place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Place {
    /// What the message says.
    Said(Reference),
    /// What was decided, in one word.
    Decision,
    /// Who decided, and why.
    Reason,
    /// The whole sentence for whoever asked.
    Explanation,
    Rule,
    Seq,
    RetryAfter,
    /// The arguments: those of an allow, and else those that were asked.
    Arguments,
    /// The same as a text that holds JSON.
    ArgumentsText,
    /// The answers to all items.
    Answers,
    Null,
}

/// Which places a value may have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum May {
    /// Those of the message.
    Said,
    /// Those of an answer too.
    Answered,
    /// Those of the message, and the answers to all items.
    Gathered,
}

/// What places are filled from.
pub(crate) struct Source<'s, 'a> {
    pub(crate) sight: Sight<'s, 'a>,
    pub(crate) answer: Option<&'s Answer>,
    /// The arguments that were asked, as JSON.
    pub(crate) asked: &'s str,
    /// The answers to all items, as JSON.
    pub(crate) answers: &'s [String],
}

impl Value {
    pub(crate) fn read(node: Node<'_>, scope: &mut Scope, may: May) -> Result<Self, Problem> {
        Self::read_at(node, scope, may, 0)
    }

    fn read_at(node: Node<'_>, scope: &mut Scope, may: May, depth: usize) -> Result<Self, Problem> {
        if depth > DEPTH_MAX {
            return Err(Problem::new(node.at, format!("nested deeper than {DEPTH_MAX} levels")));
        }
        Ok(match node.data {
            Data::Plain(json) => Self::Fixed(json),
            Data::List(items) => {
                let item = |item| Self::read_at(item, scope, may, depth + 1);
                Self::List(items.into_iter().map(item).collect::<Result<_, _>>()?)
            }
            Data::Table(entries) => {
                let entry = |(key, node): (crate::node::Key<'_>, _)| {
                    Ok((key.name.into_owned(), Self::read_at(node, scope, may, depth + 1)?))
                };
                Self::Table(entries.into_iter().map(entry).collect::<Result<_, _>>()?)
            }
            Data::Text(_) => node.parse(|text| Self::of_text(text, scope, may))?,
        })
    }

    fn of_text(text: &str, scope: &mut Scope, may: May) -> Result<Self, String> {
        let mut parts = parts(text, |name| Place::read(name, scope, may))?;
        let alone = parts.len() == 1;
        Ok(match parts.pop() {
            Some(Part::Place(place)) if alone => Self::Place(place),
            Some(Part::Fixed(text)) if alone => Self::Fixed(quoted(&text)),
            last => {
                parts.extend(last);
                let whole = |part: &Part<Place>| matches!(part, Part::Place(place) if place.is_whole());
                match parts.iter().any(whole) {
                    true => Err(format!("`{text}` has a place in a text for what is no text; let it stand alone")),
                    false => Ok(Self::Text(parts)),
                }?
            }
        })
    }

    /// Whether the arguments of an allow are somewhere in it.
    pub(crate) fn has_arguments(&self) -> bool {
        self.any(&|place| matches!(place, Place::Arguments | Place::ArgumentsText))
    }

    /// Whether the answers to all items are somewhere in it.
    pub(crate) fn has_answers(&self) -> bool {
        self.any(&|place| matches!(place, Place::Answers))
    }

    fn any(&self, is: &impl Fn(&Place) -> bool) -> bool {
        match self {
            Self::Fixed(_) => false,
            Self::Place(place) => is(place),
            Self::Text(parts) => parts.iter().any(|part| matches!(part, Part::Place(place) if is(place))),
            Self::List(items) => items.iter().any(|item| item.any(is)),
            Self::Table(members) => members.iter().any(|(_, member)| member.any(is)),
        }
    }

    /// Whether no message can make this, as the answer `decided` is written, and
    /// `other`, as the answer `other_decided` is, the same.
    pub(crate) fn differs(&self, decided: Decision, other: &Self, other_decided: Decision) -> bool {
        match (self, other) {
            (Self::Table(members), Self::Table(others)) => {
                let other_of = |name: &str| others.iter().find(|(other, _)| other == name).map(|(_, value)| value);
                members.len() != others.len()
                    || members.iter().any(|(name, member)| {
                        other_of(name).is_none_or(|other| member.differs(decided, other, other_decided))
                    })
            }
            (Self::List(items), Self::List(others)) => {
                items.len() != others.len()
                    || items.iter().zip(others).any(|(item, other)| item.differs(decided, other, other_decided))
            }
            _ => match (self.constant(decided), other.constant(other_decided)) {
                (Some(json), Some(other)) => json != other,
                (Some(json), None) => other.never(&json),
                (None, Some(other)) => self.never(&other),
                (None, None) => {
                    matches!((self, other), (Self::List(_), Self::Table(_)) | (Self::Table(_), Self::List(_)))
                }
            },
        }
    }

    /// What it is whatever the message says.
    fn constant(&self, decided: Decision) -> Option<String> {
        match self {
            Self::Fixed(json) => Some(json.clone()),
            Self::Place(Place::Null) => Some("null".to_owned()),
            Self::Place(Place::Decision) => Some(quoted(decided.word())),
            Self::Place(_) | Self::Text(_) | Self::List(_) | Self::Table(_) => None,
        }
    }

    /// Whether it is a value of another type than this constant, which is one word.
    fn never(&self, json: &str) -> bool {
        match self {
            Self::List(_) | Self::Table(_) => true,
            Self::Text(_) => !json.starts_with('"'),
            Self::Fixed(_) | Self::Place(_) => false,
        }
    }

    /// The value as JSON.
    pub(crate) fn write(&self, source: &Source<'_, '_>) -> Result<String, AdapterError> {
        let mut json = String::new();
        self.write_to(&mut json, source)?;
        Ok(json)
    }

    fn write_to(&self, json: &mut String, source: &Source<'_, '_>) -> Result<(), AdapterError> {
        match self {
            Self::Fixed(constant) => json.push_str(constant),
            Self::Place(place) => json.push_str(&place.json(source)?),
            Self::Text(parts) => {
                let mut text = String::new();
                for part in parts {
                    match part {
                        Part::Fixed(fixed) => text.push_str(fixed),
                        Part::Place(place) => text.push_str(&place.plain(source)?),
                    }
                }
                json.push_str(&quoted(&text));
            }
            Self::List(items) => {
                json.push('[');
                for (number, item) in items.iter().enumerate() {
                    json.push_str(if number == 0 { "" } else { "," });
                    item.write_to(json, source)?;
                }
                json.push(']');
            }
            Self::Table(members) => {
                json.push('{');
                for (number, (name, member)) in members.iter().enumerate() {
                    json.push_str(if number == 0 { "" } else { "," });
                    json.push_str(&quoted(name));
                    json.push(':');
                    member.write_to(json, source)?;
                }
                json.push('}');
            }
        }
        Ok(())
    }
}

impl Place {
    fn read(name: &str, scope: &mut Scope, may: May) -> Result<Self, String> {
        let place = match name {
            "null" => return Ok(Self::Null),
            "answers" if may == May::Gathered => return Ok(Self::Answers),
            "decision" => Self::Decision,
            "reason" => Self::Reason,
            "explanation" => Self::Explanation,
            "rule" => Self::Rule,
            "seq" => Self::Seq,
            "retry_after_ms" => Self::RetryAfter,
            "arguments" => Self::Arguments,
            "arguments:text" => Self::ArgumentsText,
            pointer if pointer.is_empty() || pointer.starts_with(['/', '.']) => {
                return scope.reference(pointer).map(Self::Said);
            }
            other => return Err(format!("`{{{other}}}` is no place; pointers start with `/` or `./`")),
        };
        match may {
            May::Answered => Ok(place),
            May::Said | May::Gathered => Err(format!("`{{{name}}}` is about one answer, and there is none here")),
        }
    }

    /// Whether it gives what can't be part of a text.
    fn is_whole(&self) -> bool {
        matches!(self, Self::Arguments | Self::ArgumentsText | Self::Answers | Self::Null)
    }

    fn json(&self, source: &Source<'_, '_>) -> Result<String, AdapterError> {
        let number = |number: Option<u64>| number.map_or_else(|| "null".to_owned(), |number| number.to_string());
        Ok(match self {
            Self::Said(reference) => reference.json(source.sight)?.unwrap_or("null").to_owned(),
            Self::Null => "null".to_owned(),
            Self::Answers => format!("[{}]", source.answers.join(",")),
            Self::Arguments => source.arguments().to_owned(),
            Self::ArgumentsText => quoted(source.arguments()),
            Self::Seq => number(source.answer.and_then(|answer| answer.seq)),
            Self::RetryAfter => number(source.answer.and_then(|answer| answer.verdict.retry_after_ms)),
            Self::Rule => source.rule().map_or_else(|| "null".to_owned(), quoted),
            Self::Decision | Self::Reason | Self::Explanation => quoted(&self.plain(source)?),
        })
    }

    fn plain(&self, source: &Source<'_, '_>) -> Result<String, AdapterError> {
        let answer = source.answer;
        Ok(match self {
            Self::Said(reference) => reference.plain(source.sight)?.unwrap_or_default(),
            Self::Decision => answer.map(|answer| answer.verdict.decision.word().to_owned()).unwrap_or_default(),
            Self::Reason => answer.map(|answer| answer.verdict.reason.clone()).unwrap_or_default(),
            Self::Explanation => answer.map(Answer::sentence).unwrap_or_default(),
            Self::Rule => source.rule().unwrap_or_default().to_owned(),
            Self::Seq | Self::RetryAfter => plain(&self.json(source)?).unwrap_or_default(),
            Self::Arguments | Self::ArgumentsText | Self::Answers | Self::Null => self.json(source)?,
        })
    }
}

impl Source<'_, '_> {
    fn arguments(&self) -> &str {
        self.answer.and_then(|answer| answer.arguments.as_deref()).unwrap_or(self.asked)
    }

    fn rule(&self) -> Option<&str> {
        self.answer.and_then(|answer| answer.verdict.rule.as_deref())
    }
}

/// A text as JSON.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

//! What conditions can look at.

use std::cell::OnceCell;
use std::mem::ManuallyDrop;

use vak_sdk::policy::{Action, AttributeValue};

use crate::earlier::Past;
use crate::number::Number;
use crate::tree::Tree;

/// Where a fact comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Argument,
    Attribute,
    Agent,
    Session,
    Operation,
    Resource,
    Labels,
    /// What the session did before.
    Earlier,
}

/// Which fact is meant. The name is a JSON pointer, an attribute's name, or
/// empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name<'r> {
    pub(crate) source: Source,
    pub(crate) name: &'r str,
}

/// The same, kept in a rule.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Operand {
    pub(crate) source: Source,
    pub(crate) name: Box<str>,
}

/// Why a fact cannot be tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    Missing,
    /// What it should be.
    Mistyped(&'static str),
    Unreadable,
    /// Not remembered.
    Forgotten,
}

/// A fact's value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fact<'t> {
    Json(&'t Tree<'t>),
    Boolean(bool),
    Integer(i64),
    Text(&'t str),
    Texts(&'t [String]),
}

/// The facts of one action. Its arguments are parsed when a rule first looks at
/// them.
pub(crate) struct Facts<'a> {
    pub(crate) action: &'a Action,
    pub(crate) past: &'a dyn Past,
    // Not taken apart: a call's memory goes with its instance.
    tree: OnceCell<ManuallyDrop<Option<Tree<'a>>>>,
}

impl Operand {
    pub(crate) fn name(&self) -> Name<'_> {
        Name { source: self.source, name: &self.name }
    }
}

impl Source {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Argument => "argument",
            Self::Attribute => "attribute",
            Self::Agent => "agent",
            Self::Session => "session",
            Self::Operation => "operation",
            Self::Resource => "resource",
            Self::Labels => "labels",
            Self::Earlier => "earlier",
        }
    }
}

impl<'a> Facts<'a> {
    pub(crate) fn new(action: &'a Action, past: &'a dyn Past) -> Self {
        Self { action, past, tree: OnceCell::new() }
    }

    pub(crate) fn get(&self, name: Name<'_>) -> Result<Fact<'_>, Why> {
        Ok(match name.source {
            Source::Argument => Fact::Json(self.argument(name.name)?),
            Source::Attribute => self.attribute(name.name)?,
            Source::Agent => Fact::Text(&self.action.agent),
            Source::Session => Fact::Text(&self.action.session),
            Source::Operation => Fact::Text(&self.action.operation),
            Source::Resource => Fact::Text(&self.action.resource),
            Source::Labels => Fact::Texts(&self.action.labels),
            // Tested by conditions of its own.
            Source::Earlier => return Err(Why::Missing),
        })
    }

    fn argument(&self, pointer: &str) -> Result<&Tree<'_>, Why> {
        let parse = || ManuallyDrop::new(serde_json::from_str(&self.action.arguments).ok());
        let tree: &Option<Tree<'_>> = self.tree.get_or_init(parse);
        tree.as_ref().ok_or(Why::Unreadable)?.at(pointer).ok_or(Why::Missing)
    }

    fn attribute(&self, name: &str) -> Result<Fact<'_>, Why> {
        let attribute = self.action.attributes.iter().find(|attribute| attribute.name == name);
        Ok(match &attribute.ok_or(Why::Missing)?.value {
            AttributeValue::Boolean(value) => Fact::Boolean(*value),
            AttributeValue::Integer(value) => Fact::Integer(*value),
            AttributeValue::Text(value) => Fact::Text(value),
            AttributeValue::Texts(values) => Fact::Texts(values),
        })
    }
}

impl<'t> Fact<'t> {
    pub(crate) fn text(self) -> Result<&'t str, Why> {
        match self {
            Self::Json(Tree::Text(text)) => Ok(text),
            Self::Text(text) => Ok(text),
            _ => Err(Why::Mistyped("text")),
        }
    }

    pub(crate) fn number(self) -> Result<Number, Why> {
        match self {
            Self::Json(Tree::Number(number)) => Ok(*number),
            Self::Integer(number) => Ok(Number::Integer(number)),
            _ => Err(Why::Mistyped("number")),
        }
    }

    /// How many items a list has.
    pub(crate) fn items(self) -> Result<usize, Why> {
        match self {
            Self::Json(Tree::Array(items)) => Ok(items.len()),
            Self::Texts(texts) => Ok(texts.len()),
            _ => Err(Why::Mistyped("list")),
        }
    }

    pub(crate) fn item(self, at: usize) -> Option<Self> {
        match self {
            Self::Json(Tree::Array(items)) => items.get(at).map(Self::Json),
            Self::Texts(texts) => texts.get(at).map(|text| Self::Text(text)),
            _ => None,
        }
    }

    /// Characters of a text, or items of a list.
    pub(crate) fn length(self) -> Result<usize, Why> {
        match self.text() {
            Ok(text) => Ok(text.chars().count()),
            Err(_) => self.items().map_err(|_| Why::Mistyped("text or a list")),
        }
    }

    /// Whether both are the same value. Where it comes from does not matter: a
    /// text is the same as an argument and as an attribute.
    pub(crate) fn same(self, other: Fact<'_>) -> bool {
        if let (Self::Json(one), Fact::Json(other)) = (self, other) {
            return one.same(other);
        }
        if let (Some(one), Some(other)) = (self.boolean(), other.boolean()) {
            return one == other;
        }
        if let (Ok(one), Ok(other)) = (self.number(), other.number()) {
            return one.compare(other).is_eq();
        }
        if let (Ok(one), Ok(other)) = (self.text(), other.text()) {
            return one == other;
        }
        let (Ok(one), Ok(items)) = (self.items(), other.items()) else { return false };
        one == items
            && (0..items).all(|at| self.item(at).zip(other.item(at)).is_some_and(|(one, other)| one.same(other)))
    }

    fn boolean(self) -> Option<bool> {
        match self {
            Self::Json(Tree::Bool(value)) => Some(*value),
            Self::Boolean(value) => Some(value),
            _ => None,
        }
    }
}
